//! F2: recursion and circles between cached functions never deadlock: a call that would wait for
//! itself computes.
//!
//! The clock of these runtimes stands still, so no wait ends by running out.

use crate::support::{Calls, block_on, everywhere, everywhere_async, fresh, run};
use larder::{Runtime, cached};
use std::pin::Pin;
use std::sync::{Arc, Barrier};
use tokio::sync::Barrier as AsyncBarrier;

#[test]
fn a_function_may_call_itself_with_other_arguments() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn fibonacci(n: u64) -> u64 {
        CALLS.note();
        if n < 2 { n } else { fibonacci(n - 1) + fibonacci(n - 2) }
    }

    everywhere(|| {
        assert_eq!(fibonacci(80), 23_416_728_348_467_685);
        assert_eq!(CALLS.taken(), 81);
    });
}

#[test]
fn an_async_function_may_call_itself_with_other_arguments() {
    static CALLS: Calls = Calls::new();

    #[cached]
    async fn fibonacci(n: u64) -> u64 {
        CALLS.note();
        tokio::task::yield_now().await;
        if n < 2 { n } else { fibonacci(n - 1).await + fibonacci(n - 2).await }
    }

    everywhere_async(|| async {
        assert_eq!(fibonacci(60).await, 1_548_008_755_920);
        assert_eq!(CALLS.taken(), 61);
    });
}

#[test]
fn a_call_inside_its_own_computation_computes() {
    #[cached(skip(depth))]
    fn nested(id: u64, depth: u64) -> u64 {
        if depth == 0 { id } else { nested(id, depth - 1) + 1 }
    }

    everywhere(|| {
        assert_eq!(nested(10, 3), 13);
        assert_eq!(nested(10, 0), 13, "the outermost is what is kept");
        nested::invalidate(10).unwrap();
    });
}

#[test]
fn an_async_call_inside_its_own_computation_computes() {
    #[cached(skip(depth))]
    async fn nested(id: u64, depth: u64) -> u64 {
        tokio::task::yield_now().await;
        if depth == 0 { id } else { nested(id, depth - 1).await + 1 }
    }

    everywhere_async(|| async {
        assert_eq!(nested(10, 3).await, 13);
        assert_eq!(nested(10, 0).await, 13);
        nested::invalidate(10).await.unwrap();
    });
}

#[test]
fn a_call_inside_its_own_computation_by_way_of_others_computes() {
    #[cached(skip(depth))]
    fn one(depth: u64) -> u64 {
        if depth == 0 { 0 } else { other(depth - 1) + 1 }
    }

    #[cached(skip(depth))]
    fn other(depth: u64) -> u64 {
        if depth == 0 { 0 } else { one(depth - 1) + 1 }
    }

    everywhere(|| {
        assert_eq!(one(7), 7);
        one::invalidate().unwrap();
        other::invalidate().unwrap();
    });
}

#[test]
fn a_call_inside_its_own_computation_in_a_spawned_task_computes() {
    #[cached(skip(depth))]
    async fn nested(depth: u64) -> u64 {
        if depth == 0 {
            return 0;
        }
        tokio::spawn(spawned(depth - 1)).await.unwrap() + 1
    }

    fn spawned(depth: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
        Box::pin(larder::inherit(nested(depth)))
    }

    everywhere_async(|| async {
        assert_eq!(nested(3).await, 3);
        nested::invalidate().await.unwrap();
    });
}

#[test]
fn a_call_beside_itself_in_one_future_does_not_deadlock() {
    static CALLS: Calls = Calls::new();

    #[cached]
    async fn leaf(id: u64) -> u64 {
        CALLS.note();
        tokio::task::yield_now().await;
        id
    }

    #[cached]
    async fn outer(id: u64) -> u64 {
        let (one, other, more) = tokio::join!(leaf(id), leaf(id), leaf(id));
        one + other + more
    }

    everywhere_async(|| async {
        assert_eq!(outer(1).await, 3);
        assert_eq!(CALLS.taken(), 1);
        outer::invalidate_all().await.unwrap();
        leaf::invalidate_all().await.unwrap();
    });
}

/// Lets each function of a circle begin before any of them calls the next.
struct Meeting {
    threads: Barrier,
    tasks: AsyncBarrier,
}

impl Meeting {
    fn of(size: usize) -> Arc<Self> {
        Arc::new(Self { threads: Barrier::new(size), tasks: AsyncBarrier::new(size) })
    }
}

macro_rules! circle {
    ($($name:ident -> $next:ident, $task:ident -> $next_task:ident;)*) => { $(
        #[cached(skip(left, meeting), wait = "1h")]
        fn $name(left: u64, meeting: Option<&Meeting>) -> u64 {
            if let Some(meeting) = meeting {
                meeting.threads.wait();
            }
            if left == 0 { 0 } else { $next(left - 1, None) + 1 }
        }

        #[cached(skip(left, meeting), wait = "1h")]
        async fn $task(left: u64, meeting: Option<&Meeting>) -> u64 {
            if let Some(meeting) = meeting {
                meeting.tasks.wait().await;
            }
            if left == 0 { 0 } else { $next_task(left - 1, None).await + 1 }
        }
    )* };
}

circle! {
    hen -> egg, hen_task -> egg_task;
    egg -> hen, egg_task -> hen_task;
    rock -> paper, rock_task -> paper_task;
    paper -> scissors, paper_task -> scissors_task;
    scissors -> rock, scissors_task -> rock_task;
}

