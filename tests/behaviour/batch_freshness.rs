//! Batches whose elements are over their time, or near it: what is computed behind their callers, or not waited
//! for, is computed together.

use crate::support::{Stage, block_on, fresh, run, until, until_async};
use larder::testing::ManualClock;
use larder::{Runtime, Warming, blocking, cached};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// What bodies were asked for, and when they go on.
#[derive(Debug, Default)]
struct Source {
    stage: Stage,
    asked: Mutex<Vec<Vec<u64>>>,
    fails: AtomicBool,
}

impl Source {
    fn open() -> Arc<Self> {
        Arc::new(Self { stage: Stage::open(), ..Self::default() })
    }

    fn closed() -> Arc<Self> {
        Arc::default()
    }

    /// For each id, a hundred times the number of bodies that have run.
    fn read(&self, ids: &[u64]) -> HashMap<u64, u64> {
        self.asked.lock().unwrap().push(ids.to_vec());
        let call = self.stage.act();
        assert!(!self.fails.load(SeqCst), "on purpose");
        ids.iter().map(|id| (*id, 100 * call + id)).collect()
    }

    async fn read_async(&self, ids: &[u64]) -> HashMap<u64, u64> {
        self.asked.lock().unwrap().push(ids.to_vec());
        let call = self.stage.act_async().await;
        ids.iter().map(|id| (*id, 100 * call + id)).collect()
    }

    fn asked(&self) -> Vec<Vec<u64>> {
        self.asked.lock().unwrap().iter().map(|ids| sorted(ids)).collect()
    }
}

fn sorted(ids: &[u64]) -> Vec<u64> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}

#[cached(batch = ids, ttl = "10s", refresh = "3s", tags("number:{id}"), skip(source))]
fn numbers(ids: &[u64], source: &Arc<Source>) -> HashMap<u64, u64> {
    source.read(ids)
}

#[cached(batch_of = numbers, skip(source))]
fn number(id: u64, source: &Source) -> Option<u64> {
    source.read(&[id]).remove(&id)
}

/// The values of these, by the number of the body that computed them.
fn of(call: u64, ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, 100 * call + id)).collect()
}

#[test]
fn those_near_their_end_are_served_and_computed_anew_together() {
    let (runtime, clock) = fresh();
    let source = Source::open();
    assert_eq!(runtime.with(|| numbers(&[1, 2, 3], &source)), of(1, &[1, 2, 3]));
    clock.advance(6 * SECOND);
    assert_eq!(runtime.with(|| numbers(&[3, 4], &source)).len(), 2);
    clock.advance(2 * SECOND);
    // The fourth is not due; the first of them is asked for by another call, which computes nothing.
    assert_eq!(runtime.with(|| number(1, &source)), Some(101));
    assert_eq!(runtime.with(|| numbers(&[1, 2, 3], &source)), of(1, &[1, 2, 3]));
    assert_eq!(runtime.with(|| numbers(&[4], &source)), of(2, &[4]));
    until("the others to be computed anew", || {
        [1, 2, 3].iter().all(|id| runtime.with(|| numbers::peek(id)) == Some(Some(300 + id)))
    });
    assert_eq!(source.asked(), [vec![1, 2, 3], vec![4], vec![1, 2, 3]]);
    let stats = runtime.with(numbers::stats);
    assert_eq!((stats.refreshes, stats.computations), (3, 7));
}

#[test]
fn c1_what_is_invalidated_while_it_is_computed_anew_is_not_stored() {
    let (runtime, clock) = fresh();
    runtime.with(|| numbers(&[1, 2], &Source::open()));
    clock.advance(8 * SECOND);
    let slow = Source::closed();
    runtime.with(|| numbers(&[1, 2], &slow));
    slow.stage.entered.wait("the body");
    runtime.with(|| blocking::invalidate_tag("number:1")).unwrap();
    slow.stage.leave.open();
    until("the other to be stored", || runtime.with(|| numbers::stats().stores) == 3);
    assert_eq!(runtime.with(|| numbers::peek(&1)), None);
}

