//! `#[invalidates]`: what a function changes is forgotten once it has succeeded, and not before.

use crate::support::{Calls, block_on, fresh};
use larder::{Runtime, cached, invalidates};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

type Outcome = Result<u64, String>;

static READS: Calls = Calls::new();

/// Returns a number that is greater each time.
#[cached(tags("user:{id}"))]
fn user(id: u64) -> u64 {
    let _ = id;
    READS.note()
}

#[cached]
async fn ranking(size: usize) -> usize {
    size
}

#[invalidates(tags = ["user:{id}"])]
fn rename(id: u64, name: String, fails: bool) -> Outcome {
    if fails {
        Err("on purpose")?;
    }
    // It may take what a tag names.
    drop(name);
    Ok(id)
}

struct Shop {
    owner: u64,
    sales: Vec<u64>,
}

impl Shop {
    #[invalidates(tags("user:{self.owner}", "sale:{sale}"), on(user, ranking))]
    async fn sell(&mut self, sale: u64) -> &[u64] {
        self.sales.push(sale);
        &self.sales
    }

    #[invalidates(on = user)]
    fn close(&mut self) {
        assert!(!self.sales.is_empty(), "on purpose");
        self.sales.clear();
    }
}

#[test]
fn what_a_change_makes_invalid_is_forgotten_once_it_has_succeeded() {
    fresh().0.with(|| {
        let users = || [user(1), user(2)];
        let before = users();
        assert_eq!(rename(1, "no".to_owned(), true), Err("on purpose".to_owned()));
        assert_eq!(users(), before, "it failed");
        assert_eq!(rename(1, "one".to_owned(), false), Ok(1));
        let after = users();
        assert!(after[0] > before[0], "it is served still");
        assert_eq!(after[1], before[1], "it is another one");
    });
}

#[test]
fn a_change_that_panics_invalidates_nothing() {
    fresh().0.with(|| {
        let mut shop = Shop { owner: 1, sales: Vec::new() };
        let before = user(1);
        assert!(catch_unwind(AssertUnwindSafe(|| shop.close())).is_err());
        assert_eq!(user(1), before);
        shop.sales.push(7);
        shop.close();
        assert!(user(1) > before);
    });
}

#[test]
fn all_that_functions_cached_is_forgotten_by_a_future() {
    let check = async {
        let mut shop = Shop { owner: 3, sales: Vec::new() };
        let call = async || {
            let _ = (user(3), user(4), ranking(10).await);
            (user::stats().computations, ranking::stats().computations)
        };
        assert_eq!(call().await, (2, 1));
        assert_eq!(shop.sell(5).await, [5]);
        assert_eq!(call().await, (4, 2), "some of it was not forgotten");
        let stats = larder::stats();
        assert_eq!((stats.invalidations_tags, stats.invalidations_functions), (1, 2));
    };
    block_on(fresh().0.scope(check));
}

#[test]
fn what_changes_it_may_be_the_first_to_call_it() {
    static READS: Calls = Calls::new();

    // What it is called is known once it has been.
    #[cached]
    fn balance(account: u64) -> u64 {
        let _ = account;
        READS.note()
    }

    #[invalidates(on = balance)]
    fn pay(account: u64) -> u64 {
        balance(account)
    }

    let (runtime, _clock) = fresh();
    runtime.with(|| {
        let before = pay(1);
        assert!(balance(1) > before);
    });
}

/// C1: also where it is kept in a runtime of its own.
#[test]
fn what_changes_it_reaches_a_function_in_a_runtime_of_its_own() {
    static READS: Calls = Calls::new();
    static OWN: LazyLock<Runtime> = LazyLock::new(|| fresh().0);

    #[cached(runtime = OWN.clone(), tags("rates"))]
    fn rate(country: u64) -> u64 {
        let _ = country;
        READS.note()
    }

    #[cached]
    fn here(country: u64) -> u64 {
        let _ = country;
        READS.note()
    }

    #[invalidates(on(rate, here))]
    fn decide(_: u64) {}

    #[invalidates(on = rate)]
    async fn decide_async(_: u64) {}

    let (runtime, _clock) = fresh();
    runtime.with(|| {
        let before = [rate(1), here(1)];
        decide(1);
        let after = [rate(1), here(1)];
        assert!(after[0] > before[0] && after[1] > before[1], "{before:?} {after:?}");
        let stats = [OWN.stats(), runtime.stats()].map(|it| it.invalidations_functions);
        assert_eq!(stats, [1, 1]);
    });
    block_on(runtime.scope(async {
        let before = rate(1);
        decide_async(1).await;
        assert!(rate(1) > before);
    }));
}
