//! C1, by everything that can be named: once an invalidation has returned, no call that starts later
//! gets a value whose computation began before it. What was not named stays.

use crate::support::{
    Calls, everywhere, everywhere_alone, everywhere_async, everywhere_async_alone, run,
};
use larder::{blocking, cached};

/// Calls `f` with each number, and returns those that were computed.
fn computed(calls: &Calls, f: impl Fn(u64) -> u64, of: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let ran = |id: &u64| {
        calls.taken();
        assert_eq!(f(*id), *id);
        calls.taken() > 0
    };
    of.into_iter().filter(ran).collect()
}

async fn computed_async(
    calls: &Calls,
    f: impl AsyncFn(u64) -> u64,
    of: impl IntoIterator<Item = u64>,
) -> Vec<u64> {
    let mut ran = Vec::new();
    for id in of {
        calls.taken();
        assert_eq!(f(id).await, id);
        if calls.taken() > 0 {
            ran.push(id);
        }
    }
    ran
}

#[test]
fn a_key_is_forgotten_alone() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        assert_eq!(computed(&CALLS, same, 0..5), [0, 1, 2, 3, 4]);
        same::invalidate(2).unwrap();
        assert_eq!(same::peek(2), None);
        assert_eq!(computed(&CALLS, same, 0..5), [2]);
    });
}

#[test]
fn a_key_of_an_async_function_is_forgotten_alone() {
    static CALLS: Calls = Calls::new();

    #[cached]
    async fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_async(|| async {
        assert_eq!(computed_async(&CALLS, same, 0..5).await, [0, 1, 2, 3, 4]);
        same::invalidate(2).await.unwrap();
        assert_eq!(same::peek(2).await, None);
        assert_eq!(computed_async(&CALLS, same, 0..5).await, [2]);
    });
}

#[test]
fn a_key_by_a_handle_on_a_method_is_forgotten_alone() {
    static CALLS: Calls = Calls::new();

    struct Shop {
        tenant: String,
    }

    impl Shop {
        #[cached(key(self.tenant, id), handle = same_entry)]
        fn same(&self, id: u64) -> u64 {
            CALLS.note();
            id
        }
    }

    everywhere(|| {
        let [here, there] = ["here", "there"].map(|it| Shop { tenant: it.to_owned() });
        computed(&CALLS, |id| here.same(id), 0..3);
        computed(&CALLS, |id| there.same(id), 0..3);
        here.same_entry(1).invalidate().unwrap();
        assert_eq!(computed(&CALLS, |id| here.same(id), 0..3), [1]);
        assert_eq!(computed(&CALLS, |id| there.same(id), 0..3), []);
    });
}

#[test]
fn a_tag_takes_everything_that_carries_it_and_nothing_else() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("inv-tag:{id}", "inv-parity:{id.is_multiple_of_two()}"))]
    fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    trait Parity {
        fn is_multiple_of_two(&self) -> bool;
    }

    impl Parity for u64 {
        fn is_multiple_of_two(&self) -> bool {
            self.is_multiple_of(2)
        }
    }

    everywhere(|| {
        computed(&CALLS, same, 0..6);
        blocking::invalidate_tag("inv-tag:3").unwrap();
        assert_eq!(computed(&CALLS, same, 0..6), [3]);
        blocking::invalidate_tag("inv-parity:true").unwrap();
        assert_eq!(computed(&CALLS, same, 0..6), [0, 2, 4]);
        blocking::invalidate_tag("inv-tag:").unwrap();
        assert_eq!(computed(&CALLS, same, 0..6), []);
    });
}

#[test]
fn a_tag_takes_entries_of_several_functions() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("inv-shared:{id}"))]
    fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    #[cached(tags("inv-shared:{id}"))]
    async fn same_async(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_async(|| async {
        computed(&CALLS, same, 0..3);
        computed_async(&CALLS, same_async, 0..3).await;
        larder::invalidate_tag("inv-shared:1").await.unwrap();
        assert_eq!(computed(&CALLS, same, 0..3), [1]);
        assert_eq!(computed_async(&CALLS, same_async, 0..3).await, [1]);
    });
}

