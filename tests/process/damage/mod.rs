//! C6 and C7: whatever becomes of the files, no process crashes, no value is wrong, none comes back
//! that was invalidated, and the cache works again by itself.
//!
//! A thousand trials, each from a seed of its own. `LARDER_SEED` gives the first one's,
//! `LARDER_TRIALS` how many there are of each kind.

mod harm;
mod party;

use crate::child::{Child, LIMIT, Test, folder};
use crate::warnings;
use crate::words::Words;
use harm::Harm;
use party::{KEYS, Party};
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::thread;
use std::time::{Duration, Instant};

const CLOSED: u64 = 600;
const OPEN: u64 = 400;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|it| it.parse().expect("a number"))
}

/// What all trials of a test share.
struct Trials<'a> {
    data: &'a Words,
    /// How often keys had to be called until one was a hit again, at most.
    attempts: u32,
    warnings: usize,
    /// The same in another process.
    warnings_elsewhere: usize,
    /// How often there had to be one.
    said: usize,
}

impl<'a> Trials<'a> {
    fn new(data: &'a Words) -> Self {
        Self { data, attempts: 0, warnings: 0, warnings_elsewhere: 0, said: 0 }
    }
}

/// One trial: parties over one folder.
struct Trial<'a, 'b> {
    trials: &'a mut Trials<'b>,
    folder: &'a Path,
    random: fastrand::Rng,
    parties: Vec<Party>,
}

impl Trial<'_, '_> {
    fn anyone(&mut self) -> &mut Party {
        let which = self.random.usize(..self.parties.len());
        &mut self.parties[which]
    }

    fn keys(&mut self) -> Vec<u64> {
        let mut keys: Vec<_> = (0..KEYS).collect();
        self.random.shuffle(&mut keys);
        keys
    }

    fn data(&self, key: u64) -> u64 {
        self.trials.data.all()[key as usize].load(SeqCst)
    }

    /// Has anyone call every key; nothing older than the data may come of it.
    fn call_all(&mut self) {
        for key in self.keys() {
            let data = self.data(key);
            self.anyone().call(key).is_of(key, data);
        }
    }

    /// The same, by each party.
    fn all_call_all(&mut self) {
        for at in 0..self.parties.len() {
            for key in self.keys() {
                let data = self.data(key);
                self.parties[at].call(key).is_of(key, data);
            }
        }
    }

    /// Changes some data, and says so.
    fn invalidate_some(&mut self) {
        for key in self.keys().into_iter().take(3) {
            self.trials.data.all()[key as usize].fetch_add(1, SeqCst);
            let begun = Instant::now();
            while !self.anyone().invalidate(key) {
                let said = || warnings::about(self.folder);
                assert!(begun.elapsed() < LIMIT, "others can't be told: {:?}", said());
                thread::park_timeout(Duration::from_millis(5));
            }
        }
    }

    /// Calls until there are hits again, for each party.
    fn recover(&mut self) {
        for at in 0..self.parties.len() {
            let key = self.random.u64(..KEYS);
            let (begun, mut attempts) = (Instant::now(), 0);
            let data = self.data(key);
            while self.parties[at].call(key).is_of(key, data).computed {
                let said = || warnings::about(self.folder);
                assert!(begun.elapsed() < LIMIT, "party {at} has no hits: {:?}", said());
                attempts += 1;
                if attempts > 2 {
                    thread::park_timeout(Duration::from_millis(2));
                }
            }
            self.trials.attempts = self.trials.attempts.max(attempts);
        }
    }

    /// What is promised after whatever happened.
    fn check(&mut self) {
        self.call_all();
        self.all_call_all();
        self.recover();
        self.invalidate_some();
        self.all_call_all();
        self.recover();
    }
}

