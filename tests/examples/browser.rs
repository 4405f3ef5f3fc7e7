//! A real browser without a screen: `chromium`, as Debian packages it.
//!
//! 1. It speaks with this machine only: no other name resolves, and it looks for no news of its own.
//! 2. It keeps nothing: what it writes is in a folder that ends with the call.

use crate::limit::until;
use std::fs::{self, File};
use std::io::Cursor;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// How wide and how high a screenshot is.
pub(crate) const SIZE: (u32, u32) = (1000, 1400);

/// The document at an address, as it is once everything in it has been loaded.
pub(crate) fn dom(url: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    run(&folder, &["--dump-dom", url])
}

/// What the document at an address looks like, as the bytes of a PNG.
pub(crate) fn screenshot(url: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("screenshot.png");
    let said = run(&folder, &[&format!("--screenshot={}", file.display()), url]);
    fs::read(&file).unwrap_or_else(|why| panic!("no screenshot, {why}: {said}"))
}

/// How wide and how high a PNG is, and how many of its dots have a colour.
pub(crate) fn dots(png: &[u8], colour: [u8; 3]) -> ((u32, u32), usize) {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
    let mut dots = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut dots).unwrap();
    let dots = dots[..info.buffer_size()].chunks(info.color_type.samples());
    ((info.width, info.height), dots.filter(|dot| dot.starts_with(&colour)).count())
}

/// Runs it to its end, and returns what it printed.
fn run(folder: &TempDir, arguments: &[&str]) -> String {
    let [out, err] = ["out", "err"].map(|name| folder.path().join(name));
    let mut running = Running(command(folder.path(), arguments, &out, &err).spawn().unwrap());
    let status = until("the browser to end", || running.0.try_wait().unwrap());
    let said = fs::read_to_string(out).unwrap();
    let log = fs::read_to_string(err).unwrap();
    assert!(status.success(), "`chromium` {arguments:?} ended with {status}: {log}");
    said
}

fn command(folder: &Path, arguments: &[&str], out: &Path, err: &Path) -> Command {
    // It goes after those who are waited for at the same time, and does not outlive who waits for it.
    let mut command = Command::new("nice");
    command.args(["-n", "19", "setpriv", "--pdeathsig", "KILL", "chromium"]);
    command.args(["--headless", "--no-sandbox"]);
    command.args(["--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=2000"]);
    command.args(["--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server"]);
    command.args(["--disable-background-networking", "--disable-component-update"]);
    command.arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1");
    command.arg(format!("--window-size={},{}", SIZE.0, SIZE.1));
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    command.args(arguments).env("HOME", folder).stdin(Stdio::null());
    command.stdout(File::create(out).unwrap()).stderr(File::create(err).unwrap());
    command
}

/// A browser, killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
