//! C7: the cache is never in the way. What panics in the user's code reaches the caller it belongs
//! to, leaves no lock held and nobody waiting, and the next call goes as if nothing had been.

use crate::support::{Calls, Stage, everywhere, fresh, in_a_process, run, until};
use larder::testing::ManualClock;
use larder::{Runtime, ambient, blocking, cached};
use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Something of the user's that panics when told to.
struct Fuse(AtomicU8);

impl Fuse {
    const fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    fn light(&self) {
        self.0.store(1, SeqCst);
    }

    fn pass(&self) {
        assert!(self.0.swap(0, SeqCst) == 0, "on purpose");
    }
}

/// Checks that a call panics once when told to, and that all is well before and afterwards, on this
/// thread and on others.
fn survives(fuse: &'static Fuse, call: fn(u64) -> u64, prepare: impl Fn()) {
    everywhere(|| {
        prepare();
        fuse.light();
        let panic = catch_unwind(|| call(1));
        assert!(panic.is_err(), "it panicked where it was told to");
        for id in [1, 1, 2, 1] {
            assert_eq!(call(id), id);
        }
        let other = larder::inherit(async move { (call(1), call(3)) });
        let other = run("another thread", || futures_lite::future::block_on(other));
        assert_eq!(other.ended(), (1, 3));
    });
}

macro_rules! user_code_that_panics {
    ($($test:ident: [$($option:tt)*], |$fuse:ident, $out:ident| $says:expr => $answer:ty;)*) => { $(
        #[test]
        fn $test() {
            static FUSE: Fuse = Fuse::new();

            fn asked($out: &u64) -> $answer {
                let $fuse = &FUSE;
                $fuse.pass();
                $says
            }

            #[cached($($option)* = asked, capacity = 1_000)]
            fn number(id: u64) -> u64 {
                id
            }

            survives(&FUSE, number, || number::invalidate_all().unwrap());
        }
    )* };
}

user_code_that_panics! {
    a_panic_in_cache_if_is_the_caller_s_alone: [cache_if], |fuse, _out| true => bool;
    a_panic_in_ttl_for_is_the_caller_s_alone: [ttl_for], |fuse, _out| None => Option<Duration>;
    a_panic_in_tags_for_is_the_caller_s_alone: [tags_for], |fuse, out| [out.to_string()] => [String; 1];
    a_panic_in_weigh_is_the_caller_s_alone: [weigh], |fuse, out| *out => u64;
}

/// A key whose every operation can panic.
struct Shaky {
    id: u64,
    hash: &'static Fuse,
    eq: &'static Fuse,
    clone: &'static Fuse,
    show: &'static Fuse,
}

static SOUND: Fuse = Fuse::new();

impl Shaky {
    fn new(id: u64) -> Self {
        Self { id, hash: &SOUND, eq: &SOUND, clone: &SOUND, show: &SOUND }
    }
}

impl PartialEq for Shaky {
    fn eq(&self, other: &Self) -> bool {
        self.eq.pass();
        self.id == other.id
    }
}

impl Eq for Shaky {}

impl Hash for Shaky {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.pass();
        self.id.hash(state);
    }
}

impl Clone for Shaky {
    fn clone(&self) -> Self {
        self.clone.pass();
        Self { ..*self }
    }
}

impl fmt::Display for Shaky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show.pass();
        write!(f, "{}", self.id)
    }
}

#[cached(key = "failure:{key}", tags("failure:{key}"), capacity = 10)]
fn shaky(key: &Shaky, stage: &Stage) -> u64 {
    stage.act();
    key.id
}

#[test]
fn a_panic_in_hash_is_the_caller_s_alone() {
    static FUSE: Fuse = Fuse::new();
    let call = |id| shaky(&Shaky { hash: &FUSE, ..Shaky::new(id + 100) }, &Stage::open()) - 100;
    survives(&FUSE, call, || ());
}

#[test]
fn a_panic_in_clone_of_a_key_is_the_caller_s_alone() {
    static FUSE: Fuse = Fuse::new();
    let call = |id| shaky(&Shaky { clone: &FUSE, ..Shaky::new(id + 200) }, &Stage::open()) - 200;
    survives(&FUSE, call, || ());
}

