//! The log of invalidations that all processes of a machine share: a clock and what was recorded
//! when, in words of shared memory (V1, V2, V4).
//!
//! Definitions. A *position* counts the items ever appended. The *clock* is the position behind the
//! last invalidation; an item at position p has the stamp p + 1.
//!
//! 1. One process appends at a time, under a lock of the kernel's. Items are written before the
//!    clock moves past them, so what a killed process leaves half written is never read.
//! 2. Items before the floor are gone. It rises before they are overwritten.
//! 3. Whatever is read carries a check made of its place and of the log's incarnation: damage is
//!    told from data, and zeros are damage.
//! 4. A clock that is retired stays so, and never goes back.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// How many items there is room for.
pub(crate) const CAPACITY: u64 = 131_072;

/// Words before the first item: one page, in which each word that changes has a line of its own.
const HEADER: usize = 512;
const WORDS_PER_ITEM: usize = 4;

/// How many words a log takes.
#[expect(clippy::cast_possible_truncation, reason = "a constant far below any word size")]
pub(crate) const WORDS: usize = HEADER + WORDS_PER_ITEM * CAPACITY as usize;

/// The first eight bytes of a log.
const MAGIC: u64 = u64::from_le_bytes(*b"LARDERv1");

/// Where things stand in the header.
mod at {
    pub(super) const MAGIC: usize = 0;
    pub(super) const INCARNATION: usize = 1;
    pub(super) const BOOT: usize = 3;
    pub(super) const CHECK: usize = 4;
    pub(super) const CLOCK: usize = 32;
    pub(super) const FLOOR: usize = 64;
    pub(super) const SWEPT: usize = 96;
    pub(super) const CLEAN: usize = 128;
}

/// The bytes of the clock in the file, for whoever retires a log without mapping it.
pub(crate) const CLOCK_AT: u64 = 8 * at::CLOCK as u64;
const RETIRED: u64 = 1 << 63;
/// The clock of a log that is not to be used any more.
pub(crate) const RETIRED_CLOCK: [u8; 8] = RETIRED.to_le_bytes();

/// What tells one log from any other there ever was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Incarnation(pub(crate) [u64; 2]);

impl Incarnation {
    pub(crate) fn bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.0[0].to_le_bytes());
        bytes[8..].copy_from_slice(&self.0[1].to_le_bytes());
        bytes
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.0[0], self.0[1])
    }
}

/// A log that can't be used: of another kind, damaged, or retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unusable;

/// Why items can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// They have been dropped.
    Gone,
    Damaged,
}

/// One invalidation, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Mark([u64; 2]),
    All(Vec<[u64; 2]>),
    /// The text of a glob.
    Matching(String),
    Everything,
}

const MARK: u64 = 1;
const ALL: u64 = 2;
const MATCHING: u64 = 3;
const EVERYTHING: u64 = 4;
const REST: u64 = 5;

/// How many words' worth of a text go into one item.
const TEXT: usize = 16;

/// A log in words that may be shared.
#[derive(Clone, Copy)]
pub(crate) struct Log<'a> {
    words: &'a [AtomicU64],
    incarnation: Incarnation,
}

/// The words of a fresh log's header, as they stand in a file that is zero elsewhere.
pub(crate) fn header(incarnation: Incarnation, boot: u64) -> Vec<u8> {
    let words: Vec<AtomicU64> = (0..HEADER).map(|_| AtomicU64::new(0)).collect();
    let log = Log { words: &words, incarnation };
    log.set(at::MAGIC, MAGIC);
    log.set(at::INCARNATION, incarnation.0[0]);
    log.set(at::INCARNATION + 1, incarnation.0[1]);
    log.set_boot(boot);
    for place in [at::CLOCK, at::FLOOR, at::SWEPT, at::CLEAN] {
        log.set(place, log.sealed(place, 0));
    }
    words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect()
}

impl<'a> Log<'a> {
    /// Reads the header.
    pub(crate) fn open(words: &'a [AtomicU64]) -> Result<Self, Unusable> {
        let word = |at: usize| words[at].load(Ordering::Acquire);
        let incarnation = Incarnation([word(at::INCARNATION), word(at::INCARNATION + 1)]);
        let log = Self { words, incarnation };
        let known = log.is_known();
        let sound = |place| log.unsealed(place).is_some();
        let sound = [at::CLOCK, at::FLOOR, at::SWEPT, at::CLEAN].into_iter().all(sound);
        if known && sound { Ok(log) } else { Err(Unusable) }
    }

