//! This process's ear for the invalidations of all processes of the machine, and its voice (V4).
//!
//! It owns the mapped log and a copy of its records. It does not know what is kept in memory: who
//! catches up says what is to be done about what was heard.
//!
//! 1. `seen` is a word of the clock up to which everything has been heard and acted upon.
//! 2. Whatever can't be heard for sure is heard as `Lost`: nothing that other processes could have
//!    invalidated may be served from before it.
//! 3. Before anything is recorded, the log is looked for where other processes would look for it.
//! 4. A log that is given up is retired first, so that every process that still maps it gives it up.

use super::log::{self, Incarnation, Item, Log, Unread, Unusable};
use super::shared::Shared;
use crate::entry::{About, Stamp};
use crate::mark::Mark;
use crate::pattern::Pattern;
use crate::records::{Records, Target};
use crate::sync::{Mutex, RwLock};
use rustix::fs::{FallocateFlags, FlockOperation};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Marks told at once: as many as word of one invalidation can be left of.
const TOLD_AT_ONCE: usize = 4;

/// A reading of the machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MachineStamp {
    pub(crate) incarnation: Incarnation,
    pub(crate) at: Stamp,
}

/// What a process hears when it catches up.
pub(crate) enum Heard<'a> {
    Invalidated(&'a Target),
    /// There may have been anything.
    Lost,
}

pub(crate) struct Machine {
    shared: Shared,
    seen: AtomicU64,
    ear: Mutex<Option<Ear>>,
    known: RwLock<Option<Known>>,
    /// One thread at a time; the kernel's lock keeps other processes away.
    voice: Mutex<()>,
    /// Whether damage has been said since a log was last attached.
    warned: AtomicBool,
    /// The incarnation that this process gave up last.
    given_up: Mutex<Option<Incarnation>>,
}

/// The log this process listens to.
struct Ear {
    file: Arc<LogFile>,
    incarnation: Incarnation,
    /// Everything before this position has been heard.
    heard: u64,
}

struct LogFile {
    file: File,
    path: PathBuf,
    /// Device and number of the file.
    identity: (u64, u64),
}

/// What stands in the place of a log.
enum Found {
    Log(Attached),
    /// Nothing, or a log that can't be used any more through no fault.
    Nothing,
    Damaged,
}

/// A log that has been mapped.
struct Attached {
    ear: Ear,
    known: Known,
    /// Of the clock, as far as it is known.
    word: u64,
}

/// What was recorded, as far as it has been heard.
struct Known {
    incarnation: Incarnation,
    records: Records,
}

