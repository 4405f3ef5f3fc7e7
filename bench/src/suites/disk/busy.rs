//! A call whose value is in memory, while other processes invalidate what it does not depend on:
//! of a function that has to hear them, beside one that is kept in memory alone.

use crate::cli::Effort;
use crate::course::Course;
use crate::keys::{self, Keys};
use crate::neighbour::{Neighbour, Role};
use crate::peers::{larder_functions, stored_functions};
use crate::report::{Report, Setting};
use crate::rounds::{Length, race};
use crate::truth;
use std::io;
use std::path::Path;
use std::time::Duration;

const KEYS: u32 = 1_000;

pub(super) fn run(effort: Effort, folder: &Path, report: &mut Report) -> io::Result<()> {
    let calls = effort.pick(50_000, 200_000);
    let length = Length {
        fewest: effort.pick(11, 101),
        most: effort.pick(101, 501),
        time: effort.pick(Duration::from_millis(600), Duration::from_secs(6)),
    };
    let course = Course::new(Keys::draw(KEYS, calls, keys::number), |id: &u64| truth::number(*id));
    let contestants = [
        course.function("larder", |id| stored_functions::number(*id)),
        course.function("l1", |id| larder_functions::number(*id)),
    ];
    for threads in [1, 2] {
        let neighbours = [(); 2].map(|()| Neighbour::start(Role::Disturber, folder, None));
        let times = race(&contestants, threads, length, &|_| {});
        let keys = usize::try_from(KEYS).expect("32 bits fit");
        let setting = Setting { case: "l1-l2-busy".to_owned(), keys, threads };
        report.progress(&setting, &times);
        report.row(&setting, "l1", times.compare(0, 1, calls));
        for neighbour in neighbours {
            let [done, spent] = neighbour?.end()?;
            let pace = done * 1_000_000_000 / spent;
            report.note(format_args!(
                "l1-l2-busy, {threads} threads: another process invalidated {pace} times a second"
            ));
        }
    }
    Ok(())
}
