//! `batch`: each of many ids is an entry of its own, and the body sees those that are missing.

use crate::support::{Calls, Stage, block_on, fresh, run, until, until_async};
use larder::{Options, Runtime, blocking, cached};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

/// Which ids bodies were asked for.
#[derive(Debug, Default)]
struct Asked(Mutex<Vec<Vec<u64>>>);

impl Asked {
    fn note(&self, ids: &[u64]) {
        self.0.lock().unwrap().push(ids.to_vec());
    }

    fn taken(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// There is nothing for ids from 100 on.
#[cached(batch = ids, tags("square:{id}", "squares"), skip(asked))]
fn squares(ids: &[u64], asked: &Asked) -> HashMap<u64, u64> {
    asked.note(ids);
    ids.iter().filter(|id| **id < 100).map(|id| (*id, id * id)).collect()
}

#[cached(batch = ids, skip(asked))]
async fn squares_async(ids: &[u64], asked: &Asked) -> HashMap<u64, u64> {
    futures_lite::future::yield_now().await;
    asked.note(ids);
    ids.iter().filter(|id| **id < 100).map(|id| (*id, id * id)).collect()
}

fn map(pairs: impl IntoIterator<Item = (u64, u64)>) -> HashMap<u64, u64> {
    pairs.into_iter().collect()
}

#[test]
fn the_body_sees_what_is_missing_once_each() {
    fresh().0.with(|| {
        let asked = Asked::default();
        assert_eq!(squares(&[1, 2, 1], &asked), map([(1, 1), (2, 4)]));
        assert_eq!(squares(&[3, 2, 1, 3], &asked), map([(1, 1), (2, 4), (3, 9)]));
        assert_eq!(squares(&[], &asked), map([]));
        assert_eq!(asked.taken(), [vec![1, 2], vec![3]]);
    });
    block_on(fresh().0.scope(async {
        let asked = Asked::default();
        assert_eq!(squares_async(&[1, 2, 1], &asked).await, map([(1, 1), (2, 4)]));
        assert_eq!(squares_async(&[3, 2], &asked).await, map([(2, 4), (3, 9)]));
        assert_eq!(asked.taken(), [vec![1, 2], vec![3]]);
    }));
}

#[test]
fn each_id_is_invalidated_by_itself() {
    fresh().0.with(|| {
        let asked = Asked::default();
        squares(&[1, 2, 3], &asked);
        squares::invalidate(&1).unwrap();
        blocking::invalidate_tag("square:2").unwrap();
        assert_eq!([1, 2, 3].map(|id| squares::peek(&id)), [None, None, Some(Some(9))]);
        squares(&[1, 2, 3], &asked);
        assert_eq!(asked.taken(), [vec![1, 2, 3], vec![1, 2]]);
        blocking::invalidate_tag("squares").unwrap();
        squares(&[3], &asked);
        assert_eq!(asked.taken(), [[3]]);
    });
}

#[test]
fn what_the_body_has_nothing_for_is_asked_again_unless_that_is_kept() {
    #[cached(batch = ids, ttl = "1h", negative = "5s", skip(asked))]
    fn rare(ids: &[u64], asked: &Asked) -> HashMap<u64, u64> {
        asked.note(ids);
        ids.iter().filter(|id| **id < 100).map(|id| (*id, id * id)).collect()
    }

    let (runtime, clock) = fresh();
    runtime.with(|| {
        let asked = Asked::default();
        for _ in 0..2 {
            assert_eq!(squares(&[5, 500], &asked), map([(5, 25)]));
        }
        assert_eq!(asked.taken(), [vec![5, 500], vec![500]]);
        for _ in 0..2 {
            assert_eq!(rare(&[5, 500], &asked), map([(5, 25)]));
        }
        assert_eq!(asked.taken(), [[5, 500]]);
        assert_eq!((rare::peek(&500), rare::stats().negative_hits), (Some(None), 1));
        clock.advance(Duration::from_secs(5));
        rare(&[5, 500], &asked);
        assert_eq!(asked.taken(), [[500]]);
    });
}

#[test]
fn every_collection_of_ids_and_of_values_will_do() {
    static CALLS: Calls = Calls::new();

    #[cached(batch = names)]
    fn lengths(names: &[&str]) -> BTreeMap<String, usize> {
        CALLS.note();
        names.iter().map(|name| ((*name).to_owned(), name.len())).collect()
    }

    #[cached(batch = ids)]
    fn of_vec(mut ids: Vec<u64>) -> Vec<(u64, u64)> {
        CALLS.note();
        ids.reverse();
        ids.into_iter().map(|id| (id, id + 1)).collect()
    }

    #[cached(batch = ids)]
    fn in_order(ids: &[String]) -> Vec<Option<usize>> {
        CALLS.note();
        ids.iter().map(|id| (!id.is_empty()).then_some(id.len())).collect()
    }

    #[cached(batch = ids)]
    fn of_set(ids: &HashSet<u64>) -> Result<HashMap<u64, u64>, String> {
        CALLS.note();
        Ok(ids.iter().map(|id| (*id, id * 2)).collect())
    }

    #[cached(batch = ids, key(id, factor))]
    fn of_tree<const N: usize>(ids: BTreeSet<u64>, factor: u64, db: &str) -> Vec<(u64, u64)> {
        CALLS.note();
        ids.into_iter().map(|id| (id, id * factor + N as u64 + db.len() as u64)).collect()
    }

    fresh().0.with(|| {
        for _ in 0..2 {
            let lengths = lengths(&["a", "bcd"]);
            assert_eq!(
                lengths.into_iter().collect::<Vec<_>>(),
                [("a".to_owned(), 1), ("bcd".to_owned(), 3)]
            );
            assert_eq!(of_vec(vec![3, 1, 2]), [(3, 4), (1, 2), (2, 3)], "in the order of the ids");
            let ids = ["ab".to_owned(), String::new(), "c".to_owned()];
            assert_eq!(in_order(&ids[..2]), [Some(2), None]);
            assert_eq!(in_order(&ids), [Some(2), None, Some(1)]);
            assert_eq!(of_set(&HashSet::from([1, 2])), Ok(map([(1, 2), (2, 4)])));
            assert_eq!(of_tree::<7>([2, 1].into(), 10, ""), [(1, 17), (2, 27)]);
        }
        assert_eq!(of_tree::<7>([2, 3].into(), 10, ""), [(2, 27), (3, 37)]);
        assert_eq!((lengths::peek("bcd"), of_vec::peek(&3)), (Some(Some(3)), Some(Some(4))));
    });
    // `in_order` has nothing for the empty name, and asks again each time.
    assert_eq!(CALLS.so_far(), 1 + 1 + 4 + 1 + 2);
}

#[test]
fn a_part_that_fails_fails_alone_where_that_can_be_said() {
    #[cached(batch = ids, skip(asked))]
    fn halves(ids: &[u64], asked: &Asked) -> HashMap<u64, Result<u64, String>> {
        asked.note(ids);
        let half =
            |id: &u64| if id.is_multiple_of(2) { Ok(id / 2) } else { Err(format!("{id} is odd")) };
        ids.iter().map(|id| (*id, half(id))).collect()
    }

    fresh().0.with(|| {
        let asked = Asked::default();
        for _ in 0..2 {
            let halves = halves(&[2, 3], &asked);
            assert_eq!((&halves[&2], &halves[&3]), (&Ok(1), &Err("3 is odd".to_owned())));
        }
        assert_eq!(asked.taken(), [vec![2, 3], vec![3]]);
        assert_eq!(halves::stats().failures, 2);
    });
}

#[test]
fn else_nothing_of_that_batch_is_kept() {
    #[cached(batch = ids, skip(asked, fails))]
    fn fragile(ids: &[u64], asked: &Asked, fails: &str) -> Result<HashMap<u64, u64>, String> {
        asked.note(ids);
        assert!(fails != "by a panic", "on purpose");
        if fails.is_empty() {
            Ok(ids.iter().map(|id| (*id, *id)).collect())
        } else {
            Err(fails.to_owned())
        }
    }

    fresh().0.with(|| {
        let asked = Asked::default();
        fragile(&[1], &asked, "").unwrap();
        assert_eq!(fragile(&[1, 2, 3], &asked, "by an error"), Err("by an error".to_owned()));
        let panicking = AssertUnwindSafe(|| fragile(&[1, 2, 3], &asked, "by a panic"));
        assert!(catch_unwind(panicking).is_err());
        assert_eq!([2, 3].map(|id| fragile::peek(&id)), [None, None]);
        assert_eq!(fragile(&[1, 2, 3], &asked, "").map(|it| it.len()), Ok(3));
        assert_eq!(asked.taken(), [vec![1], vec![2, 3], vec![2, 3], vec![2, 3]]);
    });
}

#[test]
fn former_values_stand_in_for_a_batch_that_fails() {
    #[cached(batch = ids, ttl = "10s", grace = "1h", skip(fails))]
    fn fragile(ids: &[u64], fails: bool) -> Result<HashMap<u64, u64>, String> {
        if fails {
            Err("on purpose".to_owned())
        } else {
            Ok(ids.iter().map(|id| (*id, *id)).collect())
        }
    }

    let (runtime, clock) = fresh();
    runtime.with(|| {
        fragile(&[1, 2], false).unwrap();
        clock.advance(Duration::from_secs(10));
        assert_eq!(fragile(&[1, 2], true), Ok(map([(1, 1), (2, 2)])));
        assert_eq!(fragile::stats().grace_hits, 2);
        assert_eq!(
            fragile(&[1, 2, 3], true),
            Err("on purpose".to_owned()),
            "there is none of the last"
        );
    });
}

#[test]
fn ids_that_nobody_asked_for_are_kept_too() {
    #[cached(batch = ids, tags("number:{id}"), skip(asked))]
    fn with_the_next(ids: &[u64], asked: &Asked) -> HashMap<u64, u64> {
        asked.note(ids);
        ids.iter().flat_map(|id| [(*id, *id), (id + 1, *id + 1)]).collect()
    }

    fresh().0.with(|| {
        let asked = Asked::default();
        assert_eq!(with_the_next(&[1], &asked), map([(1, 1)]));
        assert_eq!(with_the_next(&[2], &asked), map([(2, 2)]));
        assert_eq!(asked.taken(), [[1]]);
        blocking::invalidate_tag("number:2").unwrap();
        assert_eq!(with_the_next::peek(&2), None);
        let stats = with_the_next::stats();
        assert_eq!((stats.hits, stats.misses_absent), (1, 1), "nobody had asked for the extra one");
    });
}

#[test]
fn c1_an_extra_that_is_overtaken_is_dropped() {
    let (runtime, _) = fresh();

    #[cached(batch = ids, tags("extra:{id}"), skip(stage))]
    fn staged(ids: &[u64], stage: &Stage) -> HashMap<u64, u64> {
        let _ = ids;
        stage.act();
        map([(1, 1), (2, 2)])
    }

    let stage = Arc::new(Stage::default());
    let (inside, other) = (runtime.clone(), Arc::clone(&stage));
    let call = run("the batch", move || inside.with(|| staged(&[1], &other)));
    stage.entered.wait("the body");
    runtime.with(|| blocking::invalidate_tag("extra:2")).unwrap();
    stage.leave.open();
    assert_eq!(call.ended(), map([(1, 1)]));
    assert_eq!(runtime.with(|| (staged::peek(&1), staged::peek(&2))), (Some(Some(1)), None));
}

#[test]
fn what_the_body_is_made_of_ends_every_element() {
    #[cached(tags("factor"))]
    fn factor() -> u64 {
        3
    }

    #[cached(batch = ids)]
    fn multiples(ids: &[u64]) -> HashMap<u64, u64> {
        larder::tag("multiples");
        let factor = factor();
        ids.iter().map(|id| (*id, id * factor)).collect()
    }

    fresh().0.with(|| {
        for tag in ["factor", "multiples"] {
            multiples(&[1, 2]);
            assert_eq!([1, 2].map(|id| multiples::peek(&id)), [Some(Some(3)), Some(Some(6))]);
            blocking::invalidate_tag(tag).unwrap();
            assert_eq!([1, 2].map(|id| multiples::peek(&id)), [None, None], "{tag}");
        }
    });
}

#[cached(batch = ids, skip(stage))]
fn staged(ids: &[u64], stage: &Stage) -> HashMap<u64, u64> {
    let call = stage.act();
    ids.iter().map(|id| (*id, call)).collect()
}

#[test]
fn f1_two_batches_that_overlap_compute_each_id_once_between_them() {
    let (runtime, _) = fresh();
    let (first, second) = (Arc::new(Stage::default()), Arc::new(Stage::default()));
    let start = |ids: &'static [u64], stage: &Arc<Stage>| {
        let (inside, stage) = (runtime.clone(), Arc::clone(stage));
        run("a batch", move || inside.with(|| staged(ids, &stage)))
    };
    let one = start(&[1, 2, 3], &first);
    first.entered.wait("the first body");
    let other = start(&[4, 3, 2], &second);
    second.entered.wait("the second body");
    second.leave.open();
    until("the second to wait for the first", || runtime.with(|| staged::peek(&4)).is_some());
    first.leave.open();
    let (one, other) = (one.ended(), other.ended());
    assert_eq!((one.len(), other.len()), (3, 3));
    assert_eq!((first.calls.so_far(), second.calls.so_far()), (1, 1));
    let stats = runtime.with(staged::stats);
    assert_eq!((stats.computations, stats.joins), (4, 2));
}

#[test]
fn f1_batches_in_any_order_never_wait_for_each_other() {
    #[cached(batch = ids)]
    fn doubled(ids: Vec<u64>) -> HashMap<u64, u64> {
        std::thread::yield_now();
        ids.into_iter().map(|id| (id, id * 2)).collect()
    }

    for _ in 0..50 {
        let (runtime, _) = fresh();
        let calls: Vec<_> = (0..4_u64)
            .map(|at| {
                let inside = runtime.clone();
                run("a batch", move || {
                    let mut ids: Vec<u64> = (0..20).collect();
                    if at % 2 == 0 {
                        ids.reverse();
                    }
                    ids.rotate_left(usize::try_from(at).unwrap() * 3);
                    inside.with(|| doubled(ids))
                })
            })
            .collect();
        for call in calls {
            assert_eq!(call.ended(), map((0..20).map(|id| (id, id * 2))));
        }
        assert_eq!(runtime.with(doubled::stats).computations, 20);
    }
}

#[test]
fn f1_when_a_batch_is_dropped_another_takes_its_ids_over() {
    #[cached(batch = ids, skip(stage))]
    async fn staged(ids: &[u64], stage: &Stage) -> HashMap<u64, u64> {
        let call = stage.act_async().await;
        ids.iter().map(|id| (*id, call)).collect()
    }

    block_on(fresh().0.scope(async {
        let (never, open) = (Stage::default(), Stage::open());
        let mut first = Box::pin(staged(&[1, 2], &never));
        assert!(futures_lite::future::poll_once(&mut first).await.is_none());
        let mut second = Box::pin(staged(&[2, 3], &open));
        assert!(futures_lite::future::poll_once(&mut second).await.is_none());
        until_async("the second body", || open.calls.so_far() == 1).await;
        drop(first);
        assert_eq!(second.await, map([(2, 2), (3, 1)]));
    }));
}

#[test]
fn one_by_one_and_as_a_batch_share_entries() {
    #[cached(batch = ids, ttl = "1h", tags("both:{id}"), skip(asked))]
    fn many(ids: &[u64], asked: &Asked) -> HashMap<u64, u64> {
        asked.note(ids);
        ids.iter().map(|id| (*id, id * 10)).collect()
    }

    #[cached(batch_of = many, skip(asked))]
    fn one(id: u64, asked: &Asked) -> Option<u64> {
        asked.note(&[id, id]);
        (id < 100).then_some(id * 10)
    }

    #[cached(batch = names)]
    async fn lengths(names: &[&str]) -> HashMap<String, usize> {
        names.iter().map(|name| ((*name).to_owned(), name.len())).collect()
    }

    #[cached(batch_of = lengths)]
    async fn length(name: &str) -> Option<usize> {
        Some(name.len() + 100)
    }

    fresh().0.with(|| {
        let asked = Asked::default();
        assert_eq!(one(1, &asked), Some(10));
        assert_eq!(many(&[1, 2], &asked), map([(1, 10), (2, 20)]));
        assert_eq!((one(2, &asked), one(500, &asked)), (Some(20), None));
        assert_eq!(asked.taken(), [vec![1, 1], vec![2], vec![500, 500]]);
        blocking::invalidate_tag("both:1").unwrap();
        assert_eq!(many::peek(&1), None);
        one(1, &asked);
        assert_eq!(many::peek(&1), Some(Some(10)));
    });
    block_on(fresh().0.scope(async {
        assert_eq!(length("abc").await, Some(103));
        assert_eq!(lengths(&["abc", "de"]).await["abc"], 103);
        assert_eq!(length("de").await, Some(2));
    }));
}

#[test]
fn what_is_said_around_a_batch_is_said_of_each() {
    fresh().0.with(|| {
        let asked = Asked::default();
        squares(&[1, 2], &asked);
        squares::refresh(&[1, 2], &asked);
        squares::uncached(&[3], &asked);
        squares::with(Options::new().skip_write(), &[1, 4], &asked);
        assert_eq!(asked.taken(), [vec![1, 2], vec![1, 2], vec![3], vec![4]]);
        let kept = [1, 2, 3, 4].map(|id| squares::peek(&id).is_some());
        assert_eq!(kept, [true, true, false, false]);
    });
}

#[test]
fn past_the_cache_the_body_sees_all() {
    #[cached(batch = ids, when = *id != 3, skip(asked))]
    fn some(ids: &[u64], asked: &Asked) -> HashMap<u64, u64> {
        asked.note(ids);
        ids.iter().map(|id| (*id, *id)).collect()
    }

    fresh().0.with(|| {
        let asked = Asked::default();
        for _ in 0..2 {
            assert_eq!(some(&[1, 3], &asked), map([(1, 1), (3, 3)]));
        }
        assert_eq!(asked.taken(), [[3], [1], [3]]);
        assert_eq!(some::stats().bypasses_when, 2);
    });
}

#[test]
fn a_method_may_be_a_batch() {
    struct Shop(u64);

    impl Shop {
        #[cached(batch = items, key(self.0, item), ttl_for = Self::lasts, handle = prices_entry)]
        fn prices(&self, items: &[u64]) -> HashMap<u64, u64> {
            items.iter().map(|item| (*item, item * self.0)).collect()
        }

        fn lasts(price: &u64) -> Duration {
            Duration::from_secs(*price)
        }
    }

    let (runtime, clock) = fresh();
    runtime.with(|| {
        let shop = Shop(10);
        shop.prices(&[1, 2]);
        assert_eq!(shop.prices_entry(&2).peek(), Some(Some(20)));
        clock.advance(Duration::from_secs(10));
        assert_eq!([1, 2].map(|item| shop.prices_entry(&item).peek()), [None, Some(Some(20))]);
    });
}

#[test]
fn an_id_that_is_asked_for_twice_is_computed_once_and_answered_twice() {
    #[cached(batch = ids, negative = "1h", skip(asked))]
    fn pairs(ids: &[u64], asked: &Asked) -> Vec<(u64, u64)> {
        asked.note(ids);
        ids.iter().map(|id| (*id, id * 2)).collect()
    }

    fresh().0.with(|| {
        let asked = Asked::default();
        assert_eq!(pairs::refresh(&[7, 8, 7], &asked), [(7, 14), (8, 16), (7, 14)]);
        assert_eq!(pairs::with(Options::new().force(), &[7, 7], &asked), [(7, 14), (7, 14)]);
        assert_eq!(asked.taken(), [vec![7, 8], vec![7]]);
        assert_eq!(pairs::peek(&7), Some(Some(14)), "it was kept as if there were none");
    });
}

#[test]
fn v7_what_is_made_of_a_batch_that_failed_ends_with_what_that_depended_on() {
    #[cached(tags("batch: limit"))]
    fn limit() -> u64 {
        3
    }

    #[cached(batch = ids)]
    fn below(ids: &[u64]) -> Result<HashMap<u64, u64>, String> {
        let limit = limit();
        if ids.iter().any(|id| *id > limit) {
            Err("too much".to_owned())
        } else {
            Ok(HashMap::new())
        }
    }

    #[cached]
    fn described(id: u64) -> String {
        below(&[id]).map_or_else(|error| error, |_| "fine".to_owned())
    }

    fresh().0.with(|| {
        assert_eq!(described(5), "too much");
        assert!(described::peek(5).is_some());
        limit::invalidate().unwrap();
        assert_eq!(described::peek(5), None, "it does not know what the failure depended on");
    });
}

#[test]
fn a_value_may_be_put_in_the_place_of_an_element() {
    struct Shop;

    impl Shop {
        #[cached(batch = items, skip(self), handle = prices_entry)]
        fn prices(&self, items: &[u64]) -> HashMap<u64, u64> {
            items.iter().map(|item| (*item, item * 10)).collect()
        }
    }

    fresh().0.with(|| {
        let entry = Shop.prices_entry(&3);
        Shop.prices(&[3]);
        entry.put(Some(7), || Shop.prices(&[3]).remove(&3));
        assert_eq!(Shop.prices(&[3, 4]), map([(3, 7), (4, 40)]));
        // Among others, and after calls of others.
        let entry = Shop.prices_entry(&6);
        entry.put(Some(8), || {
            Shop.prices(&[1]);
            Shop.prices(&[5, 6]).remove(&6)
        });
        assert_eq!(Shop.prices(&[1, 5, 6]), map([(1, 10), (5, 50), (6, 8)]));
    });
}

#[test]
fn a_batch_goes_by_the_name_of_its_function() {
    #[cached(batch = ids)]
    fn named_so(ids: &[u64]) -> HashMap<u64, u64> {
        ids.iter().map(|id| (*id, *id)).collect()
    }

    let (runtime, _clock) = fresh();
    runtime.with(|| {
        named_so(&[1, 2]);
        let path = concat!(module_path!(), "::a_batch_goes_by_the_name_of_its_function::named_so");
        blocking::invalidate_function(path).unwrap();
        assert_eq!([1, 2].map(|id| named_so::peek(&id)), [None, None]);
    });
}

/// All of them hash alike.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Alike(u64);

impl Hash for Alike {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(0);
    }
}

