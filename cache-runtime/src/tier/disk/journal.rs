//! Invalidations that wait to be delivered to other machines, kept until they are, whoever of this
//! machine's processes ends meanwhile (C5).
//!
//! 1. What was added is on the disk when that returns.
//! 2. One process changes the file at a time, and has locked the one that is in its place.
//! 3. What can't be read counts as everything.
//! 4. Each entry has a number of its own. What is delivered is forgotten by that: what it names may
//!    have been invalidated again in the meantime.
//! 5. Who adds something records it on the machine's clock before saying so. So a file that was not
//!    there after a reading of the clock need not be looked for while the clock stands there. What was
//!    added by who ended in between, and has said nothing, or by who can't reach the machine any more, is
//!    found when the file is looked for once in a while.

use super::log_file::LogFile;
use crate::target::Target;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What is longer becomes everything.
const LONGEST: u64 = 1 << 20;
/// Before each entry: its length, a checksum, and its number.
const HEAD: usize = 24;

pub(super) struct Journal {
    path: PathBuf,
    /// The word of the machine's clock that was read before no file was found last. Zero is that of no
    /// clock.
    absent_at: AtomicU64,
}

impl Journal {
    /// One in a folder that may be made later.
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join("pending"), absent_at: AtomicU64::new(0) }
    }

    /// All that waits, while the machine's clock shows this word: nothing if it can't be heard.
    pub(super) fn waiting(&self, word: Option<u64>) -> Vec<(u64, Target)> {
        if word.is_some_and(|word| word == self.absent_at.load(Ordering::Relaxed)) {
            return Vec::new();
        }
        if self.is_absent() {
            self.absent_at.store(word.unwrap_or(0), Ordering::Relaxed);
            return Vec::new();
        }
        self.targets()
    }

    /// Has the file looked for again.
    pub(super) fn look_again(&self) {
        self.absent_at.store(0, Ordering::Relaxed);
    }

    fn is_absent(&self) -> bool {
        fs::symlink_metadata(&self.path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    fn targets(&self) -> Vec<(u64, Target)> {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|file| {
            file.take(LONGEST + 1).read_to_end(&mut bytes)?;
            Ok(())
        });
        match read {
            Ok(()) => parse(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(_) => vec![(0, Target::Everything)],
        }
    }

    pub(super) fn add(&self, target: &Target) -> io::Result<()> {
        self.change(|file| {
            let entry = written(number()?, target);
            let length = file.metadata()?.len();
            if length + entry.len() as u64 > LONGEST {
                return self.replace(&[(number()?, Target::Everything)]);
            }
            if self.targets().iter().any(|(number, _)| *number == 0) {
                // What can't be read is everything: under a number, so that only that is forgotten.
                let everything = (number()?, Target::Everything);
                return self.replace(&[everything, (number()?, target.clone())]);
            }
            file.write_all_at(&entry, length)?;
            file.sync_data()
        })
    }

    /// Forgets what has been delivered.
    pub(super) fn remove(&self, numbers: &[u64]) -> io::Result<()> {
        self.change(|_| {
            let mut left = self.targets();
            left.retain(|(it, _)| !numbers.contains(it));
            if left.is_empty() {
                return fs::remove_file(&self.path);
            }
            self.replace(&left)
        })
    }

    fn change(&self, change: impl Fn(&File) -> io::Result<()>) -> io::Result<()> {
        loop {
            let Some(open) = LogFile::open(&self.path)? else {
                drop(super::kernel_lock::open(&self.path)?);
                continue;
            };
            let lock = open.lock()?;
            if open.is_in_place() {
                let changed = change(&open.file);
                drop(lock);
                return changed;
            }
        }
    }

    /// Puts another file in its place. Whoever waits for the lock of this one looks again.
    fn replace(&self, targets: &[(u64, Target)]) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut file = super::kernel_lock::open(&fresh)?;
        file.set_len(0)?;
        file.write_all(
            &targets
                .iter()
                .flat_map(|(number, target)| written(*number, target))
                .collect::<Vec<_>>(),
        )?;
        file.sync_all()?;
        fs::rename(fresh, &self.path)
    }
}

/// A number that no other entry has. Zero is that of what can't be read.
fn number() -> io::Result<u64> {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())?;
    Ok(u64::from_le_bytes(bytes).max(1))
}

fn written(number: u64, target: &Target) -> Vec<u8> {
    let bytes = target.bytes();
    let mut entry = Vec::with_capacity(HEAD + bytes.len());
    entry.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    entry.extend_from_slice(&xxh3_64_with_seed(&bytes, number).to_le_bytes());
    entry.extend_from_slice(&number.to_le_bytes());
    entry.extend_from_slice(&bytes);
    entry
}

