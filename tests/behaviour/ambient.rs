//! The ambient context: what is set there is part of the key of functions with `context`, and of no
//! others. K4: without any, such a call is computed and not cached, and counted.

use crate::support::{Calls, everywhere, everywhere_async, run};
use larder::{ambient, cached};
use std::hash::{Hash, Hasher};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Permissions(Vec<&'static str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Tenant(u64);

fn permissions(of: &[&'static str]) -> Permissions {
    Permissions(of.to_vec())
}

#[test]
fn permissions_change_the_key() {
    static CALLS: Calls = Calls::new();

    #[cached(context)]
    fn decide(symbol: &str) -> u64 {
        let _ = symbol;
        CALLS.note()
    }

    everywhere(|| {
        CALLS.taken();
        let call = |of: &[&'static str]| ambient::with(permissions(of), || decide("a"));
        let first = [call(&["read"]), call(&["read", "write"]), call(&[])];
        let again = [call(&["read"]), call(&["read", "write"]), call(&[])];
        assert_eq!(first, again);
        assert_eq!(CALLS.so_far(), 3);
    });
}

#[test]
fn a_function_without_context_does_not_know_of_it() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn decide(symbol: &str) -> u64 {
        let _ = symbol;
        CALLS.note()
    }

    everywhere(|| {
        decide("a");
        ambient::with(Tenant(1), || decide("a"));
        ambient::with(Tenant(2), || decide("a"));
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn without_a_context_a_call_is_computed_and_counted_as_a_bypass() {
    static CALLS: Calls = Calls::new();

    #[cached(context)]
    fn decide(symbol: &str) -> u64 {
        let _ = symbol;
        CALLS.note()
    }

    #[cached(context)]
    async fn decide_async(symbol: &str) -> u64 {
        let _ = symbol;
        CALLS.note()
    }

    everywhere_async(|| async {
        let (before, before_async) = (decide::stats(), decide_async::stats());
        for _ in 0..3 {
            decide("a");
            decide_async("a").await;
        }
        assert_eq!(CALLS.taken(), 6);
        let (after, after_async) = (decide::stats(), decide_async::stats());
        assert_eq!(after.bypasses_context - before.bypasses_context, 3);
        assert_eq!(after_async.bypasses_context - before_async.bypasses_context, 3);
        assert_eq!((after.entries, after_async.entries), (0, 0));
        assert_eq!((after.misses(), after_async.misses()), (0, 0));
        assert_eq!(decide::peek("a"), None);
    });
}

#[test]
fn values_of_several_types_are_ambient_together() {
    static CALLS: Calls = Calls::new();

    #[cached(context)]
    fn decide(symbol: &str) -> u64 {
        let _ = symbol;
        CALLS.note()
    }

    everywhere(|| {
        CALLS.taken();
        let both = |tenant, of: &[&'static str]| {
            ambient::with(Tenant(tenant), || ambient::with(permissions(of), || decide("a")))
        };
        let turned = |tenant, of: &[&'static str]| {
            ambient::with(permissions(of), || ambient::with(Tenant(tenant), || decide("a")))
        };
        let first = both(1, &["read"]);
        assert_eq!(turned(1, &["read"]), first, "whichever was set first");
        assert_ne!(both(2, &["read"]), first);
        assert_ne!(both(1, &["write"]), first);
        assert_ne!(ambient::with(Tenant(1), || decide("a")), first);
        assert_ne!(ambient::with(permissions(&["read"]), || decide("a")), first);
        assert_eq!(CALLS.taken(), 5);
    });
}

#[test]
fn an_inner_value_stands_in_place_of_an_outer_one_of_its_type() {
    static CALLS: Calls = Calls::new();

    #[cached(context)]
    fn decide(symbol: &str) -> u64 {
        let _ = symbol;
        CALLS.note()
    }

    everywhere(|| {
        CALLS.taken();
        let two = ambient::with(Tenant(2), || decide("a"));
        ambient::with(Tenant(1), || {
            let one = decide("a");
            assert_ne!(one, two);
            assert_eq!(ambient::with(Tenant(2), || decide("a")), two);
            assert_eq!(decide("a"), one, "the outer one is back");
        });
        assert_eq!(CALLS.taken(), 2);
    });
}

#[test]
fn values_of_two_types_never_meet() {
    #[derive(PartialEq, Eq, Hash)]
    struct Other(u64);

    static CALLS: Calls = Calls::new();

    #[cached(context)]
    fn decide(symbol: &str) -> u64 {
        let _ = symbol;
        CALLS.note()
    }

    everywhere(|| {
        let one = ambient::with(Tenant(1), || decide("a"));
        let other = ambient::with(Other(1), || decide("a"));
        let plain = ambient::with(1_u64, || decide("a"));
        assert!(one != other && other != plain && one != plain);
    });
}

#[test]
fn contexts_with_equal_hashes_never_meet() {
    #[derive(PartialEq, Eq)]
    struct Alike(u64);

    impl Hash for Alike {
        fn hash<H: Hasher>(&self, state: &mut H) {
            state.write_u64(0);
        }
    }

    #[cached(context, skip(of))]
    fn whose(of: u64) -> u64 {
        of
    }

    everywhere(|| {
        for _ in 0..3 {
            for of in 0..20 {
                assert_eq!(ambient::with(Alike(of), || whose(of)), of);
            }
        }
    });
}

#[test]
fn the_context_crosses_an_await() {
    static CALLS: Calls = Calls::new();

    #[cached(context, skip(of))]
    async fn whose(of: u64) -> u64 {
        CALLS.note();
        tokio::task::yield_now().await;
        of
    }

    everywhere_async(|| async {
        let call = |of: u64| {
            ambient::scope(Tenant(of), async move {
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                    assert_eq!(whose(of).await, of);
                }
                let nested = ambient::scope(Tenant(of + 10), whose(of + 10)).await;
                assert_eq!((nested, whose(of).await), (of + 10, of));
            })
        };
        tokio::join!(call(1), call(2), call(3));
        assert_eq!(CALLS.taken(), 6);
    });
}

#[test]
fn the_context_comes_along_with_inherit_and_not_without() {
    #[cached(context)]
    async fn number(id: u64) -> u64 {
        id
    }

    #[cached(context)]
    fn plain(id: u64) -> u64 {
        id
    }

    everywhere_async(|| async {
        let (before, before_plain) = (number::stats(), plain::stats());
        ambient::scope(Tenant(1), async {
            tokio::spawn(larder::inherit(async { number(1).await })).await.unwrap();
            let call = larder::inherit(async { plain(1) });
            run("a thread", || futures_lite::future::block_on(call)).ended();
        })
        .await;
        assert_eq!(number::stats().bypasses_context, before.bypasses_context);
        assert_eq!(plain::stats().bypasses_context, before_plain.bypasses_context);
        let without = tokio::spawn(ambient::scope(Tenant(1), async {
            tokio::spawn(async { number(1).await }).await.unwrap()
        }));
        assert_eq!(without.await.unwrap(), 1);
    });
}

#[test]
fn invalidate_speaks_of_the_context_it_is_called_in() {
    static CALLS: Calls = Calls::new();

    #[cached(context, tags("ambient-tag"))]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        let ran = |tenant| {
            CALLS.taken();
            ambient::with(Tenant(tenant), || number(1));
            CALLS.taken()
        };
        assert_eq!((ran(1), ran(2), ran(1), ran(2)), (1, 1, 0, 0));
        ambient::with(Tenant(1), || number::invalidate(1).unwrap());
        assert_eq!((ran(1), ran(2)), (1, 0));
        number::invalidate(1).unwrap();
        assert_eq!((ran(1), ran(2)), (0, 0), "outside of both it names a third key");
        larder::blocking::invalidate_tag("ambient-tag").unwrap();
        assert_eq!((ran(1), ran(2)), (1, 1));
        number::invalidate_all().unwrap();
        assert_eq!((ran(1), ran(2)), (1, 1));
        number::invalidate_all().unwrap();
    });
}

#[test]
fn the_context_is_part_of_a_call_s_digest() {
    #[cached(context)]
    fn number(id: u64) -> u64 {
        id
    }

    everywhere(|| {
        number(1);
        let digest = |tenant| ambient::with(Tenant(tenant), || number::call_context(1).hash64());
        assert_eq!(digest(1), digest(1));
        assert_ne!(digest(1), digest(2));
        assert_ne!(digest(1), number::call_context(1).hash64());
    });
}

#[test]
fn a_body_may_read_the_context_and_is_not_stored_then_unless_it_is_keyed_by_it() {
    static CALLS: Calls = Calls::new();

    #[cached(context)]
    fn keyed(id: u64) -> u64 {
        CALLS.note();
        id + ambient::get::<Tenant>().map_or(0, |it| it.0)
    }

    #[cached]
    fn unkeyed(id: u64) -> u64 {
        CALLS.note();
        id + ambient::get::<Tenant>().map_or(0, |it| it.0)
    }

    #[cached]
    async fn unkeyed_async(id: u64) -> u64 {
        CALLS.note();
        tokio::task::yield_now().await;
        id + ambient::get::<Tenant>().map_or(0, |it| it.0)
    }

    everywhere_async(|| async {
        for _ in 0..3 {
            for of in [10, 20] {
                assert_eq!(ambient::with(Tenant(of), || keyed(1)), of + 1);
                assert_eq!(ambient::with(Tenant(of), || unkeyed(1)), of + 1);
                assert_eq!(ambient::scope(Tenant(of), unkeyed_async(1)).await, of + 1);
            }
            assert_eq!((unkeyed(1), unkeyed_async(1).await), (1, 1));
        }
        assert_eq!(CALLS.taken(), 2 + 9 + 9);
        assert_eq!(unkeyed::stats().bypasses_tenant % 9, 0);
        assert_eq!(ambient::get::<Tenant>(), None);
    });
}
