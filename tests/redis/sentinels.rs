//! A real primary with two replicas, watched by three sentinels that call it "main".

use crate::client::{Client, Reply};
use crate::limit::until;
use crate::port::Port;
use crate::server::{FORGETFUL, Server};
use std::collections::HashMap;

/// What a sentinel knows of a server, by the names of the facts.
type Row = HashMap<String, String>;

pub(crate) struct Sentinels {
    sentinels: Vec<Server>,
    servers: Vec<Server>,
}

impl Sentinels {
    /// Starts all of them; the sentinels know the servers and each other. A primary takes nothing
    /// without a replica: on a busy machine it may be replaced at any time, and what it acknowledged
    /// before it knows that would be lost.
    pub(crate) fn start() -> Self {
        let careful = format!("{FORGETFUL}min-replicas-to-write 1\n");
        let first = Server::begin(Port::free(), &careful, &["--repl-diskless-sync-delay", "0"]);
        let primary = first.port();
        let replica = format!("{careful}replicaof 127.0.0.1 {primary}\n");
        let begin = |_| Server::begin(Port::free(), &replica, &["--repl-diskless-sync-delay", "0"]);
        let servers: Vec<_> = [first].into_iter().chain((0..2).map(begin)).collect();
        servers.iter().for_each(Server::await_ready);
        until("two replicas to follow", || {
            (servers[0].command(&["WAIT", "2", "1"]) == Reply::Int(2)).then_some(())
        });
        let configuration = format!(
            "sentinel monitor main 127.0.0.1 {primary} 2
            sentinel down-after-milliseconds main 500
            sentinel failover-timeout main 2000
            sentinel parallel-syncs main 2\n"
        );
        let begin = |_| Server::begin(Port::free(), &configuration, &["--sentinel"]);
        let sentinels: Vec<_> = (0..3).map(begin).collect();
        for sentinel in &sentinels {
            sentinel.await_ready();
            // They look around every ten seconds otherwise.
            let faster = ["SENTINEL", "DEBUG", "INFO-PERIOD", "200", "PUBLISH-PERIOD", "200"];
            assert_eq!(sentinel.command(&faster), Reply::Status("OK".to_owned()));
        }
        let all = Self { sentinels, servers };
        all.wait_until_met();
        all
    }

    pub(crate) fn sentinels(&self) -> &[Server] {
        &self.sentinels
    }

    /// The primary and its replicas, which of them may be which.
    pub(crate) fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Who is the primary, by a sentinel's word.
    pub(crate) fn primary_port(&self) -> u16 {
        let sentinel = self.sentinels.iter().find(|it| it.is_running());
        primary_of(sentinel.expect("some sentinel runs"))
    }

    /// Kills the primary, and returns who that was.
    pub(crate) fn kill_primary(&self) -> &Server {
        let primary = self.server(self.primary_port());
        primary.kill();
        primary
    }

    /// Waits until the sentinels agree on a primary that runs and holds itself for one.
    pub(crate) fn wait_for_failover(&self) {
        until("a primary that all agree on", || {
            let mut sentinels = self.sentinels.iter().filter(|it| it.is_running()).map(primary_of);
            let primary = sentinels.next().expect("some sentinel runs");
            let is_primary = || {
                let server = self.server(primary);
                server.is_running()
                    && role(server).is_some_and(|it| it[0] == Reply::bytes("master"))
            };
            (sentinels.all(|it| it == primary) && is_primary()).then_some(())
        });
    }

    fn wait_until_met(&self) {
        let follows = |row: &Row| row["flags"] == "slave" && row["master-link-status"] == "ok";
        let watches = |row: &Row| row["flags"] == "sentinel";
        let met = |sentinel: &Server| {
            let replicas = rows(sentinel, "REPLICAS").into_iter().filter(follows).count();
            let others = rows(sentinel, "SENTINELS").into_iter().filter(watches).count();
            (replicas, others) == (self.servers.len() - 1, self.sentinels.len() - 1)
        };
        until("the sentinels to meet", || self.sentinels.iter().all(met).then_some(()));
    }

    fn server(&self, port: u16) -> &Server {
        self.servers.iter().find(|it| it.port() == port).expect("only our own servers are watched")
    }
}

/// What a server holds itself for. Sentinels break connections to whom they give another role.
pub(crate) fn role(server: &Server) -> Option<Vec<Reply>> {
    let reply = Client::connect(server.port()).and_then(|mut it| it.command(&["ROLE"]));
    reply.ok().map(Reply::array)
}

fn primary_of(sentinel: &Server) -> u16 {
    let place = sentinel.command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]).array();
    place[1].clone().text().parse().unwrap()
}

/// What a sentinel knows of the replicas, or of the other sentinels.
fn rows(sentinel: &Server, what: &str) -> Vec<Row> {
    let read = |row: Reply| {
        let fields: Vec<_> = row.array().into_iter().map(Reply::text).collect();
        fields.chunks(2).map(|it| (it[0].clone(), it[1].clone())).collect()
    };
    sentinel.command(&["SENTINEL", what, "main"]).array().into_iter().map(read).collect()
}

#[test]
fn a_replica_becomes_the_primary_of_all_when_that_is_killed() {
    let all = Sentinels::start();
    let first = all.server(all.primary_port());
    let mut client = Client::connect(first.port()).unwrap();
    client.command(&["SET", "a", "1"]).unwrap();
    assert_eq!(client.command(&["WAIT", "2", "5000"]).unwrap(), Reply::Int(2));
    assert_eq!(all.kill_primary().port(), first.port());
    all.wait_for_failover();
    let second = all.server(all.primary_port());
    assert_ne!(second.port(), first.port());
    assert_eq!(second.command(&["GET", "a"]), Reply::bytes("1"));
    first.start_again();
    until("it to follow its heir", || {
        role(first).is_some_and(|it| it[0] == Reply::bytes("slave")).then_some(())
    });
}

#[test]
fn two_sentinels_are_enough_to_replace_a_primary_that_is_silent() {
    let all = Sentinels::start();
    all.sentinels()[0].kill();
    let first = all.primary_port();
    all.server(first).pause();
    all.wait_for_failover();
    let heirs: Vec<_> = all.servers().iter().filter(|it| it.is_running()).collect();
    assert!(heirs.iter().any(|it| it.port() == all.primary_port()));
    assert_ne!(all.primary_port(), first);
}
