//! A thread that invalidates tags nobody who is measured carries, at a steady pace.

use crate::rounds::{Fall, count};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// How many tags there are.
pub(crate) const TAGS: u64 = 64;
const PER_SECOND: u32 = 10_000;

/// Says when to invalidate.
#[derive(Default)]
pub(crate) struct Disturbance {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Paused,
    Active,
    Over,
}

/// What a disturbance came to.
#[derive(Default)]
pub(crate) struct Tally {
    invalidations: usize,
    time: Duration,
}

impl Tally {
    /// Invalidations in a second, while there were to be any.
    pub(crate) fn per_second(&self) -> f64 {
        count(self.invalidations) / self.time.as_secs_f64()
    }
}

impl Disturbance {
    /// Runs `work` beside a thread that invalidates whenever it is told to.
    pub(crate) fn beside<T>(work: impl FnOnce(&Self) -> T) -> (T, Tally) {
        let disturbance = Self::default();
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let _fall = Fall;
                disturbance.run()
            });
            let done = work(&disturbance);
            disturbance.enter(State::Over);
            (done, thread.join().expect("a thread that panics ends the process"))
        })
    }

    /// Begins or pauses.
    pub(crate) fn set(&self, active: bool) {
        self.enter(if active { State::Active } else { State::Paused });
    }

    fn enter(&self, state: State) {
        *self.lock() = state;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics under this lock")
    }

    fn run(&self) -> Tally {
        let tags: Vec<String> = (0..TAGS).map(|tag| format!("other:{tag}")).collect();
        let mut tags = tags.iter().cycle();
        let mut tally = Tally::default();
        loop {
            let paused = |state: &mut State| *state == State::Paused;
            let waited = self.changed.wait_while(self.lock(), paused);
            if *waited.expect("nothing panics under this lock") == State::Over {
                return tally;
            }
            let began = Instant::now();
            let mut done = 0;
            while *self.lock() == State::Active {
                // Late wake-ups are made up for: the pace is that of the schedule.
                let due = began + Duration::from_secs(1) / PER_SECOND * done;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                let tag = tags.next().expect("a cycle has no end");
                larder::blocking::invalidate_tag(tag).expect("in memory, nothing fails");
                done += 1;
                tally.invalidations += 1;
            }
            tally.time += began.elapsed();
        }
    }
}
