//! How long calls took, by where their decision came from.

use crate::GOAL;
use std::fmt;
use std::time::Duration;

/// Where a decision came from.
pub(crate) enum Source {
    Hit,
    /// From a computation that was under way.
    Joined,
    Computed {
        /// How much of the time was the engine's own.
        core: Duration,
    },
}

#[derive(Default)]
pub(crate) struct Latencies {
    hits: Vec<Duration>,
    joined: Vec<Duration>,
    computed: Vec<Duration>,
    /// The same calls without the engine's own time.
    overhead: Vec<Duration>,
}

impl Latencies {
    pub(crate) fn record(&mut self, source: &Source, time: Duration) {
        match source {
            Source::Hit => self.hits.push(time),
            Source::Joined => self.joined.push(time),
            Source::Computed { core } => {
                self.computed.push(time);
                self.overhead.push(time.saturating_sub(*core));
            }
        }
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.hits.append(&mut other.hits);
        self.joined.append(&mut other.joined);
        self.computed.append(&mut other.computed);
        self.overhead.append(&mut other.overhead);
    }

    /// The share of calls that neither computed nor waited for a computation.
    pub(crate) fn hit_rate(&self) -> f64 {
        let all = self.hits.len() + self.joined.len() + self.computed.len();
        #[expect(clippy::cast_precision_loss, reason = "a ratio is rounded anyway")]
        if all == 0 { 0.0 } else { self.hits.len() as f64 / all as f64 }
    }
}

/// The smallest span that so many per cent of `spans`, sorted, do not exceed.
fn percentile(spans: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (spans.len() * percent).div_ceil(100);
    spans.get(rank.saturating_sub(1)).copied()
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rate, goal) = (self.hit_rate() * 100.0, GOAL * 100.0);
        writeln!(f, "hit rate {rate:.2} % (goal: over {goal:.0} %)\n")?;
        write!(f, "{:<22} {:>8} {:>10} {:>10}  goal", "", "calls", "p50", "p99")?;
        for (name, spans, goal) in [
            ("hits", &self.hits, "p99 < 1ms"),
            ("waited for another", &self.joined, ""),
            ("misses", &self.computed, ""),
            ("misses without core", &self.overhead, "p99 < 5ms"),
        ] {
            let mut spans = spans.clone();
            spans.sort_unstable();
            let show = |percent| {
                percentile(&spans, percent).map_or("-".to_owned(), |it| format!("{it:.1?}"))
            };
            let (median, high) = (show(50), show(99));
            write!(f, "\n{name:<22} {:>8} {median:>10} {high:>10}  {goal}", spans.len())?;
        }
        Ok(())
    }
}
