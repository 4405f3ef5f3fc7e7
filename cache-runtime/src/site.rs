//! One annotated function: what its attribute says, and its place in the registry.

use crate::error::Level;
use crate::frame::Keyed;
use crate::tier::memory::Leniency;
use std::fmt;
#[cfg(feature = "disk")]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// What an attribute says, as far as it can be told without types.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FunctionOptions {
    /// The module the function stands in.
    pub module: &'static str,
    /// The function's name in the source.
    pub function: &'static str,
    /// The name given with `name = ..`.
    pub name: Option<&'static str>,
    /// The number given with `version = ..`.
    pub version: u32,
    /// A fingerprint of the types in the signature, as they are written.
    pub signature: u64,
    /// Where the attribute stands.
    pub file: &'static str,
    /// The line in `file`.
    pub line: u32,
    /// The tiers, from the nearest to the farthest.
    pub tiers: &'static [Level],
    /// A fingerprint of the function and of what the attribute says, with `version = auto`.
    pub tokens: Option<u64>,
    /// How long a value is fresh in L1; forever if not said.
    pub ttl: Option<Duration>,
    /// How long a value is fresh in the farthest tier beyond L1; one hour if not said.
    pub ttl_stored: Option<Duration>,
    /// How long a copy of a value in L3 is fresh in L2, if there are both; as long as the value if not
    /// said.
    pub ttl_disk: Option<Duration>,
    /// The codec of the tiers beyond L1.
    pub codec: &'static str,
    /// How the tiers beyond L1 compress: `none`, `lz4`, `zstd` or `auto`.
    pub compress: &'static str,
    /// Whether a caller waits until the tiers beyond L1 have the value.
    pub write_through: bool,
    /// Whether arguments name files that entries depend on.
    pub files: bool,
    /// How long after its time to live a value is served while it is computed anew; zero if not at all.
    pub stale: Duration,
    /// How long after its time to live a value is served if computing it anew fails; zero if not at all.
    pub grace: Duration,
    /// How long before the end of its time a value is computed anew in the background, if at all.
    pub refresh: Option<Duration>,
    /// Whether chance decides when that is, by how long computing takes.
    pub refresh_auto: bool,
    /// The longest wait for a computation while there is a former value to serve; no limit if not said.
    pub timeout: Option<Duration>,
    /// The longest wait at all; no limit if not said.
    pub deadline: Option<Duration>,
    /// The path given with `fallback`, as it is written.
    pub fallback: Option<&'static str>,
    /// By how many thousandths times to live are shortened at most, each by another share.
    pub jitter: u32,
    /// How long an `Err` or a `None` is fresh, if it is kept apart from other values.
    pub negative: Option<Duration>,
    /// How much L1 keeps, in entries or, with `weigh`, in weight.
    pub capacity: u64,
    /// The path given with `weigh`, as it is written: the capacity is in weight if there is one.
    pub weigh: Option<&'static str>,
    /// The tag templates.
    pub tags: &'static [&'static str],
    /// The template of the readable key, if there is one.
    pub key: Option<&'static str>,
    /// Which surroundings are part of the key.
    pub keyed: Keyed,
    /// The condition given with `when`, as it is written.
    pub when: Option<&'static str>,
    /// The path given with `ttl_for`, as it is written.
    pub ttl_for: Option<&'static str>,
    /// The path given with `cache_if`, as it is written.
    pub cache_if: Option<&'static str>,
    /// The path given with `tags_for`, as it is written.
    pub tags_for: Option<&'static str>,
    /// The longest wait for another caller's computation.
    pub wait: Duration,
    /// The expression given with `runtime`, as it is written; the runtime in use if not said.
    pub runtime: Option<&'static str>,
}

/// How long a value is kept beyond memory if its function does not say.
const LIFETIME: Duration = Duration::from_secs(3_600);

impl FunctionOptions {
    /// How long a value is fresh where it is kept longest; forever if not said.
    pub(crate) fn lifetime(&self) -> Option<Duration> {
        if self.is_stored() {
            // What leaves memory ends some time, so that it does not outlive its program for ever.
            return self.ttl_stored.or(Some(LIFETIME));
        }
        self.ttl
    }

    /// Whether values are computed anew while they are fresh.
    pub(crate) fn renews(&self) -> bool {
        self.refresh_auto || self.refresh.is_some()
    }