#[test]
fn a_panic_in_display_of_a_key_is_the_caller_s_alone() {
    static FUSE: Fuse = Fuse::new();
    let call = |id| shaky(&Shaky { show: &FUSE, ..Shaky::new(id + 300) }, &Stage::open()) - 300;
    survives(&FUSE, call, || ());
}

#[test]
fn a_panic_in_eq_on_a_hit_is_the_caller_s_alone() {
    static FUSE: Fuse = Fuse::new();
    let call = |id| shaky(&Shaky { eq: &FUSE, ..Shaky::new(id + 400) }, &Stage::open()) - 400;
    survives(&FUSE, call, || assert_eq!(call(1), 1));
}

#[test]
fn a_panic_in_eq_while_joining_leaves_the_leader_and_others_alone() {
    static FUSE: Fuse = Fuse::new();
    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let start = || {
        let (runtime, stage) = (runtime.clone(), Arc::clone(&stage));
        run("a caller", move || {
            runtime.with(|| shaky(&Shaky { eq: &FUSE, ..Shaky::new(1) }, &stage))
        })
    };
    let leader = start();
    stage.entered.wait("the leader's body");
    FUSE.light();
    assert!(start().outcome().is_err());
    let follower = start();
    until("the follower to wait", || clock.sleepers() == 1);
    stage.leave.open();
    assert_eq!((leader.ended(), follower.ended()), (1, 1));
    assert_eq!(stage.calls.so_far(), 1);
}

#[test]
fn a_panic_in_eq_while_storing_leaves_nobody_waiting() {
    static FUSE: Fuse = Fuse::new();
    let (runtime, clock) = fresh();
    let call = move |stage: &Stage| shaky(&Shaky { eq: &FUSE, ..Shaky::new(1) }, stage);
    // An entry that has been overtaken is what the new one is compared with when it is stored.
    runtime.with(|| {
        call(&Stage::open());
        blocking::invalidate_tag("failure:1").unwrap();
    });
    let stage = Arc::new(Stage::default());
    let start = || {
        let (runtime, stage) = (runtime.clone(), Arc::clone(&stage));
        run("a caller", move || runtime.with(|| call(&stage)))
    };
    let leader = start();
    stage.entered.wait("the leader's body");
    let follower = start();
    until("the follower to wait", || clock.sleepers() == 1);
    FUSE.light();
    stage.leave.open();
    let outcomes = [leader.outcome(), follower.outcome()];
    let panics = outcomes.iter().filter(|it| it.is_err()).count();
    assert!(panics <= 1, "one comparison panicked");
    assert_eq!(runtime.with(|| call(&stage)), 1);
}

