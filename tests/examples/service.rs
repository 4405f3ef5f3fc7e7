//! `customer_context` as a running process.

use crate::http::{self, Answer};
use crate::limit::until;
use crate::program::program;
use crate::server::Server;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};

/// A running process of the service, killed when dropped.
pub(crate) struct Service {
    child: Child,
    pub(crate) port: u16,
}

impl Service {
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::by(Self::command(options).stderr(Stdio::inherit()))
    }

    /// How one is started that takes any port that is free.
    pub(crate) fn command(options: &[&str]) -> Command {
        let mut command = program("customer_context", options);
        command.args(["--port", "0"]).env_remove("LARDER_REDIS_URL");
        command
    }

    /// Starts one, and returns when it listens.
    pub(crate) fn by(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse();
        Self { child, port: port.unwrap_or_else(|_| panic!("it says {line:?}")) }
    }

    /// One that answers as fast as it can, once it is connected to its server.
    pub(crate) fn over(server: &Server) -> Self {
        Self::with_latency(server, "0")
    }

    pub(crate) fn with_latency(server: &Server, latency: &str) -> Self {
        let service = Self::start(&["--redis", &server.url(), "--latency", latency]);
        service.await_redis("connected");
        service
    }

    pub(crate) fn await_redis(&self, state: &str) {
        until(state, || (self.stats()["redis"]["state"] == state).then_some(()));
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Answer {
        http::ask(self.port, method, &format!("/api/v1/context{path}"))
    }

    /// A context that there is.
    pub(crate) fn context(&self, of: &str) -> Value {
        let answer = self.ask("GET", &format!("/customers/{of}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Invalidates something, everywhere.
    pub(crate) fn forget(&self, what: &str) {
        let answer = self.ask("DELETE", &format!("/cache{what}"));
        assert_eq!((answer.status, &answer.body["everywhere"]), (200, &true.into()), "{answer:?}");
    }

    pub(crate) fn stats(&self) -> Value {
        let answer = self.ask("GET", "/cache/stats");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    pub(crate) fn count(&self, counter: &str) -> u64 {
        self.stats()[counter].as_u64().unwrap()
    }

    /// How much something adds to a counter.
    pub(crate) fn adds(&self, counter: &str, does: impl FnOnce()) -> u64 {
        let before = self.count(counter);
        does();
        self.count(counter) - before
    }

    /// Asks it to end, and returns how it did and what it said last.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = until("the service to end", || self.child.try_wait().unwrap());
        let mut said = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        (status, said)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