#[test]
fn one_that_fails_behind_leaves_what_is_there() {
    let (runtime, clock) = fresh();
    runtime.with(|| numbers(&[1, 2], &Source::open()));
    clock.advance(8 * SECOND);
    let failing = Source::open();
    failing.fails.store(true, SeqCst);
    for _ in 0..3 {
        assert_eq!(runtime.with(|| numbers(&[1, 2], &failing)), of(1, &[1, 2]));
        until("the attempt to fail", || runtime.with(numbers::stats).failures == 2);
    }
    assert_eq!(failing.asked().len(), 1, "the next attempt is not due");
}

#[test]
fn without_an_executor_the_caller_computes_in_place() {
    #[cached(batch = ids, ttl = "10s", refresh = "3s", skip(source))]
    async fn numbers_async(ids: BTreeSet<u64>, source: Arc<Source>) -> BTreeMap<u64, u64> {
        let ids: Vec<u64> = ids.into_iter().collect();
        source.read(&ids).into_iter().collect()
    }

    let (runtime, clock) = fresh();
    let (ids, source) = (BTreeSet::from([1, 2]), Source::open());
    let call = || {
        let scoped = runtime.scope(numbers_async(ids.clone(), Arc::clone(&source)));
        futures_lite::future::block_on(scoped)
    };
    assert_eq!(call(), BTreeMap::from([(1, 101), (2, 102)]));
    clock.advance(8 * SECOND);
    assert_eq!(call(), BTreeMap::from([(1, 201), (2, 202)]));
    let stats = runtime.with(numbers_async::stats);
    assert_eq!((stats.refreshes, stats.hits), (2, 2));
}

#[cached(
    batch = ids, ttl = "10s", stale = "1h", grace = "1h", timeout = "1s", deadline = "3s", fallback = made_up, skip(source)
)]
fn hurried(ids: &[u64], source: &Arc<Source>) -> HashMap<u64, u64> {
    source.read(ids)
}

fn made_up(ids: &[u64], _: &Arc<Source>) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, 0)).collect()
}

/// A call of these, and the clock that it waits by.
fn waiting(
    (runtime, clock): &(Runtime, ManualClock),
    ids: &'static [u64],
    source: &Arc<Source>,
) -> crate::support::Running<HashMap<u64, u64>> {
    let (inside, given) = (runtime.clone(), Arc::clone(source));
    let caller = run("the caller", move || inside.with(|| hurried(ids, &given)));
    source.stage.entered.wait("the body");
    until("the caller to wait", || clock.sleepers() >= 1);
    caller
}

#[test]
fn where_it_takes_too_long_former_values_are_served_and_all_of_it_goes_on() {
    let world = fresh();
    let (runtime, clock) = &world;
    assert_eq!(runtime.with(|| hurried(&[1, 2], &Source::open())), of(1, &[1, 2]));
    clock.advance(11 * SECOND);
    let slow = Source::closed();
    slow.stage.calls.note();
    let caller = waiting(&world, &[1, 2], &slow);
    clock.advance(SECOND);
    assert_eq!(caller.ended(), of(1, &[1, 2]));
    let stats = runtime.with(hurried::stats);
    assert_eq!((stats.timeouts, stats.stale_hits, stats.computations), (2, 2, 2));
    slow.stage.leave.open();
    until("the others", || runtime.with(|| hurried::peek(&2)) == Some(Some(202)));
    assert_eq!(runtime.with(|| hurried(&[2, 1], &slow)), of(2, &[1, 2]));
    assert_eq!(slow.asked(), [[1, 2]]);
}

