//! What is done, at random.

use crate::functions::{ALL, Answer};
use crate::history::{self, End, History, Invalidation, Origin};
use crate::judge::{self, Call, Served, judge};
use larder::testing::ManualClock;
use larder::{Background, Level, Options, Runtime, State};
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

const KEYS: u8 = 2;
/// So many calls are under way at most.
const MOST: usize = 12;
const LIMIT: Duration = Duration::from_secs(20);

struct UnderWay {
    call: Call,
    /// What may be said of the bodies that run for it.
    origin: Origin,
    /// What was there before is invalidated by it.
    is_forced: bool,
    future: Pin<Box<dyn Future<Output = Answer>>>,
}

/// What a call has left behind.
type Behind = (Origin, Background);

pub(crate) struct Driver {
    random: fastrand::Rng,
    clock: ManualClock,
    /// One if nothing else tells it of anything.
    processes: Vec<Runtime>,
    /// Those that are called.
    functions: Vec<usize>,
    calls: Vec<UnderWay>,
    /// What most calls are of, for a while.
    focus: (usize, u8),
    spawned: Receiver<Background>,
    background: Vec<Behind>,
    /// How many bodies have been judged.
    bodies: usize,
    /// Fresh, overdue, errors, cancelled.
    served: [u64; 4],
    #[cfg(feature = "disk")]
    _folder: tempfile::TempDir,
}

impl Driver {
    /// `url` is that of a server, where there is that tier. Where a process is alone, it is told of nothing by
    /// others.
    #[cfg_attr(not(feature = "redis"), expect(unused_variables, reason = "there is no server"))]
    pub(crate) fn new(seed: u64, is_alone: bool, url: Option<&str>) -> Self {
        history::with(|history| *history = History::default());
        let clock = ManualClock::new();
        let (spawn, spawned) = channel();
        #[cfg(feature = "disk")]
        let folder = tempfile::tempdir().unwrap();
        let process = |spawn: Sender<Background>| {
            let builder = Runtime::builder()
                .clock(clock.clone())
                .backoff(judge::BACKOFF, 4 * judge::BACKOFF)
                .executor(move |future| drop(spawn.send(future)));
            #[cfg(feature = "disk")]
            let builder = builder.dir(folder.path());
            if is_alone {
                return builder.build().unwrap();
            }
            #[cfg(feature = "redis")]
            let builder = builder
                .redis(url.unwrap())
                .namespace(format!("random-{seed}"))
                // Where it is asked in vain, nobody can tell.
                .redis_deadline(LIMIT)
                .coherence_bound(LIMIT / 2);
            let process = builder.build().unwrap();
            #[cfg(feature = "redis")]
            crate::limit::until("the process to find the server", || {
                let nobody = || larder::blocking::invalidate_tag("nobody has this");
                process.with(nobody).is_ok().then_some(())
            });
            process
        };
        let has_others = !is_alone && cfg!(any(feature = "disk", feature = "redis"));
        let is_called = |it: &usize| !is_alone || !ALL[*it].is_told_from_afar();
        Self {
            random: fastrand::Rng::with_seed(seed),
            processes: (0..=usize::from(has_others)).map(|_| process(spawn.clone())).collect(),
            functions: (0..ALL.len()).filter(is_called).collect(),
            clock,
            calls: Vec::new(),
            focus: (0, 0),
            spawned,
            background: Vec::new(),
            bodies: 0,
            served: [0; 4],
            #[cfg(feature = "disk")]
            _folder: folder,
        }
    }

    /// Takes so many steps, brings everything to its end, and says what was served.
    pub(crate) fn run(mut self, steps: u64) -> [u64; 4] {
        for _ in 0..steps {
            self.step();
        }
        self.end();
        self.served
    }

    fn step(&mut self) {
        match self.random.u8(..100) {
            0..30 => self.begin(),
            30..55 => self.tell(),
            55..75 => self.poll_one(),
            75..80 => self.cancel(),
            80..93 => self.pass_time(),
            93..96 => self.invalidate(),
            96 => self.look(),
            _ => self.poll_all(),
        }
        self.poll_background();
    }

    /// One of the processes, as it were.
    fn process(&mut self) -> (usize, Runtime) {
        let process = self.random.usize(..self.processes.len());
        (process, self.processes[process].clone())
    }

