//! A workload of hits, and how contestants of different kinds run it.
//!
//! 1. Everything is in the cache before the first lap, and each value has been compared with what
//!    the function would compute.
//! 2. A lap that computes anything, or whose values do not add up, ends the run.

use crate::digest::Digest;
use crate::keys::Keys;
use crate::rounds::{Contestant, Lap};
use crate::truth;
use futures_lite::future::block_on;
use std::fmt::Debug;
use std::hint::black_box;
use tokio::runtime::Runtime;

/// Keys, and the values that belong to them.
pub(crate) struct Course<K, V> {
    keys: Keys<K>,
    truth: fn(&K) -> V,
    sum: u64,
}

impl<K, V> Course<K, V>
where
    K: Send + Sync,
    V: Digest + Debug + PartialEq,
{
    pub(crate) fn new(keys: Keys<K>, truth: fn(&K) -> V) -> Self {
        let sum = sum(&keys.asked, &truth);
        Self { keys, truth, sum }
    }

    /// Each key once.
    pub(crate) fn keys(&self) -> &[K] {
        &self.keys.all
    }

    /// How many calls a lap makes.
    pub(crate) fn calls(&self) -> usize {
        self.keys.asked.len()
    }

    /// A function that looks after its cache itself.
    pub(crate) fn function<'a>(
        &'a self,
        name: &'static str,
        call: impl Fn(&K) -> V + Copy + Send + Sync + 'a,
    ) -> Contestant<'a> {
        Contestant {
            name,
            prepare: Box::new(move || {
                self.check(call);
                self.check(call);
            }),
            lap: Box::new(move |lap| self.lap(lap, |keys| sum(keys, &call))),
        }
    }

    /// A map that is filled beforehand.
    pub(crate) fn map<'a, M: Send + Sync + 'a>(
        &'a self,
        name: &'static str,
        map: M,
        put: fn(&M, &K, V),
        get: impl Fn(&M, &K) -> V + Copy + Send + Sync + 'a,
    ) -> Contestant<'a> {
        let map = std::sync::Arc::new(map);
        let filled = std::sync::Arc::clone(&map);
        Contestant {
            name,
            prepare: Box::new(move || {
                for key in &self.keys.all {
                    put(&filled, key, (self.truth)(key));
                }
                self.check(|key| get(&filled, key));
            }),
            lap: Box::new(move |lap| self.lap(lap, |keys| sum(keys, &|key| get(&map, key)))),
        }
    }

    /// An async function. A lap is one future, so that no executor is measured.
    pub(crate) fn future<'a, F: Future<Output = V>>(
        &'a self,
        name: &'static str,
        call: impl Fn(&K) -> F + Copy + Send + Sync + 'a,
    ) -> Contestant<'a> {
        Contestant {
            name,
            prepare: Box::new(move || {
                self.check(|key| block_on(call(key)));
                self.check(|key| block_on(call(key)));
            }),
            lap: Box::new(move |lap| self.lap(lap, |keys| block_on(sum_async(keys, &call)))),
        }
    }

    /// An async function that some tasks of a runtime call side by side, each for its part of the keys.
    pub(crate) fn tasks<'a, F: Future<Output = V> + Send>(
        &'a self,
        name: &'static str,
        runtime: &'a Runtime,
        tasks: usize,
        call: impl Fn(&K) -> F + Clone + Send + Sync + 'static,
    ) -> Contestant<'a>
    where
        K: Clone + 'static,
    {
        let pass = {
            let call = call.clone();
            move |keys: &[K]| {
                let part = keys.len().div_ceil(tasks).max(1);
                let task = |keys: &[K]| {
                    let (keys, call) = (keys.to_vec(), call.clone());
                    runtime.spawn(async move { sum_async(&keys, &call).await })
                };
                let running: Vec<_> = keys.chunks(part).map(task).collect();
                runtime.block_on(async {
                    let mut sum: u64 = 0;
                    for task in running {
                        sum =
                            sum.wrapping_add(task.await.expect("a call that panics ends the run"));
                    }
                    sum
                })
            }
        };
        Contestant {
            name,
            prepare: Box::new(move || {
                self.check(|key| runtime.block_on(call(key)));
                self.check(|key| runtime.block_on(call(key)));
            }),
            lap: Box::new(move |lap| self.lap(lap, &pass)),
        }
    }

    fn check(&self, call: impl Fn(&K) -> V) {
        for key in &self.keys.all {
            assert_eq!(call(key), (self.truth)(key));
        }
    }

    /// Runs through the keys once, from another place on each thread.
    fn lap(&self, lap: Lap, pass: impl Fn(&[K]) -> u64) {
        let computed = truth::computed();
        let (last, first) = self.keys.asked.split_at(lap.thread * self.calls() / lap.threads);
        let sum = pass(first).wrapping_add(pass(last));
        assert_eq!(sum, self.sum, "the values of a lap don't add up");
        assert_eq!(truth::computed(), computed, "a value was not in the cache");
    }
}

fn sum<K, V: Digest>(keys: &[K], call: &impl Fn(&K) -> V) -> u64 {
    keys.iter().fold(0, |sum, key| sum.wrapping_add(black_box(call(key)).digest()))
}

async fn sum_async<K, V: Digest, F: Future<Output = V>>(
    keys: &[K],
    call: &impl Fn(&K) -> F,
) -> u64 {
    let mut sum: u64 = 0;
    for key in keys {
        sum = sum.wrapping_add(black_box(call(key).await).digest());
    }
    sum
}
