//! Invalidation of everything that carries a name (C1).
//!
//! Once one of these returns, no call that starts later in this process is given a value whose
//! computation began before.

use crate::context;
use crate::error::Error;
use crate::mark::Mark;
use crate::pattern::Pattern;
use crate::runtime::{self, Runtime};
use crate::site::Site;
use crate::sync;
use crate::target::Target;
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

/// One invalidation, by what it names.
pub(crate) enum Invalidation {
    AnyTag(Vec<Mark>),
    AllTags(Vec<Mark>),
    Matching(Pattern),
    Function(String),
    Everything,
    Change(Changed),
}

/// What a function of the program has changed, and what is invalid by that.
#[derive(Default)]
pub struct Changed {
    tags: Vec<Mark>,
    functions: Vec<Named>,
}

/// A function by its name, and where those are that had it then: they may have learned another since.
struct Named {
    name: String,
    sites: Vec<&'static Site>,
    /// The one it is kept in, whoever calls it.
    runtime: Option<Runtime>,
}

impl Named {
    fn of(name: String) -> Self {
        let sites = Site::all().into_iter().filter(|site| site.name() == name).collect();
        Self { name, sites, runtime: None }
    }
}

impl Changed {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And everything that carries a tag.
    #[must_use]
    pub fn tag(mut self, tag: fmt::Arguments<'_>) -> Self {
        self.tags.push(named(&tag.to_string()));
        self
    }

    /// And everything that a function cached, by the name that its statistics show, in the runtime that it is
    /// kept in if not in that of whoever calls it.
    #[must_use]
    pub fn function(mut self, name: String, runtime: Option<Runtime>) -> Self {
        self.functions.push(Named { runtime, ..Named::of(name) });
        self
    }

    /// What is to be forgotten in each runtime, of which this is the caller's.
    fn by_runtime(self, here: Runtime) -> Vec<(Runtime, Self)> {
        let mut all = vec![(here, Self { tags: self.tags, functions: Vec::new() })];
        for mut named in self.functions {
            let runtime = named.runtime.take().unwrap_or_else(|| all[0].0.clone());
            let id = runtime.inner.id;
            match all.iter_mut().find(|(it, _)| it.inner.id == id) {
                Some((_, of_it)) => of_it.functions.push(named),
                None => all.push((runtime, Self { tags: Vec::new(), functions: vec![named] })),
            }
        }
        all
    }
}

/// Runs what changes it. Called once, it may return what it borrows of what it changes.
pub fn change<Out>(body: impl FnOnce() -> Out) -> Out {
    body()
}

/// Forgets what is invalid.
pub fn changed(changed: Changed) {
    sync::block_on(changed_async(changed));
}