#[test]
fn c6_ids_that_hash_alike_are_not_taken_for_each_other() {
    #[cached(batch = ids, skip(asked))]
    fn plain(ids: &[Alike], asked: &Asked) -> HashMap<Alike, u64> {
        asked.note(&ids.iter().map(|id| id.0).collect::<Vec<_>>());
        ids.iter().map(|id| (id.clone(), id.0)).collect()
    }

    #[cached(batch = ids, ttl = "10s", refresh = "3s")]
    fn renewed(ids: &[Alike]) -> HashMap<Alike, u64> {
        ids.iter().map(|id| (id.clone(), id.0)).collect()
    }

    let all = [1, 2, 3].map(Alike);
    let each = all.each_ref().map(|id| (id.clone(), id.0));
    let each = HashMap::from(each);
    let (runtime, clock) = fresh();
    runtime.with(|| {
        let asked = Asked::default();
        let twice = [&all[..], &all[..]].concat();
        assert_eq!(plain(&twice, &asked), each);
        assert_eq!(asked.taken(), [[1, 2, 3]], "once each");
        all.iter().for_each(|id| assert_eq!(renewed(std::slice::from_ref(id)).len(), 1));
        clock.advance(Duration::from_secs(8));
        assert_eq!(renewed(&all), each);
    });
    until("all to be computed anew", || runtime.with(renewed::stats).stores == 6);
    runtime.with(|| {
        let kept = all.map(|id| renewed::peek(&id).flatten());
        assert_eq!(kept, [1, 2, 3].map(Some));
    });
}

