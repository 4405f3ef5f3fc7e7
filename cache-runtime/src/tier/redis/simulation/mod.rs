//! The protocol of the tier under a simulation: schedules of calls and invalidations, processes and
//! servers that fail, in a time that passes only there.
//!
//! What is tested is real: everything of the tier but its connections, under the versions of real
//! processes. A server, the lines to it, what the processes of a machine share, and what the layers
//! above do with the tier are models, in [`host`], [`link`], [`machine`] and [`work`]. [`oracle`] says
//! what is bad.
//!
//! A schedule is made of its seed. To run one again, or millions:
//!
//! ```text
//! LARDER_SEED=7 LARDER_SCHEDULES=1 cargo test -p cache-runtime --features redis --lib simulation::no_
//! LARDER_SCHEDULES=5000000 cargo test --release -p cache-runtime --features redis --lib simulation::no_
//! ```
//!
//! Each planted fault must be found: a simulation that finds nothing proves nothing.

mod fate;
mod host;
mod keyspace;
mod link;
mod machine;
mod oracle;
mod process;
mod promise;
mod time;
mod values;
mod work;
mod world;

use self::values::{Call, Function};
use self::world::Mood;
use super::planted::{Bug, plant};
use fastrand::Rng;
use std::cell::RefCell;
use std::env;
use std::num::NonZero;
use std::ops::Range;
use std::thread;

/// So many schedules keep what is promised, unless told otherwise.
const SCHEDULES: u64 = 10_000;
/// In so many at most is a planted fault found.
const MOST: u64 = 20_000;

std::thread_local! {
    static RANDOM: RefCell<Option<Rng>> = const { RefCell::new(None) };
}

/// Has everything on this thread that is random come from a seed.
fn seed(seed: Option<u64>) {
    RANDOM.set(seed.map(Rng::with_seed));
}

/// What is random in a schedule, if one runs on this thread.
pub(super) fn seeded() -> Option<[u8; 16]> {
    RANDOM.with_borrow_mut(|rng| rng.as_mut().map(|rng| rng.u128(..).to_le_bytes()))
}

fn random() -> [u8; 16] {
    seeded().expect("a schedule runs")
}

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|it| it.parse().expect("a number"))
}

#[test]
fn no_schedule_serves_what_was_invalidated() {
    let first = setting("LARDER_SEED").unwrap_or(1);
    let count = setting("LARDER_SCHEDULES").unwrap_or(SCHEDULES);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let some = |own: usize| {
        let mut seeds = (first..first + count).skip(own).step_by(threads);
        seeds.find_map(|seed| world::run(seed, |_| {}).map(|fault| (seed, fault)))
    };
    let found = thread::scope(|scope| {
        let own: Vec<_> = (0..threads).map(|own| scope.spawn(move || some(own))).collect();
        own.into_iter().find_map(|it| it.join().expect("no schedule panics"))
    });
    if let Some((seed, fault)) = found {
        panic!("{fault}; to see it again: LARDER_SEED={seed} LARDER_SCHEDULES=1");
    }
}

/// Says how many schedules it took to find a planted fault, and what was found.
fn find(bug: Bug, suit: impl Fn(&mut Mood)) -> (u64, String) {
    plant(Some(bug));
    let found = (1..=MOST).find_map(|seed| world::run(seed, &suit).map(|fault| (seed, fault)));
    plant(None);
    found.unwrap_or_else(|| panic!("{bug:?} is not found in {MOST} schedules"))
}

/// One process calls, and something befalls it again and again.
fn alone(fates: Range<usize>) -> impl Fn(&mut Mood) {
    move |mood| (mood.is_lonely, mood.fates, mood.blows) = (true, fates.clone(), 3)
}

/// Most invalidations are for the ledger.
fn listed(mood: &mut Mood) {
    (mood.is_listed, mood.blows) = (true, 0);
}

/// All call what does not last.
fn short_lived(mood: &mut Mood) {
    mood.favourite = Some(Call { function: Function::Found, argument: 1 });
    (mood.is_lonely, mood.is_listed, mood.blows) = (false, false, 0);
}

macro_rules! finds {
    ($($name:ident: $bug:ident $(in $mood:expr)?,)*) => { $(
        #[test]
        fn $name() {
            let suit = |mood: &mut Mood| { let _ = &mood; $($mood(mood);)? };
            let (schedules, fault) = find(Bug::$bug, suit);
            println!("{:?} after {schedules}: {fault}", Bug::$bug);
        }
    )* };
}

finds! {
    finds_a_record_made_before_the_server_is_told: RecordedBeforeTold,
    finds_a_lease_in_the_key_of_its_value: LeaseInTheValuesKey,
    finds_a_store_without_a_lease: StoredWithoutLease,
    finds_versions_captured_at_the_store: CapturedAtStore,
    finds_a_tag_captured_when_it_is_found: CapturedWhenFound,
    finds_a_version_that_was_lent_too_late: LentTooLate,
    finds_a_near_copy_without_versions: NearCopyWithoutVersions,
    finds_a_missing_version_that_matches: MissingVersionMatches,
    finds_a_version_set_instead_of_removed: SetInsteadOfUnlink,
    finds_a_version_prolonged_each_time: ProlongedEachTime,
    finds_another_run_taken_for_the_same: RunIgnored,
    finds_a_store_that_is_not_read_back: StoredNotReadBack in alone(14..15),
    finds_a_version_created_and_not_read: CreatedNotRead in alone(10..11),
    finds_an_announcement_that_is_not_read_back: AnnouncedNotRead in listed,
    finds_an_announcement_that_is_not_recorded: AnnouncedNotRecorded in listed,
    finds_word_that_a_later_answer_overtakes: ToldThroughAQueue,
    finds_a_heartbeat_that_counts_from_its_answer: VouchedFromTheAnswer in alone(5..6),
    finds_a_reconnection_that_forgets_nothing: NothingForgotten in alone(0..5),
    finds_a_connection_up_before_it_has_forgotten: UpBeforeForgetting in alone(0..5),
    finds_a_gap_in_the_ledger_taken_for_silence: LedgerGapIsSilence in listed,
    finds_a_copy_that_outlives_its_entry: CopyOutlivesEntry in short_lived,
    finds_a_copy_that_nobody_compares: CopyNotCompared,
    finds_a_copy_that_passes_for_another_value: CopyOfAnotherValue,
    finds_a_journal_that_nobody_reads: JournalUnread,
    finds_a_journal_forgotten_before_its_delivery: JournalForgotten,
}