    fn is_known(&self) -> bool {
        let [magic, check, boot] =
            [at::MAGIC, at::CHECK, at::BOOT].map(|at| self.words[at].load(Ordering::Acquire));
        magic == MAGIC && check == self.header_check(boot)
    }

    /// Whether this is a log that was retired, and is sound but for that.
    pub(crate) fn is_retired(words: &'a [AtomicU64]) -> bool {
        let word = |at: usize| words[at].load(Ordering::Acquire);
        let incarnation = Incarnation([word(at::INCARNATION), word(at::INCARNATION + 1)]);
        let log = Self { words, incarnation };
        let clock = word(at::CLOCK);
        let sound = clock == RETIRED || log.reading(clock & !RETIRED).is_some();
        clock & RETIRED != 0 && sound && log.is_known()
    }

    /// The log of an incarnation that has been opened.
    pub(crate) fn of(words: &'a [AtomicU64], incarnation: Incarnation) -> Self {
        Self { words, incarnation }
    }

    pub(crate) fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    pub(crate) fn boot(&self) -> u64 {
        self.words[at::BOOT].load(Ordering::Relaxed)
    }

    pub(crate) fn set_boot(&self, boot: u64) {
        self.set(at::BOOT, boot);
        self.set(at::CHECK, self.header_check(boot));
    }

    /// Whether the last to use it closed it.
    pub(crate) fn is_clean(&self) -> bool {
        self.unsealed(at::CLEAN) == Some(1)
    }

    pub(crate) fn set_clean(&self, clean: bool) {
        self.set(at::CLEAN, self.sealed(at::CLEAN, u64::from(clean)));
    }

    /// The word of the clock as it stands: equal words say that nothing happened in between.
    #[inline]
    pub(crate) fn clock_word(words: &[AtomicU64]) -> u64 {
        // Acquire: meets the Release in `append`; whoever sees a clock sees the items up to it.
        words[at::CLOCK].load(Ordering::Acquire)
    }

    /// The reading that a word of the clock stands for; nothing if it is retired or damaged.
    pub(crate) fn reading(&self, word: u64) -> Option<u64> {
        self.opened(at::CLOCK, word)
    }

    pub(crate) fn clock(&self) -> Option<u64> {
        self.reading(Self::clock_word(self.words))
    }

    /// The position of the first item that is there.
    pub(crate) fn floor(&self) -> Option<u64> {
        self.unsealed(at::FLOOR)
    }

    /// The reading as of which every stored entry that is older has been found valid.
    pub(crate) fn swept(&self) -> Option<u64> {
        self.unsealed(at::SWEPT)
    }

    /// Notes that everything stored that is older than `reading` is valid as of it, and drops what
    /// was recorded before. Under the lock only.
    pub(crate) fn set_swept(&self, reading: u64) {
        if self.swept().is_some_and(|swept| swept < reading) {
            self.set(at::SWEPT, self.sealed(at::SWEPT, reading));
            self.raise_floor(reading);
        }
    }

    fn raise_floor(&self, floor: u64) {
        if self.floor().is_some_and(|it| it < floor) {
            self.set(at::FLOOR, self.sealed(at::FLOOR, floor));
            // Meets the fence in `read`: whoever sees an item that is written from here on sees the
            // new floor as well.
            fence(Ordering::Release);
        }
    }

    /// Whether so much is recorded that a sweep is due.
    pub(crate) fn is_sweep_due(&self) -> bool {
        let (Some(clock), Some(floor)) = (self.clock(), self.floor()) else { return false };
        clock.saturating_sub(floor) > CAPACITY / 2
    }

    /// Makes every reader of this log, in whatever process, drop it.
    pub(crate) fn retire(&self) {
        // Zeros are what stands in the place of a log that was let go meanwhile; in a log they are
        // damage, which every reader finds. Release: what comes after it in another log is no news to
        // who has not seen this.
        let retired = |word| (word != 0).then_some(word | RETIRED);
        let _ = self.words[at::CLOCK].fetch_update(Ordering::Release, Ordering::Relaxed, retired);
    }

