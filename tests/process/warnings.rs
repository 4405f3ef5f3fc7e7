//! What is said to the log: kept, and told to whoever asked for it.

use log::{Level, LevelFilter, Log, Metadata, Record};
use std::path::Path;
use std::sync::{Mutex, OnceLock};

struct Ears;

static WARNINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static TELL: OnceLock<fn(&str)> = OnceLock::new();

impl Log for Ears {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let warning = record.args().to_string();
            if let Some(tell) = TELL.get() {
                tell(&warning);
            }
            WARNINGS.lock().unwrap().push(warning);
        }
    }

    fn flush(&self) {}
}

/// To be called before anything can be warned of.
pub(crate) fn listen() {
    // Another test of this process may have done it.
    let _ = log::set_logger(&Ears);
    log::set_max_level(LevelFilter::Warn);
}

/// Has every warning told.
pub(crate) fn tell(tell: fn(&str)) {
    let _ = TELL.set(tell);
}

/// What this process was warned of that has to do with a directory.
pub(crate) fn about(directory: &Path) -> Vec<String> {
    let directory = directory.to_str().expect("the tests' own directories are text");
    let warnings = WARNINGS.lock().unwrap();
    warnings.iter().filter(|it| it.contains(directory)).cloned().collect()
}
