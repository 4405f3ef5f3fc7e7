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
        Ok(Runtime::assemble(namespace, time, Vec::new()))
    }
}

impl Runtime {
    /// Starts the configuration of a runtime.
    pub fn builder() -> Builder {
        Builder::default()
    }
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
