//! Applies events as they arrive, and checks each for what it was to change.

use crate::bulletin::Bulletin;
use crate::engine::{DelegationEngine, Told, apply, delegate};
use crate::policy::PolicyEvent;
use crate::request::{Decision, Permissions, Request, TypeFingerprint};
use crate::workload::WITNESS;
use std::fmt;
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

pub(crate) struct Listener {
    pub(crate) engine: Arc<dyn DelegationEngine>,
    pub(crate) bulletin: Arc<Bulletin>,
}

/// How many events of which kind were applied.
#[derive(Default)]
pub(crate) struct Applied {
    policies: usize,
    capabilities: usize,
    /// Those of them that other processes have yet to be told of.
    untold: usize,
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policies, capabilities, untold } = self;
        write!(f, "events: {capabilities} capabilities added, {policies} policies updated")?;
        if *untold > 0 {
            write!(f, ", {untold} yet to be told to others")?;
        }
        Ok(())
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
            let told = apply(&*self.engine, &event).await.expect("memory takes every event");
            applied.untold += usize::from(matches!(told, Told::Oneself(_)));
            self.bulletin.publish(&event);
            let after = self.ask(named, permissions).await;
            assert_ne!(before.target, after.target, "{event:?} changed nothing");
            let basis = self.engine.deliberation().basis(named).expect("memory can be read");
            assert_eq!(after.basis, basis, "{event:?} was not taken into account");
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