    /// Whether a computation may be handed over, since its caller does not wait for it as long as it
    /// takes.
    pub(crate) fn outlives(&self) -> bool {
        self.timeout.is_some() || self.deadline.is_some()
    }

    /// Whether values are computed anew that a call finds only after it has looked everywhere near: on other
    /// machines alone.
    pub(crate) fn renews_unseen(&self) -> bool {
        self.renews() && self.reaches(Level::L3) && !self.reaches(Level::L1)
    }

    /// Whether a call that has found nothing near may come to leave a computation behind.
    pub(crate) fn may_outlive(&self) -> bool {
        self.outlives() || self.renews_unseen()
    }

    /// What may be served of values whose time is over.
    pub(crate) fn leniency(&self) -> Leniency {
        Leniency { stale: self.stale, grace: self.grace, asks_elsewhere: false }
    }

    /// How long after its time anything may be.
    pub(crate) fn linger(&self) -> Duration {
        self.stale.max(self.grace)
    }

    /// Whether anything may be.
    pub(crate) fn is_lenient(&self) -> bool {
        !self.linger().is_zero()
    }

    /// A time to live, shortened by a share of its own.
    pub(crate) fn spread(&self, ttl: Duration) -> Duration {
        if self.jitter == 0 {
            return ttl;
        }
        let nanos = u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX);
        let most = nanos / 1_000 * u64::from(self.jitter.min(1_000));
        ttl.saturating_sub(Duration::from_nanos(fastrand::u64(..=most)))
    }

    /// Whether values are kept beyond memory.
    pub(crate) fn is_stored(&self) -> bool {
        self.tiers.iter().any(|tier| *tier > Level::L1)
    }

    /// Whether values are kept in a tier.
    pub(crate) fn reaches(&self, tier: Level) -> bool {
        self.tiers.contains(&tier)
    }

    /// The options of a function whose attribute says nothing.
    #[doc(hidden)]
    pub const fn new(module: &'static str, function: &'static str) -> Self {
        Self {
            module,
            function,
            name: None,
            version: 0,
            signature: 0,
            file: "",
            line: 0,
            tiers: &[Level::L1],
            tokens: None,
            ttl: None,
            ttl_stored: None,
            ttl_disk: None,
            codec: "bincode",
            compress: "none",
            write_through: false,
            files: false,
            stale: Duration::ZERO,
            grace: Duration::ZERO,
            refresh: None,
            refresh_auto: false,
            timeout: None,
            deadline: None,
            fallback: None,
            jitter: 0,
            negative: None,
            capacity: 10_000,
            weigh: None,
            tags: &[],
            key: None,
            keyed: Keyed::NOTHING,
            when: None,
            ttl_for: None,
            cache_if: None,
            tags_for: None,
            wait: Duration::from_secs(30),
            runtime: None,
        }
    }
}

/// One annotated function. The macro makes a static of it.
pub struct Site {
    pub(crate) options: FunctionOptions,
    /// One more than the place in the registry; zero until enrolled.
    place: AtomicUsize,
    printed: OnceLock<String>,
}

#[cfg(feature = "disk")]
static IS_ANY_ON_DISK: AtomicBool = AtomicBool::new(false);

static ENROLLED: Mutex<Vec<&'static Site>> = Mutex::new(Vec::new());

