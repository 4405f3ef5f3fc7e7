//! `customer_context` with a list of those to look up before anybody asks.

use crate::limit::until;
use crate::program::{program, run};
use crate::server::Server;
use crate::service::Service;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A list in a folder of its own, beside what a service that is given it says.
struct List {
    folder: TempDir,
}

impl List {
    fn of(lines: impl AsRef<[u8]>) -> Self {
        let list = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(list.file(), lines).unwrap();
        list
    }

    fn of_forty() -> Self {
        let lines: Vec<_> = (1..=40).map(|it| format!("cust_{it} sales")).collect();
        Self::of(lines.join("\n"))
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("list.txt")
    }

    fn path(&self) -> String {
        self.file().to_str().unwrap().to_owned()
    }

    /// How a service is started that looks all of it up first.
    fn warms(&self, options: &[&str]) -> Command {
        let mut command = Service::command(options);
        command.arg("--warm").arg(self.file());
        command.stderr(File::create(self.folder.path().join("said")).unwrap());
        command
    }

    fn start(&self, options: &[&str]) -> Service {
        Service::by(&mut self.warms(options))
    }

    /// What the latest service said on standard error.
    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap()
    }

    fn assert_said(&self, line: &str) {
        let said = self.said();
        assert!(said.lines().any(|it| it == line), "no {line:?} in:\n{said}");
    }
}

#[test]
fn a_list_is_looked_up_before_it_listens() {
    let list =
        List::of("# call every day\ncust_1\n\n  # once a week\ncust_20 sales\r\n cust_2\tbilling");
    let service = list.start(&["--latency", "0"]);
    list.assert_said("warmed: 5 calls, 0 there already, 0 failed");
    // Two for each context, three for those of sales.
    assert_eq!((service.count("computations"), service.count("source_queries")), (5, 12));
    let all =
        ["cust_1/support", "cust_1/billing", "cust_1/sales", "cust_20/sales", "cust_2/billing"];
    for of in all {
        assert_eq!(service.adds("l1_hits", || drop(service.context(of))), 1, "of {of}");
    }
    assert_eq!(service.count("computations"), 5);
    assert_eq!(service.adds("computations", || drop(service.context("cust_2/sales"))), 1);
}

#[test]
fn what_is_there_already_is_not_looked_up_again() {
    let server = Server::start();
    let list = List::of("cust_1\ncust_2 sales\n");
    let first = list.start(&["--redis", &server.url(), "--latency", "0"]);
    list.assert_said("warmed: 4 calls, 0 there already, 0 failed");
    assert_eq!(first.end().0.code(), Some(0));

    fs::write(list.file(), "cust_1\ncust_2 sales\ncust_3 billing\n").unwrap();
    let second = list.start(&["--redis", &server.url(), "--latency", "0"]);
    list.assert_said("warmed: 5 calls, 4 there already, 0 failed");
    assert_eq!((second.count("computations"), second.count("source_queries")), (1, 2));
    assert_eq!(second.adds("l1_hits", || drop(second.context("cust_1/sales"))), 1);
}

