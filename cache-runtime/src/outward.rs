//! What a value depends on, in names that mean the same in every process.
//!
//! A function that is kept in memory alone knows its keys by marks of this process. Beyond it the
//! mark of any of its keys stands for them: an invalidation of one reaches what was computed from
//! another as well, and none is missed.

use crate::clock::Moment;
use crate::entry::{About, Marks};
use crate::mark::{Mark, MarkHasher};
use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

type Names = HashSet<Mark, BuildHasherDefault<MarkHasher>>;

/// What is known of a value, in names that leave the process. Flat: all marks are its own, and only
/// readable keys are inherited.
pub(crate) fn outward(about: &About) -> About {
    let mut names = Names::default();
    about.any(&mut |some| {
        names.extend(marks(some));
        false
    });
    let readable = |some: &Arc<About>| some.readable.clone();
    About {
        marks: names.into_iter().collect(),
        stand_in: None,
        since: about.since,
        readable: about.readable.clone(),
        files: about.files.clone(),
        inherited: about.inherited.iter().filter_map(readable).map(named).collect(),
        unbounded: about.unbounded,
        born: about.born,
        weight: about.weight,
    }
}

/// The own marks of one value.
fn marks(about: &About) -> impl Iterator<Item = Mark> {
    let (stand_in, own) = match &about.stand_in {
        Some(stand_in) => (&stand_in[..], about.marks.get(2..).unwrap_or_default()),
        None => (&[][..], &about.marks[..]),
    };
    stand_in.iter().chain(own).copied()
}

/// What depends on nothing but has a readable key.
pub(crate) fn named(readable: Box<str>) -> Arc<About> {
    Arc::new(About::of_bypassed(Marks::new(), Some(readable), Moment::NEVER))
}
