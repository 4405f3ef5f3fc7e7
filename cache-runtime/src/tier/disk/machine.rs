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
use super::log_file::{self, LogFile};
use super::shared::Shared;
use crate::entry::{About, Stamp};
use crate::mark::Mark;
use crate::pattern::Pattern;
use crate::records::Records;
use crate::sync::{Mutex, RwLock};
use crate::target::Target;
use std::io;
use std::path::Path;
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
        let boot = log_file::boot()?;
        let mut found = self.reuse(&path, boot)?;
        if let Found::Damaged = found {
            self.warn_of(&path);
        }
        if !matches!(found, Found::Log(_)) {
            log_file::retire(&path)?;
            log_file::make(&path, boot)?;
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

    /// Records invalidations where every process hears of them. An error if there is no log, or none that
    /// can be written where others would look for it; it is given up then.
    pub(crate) fn record(&self, items: &[Item]) -> Result<(), Unusable> {
        let _turn = self.voice.lock();
        let (file, incarnation) = {
            let place = self.ear.lock();
            let ear = place.as_ref().ok_or(Unusable)?;
            (Arc::clone(&ear.file), ear.incarnation)
        };
        let log = Log::of(self.shared.words(), incarnation);
        // Nobody would hear of it: so nobody is to go on as if there were nothing to hear.
        self.append(&file, &log, items).inspect_err(|_| log.retire())
    }

    fn append(&self, file: &LogFile, log: &Log<'_>, items: &[Item]) -> Result<(), Unusable> {
        let _lock = file.lock().map_err(|_| Unusable)?;
        if !file.is_in_place() {
            return Err(Unusable);
        }
        if log.is_clean() {
            log.set_clean(false);
            self.shared.sync().map_err(|_| Unusable)?;
        }
        log.append(items)
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

    /// The word of the clock. As long as it is this one, nothing was recorded. Nothing if there is no
    /// log to be heard.
    #[cfg(feature = "redis")]
    pub(crate) fn word(&self) -> Option<u64> {
        let word = Log::clock_word(self.shared.words());
        (word != 0 && !Log::is_retired(self.shared.words())).then_some(word)
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

    /// Which of these names was recorded after a stamp, if that is known of one.
    pub(crate) fn culprit(
        &self,
        mut marks: impl Iterator<Item = Mark>,
        stamp: MachineStamp,
    ) -> Option<Mark> {
        let known = self.known.read();
        let known = known.as_ref().filter(|known| known.incarnation == stamp.incarnation)?;
        marks.find(|mark| known.records.mention(&[*mark], stamp.at))
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
mod tests;