    /// Records an invalidation, and moves the clock. Under the lock only.
    pub(crate) fn append(&self, items: &[Item]) -> Result<(), Unusable> {
        let word = Self::clock_word(self.words);
        let (Some(clock), Some(floor)) = (self.reading(word), self.floor()) else {
            return Err(Unusable);
        };
        let mut slots: Vec<_> = items.iter().flat_map(Item::slots).collect();
        if slots.len() as u64 > CAPACITY / 4 {
            slots = Item::Everything.slots();
        }
        let end = clock + slots.len() as u64;
        if end - floor > CAPACITY {
            // A quarter at once, so that this is seldom asked.
            self.raise_floor((end - CAPACITY + CAPACITY / 4).min(clock));
        }
        for (position, [a, b, head]) in (clock..).zip(slots) {
            let place = place(position);
            let item = [a, b, head, self.item_check(position, [a, b, head])];
            for (word, value) in self.words[place..].iter().zip(item) {
                word.store(value, Ordering::Relaxed);
            }
        }
        self.publish(word, end)
    }

    /// Moves the clock from where it was seen to an end.
    fn publish(&self, seen: u64, end: u64) -> Result<(), Unusable> {
        let sealed = self.sealed(at::CLOCK, end);
        let clock = &self.words[at::CLOCK];
        // Release: meets the Acquire in `clock_word`. Who retires a log takes no lock, and its file
        // may fail while it is written to: then the word is another one, and nobody would hear.
        let moved = clock.compare_exchange(seen, sealed, Ordering::Release, Ordering::Relaxed);
        moved.map(drop).map_err(|_| Unusable)
    }

    /// Reads the items from one position up to another.
    pub(crate) fn read(
        &self,
        from: u64,
        to: u64,
        mut each: impl FnMut(u64, Item),
    ) -> Result<(), Unread> {
        let mut position = from;
        while position < to {
            let first = self.slot(position);
            let item = first.and_then(|slot| self.item(position, slot, to));
            // Meets the one in `raise_floor`.
            fence(Ordering::Acquire);
            if self.floor().ok_or(Unread::Damaged)? > position {
                return Err(Unread::Gone);
            }
            let (length, item) = item.ok_or(Unread::Damaged)?;
            position += length;
            each(position, item);
        }
        Ok(())
    }

    /// The item that begins at a position, and how many positions it takes.
    fn item(&self, position: u64, [a, b, head]: [u64; 3], to: u64) -> Option<(u64, Item)> {
        let count = head >> 8;
        let whole = |slots: u64| (position + 1 + slots <= to).then_some(slots);
        let rest = |slots: u64| {
            (position + 1..=position + slots)
                .map(|at| self.slot(at).filter(|[.., head]| *head == REST).map(|[a, b, _]| [a, b]))
                .collect::<Option<Vec<_>>>()
        };
        match head & 0xff {
            MARK => Some((1, Item::Mark([a, b]))),
            EVERYTHING => Some((1, Item::Everything)),
            ALL => Some((1 + count, Item::All(rest(whole(count)?)?))),
            MATCHING => {
                let slots = count.div_ceil(TEXT as u64);
                let rest = rest(whole(slots)?)?;
                let mut text: Vec<u8> =
                    rest.into_iter().flatten().flat_map(u64::to_le_bytes).collect();
                text.truncate(usize::try_from(count).ok()?);
                Some((1 + slots, Item::Matching(String::from_utf8(text).ok()?)))
            }
            _ => None,
        }
    }

    /// One item's words, if they are sound.
    fn slot(&self, position: u64) -> Option<[u64; 3]> {
        let place = place(position);
        let word = |at: usize| self.words[place + at].load(Ordering::Relaxed);
        let slot = [word(0), word(1), word(2)];
        (word(3) == self.item_check(position, slot)).then_some(slot)
    }

    fn set(&self, at: usize, value: u64) {
        // Release: meets the Acquire in `clock_word` and `unsealed`.
        self.words[at].store(value, Ordering::Release);
    }

    fn unsealed(&self, at: usize) -> Option<u64> {
        // Acquire: meets the Release in `set`.
        self.opened(at, self.words[at].load(Ordering::Acquire))
    }

