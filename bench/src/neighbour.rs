//! Another process: this program once more, with a part to play beside the one that measures.
//!
//! It shares the disk tier's folder, or a server, and is told what to do through its standard input. When that
//! ends, it does too.

use rustix::time::{ClockId, clock_gettime};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fmt};

const ROLE: &str = "CACHE_BENCH_ROLE";
const PER_SECOND: u32 = 1_000;

/// How long it may take to connect.
const LIMIT: Duration = Duration::from_secs(10);

/// What a signaller invalidates.
pub(crate) const SIGNAL: &str = "signal";

/// What another process does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// Invalidates tags that nobody carries, a thousand times a second.
    Disturber,
    /// Invalidates one tag for each byte it is sent, and answers with the times at which it began and
    /// had done so.
    Signaller,
}

impl Role {
    /// The role that this process was started for.
    pub(crate) fn given() -> Option<Self> {
        match env::var(ROLE).ok()?.as_str() {
            "Disturber" => Some(Self::Disturber),
            "Signaller" => Some(Self::Signaller),
            _ => None,
        }
    }

    /// Plays it to the end.
    pub(crate) fn play(self) {
        match self {
            Self::Disturber => disturb(),
            Self::Signaller => signal(),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A process that plays a role until this is dropped.
pub(crate) struct Neighbour {
    child: Child,
    /// Nothing once it has been told to end.
    input: Option<ChildStdin>,
    output: ChildStdout,
}

impl Neighbour {
    /// Starts one, and waits until it has been heard of: it has the disk tier in `folder` open then,
    /// and is connected to the server, if there is to be one.
    pub(crate) fn start(role: Role, folder: &Path, server: Option<&str>) -> io::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .env(ROLE, role.to_string())
            .env("LARDER_DIR", folder)
            .envs(server.map(|url| ("LARDER_REDIS_URL", url)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.expect("it has a pipe");
        let mut neighbour = Self { child, input, output };
        neighbour.times()?;
        Ok(neighbour)
    }

    /// Tells it to go on.
    pub(crate) fn nudge(&mut self) -> io::Result<()> {
        self.input.as_mut().expect("it has not been told to end").write_all(&[1])
    }

    /// Two times that it tells of.
    pub(crate) fn times(&mut self) -> io::Result<[i64; 2]> {
        let mut read = || {
            let mut bytes = [0; 8];
            self.output.read_exact(&mut bytes).map(|()| i64::from_le_bytes(bytes))
        };
        Ok([read()?, read()?])
    }

    /// Ends it, and gives the times it told of last.
    pub(crate) fn end(mut self) -> io::Result<[i64; 2]> {
        self.input = None;
        self.times()
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

/// Nanoseconds on the clock that all processes of a machine share.
pub(crate) fn now() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

fn tell(times: [i64; 2]) {
    let mut out = io::stdout().lock();
    let written = times.iter().try_for_each(|time| out.write_all(&time.to_le_bytes()));
    written.and_then(|()| out.flush()).expect("the one that measures waits for it");
}

fn invalidate(tag: &str) {
    larder::blocking::invalidate_tag(tag).expect("what is shared is there");
}

/// Invalidates a tag once what is shared is there: the disk tier, and the server, if there is one.
pub(crate) fn invalidate_first(tag: &str) {
    let begun = Instant::now();
    while let Err(fault) = larder::blocking::invalidate_tag(tag) {
        assert!(begun.elapsed() < LIMIT, "{fault}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn disturb() {
    let tags: Vec<String> = (0..64).map(|tag| format!("elsewhere:{tag}")).collect();
    let over = AtomicBool::new(false);
    invalidate_first(&tags[0]);
    tell([0; 2]);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = io::stdin().read(&mut [0]);
            over.store(true, Relaxed);
        });
        let began = Instant::now();
        let mut done: u32 = 0;
        for tag in tags.iter().cycle().take_while(|_| !over.load(Relaxed)) {
            // Late wake-ups are made up for: the pace is that of the schedule.
            let due = began + Duration::from_secs(1) / PER_SECOND * done;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            invalidate(tag);
            done += 1;
        }
        let spent = i64::try_from(began.elapsed().as_nanos()).expect("not for centuries");
        tell([done.into(), spent]);
    });
}

fn signal() {
    invalidate_first(SIGNAL);
    tell([0; 2]);
    let mut pause = 200;
    while io::stdin().read(&mut [0]).is_ok_and(|count| count > 0) {
        // Long enough for the other one to be back at its calls; not always the same.
        thread::sleep(Duration::from_micros(pause));
        pause = (pause * 7 + 11) % 600 + 200;
        let called = now();
        invalidate(SIGNAL);
        tell([called, now()]);
    }
}
