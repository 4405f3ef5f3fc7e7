//! What is said to the log: kept, and told to whoever asked for it.

use log::{LevelFilter, Log, Metadata, Record};
use std::sync::{Mutex, OnceLock};

struct Ears {
    level: LevelFilter,
    tell: fn(&str),
}

static EARS: OnceLock<Ears> = OnceLock::new();
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Log for Ears {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = record.args().to_string();
            (self.tell)(&line);
            LINES.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

/// To be called before anything is said, in each test: the first one decides what is heard.
pub(crate) fn listen(level: LevelFilter, tell: fn(&str)) {
    let _ = log::set_logger(EARS.get_or_init(|| Ears { level, tell }));
    log::set_max_level(level);
}

/// What was said in this process that has all of these words in it.
pub(crate) fn said(words: &[&str]) -> Vec<String> {
    let lines = LINES.lock().unwrap();
    lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).cloned().collect()
}
