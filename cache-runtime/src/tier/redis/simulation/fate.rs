//! What is invalidated, by whom, and what befalls processes, lines and the server.

use super::super::server::Key;
use super::host::Cut;
use super::keyspace::Item;
use super::process::{Process, stand_in};
use super::values::{self, Call, Function, SOURCES, Source, tag};
use super::world::World;
use crate::mark::{Mark, beyond};
use crate::pattern::Pattern;
use crate::target::Target;
use std::sync::Arc;
use std::time::Duration;

/// So many things may befall somebody.
pub(super) const FATES: usize = 18;

const EVERY: [Source; SOURCES.len()] = [0, 1, 2, 3];

/// Of one invalidation: what is recorded in its process and beyond, which sources it is about, and
/// which calls.
struct Plan {
    here: Target,
    beyond: Target,
    sources: Vec<Source>,
    calls: Vec<Call>,
}

impl Plan {
    fn of(target: &Target, sources: Vec<Source>, is_meant: impl Fn(Call) -> bool) -> Self {
        let calls = values::calls().filter(|it| is_meant(*it)).collect();
        Self { here: target.clone(), beyond: target.clone(), sources, calls }
    }

    fn of_tag(source: Source) -> Self {
        Self::of(&Target::Any(vec![tag(source)]), vec![source], |it| it.sources().contains(&source))
    }

    fn of_all(sources: [Source; 2]) -> Self {
        let target = Target::All(sources.map(tag).to_vec());
        Self::of(&target, sources.to_vec(), |it| {
            sources.iter().all(|one| it.sources().contains(one))
        })
    }

    fn of_function(function: Function) -> Self {
        let callee = [0, 1].map(|argument| Call { function, argument });
        let sources = callee.into_iter().flat_map(Call::own).collect();
        let target = Target::Any(vec![function.mark()]);
        Self::of(&target, sources, |it| callee.iter().any(|one| it.includes(*one)))
    }

    fn of_pattern(function: Function) -> Self {
        let text = format!("{}:*", function.name());
        let target = Target::Matching(Pattern::parse(&text).expect("a pattern"));
        let Self { sources, calls, .. } = Self::of_function(function);
        Self { here: target.clone(), beyond: target, sources, calls }
    }

    fn of_key(call: Call) -> Self {
        let any = beyond::any_key(call.function.name());
        let here = Target::Any(vec![call.mark(), any]);
        let key: Option<Mark> = stand_in(call).is_none().then(|| call.mark());
        let plan = Self::of(&here, call.own(), |it| it.includes(call));
        Self { beyond: Target::Any(key.into_iter().chain([any]).collect()), ..plan }
    }
}

impl World {
    fn plan(&self, favourite: Call) -> Plan {
        let any = values::FUNCTIONS[self.time.any(0..values::FUNCTIONS.len())];
        let sources = favourite.sources();
        let kind = if self.mood.is_listed { self.time.any(7..12) } else { self.time.any(0..12) };
        match kind {
            0..=5 => Plan::of_tag(sources[self.time.any(0..sources.len())]),
            6 => Plan::of_tag(self.time.any(0..SOURCES.len())),
            7 | 8 => Plan::of_all([2, 3]),
            9 => Plan::of_key(favourite),
            10 if self.mood.is_listed || self.time.chance(50) => Plan::of_pattern(any),
            10 => Plan::of_function(any),
            _ if self.mood.is_listed && self.time.chance(70) => Plan::of_pattern(any),
            _ => Plan::of(&Target::Everything, EVERY.to_vec(), |_| true),
        }
    }

    pub(super) async fn invalidate(&self, process: &Process, favourite: Call) {
        let Plan { here, beyond, sources, calls } = self.plan(favourite);
        let which = self.oracle.begin(Some(process.owner), format!("{beyond:?}"), &sources, calls);
        process.invalidate(which, here, beyond).await;
    }