#[test]
fn c6_a_claim_that_was_overtaken_is_not_taken_for_that_of_another_id() {
    #[cached(
        batch = ids, ttl = "10s", stale = "1h", timeout = "1h", tags("alike:{id.0}")
    )]
    async fn handed_over(ids: &[Alike]) -> HashMap<Alike, u64> {
        ids.iter().map(|id| (id.clone(), id.0)).collect()
    }

    let (sender, spawned) = std::sync::mpsc::channel();
    let runtime = Runtime::builder().executor(move |future| sender.send(future).unwrap());
    let runtime = runtime.build().unwrap();
    let handed_over_by = |caller: &mut Pin<Box<dyn Future<Output = HashMap<Alike, u64>> + '_>>| {
        assert_eq!(futures_lite::future::block_on(futures_lite::future::poll_once(caller)), None);
        spawned.try_recv().expect("nothing was handed over")
    };
    let (all, third) = ([1, 2, 3].map(Alike), [Alike(3)]);
    let mut first: Pin<Box<dyn Future<Output = _>>> = Box::pin(runtime.scope(handed_over(&all)));
    let of_first = handed_over_by(&mut first);
    runtime.with(|| blocking::invalidate_tag("alike:3")).unwrap();
    let mut second: Pin<Box<dyn Future<Output = _>>> = Box::pin(runtime.scope(handed_over(&third)));
    futures_lite::future::block_on(handed_over_by(&mut second));
    futures_lite::future::block_on(of_first);
    let each = HashMap::from([1, 2, 3].map(|id| (Alike(id), id)));
    assert_eq!(futures_lite::future::block_on(first), each);
    assert_eq!(futures_lite::future::block_on(second), HashMap::from([(Alike(3), 3)]));
}

