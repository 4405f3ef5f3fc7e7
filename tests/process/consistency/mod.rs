//! C1 and C2: no process serves what any of them has invalidated. Three processes call and
//! invalidate at random while one is killed again and again.
//!
//! `LARDER_LONG` gives the seconds that it runs for, `LARDER_SEED` the seed.

mod functions;
mod journal;
mod oracle;
mod worker;

use crate::child::{Child, Test, folder};
use journal::Account;
use std::collections::HashMap;
use std::env;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long it runs unless said, in seconds.
const USUALLY: u64 = 20;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|it| it.parse().expect("a number"))
}

/// Three places, in each of which there is always a process.
struct Mix<'a> {
    test: &'a Test,
    directory: &'a Path,
    random: fastrand::Rng,
    names: Vec<String>,
    /// Reads from the disk that were served, and values taken from another process's computation.
    served: [u64; 2],
}

impl Mix<'_> {
    fn start(&mut self) -> Child {
        let name = format!("p{}", self.names.len());
        let role = format!("{name} {}", self.random.u64(..1 << 60));
        self.names.push(name);
        let mut child = self.test.start(&role, self.directory);
        child.expect("ready");
        child
    }

    fn end(&mut self, mut child: Child) {
        let status = child.outcome_after(|line| {
            if let Some(numbers) = line.strip_prefix("hits ") {
                let numbers = numbers.split(' ').map(|it| it.parse::<u64>().unwrap());
                self.served.iter_mut().zip(numbers).for_each(|(sum, it)| *sum += it);
            }
        });
        assert!(status.success(), "a process ended with {status}");
        assert_eq!(child.warned(), [""; 0], "a store is damaged, or can't be opened");
    }

    /// Ends a process in whatever way, and starts another.
    fn replace(&mut self, child: Child) -> Child {
        if self.random.u32(..4) == 0 {
            self.end(child);
        } else {
            assert_eq!(child.kill(), [""; 0], "a store is damaged, or can't be opened");
        }
        self.start()
    }
}

#[test]
fn no_process_serves_what_another_has_invalidated_while_processes_are_killed() {
    let Some(test) = Test::new(|inside| worker::work(&inside)) else { return };
    let seed = number("LARDER_SEED").unwrap_or_else(|| fastrand::u64(..));
    let span = Duration::from_secs(number("LARDER_LONG").unwrap_or(USUALLY));
    println!("LARDER_SEED={seed}");
    let folder = folder();
    let directory = folder.path();
    let random = fastrand::Rng::with_seed(seed);
    let mut mix = Mix { test: &test, directory, random, names: Vec::new(), served: [0; 2] };
    let mut steady = [mix.start(), mix.start()];
    let mut mortal = mix.start();
    let begun = Instant::now();
    while begun.elapsed() < span {
        let pause = mix.random.u64(20..400);
        thread::sleep(Duration::from_millis(pause));
        mortal = mix.replace(mortal);
        for child in &mut steady {
            assert!(child.ask("well?").starts_with("well?"));
        }
    }
    for child in steady.into_iter().chain([mortal]) {
        mix.end(child);
    }
    let accounts: Vec<_> = mix.names.iter().map(|name| journal::read(directory, name)).collect();
    check(&accounts, mix.served);
}

fn check(accounts: &[Account], [read, taken]: [u64; 2]) {
    let all: Vec<_> = accounts.iter().collect();
    let stale = oracle::judge(&all);
    let owners: HashMap<u64, usize> = (accounts.iter().enumerate())
        .flat_map(|(owner, account)| account.bodies.iter().map(move |body| (body.born, owner)))
        .collect();
    let (mut calls, mut invalidations, mut foreign) = (0, 0, 0);
    for (reader, account) in accounts.iter().enumerate() {
        calls += account.calls.len();
        invalidations += account.invalidations.len();
        foreign += account.calls.iter().filter(|it| owners[&it.born] != reader).count();
    }
    println!(
        "{} processes, {calls} calls, {} bodies, {invalidations} invalidations; {foreign} calls had \
         another process's value, {read} read from disk, {taken} waited for",
        accounts.len(),
        owners.len(),
    );
    assert!(stale.is_empty(), "{} stale values, as {:?}", stale.len(), stale.first());
    assert!(foreign > 100 && read > 100, "values were not shared, so nothing is proved");
}
