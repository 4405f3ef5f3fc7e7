//! C3: primaries are lost, and others take their places, which start cold.

use crate::child::Test;
use crate::client::Reply;
use crate::cluster::Cluster;
use crate::limit::until;
use crate::moment::nanos;
use crate::party::{PLACES, Party};
use crate::sentinels::{Sentinels, role};
use crate::server::Server;
use crate::verdict::{self, Trial};
use crate::worker::{self, BOUND};
use std::thread;
use std::time::Duration;

/// How soon all processes know of another primary, and have forgotten what they had.
const SOON: Duration = Duration::from_secs(2);

/// Servers of which one takes another's place.
trait Succession {
    /// Who is in charge, of whatever.
    fn primaries(&self) -> Vec<u16>;

    /// Takes a primary away, and returns it once it follows its heir.
    fn depose(&self, party: &mut Party<'_>) -> Deposed;
}

#[derive(PartialEq, Eq)]
enum Deposed {
    Dead,
    /// It was demoted, and did not know it for a while.
    Alive,
}

fn run(test: &Test, url: &str, servers: &impl Succession) {
    let mut party = Party::start(test, [(); PLACES].map(|()| url.to_owned()));
    let mut trial = Trial::default();
    let (mut lost, mut killed) = (0, 0);
    let mut seen = (party.now(), servers.primaries());
    while !party.is_over() || lost < 2 {
        thread::sleep(party.span(1_500, 3_500));
        if party.random.u32(..3) == 0 || killed == 0 {
            let place = party.random.usize(..PLACES);
            party.replace(place);
            killed += 1;
        }
        trial.see(&mut seen, servers, &party);
        let begun = party.now();
        let deposed = servers.depose(&mut party);
        lost += 1;
        if deposed == Deposed::Alive {
            trial.contested.push((begun - nanos(SOON), party.now() + nanos(BOUND)));
        }
        trial.forgotten.push((begun, party.now() + nanos(SOON)));
        seen = (party.now(), servers.primaries());
    }
    trial.see(&mut seen, servers, &party);
    println!("{lost} primaries lost, {killed} processes killed");
    let (accounts, served) = party.end();
    verdict::check(accounts, served, &trial);
}

impl Trial {
    /// Takes note of who is in charge now. Who is not, and was not deposed, was taken for dead on a
    /// busy machine, and has not known it for a while.
    fn see(&mut self, seen: &mut (u64, Vec<u16>), servers: &impl Succession, party: &Party<'_>) {
        let primaries = servers.primaries();
        if primaries != seen.1 {
            println!("a primary was replaced that nobody had deposed");
            let window = (seen.0 - nanos(SOON), party.now() + nanos(SOON));
            self.contested.push(window);
            self.forgotten.push(window);
        }
        *seen = (party.now(), primaries);
    }
}

/// Waits for a server, which was a primary once, to follow its heir.
fn await_following(server: &Server) {
    until("it to follow its heir", || {
        let role = role(server)?;
        (role[0] == Reply::bytes("slave") && role[3] == Reply::bytes("connected")).then_some(())
    });
}

const SLOTS: [u16; 3] = [1_000, 7_000, 13_000];

impl Succession for Cluster {
    fn primaries(&self) -> Vec<u16> {
        SLOTS.map(|slot| self.primary_of(slot).port()).to_vec()
    }

    fn depose(&self, party: &mut Party<'_>) -> Deposed {
        let slot = SLOTS[party.random.usize(..SLOTS.len())];
        let primary = self.kill_primary_of(slot);
        self.wait_for_failover();
        primary.start_again();
        await_following(primary);
        Deposed::Dead
    }
}

impl Succession for Sentinels {
    fn primaries(&self) -> Vec<u16> {
        vec![self.primary_port()]
    }

    fn depose(&self, party: &mut Party<'_>) -> Deposed {
        if party.random.bool() {
            let primary = self.kill_primary();
            self.wait_for_failover();
            primary.start_again();
            await_following(primary);
            return Deposed::Dead;
        }
        let port = self.primary_port();
        let primary = self.servers().iter().find(|it| it.port() == port).unwrap();
        primary.pause();
        self.wait_for_failover();
        primary.resume();
        await_following(primary);
        Deposed::Alive
    }
}

#[test]
fn no_process_is_served_what_was_invalidated_while_a_cluster_loses_primaries() {
    let Some(test) = Test::new(|inside| worker::work(&inside)) else { return };
    let _turn = crate::turn();
    let cluster = Cluster::start();
    run(&test, &cluster.url(), &cluster);
}

#[test]
fn no_process_is_served_what_was_invalidated_while_sentinels_replace_primaries() {
    let Some(test) = Test::new(|inside| worker::work(&inside)) else { return };
    let _turn = crate::turn();
    let all = Sentinels::start();
    let ports = all.sentinels().iter().map(|it| format!("127.0.0.1:{}", it.port()));
    let url = format!("redis://{}?sentinel=main", ports.collect::<Vec<_>>().join(","));
    run(&test, &url, &all);
}
