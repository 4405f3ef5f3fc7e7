//! Elements whose computation is handed over, all of them to one call with arguments of its own: to compute
//! anew what is served, or because their caller may not wait as long as it takes.

use super::rounds::Stepped;
use super::sorted::{Due, Open};
use super::{Batch, Ids};
use crate::call::Found;
use crate::key::OwnedKey;
use crate::miss::Miss;
use crate::outcome::Kind;
use crate::quest::{self, Quest};
use crate::tier::memory::Lead;
use crate::work::Renews;

/// An element, and the claim to compute it.
type Claimed<K, Kd> = (usize, Quest<K, Kd>, Lead<<Kd as Kind>::Shared>);

impl<C, Id, K, Kd, L> Batch<'_, C, Id, K, Kd, L>
where
    C: Ids + ?Sized,
    Id: ?Sized,
    K: OwnedKey,
    Kd: Kind,
    L: Fn(&Id) -> Found<Kd::Out, Miss<K, Kd>>,
{
    /// Sees to it that what is served is computed anew, unless other calls do. What is given back is to be
    /// computed in place.
    pub(super) fn renew(
        &mut self,
        due: Vec<Due<K, Kd>>,
        given: &impl Fn(usize) -> C::Id,
    ) -> Vec<Open<K, Kd>> {
        let mut claimed = Vec::new();
        for (at, mut quest, out) in due {
            match quest.claim_renewal() {
                Some(lead) => claimed.push((at, quest, lead, out)),
                None => self.values[at] = Some(out),
            }
        }
        let Some((_, first, ..)) = claimed.first() else { return Vec::new() };
        let again = self.renewal.take().or_else(|| self.again.take());
        let errand = again.map(|it| it.of(claimed.iter().map(|(at, ..)| given(*at)).collect()));
        let Some(errand) = errand.filter(|errand| first.is_possible(errand)) else {
            let in_place = claimed.into_iter().map(|(at, mut quest, lead, _)| {
                quest.renew_in_place(lead);
                (at, quest)
            });
            return in_place.collect();
        };
        let mut handed_over = Vec::new();
        for (at, quest, lead, out) in claimed {
            self.values[at] = Some(out);
            handed_over.push((quest, lead));
        }
        quest::hand_over(handed_over, errand, Renews::Behind);
        Vec::new()
    }

    /// Hands computations over where that is possible, and waits for them; the others are this call's.
    pub(super) fn hand_over(
        &mut self,
        gathered: Vec<Claimed<K, Kd>>,
        given: &impl Fn(usize) -> C::Id,
    ) -> Stepped<K, Kd> {
        let Some((_, first, _)) = gathered.first() else { return (Vec::new(), Vec::new()) };
        let ids = || gathered.iter().map(|(at, ..)| given(*at)).collect();
        let errand = self.again.take().map(|again| again.of(ids()));
        let errand = errand.filter(|errand| first.is_possible(errand));
        let (mut kept, mut waiting, mut handed_over) = (Vec::new(), Vec::new(), Vec::new());
        for (at, mut quest, lead) in gathered {
            let waiter = errand.as_ref().and_then(|_| quest.wait_for(&lead));
            match waiter {
                Some(waiter) => {
                    waiting.push((at, quest, Some(waiter)));
                    handed_over.push(lead);
                }
                None => kept.push((at, Box::new(quest.keep(lead)))),
            }
        }
        if let Some(errand) = errand {
            let quests = waiting.iter_mut().map(|(_, quest, _)| quest);
            quest::hand_over(quests.zip(handed_over).collect(), errand, Renews::Nothing);
        }
        (kept, waiting)
    }
}
