//! A real cluster: three primaries, each with a replica.

use crate::client::{Client, Reply};
use crate::limit::until;
use crate::port::Port;
use crate::server::{FORGETFUL, Server};

const CONFIGURATION: &str = "cluster-enabled yes
cluster-node-timeout 1000
cluster-replica-validity-factor 0
repl-diskless-sync-delay 0
";

const SLOTS: u16 = 16_384;

/// The first and the last slot of each primary, at first.
const SHARES: [[&str; 2]; 3] = [["0", "5460"], ["5461", "10922"], ["10923", "16383"]];

pub(crate) struct Cluster {
    nodes: Vec<Server>,
}

/// What one node holds of another, or of itself.
struct Member {
    port: u16,
    sound: bool,
    slots: Vec<(u16, u16)>,
}

impl Cluster {
    /// Starts one that is ready, whose first three nodes are its primaries.
    pub(crate) fn start() -> Self {
        let configuration = format!("{FORGETFUL}{CONFIGURATION}");
        let begin = |_| Server::begin(Port::with_bus(), &configuration, &[]);
        let nodes: Vec<_> = (0..6).map(begin).collect();
        nodes.iter().for_each(Server::await_ready);
        let (primaries, replicas) = nodes.split_at(SHARES.len());
        for ((node, [first, last]), epoch) in primaries.iter().zip(SHARES).zip(["1", "2", "3"]) {
            agreed(node, &["CLUSTER", "SET-CONFIG-EPOCH", epoch]);
            agreed(node, &["CLUSTER", "ADDSLOTSRANGE", first, last]);
        }
        for node in &nodes[1..] {
            let port = node.port().to_string();
            agreed(&nodes[0], &["CLUSTER", "MEET", "127.0.0.1", &port]);
        }
        until("the nodes to meet", || {
            let met = |node| members(node).iter().filter(|it| it.sound).count() == nodes.len();
            nodes.iter().all(met).then_some(())
        });
        for (primary, replica) in primaries.iter().zip(replicas) {
            let id = primary.command(&["CLUSTER", "MYID"]).text();
            agreed(replica, &["CLUSTER", "REPLICATE", &id]);
        }
        for primary in primaries {
            until("a replica to follow", || {
                // On a connection that has written nothing, it counts who follows.
                (primary.command(&["WAIT", "1", "1"]) == Reply::Int(1)).then_some(())
            });
        }
        let cluster = Self { nodes };
        cluster.wait_for_failover();
        cluster
    }

    pub(crate) fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// Where those that were primaries at first are found.
    pub(crate) fn url(&self) -> String {
        let [first, second, third] = [0, 1, 2].map(|at: usize| self.nodes[at].port());
        format!("redis://127.0.0.1:{first},127.0.0.1:{second},127.0.0.1:{third}?cluster=true")
    }

    /// Who has a slot, as those see it that run.
    pub(crate) fn primary_of(&self, slot: u16) -> &Server {
        let has = |member: &Member| {
            member.slots.iter().any(|(first, last)| (*first..=*last).contains(&slot))
        };
        let witness = self.running().next().expect("some node runs");
        let port = members(witness).into_iter().find(has).expect("a slot has a primary").port;
        self.nodes.iter().find(|it| it.port() == port).expect("only our own nodes meet")
    }

    /// Kills who has a slot, and returns who that was.
    pub(crate) fn kill_primary_of(&self, slot: u16) -> &Server {
        let primary = self.primary_of(slot);
        primary.kill();
        primary
    }

    /// Waits until the nodes that run agree that each slot is with one of them.
    pub(crate) fn wait_for_failover(&self) {
        until("a cluster to be well", || {
            self.running().all(|node| self.is_well_for(node)).then_some(())
        });
    }

    fn is_well_for(&self, node: &Server) -> bool {
        let state = node.command(&["CLUSTER", "INFO"]).text();
        let runs = |port| self.running().any(|it| it.port() == port);
        let primaries = members(node).into_iter().filter(|it| it.sound && runs(it.port));
        let slots = primaries.flat_map(|it| it.slots).map(|(first, last)| last - first + 1);
        state.contains("cluster_state:ok") && slots.sum::<u16>() == SLOTS
    }

    fn running(&self) -> impl Iterator<Item = &Server> {
        self.nodes.iter().filter(|it| it.is_running())
    }
}

/// Sends a command that must be agreed to.
fn agreed(node: &Server, command: &[&str]) {
    assert_eq!(node.command(command), Reply::Status("OK".to_owned()), "{command:?}");
}

/// A cluster as one of its nodes sees it.
fn members(node: &Server) -> Vec<Member> {
    let table = node.command(&["CLUSTER", "NODES"]).text();
    table.lines().map(Member::read).collect()
}

impl Member {
    fn read(row: &str) -> Self {
        let fields: Vec<_> = row.split(' ').collect();
        let [_, address, flags, _, _, _, _, link, ref slots @ ..] = fields[..] else {
            panic!("{row}");
        };
        let (place, _bus) = address.split_once('@').unwrap();
        let (_host, port) = place.rsplit_once(':').unwrap();
        let unsound = |flag| matches!(flag, "fail" | "fail?" | "handshake" | "noaddr");
        let number = |text: &str| text.parse().unwrap();
        let slots = slots.iter().filter(|it| !it.starts_with('[')).map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            (number(first), number(last))
        });
        let sound = link == "connected" && !flags.split(',').any(unsound);
        Self { port: number(port), sound, slots: slots.collect() }
    }
}

#[test]
fn a_replica_takes_over_the_slots_of_a_killed_primary_with_what_is_in_them() {
    let cluster = Cluster::start();
    let Reply::Int(slot) = cluster.nodes()[3].command(&["CLUSTER", "KEYSLOT", "a"]) else {
        panic!("a key has a slot");
    };
    let slot = slot.try_into().unwrap();
    let first = cluster.primary_of(slot);
    let mut client = Client::connect(first.port()).unwrap();
    client.command(&["SET", "a", "1"]).unwrap();
    assert_eq!(client.command(&["WAIT", "1", "5000"]).unwrap(), Reply::Int(1));
    assert_eq!(cluster.kill_primary_of(slot).port(), first.port());
    cluster.wait_for_failover();
    let second = cluster.primary_of(slot);
    assert_ne!(second.port(), first.port());
    assert_eq!(second.command(&["GET", "a"]), Reply::bytes("1"));
    first.start_again();
    until("it to follow its heir", || {
        (first.command(&["ROLE"]).array()[0] == Reply::bytes("slave")).then_some(())
    });
}

#[test]
fn nodes_send_clients_to_the_primary_of_a_key() {
    let cluster = Cluster::start();
    let seeds = cluster.nodes()[..3].iter().map(|it| format!("127.0.0.1:{}", it.port()));
    let seeds: Vec<_> = seeds.collect();
    assert_eq!(cluster.url(), format!("redis://{}?cluster=true", seeds.join(",")));
    for node in cluster.nodes() {
        let Reply::Error(error) = node.command(&["GET", "a"]) else { continue };
        let [moved, slot, place] = error.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{error}");
        };
        let primary = cluster.primary_of(slot.parse().unwrap());
        assert_eq!((moved, place), ("MOVED", &*format!("127.0.0.1:{}", primary.port())));
    }
    let answered = |node: &&Server| node.command(&["GET", "a"]) == Reply::Nil;
    assert_eq!(cluster.nodes().iter().filter(answered).count(), 1);
}
