//! What is done to one server, and to the ways to it.

use crate::client::Reply;
use crate::party::{PLACES, Party};
use crate::proxy::Proxy;
use crate::server::Server;
use crate::verdict::Trial;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// Killed, and started with nothing.
    Emptied,
    /// Killed, and started with what it had a while before.
    SetBack,
    Paused,
    Flushed,
    /// With no room for all that is written.
    Crowded,
    /// One process is not heard by the server any more.
    Muted,
    /// One process does not hear the server any more, until its connection breaks or goes on.
    Deafened,
    /// One process is killed.
    Killed,
}

const FAULTS: [Fault; 8] = [
    Fault::Emptied,
    Fault::SetBack,
    Fault::Paused,
    Fault::Flushed,
    Fault::Crowded,
    Fault::Muted,
    Fault::Deafened,
    Fault::Killed,
];

/// The way of a place that is cut until it is healed.
struct Cut {
    since: u64,
    until: Instant,
    place: usize,
    /// Whether something was lost on it, so that it has to end.
    breaks: bool,
}

/// A server, and a way to it for each place.
pub(crate) struct Trouble {
    server: Server,
    proxies: [Proxy; PLACES],
    cut: Vec<Cut>,
    /// Those that every round has.
    round: Vec<Fault>,
    pub(crate) done: BTreeMap<Fault, usize>,
    pub(crate) trial: Trial,
    /// How many keys the server removed for want of room.
    pub(crate) evicted: u64,
}

impl Trouble {
    pub(crate) fn new() -> Self {
        let server = Server::start();
        let proxies = [(); PLACES].map(|()| Proxy::to(server.port()));
        let (cut, round, done) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { server, proxies, cut, round, done, trial: Trial::default(), evicted: 0 }
    }

    pub(crate) fn urls(&self) -> [String; PLACES] {
        self.proxies.each_ref().map(Proxy::url)
    }

    /// Makes one, any of which comes once before any comes again.
    pub(crate) fn make(&mut self, party: &mut Party<'_>) {
        if self.round.is_empty() {
            self.round = FAULTS.to_vec();
            party.random.shuffle(&mut self.round);
        }
        let fault = self.round.pop().expect("it has just been filled");
        if self.cut.len() == PLACES {
            self.heal(true, party);
        }
        let begun = party.now();
        self.apply(fault, party);
        self.trial.forgotten.push((begun, party.now()));
        *self.done.entry(fault).or_default() += 1;
    }

    fn apply(&mut self, fault: Fault, party: &mut Party<'_>) {
        // A way that has lost something is to be broken before it goes on for another reason.
        let is_cut = |place| self.cut.iter().any(|it| it.place == place);
        let places: Vec<_> = (0..PLACES).filter(|place| !is_cut(*place)).collect();
        let place = places[party.random.usize(..places.len())];
        let server = &self.server;
        match fault {
            Fault::Emptied => {
                // What it saved another time is older, not nothing.
                let _ = fs::remove_file(self.saved());
                server.kill();
                thread::sleep(party.span(0, 600));
                server.start_again();
            }
            Fault::SetBack => {
                agreed(server, &["SAVE"]);
                thread::sleep(party.span(20, 300));
                server.kill();
                thread::sleep(party.span(0, 300));
                server.start_again();
            }
            Fault::Paused => {
                server.pause();
                thread::sleep(party.span(100, 1_500));
                server.resume();
            }
            Fault::Flushed => {
                let command = if party.random.bool() { "FLUSHALL" } else { "FLUSHDB" };
                agreed(server, &[command]);
            }
            Fault::Crowded => self.crowd(party),
            Fault::Muted => {
                self.cut(place, false, party);
                self.proxies[place].stall_to_server();
            }
            Fault::Deafened => {
                // What is lost of a connection is never followed by more of it.
                let breaks = party.random.bool();
                let stop = if breaks { Proxy::swallow_to_client } else { Proxy::stall_to_client };
                self.cut(place, breaks, party);
                stop(&self.proxies[place]);
            }
            Fault::Killed => party.replace(place),
        }
    }

    /// Has the server keep less than there is, while more comes.
    fn crowd(&mut self, party: &mut Party<'_>) {
        let server = &self.server;
        let fill = |round: u32| {
            let script = "for i = 1, 500 do redis.pcall('SET', 'filler:' .. ARGV[1] .. ':' .. i, \
                          string.rep('x', 200), 'PX', 3000) end return 1";
            server.command(&["EVAL", script, "0", &round.to_string()])
        };
        (0..4).for_each(|round| drop(fill(round)));
        let (used, evicted) = (info(server, "used_memory:"), info(server, "evicted_keys:"));
        let most = (used - used / 40).to_string();
        agreed(server, &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", &most]);
        for round in 4..12 {
            fill(round);
            thread::sleep(party.span(20, 100));
        }
        agreed(server, &["CONFIG", "SET", "maxmemory", "0"]);
        self.evicted += info(server, "evicted_keys:") - evicted;
    }

    fn cut(&mut self, place: usize, breaks: bool, party: &mut Party<'_>) {
        // For longer than the bound, as a rule.
        let until = Instant::now() + party.span(400, 1_500);
        self.cut.push(Cut { since: party.now(), until, place, breaks });
    }

    /// Lets those ways go on that were cut for long enough, or all.
    pub(crate) fn heal(&mut self, all: bool, party: &Party<'_>) {
        let is_over = |cut: &mut Cut| all || Instant::now() >= cut.until;
        for Cut { since, place, breaks, .. } in self.cut.extract_if(.., is_over) {
            if breaks {
                self.proxies[place].cut();
            }
            self.proxies[place].flow();
            self.trial.forgotten.push((since, party.now()));
        }
    }

    fn saved(&self) -> std::path::PathBuf {
        let place = self.server.command(&["CONFIG", "GET", "dir"]).array();
        Path::new(&place[1].clone().text()).join("dump.rdb")
    }
}

fn agreed(server: &Server, command: &[&str]) {
    assert_eq!(server.command(command), Reply::Status("OK".to_owned()), "{command:?}");
}

fn info(server: &Server, what: &str) -> u64 {
    let text = server.command(&["INFO"]).text();
    let number = text.lines().find_map(|line| line.strip_prefix(what)).expect("it is counted");
    number.trim().parse().unwrap()
}