#[test]
fn where_one_has_no_former_value_all_wait_until_the_deadline() {
    let world = fresh();
    let (runtime, clock) = &world;
    runtime.with(|| hurried(&[1], &Source::open()));
    clock.advance(11 * SECOND);
    let slow = Source::closed();
    slow.stage.calls.note();
    let caller = waiting(&world, &[1, 2], &slow);
    clock.advance(SECOND);
    until("the first to be served", || runtime.with(hurried::stats).timeouts == 1);
    until("the caller to wait on", || clock.sleepers() >= 1);
    clock.advance(2 * SECOND);
    assert_eq!(caller.ended(), HashMap::from([(1, 0), (2, 0)]));
    assert_eq!(runtime.with(hurried::stats).fallbacks, 1);
    // Nothing of it is kept, and what goes on is.
    slow.stage.leave.open();
    until("the value", || runtime.with(|| hurried::peek(&2)) == Some(Some(202)));
}

#[test]
fn an_async_one_is_dropped_at_its_deadline_and_nobody_hangs() {
    async fn nothing_of(_: &[u64], _: &Source) -> HashMap<u64, u64> {
        HashMap::new()
    }

    fn nothing(_: &[u64], _: &Source) -> HashMap<u64, u64> {
        HashMap::new()
    }

    #[cached(batch = ids, deadline = "2s", fallback = nothing, skip(source))]
    async fn limited(ids: &[u64], source: &Source) -> HashMap<u64, u64> {
        source.read_async(ids).await
    }

    #[cached(batch_of = limited, skip(source))]
    async fn one(id: u64, source: &Source) -> Option<u64> {
        source.read_async(&[id]).await.remove(&id)
    }

    block_on(async {
        let (runtime, clock) = fresh();
        let source = Source::default();
        let scoped = runtime.scope(async {
            assert!(nothing_of(&[], &source).await.is_empty());
            let later = async {
                until_async("the body", || source.stage.calls.so_far() == 1).await;
                until_async("the caller to wait", || clock.sleepers() >= 1).await;
                clock.advance(2 * SECOND);
            };
            let call = limited(&[1, 2], &source);
            let (values, ()) = futures_lite::future::zip(call, later).await;
            assert_eq!(values, HashMap::new());
            // A call for one id has no deadline: what is given then is given for many.
            let pair = futures_lite::future::zip(one(3, &source), one(3, &source));
            let later = async {
                until_async("one to wait for the other", || clock.sleepers() >= 1).await;
                clock.advance(2 * SECOND);
                futures_lite::future::yield_now().await;
                source.stage.leave.open();
            };
            let (pair, ()) = futures_lite::future::zip(pair, later).await;
            assert_eq!(pair, (Some(203), Some(203)));
            assert_eq!(limited(&[1], &source).await, of(3, &[1]));
            assert_eq!(limited::stats().fallbacks, 1);
        });
        scoped.await;
    });
}

#[test]
fn what_is_handed_over_and_not_kept_is_computed_once() {
    fn none(_: &[u64], _: &Arc<Source>) -> HashMap<u64, u64> {
        HashMap::new()
    }

    // Named as one of its arguments is.
    #[cached(batch = ids, deadline = "3s", fallback = none, skip(absent))]
    fn absent(ids: &[u64], absent: &Arc<Source>) -> HashMap<u64, u64> {
        absent.read(ids);
        HashMap::new()
    }

    let (runtime, _clock) = fresh();
    for _ in 0..20 {
        let source = Source::open();
        assert_eq!(runtime.with(|| absent(&[1, 2, 3], &source)), HashMap::new());
        assert_eq!(source.asked(), [[1, 2, 3]]);
    }
}

#[test]
fn failures_that_can_t_be_copied_are_computed_in_place_and_once() {
    #[derive(Debug)]
    struct Unique;

    type Answers = HashMap<u64, Result<u64, Unique>>;

    fn none(_: &[u64], _: &Arc<Source>) -> Answers {
        HashMap::new()
    }

    #[cached(batch = ids, deadline = "3s", fallback = none, skip(source))]
    fn failing(ids: &[u64], source: &Arc<Source>) -> Answers {
        source.read(ids);
        ids.iter().map(|id| (*id, Err(Unique))).collect()
    }

    let (runtime, _clock) = fresh();
    let source = Source::open();
    let failed = runtime.with(|| failing(&[1, 2], &source));
    assert!(failed.values().all(Result::is_err) && failed.len() == 2);
    assert_eq!(source.asked(), [[1, 2]]);
}

