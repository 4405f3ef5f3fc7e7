//! What has been counted, for people and programs.

use crate::context;
use crate::counters::Histogram;
use crate::runtime::Runtime;
use crate::site::{FunctionOptions, Site};
use crate::tier::memory::Usage;
#[cfg(feature = "redis")]
use crate::tier::redis::RedisStats;
use std::fmt;

/// The counters of one cached function in one runtime, and what its attribute says.
///
/// Plain numbers since the function was first called; each is read on its own, so a call under way
/// may be seen in one and not yet in another.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FunctionStats {
    /// The name `invalidate_function` takes.
    pub name: String,
    /// What the attribute says.
    pub options: FunctionOptions,
    /// Values served from the cache.
    pub hits: u64,
    /// Those of them that were an `Err` or a `None`.
    pub negative_hits: u64,
    /// Those whose time to live was over, while another call computed the value anew.
    pub stale_hits: u64,
    /// Values served whose time to live was over, where computing them anew had failed: hits, but for the
    /// calls whose attempts these were or that waited for them, and those that asked L2 or L3 first.
    pub grace_hits: u64,
    /// Computations begun while the value was still fresh.
    pub refreshes: u64,
    /// Stale and grace hits of calls that had waited for another value until `timeout`.
    pub timeouts: u64,
    /// Calls that returned what `fallback` gives, since `deadline` was over.
    pub fallbacks: u64,
    /// Calls for which nothing was cached.
    pub misses_absent: u64,
    /// Calls that found an entry past its time to live.
    pub misses_expired: u64,
    /// Calls that found an entry overtaken by an invalidation.
    pub misses_invalidated: u64,
    /// Calls that were computed because `when` was false.
    pub bypasses_when: u64,
    /// Calls that were computed and not cached for want of an ambient context.
    pub bypasses_context: u64,
    /// Calls that were computed and not cached for want of a session or request.
    pub bypasses_scope: u64,
    /// Calls that asked not to use the cache.
    pub bypasses_asked: u64,
    /// Calls made while the cache itself clones or compares a value, or by a thread that ends.
    pub bypasses_reentrant: u64,
    /// Values not kept because a callee depends on surroundings that this function's key lacks.
    pub bypasses_tenant: u64,
    /// Values not kept because they depend on more names than are kept track of.
    pub bypasses_dependencies: u64,
    /// Runs of the body that ended.
    pub computations: u64,
    /// Those of them that ended in an `Err`.
    pub failures: u64,
    /// Calls that missed and then took what another call had been computing, or just computed.
    pub joins: u64,
    /// Calls that waited for a computation that was then overtaken.
    pub refused_joins: u64,
    /// Calls that took over from one that was cancelled, panicked or took too long.
    pub takeovers: u64,
    /// Those hits that L1 did not have, and L2 did.
    pub hits_l2: u64,
    /// Calls that took what another process computed.
    pub joins_l2: u64,
    /// Values stored in L2.
    pub stores_l2: u64,
    /// Values not stored in L2 because they were overtaken, or because a later one was there.
    pub fenced_stores_l2: u64,
    /// Those hits whose value was in L1, and that L3 was asked about: this process might not have been
    /// told of its end.
    pub rechecks: u64,
    /// Those hits that neither L1 nor L2 had, and L3 did.
    pub hits_l3: u64,
    /// Calls that waited for a process of any machine, and took what it computed.
    pub joins_l3: u64,
    /// Values stored in L3.
    pub stores_l3: u64,
    /// Values not stored in L3 because the right to store them had gone to another computation.
    pub fenced_stores_l3: u64,
    /// Times that L2 or L3 was done without: it could not be reached, or could not keep up.
    pub degraded: u64,
    /// Keys and values that can't be said in bytes, and so stay in L1.
    pub bypasses_codec: u64,
    /// Values kept.
    pub stores: u64,
    /// Values not kept because they were overtaken while they were computed.
    pub fenced_stores: u64,
    /// Entries that made room for others.
    pub evictions_capacity: u64,
    /// Values too heavy to be kept.
    pub evictions_oversized: u64,
    /// Entries that ended with their session or request.
    pub evictions_scope: u64,
    /// Invalidations of one key.
    pub invalidations_key: u64,
    /// Invalidations of the whole function by its companion.
    pub invalidations_function: u64,
    /// Entries held now, expired ones included.
    pub entries: u64,
    /// The weight of the entries held now; their number unless `weigh` is given.
    pub weight: u64,
    /// How long computations took.
    pub computation_time: Histogram,
    /// How old values were when they were served; a sample of the hits.
    pub age_at_serve: Histogram,
}

