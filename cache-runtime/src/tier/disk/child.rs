//! For tests: folders of their own, and other processes, which are this test binary run again for
//! one test with a folder in its environment.

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

const ROLE: &str = "LARDER_TEST_CHILD";

/// How long to wait for what must come. Only a test that fails waits that long.
const LIMIT: Duration = Duration::from_secs(60);

/// The folder given to this process, if it is a child.
pub(super) fn role() -> Option<PathBuf> {
    env::var_os(ROLE).map(PathBuf::from)
}

/// A folder that goes when dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        Self::within(&env::temp_dir())
    }

    pub(super) fn within(parent: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("larder-test-{}-{number}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A child, killed when dropped.
pub(super) struct Child {
    process: process::Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

impl Child {
    /// Runs one test in another process, where `role` gives the folder.
    pub(super) fn start(module: &str, test: &str, folder: &Folder) -> Self {
        let (_, module) = module.split_once("::").expect("a module is in a crate");
        let mut process = Command::new(env::current_exe().unwrap())
            .args([&format!("{module}::{test}"), "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = read(process.stdout.take().expect("it is piped"));
        let errors = read(process.stderr.take().expect("it is piped"));
        Self { process, lines, errors }
    }

    /// In the child: tells the parent.
    pub(super) fn say(what: &str) {
        let mut out = io::stdout();
        writeln!(out, "\n{what}").unwrap();
        out.flush().unwrap();
    }

    /// In the child: waits until the parent wants it to end, or is gone.
    pub(super) fn await_end() {
        io::stdin().read_to_end(&mut Vec::new()).unwrap();
    }

    /// Waits for the child to say this.
    pub(super) fn hear(&mut self, what: &str) {
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) if line == what => return,
                Ok(_) => {}
                Err(error) => {
                    panic!("the child did not say `{what}`: {error}: {}", self.complaint())
                }
            }
        }
    }

    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Tells the child to end, and waits until it did what it should.
    pub(super) fn end(self) {
        let (status, complaint) = self.outcome();
        assert!(status.success(), "the child ended with {status}: {complaint}");
    }

    /// Tells the child to end; returns how it did, and what it wrote to its standard error.
    pub(super) fn outcome(mut self) -> (ExitStatus, String) {
        drop(self.process.stdin.take());
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) => assert!(line != "running 0 tests", "there is no such test"),
                // Its output ends when it does.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the child did not end: {}", self.complaint())
                }
            }
        }
        let status = self.process.wait().unwrap();
        (status, self.complaint())
    }

    /// What it wrote to its standard error. Ends it, as that has no end before.
    fn complaint(&mut self) -> String {
        self.kill();
        self.errors.iter().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads lines in a thread of their own, so that a wait for one has a limit.
fn read(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in io::BufRead::lines(io::BufReader::new(from)).map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}