/// Copies a folder as it stands, as if all who use it were killed at this moment.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("tests")).unwrap();
    for file in fs::read_dir(from.join("tests")).unwrap() {
        let file = file.unwrap();
        match fs::copy(file.path(), to.join("tests").join(file.file_name())) {
            Ok(_) => {}
            // Who uses the folder has removed it since it was listed.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// The seeds of all trials of a kind: the same ones unless told otherwise, so that a run that fails
/// tells of what was changed.
fn seeds(most: u64) -> impl Iterator<Item = u64> {
    let first = number("LARDER_SEED").unwrap_or(1);
    println!("LARDER_SEED={first}");
    (first..).take(number("LARDER_TRIALS").unwrap_or(most) as usize)
}

/// Damages what nobody has open, then opens it.
fn closed(trials: &mut Trials<'_>, seed: u64) -> Harm {
    let folder = folder();
    let (before, after) = (folder.path().join("before"), folder.path().join("after"));
    fs::create_dir(&before).unwrap();
    fs::create_dir(&after).unwrap();
    let random = fastrand::Rng::with_seed(seed);
    let mut trial = Trial { trials, folder: &after, random, parties: vec![Party::open(&before)] };
    trial.call_all();
    trial.invalidate_some();
    if trial.random.bool() {
        trial.call_all();
    }
    // As after a kill, or as after an end in order.
    if trial.random.bool() {
        copy(&before, &after);
        trial.parties.clear();
    } else {
        trial.parties.clear();
        copy(&before, &after);
    }
    let harm = Harm::random(&mut trial.random, &after.join("tests"));
    let must_be_said = harm.must_be_said();
    harm.be_done();
    trial.parties = vec![Party::open(&after)];
    trial.check();
    trial.parties.clear();
    let warnings = warnings::about(&after);
    assert!(warnings.len() <= 1, "more than once, of {harm:?}: {warnings:?}");
    assert!(!must_be_said || warnings.len() == 1, "nothing was said of {harm:?}");
    trials.warnings += warnings.len();
    harm
}

/// Damages what two runtimes of this process and another process have open.
fn open(trials: &mut Trials<'_>, other: &mut Option<Child>, seed: u64) -> Harm {
    let folder = folder();
    let random = fastrand::Rng::with_seed(seed);
    let here = [(); 2].map(|()| Party::open(folder.path()));
    let there = Party::open_in(other.take().expect("it has been given back"), folder.path());
    let parties = here.into_iter().chain([there]).collect();
    let mut trial = Trial { trials, folder: folder.path(), random, parties };
    trial.all_call_all();
    trial.invalidate_some();
    if trial.random.bool() {
        trial.call_all();
    }
    let harm = Harm::random(&mut trial.random, &folder.path().join("tests"));
    let must_be_said = harm.must_be_said();
    if trial.random.bool() {
        harm.be_done();
    } else {
        do_amid_calls(&mut trial, &harm);
    }
    trial.check();
    let Some(Party::There(mut child)) = trial.parties.pop() else { panic!("it came last") };
    child.ask("close");
    let there = child.warned_about(folder.path());
    *other = Some(child);
    trial.parties.clear();
    let warnings = warnings::about(folder.path());
    assert!(warnings.len() <= 2, "more than once each, of {harm:?}: {warnings:?}");
    assert!(there.len() <= 1, "more than once elsewhere, of {harm:?}: {there:?}");
    let said = warnings.len() + there.len();
    assert!(!must_be_said || said > 0, "nothing was said of {harm:?}");
    trials.said += usize::from(must_be_said);
    trials.warnings += warnings.len();
    trials.warnings_elsewhere += there.len();
    harm
}

/// Does harm while both runtimes are called.
fn do_amid_calls(trial: &mut Trial<'_, '_>, harm: &Harm) {
    let data: Vec<_> = (0..KEYS).map(|key| trial.data(key)).collect();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for party in &mut trial.parties[..2] {
            let (data, over) = (&data, &over);
            scope.spawn(move || {
                while !over.load(Relaxed) {
                    for key in 0..KEYS {
                        party.call(key).is_of(key, data[key as usize]);
                    }
                }
            });
        }
        thread::yield_now();
        harm.be_done();
        thread::yield_now();
        over.store(true, Relaxed);
    });
}

/// Runs trials, and says which one it was if one fails.
fn run(seeds: impl Iterator<Item = u64>, mut trial: impl FnMut(u64) -> Harm) {
    let begun = Instant::now();
    let mut count = 0;
    for seed in seeds {
        let doing = Doing(seed);
        let harm = trial(seed);
        std::mem::forget(doing);
        drop(harm);
        count += 1;
    }
    println!("{count} trials took {:.1?}", begun.elapsed());
}

/// Says which trial failed.
struct Doing(u64);

impl Drop for Doing {
    fn drop(&mut self) {
        eprintln!("it was the trial of LARDER_SEED={} LARDER_TRIALS=1", self.0);
    }
}

#[test]
fn what_is_damaged_while_nobody_has_it_open_is_replaced() {
    let Some(_) = Test::new(|_| ()) else { return };
    let folder = folder();
    let data = party::share(&folder.path().join("data"), party::CLOSED);
    let mut trials = Trials::new(&data);
    run(seeds(CLOSED), |seed| party::in_world(party::CLOSED, || closed(&mut trials, seed)));
    println!("{} warnings, at most {} attempts", trials.warnings, trials.attempts);
    assert!(trials.warnings > 0 || number("LARDER_TRIALS").is_some());
}

#[test]
fn what_is_damaged_while_it_is_in_use_is_replaced() {
    let Some(test) = Test::new(|inside| party::serve(&inside)) else { return };
    let folder = folder();
    let path: PathBuf = folder.path().join("data");
    let data = party::share(&path, party::OPEN);
    let mut other = Some(test.start("other", &path));
    let mut trials = Trials::new(&data);
    run(seeds(OPEN), |seed| party::in_world(party::OPEN, || open(&mut trials, &mut other, seed)));
    let Trials { attempts, warnings, warnings_elsewhere, said, .. } = trials;
    println!(
        "{warnings} warnings here, {warnings_elsewhere} elsewhere, at most {attempts} attempts"
    );
    assert!(said > 0 && warnings_elsewhere > 0 || number("LARDER_TRIALS").is_some());
    other.expect("it has been given back").end();
}
