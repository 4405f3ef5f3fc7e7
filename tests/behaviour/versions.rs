//! V1, V2: what is not named is not lost, however much else is invalidated; what is remembered is
//! bounded; and what was overtaken stays so when the record of it is gone.

use crate::support::{Calls, Stage, everywhere, everywhere_alone, fresh, run};
use larder::{Runtime, blocking, cached, session};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

/// More records than are kept while nothing is in flight.
const BOUND: u64 = 100_000;
/// Enough invalidations for several sweeps.
const SWEEPS: u64 = 300_000;
/// More than are remembered for the oldest of computations.
const AGES: u64 = 3_000_000;

/// Invalidates many tags that nothing carries, each by itself.
fn noise(count: u64) {
    for number in 0..count {
        blocking::invalidate_tag(format!("versions-noise:{number}")).unwrap();
    }
}

/// The same for things that are looked at one by one.
fn noise_of_predicates(count: u64) {
    for number in 0..count {
        blocking::invalidate_pattern(format!("versions-noise:{number}:*")).unwrap();
        let both = ["versions-noise".to_owned(), format!("versions-noise:{number}")];
        blocking::invalidate_tagged_with_all(both).unwrap();
    }
}

fn records() -> u64 {
    larder::stats().records
}

#[test]
fn a_thousand_tags_a_second_for_an_hour_lose_no_entry_without_them() {
    static CALLS: Calls = Calls::new();

    #[cached(ttl = "2h", tags("versions-kept:{id}", "versions-kept"), key = "versions:{id}")]
    fn kept(id: u64) -> u64 {
        CALLS.note();
        id
    }

    #[cached(ttl = "2h")]
    fn kept_through(id: u64) -> u64 {
        kept(id)
    }

    let (runtime, clock) = fresh();
    runtime.with(|| {
        (0..500).for_each(|id| assert_eq!(kept_through(id), id));
        (500..1_000).for_each(|id| assert_eq!(kept(id), id));
        assert_eq!(CALLS.taken(), 1_000);
        for second in 0..3_600 {
            for number in 0..1_000 {
                let tag = format!("versions-lost:{}", second * 1_000 + number);
                blocking::invalidate_tag(tag).unwrap();
            }
            clock.advance(Duration::from_secs(1));
            kept(second % 1_000);
            if second % 100 == 0 {
                assert!(records() < BOUND, "{} records after {second} s", records());
            }
        }
        (0..1_000).for_each(|id| assert_eq!(kept(id), id));
        (0..500).for_each(|id| assert_eq!(kept_through(id), id));
        assert_eq!(CALLS.taken(), 0, "an entry was lost");
        assert_eq!(kept::stats().misses_invalidated, 0);
        assert_eq!(larder::stats().invalidations_tags, 3_600_000);
    });
}

#[test]
fn entries_survive_sweeps_on_both_ways_of_a_hit() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("versions-survivor:{id}"))]
    fn survivor(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_alone(|_| {
        (0..100).for_each(|id| assert_eq!(survivor(id), id));
        noise(SWEEPS);
        noise_of_predicates(2_000);
        (0..100).for_each(|id| assert_eq!(survivor(id), id));
        assert_eq!(CALLS.taken(), 100);
        assert!(records() < BOUND);
    });
}

#[test]
fn entries_of_a_scope_survive_sweeps() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "session")]
    fn survivor(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_alone(|_| {
        session::with("versions", || {
            (0..100).for_each(|id| assert_eq!(survivor(id), id));
            noise(SWEEPS);
            (0..100).for_each(|id| assert_eq!(survivor(id), id));
            assert_eq!(CALLS.taken(), 100);
            survivor::invalidate(7).unwrap();
            noise(SWEEPS);
            (0..100).for_each(|id| assert_eq!(survivor(id), id));
            assert_eq!(CALLS.taken(), 1);
        });
    });
}

#[test]
fn what_was_invalidated_before_a_sweep_stays_so_after_it() {
    static CALLS: Calls = Calls::new();

    #[cached(key = "versions-dead:{id}", tags("versions-dead:{id}", "versions-dead"))]
    fn dead(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        (0..100).for_each(|id| assert_eq!(dead(id), id));
        blocking::invalidate_tag("versions-dead:3").unwrap();
        blocking::invalidate_tagged_with_all(["versions-dead", "versions-dead:4"]).unwrap();
        blocking::invalidate_pattern("versions-dead:5").unwrap();
        dead::invalidate(6).unwrap();
        noise(SWEEPS);
        noise_of_predicates(2_000);
        CALLS.taken();
        let ran: Vec<_> = (0..100).filter(|id| (dead(*id), CALLS.taken()).1 > 0).collect();
        assert_eq!(ran, [3, 4, 5, 6]);
        dead::invalidate_all().unwrap();
        noise(SWEEPS);
        (0..100).for_each(|id| assert_eq!(dead(id), id));
        assert_eq!(CALLS.taken(), 100);
    });
}

type Name = &'static str;