#[test]
fn any_of_several_tags_is_enough() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("inv-any:{id}"))]
    fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        computed(&CALLS, same, 0..6);
        blocking::invalidate_tags(["inv-any:1", "inv-any:4", "inv-any:9"]).unwrap();
        assert_eq!(computed(&CALLS, same, 0..6), [1, 4]);
        blocking::invalidate_tags([""; 0]).unwrap();
        assert_eq!(computed(&CALLS, same, 0..6), []);
    });
}

#[test]
fn all_of_several_tags_are_needed() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("inv-all-{a}", "inv-all-{b}"), key(a, b))]
    fn sum(a: u64, b: u64) -> u64 {
        CALLS.note();
        a + b
    }

    everywhere(|| {
        let ran = || {
            let pairs = [(1, 2), (2, 1), (1, 3), (2, 3), (1, 1)];
            CALLS.taken();
            pairs.map(|(a, b)| (sum(a, b), CALLS.taken()).1)
        };
        ran();
        assert_eq!(ran(), [0; 5]);
        blocking::invalidate_tagged_with_all(["inv-all-1", "inv-all-2"]).unwrap();
        assert_eq!(ran(), [1, 1, 0, 0, 0]);
        blocking::invalidate_tagged_with_all(["inv-all-1"]).unwrap();
        assert_eq!(ran(), [1, 1, 1, 0, 1]);
        blocking::invalidate_tagged_with_all(["inv-all-1", "inv-all-9"]).unwrap();
        blocking::invalidate_tagged_with_all([""; 0]).unwrap();
        assert_eq!(ran(), [0; 5]);
    });
}

#[test]
fn a_function_is_forgotten_by_the_name_that_stats_show() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    #[cached]
    fn other(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        computed(&CALLS, same, 0..3);
        computed(&CALLS, other, 0..3);
        blocking::invalidate_function(same::stats().name).unwrap();
        assert_eq!(computed(&CALLS, same, 0..3), [0, 1, 2]);
        assert_eq!(computed(&CALLS, other, 0..3), []);
        blocking::invalidate_function("same").unwrap();
        assert_eq!(computed(&CALLS, same, 0..3), []);
    });
}

#[test]
fn a_method_of_a_trait_is_forgotten_by_the_name_that_stats_show() {
    static CALLS: Calls = Calls::new();

    trait Engine {
        fn decide(&self, id: u64) -> u64;
    }

    struct Plain;

    impl Engine for Plain {
        #[cached(skip(self))]
        fn decide(&self, id: u64) -> u64 {
            CALLS.note();
            id
        }
    }

    everywhere(|| {
        let engine: &dyn Engine = &Plain;
        computed(&CALLS, |id| engine.decide(id), 0..3);
        let named =
            |name: &str| name.contains("a_method_of_a_trait_is") && name.ends_with("decide");
        let stats = larder::stats();
        let names: Vec<_> = stats.functions.iter().filter(|it| named(&it.name)).collect();
        assert_eq!(names.len(), 1, "{stats}");
        blocking::invalidate_function(&names[0].name).unwrap();
        assert_eq!(computed(&CALLS, |id| engine.decide(id), 0..3), [0, 1, 2]);
    });
}

