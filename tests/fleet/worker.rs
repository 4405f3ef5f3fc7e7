//! What one process does: calls and invalidations, on several threads.

use crate::child::{Inside, hear, say, until};
use crate::functions::{FUNCTIONS, Function, KEYS, Value, renew};
use crate::journal::{self, Outcome};
use crate::moment::{self, nanos, next};
use crate::names::Name;
use futures_lite::future::{block_on, poll_once};
use larder::{Breaker, Builder, FunctionStats, OnPartition, Runtime};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

/// For how long a copy may be served after it was invalidated elsewhere.
pub(crate) const BOUND: Duration = Duration::from_millis(500);

const DEADLINE: Duration = Duration::from_millis(200);
const THREADS: u64 = 2;
/// For how long all come to the same new key.
const TURN: Duration = Duration::from_millis(20);

/// Works until the parent wants it to end. The role is a name, a machine, a seed, and where the servers
/// are.
pub(crate) fn work(inside: &Inside) {
    let mut role = inside.role.splitn(4, ' ');
    let mut word = || role.next().unwrap();
    let (name, machine, seed, url) = (word(), word(), word().parse().unwrap(), word());
    moment::share(&inside.directory);
    let disk = inside.directory.join(format!("machine{machine}"));
    let runtime = runtime(Runtime::builder().dir(disk).redis_deadline(DEADLINE), url, BOUND);
    say("ready");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (over, runtime) = (&over, &runtime);
            let path = inside.directory.join(format!("{name}.{number}"));
            scope.spawn(move || Hand::new(number, seed, runtime, &path).act_until(over));
        }
        assert_eq!(hear().as_deref(), Some("settle"));
        over.store(true, Relaxed);
    });
    let path = inside.directory.join(format!("{name}.last"));
    let mut hand = Hand::new(THREADS, seed, &runtime, &path);
    until("everything to be delivered", || hand.is_clear().then_some(()));
    say("settled");
    assert_eq!(hear().as_deref(), Some("call"));
    hand.call_everything();
    let stats = runtime.stats();
    let sum = |of: fn(&FunctionStats) -> u64| stats.functions.iter().map(of).sum::<u64>();
    let from_redis = sum(|it| it.hits_l3);
    let joined = sum(|it| it.joins_l3);
    say(&format!("hits {} {from_redis} {joined}", sum(|it| it.hits) - from_redis));
}

/// Makes a runtime that is the one of this process.
pub(crate) fn runtime(builder: Builder, url: &str, bound: Duration) -> Runtime {
    let builder = builder.namespace("fleet").redis(url);
    let builder = builder.coherence_bound(bound).on_partition(OnPartition::Compute);
    let runtime = builder.build().unwrap();
    runtime.install().unwrap();
    // There is no tier before anything needs it, and what it counts is asked for.
    let _ = larder::blocking::invalidate_tag("nobody has this tag");
    runtime
}

/// One thread that acts.
struct Hand<'a> {
    number: u64,
    random: fastrand::Rng,
    runtime: &'a Runtime,
    health: Health,
    /// Whether something of this process is to be delivered.
    waits: bool,
}

/// What is counted of the tier when it is not well. The same twice, it was well in between.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Health {
    degraded: u64,
    connections: u64,
    openings: u64,
    late: u64,
    breaker: Breaker,
}

impl<'a> Hand<'a> {
    fn new(number: u64, seed: u64, runtime: &'a Runtime, journal: &Path) -> Self {
        journal::keep(journal);
        let random = fastrand::Rng::with_seed(seed ^ number << 60);
        Self { number, random, runtime, health: Health::of(runtime), waits: false }
    }

    fn act_until(&mut self, over: &AtomicBool) {
        while !over.load(Relaxed) && journal::has_room() {
            self.act();
            // On a machine of few processors the servers are to be heard as well.
            thread::sleep(Duration::from_micros(self.random.u64(..1_000)));
        }
    }

    fn act(&mut self) {
        let function = FUNCTIONS[self.random.usize(..FUNCTIONS.len())];
        let key = self.key_of(function);
        if self.waits {
            self.waits = !self.is_clear();
        }
        match self.random.u32(..1_000) {
            0..24 => {
                let name = Name::random(&mut self.random);
                // Who has every process forget everything hides what else goes wrong for as long as it
                // waits.
                if self.waits && name.is_listed() {
                    return;
                }
                self.waits |= block_on(journal::invalidate(name)) == Outcome::Pending;
            }
            30..36 => give_up(function, key),
            100..400 => {
                let turn = next() / nanos(TURN);
                self.count(|| block_on(Function::Turn.call(turn)));
            }
            36..100 => {
                let key = self.key_of(Function::Renewed);
                self.call(|| block_on(renew(key)));
            }
            // Again and again the same, as hits are what may be stale.
            _ => {
                for _ in 0..self.random.u32(1..6) {
                    self.call(|| block_on(function.call(key)));
                }
            }
        }
    }

    /// A key of the function's. What is in Redis alone is called by one thread of each process, so
    /// that nobody joins a flight: it is either computed or read there.
    fn key_of(&mut self, function: Function) -> u64 {
        let key = self.random.u64(..KEYS);
        match function {
            // Few, so that what is computed anew is soon computed anew elsewhere.
            Function::Renewed => self.number,
            _ if function.is_in_redis_alone() => key / THREADS * THREADS + self.number,
            _ => key,
        }
    }

    fn call(&mut self, call: impl FnOnce() -> Value) {
        let (start, value) = self.count(call);
        journal::returned(start, &value);
    }

    /// Calls, and notes how well the tier was if that ran a body.
    fn count(&mut self, call: impl FnOnce() -> Value) -> (u64, Value) {
        let start = next();
        let value = call();
        journal::account_for_bodies(|| {
            if !value.function.is_computed_in_turn() {
                return None;
            }
            // The last reading is from before the call.
            let before = std::mem::replace(&mut self.health, Health::of(self.runtime));
            (before == self.health).then_some(start)
        });
        (start, value)
    }

    /// Whether nothing waits to be delivered, and servers can be told.
    fn is_clear(&mut self) -> bool {
        let asked = next();
        let redis = self.runtime.stats().redis.expect("there is a tier");
        let is_clear = redis.pending == 0;
        if is_clear {
            journal::clear(asked);
        }
        is_clear && redis.breaker == Breaker::Closed
    }

    /// Calls every function once more, when nothing may be served any more that was invalidated.
    fn call_everything(&mut self) {
        let told = next();
        until("the bound to be over", || (next() > told + nanos(BOUND)).then_some(()));
        for function in FUNCTIONS {
            for key in 0..KEYS {
                self.call(|| block_on(function.call(key)));
            }
        }
    }
}

impl Health {
    fn of(runtime: &Runtime) -> Self {
        let stats = runtime.stats();
        let redis = stats.redis.expect("there is a tier");
        Self {
            degraded: stats.functions.iter().map(|it| it.degraded).sum(),
            connections: redis.connections,
            openings: redis.breaker_openings,
            late: redis.late,
            breaker: redis.breaker,
        }
    }
}

/// Begins a call and drops it.
fn give_up(function: Function, key: u64) {
    let _unfinished = block_on(poll_once(function.call(key)));
    journal::account_for_bodies(|| None);
}
