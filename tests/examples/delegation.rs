//! The delegation engine: under its workload, and asked by hand, in one process and in two.

use crate::program::{Run, program, run};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};

/// Runs it without the server that the environment may name.
fn alone(arguments: &[&str]) -> Run {
    let mut command = program("delegation", arguments);
    command.env_remove("LARDER_REDIS_URL").output().unwrap().into()
}

/// Sees that a run over the short workload went as it should, wherever decisions were kept.
fn is_quick_and_right(run: &Run) {
    assert_eq!(run.code, Some(0), "{}\n{}", run.out, run.err);
    let rate: f64 = run.line("hit rate")[2].parse().unwrap();
    assert!(rate > 95.0, "{}", run.out);
    assert!(
        run.reports("18 capabilities added, 2 policies updated; no decision older"),
        "{}",
        run.out
    );
    let calls = |line| run.line(line).iter().find_map(|word| word.parse::<u64>().ok()).unwrap();
    assert_eq!(calls("hits") + calls("waited") + calls("misses"), 20_000);
    assert_eq!(calls("misses"), calls("misses without"));
    let spaces_aside = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in ["nothing -> LocalPure", "an error, not cached", "hash64 0x"] {
        assert!(spaces_aside.contains(line), "no `{line}` in:\n{}", run.out);
    }
}

#[test]
fn delegation_hits_for_more_than_95_per_cent_and_is_never_stale() {
    let run = alone(&["--quick"]);
    is_quick_and_right(&run);
    assert!(run.reports("kept in this process alone"), "{}", run.out);
    assert!(run.reports("without permissions set: 1 computed"), "{}", run.out);
}

#[test]
fn delegation_says_how_it_is_used() {
    let slow = run("delegation", ["--slow"]);
    assert_eq!(slow.code, Some(2));
    assert!(slow.err.contains("usage: delegation"), "{}", slow.err);
    let book = run("delegation", ["--book"]);
    assert_eq!((book.code, book.err.contains("--book what?")), (Some(2), true), "{}", book.err);
}

/// An engine that answers what it is asked, killed when dropped.
struct Engine {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Engine {
    fn start(book: &Path, options: &[&str]) -> Self {
        let mut command = program("delegation", options);
        command.arg("--book").arg(book).env_remove("LARDER_REDIS_URL");
        command.stdin(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut engine = Self { child, answers };
        let usage = engine.answer();
        assert!(usage.starts_with("decide SYMBOL"), "{usage}");
        engine
    }

    fn ask(&mut self, question: &str) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{question}").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// How many answers came from memory, how many from Redis, and how many were decided.
    fn stats(&mut self) -> [u64; 3] {
        let stats = self.ask("stats");
        let numbers = stats.split([' ', ',']).filter_map(|word| word.parse().ok());
        numbers.collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("it says {stats:?}"))
    }

