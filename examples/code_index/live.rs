//! A table that follows a tree while its files change.

use crate::pass::Pass;
use crate::report::Report;
use crate::source_tree::watched_tree;
use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How often the tree is asked for. As long as nothing changed that is a hit, for which no file has
/// to be looked at: the directory is watched.
const LOOK: Duration = Duration::from_millis(100);

/// Clears a terminal, and begins at its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Prints the index of a tree, and prints it anew whenever it changed, until someone ends it.
pub(crate) fn follow(root: &Path) -> Result<(), Box<dyn Error>> {
    let ended = end()?;
    // Before anything is indexed: what changes from here on is noticed.
    let watch = larder::watch(root)?;
    let mut passes = vec![Pass::over("first", || watched_tree(root))?];
    loop {
        let shown = passes.last().map(|pass| Arc::clone(&pass.tree));
        draw(root, &passes)?;
        loop {
            match ended.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                    drop(watch);
                    return Ok(());
                }
            }
            // Every change below the directory, be it in one file, makes another tree.
            let tree = watched_tree(root);
            if !shown.as_ref().is_some_and(|shown| Arc::ptr_eq(shown, &tree)) {
                passes.truncate(1);
                passes.push(Pass::over("now", || tree)?);
                break;
            }
        }
    }
}

/// Hears of the end: a line or the end of the input, or an interrupt.
fn end() -> Result<Receiver<()>, ctrlc::Error> {
    let (ends, ended) = mpsc::channel();
    let interrupted = ends.clone();
    // Whoever has ended already can't be told, and need not be.
    ctrlc::set_handler(move || {
        let _ = interrupted.send(());
    })?;
    thread::spawn(move || {
        let _ = io::stdin().read_line(&mut String::new());
        let _ = ends.send(());
    });
    Ok(ended)
}

fn draw(root: &Path, passes: &[Pass]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        write!(out, "{CLEAR}")?;
    }
    let root = root.to_string_lossy();
    writeln!(out, "{}watching {root:?}; press Enter to end", Report(passes))?;
    out.flush()
}
