//! The leases that this process holds: renewed while it computes, and given up.
//!
//! 1. A lease is renewed for as long as its guard is there, whatever the computation's thread does.
//! 2. Who has been overtaken by an invalidation gives the lease up: what it computes is of no use.

use super::names::Place;
use super::server::{Command, Patience, Refusal, Reply, Token};
use super::{LEASE, Shared};
use crate::entry::{Marks, Stamp};
use crate::mark::Mark;
use crate::sync::Mutex;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time;

/// How often what is held is looked at.
pub(super) const ROUND: Duration = Duration::from_millis(250);

#[derive(Default)]
pub(super) struct Holdings {
    held: Mutex<BTreeMap<Token, Holding>>,
}

struct Holding {
    place: Place,
    marks: Marks,
    since: Stamp,
}

/// The right to be the one process that computes a key. Given up when dropped.
pub(crate) struct Lease {
    shared: Arc<Shared>,
    place: Place,
    token: Token,
    is_spent: bool,
}

/// A lease that has been asked for, and may have been granted.
pub(super) struct Asked<'a> {
    shared: &'a Arc<Shared>,
    place: &'a Place,
    token: Token,
    is_spared: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn new(shared: &'a Arc<Shared>, place: &'a Place, token: Token) -> Self {
        Self { shared, place, token, is_spared: false }
    }

    /// It was not granted.
    pub(super) fn spare(&mut self) {
        self.is_spared = true;
    }

    /// It was.
    pub(super) fn hold(mut self, marks: &[Mark], since: Stamp) -> Lease {
        self.is_spared = true;
        let holding = Holding { place: *self.place, marks: Marks::from_slice(marks), since };
        self.shared.holdings.held.lock().insert(self.token, holding);
        Lease {
            shared: Arc::clone(self.shared),
            place: *self.place,
            token: self.token,
            is_spent: false,
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.is_spared {
            release(self.shared, self.place, self.token);
        }
    }
}

impl Lease {
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn token(&self) -> Token {
        self.token
    }

    /// It is gone.
    pub(super) fn spend(&mut self) {
        self.is_spent = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shared.holdings.held.lock().remove(&self.token);
        if !self.is_spent {
            release(&self.shared, &self.place, self.token);
        }
    }
}

fn release(shared: &Arc<Shared>, place: &Place, token: Token) {
    let key = shared.names.lease(place);
    let release = Command::Release { key: key.clone(), token };
    let sent = shared.link.send(vec![release], shared.settings.deadline);
    let (shared, place) = (Arc::clone(shared), *place);
    let released = Arc::clone(&shared);
    released.link.spawn(Box::pin(async move {
        if let Ok([Reply::Refused(Refusal::Forbidden)]) = sent.await.as_deref() {
            // Whoever may run no script renews nothing and stores nothing, but keeps others waiting.
            // Should the lease be another's by now, the same is computed twice.
            let unlink = vec![Command::Unlink(vec![key])];
            let _ = shared.link.send(unlink, shared.settings.deadline).await;
            // The server does not tell of it here.
            shared.waiters.wake(place.mark, place.id);
        }
    }));
}

/// Renews what is held, for as long as there is a tier.
pub(super) async fn tend(shared: Weak<Shared>) {
    loop {
        time::sleep(ROUND).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.renew().await;
    }
}

impl Shared {
    pub(super) async fn renew(&self) {
        if !self.link.is_up() {
            return;
        }
        let mut commands = Vec::new();
        for (token, holding) in &*self.holdings.held.lock() {
            let (key, token) = (self.names.lease(&holding.place), *token);
            commands.push(if self.listener.is_overtaken(&holding.marks, holding.since) {
                Command::Release { key, token }
            } else {
                Command::Renew { key, token, ttl: LEASE }
            });
        }
        if !commands.is_empty() {
            let _ = Patience::new(self.settings.deadline).ask(&*self.link, commands).await;
        }
    }
}
