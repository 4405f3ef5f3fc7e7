//! Indexes a tree of Rust sources twice: the first pass parses every file with `syn`, the second is
//! served from the cache.
//!
//! ```text
//! cargo run --release --features full --example code_index -- DIR
//! ```
//!
//! Prints one line for each pass, why files were left out, and the statistics of the cache. Files
//! that can't be read or parsed are counted, not fatal. Exits with 2 if there is no DIR to read.

mod file_index;
mod nesting;
mod pass;
mod report;
mod source_tree;

use pass::Pass;
use report::Report;
use source_tree::SourceTree;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: code_index DIR\n\
    Indexes every .rs file below DIR, twice, and prints what the cache made of it.";

enum Request {
    Help,
    Index(PathBuf),
}

/// What was asked for, if it makes sense.
fn request(arguments: impl Iterator<Item = OsString>) -> Result<Request, String> {
    let arguments: Vec<_> = arguments.collect();
    match &arguments[..] {
        [] => Err(format!("no DIR given\n{USAGE}")),
        [help] if help == "--help" || help == "-h" => Ok(Request::Help),
        [root] => Ok(Request::Index(PathBuf::from(root))),
        _ => Err(format!("one DIR at a time\n{USAGE}")),
    }
}

fn index(root: &Path) -> io::Result<String> {
    let tree = SourceTree::find(root);
    let passes = [Pass::over(&tree, "first")?, Pass::over(&tree, "second")?];
    Ok(Report { tree: &tree, passes: &passes }.to_string())
}

/// Whoever reads the output may have read enough.
fn print(text: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn main() -> ExitCode {
    let root = match request(std::env::args_os().skip(1)) {
        Ok(Request::Index(root)) => root,
        Ok(Request::Help) => return exit(print(USAGE)),
        Err(message) => {
            eprintln!("code_index: {message}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = std::fs::read_dir(&root) {
        eprintln!("code_index: can't read the directory {}: {error}", root.display());
        return ExitCode::from(2);
    }
    exit(index(&root).and_then(|report| print(&report)))
}

fn exit(done: io::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("code_index: {error}");
            ExitCode::FAILURE
        }
    }
}