#[test]
fn what_was_handed_over_is_waited_for_however_long_others_would_be() {
    #[cached(
        batch = ids, ttl = "10s", stale = "1h", timeout = "1s", deadline = "1h", fallback = made_up, wait = "5s", skip(source)
    )]
    fn patient(ids: &[u64], source: &Arc<Source>) -> HashMap<u64, u64> {
        source.read(ids)
    }

    let (runtime, clock) = fresh();
    runtime.with(|| patient(&[1], &Source::open()));
    clock.advance(11 * SECOND);
    let slow = Source::closed();
    let (inside, given) = (runtime.clone(), Arc::clone(&slow));
    let caller = run("the caller", move || inside.with(|| patient(&[1, 2], &given)));
    slow.stage.entered.wait("the body");
    until("the caller to wait", || clock.sleepers() >= 1);
    clock.advance(SECOND);
    until("the first to be served", || runtime.with(patient::stats).timeouts == 1);
    until("the caller to wait on", || clock.sleepers() >= 1);
    clock.advance(20 * SECOND);
    until("the caller to wait on", || clock.sleepers() >= 1);
    slow.stage.leave.open();
    assert_eq!(caller.ended(), HashMap::from([(1, 101), (2, 102)]));
    assert_eq!(slow.asked(), [[1, 2]]);
}

/// C7: the same as of a single call.
#[test]
fn what_another_call_gave_up_is_not_waited_for_beyond_the_deadline_either() {
    fn nothing(_: &[u64], _: &Arc<Source>, _: bool) -> HashMap<u64, u64> {
        HashMap::new()
    }

    #[cached(batch = ids, deadline = "2s", fallback = nothing, skip(source, fails))]
    fn given_up(ids: &[u64], source: &Arc<Source>, fails: bool) -> HashMap<u64, u64> {
        let found = source.read(ids);
        assert!(!fails, "as it is meant to");
        found
    }

    /// Inside a computation nothing is handed over.
    #[cached(skip(source))]
    fn around(source: &Arc<Source>) -> usize {
        given_up(&[1, 2], source, true).len()
    }

    let (runtime, clock) = fresh();
    let (first, second) = (Source::closed(), Source::closed());
    let (inside, source) = (runtime.clone(), Arc::clone(&first));
    let leader = run("the leader", move || {
        catch_unwind(AssertUnwindSafe(|| inside.with(|| around(&source)))).is_err()
    });
    first.stage.entered.wait("the first body");
    let (inside, source) = (runtime.clone(), Arc::clone(&second));
    let caller = run("the caller", move || inside.with(|| given_up(&[2, 1], &source, false)));
    until("the caller to wait", || clock.sleepers() >= 1);
    first.stage.leave.open();
    assert!(leader.ended(), "the body did not panic");
    second.stage.entered.wait("the second body");
    until("the caller to wait on", || clock.sleepers() >= 1);
    clock.advance(2 * SECOND);
    assert!(caller.ended().is_empty(), "it waited for what it went on with");
    second.stage.leave.open();
    until("the end of the computation", || runtime.with(|| given_up::peek(&2)).is_some());
}

fn first_ids() -> Vec<Vec<u64>> {
    vec![vec![1, 2], vec![2, 3]]
}

#[cached(batch = ids, warm = first_ids)]
fn squares(ids: Vec<u64>) -> Result<HashMap<u64, u64>, String> {
    if ids.contains(&13) {
        return Err("bad luck".to_owned());
    }
    Ok(ids.into_iter().map(|id| (id, id * id)).collect())
}

