//! Recorded requests, replayed through caches that hold a tenth of the keys.
//!
//! The hit rate is that of a first replay, from an empty cache; the time is that of further ones.

use crate::cli::Effort;
use crate::peers::maps;
use crate::report::{Report, Setting};
use crate::rounds::{Contestant, Length, count, race};
use crate::table::Table;
use crate::truth::{compute, computed};
use liblzma::read::XzDecoder;
use std::collections::HashSet;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Replays each trace in turn.
///
/// # Errors
///
/// If a file can't be read, or is not a trace.
pub(crate) fn run(paths: &[PathBuf], effort: Effort) -> io::Result<Report> {
    let mut report = Report::new("trace");
    for path in paths {
        let named =
            |fault: io::Error| io::Error::new(fault.kind(), format!("{}: {fault}", path.display()));
        let trace = Trace::read(path, effort).map_err(named)?;
        trace.replay(effort, &mut report);
    }
    Ok(report)
}

struct Trace {
    name: String,
    requests: Vec<u32>,
    distinct: usize,
}

impl Trace {
    fn read(path: &Path, effort: Effort) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let most = effort.pick(1_000_000, u64::MAX);
        XzDecoder::new(File::open(path)?).take(most).read_to_end(&mut bytes)?;
        let (keys, rest) = bytes.as_chunks::<4>();
        if keys.is_empty() || !rest.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "not a sequence of 32-bit keys",
            ));
        }
        let requests: Vec<u32> = keys.iter().map(|key| u32::from_be_bytes(*key)).collect();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            name: name.split('.').next().unwrap_or_default().to_owned(),
            distinct: requests.iter().collect::<HashSet<_>>().len(),
            requests,
        })
    }

    fn replay(&self, effort: Effort, report: &mut Report) {
        let capacity = nearest(self.distinct / 10);
        let runners = runners(capacity, &self.requests);
        let contestants: Vec<_> = runners.iter().map(Runner::contestant).collect();
        let length = Length {
            fewest: effort.pick(3, 5),
            most: effort.pick(3, 25),
            time: Duration::from_secs(30),
        };
        let times = race(&contestants, 1, length, &|_| {});
        let setting = Setting { case: self.name.clone(), keys: self.distinct, threads: 1 };
        report.progress(&setting, &times);
        for (at, contestant) in contestants.iter().enumerate().skip(1) {
            let found = times.compare(0, at, self.requests.len());
            report.row(&setting, contestant.name, found);
        }
        drop(contestants);
        report.note(format_args!(
            "{}: {} requests for {} keys; room for {capacity}, a tenth would be {}",
            self.name,
            self.requests.len(),
            self.distinct,
            self.distinct / 10,
        ));
        let mut table = Table::new(&["cache", "hit rate"]);
        for runner in &runners {
            let rate = 1.0 - count(runner.misses.load(Relaxed)) / count(self.requests.len());
            table.row(vec![runner.name.to_owned(), format!("{:.2}%", 100.0 * rate)]);
        }
        report.note(table);
    }
}

/// A contestant for one trace.
struct Runner<'a> {
    name: &'static str,
    replay: Box<dyn Fn() + Send + Sync + 'a>,
    /// Of the first replay.
    misses: AtomicUsize,
}

impl<'a> Runner<'a> {
    fn new(
        name: &'static str,
        requests: &'a [u32],
        call: impl Fn(u32) -> u32 + Send + Sync + 'a,
    ) -> Self {
        let replay = move || {
            let wrong = requests.iter().filter(|key| black_box(call(**key)) != truth(**key));
            assert_eq!(wrong.count(), 0, "a call returned another's value");
        };
        Self { name, replay: Box::new(replay), misses: AtomicUsize::new(0) }
    }

    fn contestant(&self) -> Contestant<'_> {
        Contestant {
            name: self.name,
            prepare: Box::new(|| {
                let before = computed();
                (self.replay)();
                let misses = usize::try_from(computed() - before).expect("no more than requests");
                self.misses.store(misses, Relaxed);
            }),
            lap: Box::new(|_| (self.replay)()),
        }
    }
}

fn truth(key: u32) -> u32 {
    key.rotate_left(7) ^ 0x5bd1_e995
}

/// Declares the functions for each capacity: in an attribute it is part of the program.
macro_rules! capacities {
    ($($capacity:tt)*) => {
        const CAPACITIES: &[usize] = &[$($capacity),*];

        fn runners(capacity: usize, requests: &[u32]) -> Vec<Runner<'_>> {
            let quick = maps::quick::<u32, u32>(capacity);
            let moka = maps::moka::<u32, u32>(capacity);
            let quick = move |key| {
                quick.get(&key).unwrap_or_else(|| {
                    let value = compute(truth(key));
                    quick.insert(key, value);
                    value
                })
            };
            let moka = move |key| moka.get_with(key, || compute(truth(key)));
            let mut runners = match capacity {
                $($capacity => {
                    #[larder::cached(ttl = "1h", capacity = $capacity)]
                    fn larder_function(key: u32) -> u32 {
                        compute(truth(key))
                    }
                    #[cached::macros::cached(max_size = $capacity, ttl_secs = 3_600)]
                    fn cached_function(key: u32) -> u32 {
                        compute(truth(key))
                    }
                    #[cached::macros::concurrent_cached(max_size = $capacity, ttl_secs = 3_600)]
                    fn concurrent_function(key: u32) -> u32 {
                        compute(truth(key))
                    }
                    vec![
                        Runner::new("larder", requests, larder_function),
                        Runner::new("cached", requests, cached_function),
                        Runner::new("cached-concurrent", requests, concurrent_function),
                    ]
                })*
                _ => unreachable!("one of the capacities above"),
            };
            runners.insert(1, Runner::new("quick_cache", requests, quick));
            runners.push(Runner::new("moka", requests, moka));
            runners
        }
    };
}

capacities!(250 500 1_000 1_400 2_800 7_600 15_000 30_000 60_000);

/// The capacity in the list that is nearest to what is wanted.
fn nearest(wanted: usize) -> usize {
    let nearest = CAPACITIES.iter().min_by_key(|capacity| capacity.abs_diff(wanted));
    *nearest.expect("the list is not empty")
}
