//! The configuration of a runtime.

use crate::clock::{Clock, TimeSource};
use crate::error::{Error, ErrorKind};
use crate::runtime::{NAMESPACE, Runtime};
use std::fmt;
use std::sync::Arc;

/// A runtime being configured. Everything is judged once, by [`build`](Self::build).
#[derive(Default)]
pub struct Builder {
    namespace: Option<String>,
    clock: Option<Arc<dyn Clock>>,
    #[cfg(feature = "disk")]
    directory: Option<std::path::PathBuf>,
    #[cfg(feature = "disk")]
    limit: Option<u64>,
}

impl Builder {
    /// What keeps this program's entries apart from others' beyond this process; `larder` unless
    /// said. Letters, digits, `_`, `-` and `.`, at most 64 of them.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The clock that ages are measured by; the system's unless said.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Where the disk tier keeps its files, in a folder for each namespace; the environment variable
    /// `LARDER_DIR` unless said, and the platform's cache folder unless that is set.
    ///
    /// All processes that name the same directory and namespace share what is in it. It has to be on
    /// a file system of this machine.
    #[cfg(feature = "disk")]
    #[must_use]
    pub fn dir(mut self, directory: impl Into<std::path::PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// The most bytes that the disk tier keeps, held within a tenth; 1 GiB unless said. At least
    /// 4 MiB.
    #[cfg(feature = "disk")]
    #[must_use]
    pub fn disk_limit(mut self, bytes: u64) -> Self {
        self.limit = Some(bytes);
        self
    }

    /// Makes the runtime.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`], naming the setting that can't be used.
    pub fn build(self) -> Result<Runtime, Error> {
        if let Some(namespace) = &self.namespace {
            check_namespace(namespace)?;
        }
        let namespace = self.namespace.unwrap_or_else(|| NAMESPACE.to_owned());
        let time = self.clock.map_or(TimeSource::System, TimeSource::Injected);
        #[cfg(feature = "disk")]
        let disk = disk(self.directory, self.limit, &namespace)?;
        Ok(Runtime::assemble(
            namespace,
            time,
            #[cfg(feature = "disk")]
            disk,
        ))
    }
}

impl Runtime {
    /// Starts the configuration of a runtime.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// The least that the disk tier can be bounded to, in bytes.
#[cfg(feature = "disk")]
const LEAST_LIMIT: u64 = 4 << 20;

/// What is said of the disk tier. A directory that is named is looked at now; one that can't be used
/// for want of room or rights is tried again when it is needed.
#[cfg(feature = "disk")]
fn disk(
    directory: Option<std::path::PathBuf>,
    limit: Option<u64>,
    namespace: &str,
) -> Result<crate::runtime::DiskOf, Error> {
    if let Some(limit) = limit.filter(|limit| *limit < LEAST_LIMIT) {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!("disk_limit {limit} is too small; take at least {LEAST_LIMIT} bytes"),
        ));
    }
    let is_named = directory.is_some() || crate::tier::disk::Place::is_in_environment();
    let disk = crate::runtime::DiskOf::new(directory, limit);
    if is_named
        && let Err(crate::tier::disk::Refusal::Rule(error)) = disk.place(namespace)?.prepare()
    {
        return Err(error);
    }
    Ok(disk)
}

fn check_namespace(namespace: &str) -> Result<(), Error> {
    let allowed = |it: char| it.is_ascii_alphanumeric() || "_-.".contains(it);
    let special = matches!(namespace, "" | "." | "..");
    if !special && namespace.len() <= 64 && namespace.chars().all(allowed) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Configuration,
        format!(
            "namespace {namespace:?} can't be used; \
             take 1 to 64 letters, digits, `_`, `-` and `.`, but neither `.` nor `..`"
        ),
    ))
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