    /// A function and a key.
    fn target(&mut self) -> (usize, u8) {
        let function = self.functions[self.random.usize(..self.functions.len())];
        let any = (function, self.random.u8(..KEYS));
        if self.random.u8(..100) == 0 {
            self.focus = any;
        }
        if self.random.u8(..4) == 0 { any } else { self.focus }
    }

    fn begin(&mut self) {
        if self.calls.len() >= MOST {
            return self.poll_all();
        }
        let (function, key) = self.target();
        let began = (history::tick(), history::with(|it| it.time));
        let mut ttl = None;
        let options = match self.random.u8(..24) {
            0 => Some(Options::new().skip_read()),
            1 => Some(Options::new().skip_write()),
            2 => Some(Options::new().read_only()),
            3 => Some(Options::new().force()),
            4 => Some(Options::new().tiers(self.tiers())),
            // On the server time goes by another clock.
            5 if !ALL[function].is_told_from_afar() => {
                let said = Duration::from_secs(self.random.u64(1..=20));
                ttl = Some(said);
                Some(Options::new().ttl(said))
            }
            _ => None,
        };
        let skips_read = options == Some(Options::new().skip_read());
        let (process, runtime) = self.process();
        let call = Call { function, key, process, began, skips_read };
        let is_forced = options == Some(Options::new().force());
        let is_beside = options.is_some();
        let origin = Origin { since: began, is_beside, ttl, is_behind: false };
        let future = match options {
            Some(options) => (ALL[function].call_with)(options, key),
            None => (ALL[function].call)(key),
        };
        let future = Box::pin(runtime.scope(future));
        self.calls.push(UnderWay { call, origin, is_forced, future });
        self.poll(self.calls.len() - 1);
        if is_forced && self.processes.len() == 1 {
            // With no server to tell, it takes effect when first polled.
            invalidated(process, function, Some(key), (began.0, true));
        }
    }

    /// Some of them.
    fn tiers(&mut self) -> Vec<Level> {
        let all = [Level::L1, Level::L2, Level::L3];
        all.into_iter().filter(|_| self.random.bool()).collect()
    }

    fn tell(&mut self) {
        let waiting = history::waiting();
        let Some(at) = self.random.choice(&waiting) else { return };
        let end = match self.random.u8(..10) {
            0..2 => End::Error,
            2 => End::Panic,
            _ => End::Value,
        };
        history::tell(*at, end);
    }

    fn poll_one(&mut self) {
        if !self.calls.is_empty() {
            let at = self.random.usize(..self.calls.len());
            self.poll(at);
        }
    }

    fn poll_all(&mut self) {
        if self.calls.iter().any(|it| ALL[it.call.function].is_far()) {
            // What another thread hears from the server takes its time.
            thread::park_timeout(Duration::from_micros(50));
        }
        for at in (0..self.calls.len()).rev() {
            self.poll(at);
        }
    }

    /// Goes on with a call, and judges what it returns.
    fn poll(&mut self, at: usize) {
        let UnderWay { call, origin, is_forced, future } = &mut self.calls[at];
        let (call, origin, is_forced) = (*call, *origin, *is_forced);
        let mut task = Context::from_waker(Waker::noop());
        let mut poll = || history::on_behalf_of(origin, || future.as_mut().poll(&mut task));
        let polled = catch_unwind(AssertUnwindSafe(&mut poll));
        self.take_what_is_left(origin);
        let answer = match polled {
            Ok(Poll::Pending) => return,
            Ok(Poll::Ready(answer)) => Some(answer),
            // A body of its own panicked.
            Err(panic) => {
                assert_eq!(panic.downcast_ref::<&str>(), Some(&history::ON_PURPOSE));
                None
            }
        };
        drop(self.calls.swap_remove(at));
        if is_forced {
            invalidated(call.process, call.function, Some(call.key), (call.began.0, true));
        }
        let Some(answer) = answer else { return };
        let served = history::with(|history| judge(history, &call, answer));
        self.served[match served {
            Served::Fresh => 0,
            Served::Overdue => 1,
            Served::Error => 2,
        }] += 1;
    }

    fn cancel(&mut self) {
        if !self.calls.is_empty() {
            let at = self.random.usize(..self.calls.len());
            let UnderWay { call, is_forced, .. } = self.calls.swap_remove(at);
            if is_forced {
                // It may have come to that, of which nothing before it is known to be invalid.
                invalidated(call.process, call.function, Some(call.key), (0, true));
            }
            self.served[3] += 1;
        }
        if !self.background.is_empty() && self.random.u8(..4) == 0 {
            let at = self.random.usize(..self.background.len());
            drop(self.background.swap_remove(at));
        }
    }