impl FunctionStats {
    pub(crate) fn of(runtime: &Runtime, site: &'static Site) -> Self {
        let place = site.place();
        let counters = runtime.counters(place);
        let usage = runtime.usage(place);
        let (hits, negative_hits) = counters.hits();
        let Usage { entries, weight } = usage;
        macro_rules! stats {
            ($($counter:ident)*) => {
                Self {
                    name: site.name(),
                    options: site.options.clone(),
                    hits,
                    negative_hits,
                    entries,
                    weight,
                    computation_time: counters.computation_time.snapshot(),
                    age_at_serve: counters.age_at_serve.snapshot(),
                    $($counter: counters.$counter.get(),)*
                }
            };
        }
        stats! {
            stale_hits grace_hits refreshes timeouts fallbacks misses_absent misses_expired misses_invalidated
            bypasses_when bypasses_context bypasses_scope bypasses_asked bypasses_reentrant
            bypasses_tenant
            bypasses_dependencies computations failures joins refused_joins takeovers stores
            fenced_stores evictions_capacity evictions_oversized evictions_scope
            invalidations_key invalidations_function
            hits_l2 joins_l2 stores_l2 fenced_stores_l2 rechecks hits_l3 joins_l3 stores_l3 fenced_stores_l3
            degraded bypasses_codec
        }
    }

    /// Returns how many look-ups found nothing to serve.
    pub fn misses(&self) -> u64 {
        self.misses_absent + self.misses_expired + self.misses_invalidated
    }

    /// Returns how many calls were computed without the cache.
    pub fn bypasses(&self) -> u64 {
        self.bypasses_when
            + self.bypasses_context
            + self.bypasses_scope
            + self.bypasses_asked
            + self.bypasses_reentrant
    }

    /// Returns the share of look-ups that were hits, from 0 to 1; 0 without any.
    pub fn hit_rate(&self) -> f64 {
        let all = self.hits + self.misses();
        #[expect(clippy::cast_precision_loss, reason = "a ratio is rounded anyway")]
        if all == 0 { 0.0 } else { self.hits as f64 / all as f64 }
    }
}

/// The counters of all cached functions in one runtime. `Display` is a table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// All annotated functions that the linker knows of or that were called, by name.
    pub functions: Vec<FunctionStats>,
    /// Invalidations by one or several tags.
    pub invalidations_tags: u64,
    /// Invalidations by pattern.
    pub invalidations_patterns: u64,
    /// Invalidations by function name.
    pub invalidations_functions: u64,
    /// Invalidations of everything.
    pub invalidations_everything: u64,
    /// Invalidations remembered because something older may still be about.
    pub records: u64,
    /// Of the Redis tier, if there is one.
    #[cfg(feature = "redis")]
    pub redis: Option<RedisStats>,
}

/// Returns the counters of all cached functions in the runtime in use.
///
/// ```
/// #[larder::cached(name = "square", ttl = "1h")]
/// fn square(number: u64) -> u64 {
///     number * number
/// }
///
/// square(3);
/// square(3);
/// let stats = larder::stats();
/// let square = stats.functions.iter().find(|it| it.name == "square").expect("it is listed");
/// assert_eq!((square.hits, square.misses(), square.computations), (1, 1, 1));
/// println!("{stats}");
/// ```
pub fn stats() -> Stats {
    context::runtime().stats()
}

impl Runtime {
    /// Returns the counters of all cached functions in this runtime.
    pub fn stats(&self) -> Stats {
        let mut functions: Vec<_> =
            Site::all().into_iter().map(|site| FunctionStats::of(self, site)).collect();
        functions.sort_by(|one, other| one.name.cmp(&other.name));
        let invalidations = &self.inner.invalidations;
        Stats {
            functions,
            invalidations_tags: invalidations.tags.get(),
            invalidations_patterns: invalidations.patterns.get(),
            invalidations_functions: invalidations.functions.get(),
            invalidations_everything: invalidations.everything.get(),
            records: self.inner.versions.len() as u64,
            #[cfg(feature = "redis")]
            redis: self.redis_stats(),
        }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let called = |it: &&FunctionStats| it.hits + it.misses() + it.bypasses() > 0;
        let width = self.functions.iter().filter(called).map(|it| it.name.len()).max().unwrap_or(8);
        writeln!(
            f,
            "{:width$} {:>10} {:>6} {:>9} {:>9} {:>8} {:>9} {:>9}  computation",
            "function", "hits", "rate", "misses", "computed", "failed", "entries", "evicted",
        )?;
        for it in self.functions.iter().filter(called) {
            writeln!(
                f,
                "{:width$} {:>10} {:>5.1}% {:>9} {:>9} {:>8} {:>9} {:>9}  {}",
                it.name,
                it.hits,
                it.hit_rate() * 100.0,
                it.misses(),
                it.computations,
                it.failures,
                it.entries,
                it.evictions_capacity,
                it.computation_time,
            )?;
        }
        let idle = self.functions.len() - self.functions.iter().filter(called).count();
        if idle > 0 {
            writeln!(f, "and {idle} not called yet")?;
        }
        write!(
            f,
            "invalidations: {} by tag, {} by pattern, {} by function, {} of everything",
            self.invalidations_tags,
            self.invalidations_patterns,
            self.invalidations_functions,
            self.invalidations_everything,
        )
    }
}
