//! A call whose value is on the disk and nowhere else in the cache. All of it is in the system's
//! page cache.

use crate::cli::Effort;
use crate::course::Course;
use crate::keys::{self, Keys};
use crate::peers::{stored_functions as larder, stores};
use crate::report::{Report, Setting};
use crate::rounds::{Length, race};
use crate::truth;
use cached::ConcurrentCached;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

/// One length of values.
struct Case {
    name: &'static str,
    keys: u32,
    calls: usize,
    function: fn(u64) -> Vec<u8>,
    truth: fn(&u64) -> Vec<u8>,
}

const CASES: [Case; 3] = [
    Case {
        name: "l2-100",
        keys: 5_000,
        calls: 5_000,
        function: larder::short,
        truth: |id| truth::bytes::<100>(*id),
    },
    Case {
        name: "l2-1k",
        keys: 5_000,
        calls: 5_000,
        function: larder::middling,
        truth: |id| truth::bytes::<1_024>(*id),
    },
    Case {
        name: "l2-16k",
        keys: 1_000,
        calls: 1_000,
        function: larder::long,
        truth: |id| truth::bytes::<16_384>(*id),
    },
];

pub(super) fn run(
    effort: Effort,
    folder: &Path,
    report: &mut Report,
) -> Result<(), Box<dyn Error>> {
    let length = Length {
        fewest: effort.pick(5, 21),
        most: effort.pick(9, 51),
        time: effort.pick(Duration::from_secs(1), Duration::from_secs(10)),
    };
    for case in CASES {
        let folder = folder.join(case.name);
        std::fs::create_dir(&folder)?;
        case.run(length, &folder, report)?;
    }
    Ok(())
}

impl Case {
    fn run(
        &self,
        length: Length,
        folder: &Path,
        report: &mut Report,
    ) -> Result<(), Box<dyn Error>> {
        let keys = Keys::draw_evenly(self.keys, self.calls, keys::number);
        let course = Course::new(keys, self.truth);
        let rows = stores::Rows::new(folder)?;
        let values: Vec<_> = course.keys().iter().map(|id| (*id, (self.truth)(id))).collect();
        rows.fill(&values)?;
        let files = stores::Files::new(folder)?;
        let redb = stores::redb(folder)?;
        let foyer = stores::Foyer::new(folder)?;
        let contestants = [
            course.function("larder", |id| (self.function)(*id)),
            course.map("rusqlite", &rows, |_, _, _| {}, |rows, id| rows.get(*id)),
            course.map(
                "files",
                &files,
                |files, id, value| files.put(*id, &value),
                |files, id| files.get(*id),
            ),
            course.map(
                "cached",
                &redb,
                |redb, id, value| {
                    redb.cache_set(*id, value).expect("there is room");
                },
                |redb, id| stores::get_redb(redb, *id),
            ),
            course.map(
                "foyer",
                &foyer,
                |foyer, id, value| foyer.put(*id, value),
                |foyer, id| foyer.get(*id),
            ),
        ];
        for threads in [1, 2] {
            let before = foyer.reads();
            let times = race(&contestants, threads, length, &|_| {});
            let laps = times.rounds() * threads * self.calls;
            assert!(foyer.reads() - before >= laps, "foyer found some in memory");
            let keys = usize::try_from(self.keys).expect("32 bits fit");
            let setting = Setting { case: self.name.to_owned(), keys, threads };
            report.progress(&setting, &times);
            for (at, contestant) in contestants.iter().enumerate().skip(1) {
                report.row(&setting, contestant.name, times.compare(0, at, self.calls));
            }
        }
        Ok(())
    }
}
