//! The race: contestants take turns, round by round, and are compared within each round.
//!
//! 1. In a round every contestant has one lap, on all threads at once; the order rotates.
//! 2. Each thread times its own lap; a lap's time is the mean over the threads.
//! 3. The threads are the same ones throughout: what a contestant keeps for each thread is warm.
//! 4. The first round does not count.
//! 5. Where threads were kept from running side by side by something else on the machine, they did
//!    not disturb each other either: two laps are compared only if they ran together, unless hardly
//!    any did.

use crate::start::Start;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Who is measured.
pub(crate) struct Contestant<'a> {
    pub(crate) name: &'static str,
    /// Runs once on each thread before the first round, on one thread at a time.
    pub(crate) prepare: Box<dyn Fn() + Send + Sync + 'a>,
    pub(crate) lap: Box<dyn Fn(Lap) + Send + Sync + 'a>,
}

/// Which lap it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lap {
    pub(crate) round: usize,
    pub(crate) thread: usize,
    pub(crate) threads: usize,
}

/// How long a race is: rounds are run until the time is up, within bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    pub(crate) fewest: usize,
    pub(crate) most: usize,
    pub(crate) time: Duration,
}

/// What a race came to.
pub(crate) struct Times {
    /// By round and contestant.
    rounds: Vec<Vec<Timed>>,
}

/// A lap, as it went.
#[derive(Clone, Copy)]
struct Timed {
    ns: f64,
    /// Which part of it the threads spent side by side, from 0 to 1.
    together: f64,
}

/// The part of a lap its threads spend side by side if they are let, and how many such rounds
/// make a comparison.
const TOGETHER: f64 = 0.75;
const FEWEST: usize = 3;

/// When a thread's lap began and ended.
type Span = (Instant, Instant);

/// One contestant beside another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    /// Median over the rounds of the one's time over the other's.
    pub(crate) ratio: f64,
    /// Median time of the one, in nanoseconds.
    pub(crate) ns: f64,
    /// Median time of the other, in nanoseconds.
    pub(crate) other_ns: f64,
    /// Which part of the rounds had both laps' threads side by side, from 0 to 1.
    pub(crate) together: f64,
}

/// Runs a race. `before` is called ahead of every lap, by one thread, with the contestant's index.
pub(crate) fn race(
    contestants: &[Contestant<'_>],
    threads: usize,
    length: Length,
    before: &(dyn Fn(usize) + Sync),
) -> Times {
    let track = Track {
        contestants,
        threads,
        length,
        before,
        prepared: Barrier::new(threads),
        start: Start::new(threads),
        preparing: Mutex::new(()),
        over: AtomicBool::new(false),
    };
    let by_thread: Vec<Vec<Vec<Span>>> = thread::scope(|scope| {
        let track = &track;
        let runners: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || track.run(thread))).collect();
        let join = |runner: thread::ScopedJoinHandle<'_, _>| {
            runner.join().expect("a runner that panics ends the process")
        };
        runners.into_iter().map(join).collect()
    });
    let timed = |round: usize, contestant: usize| {
        let spans: Vec<_> = by_thread.iter().map(|rounds| rounds[round][contestant]).collect();
        Timed { ns: mean(&spans), together: together(&spans) }
    };
    let counted = 1..by_thread[0].len();
    Times {
        rounds: counted
            .map(|round| (0..contestants.len()).map(|it| timed(round, it)).collect())
            .collect(),
    }
}

fn mean(spans: &[Span]) -> f64 {
    let sum: f64 = spans.iter().map(|(began, ended)| nanoseconds(*ended - *began)).sum();
    sum / count(spans.len())
}

/// The part that all spans have in common, of the whole from the first to the last.
fn together(spans: &[Span]) -> f64 {
    let began = || spans.iter().map(|it| it.0);
    let ended = || spans.iter().map(|it| it.1);
    let (Some(first), Some(last)) = (began().min(), ended().max()) else { return 1.0 };
    let (Some(all), Some(any)) = (began().max(), ended().min()) else { return 1.0 };
    nanoseconds(any.saturating_duration_since(all)) / nanoseconds(last - first)
}

struct Track<'a> {
    contestants: &'a [Contestant<'a>],
    threads: usize,
    length: Length,
    before: &'a (dyn Fn(usize) + Sync),
    prepared: Barrier,
    start: Start,
    preparing: Mutex<()>,
    over: AtomicBool,
}

