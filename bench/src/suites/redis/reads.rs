//! A call whose value is in the Redis tier and nowhere else in the cache, with two tags whose
//! versions are read with it: one after another from one task, and from many tasks at once.

use crate::cli::Effort;
use crate::course::Course;
use crate::keys::{self, Keys};
use crate::peers::by_hand::ByHand;
use crate::peers::remote_functions as functions;
use crate::report::{Report, Setting};
use crate::rounds::{Contestant, Length, Times, race};
use redis::RedisResult;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Tasks that call at once, and how many keys are asked for by each: calls for one key would be one.
const TASKS: usize = 128;
const EACH: usize = 8;
const KEYS: usize = TASKS * EACH;

pub(super) fn run(
    effort: Effort,
    runtime: &Runtime,
    by_hand: &ByHand,
    report: &mut Report,
) -> RedisResult<()> {
    let length = Length {
        fewest: effort.pick(5, 21),
        most: effort.pick(9, 101),
        time: effort.pick(Duration::from_secs(1), Duration::from_secs(15)),
    };
    let course = |tasks, calls| {
        let keys = Keys::divide(tasks, (KEYS / tasks, calls), keys::number);
        Course::new(keys, |id: &u64| functions::truth(*id))
    };
    let alone = course(1, effort.pick(300, 2_000));
    runtime.block_on(async {
        for id in alone.keys() {
            by_hand.put(*id, &functions::truth(*id)).await?;
        }
        RedisResult::Ok(())
    })?;
    let get = {
        let by_hand = by_hand.clone();
        move |id: &u64| get(by_hand.clone(), *id)
    };
    let asked = |command| runtime.block_on(by_hand.count_of(command));
    let before = (asked("get")?, asked("hmget")?);
    let contestants = [
        alone.tasks("larder", runtime, 1, |id| functions::by_larder(*id)),
        alone.tasks("redis-get", runtime, 1, get),
        alone.tasks("cached", runtime, 1, |id| functions::by_cached(*id)),
        alone.tasks("hitbox", runtime, 1, |id| functions::by_hitbox(*id)),
        alone.tasks("multi-tier-cache", runtime, 1, |id| functions::by_multi_tier_cache(*id)),
    ];
    let times = case("l3-two-tags", alone.calls(), length, &contestants, report);
    let after = (asked("get")?, asked("hmget")?);
    let laps = made(&times, alone.calls());
    // By hand, `cached` and `multi-tier-cache`; `hitbox`.
    assert!(after.0 - before.0 >= 3 * laps, "a peer did not ask the server");
    assert!(after.1 - before.1 >= laps, "`hitbox` did not ask the server");

    let crowd = course(TASKS, effort.pick(50, 200));
    let get_three = {
        let by_hand = by_hand.clone();
        move |id: &u64| get_three(by_hand.clone(), *id)
    };
    let contestants = [
        crowd.tasks("larder", runtime, TASKS, |id| functions::by_larder(*id)),
        crowd.tasks("redis-mget", runtime, TASKS, get_three),
    ];
    let times = case("l3-throughput", crowd.calls(), length, &contestants, report);
    let found = times.compare(0, 1, crowd.calls());
    report.note(format_args!(
        "l3-throughput: the time of an operation while {TASKS} tasks call; {:.0} hits a second beside\n\
         {:.0} times `MGET` of three keys, which makes {:.2} of its throughput",
        1e9 / found.ns,
        1e9 / found.other_ns,
        1.0 / found.ratio,
    ));
    report.note(format_args!(
        "l3-two-tags, l3-throughput: values are texts of {} bytes; `redis-get` and `redis-mget` are the\n\
         commands by themselves, with such a text by its name, and two of 16 bytes beside it. `cached`,\n\
         `hitbox` and `multi-tier-cache` know no tags; all three ask for the key alone",
        functions::LENGTH,
    ));
    Ok(())
}

async fn get(by_hand: ByHand, id: u64) -> String {
    by_hand.get(id).await
}

async fn get_three(by_hand: ByHand, id: u64) -> String {
    by_hand.get_three(id).await
}

/// The calls that a contestant makes in its laps.
fn made(times: &Times, calls: usize) -> u64 {
    u64::try_from((times.rounds() + 1) * calls).expect("a count fits into 64 bits")
}

/// Runs a race, all of whose calls of larder are answered by the server once it has their values.
fn case(
    case: &str,
    calls: usize,
    length: Length,
    contestants: &[Contestant<'_>],
    report: &mut Report,
) -> Times {
    let before = functions::by_larder::stats();
    let times = race(contestants, 1, length, &|_| {});
    let after = functions::by_larder::stats();
    // Each key was asked for twice before the first lap.
    let made = made(&times, calls) + 2 * u64::try_from(KEYS).expect("they are few");
    let computed = after.computations - before.computations;
    assert_eq!(after.hits_l3 - before.hits_l3 + computed, made, "not every hit was in L3");
    let setting = Setting { case: case.to_owned(), keys: KEYS, threads: 1 };
    report.progress(&setting, &times);
    for (at, contestant) in contestants.iter().enumerate().skip(1) {
        report.row(&setting, contestant.name, times.compare(0, at, calls));
    }
    times
}
