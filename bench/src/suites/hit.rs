//! A call whose value is cached.
//!
//! Each case is one signature, each baseline another way to have its values at hand. The tables of
//! all contestants grow to the same keys before the first lap. A map is read by its plain `get`.

use crate::cli::Effort;
use crate::course::Course;
use crate::disturbance::{Disturbance, TAGS};
use crate::keys::{self, Keys};
use crate::peers::cached_functions::{concurrent, plain};
use crate::peers::{CAPACITY, Directory, larder_functions as larder, maps, memoize_functions};
use crate::report::{Report, Setting};
use crate::rounds::{Contestant, Length, Times, race};
use crate::truth;
use futures_lite::future::block_on;
use std::sync::Arc;
use std::time::Duration;

static DIRECTORY: Directory = Directory { tenant: 7 };

pub(crate) fn run(effort: Effort) -> Report {
    let mut hits = Hits {
        report: Report::new("hit"),
        calls: effort.pick(50_000, 200_000),
        length: Length {
            fewest: effort.pick(5, 11),
            most: 51,
            time: effort.pick(Duration::from_millis(600), Duration::from_secs(6)),
        },
    };
    for keys in [1_000, 100_000] {
        hits.numbers(keys);
        hits.strings(keys);
        hits.shared(keys);
        hits.futures(keys);
        hits.methods(keys);
    }
    hits.report
}

struct Hits {
    report: Report,
    calls: usize,
    length: Length,
}

impl Hits {
    fn number_keys(&self, keys: u32) -> Keys<u64> {
        Keys::draw(keys, self.calls, keys::number)
    }

    fn numbers(&mut self, keys: u32) {
        let course = Course::new(self.number_keys(keys), |id| truth::number(*id));
        let ours = || course.function("larder", |id| larder::number(*id));
        let quick = || {
            let map = maps::quick::<u64, u64>(CAPACITY);
            let put = |map: &maps::Quick<u64, u64>, id: &u64, value| map.insert(*id, value);
            course.map("quick_cache", map, put, |map, id| map.get(id).expect("put before"))
        };
        let moka = maps::moka::<u64, u64>(CAPACITY);
        self.case(
            "u64",
            keys,
            &[
                ours(),
                quick(),
                course.function("cached", |id| plain::number(*id)),
                course.function("cached-concurrent", |id| concurrent::number(*id)),
                course.map(
                    "moka",
                    moka,
                    |map, id, value| map.insert(*id, value),
                    |map, id| map.get(id).expect("put before"),
                ),
                course.function("memoize", |id| memoize_functions::number(*id)),
            ],
        );
        // Of all instantiations of a function, the first is the cheapest to find: another is timed.
        assert_eq!(larder::generic(1_u32), truth::number(1));
        let generic = course.function("larder", |id| larder::generic(*id));
        self.case(
            "generic",
            keys,
            &[generic, course.function("u64", |id| larder::number(*id)), quick()],
        );
        self.invalidating(keys, &[ours(), quick()]);
    }

    fn strings(&mut self, keys: u32) {
        let drawn = Keys::draw(keys, self.calls, keys::text);
        let course = Course::new(drawn, |id| truth::string(id));
        let quick = maps::quick::<String, String>(CAPACITY);
        let moka = maps::moka::<String, String>(CAPACITY);
        self.case(
            "str-string",
            keys,
            &[
                course.function("larder", |id| larder::string(id)),
                course.map(
                    "quick_cache",
                    quick,
                    |map, id, value| map.insert(id.clone(), value),
                    |map, id| map.get(id.as_str()).expect("put before"),
                ),
                course.function("cached", |id| plain::string(id)),
                course.function("cached-concurrent", |id| concurrent::string(id)),
                course.map(
                    "moka",
                    moka,
                    |map, id, value| map.insert(id.clone(), value),
                    |map, id| map.get(id.as_str()).expect("put before"),
                ),
            ],
        );
    }

