//! Versions and single-flight: callers, invalidators, and sweeps.

use super::{Frozen, SCHEDULES, Source, complain, find_with};
use crate::call::{Call, Found, look_up};
use crate::clock::TimeSource;
use crate::counters::Counters;
use crate::entry::Marks;
use crate::frame::Keyed;
use crate::key::{Arg, PlainArg as _};
use crate::mark::Mark;
use crate::outcome::{KindOf as _, Probe};
use crate::planted::Bug;
use crate::runtime::Runtime;
use crate::site::{FunctionOptions, Site};
use crate::target::Target;
use crate::tier::memory::{AnyMemory as _, Begun, Capacity, Leniency, Memory};
use crate::verdict::Verdict;
use crate::versions::Versions;
use shuttle::sync::atomic::Ordering::SeqCst;
use shuttle::thread;
use std::sync::Arc;

static SITE: Site = Site::new(FunctionOptions::new("model", "read"));

struct World {
    runtime: Runtime,
    sources: [Source; 2],
}

const TAGS: [&str; 2] = ["t", "u"];

impl World {
    fn new() -> Arc<Self> {
        assert_eq!(SITE.options.keyed, Keyed::NOTHING);
        let runtime = Runtime::builder().clock(Frozen).build().unwrap();
        Arc::new(Self { runtime, sources: Default::default() })
    }

    /// Calls a function that reads both sources and finds their tags on the way.
    fn call(&self) {
        let floor = self.sources.each_ref().map(|source| source.acknowledged.load(SeqCst));
        let kind = (&&&&Probe::<[u64; 2]>::new()).__larder_kind();
        let call = Call::new(&SITE, &|| {}, &(), kind).on(&self.runtime);
        let key = 7_u64;
        let read = match look_up(call, &(Arg(&key).__larder_part(),), |_| {}) {
            Found::Hit(read) => read,
            Found::Miss(miss) => miss.compute(|| self.body(), |_| Verdict::new()),
        };
        if read[0] < floor[0] || read[1] < floor[1] {
            complain(format!("{read:?} is older than {floor:?}"));
        }
    }

    fn body(&self) -> [u64; 2] {
        [0, 1].map(|at| {
            let read = self.sources[at].value.load(SeqCst);
            crate::invalidation::tag(TAGS[at]);
            read
        })
    }

    fn invalidate(&self, at: usize) {
        let source = &self.sources[at];
        let bumped = source.value.fetch_add(1, SeqCst) + 1;
        self.runtime.record_here(&Target::Any(vec![Mark::tag(TAGS[at])]));
        source.acknowledged.fetch_max(bumped, SeqCst);
    }

    /// Invalidates what nothing depends on, so that a sweep comes due.
    fn make_noise(&self) {
        for tag in ["v", "w", "x"] {
            self.runtime.record_here(&Target::Any(vec![Mark::tag(tag)]));
        }
    }
}

/// So many callers and two invalidators, of which one makes noise as well or nothing else, with
/// something cached before they start.
fn scenario(callers: usize, calls: usize, both: bool) {
    let world = World::new();
    world.call();
    let spawn = |work: Box<dyn FnOnce(&World) + Send>| {
        let world = Arc::clone(&world);
        thread::spawn(move || work(&world))
    };
    let mut threads: Vec<_> = (0..callers)
        .map(|_| spawn(Box::new(move |world| (0..calls).for_each(|_| world.call()))))
        .collect();
    threads.push(spawn(Box::new(move |world| {
        if both {
            world.invalidate(0);
        }
        world.make_noise();
    })));
    threads.push(spawn(Box::new(|world| world.invalidate(1))));
    for thread in threads {
        thread.join().unwrap();
    }
    world.call();
}

/// Enough for computations to be joined, overtaken and swept past.
fn crowd() {
    scenario(2, 3, true);
}

/// Little enough for every order of it to come up.
fn duel() {
    scenario(1, 2, false);
}

/// A leader that gives up while its only follower does.
fn desertion() {
    let (versions, counters) = (Arc::new(Versions::default()), Arc::new(Counters::default()));
    let capacity = Capacity { limit: 8, weighed: false };
    let memory = Arc::new(Memory::<u64, u64, u64>::new(capacity, versions, counters));
    let give_up = |memory: &Memory<u64, u64, u64>| {
        let time = TimeSource::Injected(Arc::new(Frozen));
        let at = (&time, Leniency::default());
        match memory.begin(1, &mut Some(7), at, &Marks::new(), |_, _| Some(())) {
            Begun::Found(()) => unreachable!("nothing is stored"),
            Begun::Lead(lead) => memory.abandon(1, &lead),
            Begun::Follow(follower) => {
                let flight = Arc::clone(&follower.flight);
                drop(follower);
                memory.tidy(1, &flight);
            }
        }
    };
    let other = thread::spawn({
        let memory = Arc::clone(&memory);
        move || give_up(&memory)
    });
    give_up(&memory);
    other.join().unwrap();
    assert_eq!(memory.sweep(), None, "a computation that nobody carries out is still in flight");
}

#[test]
fn a_computation_given_up_by_all_is_forgotten() {
    shuttle::check_random(desertion, SCHEDULES);
    shuttle::check_pct(desertion, SCHEDULES, 3);
}

/// What the checker finds; nothing if every schedule it tries keeps the promise.
fn find(bug: Option<Bug>) -> Option<String> {
    find_with(bug, || {
        shuttle::check_random(crowd, SCHEDULES);
        shuttle::check_pct(crowd, SCHEDULES, 3);
        shuttle::check_random(duel, SCHEDULES);
        shuttle::check_pct(duel, SCHEDULES, 3);
    })
}

#[test]
fn no_call_is_given_a_value_older_than_an_invalidation_before_it() {
    assert_eq!(find(None), None);
}

finds! {
    a_stamp_taken_at_store_time_is_found: StampAtStore, "is older than";
    a_clock_moved_before_the_record_is_found: ClockBeforeRecord, "is older than";
    two_invalidators_at_once_are_found: TwoInvalidatorsAtOnce, "is older than";
    a_clock_remembered_from_after_the_check_is_found: RememberedFromAfter, "is older than";
    records_dropped_by_age_alone_are_found: DroppedByAge, "is older than";
    a_follower_served_unchecked_is_found: JoinedUnchecked, "is older than";
}
