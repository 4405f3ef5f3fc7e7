//! When a value that is still fresh is to be computed anew, so that nobody has to wait when its time is
//! over.
//!
//! By chance it goes as in "Optimal Probabilistic Cache Stampede Prevention" (Vattani, Chierichetti and
//! Lowenstein, 2015): each call draws how much earlier it looks at the clock, and the longer the
//! computation takes, the more.

use crate::clock::Moment;
use std::time::Duration;

/// So many times the time of the computation is the most that is drawn. One draw in 22,000 would be more.
const MOST: u32 = 10;

/// The part of a value's life at whose end it may be computed anew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renewal {
    /// When it begins.
    pub(crate) from: Moment,
    ends: Moment,
    /// How long computing takes, where it is for chance to decide.
    cost: Option<Duration>,
}

impl Default for Renewal {
    fn default() -> Self {
        Self { from: Moment::NEVER, ends: Moment::NEVER, cost: None }
    }
}

impl Renewal {
    /// It begins this long before the end, and no earlier than in the middle.
    pub(crate) fn before_end(born: Moment, ends: Moment, distance: Duration) -> Self {
        if ends == Moment::NEVER {
            return Self::default();
        }
        let distance = distance.min(ends.since(born) / 2);
        Self { from: ends.before(distance), ends, cost: None }
    }

    /// Each call decides by chance, the likelier the nearer the end is.
    pub(crate) fn by_chance(born: Moment, ends: Moment, cost: Duration) -> Self {
        let distance = cost.saturating_mul(MOST);
        Self { cost: Some(cost), ..Self::before_end(born, ends, distance) }
    }

    /// Whether a call is to see to it.
    pub(crate) fn is_due(&self, now: Moment) -> bool {
        let Some(cost) = self.cost else { return now >= self.from };
        // In (0, 1]: the logarithm of nothing is none.
        let drawn = 1.0 - fastrand::f64();
        now >= self.from && now.after(cost.mul_f64(-drawn.ln())) >= self.ends
    }
}

#[cfg(all(test, not(larder_model)))]
mod tests {
    use super::Renewal;
    use crate::clock::Moment;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u32) -> Moment {
        Moment::from_origin(seconds * SECOND)
    }

    #[test]
    fn a_distance_is_counted_from_the_end_and_no_longer_than_half_a_life() {
        assert_eq!(Renewal::before_end(at(0), at(60), 10 * SECOND).from, at(50));
        assert_eq!(Renewal::before_end(at(0), at(60), 50 * SECOND).from, at(30));
        assert_eq!(Renewal::before_end(at(0), Moment::NEVER, SECOND).from, Moment::NEVER);
    }

    #[test]
    fn by_chance_it_is_the_likelier_the_nearer_the_end_is() {
        fastrand::seed(7);
        let renewal = Renewal::by_chance(at(0), at(1_000), SECOND);
        // The draw exceeds t with a probability of e^-t.
        let share = |now| (0..20_000).filter(|_| renewal.is_due(at(now))).count();
        let (early, near, end) = (share(995), share(999), share(1_000));
        assert!((80..200).contains(&early), "{early} of 20,000, where 135 are expected");
        assert!((7_000..7_700).contains(&near), "{near} of 20,000, where 7,358 are expected");
        assert_eq!(end, 20_000);
        assert_eq!(share(980), 0);
    }
}
