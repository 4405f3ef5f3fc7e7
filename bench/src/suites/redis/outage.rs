//! A call whose value is nowhere, while the server is gone and is not asked: of a function that would
//! share its values, beside one that is kept in memory alone. Every key is new, and bodies return at
//! once.

use crate::cli::Effort;
use crate::report::{Report, Setting};
use crate::rounds::{Contestant, Lap, Length, race};
use crate::server::Server;
use larder::{Breaker, FunctionStats, RedisStats};
use std::hint::black_box;
use std::time::{Duration, Instant};

const CALLS: usize = 20_000;
/// Entries there is room for: all of them.
const ROOM: usize = 1_000_000;
/// Rounds, the one that does not count aside. Races on one and on two threads fill the same cache.
const MOST: usize = 14;
const _: () = assert!((MOST + 1) * CALLS * 3 <= ROOM - ROOM / 20, "something is evicted");
/// How long it may take until the server is no longer asked.
const LIMIT: Duration = Duration::from_secs(30);

#[larder::cached(tier = "l1,l3", ttl = "1h", tags("user:{id}"), capacity = ROOM)]
fn shared(id: u64) -> u64 {
    body(id)
}

#[larder::cached(tier = "l1", ttl = "1h", tags("user:{id}"), capacity = ROOM)]
fn kept(id: u64) -> u64 {
    body(id)
}

fn body(id: u64) -> u64 {
    id.rotate_left(17)
}

pub(super) fn run(effort: Effort, mut server: Server, report: &mut Report) {
    server.kill();
    open_breaker();
    let most = effort.pick(4, MOST);
    let length = Length { fewest: most, most, time: Duration::ZERO };
    for threads in [1, 2] {
        let contestants = [contestant("larder", threads, shared), contestant("l1", threads, kept)];
        let before = (shared::stats(), redis());
        let times = race(&contestants, threads, length, &|_| assert_open());
        let after = (shared::stats(), redis());
        let calls = (times.rounds() + 1) * threads * CALLS;
        check(&before.0, &after.0, calls);
        assert_open();
        assert_eq!(before.1.connections, after.1.connections, "the server is back");
        let setting = Setting { case: "breaker-open".to_owned(), keys: calls, threads };
        report.progress(&setting, &times);
        let found = times.compare(0, 1, CALLS);
        report.row(&setting, "l1", found);
        report.time(&setting, "more-than-l1", found.ns - found.other_ns);
    }
}

/// All calls computed, without the tier.
fn check(before: &FunctionStats, after: &FunctionStats, calls: usize) {
    let calls = u64::try_from(calls).expect("a count fits into 64 bits");
    assert_eq!(after.computations - before.computations, calls, "each call computes");
    assert_eq!(after.degraded - before.degraded, calls, "each call does without the server");
    assert_eq!(after.hits_l3, before.hits_l3, "the server answers");
}

/// Calls until the server is no longer asked.
fn open_breaker() {
    let begun = Instant::now();
    let mut id = 1 << 60;
    while redis().breaker == Breaker::Closed {
        id += 1;
        assert_eq!(shared(id), body(id));
        assert!(begun.elapsed() < LIMIT, "the server is still asked");
    }
}

/// One that may be tried is not closed either: that a call tries now and then is a part of what the
/// calls take.
fn assert_open() {
    assert_ne!(redis().breaker, Breaker::Closed, "the server is asked");
}

fn redis() -> RedisStats {
    larder::stats().redis.expect("there is a Redis tier")
}

fn contestant<'a>(
    name: &'static str,
    race: usize,
    call: impl Fn(u64) -> u64 + Send + Sync + 'a,
) -> Contestant<'a> {
    Contestant {
        name,
        prepare: Box::new(|| {}),
        lap: Box::new(move |lap: Lap| {
            let laps = lap.round * lap.threads + lap.thread;
            let first = (number(race) << 48) + number(laps * CALLS);
            let wrong =
                (first..).take(CALLS).filter(|id| black_box(call(*id)) != body(*id)).count();
            assert_eq!(wrong, 0, "a call returned another's value");
        }),
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).expect("a count fits into 64 bits")
}