#[test]
fn a_batch_is_warmed_with_many_batches() {
    let (runtime, _clock) = fresh();
    runtime.with(|| {
        let warmed = squares::warm([vec![1, 2], vec![2, 1], vec![12, 13], vec![2, 3]]);
        assert_eq!((warmed.calls, warmed.skipped), (4, 1));
        assert_eq!(warmed.failures.iter().map(|it| it.position).collect::<Vec<_>>(), [2]);
        assert_eq!(squares::peek(&3), Some(Some(9)));
        let warming = Warming::new().concurrency(2);
        let warmed = squares::warm_with(warming, [vec![3, 2, 1], vec![4]]);
        assert_eq!((warmed.calls, warmed.skipped), (2, 1));
        assert_eq!(squares::peek(&4), Some(Some(16)));
    });
}

#[test]
fn where_nothing_runs_behind_it_who_has_a_deadline_is_served_what_is_near_its_end() {
    fn nothing(_: &[u64], _: &Arc<Source>) -> HashMap<u64, u64> {
        HashMap::new()
    }

    #[cached(
        batch = ids, ttl = "10s", refresh = "3s", deadline = "2s", fallback = nothing, skip(source)
    )]
    async fn limited(ids: &[u64], source: &Arc<Source>) -> HashMap<u64, u64> {
        source.read_async(ids).await
    }

    let (runtime, clock) = fresh();
    let call = |ids: &[u64], source: &Arc<Source>| {
        futures_lite::future::block_on(runtime.scope(limited(ids, source)))
    };
    call(&[1], &Source::open());
    clock.advance(8 * SECOND);
    call(&[2], &Source::open());
    assert_eq!(call(&[1, 2], &Source::closed()), of(1, &[1, 2]), "the body would not have ended");
    let stats = runtime.with(limited::stats);
    assert_eq!((stats.hits, stats.refreshes, stats.fallbacks), (2, 0, 0));
}

#[test]
fn who_comes_to_wait_after_its_timeout_takes_a_former_value_at_once() {
    #[cached(batch = ids, ttl = "10s", grace = "1h", timeout = "1s", skip(source))]
    async fn lenient(ids: &[u64], source: &Arc<Source>) -> HashMap<u64, u64> {
        source.read_async(ids).await
    }

    let (runtime, clock) = fresh();
    let call = |ids: &'static [u64], source: &Arc<Source>| {
        let (inside, source) = (runtime.clone(), Arc::clone(source));
        run("a caller", move || futures_lite::future::block_on(inside.scope(lenient(ids, &source))))
    };
    call(&[1], &Source::open()).ended();
    clock.advance(11 * SECOND);
    let [first, second] = [(); 2].map(|()| Source::closed());
    // There is nothing to serve instead of the third.
    let leader = call(&[1, 3], &first);
    until("the first body", || first.stage.calls.so_far() == 1);
    let other = call(&[1, 2], &second);
    until("the second body", || second.stage.calls.so_far() == 1);
    // That of the second is over before it waits for the first.
    clock.advance(2 * SECOND);
    second.stage.leave.open();
    assert_eq!(other.ended(), HashMap::from([(1, 101), (2, 102)]));
    assert_eq!(runtime.with(lenient::stats).timeouts, 1);
    first.stage.leave.open();
    leader.ended();
}

