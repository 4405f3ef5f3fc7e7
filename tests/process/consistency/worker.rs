//! What one process does in the mix: calls and invalidations, on several threads.

use super::functions::{FUNCTIONS, Function, KEYS, Name, next, share};
use super::journal;
use crate::child::{Inside, hear, install, say};
use crate::words::Words;
use futures_lite::future;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

const THREADS: u64 = 2;

/// Works until the parent wants it to end. The role is a name and a seed.
pub(super) fn work(inside: &Inside) {
    let (name, seed) = inside.role.split_once(' ').unwrap();
    let seed: u64 = seed.parse().unwrap();
    share(Words::map(&inside.directory.join("sequence"), 1));
    let runtime = install(&inside.directory);
    say("ready");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let journal = inside.directory.join(format!("{name}.{number}"));
            let (over, runtime) = (&over, &runtime);
            scope.spawn(move || {
                journal::keep(&journal);
                let mut random = fastrand::Rng::with_seed(seed ^ number << 60);
                let mut act = || {
                    while !over.load(Relaxed) && journal::has_room() {
                        act(&mut random);
                    }
                };
                // With surroundings, a hit takes another way.
                if number == 0 { act() } else { runtime.with(act) }
            });
        }
        // What has been asked is answered, so that the parent knows that nobody hangs.
        while let Some(asked) = hear() {
            say(&format!("{asked} {}", next()));
        }
        over.store(true, Relaxed);
    });
    let stats = runtime.stats();
    let served =
        |of: fn(&larder::FunctionStats) -> u64| stats.functions.iter().map(of).sum::<u64>();
    say(&format!("hits {} {}", served(|it| it.hits_l2), served(|it| it.joins_l2)));
}

fn act(random: &mut fastrand::Rng) {
    let function = FUNCTIONS[random.usize(..FUNCTIONS.len())];
    let key = random.u64(..KEYS);
    match random.u32(..1_000) {
        0..12 => future::block_on(journal::invalidate(Name::random(random))),
        12..16 => call(function, key, true),
        16..20 => give_up(function, key),
        20 => thread::yield_now(),
        // Again and again the same, as hits are what may be stale.
        _ => (0..random.u32(1..8)).for_each(|_| call(function, key, false)),
    }
}

fn call(function: Function, key: u64, anew: bool) {
    let start = next();
    let value = if anew {
        future::block_on(function.refresh(key))
    } else {
        future::block_on(function.call(key))
    };
    assert!(value.is_of(function, key), "{value:?} for {key} of {function:?}");
    journal::returned(start, &value);
}

/// Begins a call and drops it.
fn give_up(function: Function, key: u64) {
    let _unfinished = future::block_on(future::poll_once(function.call(key)));
}