fn parse(mut bytes: &[u8]) -> Vec<(u64, Target)> {
    let mut targets = Vec::new();
    while !bytes.is_empty() {
        let Some((target, rest)) = next(bytes) else {
            return vec![(0, Target::Everything)];
        };
        targets.push(target);
        bytes = rest;
    }
    targets
}

fn next(bytes: &[u8]) -> Option<((u64, Target), &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (checksum, rest) = rest.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (entry, rest) = rest.split_at_checked(length)?;
    let number = u64::from_le_bytes(*number);
    let is_sound = xxh3_64_with_seed(entry, number) == u64::from_le_bytes(*checksum);
    Some(((number, Target::parse(entry).filter(|_| is_sound)?), rest))
}

#[cfg(test)]
mod tests {
    use super::super::child::Folder;
    use super::Journal;
    use crate::mark::Mark;
    use crate::target::Target;
    use std::fs;

    fn tag(name: &str) -> Target {
        Target::Any(vec![Mark::tag(name)])
    }

    fn written(journal: &Journal) -> Vec<Vec<u8>> {
        journal.targets().iter().map(|(_, target)| target.bytes()).collect()
    }

    #[test]
    fn c5_what_was_added_is_there_until_it_is_delivered() {
        let folder = Folder::new();
        let [one, other] = [(); 2].map(|()| Journal::new(folder.path()));
        assert!(one.is_absent() && one.targets().is_empty());
        one.add(&tag("a")).unwrap();
        other.add(&tag("b")).unwrap();
        assert_eq!(written(&one), [tag("a").bytes(), tag("b").bytes()]);
        let first = one.targets()[0].0;
        // Once more, while it is delivered.
        one.add(&tag("a")).unwrap();
        other.remove(&[first]).unwrap();
        other.remove(&[first]).unwrap();
        assert_eq!(written(&one), [tag("b").bytes(), tag("a").bytes()]);
        one.add(&tag("c")).unwrap();
        let numbers: Vec<_> = one.targets().into_iter().map(|(number, _)| number).collect();
        one.remove(&numbers[..2]).unwrap();
        assert_eq!(written(&one), [tag("c").bytes()]);
        one.remove(&numbers[2..]).unwrap();
        assert!(other.is_absent());
    }

    #[test]
    fn c5_what_was_added_is_found_once_the_clock_has_moved() {
        let folder = Folder::new();
        let [one, other] = [(); 2].map(|()| Journal::new(folder.path()));
        assert!(one.waiting(Some(7)).is_empty() && one.waiting(None).is_empty());
        assert!(one.waiting(Some(7)).is_empty());
        other.add(&tag("a")).unwrap();
        // Whose invalidation it is has not been told yet that it waits.
        assert!(one.waiting(Some(7)).is_empty(), "the file is not looked for");
        assert_eq!([one.waiting(Some(8)).len(), one.waiting(None).len()], [1, 1]);
        assert_eq!(one.waiting(Some(8)).len(), 1, "what is there is read each time");
        other.remove(&[one.targets()[0].0]).unwrap();
        assert!(one.waiting(Some(8)).is_empty());
        other.add(&tag("b")).unwrap();
        assert!(one.waiting(Some(8)).is_empty());
        one.look_again();
        assert_eq!(one.waiting(Some(8)).len(), 1);
    }

    #[test]
    fn c5_what_is_damaged_or_too_much_is_everything() {
        let folder = Folder::new();
        let journal = Journal::new(folder.path());
        let everything = [Target::Everything.bytes()];
        journal.add(&tag("a")).unwrap();
        let path = folder.path().join("pending");
        let sound = fs::read(&path).unwrap();
        for at in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert_eq!(written(&journal), everything, "byte {at}");
        }
        fs::write(&path, &sound[..sound.len() - 1]).unwrap();
        assert_eq!(written(&journal), everything);
        fs::write(&path, vec![0; (1 << 20) - 8]).unwrap();
        journal.add(&tag("b")).unwrap();
        assert_eq!(written(&journal), everything);
    }

    #[test]
    fn c5_who_waits_for_a_file_that_is_replaced_adds_to_the_next() {
        let folder = Folder::new();
        let journal = Journal::new(folder.path());
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let journal = &journal;
                scope.spawn(move || {
                    for number in 0..20 {
                        let target = tag(&format!("{thread} {number}"));
                        journal.add(&target).unwrap();
                        let bytes = target.bytes();
                        let own = journal.targets().into_iter().find(|it| it.1.bytes() == bytes);
                        if number % 2 == 0 {
                            journal.remove(&[own.unwrap().0]).unwrap();
                        }
                    }
                });
            }
        });
        assert_eq!(journal.targets().len(), 40);
    }
}