    /// Somebody removes the versions of a tag.
    fn unlink_by_hand(&self, source: Source) {
        let Plan { sources, calls, .. } = Plan::of_tag(source);
        let calls = calls.into_iter().filter(|it| it.function.is_shared()).collect();
        let which = self.oracle.begin(None, format!("the tag {source} by hand"), &sources, calls);
        let key = self.names.version(tag(source));
        self.host.meddle(|keys, by| {
            keys.remove(&key, by);
        });
        self.oracle.returned(which, true, self.time.now());
    }

    fn flush_by_hand(&self) {
        let calls = values::calls().filter(|it| it.function.is_shared()).collect();
        let which = self.oracle.begin(None, "everything by hand".to_owned(), &EVERY, calls);
        self.host.flush();
        self.oracle.returned(which, true, self.time.now());
    }

    /// Some keys go, by themselves or by somebody's hand.
    fn remove_some(&self, is_meant: impl Fn(&[u8]) -> bool) {
        self.host.meddle(|keys, by| {
            let there: Vec<Key> = keys.keys.keys().filter(|key| is_meant(key)).cloned().collect();
            let some = there.into_iter().filter(|_| self.time.chance(60)).collect::<Vec<_>>();
            for key in some {
                if self.time.chance(20) {
                    let soon = self.time.now() + self.time.micros(0..900_000);
                    let is_value =
                        matches!(&keys.keys[&key].item, Item::Bytes(it) if it.starts_with(b"LRDR"));
                    if is_value && keys.expire(&key, soon, by) {
                        continue;
                    }
                }
                keys.remove(&key, by);
            }
        });
    }

    /// Something happens.
    pub(super) async fn befall(self: Arc<Self>) {
        let slot = if self.time.chance(50) { 0 } else { self.any_slot() };
        if self.time.chance(60) {
            self.provoke(slot, 900_000);
        }
        let owner = self.process(slot).owner;
        let while_ = self.time.micros(50_000..2_500_000);
        match self.time.any(self.mood.fates.clone()) {
            0 | 1 => self.host.cut(owner, Cut::Both, true),
            2 => self.host.cut(owner, Cut::ToServer, false),
            3 => self.host.cut(owner, Cut::FromServer, false),
            4 => self.host.cut(owner, Cut::AfterNext, false),
            5 if self.time.chance(50) => {
                // What vouches for the past arrives late, and what came after it does not.
                self.oracle.disturb(Some(owner));
                self.host.hold_up(owner, Duration::from_millis(900));
                self.time.sleep(self.time.micros(100_000..400_000)).await;
                self.host.cut(owner, Cut::FromServer, false);
                self.provoke(slot, 100_000);
            }
            5 => {
                self.oracle.disturb(Some(owner));
                self.host.slow(owner, while_);
                if self.time.chance(60) {
                    self.time.sleep(self.time.micros(0..900_000)).await;
                    self.host.cut(owner, Cut::FromServer, false);
                }
            }
            6 | 7 => {
                self.oracle.disturb(Some(owner));
                self.time.suspend(owner, while_);
            }
            8 => self.kill(slot).await,
            9 => {
                self.oracle.disturb(None);
                self.remove_some(|_| true);
            }
            10 => self.unlink_by_hand(self.time.any(0..SOURCES.len())),
            11 => {
                self.oracle.disturb(None);
                self.flush_by_hand();
            }
            12 => {
                self.oracle.disturb(None);
                self.host.meddle(|keys, _| keys.is_full = true);
            }
            13 => {
                self.oracle.disturb(None);
                self.host.pause(while_);
            }
            14 => self.remove_some(|key| key.windows(3).any(|it| it == b":v:")),
            _ => self.fail_over().await,
        }
    }

    /// The server dies, and comes back as it was at some time.
    async fn fail_over(&self) {
        self.host.save();
        self.time.sleep(self.time.micros(0..1_200_000)).await;
        if !self.host.is_running() {
            return;
        }
        self.oracle.disturb(None);
        self.host.crash();
        let down = if self.time.chance(50) { 20_000 } else { 1_500_000 };
        self.time.sleep(self.time.micros(1_000..down)).await;
        if !self.host.is_running() {
            self.host.start();
            self.oracle.disturb(None);
        }
    }
}
