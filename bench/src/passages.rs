//! How long it takes from an invalidation in one process until another one, that calls without
//! pause, has seen it: until its body runs anew.

use crate::neighbour::{Neighbour, now};
use crate::report::{Report, Setting};
use crate::rounds;
use crate::table::{Table, time};
use std::io;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The time from an invalidation in one process to another one's next call seeing it: from the return
/// to the beginning of the first call that has.
const SEEN: &str = "from-return-to-call";

/// When the body ran last, and how often it has.
static RAN: AtomicI64 = AtomicI64::new(0);
static TIMES: AtomicU64 = AtomicU64::new(0);

/// Notes that the body runs, and gives a value that it has not given before.
pub(crate) fn ran() -> u64 {
    RAN.store(now(), Relaxed);
    TIMES.fetch_add(1, Relaxed)
}

/// One invalidation, in nanoseconds of the clock that both processes share.
struct Passage {
    called: i64,
    returned: i64,
    /// The call that saw it began.
    arrived: i64,
    /// Its body ran.
    ran: i64,
}

/// Some invalidations.
pub(crate) struct Passages(Vec<Passage>);

impl Passages {
    /// Has a signaller invalidate what a function gives, so many times. `settle` calls the function
    /// until its value is where it is to be dropped from.
    pub(crate) fn measure(
        count: usize,
        neighbour: &mut Neighbour,
        settle: impl Fn() -> u64,
        call: impl Fn() -> u64,
    ) -> io::Result<Self> {
        let passage = |_| {
            let known = settle();
            neighbour.nudge()?;
            let mut arrived = now();
            while call() == known {
                arrived = now();
            }
            let [called, returned] = neighbour.times()?;
            Ok(Passage { called, returned, arrived, ran: RAN.load(Relaxed) })
        };
        (0..count).map(passage).collect::<io::Result<_>>().map(Self)
    }

    /// Adds rows for some percentiles, and a table.
    pub(crate) fn tell(&self, report: &mut Report) {
        let rows = [
            ("from-call", self.spans(|it| it.ran - it.called)),
            ("from-return", self.spans(|it| it.ran - it.returned)),
            ("from-call-to-call", self.spans(|it| it.arrived - it.called)),
            (SEEN, self.spans(|it| it.arrived - it.returned)),
        ];
        let setting = Setting { case: "cross-process".to_owned(), keys: 1, threads: 1 };
        let mut table = Table::new(&["cross-process", "median", "p90", "p99", "most"]);
        for (name, spans) in rows {
            let at = |part: usize| spans[(spans.len() - 1) * part / 100];
            let mut cells = vec![name.to_owned()];
            for part in [50, 90, 99, 100] {
                let ns = nanoseconds(at(part));
                cells.push(time(ns));
                if part < 100 {
                    report.time(&setting, format!("{name}-p{part}"), ns);
                }
            }
            table.row(cells);
        }
        report.note(table);
        report.note(format_args!(
            "cross-process: {} invalidations, in process A, seen by process B, which calls without pause.\n\
             from: A's call of the invalidation, or its return; until: B's body runs anew, or (to-call)\n\
             the call begins that runs it. {SEEN} is the time from an invalidation in process A\n\
             to process B's next call seeing it; negative, a call that began before the return has seen it",
            self.0.len()
        ));
    }

    /// A span of each, from the shortest to the longest.
    fn spans(&self, span: fn(&Passage) -> i64) -> Vec<i64> {
        let mut spans: Vec<_> = self.0.iter().map(span).collect();
        spans.sort_unstable();
        spans
    }
}

fn nanoseconds(span: i64) -> f64 {
    let size = rounds::nanoseconds(Duration::from_nanos(span.unsigned_abs()));
    if span < 0 { -size } else { size }
}
