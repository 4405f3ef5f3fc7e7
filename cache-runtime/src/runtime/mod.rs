//! A runtime: one clock, one set of versions, and everything cached under them.

#[cfg(feature = "beyond")]
mod beyond;
#[cfg(feature = "disk")]
mod disk;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "disk")]
pub(crate) use self::disk::DiskOf;
#[cfg(feature = "redis")]
pub(crate) use self::redis::RedisOf;

use crate::attempts::Backoff;
use crate::clock::TimeSource;
use crate::counters::{Count, Counters};
#[cfg(not(feature = "redis"))]
use crate::entry::About;
use crate::errand::Executor;
use crate::error::{Error, ErrorKind};
use crate::held;
use crate::mark::Mark;
use crate::namespace;
use crate::shelf::Shelf;
use crate::site::Site;
use crate::sync::Mutex;
use crate::target::Target;
use crate::tier::memory::{AnyMemory, Usage};
use crate::versions::Versions;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};

/// What cached functions keep their values in, and invalidations speak to.
///
/// There is a global one, made when first used. A program may [`install`](Self::install) another
/// in its place before that; tests and libraries use their own, with `#[cached(runtime = ..)]`,
/// [`with`](Self::with) or [`scope`](Self::scope). Two runtimes share nothing. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) id: u64,
    pub(crate) namespace: String,
    pub(crate) time: TimeSource,
    pub(crate) backoff: Backoff,
    pub(crate) executor: Executor,
    pub(crate) versions: Arc<Versions>,
    pub(crate) shelf: Shelf,
    /// What scopes keep under these versions.
    scoped: Mutex<Vec<Weak<dyn AnyMemory>>>,
    /// The names of everything that was called, by site.
    names: Mutex<HashSet<(usize, String)>>,
    counters: Mutex<HashMap<usize, Arc<Counters>>>,
    pub(crate) invalidations: Invalidations,
    /// Which instantiation has which name beyond this process.
    #[cfg(feature = "beyond")]
    claims: Mutex<HashMap<[u8; 32], std::any::TypeId>>,
    #[cfg(feature = "disk")]
    pub(crate) disk: DiskOf,
    #[cfg(feature = "redis")]
    pub(crate) redis: RedisOf,
}

/// Invalidations that name more than one function's keys.
#[derive(Debug, Default)]
pub(crate) struct Invalidations {
    pub(crate) tags: Count,
    pub(crate) patterns: Count,
    pub(crate) functions: Count,
    pub(crate) everything: Count,
}

static GLOBAL: OnceLock<Runtime> = OnceLock::new();

