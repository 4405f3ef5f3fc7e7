//! What a path looked like, and whether it still does.
//!
//! 1. Two looks that are equal found the same content, the same listing, the same links; or, for
//!    special files, the same file.
//! 2. A content is told by its identity once that is settled, and by its digest until then.
//! 3. What can't be read never holds.
//!
//! It does not tell: writes through a memory map that was written to before, within one flush of
//! the kernel; a content that was replaced and put back within one tick of the file system's clock;
//! a network file system that is more than two seconds behind, or answers from its own cache.

use super::bytes::Bytes;
use super::content::{self, Digest};
use super::stat::{Identity, Kind, Seen, Stat, Timestamp, Trust};
use super::tree;
use blake3::Hasher;
use std::borrow::Cow;
use std::fs;
use std::path::Path;

/// What a path looked like at one moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fingerprint {
    /// The texts of all links on the way, if there are any.
    links: Option<Digest>,
    end: End,
}

/// What stood at the end of the links.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Missing,
    /// More links than anyone follows.
    Endless,
    Unreadable,
    /// `content` until the identity is settled.
    File {
        identity: Identity,
        content: Option<Digest>,
        shared: bool,
    },
    /// Known by its metadata alone; it is never opened.
    Special(Identity),
    /// `recorded` as long as some of it is recent.
    Directory {
        tree: Digest,
        recorded: Option<Timestamp>,
        shared: bool,
    },
}

/// Whether a path looks as it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Still {
    Yes,
    /// It does, and from now on that can be told by metadata alone: with this fingerprint.
    YesTrusted(Fingerprint),
    No,
}

impl Fingerprint {
    /// Looks at an absolute path.
    pub(crate) fn of(path: &Path) -> Self {
        Self::at(path, Timestamp::now())
    }

    /// Whether the path looks as it did.
    #[cfg(test)]
    pub(crate) fn still_holds(&self, path: &Path) -> Still {
        self.still_holds_at(path, Timestamp::now())
    }

    /// Whether the file may be changed by another name than its path. Such a change is told by the
    /// next look, but not by whoever watches the path's directory.
    #[cfg(any(test, feature = "watch"))]
    pub(super) fn may_change_unseen(&self) -> bool {
        match self.end {
            End::File { shared, .. } | End::Directory { shared, .. } => shared,
            End::Special(_) | End::Unreadable => true,
            End::Missing | End::Endless => false,
        }
    }

    /// `now` was read before this look.
    pub(super) fn at(path: &Path, now: Timestamp) -> Self {
        let (links, path, seen) = follow(path);
        let stat = match seen {
            Followed::There(stat) => stat,
            Followed::Missing => return Self { links, end: End::Missing },
            Followed::Endless => return Self { links, end: End::Endless },
            Followed::Unreadable => return Self { links, end: End::Unreadable },
        };
        let end = match stat.kind {
            Kind::File => file(&path, &stat, now),
            Kind::Directory => directory(&path, &stat, now),
            Kind::Special | Kind::Link => Some(End::Special(stat.identity)),
        };
        Self { links, end: end.unwrap_or(End::Unreadable) }
    }

    pub(super) fn still_holds_at(&self, path: &Path, now: Timestamp) -> Still {
        let (links, path, seen) = follow(path);
        if links != self.links {
            return Still::No;
        }
        let stat = match (&self.end, seen) {
            (End::Missing, Followed::Missing) | (End::Endless, Followed::Endless) => {
                return Still::Yes;
            }
            (_, Followed::There(stat)) => stat,
            _ => return Still::No,
        };
        let trusted = match (&self.end, stat.kind) {
            (End::File { identity, content, .. }, Kind::File) if *identity == stat.identity => {
                same_content(*content, &path, &stat, now)
            }
            (End::Directory { tree, recorded, .. }, Kind::Directory) => {
                same_tree(tree, *recorded, &path, &stat, now)
            }
            (End::Special(identity), Kind::Special) if *identity == stat.identity => Ok(None),
            _ => Err(Changed),
        };
        match trusted {
            Ok(None) => Still::Yes,
            Ok(Some(end)) => Still::YesTrusted(Self { links, end }),
            Err(Changed) => Still::No,
        }
    }
}

struct Changed;

/// What is the same, and how that can be told from now on if that is another way.
type Same = Result<Option<End>, Changed>;

enum Followed {
    There(Stat),
    Missing,
    Endless,
    Unreadable,
}

