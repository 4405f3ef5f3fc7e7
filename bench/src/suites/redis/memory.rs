//! A call whose value is in memory: of a function that shares its values through Redis, beside one
//! that is kept in memory alone.

use crate::cli::Effort;
use crate::course::Course;
use crate::keys::{self, Keys};
use crate::peers::{larder_functions, remote_functions};
use crate::report::{Report, Setting};
use crate::rounds::{Length, race};
use crate::truth;
use std::time::{Duration, Instant};

const KEYS: u32 = 1_000;
/// How long it may take until all values are in memory.
const LIMIT: Duration = Duration::from_secs(10);

pub(super) fn run(effort: Effort, report: &mut Report) {
    let calls = effort.pick(50_000, 200_000);
    let length = Length {
        fewest: effort.pick(11, 101),
        most: effort.pick(101, 501),
        time: effort.pick(Duration::from_millis(600), Duration::from_secs(6)),
    };
    let course = Course::new(Keys::draw(KEYS, calls, keys::number), |id: &u64| truth::number(*id));
    let contestants = [
        course.function("larder", |id| remote_functions::number(*id)),
        course.function("l1", |id| larder_functions::number(*id)),
    ];
    fill(course.keys());
    for threads in [1, 2] {
        let before = remote_functions::number::stats();
        let times = race(&contestants, threads, length, &|_| {});
        let after = remote_functions::number::stats();
        let keys = usize::try_from(KEYS).expect("32 bits fit");
        // Each thread asked for each key twice before the first lap.
        let made = threads * ((times.rounds() + 1) * calls + 2 * keys);
        assert_eq!(usize::try_from(after.hits - before.hits), Ok(made), "each call is a hit");
        assert_eq!(after.hits_l3, before.hits_l3, "a value was not in memory");
        let setting = Setting { case: "l1-l3".to_owned(), keys, threads };
        report.progress(&setting, &times);
        report.row(&setting, "l1", times.compare(0, 1, calls));
    }
}

/// Calls until all values are in memory.
fn fill(keys: &[u64]) {
    let begun = Instant::now();
    let beyond = || {
        let stats = remote_functions::number::stats();
        stats.hits_l3 + stats.computations
    };
    loop {
        let before = beyond();
        for id in keys {
            remote_functions::number(*id);
        }
        if beyond() == before {
            return;
        }
        assert!(begun.elapsed() < LIMIT, "values don't stay in memory");
    }
}