impl Machine {
    /// One that is not attached to any log.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            shared: Shared::new(log::WORDS)?,
            seen: AtomicU64::new(0),
            ear: Mutex::new(None),
            known: RwLock::new(None),
            voice: Mutex::new(()),
            warned: AtomicBool::new(false),
            given_up: Mutex::new(None),
        })
    }

    /// Whether there is something to catch up with. A load and a comparison.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        // Acquire: meets the Release in `catch_up`; who sees a word as seen sees what came of it.
        Log::clock_word(self.shared.words()) != self.seen.load(Ordering::Acquire)
    }

    /// Hears everything that has been recorded, and tells it. Once this returns, everything whose
    /// invalidation had returned before has been told, by this thread or another.
    pub(crate) fn catch_up(&self, mut tell: impl FnMut(Heard<'_>)) {
        let mut place = self.ear.lock();
        let word = Log::clock_word(self.shared.words());
        if word == self.seen.load(Ordering::Relaxed) {
            return;
        }
        let heard = place.as_mut().map(|ear| self.hear(ear, word, &mut tell));
        if let Some(Ok(())) = heard {
            self.seen.store(word, Ordering::Release);
            return;
        }
        if let Some(ear) = place.as_ref().filter(|_| !Log::is_retired(self.shared.words())) {
            self.warn_of(&ear.file.path);
        }
        self.give_up(&mut place, tell);
    }

    fn hear(
        &self,
        ear: &mut Ear,
        word: u64,
        tell: &mut impl FnMut(Heard<'_>),
    ) -> Result<(), Unusable> {
        let log = Log::of(self.shared.words(), ear.incarnation);
        let clock = log.reading(word).filter(|clock| *clock >= ear.heard).ok_or(Unusable)?;
        let mut known = self.known.write();
        let known = known.as_mut().ok_or(Unusable)?;
        let mut marks = Vec::new();
        let read = log.read(ear.heard, clock, |position, item| {
            let target = target(item);
            known.records.write(&target, Stamp(position));
            match target {
                Target::Any(mark) if marks.len() < TOLD_AT_ONCE => marks.extend(mark),
                Target::Any(mark) => {
                    tell(Heard::Invalidated(&Target::Any(std::mem::replace(&mut marks, mark))));
                }
                other => tell(Heard::Invalidated(&other)),
            }
        });
        match read {
            Ok(()) if marks.is_empty() => {}
            Ok(()) => tell(Heard::Invalidated(&Target::Any(marks))),
            Err(Unread::Gone) => {
                tell(Heard::Lost);
                *known = Known::from(&log, clock).ok_or(Unusable)?;
            }
            Err(Unread::Damaged) => return Err(Unusable),
        }
        ear.heard = clock;
        Ok(())
    }

    /// Retires the log and lets it go.
    fn give_up(&self, place: &mut Option<Ear>, tell: impl FnOnce(Heard<'_>)) {
        if let Some(ear) = place.take() {
            Log::of(self.shared.words(), ear.incarnation).retire();
            *self.given_up.lock() = Some(ear.incarnation);
        }
        self.let_go(tell);
    }

    fn let_go(&self, tell: impl FnOnce(Heard<'_>)) {
        *self.known.write() = None;
        // Memory that can't be let go is retired all the same.
        let _ = self.shared.detach();
        tell(Heard::Lost);
        // Not before it is told: another process may record in a new log what is served here still.
        self.seen.store(Log::clock_word(self.shared.words()), Ordering::Release);
    }

    /// Gives the log of an incarnation up in every process: something that belongs to it is damaged or
    /// gone. Does nothing if this process has another by now.
    pub(crate) fn retire(&self, incarnation: Incarnation, tell: impl FnOnce(Heard<'_>)) {
        let mut place = self.ear.lock();
        if place.as_ref().is_some_and(|ear| ear.incarnation == incarnation) {
            self.give_up(&mut place, tell);
        }
    }

    /// Attaches to the log in a directory, or to a new one if there is none that can be used. One
    /// process at a time: the caller has the directory to itself.
    pub(crate) fn attach(&self, directory: &Path) -> io::Result<Incarnation> {
        let mut place = self.ear.lock();
        let path = directory.join("versions");
        let boot = boot()?;
        let mut found = self.reuse(&path, boot)?;
        if let Found::Damaged = found {
            self.warn_of(&path);
        }
        if !matches!(found, Found::Log(_)) {
            retire_file(&path)?;
            make(&path, boot)?;
            found = self.reuse(&path, boot)?;
        }
        let Found::Log(attached) = found else {
            return Err(io::Error::other(
                "the log of invalidations is damaged as soon as it is made",
            ));
        };
        self.warned.store(false, Ordering::Relaxed);
        let Attached { ear, known, word } = attached;
        let incarnation = ear.incarnation;
        *self.known.write() = Some(known);
        *place = Some(ear);
        self.seen.store(word, Ordering::Release);
        Ok(incarnation)
    }

    /// Maps a log that is there, if it can be used. An error if that can't be told, as others may be
    /// using it.
    fn reuse(&self, path: &Path, boot: u64) -> io::Result<Found> {
        let Some(file) = LogFile::open(path)? else { return Ok(Found::Nothing) };
        if file.file.metadata()?.len() != 8 * log::WORDS as u64 {
            return Ok(Found::Damaged);
        }
        self.shared.attach(&file.file)?;
        if Log::is_retired(self.shared.words()) {
            return Ok(Found::Nothing);
        }
        let Ok(log) = Log::open(self.shared.words()) else { return Ok(Found::Damaged) };
        if *self.given_up.lock() == Some(log.incarnation()) {
            // That one has been retired: this is a copy of it, and lacks what was recorded since.
            return Ok(Found::Damaged);
        }
        let from_this_boot = log.boot() == boot;
        if !from_this_boot && !log.is_clean() {
            // What was recorded last may not have reached the disk.
            return Ok(Found::Nothing);
        }
        if log.is_clean() || !from_this_boot {
            log.set_boot(boot);
            log.set_clean(false);
            self.shared.sync()?;
        }
        let word = Log::clock_word(self.shared.words());
        let attached = log.reading(word).and_then(|clock| {
            let known = Known::from(&log, clock)?;
            let ear = Ear { file: Arc::new(file), incarnation: log.incarnation(), heard: clock };
            Some(Attached { ear, known, word })
        });
        Ok(attached.map_or(Found::Damaged, Found::Log))
    }

    fn warn_of(&self, path: &Path) {
        // Who has heard damage, and finds it again as the log is opened anew, has said so.
        if !self.warned.swap(true, Ordering::Relaxed) {
            ::log::warn!(
                "the log of invalidations {} is damaged, so it is replaced and everything in the \
                 disk tier is computed again",
                path.display()
            );
        }
    }

    /// Records invalidations where every process hears of them. An error if there is no log, or none
    /// where others would look for it; it is given up then.
    pub(crate) fn record(&self, items: &[Item]) -> Result<(), Unusable> {
        let _turn = self.voice.lock();
        let (file, incarnation) = {
            let place = self.ear.lock();
            let ear = place.as_ref().ok_or(Unusable)?;
            (Arc::clone(&ear.file), ear.incarnation)
        };
        let log = Log::of(self.shared.words(), incarnation);
        let _lock = file.lock().map_err(|_| Unusable)?;
        if !file.is_in_place() {
            log.retire();
            return Err(Unusable);
        }
        if log.is_clean() {
            log.set_clean(false);
            self.shared.sync().map_err(|_| Unusable)?;
        }
        // What can't be appended to for damage can't be heard for long either.
        log.append(items).inspect_err(|_| log.retire())
    }

    /// The clock, as far as this process has heard. Nothing if it hears nothing.
    pub(crate) fn now(&self) -> Option<MachineStamp> {
        let place = self.ear.lock();
        place
            .as_ref()
            .map(|ear| MachineStamp { incarnation: ear.incarnation, at: Stamp(ear.heard) })
    }

    /// Whether there is a log to be heard. Where there is none, there are zeros.
    pub(crate) fn is_attached(&self) -> bool {
        Log::clock_word(self.shared.words()) != 0
    }

    /// Lets the log go, which stays as it is for others.
    pub(crate) fn detach(&self, tell: impl FnOnce(Heard<'_>)) {
        let mut place = self.ear.lock();
        if let Some(ear) = place.take()
            && Log::is_retired(self.shared.words())
        {
            *self.given_up.lock() = Some(ear.incarnation);
        }
        self.let_go(tell);
    }

    pub(crate) fn incarnation(&self) -> Option<Incarnation> {
        self.ear.lock().as_ref().map(|ear| ear.incarnation)
    }

    /// Whether nothing that a value depends on has been recorded since its stamp.
    pub(crate) fn vouches_for(&self, about: &About, stamp: MachineStamp) -> bool {
        self.vouches(stamp, |records| records.are_silent_on(about, stamp.at))
    }

    /// The same by the names that a value depends on; `about` is asked if they don't tell.
    pub(crate) fn vouches_for_marks(
        &self,
        marks: impl Iterator<Item = Mark>,
        about: impl FnOnce() -> About,
        stamp: MachineStamp,
    ) -> bool {
        self.vouches(stamp, |records| records.are_silent_on_marks(marks, about, stamp.at))
    }

    fn vouches(&self, stamp: MachineStamp, are_silent: impl FnOnce(&Records) -> bool) -> bool {
        self.known.read().as_ref().is_some_and(|known| {
            known.incarnation == stamp.incarnation && are_silent(&known.records)
        })
    }

    /// The reading of the last sweep of a log. The sweep has removed what it found invalid of what is
    /// stored, so whatever is seen of it from here on is valid as if it had been stored then.
    pub(crate) fn swept(&self, incarnation: Incarnation) -> Option<Stamp> {
        let log = Log::of(self.shared.words(), incarnation);
        let swept = log.swept().or_else(|| {
            // Damaged; or it is another log by now, which has a word of its own.
            if Log::open(self.shared.words()).is_err() {
                log.retire();
            }
            None
        })?;
        Some(Stamp(swept))
    }

    /// Whether a stamp is later than the clock, which then has gone back.
    pub(crate) fn is_ahead(&self, stamp: MachineStamp) -> bool {
        let clock = Log::of(self.shared.words(), stamp.incarnation).clock();
        clock.is_some_and(|clock| stamp.at.0 > clock)
    }

    /// Gives the log up if it is not where other processes would look for it, or is damaged where
    /// nobody has looked.
    pub(crate) fn check_place(&self) {
        let place = self.ear.lock();
        let is_sound = || Log::open(self.shared.words()).is_ok();
        if let Some(ear) = &*place
            && !(ear.file.is_in_place() && is_sound())
        {
            Log::of(self.shared.words(), ear.incarnation).retire();
        }
    }

    pub(crate) fn is_sweep_due(&self) -> bool {
        let place = self.ear.lock();
        place
            .as_ref()
            .is_some_and(|ear| Log::of(self.shared.words(), ear.incarnation).is_sweep_due())
    }

    /// Notes that everything stored is valid as of a stamp that was read in a transaction of its
    /// own, and drops what was recorded before.
    pub(crate) fn note_sweep(&self, stamp: MachineStamp) {
        let _turn = self.voice.lock();
        let Some(file) = self.ear.lock().as_ref().map(|ear| Arc::clone(&ear.file)) else { return };
        if let Ok(_lock) = file.lock() {
            Log::of(self.shared.words(), stamp.incarnation).set_swept(stamp.at.0);
        }
    }

    /// Lets go of records that the log has dropped.
    pub(crate) fn tidy(&self) {
        if let Some(known) = &mut *self.known.write()
            && let Some(floor) = Log::of(self.shared.words(), known.incarnation).floor()
        {
            known.records.drop_up_to(Stamp(floor));
        }
    }

    /// Notes that everything has reached the disk. For the last process that uses the log.
    pub(crate) fn close_cleanly(&self) -> io::Result<()> {
        let _turn = self.voice.lock();
        let place = self.ear.lock();
        let Some(ear) = &*place else { return Ok(()) };
        let _lock = ear.file.lock()?;
        let log = Log::of(self.shared.words(), ear.incarnation);
        self.shared.sync()?;
        if log.clock().is_some() {
            log.set_clean(true);
            self.shared.sync()?;
        }
        Ok(())
    }
}

impl Known {
    /// Everything that a log tells, up to a reading.
    fn from(log: &Log<'_>, clock: u64) -> Option<Self> {
        loop {
            let floor = log.floor()?;
            let mut records = Records::default();
            let read = log.read(floor.min(clock), clock, |position, item| {
                records.write(&target(item), Stamp(position));
            });
            match read {
                Ok(()) => {
                    records.drop_up_to(Stamp(floor));
                    return Some(Self { incarnation: log.incarnation(), records });
                }
                // The floor has risen meanwhile.
                Err(Unread::Gone) if log.floor()? > floor => {}
                Err(_) => return None,
            }
        }
    }
}

impl LogFile {
    /// Nothing if there is no file, or a link in its place.
    fn open(path: &Path) -> io::Result<Option<Self>> {
        let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let opened = OpenOptions::new().read(true).write(true).custom_flags(no_follow).open(path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if is_nothing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        let identity = (metadata.dev(), metadata.ino());
        Ok(Some(Self { file, path: path.to_owned(), identity }))
    }

    /// Whether this is the file that others find by its path.
    fn is_in_place(&self) -> bool {
        let found = fs::symlink_metadata(&self.path);
        found.is_ok_and(|found| (found.dev(), found.ino()) == self.identity)
    }

    /// Waits until no other process records anything. Released by the kernel when this one dies.
    fn lock(&self) -> io::Result<Locked<'_>> {
        rustix::io::retry_on_intr(|| rustix::fs::flock(&self.file, FlockOperation::LockExclusive))?;
        Ok(Locked(&self.file))
    }
}

struct Locked<'a>(&'a File);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Only what is no lock can't be unlocked.
        let _ = rustix::fs::flock(self.0, FlockOperation::Unlock);
    }
}

fn is_nothing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Retires what stands at a path, should some process map it.
fn retire_file(path: &Path) -> io::Result<()> {
    let Some(file) = LogFile::open(path)? else { return Ok(()) };
    let _lock = file.lock()?;
    // One that is shorter is zeros at its clock to whoever maps it.
    if file.file.metadata()?.len() >= log::CLOCK_AT + 8 {
        file.file.write_all_at(&log::RETIRED_CLOCK, log::CLOCK_AT)?;
    }
    Ok(())
}

/// Makes a log that nothing has been recorded in.
fn make(path: &Path, boot: u64) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true).mode(0o600);
    let file =
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()).open(&fresh)?;
    // Room for all of it now: later a full disk would be a fault of the memory.
    let length = 8 * log::WORDS as u64;
    let made = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, length)
        .map_err(io::Error::from)
        .and_then(|()| file.write_all_at(&log::header(incarnation()?, boot), 0))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&fresh, path));
    if made.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    made
}