    /// A number of 48 bits with a check in those above them. The last bit is left to retirement.
    fn sealed(&self, at: usize, number: u64) -> u64 {
        let [one, other] = self.incarnation.0;
        let check = mix(&[one, other, at as u64, number]) >> 49;
        number | check.max(1) << 48
    }

    fn opened(&self, at: usize, word: u64) -> Option<u64> {
        let number = word & ((1 << 48) - 1);
        (self.sealed(at, number) == word).then_some(number)
    }

    fn header_check(&self, boot: u64) -> u64 {
        let [one, other] = self.incarnation.0;
        mix(&[MAGIC, one, other, boot, CAPACITY])
    }

    fn item_check(&self, position: u64, [a, b, head]: [u64; 3]) -> u64 {
        let [one, other] = self.incarnation.0;
        mix(&[one, other, position, a, b, head])
    }
}

impl Item {
    /// What it is written as.
    fn slots(&self) -> Vec<[u64; 3]> {
        let headed = |kind: u64, count: usize, rest: Vec<[u64; 2]>| {
            let head = [0, 0, kind | (count as u64) << 8];
            std::iter::once(head).chain(rest.into_iter().map(|[a, b]| [a, b, REST])).collect()
        };
        match self {
            Self::Mark([a, b]) => vec![[*a, *b, MARK]],
            Self::Everything => vec![[0, 0, EVERYTHING]],
            Self::All(marks) => headed(ALL, marks.len(), marks.clone()),
            Self::Matching(text) => {
                let word = |bytes: &[u8]| {
                    let mut word = [0; 8];
                    word[..bytes.len()].copy_from_slice(bytes);
                    u64::from_le_bytes(word)
                };
                let pairs = text.as_bytes().chunks(TEXT).map(|chunk| {
                    let (one, other) = chunk.split_at(chunk.len().min(8));
                    [word(one), word(other)]
                });
                headed(MATCHING, text.len(), pairs.collect())
            }
        }
    }
}

/// The first word of the item at a position.
fn place(position: u64) -> usize {
    let slot = usize::try_from(position % CAPACITY).expect("a place in the log");
    HEADER + WORDS_PER_ITEM * slot
}

