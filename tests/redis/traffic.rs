//! What passes between the two sides of a proxy, and by what rules.
//!
//! 1. A connection is known from when it is made until both its ways have ended, or it was closed;
//!    who carries its bytes asks before passing any, and ends when it isn't known any more.
//! 2. Nobody waits for a socket while holding the rules, so they can be changed at any time.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How much may be on its way, in pieces of 64 KiB at the most. Whoever sends more has to wait.
const UNDER_WAY: usize = 16;

#[derive(Clone, Copy)]
pub(crate) enum Way {
    ToServer,
    ToClient,
}

/// What holds for one way of all connections.
#[derive(Default)]
pub(crate) struct Lane {
    pub(crate) delay: Duration,
    pub(crate) stalled: bool,
    pub(crate) swallowing: bool,
    /// How much a connection to come lets through before it is closed.
    left: Option<usize>,
}

#[derive(Default)]
pub(crate) struct Rules {
    pub(crate) to_server: Lane,
    pub(crate) to_client: Lane,
    pub(crate) refusing: bool,
    pub(crate) accepted: usize,
    connections: HashMap<usize, Connection>,
}

struct Connection {
    ends: Arc<Ends>,
    open_ways: usize,
    left_to_client: Option<usize>,
}

struct Ends {
    client: TcpStream,
    server: TcpStream,
}

#[derive(Default)]
pub(crate) struct Traffic {
    rules: Mutex<Rules>,
    changed: Condvar,
}

impl Rules {
    pub(crate) fn close_all(&mut self) {
        self.connections.drain().for_each(|(_, connection)| connection.ends.close());
    }

    /// Lets each connection pass so much more to the client, if it is limited at all.
    pub(crate) fn limit_to_client(&mut self, left: Option<usize>) {
        self.to_client.left = left;
        self.connections.values_mut().for_each(|it| it.left_to_client = left);
    }
}

impl Traffic {
    /// Has other rules from now on.
    pub(crate) fn rule(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.rules.lock().unwrap());
        self.changed.notify_all();
    }

    pub(crate) fn accepted(&self) -> usize {
        self.rules.lock().unwrap().accepted
    }

    /// Counts who wants to come in, unless nobody may.
    pub(crate) fn may_enter(&self) -> bool {
        let mut rules = self.rules.lock().unwrap();
        rules.accepted += usize::from(!rules.refusing);
        !rules.refusing
    }

    /// Carries what either side sends to the other, on threads of its own. Who enters is joined
    /// before the next one enters, and known by the count of those so far.
    pub(crate) fn join(self: &Arc<Self>, client: TcpStream, server: TcpStream) {
        let ends = Arc::new(Ends { client, server });
        let mut rules = self.rules.lock().unwrap();
        if rules.refusing {
            return;
        }
        let (id, left_to_client) = (rules.accepted, rules.to_client.left);
        let connection = Connection { ends: Arc::clone(&ends), open_ways: 2, left_to_client };
        rules.connections.insert(id, connection);
        for way in [Way::ToServer, Way::ToClient] {
            let (traffic, ends) = (Arc::clone(self), Arc::clone(&ends));
            thread::spawn(move || {
                if traffic.carry(id, way, &ends).is_none() {
                    traffic.rule(|rules| drop(rules.connections.remove(&id)));
                    ends.close();
                }
            });
        }
    }

    /// Carries the bytes of one way until who sends them says that these were all. Nothing is
    /// returned if the whole connection has to end.
    fn carry(&self, id: usize, way: Way, ends: &Arc<Ends>) -> Option<()> {
        let arrivals = ends.arrivals(way);
        let mut to = match way {
            Way::ToServer => &ends.server,
            Way::ToClient => &ends.client,
        };
        loop {
            let (arrived, bytes) = arrivals.recv().ok()?;
            let (passing, is_last) = self.pass(id, way, arrived, bytes.len())?;
            if bytes.is_empty() {
                break;
            }
            to.write_all(&bytes[..passing]).ok()?;
            if is_last {
                return None;
            }
        }
        to.shutdown(Shutdown::Write).ok()?;
        let mut rules = self.rules.lock().unwrap();
        let connection = rules.connections.get_mut(&id)?;
        connection.open_ways -= 1;
        (connection.open_ways > 0).then_some(())
    }

    /// Waits until bytes may pass; how many do, and whether the connection is to be closed then.
    fn pass(&self, id: usize, way: Way, arrived: Instant, length: usize) -> Option<(usize, bool)> {
        let mut rules = self.rules.lock().unwrap();
        loop {
            let rules_now = &mut *rules;
            let connection = rules_now.connections.get_mut(&id)?;
            let lane = match way {
                Way::ToServer => &rules_now.to_server,
                Way::ToClient => &rules_now.to_client,
            };
            let wait = lane.delay.saturating_sub(arrived.elapsed());
            if lane.stalled {
                rules = self.changed.wait(rules).unwrap();
            } else if !wait.is_zero() {
                rules = self.changed.wait_timeout(rules, wait).unwrap().0;
            } else if lane.swallowing {
                return Some((0, false));
            } else if let (Way::ToClient, Some(left)) = (way, &mut connection.left_to_client) {
                let passing = length.min(*left);
                *left -= passing;
                return Some((passing, *left == 0));
            } else {
                return Some((length, false));
            }
        }
    }
}

impl Ends {
    /// What is sent on one way, and when: nothing at last, unless it breaks off. What comes while other
    /// bytes are late is as late as they are, and no later.
    fn arrivals(self: &Arc<Self>, way: Way) -> Receiver<(Instant, Vec<u8>)> {
        let (arrive, arrivals) = mpsc::sync_channel(UNDER_WAY);
        let ends = Arc::clone(self);
        thread::spawn(move || {
            let mut from = match way {
                Way::ToServer => &ends.client,
                Way::ToClient => &ends.server,
            };
            let mut buffer = vec![0; 1 << 16];
            while let Ok(length) = from.read(&mut buffer)
                && arrive.send((Instant::now(), buffer[..length].to_vec())).is_ok()
                && length > 0
            {}
        });
        arrivals
    }

    /// Also wakes who reads from them, or writes to them.
    fn close(&self) {
        // They may be closed already.
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}
