//! A computation asks around before it runs: another process may have computed the same, or be about
//! to (F3).

use super::{Claim, Renews, Work};
use crate::clock;
use crate::error::Level;
use crate::key::OwnedKey;
use crate::outcome::Kind;
use crate::stored::{Address, Leased, Loaded, Stored};
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a look at what another process computes is waited with, at first and at last.
const SHORTEST_PAUSE: Duration = Duration::from_micros(500);
const LONGEST_PAUSE: Duration = Duration::from_millis(4);
const _: () = assert!(LONGEST_PAUSE.as_millis() < 5, "who waits for another process loses little");

/// What a look around came to.
pub(crate) enum Consulted<Out> {
    Found(Out),
    /// It is to be computed here.
    Nothing,
    /// Another process computes it.
    Held,
}

impl<K: OwnedKey, Kd: Kind> Work<K, Kd> {
    /// Whether tiers beyond this process have to be asked first.
    pub(crate) fn is_shared(&self) -> bool {
        let is_kept = self.basis.address.is_some()
            && match self.claim {
                Claim::Lead(_) => true,
                Claim::Alone { ref key, .. } => key.is_some() && self.has_fleet(),
                Claim::Extra { .. } | Claim::Landed => false,
            };
        is_kept || self.is_witness()
    }

    /// The same, but says at once if another process computes the same.
    ///
    /// # Cancellation
    ///
    /// As that of `consult`.
    pub(crate) async fn consult_at_once(&mut self) -> Consulted<Kd::Out> {
        self.may_wait = false;
        let found = self.consult().await;
        self.may_wait = true;
        match found {
            Some(out) => Consulted::Found(out),
            None if mem::take(&mut self.is_held) => Consulted::Held,
            None => Consulted::Nothing,
        }
    }

    /// Waits for another process that computes the same, and takes what that finds (F3). Nothing if
    /// this one is to compute.
    ///
    /// # Cancellation
    ///
    /// Safe to drop: another caller takes over.
    pub(crate) async fn consult(&mut self) -> Option<Kd::Out> {
        loop {
            let found = self.look_around().await;
            if found.is_some() || !self.may_wait || !mem::take(&mut self.is_held) {
                return found;
            }
            // There is no time to wait for it, unless there is nothing else.
            self.basis.hurry = None;
            if let Some(former) = self.way_out() {
                return Some(self.give_way(former));
            }
        }
    }

    async fn look_around(&mut self) -> Option<Kd::Out> {
        if self.is_witness() {
            Box::pin(self.witness()).await;
        }
        let function = Arc::clone(&self.function);
        let (stored, address) = (function.stored.as_ref()?, self.basis.address.take()?);
        let found = if self.has_fleet() {
            // Not a part of every call's future, most of which never come here.
            Box::pin(self.consult_fleet(stored, &address)).await
        } else {
            self.consult_machine(stored, &address).await
        };
        let found = found.map(|mut loaded| {
            if function.in_memory {
                loaded.about.marks = function.reorder(&address, &loaded.about.marks);
            }
            loaded
        });
        self.basis.address = Some(address);
        let out = match found {
            Some(loaded) => Some(self.adopt(loaded)),
            None if self.is_held => None,
            None => self.go_without(),
        };
        self.heard = stored.heard();
        self.started = self.time().precise();
        out
    }

