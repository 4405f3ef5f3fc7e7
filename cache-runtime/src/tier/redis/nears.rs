//! Which executors of the program were given a connection of their own.

use super::link::Stands;
use super::names::Names;
use super::near::Near;
use crate::sync::{self, RwLock};
use std::net::Ipv4Addr;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::runtime::{Handle, Id};
use tokio::time;

/// The connections of all executors that were given one.
pub(super) struct Nears {
    stands: Stands,
    names: Arc<Names>,
    all: RwLock<Vec<(Id, Arc<Near>)>>,
}

impl Nears {
    pub(super) fn new(stands: Stands, names: Names) -> Arc<Self> {
        Arc::new(Self { stands, names: Arc::new(names), all: RwLock::default() })
    }

    /// Gives the executor of the calling code a connection, for as long as both are there.
    pub(super) fn attach(self: &Arc<Self>) {
        let executor = Handle::current();
        probe();
        let mut all = self.all.write();
        if all.iter().any(|(id, _)| *id == executor.id()) {
            return;
        }
        let near = Arc::new(Near::new(executor.clone(), &self.stands, Arc::clone(&self.names)));
        all.push((executor.id(), Arc::clone(&near)));
        drop(all);
        near.watch_time();
        let listed = Listed { nears: Arc::downgrade(self), id: executor.id(), near };
        let changes = self.stands.changes.clone();
        drop(executor.spawn(async move { listed.near.keep(changes).await }));
    }

    /// The connection of the executor that the calling code runs in.
    pub(super) fn here(&self) -> Option<Arc<Near>> {
        let all = self.all.read();
        // A thread that is parked does not run the executor it belongs to.
        if all.is_empty() || sync::is_parked() {
            return None;
        }
        let id = Handle::try_current().ok()?.id();
        all.iter().find(|(it, _)| *it == id).map(|(_, near)| Arc::clone(near))
    }
}

/// Takes an executor off the list when it ends, and sends away who waits there.
struct Listed {
    nears: Weak<Nears>,
    id: Id,
    near: Arc<Near>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        if let Some(nears) = self.nears.upgrade() {
            nears.all.write().retain(|(id, _)| *id != self.id);
        }
        self.near.close();
    }
}

/// Says to who calls, and not later and elsewhere, what the executor has not got.
fn probe() {
    drop(time::sleep(Duration::ZERO));
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    let socket = socket.and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
    drop(socket.map(UdpSocket::from_std));
}