    fn pass_time(&mut self) {
        let span = Duration::from_millis(self.random.u64(1..=2_500));
        history::with(|history| history.time += span);
        self.clock.advance(span);
    }

    fn invalidate(&mut self) {
        let (function, key) = self.target();
        let began = history::tick();
        let (place, process) = self.process();
        let (function, key, said) = match self.random.u8(..6) {
            0..3 => {
                let said = block_on(process.scope((ALL[function].invalidate)(key)));
                (Some(function), Some(key), said)
            }
            3..5 => {
                let known = self.random.bool();
                let tag = if known { format!("key:{key}") } else { format!("found:{key}") };
                (None, Some(key), block_on(process.scope(larder::invalidate_tag(&tag))))
            }
            _ => (None, None, block_on(process.scope(larder::invalidate_tag("all")))),
        };
        for function in (0..ALL.len()).filter(|it| function.is_none_or(|meant| meant == *it)) {
            // What is still to be delivered takes effect where it was asked for.
            invalidated(place, function, key, (began, said.is_ok()));
        }
    }

    /// Looks at what is there, which makes no call.
    fn look(&mut self) {
        let (function, key) = self.target();
        let began = (history::tick(), history::with(|it| it.time));
        let (process, runtime) = self.process();
        let call = Call { function, key, process, began, skips_read: false };
        let bodies = history::with(|it| it.bodies.len());
        let seen = block_on(runtime.scope((ALL[function].peek)(key)));
        let said = block_on(runtime.scope((ALL[function].explain)(key)));
        assert_eq!(history::with(|it| it.bodies.len()), bodies, "a body ran: {call:?}");
        if let Some(answer) = seen {
            let served = history::with(|history| judge(history, &call, answer));
            assert!(served != Served::Overdue, "it is over: {call:?} {answer:?}");
        }
        // Elsewhere a thread may store something meanwhile, or the server may.
        if self.processes.len() == 1 && !ALL[function].is_on_disk() {
            let is_fresh = matches!(said.state, State::Fresh { .. });
            assert_eq!(seen.is_some(), is_fresh, "{call:?}: {said}");
        }
    }

    /// Takes what was spawned, and judges the bodies that have begun.
    fn take_what_is_left(&mut self, origin: Origin) {
        let since = (history::tick(), history::with(|it| it.time));
        let origin = Origin { since, is_behind: true, ..origin };
        self.background.extend(self.spawned.try_iter().map(|future| (origin, future)));
        if self.processes.len() > 1 {
            return;
        }
        let forced = self.calls.iter().filter(|it| it.is_forced);
        let forced: Vec<_> = forced.map(|it| (it.call.function, it.call.key)).collect();
        history::with(|history| {
            (self.bodies..history.bodies.len()).for_each(|at| judge::begun(history, at, &forced));
            self.bodies = history.bodies.len();
        });
    }

    /// Runs what was spawned, one piece at a time.
    fn poll_background(&mut self) {
        for (origin, mut future) in mem::take(&mut self.background) {
            let mut task = Context::from_waker(Waker::noop());
            let polled = history::on_behalf_of(origin, || future.as_mut().poll(&mut task));
            if polled.is_pending() {
                self.background.push((origin, future));
            }
            self.take_what_is_left(origin);
        }
    }

    /// Has everything end: nobody hangs.
    fn end(&mut self) {
        let start = Instant::now();
        while !self.calls.is_empty() || !self.background.is_empty() {
            for at in history::waiting() {
                history::tell(at, End::Value);
            }
            self.poll_background();
            self.poll_all();
            if start.elapsed() > LIMIT {
                let hanging: Vec<_> = self.calls.iter().map(|it| it.call).collect();
                panic!("these hang, and {} behind: {hanging:?}", self.background.len());
            }
        }
    }
}

/// Notes an invalidation that has just returned.
fn invalidated(
    process: usize,
    function: usize,
    key: Option<u8>,
    (began, is_delivered): (u64, bool),
) {
    let returned = history::tick();
    let is_everywhere = ALL[function].is_on_disk() || (ALL[function].is_far() && is_delivered);
    let process = (!is_everywhere).then_some(process);
    let invalidation = Invalidation { function, key, process, began, returned };
    history::with(|it| it.invalidations.push(invalidation));
}

fn block_on<F: Future>(future: F) -> F::Output {
    futures_lite::future::block_on(future)
}
