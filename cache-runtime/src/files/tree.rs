//! A directory and everything in it, as one digest.
//!
//! 1. The order of what is hashed is that of the names, so one state has one digest.
//! 2. Every directory is walked once, however many links lead to it: a walk ends.
//! 3. What was recent at the moment the tree was recorded is told by its content as well. Which
//!    files those are is told by their times, so a later walk finds the same ones.

use super::content::{self, Digest};
use super::stat::{Kind, Seen, Stat, Timestamp, Trust};
use crate::hash::HashMap;
use blake3::Hasher;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// The most that is looked at, everywhere in a tree.
const MOST_ENTRIES: u32 = 100_000;

/// The most directories within each other.
const DEEPEST: u32 = 64;

/// The most links that lead from one to the next; Linux follows no more.
pub(super) const MOST_LINKS: u32 = 40;

/// What a walk found.
#[derive(Debug)]
pub(super) struct Tree {
    /// With the content of what was recent when the tree was recorded.
    pub(super) full: Digest,
    /// Without.
    pub(super) bare: Digest,
    /// Some of it is recent now.
    pub(super) recent: bool,
    /// Some of it has names elsewhere.
    pub(super) shared: bool,
}

/// Walks a directory; `None` if some of it can't be read or it is too large. `recorded` is when the
/// tree it is compared with was recorded, if some of that was recent.
pub(super) fn walk(
    path: &Path,
    stat: &Stat,
    recorded: Option<Timestamp>,
    now: Timestamp,
) -> Option<Tree> {
    let mut walk = Walk {
        recorded,
        now,
        full: Hasher::new(),
        bare: Hasher::new(),
        recent: false,
        shared: false,
        left: MOST_ENTRIES,
        walked: HashMap::default(),
    };
    walk.directory(path, stat, 0)?;
    Some(Tree {
        full: *walk.full.finalize().as_bytes(),
        bare: *walk.bare.finalize().as_bytes(),
        recent: walk.recent,
        shared: walk.shared,
    })
}

struct Walk {
    recorded: Option<Timestamp>,
    now: Timestamp,
    full: Hasher,
    bare: Hasher,
    recent: bool,
    shared: bool,
    left: u32,
    /// Directories, in the order they were met.
    walked: HashMap<(u64, u64), u64>,
}

/// What comes next in the digest.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Tag {
    Missing,
    Link,
    Endless,
    File,
    Content,
    Special,
    Directory,
    Again,
    Name,
    End,
}

impl Walk {
    fn put(&mut self, tag: Tag, bytes: &[u8]) {
        put(&mut self.full, tag, bytes);
        put(&mut self.bare, tag, bytes);
    }

    fn visit(&mut self, path: &Path, depth: u32, links: u32) -> Option<()> {
        let stat = match Seen::at(path) {
            Seen::There(stat) => stat,
            Seen::Missing => {
                self.put(Tag::Missing, &[]);
                return Some(());
            }
            Seen::Unreadable => return None,
        };
        match stat.kind {
            Kind::File => self.file(path, &stat)?,
            Kind::Special => self.put(Tag::Special, &stat.identity.bytes()),
            Kind::Directory => self.directory(path, &stat, depth)?,
            Kind::Link if links == MOST_LINKS => self.put(Tag::Endless, &[]),
            Kind::Link => {
                let target = fs::read_link(path).ok()?;
                self.put(Tag::Link, target.as_os_str().as_encoded_bytes());
                self.visit(&path.parent()?.join(target), depth, links + 1)?;
            }
        }
        Some(())
    }

    fn file(&mut self, path: &Path, stat: &Stat) -> Option<()> {
        self.put(Tag::File, &stat.identity.bytes());
        self.shared |= stat.shared;
        let trust = stat.trust(self.now);
        self.recent |= trust == Trust::Recent;
        if trust == Trust::Never {
            self.put(Tag::Content, &content::digest(path, stat)?);
        } else if self.recorded.is_some_and(|then| stat.identity.is_recent(then)) {
            put(&mut self.full, Tag::Content, &content::digest(path, stat)?);
        }
        Some(())
    }

    /// Its own times are not part of it: what they tell of is its listing, which is.
    fn directory(&mut self, path: &Path, stat: &Stat, depth: u32) -> Option<()> {
        let identity = (stat.identity.device, stat.identity.inode);
        // Files without numbers are no reason to take all directories for one.
        if identity != (0, 0) {
            let next = self.walked.len() as u64;
            if let Some(number) = self.walked.insert(identity, next) {
                self.walked.insert(identity, number);
                self.put(Tag::Again, &number.to_le_bytes());
                return Some(());
            }
        }
        if depth == DEEPEST {
            return None;
        }
        self.put(Tag::Directory, &stat.identity.place());
        for name in self.names(path)? {
            self.put(Tag::Name, name.as_encoded_bytes());
            self.visit(&path.join(name), depth + 1, 0)?;
        }
        self.put(Tag::End, &[]);
        Some(())
    }

    fn names(&mut self, path: &Path) -> Option<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path).ok()? {
            self.left = self.left.checked_sub(1)?;
            names.push(entry.ok()?.file_name());
        }
        names.sort_unstable();
        Some(names)
    }
}

fn put(hasher: &mut Hasher, tag: Tag, bytes: &[u8]) {
    hasher.update(&[tag as u8]);
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}
