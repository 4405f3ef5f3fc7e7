//! Many callers at once of one key that nobody has computed: until the last of them has the value.
//!
//! Each turn has a new key, and each key is computed exactly once, or the run ends. A task's start
//! is part of the time, a thread's is not.

use crate::cli::Effort;
use crate::peers::maps;
use crate::report::{Report, Setting};
use crate::rounds::{Fall, Times, nanoseconds};
use crate::truth;
use std::io;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

const THREADS: usize = 64;
const TASKS: usize = 10_000;
const WORKERS: usize = 2;
const CAPACITY: usize = 1_000;
const BODY: Duration = Duration::from_millis(5);

/// Computations, by contestant.
static COMPUTED: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
const LARDER: usize = 0;
const MOKA: usize = 1;

#[larder::cached(ttl = "1h", capacity = CAPACITY)]
fn slow(key: u64) -> u64 {
    body(key, LARDER)
}

#[larder::cached(ttl = "1h", capacity = CAPACITY)]
async fn slow_async(key: u64) -> u64 {
    body_async(key, LARDER).await
}

fn body(key: u64, contestant: usize) -> u64 {
    COMPUTED[contestant].fetch_add(1, Relaxed);
    thread::sleep(BODY);
    truth::number(key)
}

async fn body_async(key: u64, contestant: usize) -> u64 {
    COMPUTED[contestant].fetch_add(1, Relaxed);
    tokio::time::sleep(BODY).await;
    truth::number(key)
}

/// Runs the suite.
///
/// # Errors
///
/// If the system has no threads for an executor.
pub(crate) fn run(effort: Effort) -> io::Result<Report> {
    let mut report = Report::new("stampede");
    let rounds = effort.pick(5, 31);

    let map = maps::moka::<u64, u64>(CAPACITY);
    let moka = |key| map.get_with(key, || body(key, MOKA));
    let times = once_for_each_key(2 * rounds, || on_threads(rounds, [&slow, &moka]));
    let setting = Setting { case: "64-threads".to_owned(), keys: 1, threads: THREADS };
    report.row(&setting, "moka", times.compare(LARDER, MOKA, 1));

    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_time().build()?;
    let map = maps::moka_async::<u64, u64>(CAPACITY);
    let moka = |key| {
        let map = map.clone();
        async move { map.get_with(key, body_async(key, MOKA)).await }
    };
    let times = once_for_each_key(2 * rounds, || {
        let turn = |round: usize| {
            let key = u64::try_from(round).expect("few rounds");
            let ours = |runtime: &Runtime| in_tasks(runtime, key, slow_async);
            let theirs = |runtime: &Runtime| in_tasks(runtime, key, moka);
            if round.is_multiple_of(2) {
                let first = ours(&runtime);
                vec![first, theirs(&runtime)]
            } else {
                let first = theirs(&runtime);
                vec![ours(&runtime), first]
            }
        };
        Times::of((0..rounds).map(turn).collect())
    });
    let setting = Setting { case: "10000-tasks".to_owned(), keys: 1, threads: WORKERS };
    report.row(&setting, "moka", times.compare(LARDER, MOKA, 1));
    report.note(format_args!("the body itself waits {BODY:?}; every key was computed once"));
    Ok(report)
}

/// Runs `work`, and checks that it computed as often as there were keys, half for each contestant.
fn once_for_each_key(keys: usize, work: impl FnOnce() -> Times) -> Times {
    let computed = || [LARDER, MOKA].map(|at| COMPUTED[at].load(Relaxed));
    let before = computed();
    let times = work();
    assert_eq!(computed(), before.map(|it| it + keys / 2), "one computation for each key");
    times
}

fn on_threads(rounds: usize, contestants: [&(dyn Fn(u64) -> u64 + Sync); 2]) -> Times {
    let start = Barrier::new(THREADS);
    let run = || {
        let _fall = Fall;
        let mut turns = Vec::new();
        for round in 0..rounds {
            let key = u64::try_from(round).expect("few rounds");
            for turn in 0..2 {
                let at = (turn + round) % 2;
                start.wait();
                let began = Instant::now();
                assert_eq!(contestants[at](key), truth::number(key));
                turns.push((round, at, began, Instant::now()));
            }
        }
        turns
    };
    let turns: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Vec<_>>| {
            thread.join().expect("a thread that panics ends the process")
        };
        threads.into_iter().flat_map(join).collect()
    });
    let time = |round: usize, at: usize| {
        let of_turn = || turns.iter().filter(|it| (it.0, it.1) == (round, at));
        let began = of_turn().map(|it| it.2).min().expect("every thread has its turn");
        let ended = of_turn().map(|it| it.3).max().expect("every thread has its turn");
        nanoseconds(ended - began)
    };
    Times::of((0..rounds).map(|round| vec![time(round, LARDER), time(round, MOKA)]).collect())
}

fn in_tasks<F>(runtime: &Runtime, key: u64, call: impl Fn(u64) -> F) -> f64
where
    F: Future<Output = u64> + Send + 'static,
{
    let began = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(call(key))).collect();
        for task in tasks {
            assert_eq!(task.await.ok(), Some(truth::number(key)));
        }
    });
    nanoseconds(began.elapsed())
}
