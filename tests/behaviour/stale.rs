//! `stale`: after its time to live, a value is computed anew by one caller, and served to the others
//! meanwhile.

use crate::support::{Calls, Stage, block_on, fresh, run, until, until_async};
use larder::{Runtime, blocking, cached};
use std::sync::Arc;
use std::time::Duration;

const TTL: Duration = Duration::from_secs(10);
const STALE: Duration = Duration::from_secs(60);

/// Returns how often it has run.
#[cached(ttl = "10s", stale = "1m", tags("stale"), skip(stage))]
fn number(id: u64, stage: &Stage) -> u64 {
    let _ = id;
    stage.act()
}

#[cached(ttl = "10s", stale = "1m", skip(stage))]
async fn number_async(id: u64, stage: Arc<Stage>) -> u64 {
    let _ = id;
    stage.act_async().await
}

/// What comes of two runs of a body, of which the second goes on when told to.
struct Twice {
    runtime: Runtime,
    first: Stage,
    second: Arc<Stage>,
}

impl Twice {
    fn new(runtime: &Runtime) -> Self {
        let (first, second) = (Stage::open(), Arc::new(Stage::default()));
        second.calls.note();
        let this = Self { runtime: runtime.clone(), first, second };
        assert_eq!(this.call(), 1);
        this
    }

    /// A call that would count on from the first run.
    fn call(&self) -> u64 {
        self.runtime.with(|| number(7, &self.first))
    }

    /// Has another caller compute it anew, as far as the middle of its body.
    fn begin(&self) -> crate::support::Running<u64> {
        let (runtime, stage) = (self.runtime.clone(), Arc::clone(&self.second));
        let running = run("the caller that computes", move || runtime.with(|| number(7, &stage)));
        self.second.entered.wait("its body");
        running
    }
}

#[test]
fn a_stale_value_is_served_while_one_caller_computes_it_anew() {
    let (runtime, clock) = fresh();
    let twice = Twice::new(&runtime);
    clock.advance(TTL);
    let leader = twice.begin();
    for _ in 0..3 {
        assert_eq!(twice.call(), 1);
    }
    let stats = runtime.with(number::stats);
    assert_eq!((stats.hits, stats.stale_hits, stats.misses_expired), (3, 3, 1));
    assert_eq!((stats.computations, stats.joins), (1, 0));
    twice.second.leave.open();
    assert_eq!(leader.ended(), 2);
    assert_eq!(twice.call(), 2);
    let stats = runtime.with(number::stats);
    assert_eq!((stats.hits, stats.stale_hits, stats.computations), (4, 3, 2));
}

#[test]
fn a_stale_value_is_served_to_futures_too() {
    let (runtime, clock) = fresh();
    let check = async {
        assert_eq!(number_async(7, Arc::new(Stage::open())).await, 1);
        clock.advance(TTL);
        let stage = Arc::new(Stage::default());
        stage.calls.note();
        let leader = tokio::spawn(larder::inherit(number_async(7, Arc::clone(&stage))));
        stage.entered.passed().await;
        assert_eq!(number_async(7, Arc::new(Stage::open())).await, 1);
        stage.leave.open();
        assert_eq!(leader.await.unwrap(), 2);
        assert_eq!(number_async(7, Arc::new(Stage::open())).await, 2);
    };
    block_on(runtime.scope(check));
}

#[test]
fn when_the_time_to_be_stale_is_over_callers_wait() {
    let (runtime, clock) = fresh();
    let twice = Arc::new(Twice::new(&runtime));
    clock.advance(TTL + STALE - Duration::from_nanos(1));
    let leader = twice.begin();
    assert_eq!(twice.call(), 1);
    clock.advance(Duration::from_nanos(1));
    let other = Arc::clone(&twice);
    let waiting = run("a caller that waits", move || other.call());
    until("it to wait", || clock.sleepers() == 1);
    twice.second.leave.open();
    assert_eq!((leader.ended(), waiting.ended()), (2, 2));
}

/// C1: whatever is served meanwhile, what was invalidated is not.
#[test]
fn what_was_invalidated_is_not_served_stale() {
    let (runtime, clock) = fresh();
    let twice = Twice::new(&runtime);
    twice.second.calls.note();
    clock.advance(TTL);
    let leader = twice.begin();
    assert_eq!(twice.call(), 1);
    runtime.with(|| blocking::invalidate_tag("stale")).unwrap();
    // It waits for nobody: what is under way is overtaken.
    assert_eq!(twice.call(), 2);
    twice.second.leave.open();
    assert_eq!(leader.ended(), 3);
    assert_eq!(twice.call(), 2, "the later one stays");
}

/// V7: what was read stale is not stored as fresh.
#[test]
fn what_is_made_of_a_stale_value_is_not_kept() {
    static RUNS: Calls = Calls::new();

    #[cached(skip(first))]
    fn outer(first: &Stage) -> u64 {
        RUNS.note();
        number(7, first)
    }

    let (runtime, clock) = fresh();
    let twice = Twice::new(&runtime);
    clock.advance(TTL);
    let leader = twice.begin();
    let outer = || runtime.with(|| outer(&twice.first));
    assert_eq!([outer(), outer()], [1, 1]);
    assert_eq!(RUNS.taken(), 2);
    twice.second.leave.open();
    assert_eq!(leader.ended(), 2);
    assert_eq!([outer(), outer()], [2, 2]);
    assert_eq!(RUNS.taken(), 1);
}

/// F1: who computes it anew may be gone before it is done.
#[test]
fn the_next_caller_takes_over_from_one_that_was_cancelled() {
    let (runtime, clock) = fresh();
    let check = async {
        assert_eq!(number_async(7, Arc::new(Stage::open())).await, 1);
        clock.advance(TTL);
        let stage = Arc::new(Stage::default());
        let leader = tokio::spawn(larder::inherit(number_async(7, Arc::clone(&stage))));
        stage.entered.passed().await;
        assert_eq!(number_async(7, Arc::new(Stage::open())).await, 1);
        leader.abort();
        until_async("it to be gone", || leader.is_finished()).await;
        let stage = Arc::new(Stage::open());
        stage.calls.note();
        assert_eq!(number_async(7, stage).await, 2);
    };
    block_on(runtime.scope(check));
}