/// A value whose clones can panic.
struct Brittle(u64, &'static Fuse);

impl Clone for Brittle {
    fn clone(&self) -> Self {
        self.1.pass();
        Self(self.0, self.1)
    }
}

#[test]
fn a_panic_in_clone_of_a_value_is_the_caller_s_alone() {
    static FUSE: Fuse = Fuse::new();

    #[cached]
    fn brittle(id: u64) -> Brittle {
        Brittle(id, &FUSE)
    }

    // Once where it is stored, and once where it is served.
    survives(&FUSE, |id| brittle(id).0, || brittle::invalidate_all().unwrap());
    survives(
        &FUSE,
        |id| brittle(id).0,
        || {
            let _ = brittle(1);
        },
    );
}

#[test]
fn a_panic_in_clone_for_those_who_wait_leaves_nobody_waiting() {
    static FUSE: Fuse = Fuse::new();

    #[cached(skip(stage))]
    fn brittle(stage: &Stage) -> Brittle {
        Brittle(stage.act(), &FUSE)
    }

    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let start = || {
        let (runtime, stage) = (runtime.clone(), Arc::clone(&stage));
        run("a caller", move || runtime.with(|| brittle(&stage).0))
    };
    let leader = start();
    stage.entered.wait("the leader's body");
    let followers = [start(), start()];
    until("the followers to wait", || clock.sleepers() == 2);
    FUSE.light();
    stage.leave.open();
    assert!(leader.outcome().is_err());
    assert_eq!(followers.map(crate::support::Running::ended), [2, 2]);
}

#[test]
fn a_panic_in_the_body_leaves_the_surroundings_as_they_were() {
    #[cached(tags("failure-surroundings"))]
    fn panics(id: u64) -> u64 {
        panic!("on purpose: {id}")
    }

    #[cached(context)]
    fn number(id: u64) -> u64 {
        id
    }

    everywhere(|| {
        let before = number::stats().bypasses_context;
        ambient::with(1_u8, || {
            assert!(catch_unwind(|| panics(1)).is_err());
            number(1);
            // Not inside the computation that is no more.
            larder::tag("failure-nothing");
        });
        assert_eq!(number::stats().bypasses_context, before);
        number(1);
        assert_eq!(number::stats().bypasses_context, before + 1);
    });
}

#[test]
fn a_panic_in_when_or_key_is_the_caller_s_alone() {
    static FUSE: Fuse = Fuse::new();

    fn checked(id: u64) -> u64 {
        FUSE.pass();
        id
    }

    #[cached(key(checked(id)))]
    fn keyed(id: u64) -> u64 {
        id
    }

    #[cached(when = checked(id) > 0)]
    fn guarded(id: u64) -> u64 {
        id
    }

    survives(&FUSE, keyed, || ());
    survives(&FUSE, guarded, || ());
}

#[test]
fn a_panicking_future_leaves_the_surroundings_as_they_were() {
    #[cached]
    async fn panics(id: u64) -> u64 {
        tokio::task::yield_now().await;
        panic!("on purpose: {id}")
    }

    #[cached(context)]
    fn number(id: u64) -> u64 {
        id
    }

    everywhere(|| {
        let call =
            AssertUnwindSafe(|| futures_lite::future::block_on(ambient::scope(1_u8, panics(1))));
        assert!(catch_unwind(call).is_err());
        let before = number::stats().bypasses_context;
        number(1);
        assert_eq!(number::stats().bypasses_context, before + 1);
    });
}

/// Runs something when its thread ends.
struct AtTheEnd(fn());

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        (self.0)();
    }
}

thread_local! {
    static MADE_FIRST: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    static MADE_LAST: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
}

/// Runs `f` on a thread, and `end` when the thread ends and what larder keeps for it is gone.
fn and_at_the_end(f: fn(), end: fn()) {
    run("a thread that ends", move || {
        // What is made first is dropped last.
        MADE_FIRST.with(|it| *it.borrow_mut() = Some(AtTheEnd(end)));
        ambient::with(1_u8, f);
    })
    .ended();
}

/// The same, while what larder keeps for the thread is still there.
fn and_before_the_end(f: fn(), end: fn()) {
    run("a thread that ends", move || {
        ambient::with(1_u8, f);
        MADE_LAST.with(|it| *it.borrow_mut() = Some(AtTheEnd(end)));
    })
    .ended();
}

static ENDS: AtomicU64 = AtomicU64::new(0);
static LEAF: AtomicU64 = AtomicU64::new(0);

#[cached(tags("failure-leaf"))]
fn leaf(id: u64) -> u64 {
    LEAF.fetch_add(1, SeqCst);
    id
}

#[cached]
fn outer(id: u64) -> u64 {
    leaf(id)
}

#[test]
fn calls_at_the_end_of_a_thread_are_answered() {
    in_a_process(|| {
        let calls = || {
            for _ in 0..3 {
                assert_eq!((leaf(1), outer(2)), (1, 2));
                ambient::with(1_u8, || assert_eq!(leaf(3), 3));
                blocking::invalidate_tag("failure-leaf").unwrap();
            }
            ENDS.fetch_add(1, SeqCst);
        };
        and_at_the_end(calls, calls);
        and_before_the_end(calls, calls);
        and_at_the_end(|| (), calls);
        assert_eq!(ENDS.load(SeqCst), 5);
        assert_eq!((leaf(1), outer(2)), (1, 2));
        assert!(leaf::stats().computations > 0);
    });
}