#[test]
fn past_the_cache_an_id_is_answered_as_often_as_it_is_asked_for() {
    #[cached(batch = ids, when = *id < 5, skip(asked))]
    fn pairs(ids: &[u64], asked: &Asked) -> Vec<(u64, u64)> {
        asked.note(ids);
        ids.iter().map(|id| (*id, id * 2)).collect()
    }

    fresh().0.with(|| {
        let asked = Asked::default();
        assert_eq!(pairs(&[7, 8, 7], &asked), [(7, 14), (8, 16), (7, 14)]);
        assert_eq!(asked.taken(), [[7, 8, 7]]);
    });
}

#[test]
fn what_is_put_past_the_cache_is_the_answer_and_no_body_runs() {
    struct Shop(Asked);

    impl Shop {
        #[cached(batch = items, skip(self), when = *item != 3, handle = prices_entry)]
        fn prices(&self, items: &[u64]) -> HashMap<u64, u64> {
            self.0.note(items);
            items.iter().map(|item| (*item, item * 10)).collect()
        }
    }

    fresh().0.with(|| {
        let shop = Shop(Asked::default());
        let entry = shop.prices_entry(&3);
        entry.put(Some(7), || shop.prices(&[3]).remove(&3));
        assert!(shop.0.taken().is_empty());
        assert_eq!(shop.prices(&[3]), map([(3, 30)]), "nothing of it is kept");
    });
}

