//! What a suite found: comparisons, for people and for programs.

use crate::rounds::{Comparison, Times};
use crate::table::{Table, time};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::path::Path;
use std::{fmt, fs, io};

/// The part of the rounds that runs side by side on a machine with nothing else to do.
const QUIET: f64 = 0.8;
const NOISE: &str = "together: the rounds whose threads ran side by side; where they are few, \
                     something else kept the machine busy, and the figures are not to be quoted";

/// The rows of one suite, and what is to be said beside them.
pub(crate) struct Report {
    suite: &'static str,
    rows: Vec<Row>,
    notes: Vec<String>,
}

struct Row {
    setting: Setting,
    baseline: Cow<'static, str>,
    found: Found,
}

enum Found {
    Compared(Comparison),
    /// A time that nothing is compared with, in nanoseconds.
    Alone(f64),
}

/// Under what circumstances something was compared.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) case: String,
    pub(crate) keys: usize,
    pub(crate) threads: usize,
}

impl Report {
    pub(crate) fn new(suite: &'static str) -> Self {
        Self { suite, rows: Vec::new(), notes: Vec::new() }
    }

    pub(crate) fn row(&mut self, setting: &Setting, baseline: &'static str, found: Comparison) {
        let (setting, baseline) = (setting.clone(), Cow::Borrowed(baseline));
        self.rows.push(Row { setting, baseline, found: Found::Compared(found) });
    }

    /// Adds a time, in nanoseconds, since what is called the baseline.
    pub(crate) fn time(
        &mut self,
        setting: &Setting,
        baseline: impl Into<Cow<'static, str>>,
        ns: f64,
    ) {
        let (setting, baseline) = (setting.clone(), baseline.into());
        self.rows.push(Row { setting, baseline, found: Found::Alone(ns) });
    }

    /// Says that a race is over.
    pub(crate) fn progress(&self, setting: &Setting, times: &Times) {
        let Setting { case, keys, threads } = setting;
        let rounds = times.rounds();
        eprintln!("{}: {case}, {keys} keys, {threads} threads: {rounds} rounds", self.suite);
    }

    /// Adds words, or a table of another kind, below the rows.
    pub(crate) fn note(&mut self, note: impl fmt::Display) {
        self.notes.push(note.to_string());
    }

    /// Writes the rows as a JSON array.
    pub(crate) fn write_json(&self, path: &Path) -> io::Result<()> {
        let rows: Value = self.rows.iter().map(|row| row.to_json(self.suite)).collect();
        fs::write(path, format!("{rows:#}\n"))
    }
}

impl Row {
    fn is_noisy(&self) -> bool {
        matches!(self.found, Found::Compared(found) if found.together < QUIET)
    }

    fn to_json(&self, suite: &str) -> Value {
        let (ratio, ns) = match self.found {
            Found::Compared(found) => (Some(found.ratio), found.ns),
            Found::Alone(ns) => (None, ns),
        };
        json!({
            "suite": suite,
            "case": self.setting.case,
            "keys": self.setting.keys,
            "threads": self.setting.threads,
            "baseline": self.baseline,
            "ratio": ratio,
            "ns": ns,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = [
            "case",
            "keys",
            "threads",
            "baseline",
            "ratio",
            "larder",
            "baseline's",
            "more by",
            "together",
        ];
        let mut table = Table::new(&heading);
        for Row { setting, baseline, found } in &self.rows {
            let mut cells = vec![
                setting.case.clone(),
                setting.keys.to_string(),
                setting.threads.to_string(),
                baseline.to_string(),
            ];
            match found {
                Found::Compared(found) => cells.extend([
                    format!("{:.2}x", found.ratio),
                    time(found.ns),
                    time(found.other_ns),
                    time(found.ns - found.other_ns),
                    format!("{:.0}%", 100.0 * found.together),
                ]),
                Found::Alone(ns) => cells.extend([String::new(), time(*ns)]),
            }
            table.row(cells);
        }
        write!(f, "{table}")?;
        if self.rows.iter().any(Row::is_noisy) {
            writeln!(f, "\n{NOISE}")?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "\n{}\n", note.trim_end()))
    }
}
