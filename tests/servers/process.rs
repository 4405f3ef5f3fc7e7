//! Other programs, which end with this one.
//!
//! 1. A program is killed by its own number only, as long as nobody else can have that.
//! 2. None outlives this process, however that ends. The kernel kills a program when the thread that
//!    started it ends, so that is one that never does.

use crate::limit::until;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Sender};
use std::thread;

type Order = (Command, Sender<io::Result<Child>>);

static STARTER: LazyLock<Sender<Order>> = LazyLock::new(|| {
    let (sender, orders) = mpsc::channel::<Order>();
    thread::spawn(move || {
        for (mut command, outcome) in orders {
            let _ = outcome.send(command.spawn());
        }
    });
    sender
});

/// A running program, killed when dropped.
pub(crate) struct Process {
    child: Child,
    paused: bool,
}

impl Process {
    /// Starts a program, which writes what it says to the end of a file.
    pub(crate) fn start<I: AsRef<OsStr>>(
        program: &str,
        arguments: impl IntoIterator<Item = I>,
        log: &Path,
    ) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", program]).args(arguments);
        command.stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log);
        let (sender, outcome) = mpsc::channel();
        STARTER.send((command, sender)).expect("it never ends");
        let child = outcome.recv().expect("every order is answered").unwrap();
        Self { child, paused: false }
    }

    /// How it ended, if it did by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Stops it where it stands. Returns when it does.
    pub(crate) fn pause(&mut self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::STOP).unwrap();
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        until("a process to stop", || waitid(WaitId::Pid(pid), options).unwrap());
        self.paused = true;
    }

    pub(crate) fn resume(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).unwrap();
        self.paused = false;
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Also one that is paused ends by this.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
