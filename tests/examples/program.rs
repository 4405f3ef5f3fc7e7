//! Examples as programs: built, run, and read.

use std::collections::HashMap;
use std::ffi::OsStr;
#[cfg(feature = "disk")]
use std::fs;
#[cfg(feature = "disk")]
use std::path::Path;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

/// Where an example is, built when it is first asked for.
fn built(name: &str) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
    let mut built = BUILT.lock().expect("an example that does not build fails every test");
    let built = built.get_or_insert_default();
    built.entry(name.to_owned()).or_insert_with(|| build(name)).clone()
}

/// Builds an example as this test was built, and returns where it is.
///
/// Cargo builds examples beside tests only if it was asked for all targets; otherwise there may be
/// none, or one of yesterday.
fn build(name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let features = [
        ("disk", cfg!(feature = "disk")),
        ("redis", cfg!(feature = "redis")),
        ("watch", cfg!(feature = "watch")),
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

/// What a program said, and how it ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
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

/// An example, about to be run.
pub(crate) fn program<A: AsRef<OsStr>>(
    name: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Command {
    let mut command = Command::new(built(name));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs an example that keeps nothing.
pub(crate) fn run<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> Run {
    program(name, arguments).output().expect("it was built").into()
}

impl Run {
    /// The words of the line that begins with `first`.
    pub(crate) fn line(&self, first: &str) -> Vec<&str> {
        let line = self.out.lines().find(|line| line.trim_start().starts_with(first));
        let line = line.unwrap_or_else(|| panic!("no line `{first}` in:\n{}", self.out));
        line.split_whitespace().collect()
    }

    pub(crate) fn reports(&self, what: &str) -> bool {
        self.out.contains(what)
    }

    /// This, if it went well.
    #[cfg(feature = "disk")]
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self
    }
}

/// An empty directory of its own for each test.
#[cfg(feature = "disk")]
pub(crate) fn empty_directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples").join(name);
    if directory.exists() {
        allow_all(&directory);
        fs::remove_dir_all(&directory).unwrap();
    }
    fs::create_dir_all(&directory).unwrap();
    directory
}

#[cfg(feature = "disk")]
pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Makes what an earlier run left behind removable.
#[cfg(feature = "disk")]
fn allow_all(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            set_mode(&path, 0o700);
            allow_all(&path);
        }
    }
}