/// A site that the linker put into the program.
pub struct Linked(pub &'static Site);

inventory::collect!(Linked);

impl Site {
    /// Makes the site of a function.
    pub const fn new(options: FunctionOptions) -> Self {
        Self { options, place: AtomicUsize::new(0), printed: OnceLock::new() }
    }

    /// The site's place in the registry; it gets one when first asked.
    #[inline]
    pub(crate) fn place(&'static self) -> usize {
        // Relaxed: the number stands for itself.
        match self.place.load(Ordering::Relaxed) {
            0 => self.enroll(),
            place => place - 1,
        }
    }

    #[cold]
    fn enroll(&'static self) -> usize {
        let mut enrolled = ENROLLED.lock().unwrap_or_else(PoisonError::into_inner);
        match self.place.load(Ordering::Relaxed) {
            0 => {
                enrolled.push(self);
                #[cfg(feature = "disk")]
                IS_ANY_ON_DISK.fetch_or(self.options.reaches(Level::L2), Ordering::Relaxed);
                self.place.store(enrolled.len(), Ordering::Relaxed);
                enrolled.len() - 1
            }
            place => place - 1,
        }
    }

    /// All sites: those the linker knows, and those that have been called.
    pub(crate) fn all() -> Vec<&'static Self> {
        for Linked(site) in inventory::iter::<Linked> {
            site.place();
        }
        ENROLLED.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether any function of the program keeps values on the disk.
    #[cfg(feature = "disk")]
    pub(crate) fn is_any_on_disk() -> bool {
        static LINKED: OnceLock<()> = OnceLock::new();
        LINKED.get_or_init(|| drop(Self::all()));
        // Relaxed: whoever calls such a function has seen it enrolled.
        IS_ANY_ON_DISK.load(Ordering::Relaxed)
    }

    /// The function's name beyond its source file: the one given, else its path; with the type it
    /// is implemented for once it has been called.
    pub(crate) fn name(&self) -> String {
        match (self.options.name, self.printed.get()) {
            (Some(name), _) => name.to_owned(),
            (None, Some(printed)) => printed.clone(),
            (None, None) => format!("{}::{}", self.options.module, self.options.function),
        }
    }

    /// Learns the function's path from the type name of the item that stands beside it for its
    /// companion, which may be asked for a key before the function is called.
    pub(crate) fn learn_beside(&self, family: &str) {
        let path = function_path(family);
        let around = path.rsplit_once("::").map(|(around, item)| match item {
            // In the companion's own type, which stands beside the function.
            "__larder_family" => around.rsplit_once("::").map_or(around, |(around, _)| around),
            _ => around,
        });
        if let Some(around) = around {
            self.learn(&format!("{around}::{}", self.options.function));
        }
    }

    /// Learns the function's path from the type name of something declared inside it, and returns
    /// the name that `invalidate_function` takes.
    pub(crate) fn learn(&self, inside: &str) -> String {
        let mut path = function_path(inside);
        // In the companion's type, for calls that are made of one of many.
        if let Some(holder) = path.strip_suffix("::__larder_family") {
            let around = holder.rsplit_once("::").map_or("", |(around, _)| around);
            path = format!("{around}::{}", self.options.function);
        }
        self.printed.get_or_init(|| path.clone());
        self.options.name.map_or(path, str::to_owned)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Site").field(&self.name()).finish()
    }
}

/// The path of the function in the type name of a closure inside it, without generic arguments.
fn function_path(inside: &str) -> String {
    let mut path = inside;
    while let Some(outer) = path.strip_suffix("::{{closure}}") {
        path = outer;
    }
    let mut plain = String::with_capacity(path.len());
    let mut depth = 0_usize;
    let mut previous = ' ';
    for character in path.chars() {
        let opens = character == '<' && (previous.is_alphanumeric() || previous == '_');
        match character {
            '<' if depth > 0 || opens => depth += 1,
            '>' if depth > 0 && previous != '-' => depth -= 1,
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
        previous = character;
    }
    plain
}

/// The generic arguments in a type name, wherever they stand.
#[cfg(feature = "beyond")]
pub(crate) fn generic_arguments(path: &str) -> String {
    let mut arguments = String::new();
    let mut depth = 0_usize;
    let mut previous = ' ';
    for character in path.chars() {
        let opens = character == '<' && (previous.is_alphanumeric() || "_:".contains(previous));
        let closes = character == '>' && previous != '-' && depth > 0;
        depth -= usize::from(closes);
        if depth > 0 || closes {
            arguments.push(character);
        }
        depth += usize::from(opens || (character == '<' && depth > 0));
        previous = character;
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::function_path;

    #[test]
    fn a_path_has_no_closures_and_no_generic_arguments() {
        assert_eq!(function_path("a::f::{{closure}}::{{closure}}"), "a::f");
        assert_eq!(function_path("a::f<alloc::vec::Vec<u8>>::{{closure}}"), "a::f");
        assert_eq!(function_path("a::S<T>::f<fn(u8) -> u8>::{{closure}}"), "a::S::f");
        assert_eq!(function_path("<a::S<u8> as a::Tr<u16>>::f::{{closure}}"), "<a::S as a::Tr>::f");
    }
}