#[test]
fn a_provided_method_is_forgotten_for_all_its_types_by_the_name_that_statistics_show() {
    static CALLS: Calls = Calls::new();

    trait Engine {
        #[cached(skip(self))]
        fn decide(&self, id: u64) -> u64 {
            CALLS.note();
            id
        }
    }

    struct One;
    struct Other;
    impl Engine for One {}
    impl Engine for Other {}

    everywhere(|| {
        computed(&CALLS, |id| One.decide(id), 0..3);
        computed(&CALLS, |id| Other.decide(id), 0..3);
        let named = |name: &str| name.contains("a_provided_method_is") && name.ends_with("decide");
        let stats = larder::stats();
        let name = stats.functions.iter().map(|it| &it.name).find(|it| named(it)).expect("called");
        blocking::invalidate_function(name).unwrap();
        assert_eq!(computed(&CALLS, |id| One.decide(id), 0..3), [0, 1, 2]);
        assert_eq!(computed(&CALLS, |id| Other.decide(id), 0..3), [0, 1, 2]);
    });
}

#[test]
fn a_function_with_a_name_is_forgotten_by_it() {
    static CALLS: Calls = Calls::new();

    #[cached(name = "inv-named")]
    fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_async(|| async {
        computed(&CALLS, same, 0..3);
        assert_eq!(same::stats().name, "inv-named");
        larder::invalidate_function("inv-named").await.unwrap();
        assert_eq!(computed(&CALLS, same, 0..3), [0, 1, 2]);
    });
}

#[test]
fn all_instantiations_are_forgotten_with_their_function() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn same<const N: u64>(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        computed(&CALLS, same::<1>, 0..3);
        computed(&CALLS, same::<2>, 0..3);
        blocking::invalidate_function(same::stats().name).unwrap();
        assert_eq!(computed(&CALLS, same::<1>, 0..3), [0, 1, 2]);
        assert_eq!(computed(&CALLS, same::<2>, 0..3), [0, 1, 2]);
        same::invalidate_all().unwrap();
        assert_eq!(computed(&CALLS, same::<1>, 0..3), [0, 1, 2]);
        assert_eq!(computed(&CALLS, same::<2>, 0..3), [0, 1, 2]);
    });
}

#[test]
fn a_companion_forgets_all_of_its_function() {
    static CALLS: Calls = Calls::new();

    #[cached]
    async fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    #[cached]
    fn other(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_async(|| async {
        computed_async(&CALLS, same, 0..3).await;
        computed(&CALLS, other, 0..3);
        same::invalidate_all().await.unwrap();
        assert_eq!(computed_async(&CALLS, same, 0..3).await, [0, 1, 2]);
        assert_eq!(computed(&CALLS, other, 0..3), []);
        other::invalidate_all().unwrap();
        assert_eq!(computed_async(&CALLS, same, 0..3).await, []);
        assert_eq!(computed(&CALLS, other, 0..3), [0, 1, 2]);
    });
}

#[test]
fn everything_is_everything() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    #[cached(tags("inv-everything"))]
    async fn same_async(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_async_alone(|_| async {
        computed(&CALLS, same, 0..3);
        computed_async(&CALLS, same_async, 0..3).await;
        larder::invalidate_all().await.unwrap();
        assert_eq!(computed(&CALLS, same, 0..3), [0, 1, 2]);
        assert_eq!(computed_async(&CALLS, same_async, 0..3).await, [0, 1, 2]);
        assert_eq!(computed(&CALLS, same, 0..3), []);
    });
    everywhere_alone(|_| {
        computed(&CALLS, same, 0..3);
        blocking::invalidate_all().unwrap();
        assert_eq!(computed(&CALLS, same, 0..3), [0, 1, 2]);
    });
}

#[test]
fn a_tag_named_in_the_body_is_as_good_as_a_declared_one() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn same(id: u64) -> u64 {
        CALLS.note();
        larder::tag(format!("inv-found:{id}"));
        id
    }

    #[cached]
    async fn same_async(id: u64) -> u64 {
        CALLS.note();
        tokio::task::yield_now().await;
        larder::tag(format!("inv-found-async:{id}"));
        id
    }

    everywhere_async(|| async {
        computed(&CALLS, same, 0..4);
        computed_async(&CALLS, same_async, 0..4).await;
        larder::invalidate_tags(["inv-found:2", "inv-found-async:3"]).await.unwrap();
        assert_eq!(computed(&CALLS, same, 0..4), [2]);
        assert_eq!(computed_async(&CALLS, same_async, 0..4).await, [3]);
    });
}

