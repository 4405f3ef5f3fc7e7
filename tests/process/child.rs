//! Other processes: this test binary, run again for the test that asks for one.
//!
//! 1. A child says lines and hears lines. What it warns of is kept apart.
//! 2. Only a test that fails waits for longer than the limit, and nothing is killed but a child, by
//!    its handle.

use crate::warnings;
use larder::Runtime;
use std::any;
use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{self, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const ROLE: &str = "LARDER_PROCESS_ROLE";
const DIRECTORY: &str = "LARDER_PROCESS_DIRECTORY";

/// How long to wait for what must come.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Before each line that a child says, and that it warns of.
const SAID: &str = "> ";
const WARNED: &str = "! ";

/// A test that starts children of itself.
pub(crate) struct Test {
    name: &'static str,
}

/// What a child knows of itself.
pub(crate) struct Inside {
    pub(crate) role: String,
    pub(crate) directory: PathBuf,
}

/// A running child, killed when dropped.
pub(crate) struct Child {
    process: process::Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    warnings: Arc<Mutex<Vec<String>>>,
}

impl Test {
    /// In a child, runs what children do, and there is no test. `inside` is a closure of the test's
    /// own, which has its name.
    pub(crate) fn new<F: FnOnce(Inside)>(inside: F) -> Option<Self> {
        let role = env::var_os(ROLE);
        warnings::listen(if role.is_some() { |it| print_line(WARNED, it) } else { |_| () });
        if let Some(role) = role {
            let role = role.into_string().expect("roles are text");
            let directory = env::var_os(DIRECTORY).expect("a child has a directory").into();
            inside(Inside { role, directory });
            return None;
        }
        let path = any::type_name::<F>();
        let name = path.split_once("::").and_then(|(_, path)| path.strip_suffix("::{{closure}}"));
        Some(Self { name: name.expect("a closure in a test has the path of the test") })
    }

    pub(crate) fn start(&self, role: &str, directory: &Path) -> Child {
        self.start_by(&[], role, directory)
    }

    /// Starts a child by a command that runs another, if there is one. Neither may outlive the other.
    pub(crate) fn start_by(&self, command: &[&str], role: &str, directory: &Path) -> Child {
        let this = env::current_exe().unwrap();
        let mut words = command.iter().map(AsRef::as_ref).chain([this.as_os_str()]);
        let mut process = Command::new(words.next().expect("there is this program"))
            .args(words)
            .args(["--exact", self.name, "--nocapture", "--test-threads", "1"])
            .env(ROLE, role)
            .env(DIRECTORY, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take();
        let output = process.stdout.take().expect("it is piped");
        let (sender, lines) = mpsc::channel();
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let warned = Arc::clone(&warnings);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(said) = line.strip_prefix(SAID) {
                    let _ = sender.send(said.to_owned());
                } else if let Some(warning) = line.strip_prefix(WARNED) {
                    warned.lock().unwrap().push(warning.to_owned());
                }
            }
        });
        Child { process, input, lines, warnings }
    }
}

/// In a child: tells the parent.
pub(crate) fn say(what: &str) {
    print_line(SAID, what);
}

/// In a child: what the parent says next; nothing once it wants this process to end.
pub(crate) fn hear() -> Option<String> {
    let mut line = String::new();
    let length = io::stdin().lock().read_line(&mut line).unwrap();
    (length > 0).then(|| line.trim_end().to_owned())
}

/// In a child: makes a runtime the global one.
pub(crate) fn install(directory: &Path) -> Runtime {
    let runtime = Runtime::builder().namespace("tests").dir(directory).build().unwrap();
    runtime.install().unwrap();
    runtime
}

fn print_line(mark: &str, what: &str) {
    // One write, as other threads say something as well; and behind what the test harness began.
    let line = format!("\n{mark}{}\n", what.replace('\n', " "));
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes()).unwrap();
    out.flush().unwrap();
}

impl Child {
    pub(crate) fn tell(&mut self, what: &str) {
        let input = self.input.as_mut().expect("it has not been told to end");
        writeln!(input, "{what}").unwrap();
    }

    /// The next line that the child says.
    pub(crate) fn hear(&mut self) -> String {
        match self.lines.recv_timeout(LIMIT) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("waited in vain for a child to say something"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("a child ended too early: {}", self.process.wait().unwrap())
            }
        }
    }

    /// The next line, if there is one already.
    pub(crate) fn overhear(&mut self) -> Option<String> {
        self.lines.try_recv().ok()
    }

    pub(crate) fn ask(&mut self, what: &str) -> String {
        self.tell(what);
        self.hear()
    }

    pub(crate) fn expect(&mut self, what: &str) {
        assert_eq!(self.hear(), what);
    }

    pub(crate) fn kill(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.warned()
    }

    /// Lets the child end, which must have done what it should; says what it warned of.
    pub(crate) fn end(mut self) -> Vec<String> {
        let status = self.outcome();
        assert!(status.success(), "a child ended with {status}");
        self.warned()
    }

    /// Lets the child end, and says how it did.
    pub(crate) fn outcome(&mut self) -> ExitStatus {
        self.outcome_after(|_| ())
    }

    /// The same, with what it says until then.
    pub(crate) fn outcome_after(&mut self, mut said: impl FnMut(&str)) -> ExitStatus {
        drop(self.input.take());
        let begun = Instant::now();
        loop {
            // Its output ends when it does.
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) => {
                    assert!(begun.elapsed() < LIMIT, "a child talks on and on");
                    said(&line);
                }
                Err(RecvTimeoutError::Disconnected) => return self.process.wait().unwrap(),
                Err(RecvTimeoutError::Timeout) => panic!("waited in vain for a child to end"),
            }
        }
    }

    /// What it has warned of so far.
    pub(crate) fn warned(&self) -> Vec<String> {
        self.warnings.lock().unwrap().clone()
    }

    /// The same, if it has to do with a directory. Complete as of the last line that was heard.
    pub(crate) fn warned_about(&self, directory: &Path) -> Vec<String> {
        let directory = directory.to_str().expect("the tests' own directories are text");
        self.warned().into_iter().filter(|it| it.contains(directory)).collect()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder of its own, in memory where there is such a place: what is tried here is not the disk.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let has_room = fs::metadata(memory).is_ok_and(|it| it.is_dir());
    let made = if has_room { tempfile::tempdir_in(memory).ok() } else { None };
    made.unwrap_or_else(|| tempfile::tempdir().unwrap())
}

/// Does something again until it comes to a value.
pub(crate) fn until<R>(what: &str, mut comes: impl FnMut() -> Option<R>) -> R {
    let begun = Instant::now();
    loop {
        if let Some(come) = comes() {
            return come;
        }
        assert!(begun.elapsed() < LIMIT, "waited in vain for {what}");
        thread::park_timeout(Duration::from_millis(1));
    }
}
