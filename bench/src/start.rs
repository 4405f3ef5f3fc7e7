//! A line that threads leave together.
//!
//! They wait for each other without sleeping: a thread that has to be woken begins its lap when
//! another may have ended its own, and nothing would be measured side by side.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel, Ordering::Acquire};
use std::thread;

/// How long to wait before others may have the processor: they might be the ones waited for.
const PATIENCE: usize = 20_000;

/// A barrier for a fixed number of threads, to be used again and again.
pub(crate) struct Start {
    threads: usize,
    arrived: AtomicUsize,
}

impl Start {
    pub(crate) fn new(threads: usize) -> Self {
        Self { threads, arrived: AtomicUsize::new(0) }
    }

    /// Waits until every thread is here.
    pub(crate) fn wait(&self) {
        // Release: what was done before the line is seen by the load below on the other threads.
        let before = self.arrived.fetch_add(1, AcqRel);
        let all = (before / self.threads + 1) * self.threads;
        let mut looks = 0;
        // Acquire: meets the addition above.
        while self.arrived.load(Acquire) < all {
            looks += 1;
            if looks < PATIENCE {
                spin_loop();
            } else {
                thread::yield_now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_leaves_before_the_last_has_come() {
        const LAPS: usize = 100;
        let start = Start::new(2);
        let laps = [AtomicUsize::new(0), AtomicUsize::new(0)];
        thread::scope(|scope| {
            for at in 0..2 {
                let (start, laps) = (&start, &laps);
                scope.spawn(move || {
                    for lap in 0..LAPS {
                        laps[at].store(lap, std::sync::atomic::Ordering::Release);
                        start.wait();
                        assert_eq!(laps[1 - at].load(Acquire), lap);
                        start.wait();
                    }
                });
            }
        });
    }
}