#[test]
fn a_tag_that_the_value_is_given_is_as_good_as_a_declared_one() {
    static CALLS: Calls = Calls::new();

    fn tags(value: &u64) -> Vec<String> {
        vec![format!("inv-value:{value}"), "inv-values".to_owned()]
    }

    #[cached(tags_for = tags)]
    fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    #[cached(tags_for = tags)]
    async fn same_async(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_async(|| async {
        computed(&CALLS, same, 0..4);
        computed_async(&CALLS, same_async, 0..4).await;
        larder::invalidate_tag("inv-value:2").await.unwrap();
        assert_eq!(computed(&CALLS, same, 0..4), [2]);
        assert_eq!(computed_async(&CALLS, same_async, 0..4).await, [2]);
        larder::invalidate_tag("inv-values").await.unwrap();
        assert_eq!(computed(&CALLS, same, 0..4), [0, 1, 2, 3]);
    });
}

#[test]
fn a_tag_outside_of_any_computation_does_nothing() {
    everywhere(|| larder::tag("inv-nowhere"));
}

#[test]
fn an_invalidation_on_another_thread_is_seen_by_this_one() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("inv-thread:{id}"))]
    fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        computed(&CALLS, same, 0..3);
        for _ in 0..10 {
            assert_eq!(computed(&CALLS, same, 0..3), []);
        }
        let place = larder::inherit(async {
            blocking::invalidate_tag("inv-thread:1").unwrap();
        });
        run("the invalidating thread", || futures_lite::future::block_on(place)).ended();
        assert_eq!(computed(&CALLS, same, 0..3), [1]);
    });
}

#[test]
fn the_root_s_invalidations_speak_to_the_runtime_in_use_and_to_no_other() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("inv-one-runtime"), key = "inv-one-runtime:{id}")]
    fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        computed(&CALLS, same, 0..3);
        crate::support::fresh().0.with(|| {
            blocking::invalidate_tag("inv-one-runtime").unwrap();
            blocking::invalidate_pattern("inv-one-runtime:*").unwrap();
            blocking::invalidate_function(same::stats().name).unwrap();
            blocking::invalidate_all().unwrap();
            same::invalidate(1).unwrap();
            same::invalidate_all().unwrap();
        });
        assert_eq!(computed(&CALLS, same, 0..3), []);
    });
}

#[test]
fn a_runtime_s_own_invalidations_speak_to_it_wherever_they_are_called() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("inv-own-{id}", "inv-own"), key = "inv-own:{id}")]
    fn same(id: u64) -> u64 {
        CALLS.note();
        id
    }

    let (runtime, _) = crate::support::fresh();
    let ran = || runtime.with(|| computed(&CALLS, same, 0..3));
    ran();
    futures_lite::future::block_on(async {
        runtime.invalidate_tag("inv-own-0").await.unwrap();
        assert_eq!(ran(), [0]);
        runtime.invalidate_tags(["inv-own-0", "inv-own-1"]).await.unwrap();
        assert_eq!(ran(), [0, 1]);
        runtime.invalidate_tagged_with_all(["inv-own", "inv-own-2"]).await.unwrap();
        assert_eq!(ran(), [2]);
        runtime.invalidate_pattern("inv-own:1").await.unwrap();
        assert_eq!(ran(), [1]);
        let name = runtime.with(|| same::stats().name);
        runtime.invalidate_function(name).await.unwrap();
        assert_eq!(ran(), [0, 1, 2]);
        runtime.invalidate_all().await.unwrap();
        assert_eq!(ran(), [0, 1, 2]);
        assert_eq!(ran(), []);
    });
}
