//! Beyond L1, and on files.

use larder::cached;
use std::path::{Path, PathBuf};

/// With all that can be said of it.
#[cached(
    tier = "l1,l2",
    ttl(l1 = "30s", l2 = "5m"),
    codec = "postcard",
    compress = "zstd",
    write = "through",
    version = auto,
    files(root, root.join(name)),
    tags("name:{name}")
)]
#[must_use]
pub fn every(root: &Path, name: &str) -> Option<String> {
    root.join(name).to_str().map(str::to_owned)
}

/// By a future.
///
/// # Errors
///
/// Without a name.
#[cached(tier = "l2", negative = "1s", when = !name.is_empty())]
pub async fn later(name: &str, id: u64) -> Result<u64, String> {
    std::future::ready(()).await;
    name.parse::<u64>().map(|number| number + id).map_err(|error| error.to_string())
}

/// With files that are found.
#[cached(files)]
#[must_use]
pub fn found(paths: &[PathBuf], dir: String) -> usize {
    let mut dir = PathBuf::from(dir);
    dir.extend(paths);
    dir.components().count()
}

/// In an impl.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    tenant: u64,
}

impl Engine {
    /// With an entry.
    #[cached(tier(l1, l2), key(self.tenant, id), handle = decide_entry)]
    #[must_use]
    pub fn decide(&self, id: u64) -> u64 {
        self.tenant + id
    }
}