fn incarnation() -> io::Result<Incarnation> {
    let mut bytes = [0; 16];
    rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())?;
    let (one, other) = bytes.split_at(8);
    let word = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("half of 16 bytes"));
    Ok(Incarnation([word(one), word(other)]))
}

/// Which start of the kernel this is: the same for all containers on it.
fn boot() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let words: Vec<_> = text.trim().bytes().map(u64::from).collect();
    Ok(log::mix(&words))
}

/// What an item of the log names. A pattern that can't be read names everything.
fn target(item: Item) -> Target {
    let marks = |marks: Vec<[u64; 2]>| marks.into_iter().map(Mark::from_words).collect();
    match item {
        Item::Mark(mark) => Target::Any(vec![Mark::from_words(mark)]),
        Item::All(all) => Target::All(marks(all)),
        Item::Matching(pattern) => {
            Pattern::parse(&pattern).map_or(Target::Everything, Target::Matching)
        }
        Item::Everything => Target::Everything,
    }
}

/// What a target is written as.
pub(crate) fn items(target: &Target) -> Vec<Item> {
    match target {
        Target::Any(marks) => marks.iter().map(|mark| Item::Mark(mark.words())).collect(),
        Target::All(marks) => vec![Item::All(marks.iter().map(|mark| mark.words()).collect())],
        Target::Matching(pattern) => vec![Item::Matching(pattern.text())],
        Target::Everything => vec![Item::Everything],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::disk::child::Folder;
    use std::os::unix::net::UnixListener;

    fn attached(folder: &Folder) -> Machine {
        let machine = Machine::new().unwrap();
        machine.attach(folder.path()).unwrap();
        machine
    }

    fn nothing(_: Heard<'_>) {}

    #[test]
    fn a_number_of_the_log_that_is_damaged_where_nobody_looks_is_found() {
        let folder = Folder::new();
        let ways: [fn(&Machine, MachineStamp); 3] = [
            |machine, _| assert!(machine.record(&[Item::Everything]).is_err()),
            |machine, stamp| assert_eq!(machine.swept(stamp.incarnation), None),
            |machine, _| machine.check_place(),
        ];
        // Wherever the numbers stand but for the clock, which is looked at all the time.
        for way in ways {
            let machine = Machine::new().unwrap();
            machine.attach(folder.path()).unwrap();
            let stamp = machine.now().unwrap();
            for word in &machine.shared.words()[64..512] {
                word.store(7, Ordering::Relaxed);
            }
            way(&machine, stamp);
            let mut lost = false;
            machine.catch_up(|heard| lost |= matches!(heard, Heard::Lost));
            assert!(lost && machine.now().is_none());
        }
    }

    #[test]
    fn a_log_that_was_let_go_meanwhile_is_not_taken_for_one_that_is_there() {
        let folder = Folder::new();
        let machine = Machine::new().unwrap();
        let incarnation = machine.attach(folder.path()).unwrap();
        // As by another thread, which found it damaged a moment ago.
        machine.retire(incarnation, |_| assert_eq!(machine.swept(incarnation), None));
        machine.catch_up(|_| ());
        assert!(!machine.is_attached(), "nobody would look for another one");
    }

    /// V1: what is remembered as heard is the clock as it was before.
    #[test]
    fn what_is_recorded_while_a_process_hears_is_heard_by_it_next() {
        let folder = Folder::new();
        let [one, other] = [Machine::new().unwrap(), Machine::new().unwrap()];
        for machine in [&one, &other] {
            machine.attach(folder.path()).unwrap();
        }
        let item = |number| Item::Mark([number, number]);
        other.record(&[item(1)]).unwrap();
        let mut heard = 0;
        one.catch_up(|_| {
            heard += 1;
            other.record(&[item(2)]).unwrap();
        });
        assert_eq!(heard, 1);
        assert!(one.has_news());
        one.catch_up(|_| heard += 1);
        assert_eq!(heard, 2);
        assert!(!one.has_news());
    }

    #[test]
    fn an_older_copy_of_the_log_in_its_place_is_not_taken_for_it() {
        let folder = Folder::new();
        let machines = [Machine::new().unwrap(), Machine::new().unwrap()];
        let first = machines[0].attach(folder.path()).unwrap();
        assert_eq!(machines[1].attach(folder.path()).unwrap(), first);
        let (log, copy) = (folder.path().join("versions"), folder.path().join("copy"));
        fs::copy(&log, &copy).unwrap();
        machines[0].record(&[Item::Everything]).unwrap();
        fs::rename(&copy, &log).unwrap();
        for machine in &machines {
            machine.check_place();
            let mut lost = false;
            machine.catch_up(|heard| lost |= matches!(heard, Heard::Lost));
            assert!(lost);
        }
        let second = machines[1].attach(folder.path()).unwrap();
        assert_ne!(second, first);
        assert_eq!(machines[0].attach(folder.path()).unwrap(), second);
    }

    #[test]
    fn a_clock_that_goes_back_is_given_up() {
        let folder = Folder::new();
        let machine = Machine::new().unwrap();
        let incarnation = machine.attach(folder.path()).unwrap();
        let log = folder.path().join("versions");
        let before = fs::read(&log).unwrap();
        machine.record(&[Item::Everything]).unwrap();
        machine.catch_up(|_| ());
        let stamp = machine.now().unwrap();
        assert!(!machine.is_ahead(stamp));
        assert!(machine.is_ahead(MachineStamp { at: Stamp(stamp.at.0 + 1), ..stamp }));
        let file = OpenOptions::new().write(true).open(&log).unwrap();
        file.write_all_at(&before, 0).unwrap();
        let mut lost = false;
        machine.catch_up(|heard| lost |= matches!(heard, Heard::Lost));
        assert!(lost);
        assert_ne!(machine.attach(folder.path()).unwrap(), incarnation);
    }

    /// A machine whose log says that it was made before the last start of the kernel.
    fn before_the_last_boot(folder: &Folder, close: impl FnOnce(&Machine)) -> Incarnation {
        let machine = Machine::new().unwrap();
        let incarnation = machine.attach(folder.path()).unwrap();
        close(&machine);
        let log = Log::of(machine.shared.words(), incarnation);
        log.set_boot(log.boot() ^ 1);
        incarnation
    }

    #[test]
    fn a_boot_without_a_clean_close_starts_cold() {
        let folder = Folder::new();
        let before = before_the_last_boot(&folder, |_| ());
        assert_ne!(Machine::new().unwrap().attach(folder.path()).unwrap(), before);
    }

    #[test]
    fn a_boot_after_a_clean_close_goes_on_and_takes_the_close_back() {
        let folder = Folder::new();
        let before = before_the_last_boot(&folder, |machine| machine.close_cleanly().unwrap());
        let machine = Machine::new().unwrap();
        assert_eq!(machine.attach(folder.path()).unwrap(), before);
        assert!(!Log::of(machine.shared.words(), before).is_clean());
    }

    #[test]
    fn what_is_recorded_after_a_clean_close_takes_it_back() {
        let folder = Folder::new();
        let before = before_the_last_boot(&folder, |machine| {
            machine.close_cleanly().unwrap();
            machine.record(&[Item::Everything]).unwrap();
        });
        assert_ne!(Machine::new().unwrap().attach(folder.path()).unwrap(), before);
    }

    #[test]
    fn nobody_is_told_that_there_is_no_news_before_a_loss_has_been_told() {
        type Way = fn(&Machine, &mut dyn FnMut());
        let folder = Folder::new();
        let ways: [Way; 3] = [
            |machine, told| machine.retire(machine.incarnation().unwrap(), |_| told()),
            |machine, told| machine.detach(|_| told()),
            |machine, told| {
                Log::of(machine.shared.words(), machine.incarnation().unwrap()).retire();
                machine.catch_up(|_| told());
            },
        ];
        for way in ways {
            let machine = attached(&folder);
            let mut count = 0;
            way(&machine, &mut || {
                assert!(machine.has_news());
                count += 1;
            });
            assert_eq!(count, 1);
            assert!(!machine.has_news());
        }
    }

    #[test]
    fn what_can_not_be_opened_is_not_taken_for_a_damaged_log() {
        let folder = Folder::new();
        let path = folder.path().join("versions");
        let _in_the_way = UnixListener::bind(&path).unwrap();
        let machine = Machine::new().unwrap();
        machine.attach(folder.path()).unwrap_err();
        assert!(path.exists());
        fs::remove_file(&path).unwrap();
        machine.attach(folder.path()).unwrap();
    }

    #[test]
    fn a_log_with_damaged_items_is_replaced_and_given_up_by_who_has_it() {
        let folder = Folder::new();
        let (one, other) = (attached(&folder), attached(&folder));
        one.record(&[Item::Everything]).unwrap();
        other.catch_up(nothing);
        let before = other.incarnation().unwrap();
        let file = OpenOptions::new().write(true).open(folder.path().join("versions")).unwrap();
        file.write_all_at(&[1; 32], 4_096).unwrap();
        let fresh = attached(&folder);
        assert_ne!(fresh.incarnation(), Some(before));
        assert!(one.has_news() && other.has_news());
        let mut lost = false;
        other.catch_up(|heard| lost |= matches!(heard, Heard::Lost));
        assert!(lost);
    }

    #[test]
    fn an_invalidation_whose_place_in_the_file_is_missing_is_not_taken_for_recorded() {
        let folder = Folder::new();
        let (one, other) = (attached(&folder), attached(&folder));
        let file = OpenOptions::new().write(true).open(folder.path().join("versions")).unwrap();
        file.set_len(4_096).unwrap();
        assert_eq!(one.record(&[Item::Everything]), Err(Unusable));
        one.catch_up(nothing);
        one.attach(folder.path()).unwrap();
        assert!(other.has_news());
    }
}