impl Runtime {
    pub(crate) fn assemble(
        namespace: String,
        time: TimeSource,
        (backoff, executor): (Backoff, Executor),
        #[cfg(feature = "disk")] disk: DiskOf,
        #[cfg(feature = "redis")] redis: RedisOf,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            inner: Arc::new(Inner {
                id: NEXT.fetch_add(1, Relaxed),
                namespace,
                time,
                backoff,
                executor,
                versions: Arc::default(),
                shelf: Shelf::default(),
                scoped: Mutex::default(),
                names: Mutex::default(),
                counters: Mutex::default(),
                invalidations: Invalidations::default(),
                #[cfg(feature = "beyond")]
                claims: Mutex::default(),
                #[cfg(feature = "disk")]
                disk,
                #[cfg(feature = "redis")]
                redis,
            }),
        }
    }

    /// The global runtime, made now if there is none.
    pub(crate) fn global() -> &'static Self {
        GLOBAL.get_or_init(|| {
            Self::assemble(
                namespace::of_environment(),
                TimeSource::System,
                Default::default(),
                #[cfg(feature = "disk")]
                DiskOf::default(),
                #[cfg(feature = "redis")]
                RedisOf::default(),
            )
        })
    }

    /// Makes this the global runtime. For programs, not for libraries.
    ///
    /// ```
    /// #[larder::cached]
    /// fn double(number: u64) -> u64 {
    ///     number * 2
    /// }
    ///
    /// let runtime = larder::Runtime::builder().namespace("shop").build()?;
    /// runtime.install()?; // before any cached function is called
    /// double(2);
    /// let stats = runtime.stats();
    /// assert!(stats.functions.iter().any(|it| it.name.ends_with("double") && it.stores == 1));
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Installed`] if the global runtime has been used already, or another was
    /// installed: what is cached there could not follow.
    pub fn install(&self) -> Result<(), Error> {
        GLOBAL.set(self.clone()).map_err(|_| {
            Error::new(
                ErrorKind::Installed,
                "the global runtime is in use already; call `install` before any cached function",
            )
        })
    }

    /// Returns the namespace that keeps this runtime's entries apart beyond this process.
    pub fn namespace(&self) -> &str {
        &self.inner.namespace
    }

    /// Ends when everything that was stored has arrived where it belongs.
    ///
    /// # Errors
    ///
    /// The first failure of a tier that could not be written.
    ///
    /// # Cancellation
    ///
    /// May be dropped and called again.
    #[cfg_attr(
        not(feature = "disk"),
        expect(clippy::unused_async, reason = "tiers are waited for")
    )]
    pub async fn close(&self) -> Result<(), Error> {
        #[cfg(feature = "disk")]
        self.close_disk().await?;
        #[cfg(feature = "redis")]
        self.close_redis()?;
        Ok(())
    }

    /// The counters of one function, shared by all its instantiations.
    pub(crate) fn counters(&self, site: usize) -> Arc<Counters> {
        Arc::clone(self.inner.counters.lock().entry(site).or_default())
    }

    /// Makes a function's name known, before anything is computed under it.
    pub(crate) fn enlist(&self, site: usize, name: &str) {
        self.inner.names.lock().insert((site, name.to_owned()));
    }

    /// The marks of all functions that were called and that `wanted` holds for.
    pub(crate) fn marks_of(&self, wanted: impl Fn(usize, &str) -> bool) -> Vec<Mark> {
        let names = self.inner.names.lock();
        let wanted = names.iter().filter(|(site, name)| wanted(*site, name));
        wanted.flat_map(|(site, name)| function_marks(*site, name)).collect()
    }

    /// The marks of one function, by whatever names it was called, and by that which it has now.
    pub(crate) fn marks_of_site(&self, site: &'static Site) -> Vec<Mark> {
        let mut marks = self.marks_of(|place, _| place == site.place());
        marks.extend(function_marks(site.place(), &site.name()));
        marks
    }

    /// Adds what a scope keeps to what takes part in sweeps.
    pub(crate) fn adopt(&self, memory: &Arc<dyn AnyMemory>) {
        let mut scoped = self.inner.scoped.lock();
        scoped.retain(|it| it.strong_count() > 0);
        scoped.push(Arc::downgrade(memory));
    }

    /// How full the L1 of one function is, all instantiations and scopes taken together.
    ///
    /// Nothing, if it is asked while the cache clones or compares: this thread may hold a lock.
    pub(crate) fn usage(&self, site: usize) -> Usage {
        if held::is_held() {
            return Usage::default();
        }
        let shelved = self.inner.shelf.of_site(site);
        let shelved = shelved.iter().map(|kept| kept.memory().usage());
        let counters = self.counters(site);
        let scoped: Vec<_> = self.inner.scoped.lock().iter().filter_map(Weak::upgrade).collect();
        let scoped = scoped.iter().filter(|it| Arc::ptr_eq(it.counters(), &counters));
        shelved.chain(scoped.map(|memory| memory.usage())).fold(Usage::default(), |sum, usage| {
            Usage { entries: sum.entries + usage.entries, weight: sum.weight + usage.weight }
        })
    }

    pub(crate) fn memories(&self) -> Vec<Arc<dyn AnyMemory>> {
        let mut memories = self.inner.shelf.memories();
        memories.extend(self.inner.scoped.lock().iter().filter_map(Weak::upgrade));
        memories
    }

    /// Records an invalidation: once this ends, nothing older is served. `beyond` is what it is in
    /// names that leave the process. The shared tier comes first: else another process of this machine
    /// could take from there what has just been recorded here, as if it came later.
    ///
    /// An error says what it has not reached yet, and where it waits.
    ///
    /// # Cancellation
    ///
    /// Takes effect when first polled, and then as a whole.
    #[cfg_attr(
        not(feature = "redis"),
        expect(clippy::unused_async, reason = "the shared tier is waited for")
    )]
    pub(crate) async fn record(&self, target: &Target, beyond: &Target) -> Result<(), Error> {
        #[cfg(feature = "redis")]
        if let Some(told) = self.tell_fleet(beyond) {
            let near = Near { runtime: self, target, beyond };
            let told = told.await;
            std::mem::forget(near);
            let near = self.record_near(target, beyond);
            // By these names, too: the servers tell of them no more who removed them.
            self.record_here(beyond);
            return near.and(told);
        }
        self.record_near(target, beyond)
    }

    /// Records an invalidation on this machine.
    pub(crate) fn record_near(&self, target: &Target, beyond: &Target) -> Result<(), Error> {
        #[cfg(feature = "disk")]
        let told = self.tell_machine(beyond);
        #[cfg(not(feature = "disk"))]
        let (told, _) = (Ok(()), beyond);
        // Whatever came of that: this process hears of it now.
        self.record_here(target);
        told
    }

    pub(crate) fn record_here(&self, target: &Target) {
        let sweep = || self.memories().iter().filter_map(|memory| memory.sweep()).min();
        self.inner.versions.record(target, (!held::is_held()).then_some(sweep));
    }

    /// Records the invalidation of keys of a site: each has several marks in this process and may have one
    /// beyond.
    pub(crate) async fn record_key(
        &self,
        site: &'static Site,
        keys: &[Mark],
        beyond: &[Mark],
    ) -> Result<(), Error> {
        let any = Mark::any_key(site.place());
        let here = keys.iter().copied().chain([any]).collect();
        #[cfg(feature = "beyond")]
        let any = Some(crate::mark::beyond::any_key(&site.name()));
        #[cfg(not(feature = "beyond"))]
        let any = None;
        let beyond = Target::Any(beyond.iter().copied().chain(any).collect());
        self.record(&Target::Any(here), &beyond).await
    }
}

/// An invalidation that nobody may wait for any more, but is on its way: this machine hears of it
/// all the same.
#[cfg(feature = "redis")]
struct Near<'a> {
    runtime: &'a Runtime,
    target: &'a Target,
    beyond: &'a Target,
}

#[cfg(feature = "redis")]
impl Drop for Near<'_> {
    fn drop(&mut self) {
        // What other processes can't hear of now waits for that.
        let _ = self.runtime.record_near(self.target, self.beyond);
        self.runtime.record_here(self.beyond);
    }
}

/// The marks of one function.
pub(crate) fn function_marks(site: usize, name: &str) -> impl Iterator<Item = Mark> + use<> {
    std::iter::once(Mark::function(site, name)).chain(named_beyond(name))
}

/// The mark that all functions of a name have beyond this process.
#[cfg(feature = "beyond")]
#[expect(clippy::unnecessary_wraps, reason = "nothing where there is nothing beyond")]
pub(crate) fn named_beyond(name: &str) -> Option<Mark> {
    Some(crate::mark::beyond::function(name))
}

#[cfg(not(feature = "beyond"))]
pub(crate) fn named_beyond(_: &str) -> Option<Mark> {
    None
}

/// Machines share nothing.
#[cfg(not(feature = "redis"))]
impl Runtime {
    #[expect(clippy::unused_self, reason = "the same where they do")]
    pub(crate) fn may_share(&self, about: &About) -> bool {
        about.captured.is_some()
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("namespace", &self.inner.namespace)
            .field("time", &self.inner.time)
            .finish_non_exhaustive()
    }
}