type Call = fn(u64, Option<&Meeting>) -> u64;

/// `forget` invalidates the functions of this circle and no others: another circle may be running.
fn meet_on_threads<const N: usize>(calls: [Call; N], forget: impl Fn()) {
    everywhere(|| {
        let meeting = Meeting::of(N);
        let threads = calls.map(|call| {
            let meeting = Arc::clone(&meeting);
            let call = larder::inherit(async move { call(9, Some(&meeting)) });
            run("a thread of the circle", || futures_lite::future::block_on(call))
        });
        for thread in threads {
            assert!(thread.ended() >= 9);
        }
        calls.into_iter().for_each(|call| assert!(call(9, None) >= 9));
        forget();
    });
}

#[test]
fn two_functions_that_call_each_other_from_two_threads_both_end() {
    meet_on_threads([hen, egg], || {
        larder::blocking::invalidate_function(hen::stats().name).unwrap();
        egg::invalidate_all().unwrap();
    });
}

#[test]
fn three_functions_that_call_each_other_from_three_threads_all_end() {
    meet_on_threads([rock, paper, scissors], || {
        rock::invalidate_all().unwrap();
        paper::invalidate_all().unwrap();
        scissors::invalidate_all().unwrap();
    });
}

#[test]
fn two_functions_that_call_each_other_from_two_tasks_both_end() {
    everywhere_async(|| async {
        let meeting = Meeting::of(2);
        let (one, other) = (Arc::clone(&meeting), meeting);
        let one = tokio::spawn(larder::inherit(async move { hen_task(9, Some(&one)).await }));
        let other = tokio::spawn(larder::inherit(async move { egg_task(9, Some(&other)).await }));
        assert!(one.await.unwrap() >= 9);
        assert!(other.await.unwrap() >= 9);
        hen_task::invalidate_all().await.unwrap();
        egg_task::invalidate_all().await.unwrap();
    });
}

#[test]
fn two_functions_that_call_each_other_in_one_task_both_end() {
    let (runtime, _) = fresh();
    block_on(runtime.scope(async {
        let meeting = Meeting::of(2);
        let both = tokio::join!(hen_task(9, Some(&meeting)), egg_task(9, Some(&meeting)));
        assert!(both.0 >= 9 && both.1 >= 9);
    }));
}

#[test]
fn three_functions_that_call_each_other_from_three_tasks_all_end() {
    everywhere_async(|| async {
        let meeting = Meeting::of(3);
        let calls = [0, 1, 2].map(|at| {
            let meeting = Arc::clone(&meeting);
            tokio::spawn(larder::inherit(async move {
                match at {
                    0 => rock_task(9, Some(&meeting)).await,
                    1 => paper_task(9, Some(&meeting)).await,
                    _ => scissors_task(9, Some(&meeting)).await,
                }
            }))
        });
        for call in calls {
            assert!(call.await.unwrap() >= 9);
        }
        rock_task::invalidate_all().await.unwrap();
        paper_task::invalidate_all().await.unwrap();
        scissors_task::invalidate_all().await.unwrap();
    });
}

#[test]
fn a_circle_through_two_runtimes_ends_too() {
    #[cached(skip(left, runtimes, meeting), runtime = runtimes.0)]
    fn here(left: u64, runtimes: &(Runtime, Runtime), meeting: Option<&Barrier>) -> u64 {
        meeting.map(Barrier::wait);
        if left == 0 { 0 } else { there(left - 1, runtimes, None) + 1 }
    }

    #[cached(skip(left, runtimes, meeting), runtime = runtimes.1)]
    fn there(left: u64, runtimes: &(Runtime, Runtime), meeting: Option<&Barrier>) -> u64 {
        meeting.map(Barrier::wait);
        if left == 0 { 0 } else { here(left - 1, runtimes, None) + 1 }
    }

    let shared = Arc::new(((fresh().0, fresh().0), Barrier::new(2)));
    let calls: [fn(u64, &(Runtime, Runtime), Option<&Barrier>) -> u64; 2] = [here, there];
    let threads = calls.map(|call| {
        let shared = Arc::clone(&shared);
        run("a thread of the circle", move || call(9, &shared.0, Some(&shared.1)))
    });
    for thread in threads {
        assert!(thread.ended() >= 9);
    }
}

#[test]
fn callers_without_a_circle_share_what_they_both_call() {
    static CALLS: Calls = Calls::new();

    #[cached(skip(meeting))]
    fn shared(meeting: &Barrier) -> u64 {
        // The other caller has begun, so it has something to wait for.
        meeting.wait();
        CALLS.note()
    }

    #[cached(key(id))]
    fn outer(id: u64, meeting: &Arc<(Barrier, Barrier)>) -> u64 {
        meeting.0.wait();
        let late = Arc::clone(meeting);
        let release = (id == 1).then(|| run("the release", move || late.1.wait()));
        let out = shared(&meeting.1);
        drop(release);
        out
    }

    everywhere(|| {
        let meeting = Arc::new((Barrier::new(2), Barrier::new(2)));
        let threads = [1, 2].map(|id| {
            let meeting = Arc::clone(&meeting);
            let call = larder::inherit(async move { outer(id, &meeting) });
            run("a caller", || futures_lite::future::block_on(call))
        });
        assert_eq!(threads.map(crate::support::Running::ended), [1, 1]);
        assert_eq!(CALLS.taken(), 1);
        outer::invalidate_all().unwrap();
        shared::invalidate_all().unwrap();
    });
}
