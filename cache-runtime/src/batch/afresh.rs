//! Elements whose computation is handed over, all of them to one call with arguments of its own: to compute
//! anew what is served, or because their caller may not wait as long as it takes.

use super::rounds::Waiting;
use super::sorted::{Due, Open};
use super::{Batch, Ids};
use crate::call::Found;
use crate::desk::Sitting;
use crate::errand::Again;
use crate::key::OwnedKey;
use crate::miss::Miss;
use crate::outcome::Kind;
use crate::quest;
use crate::work::Renews;

/// What was not handed over, and what is waited for.
type HandedOver<K, Kd> = (Vec<Open<K, Kd>>, Vec<Waiting<K, Kd>>);

impl<C, Id, K, Kd, L, G> Batch<'_, C, Id, K, Kd, L, G>
where
    C: Ids + ?Sized,
    Id: ?Sized,
    K: OwnedKey,
    Kd: Kind,
    L: Fn(&Id, &mut Sitting<'_>) -> Found<Kd::Out, Miss<K, Kd>>,
    G: Fn() -> Again<C::Id>,
{
    /// Makes the call once more for whatever may be handed over next.
    pub(super) fn make_spare(&mut self, open: &[Open<K, Kd>]) {
        if self.spare.is_none() && open.iter().any(|(_, quest)| quest.gathers()) {
            self.spare = self.again.as_ref().map(|again| again());
        }
    }

    /// Sees to it that what is served is computed anew, unless other calls do. What is given back is to be
    /// computed in place.
    pub(super) fn renew(
        &mut self,
        due: Vec<Due<K, Kd>>,
        given: &impl Fn(usize) -> C::Id,
    ) -> Vec<Open<K, Kd>> {
        let mut claimed = Vec::new();
        for (at, mut quest, out) in due {
            if quest.claim_renewal() {
                claimed.push((at, quest, out));
            } else {
                self.values[at] = Some(out);
            }
        }
        let Some((_, first, ..)) = claimed.first() else { return Vec::new() };
        let may_renew_in_place = first.may_renew_in_place();
        let again = self.renewal.take().or_else(|| self.spare.take());
        let errand = again.map(|it| it.of(claimed.iter().map(|(at, ..)| given(*at)).collect()));
        let errand = errand.filter(|errand| first.is_possible(errand));
        if errand.is_none() && !may_renew_in_place {
            for (at, _, out) in claimed {
                self.values[at] = Some(out);
            }
            return Vec::new();
        }
        let Some(errand) = errand else {
            let in_place = claimed.into_iter().map(|(at, mut quest, _)| {
                quest.renew_in_place();
                (at, quest)
            });
            return in_place.collect();
        };
        let mut handed_over = Vec::new();
        for (at, quest, out) in claimed {
            self.values[at] = Some(out);
            quest.count_renewal();
            handed_over.push(quest);
        }
        quest::hand_over(handed_over, errand, Renews::Behind);
        Vec::new()
    }

    /// Hands over what they have claimed, and waits for it. Those that are left are to take their next step.
    pub(super) fn hand_over(
        &mut self,
        gathered: Vec<Open<K, Kd>>,
        given: &impl Fn(usize) -> C::Id,
    ) -> HandedOver<K, Kd> {
        let Some((_, first)) = gathered.first() else { return (Vec::new(), Vec::new()) };
        let ids = || gathered.iter().map(|(at, _)| given(*at)).collect();
        let errand = self.spare.take().map(|again| again.of(ids()));
        let Some(errand) = errand.filter(|errand| first.is_possible(errand)) else {
            return (gathered, Vec::new());
        };
        let (mut left, mut waiting) = (Vec::new(), Vec::new());
        for (at, mut quest) in gathered {
            match quest.wait_for_claim() {
                Some(waiter) => {
                    let place = quest.place(waiter);
                    waiting.push((at, quest, place));
                }
                None => left.push((at, quest)),
            }
        }
        let quests = waiting.iter_mut().map(|(_, quest, _)| &mut **quest);
        quest::hand_over(quests.collect(), errand, Renews::Nothing);
        (left, waiting)
    }
}
