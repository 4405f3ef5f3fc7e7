//! Values whose time is over or nearly: `stale`, `grace`, `refresh`, `timeout`, `deadline` and `negative`, each
//! and all of them together, with a body that fails now and then, a clock that moves, and an executor that may
//! throw away what it is given.
//!
//! The oracle, beside that of all: nothing is served that was too old when its caller called; where nothing
//! is invalidated, one body runs at a time; nobody hangs.

use super::{SCHEDULES, Source, complain, find_with};
use crate::call::{Call, Found, look_up};
use crate::clock::{Clock, Sleep};
use crate::errand::Errand;
use crate::key::{Arg, PlainArg as _};
use crate::mark::Mark;
use crate::outcome::{Kind, KindOf as _, Negative, Probe};
use crate::planted::Bug;
use crate::runtime::Runtime;
use crate::site::{FunctionOptions, Site};
use crate::target::Target;
use crate::verdict::Verdict;
use shuttle::rand::{Rng as _, thread_rng};
use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicU64, Ordering::SeqCst};
use shuttle::{future, thread};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::sync::{Arc, LazyLock};
use std::task::{Poll, Waker};
use std::time::Duration;

pub(super) const TTL: u64 = 10;
pub(super) const LINGER: u64 = 20;
const NEGATIVE: u64 = 3;

/// Which options a function has: one bit for each.
const STALE: usize = 1;
const GRACE: usize = 2;
const REFRESH: usize = 4;
pub(super) const TIMEOUT: usize = 8;
const DEADLINE: usize = 16;
const NEGATES: usize = 32;

static SITES: LazyLock<Vec<Site>> = LazyLock::new(|| (0..64).map(site).collect());

pub(super) fn site(options: usize) -> Site {
    let seconds =
        |bit: usize, seconds| (options & bit != 0).then_some(Duration::from_secs(seconds));
    let mut site = FunctionOptions::new("model", "fresh");
    site.ttl = Some(Duration::from_secs(TTL));
    site.stale = seconds(STALE, LINGER).unwrap_or_default();
    site.grace = seconds(GRACE, LINGER).unwrap_or_default();
    site.refresh = seconds(REFRESH, 4);
    site.timeout = seconds(TIMEOUT, 2);
    site.deadline = seconds(DEADLINE, 4);
    site.negative = seconds(NEGATES, NEGATIVE);
    // Who waits is never the one to compute beside another.
    site.wait = Duration::from_secs(100_000);
    Site::new(site)
}

/// A clock that a thread of the schedule moves.
#[derive(Clone, Default)]
pub(super) struct Hands(Arc<(AtomicU64, Mutex<Vec<Waker>>)>);

impl Hands {
    fn seconds(&self) -> u64 {
        self.0.0.load(SeqCst)
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.0.0.fetch_add(seconds, SeqCst);
        let asleep = std::mem::take(&mut *self.0.1.lock().unwrap());
        asleep.into_iter().for_each(Waker::wake);
    }
}

impl Clock for Hands {
    fn now(&self) -> Duration {
        Duration::from_secs(self.seconds())
    }

    fn sleep(&self, span: Duration) -> Sleep {
        let (hands, end) = (self.clone(), self.now() + span);
        Box::pin(poll_fn(move |task| {
            hands.0.1.lock().unwrap().push(task.waker().clone());
            if hands.now() >= end { Poll::Ready(()) } else { Poll::Pending }
        }))
    }
}

/// What the body read, and a number of its own.
type Answer = Result<(u64, u64), u64>;

/// What a deadline gives.
const FALLBACK: u64 = u64::MAX;

struct World {
    runtime: Runtime,
    clock: Hands,
    options: usize,
    source: Source,
    /// So many of the bodies that run next fail.
    failures: AtomicU64,
    bodies: AtomicU64,
    running: AtomicU64,
    is_invalidated: bool,
    /// When somebody had a value in hand: it was born before that.
    born: Mutex<HashMap<u64, u64>>,
}

/// A body that runs, until it ends or is dropped.
struct Running<'a>(&'a World);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl World {
    fn new(is_invalidated: bool) -> Arc<Self> {
        let clock = Hands::default();
        let options = thread_rng().gen_range(0..SITES.len());
        let throws_away = thread_rng().gen_range(0..4) == 0;
        let runtime = Runtime::builder()
            .clock(clock.clone())
            .backoff(Duration::from_secs(1), Duration::from_secs(4))
            .executor(move |job| {
                if !throws_away {
                    drop(future::spawn(job));
                }
            })
            .build()
            .unwrap();
        let (source, failures, bodies) = (Source::default(), AtomicU64::new(0), AtomicU64::new(0));
        let (running, born) = (AtomicU64::new(0), Mutex::default());
        Arc::new(Self {
            runtime,
            clock,
            options,
            source,
            failures,
            bodies,
            running,
            is_invalidated,
            born,
        })
    }

    fn has(&self, option: usize) -> bool {
        self.options & option != 0
    }

