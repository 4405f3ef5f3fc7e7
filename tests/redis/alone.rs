//! `stale`, `grace`, `refresh` and `timeout` of functions that keep nothing on this machine: what is in
//! Redis is served after its time as it would be from memory, and not a moment longer than it is valid.

use crate::client::Reply;
use crate::limit::until;
use crate::server::Server;
use crate::support::{Calls, Slow, connected, draw, expired, keys, patience, patient};
use larder::{Cause, blocking, cached};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

#[test]
fn f3_one_process_computes_anew_while_all_get_the_stale_value() {
    static SLOW: Slow = Slow::new();

    #[cached(tier = "l3", ttl = "1s", stale = "1h", name = "alone::slow", tags("alone:slow"))]
    fn slow() -> u64 {
        SLOW.run()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let old = expired(&one, slow, slow::peek);
    SLOW.waits.store(true, SeqCst);
    thread::scope(|scope| {
        let computing = scope.spawn(|| one.with(slow));
        SLOW.gate.await_arrivals(1);
        for runtime in [&one, &one, &other, &other] {
            assert_eq!(runtime.with(slow), old);
        }
        for (runtime, computations) in [(&one, 1), (&other, 0)] {
            let stats = runtime.with(slow::stats);
            assert_eq!((stats.stale_hits, stats.computations), (2, computations));
        }
        // Nobody reads it from there any more, nor takes it from who did before.
        other.with(|| blocking::invalidate_tag("alone:slow")).unwrap();
        let late = [&one, &other].map(|runtime| scope.spawn(|| runtime.with(slow)));
        SLOW.gate.open();
        let new = computing.join().unwrap();
        assert!(new > old);
        for late in late {
            assert!(late.join().unwrap() > new, "it began before");
        }
    });
}

#[test]
fn what_fails_serves_what_is_in_redis_and_is_put_off() {
    static RUNS: Calls = Calls::new();
    static FAILS: AtomicBool = AtomicBool::new(false);

    #[cached(tier = "l3", ttl = "1s", grace = "1h", name = "alone::fallible", tags("alone:fails"))]
    fn fallible() -> Result<u64, u64> {
        RUNS.note();
        if FAILS.load(SeqCst) { Err(draw()) } else { Ok(draw()) }
    }

    let server = Server::start();
    let hour = Duration::from_secs(3_600);
    let process = || connected(patience(&server.url()).backoff(hour, hour).build().unwrap());
    let [one, other] = [process(), process()];
    let old = one.with(fallible);
    until("the value to expire", || one.with(fallible::peek).is_none().then_some(()));
    assert_eq!(keys(&server, "larder:*:v:*").len(), 1, "it is there still");
    FAILS.store(true, SeqCst);
    RUNS.taken();
    assert_eq!([(); 3].map(|()| other.with(fallible)), [old; 3]);
    assert_eq!(RUNS.taken(), 1, "the next attempt is not due");
    assert_eq!(other.with(fallible::stats).grace_hits, 3);
    assert_eq!(other.with(fallible::stats).entries, 0, "it is kept in memory");
    one.with(|| blocking::invalidate_tag("alone:fails")).unwrap();
    // At once: it is asked for each time.
    assert!(other.with(fallible).is_err());
    assert!(one.with(fallible).is_err());
}

#[test]
fn near_the_end_of_its_time_it_is_computed_anew_behind_a_hit() {
    static RUNS: Calls = Calls::new();

    // In the middle of its time at the earliest, and that is 15 s.
    #[cached(tier = "l3", ttl = "30s", refresh = "28s", name = "alone::early")]
    fn early() -> u64 {
        draw()
    }

    #[cached(tier = "l3", ttl = "2s", refresh = "1s", name = "alone::soon")]
    fn soon() -> u64 {
        RUNS.note();
        draw()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let first = one.with(early);
    assert_eq!([one.with(early), other.with(early)], [first; 2]);
    assert_eq!(one.with(early::stats).refreshes, 0, "it was not time yet");

    let old = one.with(soon);
    until("it to be computed anew", || (other.with(soon) > old).then_some(()));
    let stats = [&one, &other].map(|process| process.with(soon::stats));
    assert_eq!(stats.iter().map(|it| it.computations).sum::<u64>(), RUNS.taken());
    assert!(stats[1].refreshes >= 1, "it was computed once its time was over: {:?}", stats[1]);
}

#[test]
fn one_that_takes_too_long_gives_its_caller_what_is_in_redis() {
    static SLOW: Slow = Slow::new();

    #[cached(tier = "l3", ttl = "1s", grace = "1h", timeout = "20ms", name = "alone::hurried")]
    fn hurried() -> u64 {
        SLOW.run()
    }

    let server = Server::start();
    let process = patient(&server.url());
    let old = expired(&process, hurried, hurried::peek);
    SLOW.waits.store(true, SeqCst);
    assert_eq!(process.with(hurried), old);
    let stats = process.with(hurried::stats);
    assert_eq!((stats.timeouts, stats.grace_hits), (1, 1));
    SLOW.gate.await_arrivals(1);
    SLOW.gate.open();
    until("the other value", || (process.with(hurried) > old).then_some(()));
}

#[test]
fn who_can_not_hand_over_does_not_wait_for_others_beyond_its_timeout_either() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Unique;

    static SLOW: Slow = Slow::new();

    #[cached(tier = "l3", ttl = "1s", grace = "1h", timeout = "20ms", name = "alone::unique")]
    fn unique() -> Result<u64, Unique> {
        Ok(SLOW.run())
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let old = one.with(unique);
    until("the value to expire", || one.with(unique::peek).is_none().then_some(()));
    SLOW.waits.store(true, SeqCst);
    thread::scope(|scope| {
        let computing = scope.spawn(|| one.with(unique));
        SLOW.gate.await_arrivals(1);
        assert_eq!(other.with(unique), old);
        let stats = other.with(unique::stats);
        assert_eq!((stats.timeouts, stats.grace_hits, stats.computations), (1, 1, 0));
        SLOW.gate.open();
        assert!(computing.join().unwrap().unwrap() > old.unwrap());
    });
}

#[test]
fn what_is_in_redis_alone_is_explained_after_its_time_too() {
    #[cached(tier = "l3", ttl = "1s", stale = "1h", name = "alone::told", tags("alone:told"))]
    fn told() -> u64 {
        draw()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    expired(&one, told, told::peek);
    for process in [&one, &other] {
        let said = process.with(told::explain).to_string();
        assert!(said.contains("would be computed: its entry is stale, "), "{said}");
    }
    assert_eq!(one.with(told::stats).computations, 1, "it computes nothing");
    one.with(|| blocking::invalidate_tag("alone:told")).unwrap();
    let cause = other.with(told::explain).cause;
    let by_tag = [Cause::Tag(Some("alone:told".into())), Cause::Dependency];
    // Only so many names are remembered, and other tests invalidate a lot.
    assert!(cause.as_ref().is_some_and(|it| by_tag.contains(it)), "{cause:?}");
    expired(&one, told, told::peek);
    one.with(told::invalidate_all).unwrap();
    let explained = other.with(told::explain);
    assert_eq!(explained.tiers[0].cause, Some(Cause::Function), "{explained}");
}

#[test]
fn what_its_value_says_of_its_time_holds_in_redis_and_a_deadline_ends_every_wait() {
    static SLOW: Slow = Slow::new();

    #[expect(clippy::ref_option, reason = "it is what the function returns")]
    fn lasts(value: &Option<u64>) -> Duration {
        Duration::from_secs(value.unwrap_or(1) * 60)
    }

    #[expect(clippy::ref_option, reason = "it is what the function returns")]
    fn is_even(value: &Option<u64>) -> bool {
        value.is_none_or(|it| it % 2 == 0)
    }

    #[cached(
        tier = "l3", ttl_for = lasts, cache_if = is_even, negative = "10m", jitter = "50%", name = "alone::chosen"
    )]
    fn chosen(id: u64) -> Option<u64> {
        (id != 0).then_some(id)
    }

    fn instead() -> u64 {
        7
    }

    #[cached(tier = "l3", ttl = "1h", deadline = "1s", fallback = instead, name = "alone::limited")]
    fn limited() -> u64 {
        SLOW.run()
    }

    let server = Server::start();
    let process = patient(&server.url());
    process.with(|| [0, 5, 6].map(chosen));
    let stored = keys(&server, "larder:*:v:*");
    let left = |key: &String| match server.command(&["PTTL", key]) {
        Reply::Int(left) => left / 60_000,
        other => panic!("{other:?}"),
    };
    // Six minutes and ten, each shortened by a half at the most: 5 is odd, and not kept.
    let left: Vec<_> = stored.iter().map(left).collect();
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|minutes| (2..10).contains(minutes)), "{left:?}");

    SLOW.waits.store(true, SeqCst);
    thread::scope(|scope| {
        let caller = scope.spawn(|| process.with(limited));
        SLOW.gate.await_arrivals(1);
        assert_eq!(caller.join().unwrap(), 7);
        assert_eq!(process.with(limited::peek), None, "what was made up is kept nowhere");
        SLOW.gate.open();
    });
    until("the value to be stored", || process.with(limited::peek));
    assert_eq!(process.with(limited::stats).fallbacks, 1);
}

