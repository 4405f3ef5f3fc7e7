//! The list of those invalidations that name no single mark, as a server keeps it.
//!
//! A value knows the place in the list at which its computation began: what was added later decides
//! whether it is valid. Where the list does not reach back that far, or is another, it is not.

use super::planted::{self, Bug};
use super::server::Bytes;
use super::wire;
use crate::captured::{LedgerAt, Version};
use crate::entry::About;
use crate::sync::Mutex;
use crate::target::Target;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The list of the ledger, as it was read last.
#[derive(Default)]
pub(super) struct Ledger {
    /// What stood in its key when that was read last, and what that means.
    head: Mutex<Option<(Bytes, LedgerAt)>>,
    recent: Mutex<Option<(LedgerAt, Recent)>>,
    /// Under which epoch it stood when it was read last, since everything was forgotten.
    epoch: Mutex<Option<Version>>,
    /// How many entries it had when it was read last.
    entries: AtomicU64,
}

impl Ledger {
    /// Takes note that everything has been forgotten.
    pub(super) fn forget(&self) {
        *self.epoch.lock() = None;
    }

    /// How many entries it had, and how many bytes these had when they were last read.
    pub(super) fn size(&self) -> (u64, u64) {
        let recent = self.recent.lock();
        let entries = recent.iter().flat_map(|(_, entries)| &**entries);
        let bytes = entries.map(Vec::len).sum::<usize>();
        (self.entries.load(Relaxed), bytes as u64)
    }

    /// Where it stands, by what is in its key.
    pub(super) fn at(&self, head: &Bytes) -> Option<LedgerAt> {
        let mut last = self.head.lock();
        if let Some((bytes, at)) = &*last
            && bytes == head
        {
            return Some(*at);
        }
        let at = self::head(head)?;
        *last = Some((head.clone(), at));
        Some(at)
    }

    /// Whether it is the one that was read last, as far as is known.
    pub(super) fn is_same(&self, now: Option<LedgerAt>) -> bool {
        let entries = now.map_or(0, |it| it.position.min(wire::RECENT as u64));
        self.entries.store(entries, Relaxed);
        let now = now.map(|it| it.epoch);
        let before = std::mem::replace(&mut *self.epoch.lock(), now);
        before.is_none() || before == now
    }

    /// The list that goes with a place in it, if it is known.
    pub(super) fn list_at(&self, now: LedgerAt) -> Option<Recent> {
        let recent = self.recent.lock();
        recent.as_ref().filter(|(at, _)| *at == now).map(|(_, recent)| Arc::clone(recent))
    }

    pub(super) fn keep(&self, now: LedgerAt, recent: Vec<Vec<u8>>) -> Recent {
        let recent = Arc::new(recent);
        *self.recent.lock() = Some((now, Arc::clone(&recent)));
        recent
    }
}

/// The last entries.
pub(super) type Recent = Arc<Vec<Vec<u8>>>;

/// The longest entry. What is longer becomes an invalidation of everything.
const LONGEST: usize = 4_096;

/// What goes into the list. Nothing if it is not for the list: single marks, or everything.
pub(super) fn entry(target: &Target) -> Option<Vec<u8>> {
    match target {
        Target::All(_) | Target::Matching(_) => {
            Some(target.bytes()).filter(|bytes| bytes.len() <= LONGEST)
        }
        Target::Any(_) | Target::Everything => None,
    }
}

/// Where the list stands, mixed with the run of the server that says so.
pub(super) fn head(found: &Bytes) -> Option<LedgerAt> {
    let (epoch, position) = std::str::from_utf8(&found.bytes).ok()?.split_once(':')?;
    if epoch.len() != 32 {
        return None;
    }
    let epoch = u128::from_str_radix(epoch, 16).ok()? ^ u128::from_be_bytes(found.run);
    Some(LedgerAt { epoch: Version(epoch.to_be_bytes()), position: position.parse().ok()? })
}