#[test]
fn f1_who_waited_for_a_batch_that_fails_computes_at_once_each_for_itself() {
    #[cached(batch = ids, skip(first, others))]
    fn failing(
        ids: &[u64],
        first: Option<&Stage>,
        others: &Barrier,
    ) -> Result<Vec<(u64, u64)>, Fault> {
        match first {
            Some(stage) => drop(stage.act()),
            // One after the other they would never meet.
            None => drop(others.wait()),
        }
        Err(Fault(ids.len()))
    }

    #[derive(Debug, PartialEq)]
    struct Fault(usize);

    const OTHERS: usize = 3;
    let runtime = fresh().0;
    let (stage, others) = (Arc::new(Stage::default()), Arc::new(Barrier::new(OTHERS)));
    let call = |ids: &'static [u64], stage: Option<Arc<Stage>>| {
        let (runtime, others) = (runtime.clone(), Arc::clone(&others));
        run("a call", move || runtime.with(|| failing(ids, stage.as_deref(), &others)))
    };
    let first = call(&[1, 2, 3], Some(Arc::clone(&stage)));
    stage.entered.wait("the first body");
    let calls = [&[1, 2][..], &[2, 3], &[3]].map(|ids| call(ids, None));
    until("all of them to wait", || runtime.with(failing::stats).misses_absent == 3 + 5);
    stage.leave.open();
    assert_eq!(first.ended(), Err(Fault(3)));
    assert!(calls.into_iter().all(|call| call.ended().is_err()));
    assert_eq!(runtime.with(failing::stats).takeovers, 0);
}
