//! The index of code: each file once for all runs and processes, until it changes.

use crate::program::{Run, empty_directory, program, run, set_mode};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// A tree to index, and a cache of its own.
struct Ground {
    tree: PathBuf,
    cache: PathBuf,
}

impl Ground {
    fn new(name: &str) -> Self {
        let all = empty_directory(name);
        let (tree, cache) = (all.join("tree"), all.join("cache"));
        fs::create_dir(&tree).unwrap();
        Self { tree, cache }
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.tree.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The program, on this tree and with this cache.
    fn program(&self, options: &[&str]) -> Command {
        let mut command = program("code_index", options);
        command.arg(&self.tree).env("LARDER_DIR", &self.cache);
        command
    }

    fn run(&self) -> Run {
        Run::from(self.program(&[]).output().expect("it was built")).well()
    }
}

/// How many files were computed, joined, on disk and in memory, by the line of one pass.
fn sources(line: &[&str]) -> [u64; 4] {
    let numbers: Vec<u64> = line[8..12].iter().map(|it| it.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

/// A file that takes a while to parse, with so many functions.
fn long_file(functions: usize) -> String {
    let mut text = String::new();
    for number in 0..functions {
        writeln!(text, "fn f{number}(a: u64) -> u64 {{ let b = [a, a + 1]; b[0] * b[1] }}")
            .unwrap();
    }
    text
}

#[test]
fn the_second_pass_is_served_from_memory() {
    let ground = Ground::new("tree");
    ground.write(
        "a.rs",
        "#!/usr/bin/env run\n//! Docs.\nfn one() { fn two() {} }\nstruct S;\nenum E {}\n",
    );
    ground.write(
        "nested/b.rs",
        "trait T { fn three(&self); fn four(&self) {} }\nimpl T for S { fn three(&self) {} }\n",
    );
    ground.write("not_rust.txt", "fn no() {}");

    let run = ground.run();
    // Files, failed, functions, structs, enums, traits, lines.
    assert_eq!(run.line("first")[1..8], ["2", "0", "5", "1", "1", "1", "7"]);
    assert_eq!(run.line("second")[1..8], ["2", "0", "5", "1", "1", "1", "7"]);
    assert_eq!(sources(&run.line("first")), [2, 0, 0, 0]);
    assert_eq!(sources(&run.line("second")), [0, 0, 0, 2]);
    // Hits, rate, misses, computed, failed.
    assert_eq!(run.line("code_index::")[1..6], ["2", "50.0%", "2", "2", "0"]);
    assert!(run.reports("reading only the metadata took"), "{}", run.out);
    assert_eq!(run.err, "", "there is no progress bar without a terminal");
}

#[test]
fn a_second_run_takes_everything_from_disk() {
    let ground = Ground::new("second");
    for number in 0..50 {
        ground.write(&format!("{}/{number}.rs", number % 7), long_file(number));
    }
    let first = ground.run();
    assert_eq!(sources(&first.line("first")), [50, 0, 0, 0]);
    let second = ground.run();
    assert_eq!(sources(&second.line("first")), [0, 0, 50, 0]);
    assert_eq!(sources(&second.line("second")), [0, 0, 0, 50]);
    assert_eq!(first.line("first")[1..8], second.line("first")[1..8]);
}

#[test]
fn an_edited_file_alone_is_redone() {
    let ground = Ground::new("edited");
    for name in ["a.rs", "b.rs", "gone.rs", "n/c.rs"] {
        ground.write(name, "fn one() {}\n");
    }
    ground.run();
    // As long as it was: only the time tells, or the text.
    ground.write("n/c.rs", "enum O {}\n\n");
    fs::remove_file(ground.tree.join("gone.rs")).unwrap();
    ground.write("new.rs", "struct S;\n");
    let run = ground.run();
    assert_eq!(run.line("first")[1..8], ["4", "0", "2", "1", "1", "0", "5"]);
    assert_eq!(sources(&run.line("first")), [2, 0, 2, 0]);
    assert_eq!(sources(&ground.run().line("first")), [0, 0, 4, 0]);
}

#[test]
fn a_tree_is_the_same_from_wherever_it_is_indexed() {
    let (one, other) = (Ground::new("here"), Ground::new("there"));
    one.write("a.rs", "fn one() {}\n");
    other.write("a.rs", "struct Two;\nstruct Three;\n");
    let from = |directory: &Path| {
        let mut command = program("code_index", ["."]);
        command.current_dir(directory).env("LARDER_DIR", &one.cache);
        Run::from(command.output().unwrap()).well()
    };
    assert_eq!(sources(&from(&one.tree).line("first")), [1, 0, 0, 0]);
    assert_eq!(sources(&one.run().line("first")), [0, 0, 1, 0]);
    // By the same relative path it is another file.
    assert_eq!(from(&other.tree).line("first")[1..5], ["1", "0", "0", "2"]);
}

#[test]
fn two_processes_at_once_share_the_work_and_compute_each_file_once_between_them() {
    const FILES: u64 = 60;
    let ground = Ground::new("both");
    for number in 0..FILES {
        // Far longer than the one program takes to start after the other.
        ground.write(&format!("{number}.rs"), long_file(400));
    }
    let both = [(); 2].map(|()| ground.program(&[]).spawn().unwrap());
    let both = both.map(|child| Run::from(child.wait_with_output().unwrap()).well());
    let [one, other] = both.each_ref().map(|run| sources(&run.line("first")));
    assert_eq!(one[0] + other[0], FILES, "{one:?} {other:?}");
    assert!(one[0] > 0 && other[0] > 0, "{one:?} {other:?}");
    assert_eq!(one.iter().sum::<u64>(), FILES, "{one:?}");
    assert_eq!(other.iter().sum::<u64>(), FILES, "{other:?}");
    assert_eq!(both[0].line("first")[1..8], both[1].line("first")[1..8]);
}

#[test]
fn without_a_place_for_the_cache_the_index_is_made_all_the_same() {
    let mut ground = Ground::new("no_place");
    ground.write("a.rs", "fn a() {}\n");
    ground.cache = "/proc/larder".into();
    for _ in 0..2 {
        let run = ground.run();
        assert_eq!(run.line("first")[1..4], ["1", "0", "1"]);
        assert_eq!(run.line("second")[1..4], ["1", "0", "1"]);
        assert_eq!(sources(&run.line("first")), [1, 0, 0, 0]);
    }
}

/// The longest that a program is waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// The program, following its tree.
struct Following {
    child: Child,
    lines: Receiver<String>,
    /// What the last table said, from the number of files to that of lines.
    last: Vec<String>,
}

impl Following {
    fn new(ground: &Ground) -> Self {
        let mut child = ground.program(&["--watch"]).stdin(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        thread::spawn(move || out.lines().try_for_each(|line| send.send(line.unwrap())));
        Self { child, lines, last: Vec::new() }
    }

    /// Waits for a table whose last line says this, from the number of files to that of lines, and
    /// returns where the answers came from until then.
    fn shows(&mut self, pass: &str, wanted: [&str; 7]) -> [u64; 4] {
        let mut seen = String::new();
        let mut redone = [0; 4];
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            writeln!(seen, "{line}").unwrap();
            let words: Vec<_> = line.split_whitespace().collect();
            if words.first() == Some(&pass) {
                let from = sources(&words);
                let same = self.last == words[1..8] && from[0] == 0;
                assert!(!same, "shown anew though nothing changed:\n{seen}");
                self.last = words[1..8].iter().map(|&word| word.to_owned()).collect();
                // An edit may be seen half done; then it is redone twice.
                redone = std::array::from_fn(|at| redone[at] + from[at]);
                if words[1..8] == wanted {
                    return redone;
                }
            }
        }
        panic!("no `{pass}` with {wanted:?} within {LIMIT:?} in:\n{seen}");
    }

    /// Several looks later nothing has been shown but the end of the last table.
    fn is_still(&self) {
        let ends = self.lines.recv_timeout(LIMIT).expect("a table has an end");
        assert!(ends.contains("press Enter to end"), "{ends}");
        let shown = self.lines.recv_timeout(Duration::from_millis(500));
        assert_eq!(shown, Err(RecvTimeoutError::Timeout), "nothing changed");
    }

    fn ends(mut self) {
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it did not end within {LIMIT:?}"),
            }
        }
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // It has ended, unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_followed_tree_is_shown_anew_when_something_changed_until_enter_is_pressed() {
    let ground = Ground::new("followed");
    for number in 0..5 {
        ground.write(&format!("n/{number}.rs"), "fn one() {}\n");
    }
    let mut following = Following::new(&ground);
    let first = following.shows("first", ["5", "0", "5", "0", "0", "0", "5"]);
    assert_eq!(first, [5, 0, 0, 0]);
    ground.write("n/2.rs", "struct S;\n");
    let now = following.shows("now", ["5", "0", "4", "1", "0", "0", "5"]);
    assert!((1..=2).contains(&now[0]), "only the edited file is computed: {now:?}");
    ground.write("new/directory/6.rs", "enum E {}\n");
    following.shows("now", ["6", "0", "4", "1", "1", "0", "6"]);
    fs::remove_dir_all(ground.tree.join("n")).unwrap();
    following.shows("now", ["1", "0", "0", "0", "1", "0", "1"]);
    following.is_still();
    writeln!(following.child.stdin.take().unwrap()).unwrap();
    following.ends();
}

#[test]
fn following_a_tree_ends_with_the_input_and_with_an_interrupt() {
    let ground = Ground::new("ended");
    ground.write("a.rs", "fn a() {}\n");
    let wanted = ["1", "0", "1", "0", "0", "0", "1"];
    let mut following = Following::new(&ground);
    assert_eq!(following.shows("first", wanted), [1, 0, 0, 0]);
    drop(following.child.stdin.take());
    following.ends();

    let mut following = Following::new(&ground);
    assert_eq!(following.shows("first", wanted), [0, 0, 1, 0]);
    let input = following.child.stdin.take();
    let id = following.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    following.ends();
    drop(input);
}

#[test]
fn what_can_t_be_read_or_parsed_is_counted() {
    let ground = Ground::new("broken");
    ground.write("good.rs", "fn good() {}\n");
    ground.write("empty.rs", "");
    ground.write("syntax.rs", "fn (\n");
    ground.write("unfinished.rs", "fn f() {\n");
    ground.write("binary.rs", b"fn \xff\xfe() {}\0");

    let run = ground.run();
    assert_eq!(run.line("first")[1..4], ["2", "3", "1"]);
    assert_eq!(run.line("second")[1..4], ["2", "3", "1"]);
    assert!(run.reports("binary.rs\" is not UTF-8"), "{}", run.out);
    assert!(run.reports("syntax.rs\" can't be parsed"), "{}", run.out);
    // What is in a file does not change with asking again: failures are kept, too.
    assert_eq!(run.line("code_index::")[1..6], ["5", "50.0%", "5", "5", "3"]);
    let again = ground.run();
    assert_eq!(sources(&again.line("first")), [0, 0, 5, 0]);
    assert!(again.reports("binary.rs\" is not UTF-8"), "{}", again.out);
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let ground = Ground::new("huge");
    // Sparse: nothing is written.
    fs::File::create(ground.tree.join("huge.rs")).unwrap().set_len(1 << 40).unwrap();
    let run = ground.run();
    assert_eq!(run.line("first")[1..3], ["0", "1"]);
    assert!(run.reports("huge.rs\" 1099511627776 bytes are too many"), "{}", run.out);
}

#[test]
fn files_nested_as_deep_as_they_are_long_are_survived() {
    let ground = Ground::new("deep");
    let deep = |open: &str, close: &str| {
        format!("fn f() {{ let x = {}1{}; }}", open.repeat(100_000), close.repeat(100_000))
    };
    ground.write("parens.rs", deep("(", ")"));
    ground.write("unary.rs", deep("!", ""));
    ground.write("binary.rs", deep("", "+1"));
    ground.write("else.rs", deep("if a {} else ", ""));
    ground.write("loops.rs", deep("for A {} in ", "{}"));
    ground.write(
        "attributes.rs",
        format!("{}{} fn f() {{}}", "#[".repeat(100_000), "]".repeat(100_000)),
    );
    ground.write("wide.rs", format!("/// Docs.\n{}", "fn f() { g(1, 2); }\n".repeat(20_000)));

    let run = ground.run();
    assert_eq!(run.line("first")[1..4], ["1", "6", "20000"]);
    assert!(run.reports("is nested more than"), "{}", run.out);
}

#[test]
fn paths_that_may_not_be_read_and_loops_are_gone_past() {
    let ground = Ground::new("paths");
    ground.write("good.rs", "fn good() {}\n");
    ground.write("locked.rs", "fn locked() {}\n");
    set_mode(&ground.tree.join("locked.rs"), 0);
    ground.write("closed/unseen.rs", "fn unseen() {}\n");
    set_mode(&ground.tree.join("closed"), 0);
    std::os::unix::fs::symlink(&ground.tree, ground.tree.join("again")).unwrap();
    std::os::unix::fs::symlink("loop.rs", ground.tree.join("loop.rs")).unwrap();

    // For root there is no such thing as a file it may not read.
    let root = fs::read(ground.tree.join("locked.rs")).is_ok();
    let run = ground.run();
    let [files, failed] = if root { ["3", "0"] } else { ["1", "2"] };
    assert_eq!(run.line("first")[1..3], [files, failed]);
    assert_eq!(run.line("second")[1..3], [files, failed]);
    if !root {
        assert!(run.reports("locked.rs\" can't be read"), "{}", run.out);
        assert!(run.reports("closed"), "{}", run.out);
    }
}

#[test]
fn an_empty_directory_has_an_empty_index() {
    let run = Ground::new("empty").run();
    assert_eq!(run.line("first")[1..4], ["0", "0", "0"]);
    assert!(!run.reports("left out"), "{}", run.out);
}

#[test]
fn what_is_wrong_with_arguments_is_said() {
    let none = run::<&str>("code_index", []);
    assert_eq!(none.code, Some(2));
    assert!(none.err.contains("no DIR given") && none.err.contains("usage:"), "{}", none.err);

    let missing = run("code_index", [empty_directory("missing").join("not_there")]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.err.contains("can't read the directory"), "{}", missing.err);

    let file = empty_directory("file").join("a.rs");
    fs::write(&file, "").unwrap();
    let file = run("code_index", [file]);
    assert_eq!(file.code, Some(2));
    assert!(file.err.contains("can't read the directory"), "{}", file.err);

    let two = run("code_index", ["a", "b"]);
    assert_eq!((two.code, &two.out[..]), (Some(2), ""));

    let help = run("code_index", ["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.reports("usage:"), "{}", help.out);
}