/// Goes where links lead, and returns their texts and the last path.
fn follow(path: &Path) -> (Option<Digest>, Cow<'_, Path>, Followed) {
    let mut path = Cow::Borrowed(path);
    let mut texts: Option<Hasher> = None;
    let mut left = tree::MOST_LINKS;
    let found = loop {
        let stat = match Seen::at(&path) {
            Seen::There(stat) => stat,
            Seen::Missing => break Followed::Missing,
            Seen::Unreadable => break Followed::Unreadable,
        };
        if stat.kind != Kind::Link {
            break Followed::There(stat);
        }
        if left == 0 {
            break Followed::Endless;
        }
        left -= 1;
        let (Ok(target), Some(parent)) = (fs::read_link(&path), path.parent()) else {
            break Followed::Unreadable;
        };
        let text = target.as_os_str().as_encoded_bytes();
        let texts = texts.get_or_insert_with(Hasher::new);
        texts.update(&(text.len() as u64).to_le_bytes()).update(text);
        path = Cow::Owned(parent.join(target));
    };
    (texts.map(|texts| *texts.finalize().as_bytes()), path, found)
}

fn file(path: &Path, stat: &Stat, now: Timestamp) -> Option<End> {
    let content = match stat.trust(now) {
        Trust::Settled => None,
        Trust::Recent | Trust::Never => Some(content::digest(path, stat)?),
    };
    Some(End::File { identity: stat.identity, content, shared: stat.shared })
}

fn directory(path: &Path, stat: &Stat, now: Timestamp) -> Option<End> {
    let found = tree::walk(path, stat, Some(now), now)?;
    let (tree, recorded) = if found.recent { (found.full, Some(now)) } else { (found.bare, None) };
    Some(End::Directory { tree, recorded, shared: found.shared })
}

/// For a file whose identity is what it was.
fn same_content(content: Option<Digest>, path: &Path, stat: &Stat, now: Timestamp) -> Same {
    let Some(content) = content else { return Ok(None) };
    if content::digest(path, stat) != Some(content) {
        return Err(Changed);
    }
    let settled = || End::File { identity: stat.identity, content: None, shared: stat.shared };
    Ok((stat.trust(now) == Trust::Settled).then(settled))
}

fn same_tree(
    tree: &Digest,
    recorded: Option<Timestamp>,
    path: &Path,
    stat: &Stat,
    now: Timestamp,
) -> Same {
    let found = tree::walk(path, stat, recorded, now).ok_or(Changed)?;
    if found.full != *tree {
        return Err(Changed);
    }
    let settled = || End::Directory { tree: found.bare, recorded: None, shared: found.shared };
    Ok((recorded.is_some() && !found.recent).then(settled))
}

const WITH_LINKS: u8 = 0x80;
const SHARED: u8 = 0x40;

impl Fingerprint {
    /// Appends the binary form, at most 117 bytes.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let shared = |shared: bool| if shared { SHARED } else { 0 };
        let tag = match &self.end {
            End::Missing => 0,
            End::Endless => 1,
            End::Unreadable => 2,
            End::File { content: None, shared: it, .. } => 3 | shared(*it),
            End::File { content: Some(_), shared: it, .. } => 4 | shared(*it),
            End::Special(_) => 5,
            End::Directory { recorded: None, shared: it, .. } => 6 | shared(*it),
            End::Directory { recorded: Some(_), shared: it, .. } => 7 | shared(*it),
        };
        out.push(tag | if self.links.is_some() { WITH_LINKS } else { 0 });
        out.extend(self.links.iter().flatten());
        match &self.end {
            End::Missing | End::Endless | End::Unreadable => {}
            End::File { identity, content, .. } => {
                out.extend(identity.bytes());
                out.extend(content.iter().flatten());
            }
            End::Special(identity) => out.extend(identity.bytes()),
            End::Directory { tree, recorded, .. } => {
                out.extend(tree);
                out.extend(recorded.map(Timestamp::bytes).iter().flatten());
            }
        }
    }

    /// Reads the binary form at the beginning of `bytes`, and returns how long it is.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut bytes = Bytes::new(bytes);
        let tag = bytes.byte()?;
        let shared = tag & SHARED != 0;
        let links = if tag & WITH_LINKS == 0 { None } else { Some(bytes.array()?) };
        let end = match (tag & !(WITH_LINKS | SHARED), shared) {
            (0, false) => End::Missing,
            (1, false) => End::Endless,
            (2, false) => End::Unreadable,
            (3, _) => End::File { identity: bytes.identity()?, content: None, shared },
            (4, _) => {
                let identity = bytes.identity()?;
                End::File { identity, content: Some(bytes.array()?), shared }
            }
            (5, false) => End::Special(bytes.identity()?),
            (6, _) => End::Directory { tree: bytes.array()?, recorded: None, shared },
            (7, _) => {
                let tree = bytes.array()?;
                End::Directory { tree, recorded: Some(bytes.timestamp()?), shared }
            }
            _ => return None,
        };
        Some((Self { links, end }, bytes.read()))
    }
}

#[cfg(all(test, unix))]
mod tests;
