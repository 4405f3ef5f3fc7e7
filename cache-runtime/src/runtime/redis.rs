//! The Redis tier of a runtime: made when something first needs it, told of every invalidation, and
//! heard.

use super::{Inner, Runtime};
use crate::entry::{About, Marks, Stamp};
use crate::error::{Error, ErrorKind, Level};
use crate::site::Site;
use crate::target::Target;
use crate::tier::redis::{Listener, Redis, RedisStats, Settings, VARIABLE};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};

/// What is said of the Redis tier, and the tier once there is one.
#[derive(Default)]
pub(crate) struct RedisOf {
    settings: Option<Settings>,
    redis: OnceLock<Option<Arc<Redis>>>,
    /// The clock as it stood when everything had been forgotten last.
    lost: AtomicU64,
    /// Somebody was told that it is missing.
    is_missed: OnceLock<()>,
}

impl RedisOf {
    pub(crate) fn new(settings: Option<Settings>) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The settings given, or those in the environment.
    fn settings(&self) -> Option<Settings> {
        let settings = self.settings.clone().map(Ok).or_else(Settings::from_environment)?;
        settings.inspect_err(|error| log::warn!("there is no Redis tier: {error}")).ok()
    }
}

impl Runtime {
    /// The Redis tier, made now if there is none. Nothing if no server is configured.
    pub(crate) fn redis(&self) -> Option<&Arc<Redis>> {
        let make = || {
            let listener = Box::new(Ear(Arc::downgrade(&self.inner)));
            let made = Redis::new(self.inner.redis.settings()?, &self.inner.namespace, listener);
            made.inspect_err(|error| log::warn!("there is no Redis tier: {error}"))
                .ok()
                .map(Arc::new)
        };
        self.inner.redis.redis.get_or_init(make).as_ref()
    }

    /// The Redis tier, for a function that is kept there.
    pub(super) fn redis_of(&self, site: &'static Site) -> Option<Arc<Redis>> {
        if !site.options.reaches(Level::L3) {
            return None;
        }
        let redis = self.redis().cloned();
        if redis.is_none() {
            self.inner.redis.is_missed.get_or_init(|| {
                log::warn!(
                    "`{}` does without `l3`: no server is configured; set {VARIABLE}, or take \
                     `Runtime::builder().redis(url)`",
                    site.name()
                );
            });
        }
        redis
    }

    /// Whether a value may be a part of what machines share.
    pub(crate) fn may_share(&self, about: &About) -> bool {
        about.captured.is_some() && self.redis().is_some_and(|redis| redis.may_share(about))
    }

    /// The reading of the clock before which what was in memory has been forgotten because this process
    /// may not have been told of its end.
    pub(crate) fn lost(&self) -> Stamp {
        // Relaxed: it says what is worth comparing, and vouches for nothing.
        Stamp(self.inner.redis.lost.load(Relaxed))
    }

    /// Tells the servers of an invalidation, if there are any.
    pub(super) fn tell_fleet(
        &self,
        target: &Target,
    ) -> Option<impl Future<Output = Result<(), Error>> + Send + use<>> {
        self.redis().map(|redis| redis.invalidate(target.clone()))
    }

    /// What has been counted of the tier, if there is one by now.
    pub(crate) fn redis_stats(&self) -> Option<RedisStats> {
        self.inner.redis.redis.get()?.as_ref().map(|redis| redis.stats())
    }

    pub(super) fn close_redis(&self) -> Result<(), Error> {
        match self.inner.redis.redis.get() {
            Some(Some(redis)) if redis.is_anything_pending() => Err(Error::at(
                Level::L3,
                ErrorKind::Pending,
                "invalidations wait for a server, which can't be reached",
            )),
            _ => Ok(()),
        }
    }
}

/// The ear of a runtime, which must not keep it.
struct Ear(Weak<Inner>);

impl Ear {
    fn runtime(&self) -> Option<Runtime> {
        self.0.upgrade().map(|inner| Runtime { inner })
    }

    #[cfg(feature = "disk")]
    fn disk(&self) -> Option<Arc<crate::tier::disk::Disk>> {
        self.runtime()?.disk_if_any()
    }
}

impl Listener for Ear {
    fn hear(&self, target: &Target) {
        self.runtime().iter().for_each(|runtime| runtime.note(target));
    }

    fn lose(&self) {
        if let Some(runtime) = self.runtime() {
            runtime.forget_kept_in(Level::L3);
            let Inner { redis, versions, .. } = &*runtime.inner;
            redis.lost.fetch_max(versions.now().0, Relaxed);
        }
    }

    fn settle(&self) {
        #[cfg(feature = "disk")]
        if let Some(disk) = self.disk() {
            disk.attend();
        }
        self.0.upgrade().iter().for_each(Inner::settle);
    }

    fn deliver(&self, target: &Target) {
        // What other processes of the machine can't hear of now waits for that.
        self.runtime().iter().for_each(|runtime| drop(runtime.record_near(target, target)));
    }

    #[cfg(feature = "disk")]
    fn postpone(&self, target: &Target) -> bool {
        let Some(disk) = self.disk() else { return false };
        let kept = disk.postpone(target);
        kept.inspect_err(|error| {
            log::warn!("an invalidation that waits for Redis is kept in memory alone: {error}");
        })
        .is_ok()
    }

    #[cfg(feature = "disk")]
    fn postponed(&self) -> Vec<(u64, Target)> {
        self.disk().map(|disk| disk.postponed()).unwrap_or_default()
    }

    #[cfg(feature = "disk")]
    fn forget(&self, numbers: &[u64]) {
        if let Some(disk) = self.disk()
            && let Err(error) = disk.delivered(numbers)
        {
            // They are delivered once more, which does no harm.
            log::debug!("invalidations that were delivered can't be forgotten: {error}");
        }
    }

    #[cfg(not(feature = "disk"))]
    fn postpone(&self, _: &Target) -> bool {
        false
    }

    #[cfg(not(feature = "disk"))]
    fn postponed(&self) -> Vec<(u64, Target)> {
        Vec::new()
    }

    #[cfg(not(feature = "disk"))]
    fn forget(&self, _: &[u64]) {}

    fn is_overtaken(&self, marks: &Marks, since: Stamp) -> bool {
        self.0.upgrade().is_none_or(|inner| inner.versions.overtook(marks, since))
    }
}