#[cached(
    key = "versions-sleeper:{name}",
    tags("versions-sleeper:{name}", "versions-sleeper-too:{name}")
)]
fn sleeper(name: Name, stage: &Stage) -> u64 {
    larder::tag(format!("versions-found:{name}"));
    stage.act()
}

/// Starts a computation, does something meanwhile, and returns what a later call gets: 1 from that
/// computation, 2 from another.
fn sleep_through(name: Name, call: fn(Name, &Stage) -> u64, meanwhile: impl FnOnce()) -> u64 {
    let stage = Arc::new(Stage::default());
    let inside = Arc::clone(&stage);
    let call = larder::inherit(async move { call(name, &inside) });
    let running = run("the sleeping computation", || futures_lite::future::block_on(call));
    stage.entered.wait("the sleeping body");
    meanwhile();
    stage.leave.open();
    assert_eq!(running.ended(), 1);
    let later = sleeper(name, &stage);
    sleeper::invalidate(name).unwrap();
    later
}

#[test]
fn an_untouched_computation_survives_a_sweep() {
    everywhere(|| {
        let later = sleep_through("untouched", sleeper, || {
            noise(SWEEPS);
            noise_of_predicates(2_000);
        });
        assert_eq!(later, 1);
    });
}

#[test]
fn a_computation_overtaken_before_a_sweep_is_not_served_after_it() {
    let touches: [(Name, fn()); 6] = [
        ("by-key", || sleeper::invalidate("by-key").unwrap()),
        ("by-tag", || blocking::invalidate_tag("versions-sleeper:by-tag").unwrap()),
        ("by-found", || blocking::invalidate_tag("versions-found:by-found").unwrap()),
        ("by-pattern", || blocking::invalidate_pattern("versions-sleeper:by-p*").unwrap()),
        ("by-all", || {
            let both = ["versions-sleeper:by-all", "versions-sleeper-too:by-all"];
            blocking::invalidate_tagged_with_all(both).unwrap();
        }),
        ("by-put", || sleeper::put("by-put", &Stage::open(), 2)),
    ];
    everywhere(|| {
        for (name, touch) in touches {
            let later = sleep_through(name, sleeper, || {
                touch();
                noise(SWEEPS);
                noise_of_predicates(1_500);
            });
            assert_eq!(later, 2, "{name}");
        }
    });
}

#[test]
fn a_refresh_overtaken_before_a_sweep_is_not_served_after_it() {
    everywhere_alone(|_| {
        let later = sleep_through("refresh", sleeper::refresh, || {
            blocking::invalidate_tag("versions-found:refresh").unwrap();
            noise(SWEEPS);
        });
        assert_eq!(later, 2);
        let later = sleep_through("refresh", sleeper::refresh, || noise(SWEEPS));
        assert_eq!(later, 1);
    });
}

#[test]
fn a_computation_of_any_age_is_never_served_wrongly_and_its_records_are_bounded() {
    let (runtime, _) = fresh();
    runtime.with(|| {
        let later = sleep_through("aged", sleeper, || {
            blocking::invalidate_tag("versions-found:aged").unwrap();
            noise(AGES);
            assert!(records() < AGES, "{} records", records());
        });
        assert_eq!(later, 2);
    });
}

#[test]
fn a_follower_waiting_through_a_sweep_is_not_given_what_was_overtaken() {
    static ARRIVED: Calls = Calls::new();

    fn late(stage: &Stage) -> u64 {
        ARRIVED.note();
        sleeper("followed", stage)
    }

    let (runtime, clock) = fresh();
    let spawn = |call: fn(&Stage) -> u64, stage: &Arc<Stage>| {
        let (runtime, stage) = (runtime.clone(), Arc::clone(stage));
        run("a caller", move || runtime.with(|| call(&stage)))
    };
    let stage = Arc::new(Stage::default());
    let leader = spawn(|stage| sleeper("followed", stage), &stage);
    stage.entered.wait("the leader's body");
    runtime.with(|| blocking::invalidate_tag("versions-found:followed").unwrap());
    let follower = spawn(late, &stage);
    crate::support::until("the follower to wait", || clock.sleepers() == 1);
    runtime.with(|| noise(SWEEPS));
    stage.leave.open();
    assert_eq!(leader.ended(), 1);
    assert_eq!(follower.ended(), 2);
}

#[test]
fn callers_that_are_gone_leave_nothing_that_keeps_records_alive() {
    #[cached(skip(stage))]
    async fn waiting(stage: &Stage) -> u64 {
        stage.act_async().await
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) {
        assert!(future.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    fn check(runtime: &Runtime) {
        let stage = Stage::default();
        {
            let mut leader = Box::pin(runtime.scope(waiting(&stage)));
            let mut follower = pin!(runtime.scope(waiting(&stage)));
            poll(leader.as_mut());
            poll(follower.as_mut());
            drop(leader);
        }
        assert_eq!(stage.calls.taken(), 1);
        runtime.with(|| {
            noise(SWEEPS);
            assert!(records() < BOUND, "{} records", records());
        });
    }

    check(&fresh().0);
}