impl Track<'_> {
    fn run(&self, thread: usize) -> Vec<Vec<Span>> {
        let _fall = Fall;
        {
            let _alone = self.preparing.lock().expect("a runner that panics ends the process");
            self.contestants.iter().for_each(|contestant| (contestant.prepare)());
        }
        self.prepared.wait();
        let began = Instant::now();
        let mut rounds = Vec::new();
        loop {
            let round = rounds.len();
            if thread == 0 {
                let counted = round.saturating_sub(1);
                let enough = counted >= self.length.fewest && began.elapsed() >= self.length.time;
                self.over.store(enough || counted >= self.length.most, Relaxed);
            }
            self.start.wait();
            if self.over.load(Relaxed) {
                return rounds;
            }
            rounds.push(self.round(thread, round));
        }
    }

    fn round(&self, thread: usize, round: usize) -> Vec<Span> {
        let now = Instant::now();
        let mut spans = vec![(now, now); self.contestants.len()];
        for turn in 0..self.contestants.len() {
            let at = (turn + round) % self.contestants.len();
            if thread == 0 {
                (self.before)(at);
            }
            self.start.wait();
            let began = Instant::now();
            (self.contestants[at].lap)(Lap { round, thread, threads: self.threads });
            spans[at] = (began, Instant::now());
        }
        spans
    }
}

/// Ends the process when a thread panics: the others would wait for it at the barrier forever.
pub(crate) struct Fall;

impl Drop for Fall {
    fn drop(&mut self) {
        if thread::panicking() {
            process::exit(1);
        }
    }
}

impl Times {
    /// Takes over what has been measured elsewhere: for each round, a time for each contestant.
    pub(crate) fn of(rounds: Vec<Vec<f64>>) -> Self {
        let timed = |ns| Timed { ns, together: 1.0 };
        let rounds = rounds.into_iter().map(|round| round.into_iter().map(timed).collect());
        Self { rounds: rounds.collect() }
    }

    /// How many rounds count.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.len()
    }

    /// Compares two contestants, for each of `operations` in a lap.
    pub(crate) fn compare(&self, one: usize, other: usize, operations: usize) -> Comparison {
        let pair = |round: &Vec<Timed>| (round[one], round[other]);
        let all: Vec<_> = self.rounds.iter().map(pair).collect();
        let good = |it: &&(Timed, Timed)| it.0.together.min(it.1.together) >= TOGETHER;
        let mut pairs: Vec<_> = all.iter().filter(good).collect();
        let together = count(pairs.len()) / count(all.len());
        if pairs.len() < FEWEST {
            pairs = all.iter().collect();
        }
        let of = |value: fn(&(Timed, Timed)) -> f64| {
            median(pairs.iter().map(|pair| value(pair)).collect())
        };
        Comparison {
            ratio: of(|(one, other)| one.ns / other.ns),
            ns: of(|(one, _)| one.ns) / count(operations),
            other_ns: of(|(_, other)| other.ns) / count(operations),
            together,
        }
    }
}

/// A duration in nanoseconds.
pub(crate) fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

/// A count, to divide by.
pub(crate) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).expect("nothing here is counted beyond 32 bits"))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn a_ratio_is_the_median_of_the_rounds_ratios() {
        let times = Times::of(vec![vec![10.0, 10.0], vec![40.0, 20.0], vec![90.0, 30.0]]);
        let found = times.compare(0, 1, 10);
        assert!((found.ratio - 2.0).abs() < 1e-9, "{found:?}");
        assert!((found.ns - 4.0).abs() < 1e-9, "{found:?}");
        assert!((found.other_ns - 2.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn laps_that_did_not_run_side_by_side_are_left_out() {
        let lap = |ns, together| vec![Timed { ns, together }, Timed { ns: 10.0, together: 1.0 }];
        let good = || lap(20.0, 0.9);
        let times = Times { rounds: vec![lap(5.0, 0.1), good(), good(), lap(5.0, 0.5), good()] };
        let found = times.compare(0, 1, 1);
        assert!((found.ratio - 2.0).abs() < 1e-9, "{found:?}");
        assert!((found.together - 0.6).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn every_contestant_has_one_lap_on_each_thread_in_each_round() {
        let laps = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let prepared = AtomicUsize::new(0);
        let contestant = |at: usize| Contestant {
            name: "it",
            prepare: Box::new(|| {
                prepared.fetch_add(1, Relaxed);
            }),
            lap: Box::new({
                let laps = &laps;
                move |_| {
                    laps[at].fetch_add(1, Relaxed);
                }
            }),
        };
        let length = Length { fewest: 3, most: 3, time: Duration::ZERO };
        let times = race(&[contestant(0), contestant(1)], 2, length, &|_| {});
        assert_eq!(times.rounds(), 3);
        assert_eq!(prepared.into_inner(), 4);
        assert_eq!(laps.map(AtomicUsize::into_inner), [8, 8]);
    }
}
