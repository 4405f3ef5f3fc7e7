//! Invalidations that wait to be delivered (C5).
//!
//! A set: they commute, and repeating one does no harm. Full, it becomes one of everything.
//!
//! What is done with a disk is done aside: who renews leases and hears of changes does not wait for it.

use super::held::ROUND;
use super::planted::{self, Bug};
use super::{Listener, Shared};
use crate::error::{Error, ErrorKind, Level};
use crate::sync::Mutex;
use crate::target::Target;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::oneshot;
use tokio::time;

/// More than these become one of everything.
const MOST: usize = 4_096;
/// So many that can't be delivered are tried in a round.
const MOST_FAILURES: usize = 64;
/// So many that have been delivered are forgotten at once.
const SHARE: usize = 256;

#[derive(Default)]
pub(super) struct Pending {
    waiting: Mutex<Waiting>,
    count: AtomicUsize,
}

/// In the order of their numbers.
#[derive(Default)]
struct Waiting {
    next: u64,
    targets: Vec<(u64, Target)>,
}

impl Pending {
    pub(super) fn add(&self, target: Target) {
        let mut waiting = self.waiting.lock();
        let number = waiting.next;
        waiting.next += 1;
        if waiting.targets.len() < MOST {
            waiting.targets.push((number, target));
        } else {
            waiting.targets = vec![(number, Target::Everything)];
        }
        // Release: meets the Acquire in `is_empty`; who is told that it waits sees it wait.
        self.count.store(waiting.targets.len(), Ordering::Release);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// All that waits, and the numbers.
    fn numbered(&self) -> Vec<(u64, Target)> {
        if self.is_empty() { Vec::new() } else { self.waiting.lock().targets.clone() }
    }

    /// Forgets one, which has been delivered.
    pub(super) fn delivered(&self, number: u64) {
        let mut waiting = self.waiting.lock();
        waiting.targets.retain(|(it, _)| *it != number);
        self.count.store(waiting.targets.len(), Ordering::Release);
    }
}

pub(super) fn error(why: &str) -> Error {
    let message = format!("applied on this machine; it waits to be delivered, as {why}");
    Error::at(Level::L3, ErrorKind::Pending, message)
}

/// Delivers what waits, for as long as there is a tier.
pub(super) async fn tend(shared: Weak<Shared>) {
    loop {
        time::sleep(ROUND).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.deliver().await;
        shared.aside(|listener| listener.settle()).await;
    }
}

impl Shared {
    /// All that waits to be delivered, here and in this machine's other processes.
    pub(super) fn waiting(&self) -> Vec<Target> {
        let elsewhere = self.listener.postponed().into_iter().map(|(_, target)| target);
        let elsewhere = elsewhere.filter(|_| !planted::is(Bug::JournalUnread));
        let here = self.pending.numbered().into_iter().map(|(_, target)| target);
        here.chain(elsewhere).collect()
    }

    /// Has an invalidation wait to be delivered.
    pub(super) async fn postpone(&self, target: Target) {
        let kept = target.clone();
        if self.aside(move |listener| listener.postpone(&kept)).await != Some(true) {
            self.pending.add(target);
        }
    }

    /// Delivers what can be. What is meant for a server that is away does not keep what is meant for
    /// others.
    pub(super) async fn deliver(&self) {
        let mut failures = 0;
        for (number, target) in self.pending.numbered() {
            if self.tell(&target, &mut failures).await {
                // Once more: what was read elsewhere in between may be of before.
                self.aside(move |listener| listener.deliver(&target)).await;
                self.pending.delivered(number);
            }
        }
        // Those of all of this machine's processes.
        let postponed = self.aside(|listener| listener.postponed()).await.unwrap_or_default();
        for share in postponed.chunks(SHARE) {
            let mut delivered = Vec::new();
            for one in share {
                let is_forgotten = planted::is(Bug::JournalForgotten);
                if is_forgotten || self.tell(&one.1, &mut failures).await {
                    delivered.push(one.clone());
                }
            }
            self.aside(move |listener| forget(listener, &delivered)).await;
        }
    }

    /// Whether the servers have been told. They are not asked once there is no use in it.
    async fn tell(&self, target: &Target, failures: &mut usize) -> bool {
        if *failures >= MOST_FAILURES || !self.link.is_up() {
            return false;
        }
        let is_told = self.invalidate(target).await.is_ok();
        *failures += usize::from(!is_told);
        is_told
    }

    /// Has the listener do what may take long, and ends with it. Nothing if that failed.
    pub(super) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Listener) -> T + Send + 'static,
    ) -> Option<T> {
        let (told, heard) = oneshot::channel();
        let listener = Arc::clone(&self.listener);
        self.link.aside(Box::new(move || {
            // Who was told to wait for it may have ended.
            let _ = told.send(work(&*listener));
        }));
        heard.await.ok()
    }
}

/// Takes note that some have been delivered.
fn forget(listener: &dyn Listener, delivered: &[(u64, Target)]) {
    if !delivered.is_empty() {
        for (_, target) in delivered {
            listener.deliver(target);
        }
        let numbers: Vec<_> = delivered.iter().map(|(number, _)| *number).collect();
        listener.forget(&numbers);
    }
}