/// Ten thousand at once, again and again until one of them has computed another: each is answered, by whom it may
/// be.
#[test]
fn a_stampede_on_what_fails_three_times_runs_the_body_four_times_at_most() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    const WAVE: usize = 10_000;

    /// The first is soon over, and the last is not.
    fn lasts(value: &Result<u64, u64>) -> Duration {
        Duration::from_secs(if *value == Ok(1) { 1 } else { 3_600 })
    }

    #[cached(tier = "l3", ttl_for = lasts, grace = "1h", name = "alone::stampede")]
    async fn awaited() -> Result<u64, u64> {
        let run = RUNS.fetch_add(1, SeqCst) + 1;
        tokio::task::yield_now().await;
        if (2..5).contains(&run) { Err(run) } else { Ok(run) }
    }

    let server = Server::start();
    let backoff = Duration::from_millis(50);
    let process = connected(patience(&server.url()).backoff(backoff, 4 * backoff).build().unwrap());
    let executor = tokio::runtime::Runtime::new().unwrap();
    let first = executor.block_on(process.scope(awaited()));
    assert_eq!(first, Ok(1));
    let peeked = || executor.block_on(process.scope(awaited::peek()));
    until("the value to expire", || peeked().is_none().then_some(()));
    until("another value", || {
        let wave = process.scope(async {
            let call = || tokio::spawn(larder::inherit(awaited()));
            let calls: Vec<_> = (0..WAVE).map(|_| call()).collect();
            let mut answers = Vec::with_capacity(WAVE);
            for call in calls {
                answers.push(call.await.unwrap());
            }
            answers
        });
        let answers = executor.block_on(wave);
        assert_eq!(answers.len(), WAVE);
        assert!(answers.iter().all(|it| [Ok(1), Ok(5)].contains(it)), "a failure was served");
        answers.contains(&Ok(5)).then_some(())
    });
    assert_eq!(RUNS.load(SeqCst), 5, "one that was there, and four attempts");
    assert!(process.with(awaited::stats).grace_hits > 0);
}
