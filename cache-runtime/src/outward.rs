//! What a value depends on, in names that mean the same in every process, and how these stand in an
//! envelope.
//!
//! A function that is kept in memory alone knows its keys by marks of this process. Beyond it the
//! mark of any of its keys stands for them: an invalidation of one reaches what was computed from
//! another as well, and none is missed.

use crate::attempts::Attempts;
#[cfg(feature = "redis")]
use crate::captured::Captured;
use crate::clock::Moment;
use crate::codec::envelope::{Damage, Envelope, Group, Groups, Header};
use crate::entry::{About, Marks, Stamp};
use crate::mark::{Mark, MarkHasher};
use crate::renewal::Renewal;
use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

type Names = HashSet<Mark, BuildHasherDefault<MarkHasher>>;

/// What is known of a value, in names that leave the process. Flat: all marks are its own, and only
/// readable keys are inherited.
pub(crate) fn outward(about: &About) -> About {
    let mut names = Names::default();
    about.any(&mut |some| {
        names.extend(marks(&some.marks, some.stand_in.as_ref()));
        false
    });
    let readable = |some: &Arc<About>| some.readable.clone();
    About {
        marks: names.into_iter().collect(),
        stand_in: None,
        since: about.since,
        began: about.began,
        readable: about.readable.clone(),
        captured: about.captured.clone(),
        files: about.files.clone(),
        inherited: about.inherited.iter().filter_map(readable).map(named).collect(),
        unbounded: about.unbounded,
        born: about.born,
        weight: about.weight,
        renewal: Renewal::default(),
        attempts: Attempts::default(),
    }
}

/// The own marks of one value, given what stands for the first two of them, if anything does.
pub(crate) fn marks(own: &[Mark], stand_in: Option<&Arc<[Mark; 2]>>) -> Marks {
    let (stand_in, own) = match stand_in {
        Some(stand_in) => (&stand_in[..], own.get(2..).unwrap_or_default()),
        None => (&[][..], own),
    };
    stand_in.iter().chain(own).copied().collect()
}

/// What a value is valid under, given the versions captured before it was computed. Nothing if it
/// depends on something else, or was made of what contradicts them.
#[cfg(feature = "redis")]
pub(crate) fn vouched(mut captured: Captured, about: &About, outward: &About) -> Option<Captured> {
    let mut inherited = about.inherited.iter().filter_map(|it| it.captured.as_deref());
    let agree = inherited.all(|it| captured.join(it));
    let is_known = agree && outward.marks.iter().all(|mark| captured.get(*mark).is_some());
    captured.keep(|mark| outward.marks.contains(&mark));
    is_known.then_some(captured)
}

/// What depends on nothing but has a readable key.
fn named(readable: Box<str>) -> Arc<About> {
    Arc::new(About::of_bypassed(Marks::new(), Some(readable), Moment::NEVER))
}

/// What an envelope says of its value: of names, all that a judge of it needs.
pub(crate) fn about(header: &Header, names: Groups<'_>) -> About {
    let mut marks = Marks::new();
    let mut readables = Vec::new();
    for group in names {
        marks.extend(group.marks.map(Mark::from_words));
        readables.push(group.readable.map(Box::<str>::from));
    }
    let mut readables = readables.into_iter();
    let readable = readables.next().flatten();
    About {
        marks,
        stand_in: None,
        since: Stamp::default(),
        began: 0,
        readable,
        captured: None,
        files: None,
        inherited: readables.flatten().map(named).collect(),
        unbounded: false,
        born: Moment::NEVER,
        weight: header.weight,
        renewal: Renewal::default(),
        attempts: Attempts::default(),
    }
}

/// The bytes of an entry, which end in what is said of its files, its key, its payload and its versions.
pub(crate) fn envelope(
    header: Header,
    about: &About,
    [files, key, payload, versions]: [&[u8]; 4],
) -> Result<Vec<u8>, Damage> {
    let own = std::iter::once((&about.marks[..], about.readable.as_deref()));
    let inherited = about.inherited.iter().map(|it| (&it.marks[..], it.readable.as_deref()));
    let names = own
        .chain(inherited)
        .map(|(marks, readable)| Group { marks: marks.iter().map(|mark| mark.words()), readable });
    Envelope { header, names, files, key, payload, versions }.write()
}