/// What was added after `since`, up to `now`. Nothing if that can't be told.
fn later(recent: &[Vec<u8>], since: u64, now: u64) -> Option<Vec<Target>> {
    // A list that does not reach as far as it did is not the one it was.
    let mut next = since.checked_add(1).filter(|_| since <= now)?;
    let mut later = Vec::new();
    for entry in recent {
        let (position, target) = parse(entry)?;
        if position < next {
            continue;
        }
        // Each follows the one before, or something is missing.
        if position != next {
            return None;
        }
        later.push(target);
        next = next.saturating_add(1);
    }
    (next > now).then_some(later)
}

/// Whether nothing that was added after `since`, up to `now`, holds for a value.
pub(super) fn is_silent_on(recent: &[Vec<u8>], since: u64, now: u64, about: &About) -> bool {
    let later = later(recent, since, now);
    let is_missing = later.is_none() && !planted::is(Bug::LedgerGapIsSilence);
    !is_missing && !later.iter().flatten().any(|target| target.holds_for(about))
}

fn parse(entry: &[u8]) -> Option<(u64, Target)> {
    let colon = entry.iter().position(|it| *it == b':')?;
    let position = std::str::from_utf8(&entry[..colon]).ok()?.parse().ok()?;
    Some((position, Target::parse(&entry[colon + 1..])?))
}

#[cfg(test)]
mod tests {
    use super::{entry, head, is_silent_on};
    use crate::clock::Moment;
    use crate::entry::{About, Marks};
    use crate::mark::Mark;
    use crate::pattern::Pattern;
    use crate::target::Target;
    use crate::tier::redis::server::Bytes;

    fn listed(position: u64, target: &Target) -> Vec<u8> {
        let mut text = format!("{position}:").into_bytes();
        text.extend(entry(target).unwrap());
        text
    }

    fn about() -> About {
        let marks = Marks::from_slice(&[Mark::tag("a"), Mark::tag("b")]);
        About::of_bypassed(marks, Some("context:7".into()), Moment::NEVER)
    }

    #[test]
    fn what_came_later_and_holds_for_a_value_speaks_of_it() {
        let both = Target::All(vec![Mark::tag("a"), Mark::tag("b")]);
        let other = Target::All(vec![Mark::tag("a"), Mark::tag("c")]);
        let pattern = Target::Matching(Pattern::parse("context:*").unwrap());
        let about = about();
        assert!(is_silent_on(&[listed(8, &other)], 7, 8, &about));
        assert!(!is_silent_on(&[listed(8, &other), listed(9, &both)], 7, 9, &about));
        assert!(!is_silent_on(&[listed(8, &pattern)], 7, 8, &about));
        assert!(is_silent_on(&[listed(8, &pattern)], 8, 8, &about));
    }

    #[test]
    fn a_list_with_something_missing_is_not_silent() {
        let other = Target::All(vec![Mark::tag("c")]);
        let about = about();
        assert!(!is_silent_on(&[], 7, 8, &about));
        assert!(!is_silent_on(&[listed(9, &other)], 7, 9, &about));
        assert!(!is_silent_on(&[listed(8, &other), listed(10, &other)], 7, 10, &about));
        assert!(!is_silent_on(&[b"8:?".to_vec()], 7, 8, &about));
    }

    #[test]
    fn a_head_is_told_from_what_is_none() {
        let found = |text: &str| Bytes { bytes: text.as_bytes().into(), run: [1; 16] };
        let at = head(&found("000102030405060708090a0b0c0d0e0f:12")).unwrap();
        assert_eq!(at.position, 12);
        assert_eq!(at.epoch.0[..3], [1, 0, 3]);
        for text in ["", "12", "00:1", "000102030405060708090a0b0c0d0e0f:-1"] {
            assert_eq!(head(&found(text)), None, "{text}");
        }
    }
}
