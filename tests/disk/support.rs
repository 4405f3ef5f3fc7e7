//! Runtimes over a directory, and counting what is computed.

use larder::Runtime;
use larder::testing::ManualClock;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use tempfile::TempDir;

/// A folder of its own for a test, and as many runtimes over it as it takes.
pub(crate) struct Machine {
    folder: TempDir,
    pub(crate) clock: ManualClock,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: ManualClock::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The store's file, once there is one.
    pub(crate) fn store(&self) -> PathBuf {
        let folders = fs::read_dir(self.path()).unwrap().map(|it| it.unwrap().path());
        let files = folders.filter(|it| it.is_dir()).flat_map(|it| fs::read_dir(it).unwrap());
        let mut files = files.map(|it| it.unwrap().path());
        files.find(|it| it.extension() == Some("db".as_ref())).expect("something was stored")
    }

    /// One more process, as it were.
    pub(crate) fn process(&self) -> Runtime {
        Runtime::builder().dir(self.path()).clock(self.clock.clone()).build().unwrap()
    }
}

/// How often a body ran since this was last asked.
pub(crate) struct Calls(AtomicU64);

impl Calls {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn note(&self) {
        self.0.fetch_add(1, SeqCst);
    }

    pub(crate) fn taken(&self) -> u64 {
        self.0.swap(0, SeqCst)
    }
}

/// Everything stored, as seen by other runtimes.
pub(crate) fn settle(runtime: &Runtime) {
    futures_lite::future::block_on(runtime.close()).unwrap();
}