/// Folds words into one, each bit of it depending on all of theirs. After Austin Appleby's final
/// mix of `MurmurHash3`.
pub(crate) fn mix(words: &[u64]) -> u64 {
    words.iter().fold(0x9e37_79b9_7f4a_7c15, |mixed, word| {
        let mut mixed = mixed ^ word;
        mixed = (mixed ^ mixed >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed = (mixed ^ mixed >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        (mixed ^ mixed >> 33).wrapping_add(0x9e37_79b9_7f4a_7c15)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INCARNATION: Incarnation = Incarnation([7, 11]);

    /// A log in memory.
    fn words() -> Vec<AtomicU64> {
        let bytes = header(INCARNATION, 3);
        let words = bytes.chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
        words.chain(std::iter::repeat(0)).take(WORDS).map(AtomicU64::new).collect()
    }

    fn read(log: &Log<'_>, from: u64) -> Result<Vec<Item>, Unread> {
        let mut items = Vec::new();
        log.read(from, log.clock().unwrap(), |_, item| items.push(item))?;
        Ok(items)
    }

    #[test]
    fn what_was_appended_is_read_in_its_order() {
        let words = words();
        let log = Log::open(&words).unwrap();
        let items = [
            Item::Mark([1, 2]),
            Item::Matching("context:*:support, and more of it".to_owned()),
            Item::All(vec![[3, 4], [5, 6], [7, 8]]),
            Item::Matching(String::new()),
            Item::Everything,
        ];
        for item in &items {
            log.append(std::slice::from_ref(item)).unwrap();
        }
        assert_eq!(read(&log, 0).unwrap(), items);
        assert_eq!((log.incarnation(), log.boot()), (INCARNATION, 3));
    }

    #[test]
    fn what_is_written_and_not_published_is_not_read() {
        let words = words();
        let log = Log::open(&words).unwrap();
        log.append(&[Item::Mark([1, 2])]).unwrap();
        let before = Log::clock_word(&words);
        log.append(&[Item::Mark([3, 4])]).unwrap();
        // As a process leaves it that is killed between the two.
        words[at::CLOCK].store(before, Ordering::Relaxed);
        assert_eq!(read(&log, 0).unwrap(), [Item::Mark([1, 2])]);
        log.append(&[Item::Mark([5, 6])]).unwrap();
        assert_eq!(read(&log, 0).unwrap(), [Item::Mark([1, 2]), Item::Mark([5, 6])]);
    }

    #[test]
    fn who_falls_behind_by_more_than_there_is_room_for_is_told() {
        let words = words();
        let log = Log::open(&words).unwrap();
        for n in 0..=CAPACITY {
            log.append(&[Item::Mark([n, n])]).unwrap();
        }
        assert_eq!(read(&log, 0), Err(Unread::Gone));
        let floor = log.floor().unwrap();
        assert!(floor > 0);
        assert_eq!(read(&log, floor).unwrap().len() as u64, CAPACITY + 1 - floor);
    }

    #[test]
    fn more_names_than_there_is_room_for_are_everything() {
        let words = words();
        let log = Log::open(&words).unwrap();
        log.append(&(0..CAPACITY).map(|n| Item::Mark([n, n])).collect::<Vec<_>>()).unwrap();
        assert_eq!(read(&log, 0).unwrap(), [Item::Everything]);
    }

    #[test]
    fn a_sweep_drops_what_it_was_made_at_and_never_goes_back() {
        let words = words();
        let log = Log::open(&words).unwrap();
        log.append(&[Item::Mark([1, 2]), Item::Mark([3, 4])]).unwrap();
        log.set_swept(2);
        log.set_swept(1);
        assert_eq!((log.swept(), log.floor()), (Some(2), Some(2)));
        assert_eq!(read(&log, 1), Err(Unread::Gone));
    }

    #[test]
    fn a_retired_log_has_no_clock_and_takes_nothing() {
        let words = words();
        let log = Log::open(&words).unwrap();
        log.retire();
        assert_eq!(log.clock(), None);
        assert_eq!(log.append(&[Item::Everything]), Err(Unusable));
        assert!(Log::open(&words).is_err());
    }

    #[test]
    fn a_log_that_is_retired_while_it_is_appended_to_stays_so() {
        let words = words();
        let log = Log::open(&words).unwrap();
        let seen = Log::clock_word(&words);
        assert!(!Log::is_retired(&words));
        log.retire();
        assert_eq!(log.publish(seen, 1), Err(Unusable));
        assert_eq!(log.clock(), None);
        assert!(Log::is_retired(&words));
    }

    #[test]
    fn any_word_that_is_not_as_it_was_written_is_damage() {
        let words = words();
        let log = Log::open(&words).unwrap();
        log.append(&[Item::Mark([1, 2]), Item::All(vec![[3, 4]])]).unwrap();
        let damaged = || Log::open(&words).is_err() || read(&log, 0).is_err();
        assert!(!damaged());
        let header = [0, 1, 2, 3, 4, at::CLOCK, at::FLOOR, at::SWEPT, at::CLEAN];
        for at in header.into_iter().chain(HEADER..HEADER + 3 * WORDS_PER_ITEM) {
            for change in [|_| 0, |it: u64| it ^ 1, |it: u64| it ^ 1 << 40, |it: u64| it ^ 1 << 55]
            {
                let sound = words[at].load(Ordering::Relaxed);
                words[at].store(change(sound), Ordering::Relaxed);
                assert!(change(sound) == sound || damaged(), "word {at}");
                words[at].store(sound, Ordering::Relaxed);
            }
        }
        assert!(!damaged());
    }

    #[test]
    fn zeros_are_no_log_and_none_that_was_retired() {
        let words: Vec<_> = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        assert!(Log::open(&words).is_err());
        assert_eq!(Log::of(&words, INCARNATION).clock(), None);
    }

    #[test]
    fn a_clean_close_is_noted_until_it_is_taken_back() {
        let words = words();
        let log = Log::open(&words).unwrap();
        assert!(!log.is_clean());
        log.set_clean(true);
        assert!(Log::open(&words).unwrap().is_clean());
        log.set_clean(false);
        assert!(!log.is_clean());
    }
}
