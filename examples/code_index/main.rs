//! Indexes a tree of Rust sources with `syn`, each file once for all runs and processes.
//!
//! ```text
//! cargo run --release --features disk,watch --example code_index -- [--watch] DIR
//! ```
//!
//! The first run parses every file; the next one, in another process, finds its results on disk, and
//! parses only what was edited in between. Two at a time share the work. Each run makes two passes,
//! the second of which is served from memory, and says for both where the answers came from, and how
//! the first compares to reading nothing but the metadata of the files.
//!
//! With `--watch` it goes on, and prints the index anew whenever a file changes, until Enter is
//! pressed, the input ends or it is interrupted.
//!
//! Results are kept in the folder `code_index` of larder's cache; `LARDER_DIR` names another place.
//! Files that can't be read or parsed are counted, not fatal. Exits with 2 if there is no DIR to
//! read.

mod file_index;
mod live;
mod nesting;
mod pass;
mod report;
mod source_tree;
mod sources;
mod workers;

use pass::Pass;
use report::Report;
use source_tree::SourceTree;
use std::error::Error;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

const USAGE: &str = "usage: code_index [--watch] DIR\n\
    Indexes every .rs file below DIR and prints what the cache made of it; with --watch, whenever\n\
    a file changes.";

enum Request {
    Help,
    Index(PathBuf),
    Watch(PathBuf),
}

/// What was asked for, if it makes sense.
fn request(arguments: impl Iterator<Item = OsString>) -> Result<Request, String> {
    let arguments: Vec<_> = arguments.collect();
    match &arguments[..] {
        [] => Err(format!("no DIR given\n{USAGE}")),
        [help] if help == "--help" || help == "-h" => Ok(Request::Help),
        [watch] if watch == "--watch" => Err(format!("no DIR given\n{USAGE}")),
        [root] => readable(root).map(Request::Index),
        [watch, root] if watch == "--watch" => readable(root).map(Request::Watch),
        _ => Err(format!("one DIR at a time\n{USAGE}")),
    }
}

/// The directory by its absolute path, so that a file is the same from wherever it is indexed.
fn readable(root: &OsString) -> Result<PathBuf, String> {
    let absolute = std::fs::read_dir(root).and_then(|_| std::fs::canonicalize(root));
    absolute
        .map_err(|error| format!("can't read the directory {}: {error}", Path::new(root).display()))
}

/// Indexes a tree twice.
fn index(root: &Path) -> io::Result<()> {
    let find = || Arc::new(SourceTree::find(root));
    let passes = [Pass::over("first", find)?, Pass::over("second", find)?];
    let alone = pass::metadata_alone(root)?;
    let times = passes[0].time.div_duration_f64(alone);
    print(&format!(
        "{}\nreading only the metadata took {alone:.2?}; the first pass took {times:.1} times as \
         long\n\n{}",
        Report(&passes),
        larder::stats()
    ))
}

/// Whoever reads the output may have read enough.
fn print(text: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Does what was asked for, in a cache that all runs of this program share.
fn run(request: Request) -> Result<(), Box<dyn Error>> {
    larder::Runtime::builder().namespace("code_index").build()?.install()?;
    match request {
        Request::Help => print(USAGE)?,
        Request::Index(root) => index(&root)?,
        Request::Watch(root) => live::follow(&root)?,
    }
    Ok(())
}

fn main() -> ExitCode {
    let request = match request(std::env::args_os().skip(1)) {
        Ok(request) => request,
        Err(message) => {
            eprintln!("code_index: {message}");
            return ExitCode::from(2);
        }
    };
    match run(request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("code_index: {error}");
            ExitCode::FAILURE
        }
    }
}
