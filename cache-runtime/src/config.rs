//! The configuration of a runtime.

use crate::attempts::Backoff;
use crate::clock::{Clock, TimeSource};
use crate::errand::{Background, Executor};
use crate::error::Error;
#[cfg(feature = "disk")]
use crate::error::ErrorKind;
use crate::namespace;
use crate::runtime::Runtime;
#[cfg(feature = "redis")]
use crate::tier::redis::{OnFailover, OnPartition, Settings};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A runtime being configured. Everything is judged once, by [`build`](Self::build).
#[derive(Default)]
pub struct Builder {
    namespace: Option<String>,
    clock: Option<Arc<dyn Clock>>,
    backoff: Backoff,
    executor: Executor,
    #[cfg(feature = "disk")]
    directory: Option<std::path::PathBuf>,
    #[cfg(feature = "disk")]
    limit: Option<u64>,
    #[cfg(feature = "redis")]
    redis: Redis,
}

impl Builder {
    /// What keeps this program's entries apart from others' beyond this process; the environment
    /// variable `LARDER_NAMESPACE` unless said, and `larder` unless that is set. Letters, digits, `_`,
    /// `-` and `.`, at most 64 of them.
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

    /// When a value that could not be computed anew is attempted again, while `grace` serves the one before:
    /// `first` after the first failure, twice as long after each that follows, and no longer than
    /// `longest`; 1 s and 60 s unless said. `longest` counts as `first` if it is shorter.
    #[must_use]
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.backoff = Backoff { first, longest: longest.max(first) };
        self
    }

    /// What runs the async functions that `refresh` and `timeout` compute in the background: `spawn` is given
    /// a future to run to its end, on whatever executor. Unless said, they run in the tokio runtime that
    /// the call is made in, with the feature `tokio`; where there is none, callers compute in place.
    /// Functions that are not async run on threads of Larder's own.
    ///
    /// ```
    /// # use cache_runtime as larder;
    /// let runtime = larder::Runtime::builder()
    ///     .executor(|future| {
    ///         std::thread::spawn(|| futures_lite::future::block_on(future));
    ///     })
    ///     .build()?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn executor(mut self, spawn: impl Fn(Background) + Send + Sync + 'static) -> Self {
        self.executor = Executor::new(spawn);
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

    /// Where the Redis tier's servers are; the environment variable `LARDER_REDIS_URL` unless said.
    ///
    /// `redis://user:password@host:6379/0` is a server and a database of it, `rediss://` the same by
    /// TLS (feature `redis-tls`), `unix:///run/redis.sock` a server on this machine; `valkey://` and
    /// `valkeys://` mean the same. `redis://one:7000,two:7000?cluster=true` are some servers of a cluster,
    /// and `redis://one:26379,two:26379?sentinel=main` sentinels that know the primary by a name. What
    /// authenticates is for the servers, and never printed.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn redis(mut self, url: impl Into<String>) -> Self {
        self.redis.url = Some(url.into());
        self
    }

    /// How long one call waits for the Redis tier before it does without; `LARDER_REDIS_DEADLINE`
    /// unless said, and 100 ms unless that is set.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn redis_deadline(mut self, deadline: Duration) -> Self {
        self.redis.deadline = Some(deadline);
        self
    }

    /// How long a copy in this process may be served after it was invalidated elsewhere, at worst;
    /// `LARDER_COHERENCE_BOUND` unless said, and 1 s unless that is set.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn coherence_bound(mut self, bound: Duration) -> Self {
        self.redis.bound = Some(bound);
        self
    }

    /// What is served while the Redis tier can't be heard; `LARDER_ON_PARTITION` (`serve` or `compute`)
    /// unless said, and this machine's own entries unless that is set.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn on_partition(mut self, on_partition: OnPartition) -> Self {
        self.redis.on_partition = Some(on_partition);
        self
    }

    /// What becomes of entries when another server takes over, or the server starts anew;
    /// `LARDER_ON_FAILOVER` (`cold` or `trust`) unless said, and they are misses unless that is set.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn on_failover(mut self, on_failover: OnFailover) -> Self {
        self.redis.on_failover = Some(on_failover);
        self
    }

    /// Makes the runtime.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`], naming the setting that can't be used.
    pub fn build(self) -> Result<Runtime, Error> {
        let namespace = namespace::find(self.namespace)?;
        let time = self.clock.map_or(TimeSource::System, TimeSource::Injected);
        #[cfg(feature = "disk")]
        let disk = disk(self.directory, self.limit, &namespace)?;
        #[cfg(feature = "redis")]
        let redis = crate::runtime::RedisOf::new(self.redis.settings()?);
        Ok(Runtime::assemble(
            namespace,
            time,
            (self.backoff, self.executor),
            #[cfg(feature = "disk")]
            disk,
            #[cfg(feature = "redis")]
            redis,
        ))
    }
}

/// What is said of the Redis tier.
#[cfg(feature = "redis")]
#[derive(Default)]
struct Redis {
    url: Option<String>,
    deadline: Option<Duration>,
    bound: Option<Duration>,
    on_partition: Option<OnPartition>,
    on_failover: Option<OnFailover>,
}

#[cfg(feature = "redis")]
impl Redis {
    /// All of it, if servers are named anywhere.
    fn settings(self) -> Result<Option<Settings>, Error> {
        let named = self.url.map(|url| Settings::parse(&url, "redis"));
        let Some(mut settings) = named.or_else(Settings::from_environment).transpose()? else {
            return Ok(None);
        };
        settings.deadline = self.deadline.unwrap_or(settings.deadline);
        settings.bound = self.bound.unwrap_or(settings.bound);
        settings.on_partition = self.on_partition.unwrap_or(settings.on_partition);
        settings.on_failover = self.on_failover.unwrap_or(settings.on_failover);
        settings.check()?;
        Ok(Some(settings))
    }
}

impl Runtime {
    /// Starts the configuration of a runtime.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// What is said of the disk tier. A directory that is named is looked at now; one that can't be used
/// for want of room or rights is tried again when it is needed.
#[cfg(feature = "disk")]
fn disk(
    directory: Option<std::path::PathBuf>,
    limit: Option<u64>,
    namespace: &str,
) -> Result<crate::runtime::DiskOf, Error> {
    use crate::tier::disk::{LEAST, Place, Refusal};

    if let Some(limit) = limit.filter(|limit| *limit < LEAST) {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!("disk_limit {limit} is too small; take at least {LEAST} bytes"),
        ));
    }
    let is_named = directory.is_some() || Place::is_in_environment();
    let disk = crate::runtime::DiskOf::new(directory, limit);
    if is_named && let Err(Refusal::Rule(error)) = disk.place(namespace)?.prepare() {
        return Err(error);
    }
    Ok(disk)
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