#[test]
fn what_is_computed_at_the_end_of_a_thread_hears_of_invalidations() {
    in_a_process(|| {
        let threads = [and_before_the_end, and_at_the_end];
        let ends = [|| assert_eq!(outer(5), 5), || assert_eq!(outer(6), 6)];
        for (thread, end) in threads.into_iter().zip(ends) {
            thread(|| assert_eq!(outer(0), 0), end);
        }
        blocking::invalidate_tag("failure-leaf").unwrap();
        for id in [5, 6] {
            LEAF.store(0, SeqCst);
            assert_eq!(outer(id), id);
            assert_eq!(LEAF.load(SeqCst), 1, "{id}: the callee was not found as a dependency");
        }
    });
}

#[test]
fn recursion_at_the_end_of_a_thread_does_not_deadlock() {
    #[cached(skip(depth), wait = "1h")]
    fn nested(depth: u64) -> u64 {
        if depth == 0 { 0 } else { nested(depth - 1) + 1 }
    }

    in_a_process(|| {
        let end = || assert_eq!(nested(3), 3);
        and_before_the_end(|| assert_eq!(outer(0), 0), end);
        nested::invalidate().unwrap();
        and_at_the_end(|| assert_eq!(outer(0), 0), end);
    });
}

#[test]
fn a_call_at_the_end_of_a_thread_that_others_compute_is_answered() {
    #[cached(wait = "1h", key(id))]
    fn slow(id: u64, stage: &Stage) -> u64 {
        stage.act();
        id
    }

    static ENDING: Calls = Calls::new();

    /// Calls while another thread computes the same, which goes on when somebody waits for it, or
    /// nobody will.
    fn call_beside_another(id: u64) {
        let clock = CLOCK.get().unwrap();
        let ended = ENDING.so_far();
        let stage = Arc::new(Stage::default());
        let (inside, leave) = (Arc::clone(&stage), Arc::clone(&stage));
        let leader = run("the leader", move || slow(id, &inside));
        stage.entered.wait("the leader's body");
        let release = run("the release", move || {
            until("a follower", || clock.sleepers() == 1 || ENDING.so_far() > ended);
            leave.leave.open();
        });
        assert_eq!(slow(id, &Stage::open()), id);
        ENDING.note();
        release.ended();
        assert_eq!(leader.ended(), id);
    }

    static CLOCK: OnceLock<ManualClock> = OnceLock::new();

    in_a_process(|| {
        let clock = CLOCK.get_or_init(ManualClock::new).clone();
        Runtime::builder().clock(clock).build().unwrap().install().unwrap();
        // Once before, so that the thread has whatever it needs for waiting; some of that is gone
        // at its end.
        and_at_the_end(|| call_beside_another(1), || call_beside_another(2));
        run("a thread that ends", || {
            ambient::with(1_u8, || assert_eq!(leaf(0), 0));
            MADE_FIRST.with(|it| *it.borrow_mut() = Some(AtTheEnd(|| call_beside_another(4))));
            call_beside_another(3);
        })
        .ended();
        assert_eq!(ENDING.so_far(), 4);
    });
}

/// What makes the key is there only where `when` holds.
#[cached(when = !items.is_empty(), key(items[0]))]
fn first(items: &[u64]) -> usize {
    items.len()
}

#[cached]
fn around_first(salt: u64) -> usize {
    first(&[]) + usize::try_from(salt).unwrap()
}

#[test]
fn a_key_that_is_not_there_where_the_condition_fails_is_never_looked_at() {
    let runtime = larder::Runtime::builder().build().unwrap();
    runtime.with(|| {
        assert_eq!(around_first(1), 1);
        assert_eq!(around_first(1), 1);
        assert_eq!(around_first::stats().hits, 1);
        first::invalidate(&[7]).unwrap();
        assert_eq!(around_first(1), 1);
        assert_eq!(around_first::stats().misses_invalidated, 1);
    });
}