    fn shared(&mut self, keys: u32) {
        let drawn = Keys::draw(keys, self.calls, keys::text);
        let course = Course::new(drawn, |id| truth::shared(id));
        let quick = maps::quick::<String, Arc<str>>(CAPACITY);
        let moka = maps::moka::<String, Arc<str>>(CAPACITY);
        self.case(
            "str-arc",
            keys,
            &[
                course.function("larder", |id| larder::shared(id)),
                course.map(
                    "quick_cache",
                    quick,
                    |map, id, value| map.insert(id.clone(), value),
                    |map, id| map.get(id.as_str()).expect("put before"),
                ),
                course.function("cached", |id| plain::shared(id)),
                course.function("cached-concurrent", |id| concurrent::shared(id)),
                course.map(
                    "moka",
                    moka,
                    |map, id, value| map.insert(id.clone(), value),
                    |map, id| map.get(id.as_str()).expect("put before"),
                ),
            ],
        );
    }

    fn futures(&mut self, keys: u32) {
        let course = Course::new(self.number_keys(keys), |id| truth::number(*id));
        let moka = &maps::moka_async::<u64, u64>(CAPACITY);
        block_on(async {
            for id in course.keys() {
                moka.insert(*id, truth::number(*id)).await;
            }
        });
        let get = |id: &u64| {
            let id = *id;
            async move { moka.get(&id).await.expect("put before") }
        };
        self.case(
            "async-u64",
            keys,
            &[
                course.future("larder", |id| larder::number_async(*id)),
                course.function("sync", |id| larder::number(*id)),
                course.future("cached", |id| plain::number_async(*id)),
                course.future("cached-concurrent", |id| concurrent::number_async(*id)),
                course.future("moka", get),
            ],
        );
    }

    fn methods(&mut self, keys: u32) {
        let course = Course::new(self.number_keys(keys), |id| truth::number(DIRECTORY.tenant ^ id));
        let key = |id: &u64| (DIRECTORY.tenant, *id);
        let quick = maps::quick::<(u64, u64), u64>(CAPACITY);
        let moka = maps::moka::<(u64, u64), u64>(CAPACITY);
        self.case(
            "method",
            keys,
            &[
                course.function("larder", |id| DIRECTORY.by_larder(*id)),
                course.map(
                    "quick_cache",
                    quick,
                    |map, id, value| map.insert((DIRECTORY.tenant, *id), value),
                    move |map, id| map.get(&key(id)).expect("put before"),
                ),
                course.function("cached", |id| DIRECTORY.by_cached(*id)),
                course.function("cached-concurrent", |id| DIRECTORY.by_concurrent_cached(*id)),
                course.map(
                    "moka",
                    moka,
                    |map, id, value| map.insert((DIRECTORY.tenant, *id), value),
                    move |map, id| map.get(&key(id)).expect("put before"),
                ),
            ],
        );
    }

    /// While one contestant, the first, hears of invalidations that do not concern it.
    fn invalidating(&mut self, keys: u32, contestants: &[Contestant<'_>]) {
        for tag in 0..TAGS {
            assert_eq!(larder::other(tag), truth::number(tag));
        }
        for threads in [1, 2] {
            let (times, tally) = Disturbance::beside(|disturbance| {
                race(contestants, threads, self.length, &|at| disturbance.set(at == 0))
            });
            self.enter("u64-invalidating", keys, threads, contestants, &times);
            self.report.note(format_args!(
                "u64-invalidating, {keys} keys, {threads} threads: {:.0} invalidations a second",
                tally.per_second(),
            ));
        }
    }

    fn case(&mut self, case: &str, keys: u32, contestants: &[Contestant<'_>]) {
        for threads in [1, 2] {
            let times = race(contestants, threads, self.length, &|_| {});
            self.enter(case, keys, threads, contestants, &times);
        }
    }

    fn enter(
        &mut self,
        case: &str,
        keys: u32,
        threads: usize,
        contestants: &[Contestant<'_>],
        times: &Times,
    ) {
        let keys = usize::try_from(keys).expect("32 bits fit");
        let setting = Setting { case: case.to_owned(), keys, threads };
        self.report.progress(&setting, times);
        for (at, contestant) in contestants.iter().enumerate().skip(1) {
            let found = times.compare(0, at, self.calls);
            self.report.row(&setting, contestant.name, found);
        }
    }
}
