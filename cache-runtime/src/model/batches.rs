//! Batches: two that overlap, in opposite orders, while one of their ids is invalidated, and a call of one id.
//! They compute in place, or hand that over to an executor, which may throw it away. In some worlds time passes,
//! and the function has `stale`, `grace`, `refresh` and `timeout`, or some of them.
//!
//! The oracle, beside that of all: where nothing is invalidated nor fails as a whole, each id is computed once between
//! them, and once at a time where time passes; nobody hangs.

use super::freshness::{self, Hands, LINGER, TIMEOUT, TTL};
use super::{SCHEDULES, Source, complain, find_with};
use crate::batch::{Batch, Each};
use crate::call::{Call, look_up};
use crate::desk::Sitting;
use crate::errand::{Again, Errand};
use crate::key::{Arg, PlainArg as _};
use crate::mark::Mark;
use crate::outcome::{KindOf as _, Probe};
use crate::planted::Bug;
use crate::runtime::Runtime;
use crate::site::{FunctionOptions, Site};
use crate::target::Target;
use crate::verdict::Verdict;
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::sync::atomic::{AtomicU64, Ordering::SeqCst};
use shuttle::{future, thread};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static IN_PLACE: Site = Site::new(FunctionOptions::new("model", "many"));

static HANDING_OVER: LazyLock<Site> = LazyLock::new(|| {
    let mut options = FunctionOptions::new("model", "many handed over");
    // It never comes.
    options.deadline = Some(Duration::from_secs(1));
    Site::new(options)
});

/// With each combination of the options that are for a time after or near the end of another.
static AGING: LazyLock<Vec<Site>> =
    LazyLock::new(|| (0..2 * TIMEOUT).map(freshness::site).collect());

const IDS: usize = 3;
const TAGS: [&str; IDS] = ["a", "b", "c"];

struct World {
    runtime: Runtime,
    site: &'static Site,
    sources: [Source; IDS],
    computed: [AtomicU64; IDS],
    running: [AtomicU64; IDS],
    /// One of the batches fails as a whole.
    failures: AtomicU64,
    /// Those that waited for it then compute at once, each for itself.
    fails: bool,
    is_invalidated: bool,
}

/// A body that runs for an id, until it ends or is dropped.
struct Running<'a>(&'a AtomicU64);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

type Answer = Result<HashMap<usize, u64>, ()>;

impl World {
    async fn call(self: Arc<Self>, ids: &[usize]) {
        let floor = self.sources.each_ref().map(|source| source.acknowledged.load(SeqCst));
        let Ok(answer) = Arc::clone(&self).ask(ids).await else { return };
        for id in ids {
            let read = answer[id];
            if read < floor[*id] {
                complain(format!("{read} is older than {}", floor[*id]));
            }
        }
    }

    fn ask_again(self: Arc<Self>, ids: Vec<usize>) -> Errand {
        let call: Pin<Box<dyn Future<Output = ()> + Send>> =
            Box::pin(async move { drop(self.ask(&ids).await) });
        Errand::future(call)
    }

    async fn ask(self: Arc<Self>, ids: &[usize]) -> Answer {
        let kind = Each(Probe::<u64>::new().__larder_kind());
        let look = |id: &usize, sitting: &mut Sitting<'_>| {
            let call = Call::new(self.site, &|| {}, &(), kind);
            let call = call.together(sitting).on(&self.runtime);
            look_up(call, &(Arg(id).__larder_part(),), |declared| {
                // Of the others it is found.
                if *id == 0 {
                    declared.tag(format_args!("{}", TAGS[0]));
                }
            })
        };
        let again = || {
            let world = Arc::clone(&self);
            Again::new(move |ids| world.ask_again(ids))
        };
        let batch =
            Batch::<[usize], _, _, _, _, _>::ask(self.site, ids, |id| id, look, Some(again));
        let this = &*self;
        let body = |ids: Vec<usize>| async move {
            let mut read = HashMap::new();
            let _running: Vec<_> = ids.iter().map(|id| this.run(*id)).collect();
            for id in ids {
                this.computed[id].fetch_add(1, SeqCst);
                read.insert(id, this.sources[id].value.load(SeqCst));
                if id > 0 {
                    crate::invalidation::tag(TAGS[id]);
                }
                future::yield_now().await;
            }
            let fails = |left: u64| left.checked_sub(1);
            if this.failures.fetch_update(SeqCst, SeqCst, fails).is_ok() {
                return Err(());
            }
            Ok(read)
        };
        let fallback = || -> Answer { unreachable!("time stands still") };
        batch.compute_or_async(body, |_| Verdict::new(), fallback).await
    }

    fn run(&self, id: usize) -> Running<'_> {
        let running = &self.running[id];
        if running.fetch_add(1, SeqCst) > 0 && !self.is_invalidated && !self.fails {
            complain(format!("two bodies at once for {id}"));
        }
        Running(running)
    }

    fn invalidate(&self, id: usize) {
        let source = &self.sources[id];
        let bumped = source.value.fetch_add(1, SeqCst) + 1;
        self.runtime.record_here(&Target::Any(vec![Mark::tag(TAGS[id])]));
        source.acknowledged.fetch_max(bumped, SeqCst);
    }
}

