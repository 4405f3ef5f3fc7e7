//! Applies events as they arrive, and checks each for what it was to change.

use crate::bulletin::Bulletin;
use crate::engine::{PolicyEngine, delegate};
use crate::policy::PolicyEvent;
use crate::request::{Decision, Permissions, Request, TypeFingerprint};
use crate::workload::WITNESS;
use std::fmt;
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

pub(crate) struct Listener {
    pub(crate) engine: Arc<PolicyEngine>,
    pub(crate) bulletin: Arc<Bulletin>,
}

/// How many events of which kind were applied.
#[derive(Default)]
pub(crate) struct Applied {
    policies: usize,
    capabilities: usize,
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policies, capabilities } = self;
        write!(f, "events: {capabilities} capabilities added, {policies} policies updated")
    }
}

impl Listener {
    /// Applies events until nobody is left to send any.
    ///
    /// # Panics
    ///
    /// If a decision that an event names stays as it was, or one that it does not name changes.
    pub(crate) async fn run(self, mut inbox: Receiver<PolicyEvent>) -> Applied {
        let mut applied = Applied::default();
        while let Some(event) = inbox.recv().await {
            let (named, permissions) = match &event {
                PolicyEvent::PolicyUpdated => (WITNESS, Permissions::ALL),
                PolicyEvent::CapabilityAdded { symbol } => (&symbol[..], Permissions::LOCAL),
            };
            let before = self.ask(named, permissions).await;
            let witness = self.ask(WITNESS, Permissions::LOCAL).await;
            self.engine.apply(&event).await.expect("memory takes every invalidation");
            self.bulletin.publish(&event);
            let after = self.ask(named, permissions).await;
            assert_ne!(before.target, after.target, "{event:?} changed nothing");
            assert_eq!(
                after.basis,
                self.engine.basis(named),
                "{event:?} was not taken into account"
            );
            match event {
                PolicyEvent::PolicyUpdated => applied.policies += 1,
                PolicyEvent::CapabilityAdded { .. } => {
                    applied.capabilities += 1;
                    let serial = self.ask(WITNESS, Permissions::LOCAL).await.serial;
                    assert_eq!(serial, witness.serial, "{event:?} changed more than it names");
                }
            }
        }
        applied
    }

    async fn ask(&self, symbol: &str, permissions: Permissions) -> Decision {
        let symbol = symbol.to_owned();
        let request = Request { symbol, argument_types: TypeFingerprint(0), permissions };
        delegate(&*self.engine, &request).await.expect("events name known symbols")
    }
}
