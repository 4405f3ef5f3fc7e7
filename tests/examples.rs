//! Every example, run as a program of its own, on what it is made for and on what it is not.

#![expect(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Builds an example as this test was built, and returns where it is.
///
/// Cargo builds examples beside tests only if it was asked for all targets; otherwise there may be
/// none, or one of yesterday.
fn built(name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let features = [
        ("disk", cfg!(feature = "disk")),
        ("redis", cfg!(feature = "redis")),
        ("metrics", cfg!(feature = "metrics")),
        ("testing", cfg!(feature = "testing")),
        ("full", cfg!(feature = "full")),
    ];
    let features: Vec<_> = features.iter().filter(|it| it.1).map(|it| it.0).collect();
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--offline", "--quiet", "--message-format=json", "--example", name])
        .args(["--profile", profile, "--features", &features.join(",")])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs: it runs this test");
    assert!(output.status.success(), "`{name}` does not build");
    let messages = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    let executable = messages
        .lines()
        .filter_map(executable)
        .find(|path| path.file_stem().is_some_and(|stem| stem == name));
    executable.expect("cargo says where an example is")
}

/// The executable that a message of cargo's is about.
fn executable(message: &str) -> Option<PathBuf> {
    let (_, rest) = message.split_once("\"executable\":\"")?;
    let (path, _) = rest.split_once('"')?;
    Some(PathBuf::from(path.replace("\\\\", "\\")))
}

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn run<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> Run {
    let mut command = Command::new(built(name));
    command.args(arguments).stdin(Stdio::null()).output().expect("it was built").into()
}

impl Run {
    /// The words of the line that begins with `first`.
    fn line(&self, first: &str) -> Vec<&str> {
        let line = self.out.lines().find(|line| line.trim_start().starts_with(first));
        let line = line.unwrap_or_else(|| panic!("no line `{first}` in:\n{}", self.out));
        line.split_whitespace().collect()
    }

    fn reports(&self, what: &str) -> bool {
        self.out.contains(what)
    }
}

/// An empty directory of its own for each test.
fn empty_directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples").join(name);
    if directory.exists() {
        allow_all(&directory);
        fs::remove_dir_all(&directory).unwrap();
    }
    fs::create_dir_all(&directory).unwrap();
    directory
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Makes what an earlier run left behind removable.
fn allow_all(directory: &Path) {
    #[cfg(unix)]
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            set_mode(&entry.path(), 0o700);
        }
    }
    #[cfg(not(unix))]
    let _ = directory;
}

#[test]
fn quickstart_computes_twice_for_three_calls() {
    let run = run::<&str>("quickstart", []);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.reports("hello, user 7, from the cache"), "{}", run.out);
    assert_eq!(run.line("calls:"), ["calls:", "3,", "computed:", "2"]);
}