fn scenario(is_invalidated: bool, ages: bool) {
    let throws_away = thread_rng().gen_range(0..4) == 0;
    let clock = Hands::default();
    let backoff = Duration::from_secs(1);
    let runtime = Runtime::builder().clock(clock.clone()).backoff(backoff, 4 * backoff);
    let runtime = runtime.executor(move |job| {
        if !throws_away {
            drop(future::spawn(job));
        }
    });
    let runtime = runtime.build().unwrap();
    let site = match thread_rng().gen_range(0..2) {
        _ if ages => &AGING[thread_rng().gen_range(0..AGING.len())],
        0 => &IN_PLACE,
        _ => &HANDING_OVER,
    };
    let fails = thread_rng().gen_range(0..2) > 0;
    let failures = AtomicU64::new(0);
    let (sources, computed, running) = Default::default();
    let world =
        World { runtime, site, sources, computed, running, failures, fails, is_invalidated };
    let world = Arc::new(world);
    if ages {
        // Near its end, over it, or long after.
        future::block_on(Arc::clone(&world).call(&[0, 1]));
        clock.advance([TTL - 2, TTL + 1, TTL + LINGER][thread_rng().gen_range(0..3)]);
    }
    world.failures.store(fails.into(), SeqCst);
    let calls: [&[usize]; 3] = [&[0, 1], &[1, 0, 2], &[2, 2]];
    let mut threads: Vec<_> = calls
        .into_iter()
        .map(|ids| {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                future::block_on(Arc::clone(&world).call(ids));
                if world.is_invalidated || ages {
                    future::block_on(Arc::clone(&world).call(ids));
                }
            })
        })
        .collect();
    if is_invalidated {
        let world = Arc::clone(&world);
        threads.push(thread::spawn(move || {
            world.invalidate(1);
            world.invalidate(2);
        }));
    }
    if ages {
        threads.push(thread::spawn(move || {
            for seconds in [3, TTL, LINGER] {
                clock.advance(seconds);
                thread::yield_now();
            }
        }));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    if !is_invalidated && !fails && !ages {
        let computed = world.computed.each_ref().map(|it| it.load(SeqCst));
        if computed != [1; IDS] {
            complain(format!("so often was each computed: {computed:?}"));
        }
    }
    future::block_on(world.call(&[0, 1, 2]));
}

fn find(bug: Option<Bug>) -> Option<String> {
    find_with(bug, || {
        for (is_invalidated, ages) in [(false, false), (true, false), (false, true), (true, true)] {
            shuttle::check_random(move || scenario(is_invalidated, ages), SCHEDULES);
            shuttle::check_pct(move || scenario(is_invalidated, ages), SCHEDULES, 3);
        }
    })
}

#[test]
fn batches_that_overlap_keep_every_promise() {
    assert_eq!(find(None), None);
}

finds! {
    a_batch_that_takes_elements_unchecked_is_found: JoinedUnchecked, "is older than";
    a_batch_stamped_at_store_time_is_found: StampAtStore, "is older than";
    a_batch_that_waits_before_it_lands_is_found: WaitsBeforeLanding, "deadlock";
    a_claim_of_a_batch_that_nobody_gives_up_is_found: ClaimKept, "deadlock";
    a_renewal_beside_a_batch_is_found: RenewedBeside, "two bodies at once";
    a_former_value_of_a_batch_that_was_invalidated_is_found: FormerUnchecked, "is older than";
}
