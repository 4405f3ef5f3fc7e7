//! A batch in Redis: beside one command for the same values.

use super::{IDS, NEW};
use crate::cli::Effort;
use crate::peers::by_hand::ByHand;
use crate::report::{Report, Setting};
use crate::rounds::{Contestant, Lap, Length, race};
use crate::server::Server;
use crate::truth::{self, compute};
use redis::RedisResult;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long the values are.
const LENGTH: usize = 1_024;

#[larder::cached(batch = ids, tier = "l3", ttl = "1h", tags("user:{id}"))]
async fn all(ids: &[u64]) -> HashMap<u64, String> {
    std::future::ready(()).await;
    ids.iter().map(|id| (*id, compute(truth::text::<LENGTH>(*id)))).collect()
}

#[larder::cached(batch_of = all)]
async fn one(id: u64) -> Option<String> {
    Some(compute(truth::text::<LENGTH>(id)))
}

pub(super) fn run(effort: Effort, server: &Server, report: &mut Report) -> RedisResult<()> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the machine has room for two threads");
    let by_hand = runtime.block_on(async {
        larder::attach_executor();
        let by_hand = ByHand::connect(&server.url()).await?;
        for id in 0..IDS {
            by_hand.put(id, &truth::text::<LENGTH>(id)).await?;
        }
        RedisResult::Ok(by_hand)
    })?;
    let ids: Vec<u64> = (0..IDS).collect();
    let far = Far { runtime: &runtime, by_hand: &by_hand, ids: &ids, calls: effort.pick(30, 100) };
    let length = Length {
        fewest: effort.pick(5, 15),
        most: effort.pick(9, 61),
        time: effort.pick(Duration::from_secs(1), Duration::from_secs(8)),
    };
    for (case, new) in [("l3-batch", 0), ("l3-batch-new", NEW)] {
        let contestants = [far.batch(new), far.mget(), far.mget_all(), far.singly()];
        let times = race(&contestants, 1, length, &|_| {});
        let setting = Setting { case: case.to_owned(), keys: ids.len(), threads: 1 };
        report.progress(&setting, &times);
        for (at, other) in contestants.iter().enumerate().skip(1) {
            report.row(&setting, other.name, times.compare(0, at, far.calls));
        }
    }
    report.note(format_args!(
        "l3-batch: {IDS} ids whose values of {LENGTH} bytes are all there, each with a tag; `redis-mget` is\n\
         the command for such values by their names, `redis-mget-3` with two of 16 bytes beside each, as larder\n\
         reads its versions. In l3-batch-new {NEW} of the ids are new each time:\n\
         they are claimed, computed and stored, and `redis-mget` and `single-calls` still ask for what is there"
    ));
    Ok(())
}

struct Far<'a> {
    runtime: &'a Runtime,
    by_hand: &'a ByHand,
    ids: &'a [u64],
    calls: usize,
}

impl<'a> Far<'a> {
    fn batch(&'a self, new: u64) -> Contestant<'a> {
        static NEXT: AtomicU64 = AtomicU64::new(1_000);
        let call = async move || {
            let first = NEXT.fetch_add(new, Relaxed);
            let ids: Vec<u64> = (0..IDS - new).chain(first..first + new).collect();
            all(&ids).await.len()
        };
        let computes = new * self.calls as u64;
        Contestant {
            name: "larder",
            // What is computed is there when it has been asked for again.
            prepare: Box::new(move || {
                for _ in 0..2 {
                    self.runtime.block_on(all(self.ids));
                }
            }),
            lap: Box::new(move |_: Lap| {
                let before = truth::computed();
                self.repeat(call);
                assert_eq!(truth::computed() - before, computes, "more or fewer than the new ones");
            }),
        }
    }

    fn mget(&'a self) -> Contestant<'a> {
        let call = async || self.by_hand.get_all(self.ids).await.len();
        Contestant {
            name: "redis-mget",
            prepare: Box::new(|| ()),
            lap: Box::new(move |_: Lap| self.repeat(call)),
        }
    }

    fn mget_all(&'a self) -> Contestant<'a> {
        let call = async || self.by_hand.get_all_three(self.ids).await.len();
        Contestant {
            name: "redis-mget-3",
            prepare: Box::new(|| ()),
            lap: Box::new(move |_: Lap| self.repeat(call)),
        }
    }

    fn singly(&'a self) -> Contestant<'a> {
        let call = async || {
            let mut found = HashMap::with_capacity(self.ids.len());
            for id in self.ids {
                found.insert(*id, one(*id).await.expect("there is one of each"));
            }
            found.len()
        };
        Contestant {
            name: "single-calls",
            prepare: Box::new(|| ()),
            lap: Box::new(move |_: Lap| self.repeat(call)),
        }
    }

    fn repeat(&self, call: impl AsyncFn() -> usize) {
        self.runtime.block_on(async {
            for _ in 0..self.calls {
                assert_eq!(black_box(call().await), self.ids.len());
            }
        });
    }
}