    async fn consult_machine(
        &mut self,
        stored: &Stored<Kd::Kept>,
        address: &Address,
    ) -> Option<Loaded<Kd::Kept>> {
        let said = self.basis.options;
        if !said.reaches(Level::L2) || !said.stores() {
            // What is fresh was looked for, if it was to be.
            if said.reaches(Level::L2) {
                self.look_aside(stored, address);
            }
            return None;
        }
        let begun = Instant::now();
        let options = &self.function.site.options;
        let (stale, linger) = (options.stale, options.linger());
        let takes_former = match self.basis.renews {
            Renews::Nothing => !stale.is_zero(),
            Renews::InPlace => true,
            Renews::Behind => false,
        };
        let (mut pause, mut has_looked) = (SHORTEST_PAUSE, false);
        loop {
            let leased = stored.lease(address);
            if takes_former
                && matches!(leased, Leased::Held)
                && let Ok(loaded) = stored.find_latest(address, stale)
                && self.suits(&loaded)
                && self.may_take(&loaded)
            {
                self.count_taken(&loaded);
                return Some(loaded);
            }
            match leased {
                Leased::Taken(lease) => {
                    self.lease = Some(lease);
                    // What its last holder found may be there by now.
                    let stamp = self.function.home.versions.now();
                    let found = stored.find_latest(address, linger).ok();
                    let found = found.filter(|it| self.suits(it));
                    let fresh = found.and_then(|loaded| self.set_aside(loaded, stamp));
                    self.function.counters.joins_l2.add(fresh.is_some().into());
                    return fresh;
                }
                Leased::Unavailable => {
                    self.look_aside(stored, address);
                    return None;
                }
                Leased::Held if !mem::replace(&mut has_looked, true) => {
                    // For those who won't wait as long as it takes.
                    self.look_aside(stored, address);
                    if self.is_put_off(address) {
                        return None;
                    }
                    continue;
                }
                Leased::Held if !self.may_wait || self.is_in_a_hurry() => {
                    self.is_held = true;
                    return None;
                }
                // Inside another computation it might wait for itself (F2).
                Leased::Held
                    if self.frame.caller().is_some()
                        || begun.elapsed() >= self.function.site.options.wait =>
                {
                    self.look_aside(stored, address);
                    return None;
                }
                Leased::Held => {}
            }
            clock::pause(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
            stored.hear();
            if let Ok(loaded) = stored.find_latest(address, Duration::ZERO) {
                if !self.is_news(&loaded) {
                    continue;
                }
                let found = Some(loaded).filter(|it| self.suits(it));
                self.function.counters.joins_l2.add(found.is_some().into());
                return found;
            }
        }
    }

    /// Looks for what may be served if the computation fails.
    fn look_aside(&mut self, stored: &Stored<Kd::Kept>, address: &Address) {
        let linger = self.function.site.options.linger();
        let stamp = self.function.home.versions.now();
        if !linger.is_zero()
            && let Ok(loaded) = stored.find_latest(address, linger)
            && self.suits(&loaded)
        {
            self.set_aside(loaded, stamp);
        }
    }

    fn may_take(&self, loaded: &Loaded<Kd::Kept>) -> bool {
        let is_fresh = loaded.expires > self.time().now();
        let may_linger = || self.function.may_linger(self.kind, &loaded.value);
        is_fresh || (loaded.about.files.is_none() && may_linger())
    }

    /// Counts what was taken while another process computes it: as a stale hit if its time is over.
    pub(super) fn count_taken(&mut self, loaded: &Loaded<Kd::Kept>) {
        let counters = &self.function.counters;
        if loaded.expires <= self.time().now() {
            // Unless it has been counted as a miss.
            counters.hits.add(self.basis.missed.take().is_some().into());
            counters.stale_hits.add(1);
        } else {
            counters.joins_l2.add(1);
        }
    }

    /// Whether what was found may be used where it is asked for.
    fn suits(&self, loaded: &Loaded<Kd::Kept>) -> bool {
        self.function.suits(&loaded.about, self.frame.caller())
    }

    /// Takes what another process computed.
    fn adopt(&mut self, loaded: Loaded<Kd::Kept>) -> Kd::Out {
        let function = Arc::clone(&self.function);
        let Loaded { value, mut about, expires, packed } = loaded;
        about.renewal = function.renewal(&about, expires, None);
        let about = Arc::new(about);
        let said = self.basis.options;
        if let Some(packed) = packed.filter(|_| said.promotes(Level::L2)) {
            self.store(&packed, &about, expires);
        }
        let out = self.kind.serve(&value);
        let in_memory = function.expires_in_memory(expires);
        let is_kept = function.in_memory && said.promotes(Level::L1);
        let arrival = is_kept.then_some((value, in_memory));
        self.land(&about, arrival, expires, |kind| kind.share(&out).map(Arc::new));
        if let Some(caller) = self.frame.caller() {
            caller.inherit(function.home.id, &about, expires, function.site.options.keyed);
        }
        self.told = true;
        out
    }
}