    /// Calls the function, and judges what comes of it.
    async fn call(self: Arc<Self>) {
        let (floor, called) = (self.source.acknowledged.load(SeqCst), self.clock.seconds());
        let answer = Arc::clone(&self).ask().await;
        let Ok((read, number)) = answer else {
            self.judge_failure(answer, called);
            return;
        };
        if read < floor {
            complain(format!("{read} is older than {floor}"));
        }
        let now = self.clock.seconds();
        let born = *self.born.lock().unwrap().entry(number).or_insert(now);
        let is_lenient = self.has(STALE) || self.has(GRACE);
        let most = TTL + if is_lenient { LINGER } else { 0 };
        if called >= born + most {
            complain(format!("of {born} s, it is past its time at {called} s"));
        }
    }

    fn judge_failure(&self, answer: Answer, called: u64) {
        let Err(number) = answer else { return };
        if number == FALLBACK {
            assert!(self.has(DEADLINE), "there is no other fallback");
            return;
        }
        let now = self.clock.seconds();
        let born = *self.born.lock().unwrap().entry(number).or_insert(now);
        if called >= born + NEGATIVE {
            complain(format!("of {born} s, the error is past its time at {called} s"));
        }
    }

    async fn ask(self: Arc<Self>) -> Answer {
        let kind = (&&&&Probe::<Answer>::new()).__larder_kind();
        if self.has(NEGATES) {
            self.ask_as(Negative::of(kind)).await
        } else {
            self.ask_as(kind).await
        }
    }

    async fn ask_as<Kd: Kind<Out = Answer>>(self: Arc<Self>, kind: Kd) -> Answer {
        let again = || {
            let world = Arc::clone(&self);
            Errand::future(world.ask_boxed())
        };
        let call = Call::new(&SITES[self.options], &|| {}, &(), kind);
        let call = call.on(&self.runtime).outlived_by(&again);
        let key = 7_u64;
        let found = look_up(call, &(Arg(&key).__larder_part(),), |_| {});
        match found {
            Found::Hit(answer) => answer,
            Found::Miss(miss) if self.has(DEADLINE) => {
                let fallback = || Err(FALLBACK);
                miss.compute_or_async(|| self.body(), |_| Verdict::new(), fallback).await
            }
            Found::Miss(miss) => miss.compute_async(|| self.body(), |_| Verdict::new()).await,
        }
    }

    fn ask_boxed(self: Arc<Self>) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send>> {
        Box::pin(self.ask())
    }

    async fn body(&self) -> Answer {
        let others = self.running.fetch_add(1, SeqCst);
        let _running = Running(self);
        if others > 0 && !self.is_invalidated {
            complain("two compute it at a time".to_owned());
        }
        let number = self.bodies.fetch_add(1, SeqCst);
        let read = self.source.value.load(SeqCst);
        crate::invalidation::tag("t");
        future::yield_now().await;
        let fails = |left: u64| left.checked_sub(1);
        if self.failures.fetch_update(SeqCst, SeqCst, fails).is_ok() {
            return Err(number);
        }
        Ok((read, number))
    }

    fn invalidate(&self) {
        let bumped = self.source.value.fetch_add(1, SeqCst) + 1;
        self.runtime.record_here(&Target::Any(vec![Mark::tag("t")]));
        self.source.acknowledged.fetch_max(bumped, SeqCst);
    }
}

/// Two callers while time passes, with a value that is about to be over its time.
fn scenario(is_invalidated: bool) {
    let world = World::new(is_invalidated);
    future::block_on(Arc::clone(&world).call());
    world.failures.store(thread_rng().gen_range(0..3), SeqCst);
    world.clock.advance([0, 7, 11, 25][thread_rng().gen_range(0..4)]);
    let mut threads: Vec<_> = (0..2)
        .map(|_| {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                for _ in 0..2 {
                    future::block_on(Arc::clone(&world).call());
                }
            })
        })
        .collect();
    let hands = world.clock.clone();
    threads.push(thread::spawn(move || [2, 5, 9, 20].into_iter().for_each(|it| hands.advance(it))));
    if is_invalidated {
        let world = Arc::clone(&world);
        threads.push(thread::spawn(move || world.invalidate()));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    future::block_on(world.call());
}

fn find(bug: Option<Bug>) -> Option<String> {
    find_with(bug, || {
        for is_invalidated in [false, true] {
            shuttle::check_random(move || scenario(is_invalidated), 2 * SCHEDULES);
            shuttle::check_pct(move || scenario(is_invalidated), SCHEDULES, 3);
        }
    })
}

#[test]
fn what_is_served_after_its_time_keeps_every_promise() {
    assert_eq!(find(None), None);
}

finds! {
    a_former_value_served_unchecked_is_found: FormerUnchecked, "is older than";
    a_stamp_taken_at_store_time_is_found_in_a_renewal: StampAtStore, "is older than";
    a_former_value_served_for_ever_is_found: FormerForEver, "is past its time";
    a_renewal_beside_a_computation_is_found: RenewedBeside, "two compute it at a time";
    a_claim_that_nobody_gives_up_is_found: ClaimKept, "deadlock";
}
