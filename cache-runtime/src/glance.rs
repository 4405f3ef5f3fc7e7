//! A look at the tier that machines share, before anything is begun: for values that are kept nowhere
//! nearer.
//!
//! 1. Nothing that stays is made of what is found: nobody may tell this process of its end.
//! 2. Each caller looks for itself: what it finds was asked for after it called. Those who look at the
//!    same time share the trip.

use crate::context;
use crate::error::Level;
use crate::function::TierHits;
use crate::key::OwnedKey;
use crate::lookup::Miss;
use crate::outcome::Kind;
use crate::quest::Quest;
use crate::work::Glanced;

impl<K: OwnedKey, Kd: Kind> Quest<K, Kd> {
    /// Whether a look is due.
    pub(crate) fn may_glance(&self) -> bool {
        let stored = self.function.stored.as_ref();
        stored.is_some_and(|stored| stored.is_on_fleet() && !self.function.is_kept_near(stored))
            && matches!(self.basis.glanced, Glanced::NotTried)
            && self.is_open()
            && self.basis.options.reaches(Level::L3)
            && context::frame().is_none()
    }

    /// Looks, and says what is there.
    ///
    /// # Cancellation
    ///
    /// Safe to drop: nothing was begun.
    pub(crate) async fn glance(&mut self) -> Option<Kd::Out> {
        let stored = self.function.stored.as_ref()?;
        let fleet = stored.fleet().filter(|fleet| fleet.is_up())?;
        let address = self.basis.address.as_ref()?;
        let asking = stored.asking(address, &self.basis.marks);
        if !asking.is_up(fleet) {
            return None;
        }
        let mut patience = fleet.patience();
        let found = stored.glance_at_fleet(fleet, &asking, &mut patience).await;
        drop(asking);
        match found {
            Ok(Ok(glanced)) => {
                let tier: TierHits = |counters| &counters.hits_l3;
                return Some(self.function.pass_on(self.kind, (tier, glanced)));
            }
            Ok(Err(why)) => {
                self.basis.blame(why);
                self.basis.glanced = Glanced::Nothing(patience);
            }
            Err(_) => {
                self.function.counters.degraded.add(1);
                self.basis.blame(Miss::Unavailable);
                self.basis.glanced = Glanced::InVain;
            }
        }
        None
    }
}
