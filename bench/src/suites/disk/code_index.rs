//! The example `code_index` as it is used: one process after another over the same real sources. The
//! first one parses them all; those after it find its results on disk.

use super::registry::{FEWEST, Sources};
use crate::cli::Effort;
use crate::report::{Report, Setting};
use crate::rounds::Times;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io, thread};

/// The example, built as its documentation says.
pub(super) struct Program(PathBuf);

impl Program {
    /// # Errors
    ///
    /// If it can't be built.
    pub(super) fn build() -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let built = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .current_dir(root.expect("the package is a workspace's member"))
            .args(["build", "--locked", "--release", "--package", "larder"])
            .args(["--example", "code_index", "--features", "disk,watch"])
            .arg("--message-format=json-render-diagnostics")
            .stderr(Stdio::inherit())
            .output()?;
        let said = String::from_utf8_lossy(&built.stdout);
        let program = said.lines().filter_map(executable).find(|it| it.ends_with("code_index"));
        match program {
            Some(program) if built.status.success() => Ok(Self(program)),
            _ => Err(io::Error::other("the example `code_index` could not be built")),
        }
    }

    /// Runs it to its end, with its results in `cache`.
    fn run(&self, sources: &Sources, cache: &Path) -> io::Result<Run> {
        let ran = Command::new(&self.0)
            .arg(&sources.folder)
            .env("LARDER_DIR", cache)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        let said = String::from_utf8_lossy(&ran.stdout);
        let run = Run::read(&said).filter(|_| ran.status.success());
        run.ok_or_else(|| io::Error::other(format!("`code_index` failed:\n{said}")))
    }
}

/// The executable that a message of cargo's is about.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    Some(PathBuf::from(message.get("executable")?.as_str()?))
}

/// What the program says of itself. Times are in nanoseconds.
#[derive(Debug, PartialEq)]
struct Run {
    /// How many files its first pass parsed.
    computed: usize,
    pass: f64,
    metadata: f64,
}

impl Run {
    fn read(said: &str) -> Option<Self> {
        let after = |words| said.lines().find_map(|line| line.strip_prefix(words));
        let pass: Vec<_> = after("first ")?.split_whitespace().collect();
        let [.., computed, _joined, _disk, _memory, time] = pass[..] else { return None };
        let (metadata, _) = after("reading only the metadata took ")?.split_once(';')?;
        Some(Self {
            computed: computed.parse().ok()?,
            pass: nanoseconds(time)?,
            metadata: nanoseconds(metadata)?,
        })
    }
}

/// A `Duration` by its `Debug` form.
fn nanoseconds(told: &str) -> Option<f64> {
    [("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)].into_iter().find_map(|(unit, size)| {
        told.strip_suffix(unit)?.parse::<f64>().ok().map(|number| number * size)
    })
}

pub(super) fn run(
    effort: Effort,
    program: &Program,
    folder: &Path,
    report: &mut Report,
) -> io::Result<()> {
    let (sources, cache) = (folder.join("sources"), folder.join("cache"));
    fs::create_dir(folder)?;
    let sources = Sources::find(effort, &sources)?;
    if sources.files < FEWEST {
        report.note(format_args!(
            "code-index: not measured; it takes at least {FEWEST} Rust files of packages that cargo has\n\
             unpacked, and there are {} in {}",
            sources.files,
            sources.folder.display()
        ));
        return Ok(());
    }
    let threads = thread::available_parallelism()?.get();
    let setting = Setting { case: "code-index".to_owned(), keys: sources.files, threads };
    eprintln!("disk: code-index, first run over {} files", sources.files);
    let first = program.run(&sources, &cache)?;
    check(first.computed, sources.files)?;
    let mut rounds = Vec::new();
    for _ in 0..effort.pick(5, 21) {
        let next = program.run(&sources, &cache)?;
        check(next.computed, 0)?;
        rounds.push(vec![next.pass, first.pass, next.metadata]);
    }
    let times = Times::of(rounds);
    report.progress(&setting, &times);
    report.row(&setting, "first", times.compare(0, 1, 1));
    report.row(&setting, "metadata", times.compare(0, 2, 1));
    report.note(format_args!(
        "code-index: {} runs of the example, each a process of its own, after a first run, over {} files\n\
         of cargo's registry: the time in which a run has the index of all files, beside that of the\n\
         first run and that of only finding the files and reading their metadata",
        times.rounds(),
        sources.files
    ));
    Ok(())
}

/// A run that parsed other files than it should tells nothing.
fn check(computed: usize, expected: usize) -> io::Result<()> {
    let fault = || format!("`code_index` parsed {computed} files; {expected} were expected");
    if computed == expected { Ok(()) } else { Err(io::Error::other(fault())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_example_prints_is_understood() {
        let said = "\
            pass     files  failed functions  structs   enums  traits     lines  computed  joined from disk    memory       time\n\
            first    13885       3    180817    57574   10496    2860   5571047        12       7     13869         0    90.25ms\n\
            second   13885       3    180817    57574   10496    2860   5571047         0       0         0     13888     1.50s\n\
            left out: \"first.rs\" can't be parsed\n\
            \n\
            reading only the metadata took 58.25µs; the first pass took 418.4 times as long\n";
        let run = Run { computed: 12, pass: 90_250_000.0, metadata: 58_250.0 };
        assert_eq!(Run::read(said), Some(run));
        assert_eq!(Run::read("first\n"), None);
    }

    #[test]
    fn a_time_is_read_in_each_unit() {
        let read =
            ["12ns", "1.5µs", "2.25ms", "12.03s"].map(|told| nanoseconds(told).unwrap_or(-1.0));
        let wanted = [12.0, 1_500.0, 2_250_000.0, 12_030_000_000.0];
        assert!(read.iter().zip(wanted).all(|(it, ns)| (it - ns).abs() < 1.0), "{read:?}");
        assert_eq!(nanoseconds("12 min"), None);
    }
}
