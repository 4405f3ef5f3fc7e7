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

/// One invalidation, by what it names.
pub(crate) enum Invalidation {
    AnyTag(Vec<Mark>),
    AllTags(Vec<Mark>),
    Matching(Pattern),
    Function(String),
    Everything,
}

fn marks(tags: impl IntoIterator<Item: AsRef<str>>) -> Vec<Mark> {
    tags.into_iter().map(|tag| Mark::tag(tag.as_ref())).collect()
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
            Self::Function(name) => {
                // By the name of the instantiation called first, as statistics show it, all are meant.
                let sites = Site::all();
                let is_shown = |site: usize| sites.get(site).is_some_and(|it| it.name() == name);
                let marks = runtime.marks_of(|site, known| known == name || is_shown(site));
                // Other processes may know it even if this one does not.
                let marks = marks.into_iter().chain(runtime::named_beyond(&name)).collect();
                (&counts.functions, Target::Any(marks))
            }
            Self::Everything => (&counts.everything, Target::Everything),
        };
        count.add(1);
        runtime.record(&target, &target).await
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
            use super::{Error, Invalidation, Mark, Pattern, context, marks, sync};

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
    fn invalidate_tag(tag: impl AsRef<str>) => Invalidation::AnyTag(vec![Mark::tag(tag.as_ref())]);

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
