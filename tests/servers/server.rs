//! A real Redis server in a folder of its own, on a port that stays its own while it doesn't run.

use crate::client::{Client, Reply};
use crate::limit::until;
use crate::port::Port;
use crate::process::Process;
use std::fs;
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;

/// The configuration of a server that takes nothing along when it ends.
pub(crate) const FORGETFUL: &str = "save \"\"\nappendonly no\n";

/// A server that runs, is paused, or has been killed. Nothing is left of it once this is dropped.
pub(crate) struct Server {
    port: Port,
    arguments: Vec<String>,
    // Dropped before the folder: nobody writes to what is deleted.
    process: Mutex<Option<Process>>,
    folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one with more arguments than it always has.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        let server = Self::begin(Port::free(), FORGETFUL, arguments);
        server.await_ready();
        server
    }

    /// Starts one by the lines of its configuration file, which it may change, and by arguments. It
    /// need not be ready yet.
    pub(crate) fn begin(port: Port, configuration: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("redis.conf");
        fs::write(&file, configuration).unwrap();
        let (file, directory) = (file.to_str().unwrap(), folder.path().to_str().unwrap());
        let number = port.number().to_string();
        let place = [file, "--bind", "127.0.0.1", "--port", &number, "--dir", directory];
        let arguments = place.iter().chain(arguments).map(|it| (*it).to_owned()).collect();
        let server = Self { port, arguments, process: Mutex::default(), folder };
        server.begin_again();
        server
    }

    fn begin_again(&self) {
        let mut process = self.process.lock().unwrap();
        assert!(process.is_none(), "it has to be killed first");
        let log = self.folder.path().join("log");
        *process = Some(Process::start("redis-server", &self.arguments, &log));
    }

    /// Waits until it answers.
    pub(crate) fn await_ready(&self) {
        let limit = Duration::from_secs(1);
        until("a server to be ready", || {
            if let Some(status) = self.process.lock().unwrap().as_mut().and_then(Process::ended) {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
                panic!("a server ended with {status}: {log}");
            }
            let mut client = Client::connect_within(self.port(), limit).ok()?;
            let reply = client.command(&["PING"]).ok()?;
            (reply == Reply::Status("PONG".to_owned())).then_some(())
        });
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.number()
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Sends one command, on a connection of its own. What goes by what a connection did before, as
    /// `WAIT` does, takes a `Client`.
    pub(crate) fn command<A: AsRef<[u8]>>(&self, words: &[A]) -> Reply {
        let reply = Client::connect(self.port()).and_then(|mut client| client.command(words));
        reply.unwrap_or_else(|error| {
            panic!("the server at {} does not answer: {error}", self.port())
        })
    }

    /// Whether it is neither killed nor paused.
    pub(crate) fn is_running(&self) -> bool {
        self.process.lock().unwrap().as_ref().is_some_and(|it| !it.is_paused())
    }

    /// Kills it as it is. All connections to it break; there are none until it starts again.
    pub(crate) fn kill(&self) {
        drop(self.process.lock().unwrap().take().expect("it runs"));
    }

    /// Starts it after it was killed: on the same port, and with what it may have kept.
    pub(crate) fn start_again(&self) {
        self.begin_again();
        self.await_ready();
    }

    /// Has it do nothing, while its connections stay, and new ones can even be made.
    pub(crate) fn pause(&self) {
        self.process.lock().unwrap().as_mut().expect("it runs").pause();
    }

    pub(crate) fn resume(&self) {
        self.process.lock().unwrap().as_mut().expect("it runs").resume();
    }
}
