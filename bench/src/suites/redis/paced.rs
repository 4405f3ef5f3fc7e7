//! Calls at a steady pace, whether or not those before them have ended: how long each takes, when its
//! value is in the Redis tier and when it is nowhere.

use crate::cli::Effort;
use crate::peers::by_hand::ByHand;
use crate::peers::remote_functions as functions;
use crate::report::{Report, Setting};
use crate::rounds::{count, nanoseconds};
use crate::table::{Table, time};
use larder::FunctionStats;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const PER_SECOND: u32 = 2_000;
/// Keys that have values.
const KEYS: u64 = 1_000;
/// Where the numbers of those begin that have none.
const NEW: u64 = 1 << 40;

/// Calls that were begun at a steady pace.
struct Pace {
    /// How long each took, from the shortest to the longest.
    spans: Vec<Duration>,
    per_second: f64,
}

pub(super) fn run(effort: Effort, runtime: &Runtime, by_hand: &ByHand, report: &mut Report) {
    let calls = u64::from(PER_SECOND) * effort.pick(1, 10);
    runtime.block_on(fill(by_hand));
    let known = |at: u64| NEW - at % KEYS;
    let get = Pace::keep(runtime, calls, |at| {
        let (by_hand, id) = (by_hand.clone(), known(at));
        async move { assert_eq!(by_hand.get(id).await.len(), functions::LENGTH) }
    });
    let before = functions::by_larder::stats();
    let hit = Pace::keep(runtime, calls, |at| call(known(at)));
    let after = functions::by_larder::stats();
    let hits = |stats: &FunctionStats| stats.hits_l3 + stats.joins + stats.joins_l3;
    assert_eq!(hits(&after) - hits(&before), calls, "each call is a hit");
    assert_eq!(after.computations, before.computations, "a value was not in L3");
    let miss = Pace::keep(runtime, calls, |at| call(NEW + 1 + at));
    let last = functions::by_larder::stats();
    assert_eq!(last.computations - after.computations, calls, "each call computes");
    assert_eq!(last.stores_l3 - after.stores_l3, calls, "each value is stored");
    tell(&[("redis-get", get), ("hit", hit), ("miss", miss)], report);
}

async fn fill(by_hand: &ByHand) {
    for at in 0..KEYS {
        let id = NEW - at;
        by_hand.put(id, &functions::truth(id)).await.expect("the server is there");
        call(id).await;
    }
}

async fn call(id: u64) {
    assert_eq!(functions::by_larder(id).await.len(), functions::LENGTH);
}

impl Pace {
    /// Begins a task for each call when it is due.
    fn keep<F: Future<Output = ()> + Send + 'static>(
        runtime: &Runtime,
        calls: u64,
        call: impl Fn(u64) -> F,
    ) -> Self {
        let began = Instant::now();
        let mut due = began;
        let call_when_due = |at| {
            // Late wake-ups are made up for: the pace is that of the schedule.
            thread::sleep(due.saturating_duration_since(Instant::now()));
            due += Duration::from_secs(1) / PER_SECOND;
            let called = Instant::now();
            let call = call(at);
            runtime.spawn(async move {
                call.await;
                called.elapsed()
            })
        };
        let running: Vec<_> = (0..calls).map(call_when_due).collect();
        let per_second = count(running.len()) / began.elapsed().as_secs_f64();
        let mut spans = runtime.block_on(async {
            let mut spans = Vec::with_capacity(running.len());
            for task in running {
                spans.push(task.await.expect("a call that panics ends the run"));
            }
            spans
        });
        spans.sort_unstable();
        Self { spans, per_second }
    }

    fn at(&self, part: usize) -> f64 {
        nanoseconds(self.spans[(self.spans.len() - 1) * part / 100])
    }
}

fn tell(paces: &[(&str, Pace)], report: &mut Report) {
    let keys = usize::try_from(KEYS).expect("they are few");
    let setting = Setting { case: "paced".to_owned(), keys, threads: 1 };
    let mut table = Table::new(&["paced", "median", "p90", "p99", "most", "calls a second"]);
    for (name, pace) in paces {
        let mut cells = vec![(*name).to_owned()];
        for part in [50, 90, 99, 100] {
            cells.push(time(pace.at(part)));
            if matches!(part, 50 | 99) {
                report.time(&setting, format!("{name}-p{part}"), pace.at(part));
            }
        }
        cells.push(format!("{:.0}", pace.per_second));
        table.row(cells);
    }
    report.note(table);
    report.note(format_args!(
        "paced: {} calls of each kind, each a task of its own, begun at a steady pace whether or not\n\
         those before have ended; from the moment it is begun to its end. `miss` includes the body, which\n\
         makes a text of {} bytes; `redis-get` is the bare command at the same pace",
        paces.first().map_or(0, |(_, pace)| pace.spans.len()),
        functions::LENGTH,
    ));
}