    fn end(mut self) -> ExitStatus {
        drop(self.child.stdin.take());
        self.child.wait().unwrap()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn delegation_answers_by_hand_and_goes_by_what_its_book_says() {
    let folder = tempfile::tempdir().unwrap();
    let book = folder.path().join("book");
    let mut engine = Engine::start(&book, &[]);
    let first = engine.ask("decide tool.1 local");
    assert_eq!(first, "LocalModel(\"pico-1\") by policy 1, capability 0");
    assert_eq!(engine.ask("decide tool.1 local"), first);
    assert_eq!(engine.stats(), [1, 0, 1]);
    assert_eq!(engine.ask("capability-added tool.1"), "capability-added tool.1: everybody knows");
    let after = "LocalModel(\"tool.1-1\") by policy 1, capability 1";
    assert_eq!(engine.ask("decide tool.1 local"), after);
    assert_eq!(engine.ask("decide new all"), "no decision: nothing is known of `new`");
    engine.ask("capability-added new");
    engine.ask("policy-updated");
    assert_eq!(engine.ask("decide new all"), "RemoteModel(\"atlas-2\") by policy 2, capability 1");
    assert!(engine.ask("decide").starts_with("not understood; take decide SYMBOL"));
    assert!(engine.end().success());

    let mut later = Engine::start(&book, &[]);
    assert_eq!(later.ask("decide new none"), "LocalPure by policy 2, capability 1");
    std::fs::remove_file(&book).unwrap();
    let unreadable = later.ask("decide tool.2 none");
    assert!(unreadable.starts_with("no decision: the policy can't be read:"), "{unreadable}");

    std::fs::write(&book, "something else\n").unwrap();
    let foreign = alone(&["--book", book.to_str().unwrap()]);
    assert_eq!(foreign.code, Some(1));
    assert!(foreign.err.contains("it is no list of events"), "{}", foreign.err);
}

#[cfg(not(feature = "redis"))]
#[test]
fn delegation_says_that_it_was_built_without_redis() {
    let run = run("delegation", ["--redis", "redis://127.0.0.1"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("built with `--features redis`"), "{}", run.err);
}

#[cfg(feature = "redis")]
mod shared {
    use super::{Engine, is_quick_and_right, program};
    use crate::limit::until;
    use crate::program::Run;
    use crate::server::Server;

    #[test]
    fn delegation_over_redis_hits_as_often_and_is_never_stale_either() {
        let server = Server::start();
        let mut command = program("delegation", ["--quick"]);
        let run = Run::from(command.env("LARDER_REDIS_URL", server.url()).output().unwrap());
        is_quick_and_right(&run);
        assert!(run.reports("kept in this process and Redis"), "{}", run.out);
        assert!(!run.reports("yet to be told"), "{}", run.out);
    }

    #[test]
    fn two_engines_share_decisions_and_hear_of_each_other_s_events() {
        let server = Server::start();
        let folder = tempfile::tempdir().unwrap();
        let start = |()| Engine::start(&folder.path().join("book"), &["--redis", &server.url()]);
        let [mut one, mut other] = [(); 2].map(start);
        let questions = ["none", "local", "all"].map(|who| format!("decide tool.1 {who}"));
        let questions = [&questions[..], &["decide tool.2 local".to_owned()]].concat();
        let decisions: Vec<_> = questions.iter().map(|it| one.ask(it)).collect();
        assert_eq!(one.stats(), [0, 0, 4]);
        // What is asked for before there is a connection is not kept nearer.
        other.ask("decide tool.3 none");
        for _ in 0..2 {
            assert_eq!(questions.iter().map(|it| other.ask(it)).collect::<Vec<_>>(), decisions);
        }
        assert_eq!(other.stats(), [4, 4, 1], "all of them from the first engine, and once");

        // Selectively.
        assert_eq!(one.ask("capability-added tool.1"), "capability-added tool.1: everybody knows");
        let after = "LocalModel(\"tool.1-1\") by policy 1, capability 1";
        until("the new capability", || (other.ask("decide tool.1 local") == after).then_some(()));
        assert_eq!(other.stats()[2], 2);
        assert_eq!(other.ask("decide tool.2 local"), decisions[3]);
        assert_eq!(other.stats()[2], 2, "an event that does not name it leaves it alone");
        assert_eq!(one.ask("decide tool.1 local"), after);
        assert_eq!(one.stats(), [0, 1, 4], "what the other has decided meanwhile");

        // All.
        assert_eq!(other.ask("policy-updated"), "policy-updated: everybody knows");
        let after = "LocalModel(\"pico-2\") by policy 2, capability 0";
        until("the new policy", || (one.ask("decide tool.2 local") == after).then_some(()));
        assert_eq!(other.ask("decide tool.2 local"), after);
        assert_eq!(other.ask("decide tool.1 none"), "LocalPure by policy 2, capability 1");
        assert!(one.end().success());
        assert!(other.end().success());
    }

    #[test]
    fn engines_with_different_books_share_nothing() {
        let server = Server::start();
        let folder = tempfile::tempdir().unwrap();
        let start =
            |book: &str| Engine::start(&folder.path().join(book), &["--redis", &server.url()]);
        let [mut one, mut other] = ["one", "other"].map(start);
        one.ask("policy-updated");
        one.ask("decide tool.1 all");
        let decision = "RemoteModel(\"atlas-1\") by policy 1, capability 0";
        assert_eq!(other.ask("decide tool.1 all"), decision);
    }

    #[test]
    fn without_its_server_an_engine_decides_and_says_who_has_yet_to_be_told() {
        let server = Server::start();
        let folder = tempfile::tempdir().unwrap();
        let mut engine = Engine::start(&folder.path().join("book"), &["--redis", &server.url()]);
        engine.ask("decide tool.1 all");
        server.kill();
        until("the engine to miss its server", || {
            engine.ask("policy-updated").contains("others have yet to be told").then_some(())
        });
        let [first, second] = [(); 2].map(|()| engine.ask("decide tool.1 all"));
        assert!(!first.contains("policy 1,") && first == second, "{first}, then {second}");
        let status = engine.end();
        assert_eq!(status.code(), Some(1), "an invalidation was not delivered");
    }
}
