//! Filling a cache before it is asked.

use std::fmt;
use std::num::NonZeroUsize;

/// How a function is warmed: how many calls at a time, and who is told of them.
///
/// ```
/// use larder::Warming;
///
/// #[larder::cached]
/// fn square(number: u64) -> u64 {
///     number * number
/// }
///
/// let mut shown = String::new();
/// let warming = Warming::new().concurrency(4).progress(|it| shown = it.to_string());
/// let warmed = square::warm_with(warming, 1..=100_u64);
/// assert_eq!((warmed.calls, warmed.skipped), (100, 0));
/// assert_eq!(shown, "100 of 100, 0 there already, 0 failed");
/// ```
pub struct Warming<'a> {
    pub(crate) concurrency: NonZeroUsize,
    pub(crate) progress: Option<Tell<'a>>,
}

/// Who is told how far it is.
pub(crate) type Tell<'a> = Box<dyn FnMut(Progress) + Send + 'a>;

const USUAL: NonZeroUsize = NonZeroUsize::new(8).expect("more than none");

impl<'a> Warming<'a> {
    /// Makes eight calls at a time, and tells nobody.
    pub fn new() -> Self {
        Self { concurrency: USUAL, progress: None }
    }

    /// Makes so many calls at a time, at least one: of an async function within the caller's own task, of
    /// any other on as many threads.
    #[must_use]
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = NonZeroUsize::new(calls).unwrap_or(NonZeroUsize::MIN);
        self
    }

    /// Calls `tell` after each call that has ended.
    #[must_use]
    pub fn progress(mut self, tell: impl FnMut(Progress) + Send + 'a) -> Self {
        self.progress = Some(Box::new(tell));
        self
    }
}

impl Default for Warming<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Warming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warming").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
}

/// How far a function is warmed. `Display` reads like a line of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Calls that have ended.
    pub done: u64,
    /// Calls there will be, if the iterator knows.
    pub of: Option<u64>,
    /// Those whose value was there already.
    pub skipped: u64,
    /// Those that failed.
    pub failed: u64,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, of, skipped, failed } = self;
        match of {
            Some(of) => write!(f, "{done} of {of}")?,
            None => write!(f, "{done}")?,
        }
        write!(f, ", {skipped} there already, {failed} failed")
    }
}

/// What came of warming a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warmed {
    /// Calls made.
    pub calls: u64,
    /// Those of them whose value was there already: their body did not run.
    pub skipped: u64,
    /// Those of them that failed, in the order of their arguments: also where a former value was served
    /// instead, and those of a batch of which a part failed.
    pub failures: Vec<Failed>,
}

/// A call that failed. `Display` says what it failed of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failed {
    /// The place of its arguments in what the iterator yields, from 0 on.
    pub position: u64,
    /// Whether it panicked; else its body returned an `Err`, or panicked, and something else was served.
    pub panicked: bool,
    /// The error, as it prints (by `Display`, else by `Debug`), or what the panic said; `None` if it says
    /// nothing, or if something else was served.
    pub error: Option<String>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.panicked { "a panic" } else { "a failure" };
        match &self.error {
            Some(error) if self.panicked => write!(f, "{what}: {error}"),
            Some(error) => f.write_str(error),
            None => f.write_str(what),
        }
    }
}

impl fmt::Display for Warmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, skipped, failures } = self;
        write!(f, "{calls} calls, {skipped} there already, {} failed", failures.len())
    }
}

/// What came of one call.
pub(crate) struct Ended {
    /// Whether the body ran.
    pub(crate) ran: bool,
    pub(crate) failed: Option<Failed>,
}

/// What has come of it so far, and who is told.
pub(crate) struct Tally<'a> {
    warmed: Warmed,
    of: Option<u64>,
    tell: Option<Tell<'a>>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new((least, most): (usize, Option<usize>), tell: Option<Tell<'a>>) -> Self {
        let of = most.filter(|most| *most == least).map(|most| most as u64);
        Self { warmed: Warmed::default(), of, tell }
    }

    pub(crate) fn note(&mut self, ended: Ended) {
        let Ended { ran, failed } = ended;
        let warmed = &mut self.warmed;
        warmed.calls += 1;
        warmed.skipped += u64::from(!ran && failed.is_none());
        warmed.failures.extend(failed);
        let Some(tell) = &mut self.tell else { return };
        let failed = warmed.failures.len() as u64;
        tell(Progress { done: warmed.calls, of: self.of, skipped: warmed.skipped, failed });
    }

    pub(crate) fn end(mut self) -> Warmed {
        self.warmed.failures.sort_unstable_by_key(|it| it.position);
        self.warmed
    }
}