#[test]
fn code_index_serves_the_second_pass_from_the_cache() {
    let tree = empty_directory("tree");
    fs::create_dir(tree.join("nested")).unwrap();
    fs::write(
        tree.join("a.rs"),
        "#!/usr/bin/env run\n//! Docs.\nfn one() { fn two() {} }\nstruct S;\nenum E {}\n",
    )
    .unwrap();
    fs::write(
        tree.join("nested/b.rs"),
        "trait T { fn three(&self); fn four(&self) {} }\nimpl T for S { fn three(&self) {} }\n",
    )
    .unwrap();
    fs::write(tree.join("not_rust.txt"), "fn no() {}").unwrap();

    let run = run("code_index", [&tree]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    // Files, failed, functions, structs, enums, traits, lines.
    assert_eq!(run.line("first")[1..8], ["2", "0", "5", "1", "1", "1", "7"]);
    assert_eq!(run.line("second")[1..8], ["2", "0", "5", "1", "1", "1", "7"]);
    // Hits, rate, misses, computed, failed.
    assert_eq!(run.line("code_index::")[1..6], ["2", "50.0%", "2", "2", "0"]);
    assert_eq!(run.err, "", "there is no progress bar without a terminal");
}

#[test]
fn code_index_counts_what_can_t_be_read_or_parsed() {
    let tree = empty_directory("broken");
    fs::write(tree.join("good.rs"), "fn good() {}\n").unwrap();
    fs::write(tree.join("empty.rs"), "").unwrap();
    fs::write(tree.join("syntax.rs"), "fn (\n").unwrap();
    fs::write(tree.join("unfinished.rs"), "fn f() {\n").unwrap();
    fs::write(tree.join("binary.rs"), b"fn \xff\xfe() {}\0").unwrap();
    // Sparse: nothing is written.
    fs::File::create(tree.join("huge.rs")).unwrap().set_len(1 << 40).unwrap();

    let run = run("code_index", [&tree]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(run.line("first")[1..4], ["2", "4", "1"]);
    assert_eq!(run.line("second")[1..4], ["2", "4", "1"]);
    for reason in ["binary.rs\" is not UTF-8", "huge.rs\" 1099511627776 bytes are too many"] {
        assert!(run.reports(reason), "no `{reason}` in:\n{}", run.out);
    }
    assert!(run.reports("syntax.rs\" can't be parsed"), "{}", run.out);
    // What is in a file does not change with asking again: failures are kept, too.
    assert_eq!(run.line("code_index::")[1..6], ["6", "50.0%", "6", "6", "4"]);
}

#[test]
fn code_index_survives_files_nested_as_deep_as_they_are_long() {
    let tree = empty_directory("deep");
    let deep = |open: &str, close: &str| {
        format!("fn f() {{ let x = {}1{}; }}", open.repeat(100_000), close.repeat(100_000))
    };
    fs::write(tree.join("parens.rs"), deep("(", ")")).unwrap();
    fs::write(tree.join("unary.rs"), deep("!", "")).unwrap();
    fs::write(tree.join("binary.rs"), deep("", "+1")).unwrap();
    fs::write(tree.join("else.rs"), deep("if a {} else ", "")).unwrap();
    fs::write(tree.join("loops.rs"), deep("for A {} in ", "{}")).unwrap();
    fs::write(
        tree.join("attributes.rs"),
        format!("{}{} fn f() {{}}", "#[".repeat(100_000), "]".repeat(100_000)),
    )
    .unwrap();
    fs::write(
        tree.join("wide.rs"),
        format!("/// Docs.\n{}", "fn f() { g(1, 2); }\n".repeat(20_000)),
    )
    .unwrap();

    let run = run("code_index", [&tree]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(run.line("first")[1..4], ["1", "6", "20000"]);
    assert!(run.reports("deep"), "{}", run.out);
}

#[cfg(unix)]
#[test]
fn code_index_goes_past_paths_it_may_not_read_and_loops() {
    let tree = empty_directory("paths");
    fs::write(tree.join("good.rs"), "fn good() {}\n").unwrap();
    fs::write(tree.join("locked.rs"), "fn locked() {}\n").unwrap();
    set_mode(&tree.join("locked.rs"), 0);
    fs::create_dir(tree.join("closed")).unwrap();
    fs::write(tree.join("closed/unseen.rs"), "fn unseen() {}\n").unwrap();
    set_mode(&tree.join("closed"), 0);
    std::os::unix::fs::symlink(&tree, tree.join("again")).unwrap();
    std::os::unix::fs::symlink("loop.rs", tree.join("loop.rs")).unwrap();

    // For root there is no such thing as a file it may not read.
    let root = fs::read(tree.join("locked.rs")).is_ok();
    let run = run("code_index", [&tree]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let [files, failed] = if root { ["3", "0"] } else { ["1", "2"] };
    assert_eq!(run.line("first")[1..3], [files, failed]);
    assert_eq!(run.line("second")[1..3], [files, failed]);
    if !root {
        assert!(run.reports("locked.rs\" can't be read"), "{}", run.out);
        assert!(run.reports("closed"), "{}", run.out);
    }
}

#[test]
fn code_index_of_an_empty_directory_is_empty() {
    let run = run("code_index", [empty_directory("empty")]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(run.line("first")[1..4], ["0", "0", "0"]);
    assert!(!run.reports("left out"), "{}", run.out);
}

#[test]
fn code_index_says_what_is_wrong_with_its_arguments() {
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

#[test]
fn delegation_hits_for_more_than_95_per_cent_and_is_never_stale() {
    let run = run("delegation", ["--quick"]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.out, run.err);
    let rate: f64 = run.line("hit rate")[2].parse().unwrap();
    assert!(rate > 95.0, "{}", run.out);
    assert!(
        run.reports("18 capabilities added, 2 policies updated; no decision older"),
        "{}",
        run.out
    );
    for line in
        ["nothing -> LocalPure", "without permissions set: 1 computed", "an error, not cached"]
    {
        let spaces_aside = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(spaces_aside.contains(line), "no `{line}` in:\n{}", run.out);
    }
    assert!(run.reports("hash64 0x"), "{}", run.out);
    let calls = |line| run.line(line).iter().find_map(|word| word.parse::<u64>().ok()).unwrap();
    assert_eq!(calls("hits") + calls("waited") + calls("misses"), 20_000);
    assert_eq!(calls("misses"), calls("misses without"));
}

#[test]
fn delegation_says_how_it_is_used() {
    let run = run("delegation", ["--slow"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("usage: delegation"), "{}", run.err);
}