/// Nothing runs behind these calls, nor could their errors be handed on.
#[test]
fn a_batch_that_takes_too_long_is_dropped_where_it_can_not_go_on() {
    #[derive(Debug, PartialEq)]
    struct Unique;

    #[cached(
        batch = ids, ttl = "10s", stale = "5s", grace = "1h", timeout = "1s", tags("batch:{id}"), skip(source)
    )]
    async fn fragile(ids: &[u64], source: &Arc<Source>) -> HashMap<u64, Result<u64, Unique>> {
        source.read_async(ids).await.into_iter().map(|(id, value)| (id, Ok(value))).collect()
    }

    let (runtime, clock) = fresh();
    let call = |ids: &'static [u64], source: &Arc<Source>| {
        let (inside, source) = (runtime.clone(), Arc::clone(source));
        run("a caller", move || futures_lite::future::block_on(inside.scope(fragile(ids, &source))))
    };
    let first = HashMap::from([(1, Ok(101)), (2, Ok(102))]);
    assert_eq!(call(&[1, 2], &Source::open()).ended(), first);
    clock.advance(20 * SECOND);
    let slow = Source::closed();
    let caller = call(&[1, 2], &slow);
    until("the caller to wait", || clock.sleepers() >= 1);
    clock.advance(SECOND);
    assert_eq!(caller.ended(), first);
    let stats = runtime.with(fragile::stats);
    assert_eq!((stats.timeouts, stats.grace_hits, stats.computations), (2, 2, 2));
    // The next attempt is not due, and then it is, and has a part for which there is nothing else.
    assert_eq!(call(&[1, 2], &Source::closed()).ended(), first);
    clock.advance(10 * SECOND);
    let slow = Source::closed();
    let caller = call(&[1, 2, 3], &slow);
    until("the caller to wait", || clock.sleepers() >= 1);
    clock.advance(SECOND);
    until("the caller to wait on", || clock.sleepers() == 0);
    slow.stage.leave.open();
    assert_eq!(caller.ended(), HashMap::from([(1, Ok(101)), (2, Ok(102)), (3, Ok(103))]));
    assert_eq!(slow.asked(), [[1, 2, 3]]);
    assert_eq!(runtime.with(fragile::stats).timeouts, 2);
}

/// Nothing runs behind these calls: what is due joins what is missing.
#[test]
fn c6_what_goes_by_the_order_of_a_set_is_of_its_own_id_however_it_came_to_be_due() {
    #[cached(batch = ids, ttl = "60s", refresh = "30s")]
    async fn tens(ids: &BTreeSet<u64>) -> Vec<Option<u64>> {
        ids.iter().map(|id| Some(10 * id)).collect()
    }

    let (runtime, clock) = fresh();
    let call = |ids: &[u64]| {
        let ids = ids.iter().copied().collect();
        futures_lite::future::block_on(runtime.scope(tens(&ids)))
    };
    assert_eq!(call(&[1]), [Some(10)]);
    clock.advance(40 * SECOND);
    for _ in 0..2 {
        assert_eq!(call(&[1, 2, 3]), [Some(10), Some(20), Some(30)]);
    }
    let stats = runtime.with(tens::stats);
    assert_eq!((stats.refreshes, stats.computations), (1, 4));
}

#[test]
fn a_call_for_one_id_of_a_batch_has_none_of_its_timeout() {
    #[cached(batch = ids, ttl = "10s", stale = "1h", timeout = "1s")]
    async fn many(ids: &[u64]) -> HashMap<u64, u64> {
        ids.iter().map(|id| (*id, 0)).collect()
    }

    #[cached(batch_of = many, skip(stage))]
    async fn one(id: u64, stage: &Stage) -> Option<u64> {
        Some(id + stage.act_async().await)
    }

    let (runtime, clock) = fresh();
    assert_eq!(futures_lite::future::block_on(runtime.scope(many(&[1]))), HashMap::from([(1, 0)]));
    clock.advance(11 * SECOND);
    let stage = Arc::new(Stage::default());
    let (inside, given) = (runtime.clone(), Arc::clone(&stage));
    let caller =
        run("a caller", move || futures_lite::future::block_on(inside.scope(one(1, &given))));
    until("the body", || stage.calls.so_far() == 1);
    // Whenever it would begin to count.
    for _ in 0..20 {
        clock.advance(SECOND / 10);
        std::thread::sleep(Duration::from_millis(5));
    }
    stage.leave.open();
    assert_eq!(caller.ended(), Some(2));
    assert_eq!(runtime.with(many::stats).timeouts, 0);
}
