//! A throw-away workspace with a crate for each contestant.
//!
//! It has the versions of this workspace's lock file, and nothing is downloaded: what it needs was
//! there to build this program.

use super::kind::Kind;
use super::source::program;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use tempfile::TempDir;

pub(super) struct Workspace {
    folder: TempDir,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Profile {
    Debug,
    Release,
}

/// The crate of a contestant.
fn package(kind: Kind) -> String {
    format!("functions-{}", kind.name())
}

/// What its manifest says of the cache.
fn dependency(kind: Kind) -> String {
    match kind {
        Kind::Larder => format!("larder = {{ path = {:?} }}\n", root().to_string_lossy()),
        Kind::Cached => "cached = { version = \"4.1\", features = [\"async\"] }\n".to_owned(),
        Kind::Bare => String::new(),
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Debug => "debug",
            Self::Release => "release",
        })
    }
}

/// Where this workspace is.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is a workspace's member")
}

impl Workspace {
    pub(super) fn new() -> io::Result<Self> {
        let this = Self { folder: TempDir::with_prefix("cache-bench-")? };
        let folder = this.folder.path();
        fs::write(
            folder.join("Cargo.toml"),
            "[workspace]\nresolver = \"3\"\nmembers = [\"*-*\"]\n",
        )?;
        fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
        for kind in [Kind::Larder, Kind::Cached, Kind::Bare] {
            let home = folder.join(package(kind));
            fs::create_dir_all(home.join("src"))?;
            fs::write(
                home.join("Cargo.toml"),
                format!(
                    "[package]\nname = {:?}\nedition = \"2024\"\n\n[dependencies]\n{}",
                    package(kind),
                    dependency(kind),
                ),
            )?;
            this.write(kind, 0)?;
        }
        Ok(this)
    }

    fn main(&self, kind: Kind) -> PathBuf {
        self.folder.path().join(package(kind)).join("src/main.rs")
    }

    /// Writes a program of so many functions.
    pub(super) fn write(&self, kind: Kind, functions: usize) -> io::Result<()> {
        fs::write(self.main(kind), program(kind, functions))
    }

    /// Makes the next build do its work again.
    pub(super) fn touch(&self, kind: Kind) -> io::Result<()> {
        File::options().append(true).open(self.main(kind))?.set_modified(SystemTime::now())
    }

    pub(super) fn build(&self, kind: Kind, profile: Profile) -> io::Result<()> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--offline", "--quiet", "--package", &package(kind)]);
        if let Profile::Release = profile {
            cargo.arg("--release");
        }
        let built = cargo
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", self.folder.path().join("target"))
            .env("CARGO_INCREMENTAL", "0")
            .output()?;
        if built.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&built.stderr);
        Err(io::Error::other(format!("the build of `{}` failed:\n{said}", package(kind))))
    }

    /// The size of a built program in bytes.
    pub(super) fn size(&self, kind: Kind, profile: Profile) -> io::Result<usize> {
        let name = format!("{}{}", package(kind), std::env::consts::EXE_SUFFIX);
        let path = self.folder.path().join("target").join(profile.to_string()).join(name);
        usize::try_from(fs::metadata(path)?.len()).map_err(io::Error::other)
    }
}
