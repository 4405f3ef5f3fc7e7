//! The clock that the processes of a trial write their journals by.
//!
//! 1. No two moments are the same, and what has a greater one came later, whichever process took it.
//! 2. They are nanoseconds of the clock that the tier keeps its bound by.

use crate::words::Words;
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

/// That of the trial that this process is a child of.
static CLOCK: OnceLock<Clock> = OnceLock::new();

pub(crate) struct Clock(Words);

impl Clock {
    /// The one of all who name the same folder.
    pub(crate) fn of(directory: &Path) -> Self {
        Self(Words::map(&directory.join("moment"), 1))
    }

    /// A moment that nobody had before.
    pub(crate) fn next(&self) -> u64 {
        let latest = &self.0.all()[0];
        let mut before = latest.load(SeqCst);
        loop {
            let moment = now().max(before + 1);
            match latest.compare_exchange_weak(before, moment, SeqCst, SeqCst) {
                Ok(_) => return moment,
                Err(changed) => before = changed,
            }
        }
    }
}

pub(crate) fn share(directory: &Path) {
    CLOCK.get_or_init(|| Clock::of(directory));
}

pub(crate) fn next() -> u64 {
    CLOCK.get().expect("it is shared first").next()
}

fn now() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    nanos(Duration::new(now.tv_sec.cast_unsigned(), now.tv_nsec.cast_unsigned() as u32))
}

pub(crate) fn nanos(span: Duration) -> u64 {
    span.as_nanos() as u64
}