#[test]
fn where_no_terminal_is_each_tenth_is_a_line() {
    let list = List::of_forty();
    let _service = list.start(&["--latency", "0"]);
    let said = list.said();
    let tenths: Vec<_> = said.lines().filter(|it| it.starts_with("warming: ")).collect();
    assert_eq!(tenths.len(), 11, "{said}");
    assert_eq!(tenths[0], "warming: 0 of 40, 0 there already, 0 failed");
    assert_eq!(tenths[1], "warming: 4 of 40, 0 there already, 0 failed");
    assert_eq!(tenths[10], "warming: 40 of 40, 0 there already, 0 failed");
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn on_a_terminal_there_is_a_bar() {
    let list = List::of_forty();
    let service = Service::command(&["--warm", &list.path(), "--latency", "20"]);
    let words = [service.get_program()].into_iter().chain(service.get_args());
    let line = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>();
    let log = list.folder.path().join("typescript");
    // A terminal of its own; what runs in there ends with it.
    let mut command = Command::new("script");
    command.args(["--quiet", "--flush", "--command", &line.join(" ")]).arg(&log);
    command.env("TERM", "xterm").stdin(Stdio::null()).stdout(Stdio::null());
    let mut terminal = command.spawn().unwrap();
    let shown = until("the service to listen", || {
        let shown = fs::read_to_string(&log).unwrap_or_default();
        shown.contains("listening at").then_some(shown)
    });
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    assert!(shown.contains('█') && shown.contains("/40"), "{shown:?}");
    assert!(shown.contains("warmed: 40 calls, 0 there already, 0 failed"), "{shown:?}");
    assert!(!shown.contains("warming: 4 of 40"), "{shown:?}");
}

#[test]
fn who_is_unknown_is_told_of_by_line_and_does_not_stop_it() {
    let list = List::of("cust_1\ncust_0\n\ncust_1001 billing\n<cust_2>\ncust_2\n");
    let service = list.start(&["--latency", "0"]);
    list.assert_said("warmed: 13 calls, 0 there already, 7 failed");
    let path = list.path();
    for (line, customer, agent) in
        [(2, "cust_0", "support"), (2, "cust_0", "sales"), (4, "cust_1001", "billing")]
    {
        list.assert_said(&format!(
            "not looked up: {path}:{line}: {customer} for {agent}: there is no customer \"{customer}\""
        ));
    }
    assert_eq!(list.said().matches("not looked up: ").count(), 7);
    assert_eq!(service.adds("l1_hits", || drop(service.context("cust_2/sales"))), 1);
}

#[test]
fn a_list_that_makes_no_sense_is_an_error_that_names_file_and_line() {
    for (lines, error) in [
        (&b"cust_1\n# who?\ncust_2 chef\n"[..], ":3: there is no agent \"chef\"; take one of"),
        (
            b"\ncust_1 sales please\n",
            ":2: \"please\" is too much; write CUSTOMER or CUSTOMER AGENT",
        ),
        (b"cust_1\ncust_\xff\n", ":2: this is not UTF-8"),
    ] {
        let list = List::of(lines);
        let run = run("customer_context", ["--warm", &list.path()]);
        assert_eq!((run.code, &run.out[..]), (Some(2), ""), "{}", run.err);
        assert!(run.err.contains(&format!("{}{error}", list.path())), "{}", run.err);
    }
}

#[test]
fn a_list_that_cannot_be_read_is_an_error_that_names_it() {
    let list = List::of("");
    let folder = list.folder.path().to_str().unwrap().to_owned();
    for (file, why) in [(format!("{folder}/none.txt"), "No such file"), (folder, "Is a directory")]
    {
        let mut command = program("customer_context", [""; 0]);
        let output = command.env("CONTEXT_WARM", &file).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("can't read {file}: {why}")), "{said}");
    }
}

#[test]
fn the_command_line_s_list_goes_before_that_of_the_environment() {
    let list = List::of("cust_1 sales\n");
    let _service = Service::by(list.warms(&[]).env("CONTEXT_WARM", "/none.txt"));
    list.assert_said("warmed: 1 calls, 0 there already, 0 failed");
    let _service = Service::by(Service::command(&[]).env("CONTEXT_WARM", list.file()));
}

#[test]
fn it_ends_when_it_is_told_to_while_it_looks_up_too() {
    let list = List::of("cust_1\n");
    let mut child = list.warms(&["--latency", "60000"]).spawn().unwrap();
    until("it to begin", || list.said().contains("warming: 0 of 3").then_some(()));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let status = until("it to end", || child.try_wait().unwrap());
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((status.code(), &said[..]), (Some(0), "closed\n"));
}

#[test]
fn a_port_that_is_taken_is_told_of_before_anybody_is_looked_up() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let list = List::of("cust_1\n");
    let run = run("customer_context", ["--warm", &list.path(), "--port", &port]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains(&format!("can't listen at port {port}")), "{}", run.err);
    assert!(!run.err.contains("warming"), "{}", run.err);
}