/// The same. What can't be delivered waits, and is no failure of who has changed it.
///
/// # Cancellation
///
/// Takes effect when first polled, and then as a whole.
pub async fn changed_async(changed: Changed) {
    let all = changed.by_runtime(context::runtime()).into_iter();
    let mut all: Vec<_> = all
        .map(|(runtime, of_it)| {
            Some(Box::pin(async move { Invalidation::Change(of_it).apply(&runtime).await }))
        })
        .collect();
    // All of them at once, so that all of them have begun.
    poll_fn(|task| {
        for one in &mut all {
            one.take_if(|it| it.as_mut().poll(task).is_ready());
        }
        if all.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

fn marks(tags: impl IntoIterator<Item: AsRef<str>>) -> Vec<Mark> {
    tags.into_iter().map(|tag| named(tag.as_ref())).collect()
}

type Names = BTreeMap<Mark, Arc<str>>;

/// What the last tags that were invalidated in this process are called, and those before them.
static CALLED: Mutex<[Names; 2]> = Mutex::new([Names::new(), Names::new()]);

/// So many are remembered at the least, each of so many bytes at the most.
const MOST_CALLED: usize = 256;

/// The mark of a tag, whose name is remembered for a while.
fn named(tag: &str) -> Mark {
    let mark = Mark::tag(tag);
    if tag.len() <= MOST_CALLED {
        let mut called = CALLED.lock().unwrap_or_else(PoisonError::into_inner);
        let [last, before] = &mut *called;
        if last.len() >= MOST_CALLED {
            *before = mem::take(last);
        }
        last.entry(mark).or_insert_with(|| tag.into());
    }
    mark
}

/// What a tag is called, if it is one of these.
pub(crate) fn called(mark: Mark) -> Option<Arc<str>> {
    let called = CALLED.lock().unwrap_or_else(PoisonError::into_inner);
    called.iter().find_map(|names| names.get(&mark)).map(Arc::clone)
}

impl Invalidation {
    /// Applies it to every tier the runtime has.
    async fn apply(self, runtime: &Runtime) -> Result<(), Error> {
        let counts = &runtime.inner.invalidations;
        let (count, target) = match self {
            Self::AnyTag(marks) => (&counts.tags, Target::Any(marks)),
            // All of no tags names nothing.
            Self::AllTags(marks) if marks.is_empty() => (&counts.tags, Target::Any(marks)),
            Self::AllTags(marks) => (&counts.tags, Target::All(marks)),
            Self::Matching(pattern) => (&counts.patterns, Target::Matching(pattern)),
            Self::Function(name) => (
                &counts.functions,
                Target::Any(Self::of_function(runtime, &Named::of(name)).collect()),
            ),
            Self::Change(Changed { tags, functions }) => {
                let named = functions.iter().flat_map(|it| Self::of_function(runtime, it));
                counts.functions.add(functions.len() as u64);
                if tags.is_empty() && functions.is_empty() {
                    return Ok(());
                }
                counts.tags.add(u64::from(!tags.is_empty()));
                let target = Target::Any(tags.into_iter().chain(named).collect());
                return runtime.record(&target, &target).await;
            }
            Self::Everything => (&counts.everything, Target::Everything),
        };
        count.add(1);
        runtime.record(&target, &target).await
    }

    /// The names of all that a function cached.
    fn of_function(runtime: &Runtime, named: &Named) -> impl Iterator<Item = Mark> + use<> {
        let Named { name, sites, .. } = named;
        // By the name of the instantiation called first, as statistics show it, all are meant.
        let mut marks = runtime.marks_of(|_, known| known == name);
        marks.extend(sites.iter().flat_map(|site| runtime.marks_of_site(site)));
        // Other processes may know it even if this one does not.
        marks.into_iter().chain(runtime::named_beyond(name))
    }
}

macro_rules! invalidations {
    ($(
        $(#[doc = $doc:literal])*
        fn $name:ident$(<$generic:ident: $bound:path>)?($($argument:ident: $kind:ty)?)
            => $invalidation:expr;
    )*) => {
        impl Runtime { $(
            $(#[doc = $doc])*
            ///
            /// Speaks to this runtime; the function of the same name in the crate's root speaks to
            /// the one in use.
            ///
            /// # Cancellation
            ///
            /// Takes effect when first polled, and then as a whole.
            pub async fn $name$(<$generic: $bound>)?(
                &self,
                $($argument: $kind)?
            ) -> Result<(), Error> {
                let invalidation: Invalidation = $invalidation;
                invalidation.apply(self).await
            }
        )* }

        $(
            $(#[doc = $doc])*
            ///
            /// # Cancellation
            ///
            /// Takes effect when first polled, and then as a whole.
            pub async fn $name$(<$generic: $bound>)?($($argument: $kind)?) -> Result<(), Error> {
                let invalidation: Invalidation = $invalidation;
                invalidation.apply(&context::runtime()).await
            }
        )*

        /// The same invalidations for code that is not async. They may be called anywhere.
        pub(crate) mod blocking {
            use super::{Error, Invalidation, Pattern, context, marks, named, sync};

            $(
                $(#[doc = $doc])*
                pub fn $name$(<$generic: $bound>)?($($argument: $kind)?) -> Result<(), Error> {
                    let invalidation: Invalidation = $invalidation;
                    sync::block_on(invalidation.apply(&context::runtime()))
                }
            )*
        }
    };
}

invalidations! {
    /// Forgets everything that carries a tag.
    ///
    /// A tag nothing carries is no error: the program can't know what others have cached.
    ///
    /// # Errors
    ///
    /// None while all tiers are in this process.
    fn invalidate_tag(tag: impl AsRef<str>) => Invalidation::AnyTag(vec![named(tag.as_ref())]);

    /// Forgets everything that carries at least one of several tags, in one step.
    ///
    /// # Errors
    ///
    /// None while all tiers are in this process.
    fn invalidate_tags(tags: impl IntoIterator<Item: AsRef<str>>)
        => Invalidation::AnyTag(marks(tags));

    /// Forgets everything that carries all of several tags. Of no tags at all, nothing.
    ///
    /// # Errors
    ///
    /// None while all tiers are in this process.
    fn invalidate_tagged_with_all(tags: impl IntoIterator<Item: AsRef<str>>)
        => Invalidation::AllTags(marks(tags));

    /// Forgets every entry with a readable key (`key = "..."`) that a glob matches.
    ///
    /// `*` stands for any run of characters, `?` for one, and a backslash takes the special meaning
    /// from the character behind it. Values stand in readable keys as `escape` writes them.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Pattern` if the glob ends in a lone backslash; nothing is forgotten then.
    fn invalidate_pattern(pattern: impl AsRef<str>)
        => Invalidation::Matching(Pattern::parse(pattern.as_ref())?);

    /// Forgets all that one function cached, by the name `stats` shows for it.
    ///
    /// # Errors
    ///
    /// None while all tiers are in this process.
    fn invalidate_function(name: impl AsRef<str>)
        => Invalidation::Function(name.as_ref().to_owned());

    /// Forgets everything.
    ///
    /// # Errors
    ///
    /// None while all tiers are in this process.
    fn invalidate_all() => Invalidation::Everything;
}

/// Makes the computation that calls this depend on a tag. Outside of any computation it does
/// nothing.
///
/// ```
/// # use cache_runtime as larder;
/// larder::tag("order:7");
/// ```
pub fn tag(tag: impl AsRef<str>) {
    if let Some(frame) = context::frame() {
        frame.tag(Mark::tag(tag.as_ref()));
    }
}
