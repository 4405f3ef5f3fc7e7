//! What stands beside a cached function: put, refresh, uncached, peek, explain, and handles.

use crate::support::{Calls, Stage, everywhere, everywhere_alone, everywhere_async, fresh, run};
use futures_lite::future::poll_once;
use larder::{Miss, cached};
use std::sync::Arc;
use std::time::Duration;

static SOURCE: Calls = Calls::new();

#[test]
fn put_stores_a_value_without_running_the_body() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("companion-put:{id}"), ttl = "10s")]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_alone(|clock| {
        number::put(1, 77);
        assert_eq!((number(1), number(2)), (77, 2));
        number::put(2, 88);
        assert_eq!((number(1), number(2)), (77, 88), "what was cached is replaced");
        assert_eq!(CALLS.taken(), 1);
        larder::blocking::invalidate_tag("companion-put:1").unwrap();
        assert_eq!((number(1), number(2)), (1, 88), "it carries the tags of the call");
        clock.advance(Duration::from_secs(10));
        assert_eq!(number(2), 2, "it lives as long as a computed one");
        number::invalidate_all().unwrap();
        CALLS.taken();
    });
}

#[test]
fn put_into_an_async_function_does_the_same() {
    static CALLS: Calls = Calls::new();

    #[cached]
    async fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_async(|| async {
        number(1).await;
        number::put(1, 77).await;
        assert_eq!(number(1).await, 77);
        assert_eq!(CALLS.taken(), 1);
        number::invalidate(1).await.unwrap();
    });
}

#[test]
fn put_counts_as_a_store_and_not_as_a_computation() {
    #[cached]
    fn number(id: u64) -> u64 {
        id
    }

    let (runtime, _) = fresh();
    runtime.with(|| {
        number::put(1, 77);
        let stats = number::stats();
        assert_eq!((stats.stores, stats.computations), (1, 0));
        assert_eq!(stats.computation_time.count(), 0);
    });
}

#[test]
fn put_reaches_callers_of_the_function() {
    #[cached]
    fn inner(id: u64) -> u64 {
        id
    }

    #[cached]
    fn outer(id: u64) -> u64 {
        inner(id)
    }

    everywhere(|| {
        assert_eq!(outer(1), 1);
        inner::put(1, 77);
        assert_eq!(outer(1), 77);
        outer::invalidate_all().unwrap();
        inner::invalidate_all().unwrap();
    });
}

#[test]
fn put_where_nothing_is_kept_runs_no_body_and_keeps_nothing() {
    static CALLS: Calls = Calls::new();

    #[cached(context, when = id > 0)]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        number::put(1, 77);
        assert_eq!(CALLS.taken(), 0, "without the context it is keyed by");
        larder::ambient::with("tenant", || {
            number::put(0, 77);
            assert_eq!(CALLS.taken(), 0, "when it is not to be cached");
            assert_eq!(number(0), 0);
        });
        CALLS.taken();
    });
}

#[test]
fn put_never_reaches_another_call() {
    #[cached(when = id > 0)]
    fn number(id: u64) -> u64 {
        if id == 0 { number(1) } else { id }
    }

    struct Shop;

    impl Shop {
        #[cached(skip(self), handle = price_entry)]
        fn price(&self, id: u64) -> u64 {
            id
        }
    }

    everywhere(|| {
        number::put(0, 77);
        assert_eq!(number(1), 1, "a call in the body of the one that was meant");
        Shop.price_entry(2).put(77, || Shop.price(Shop.price(1) + 1));
        assert_eq!((Shop.price(1), Shop.price(2)), (1, 77), "a call before the one that was meant");
        number::invalidate_all().unwrap();
        Shop.price_entry(2).invalidate().unwrap();
    });
}

#[test]
fn refresh_computes_and_its_value_is_what_is_served_then() {
    #[cached]
    fn current() -> u64 {
        SOURCE.note()
    }

    everywhere(|| {
        let first = current();
        for _ in 0..3 {
            assert_eq!(current(), first);
        }
        let second = current::refresh();
        assert!(second > first);
        for _ in 0..3 {
            assert_eq!(current(), second);
        }
        current::invalidate().unwrap();
    });
}

#[test]
fn refresh_of_an_async_function_does_the_same() {
    #[cached]
    async fn current() -> u64 {
        tokio::task::yield_now().await;
        SOURCE.note()
    }

    everywhere_async(|| async {
        let first = current().await;
        assert_eq!(current().await, first);
        let second = current::refresh().await;
        assert!(second > first);
        assert_eq!((current().await, current().await), (second, second));
        current::invalidate().await.unwrap();
    });
}

#[test]
fn refresh_is_seen_by_threads_that_had_the_value_at_hand() {
    #[cached]
    fn current() -> u64 {
        SOURCE.note()
    }

    everywhere(|| {
        let first = current();
        assert_eq!((current(), current()), (first, first));
        let other = larder::inherit(async { current::refresh() });
        let second = run("the refreshing thread", || futures_lite::future::block_on(other)).ended();
        assert_eq!((current(), current()), (second, second));
        current::invalidate().unwrap();
    });
}

#[test]
fn what_is_cached_is_served_while_a_refresh_runs() {
    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> u64 {
        stage.act()
    }

    everywhere(|| {
        assert_eq!(slow(&Stage::open()), 1);
        let stage = Arc::new(Stage::default());
        stage.calls.note();
        let inside = Arc::clone(&stage);
        let call = larder::inherit(async move { slow::refresh(&inside) });
        let running = run("the refresh", || futures_lite::future::block_on(call));
        stage.entered.wait("the refreshing body");
        assert_eq!(slow(&stage), 1);
        stage.leave.open();
        assert_eq!(running.ended(), 2);
        assert_eq!(slow(&stage), 2);
        slow::invalidate().unwrap();
    });
}

/// F3: of two computations beside each other, the one that began later stays, whichever ends first.
#[test]
fn a_refresh_does_not_replace_what_began_later() {
    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> u64 {
        stage.act()
    }

    let refresh = |stage: &Arc<Stage>| {
        let stage = Arc::clone(stage);
        let call = larder::inherit(async move { slow::refresh(&stage) });
        run("a refresh", || futures_lite::future::block_on(call))
    };
    everywhere(|| {
        let [first, second] = [(); 2].map(|()| Arc::new(Stage::default()));
        second.calls.note();
        let earlier = refresh(&first);
        first.entered.wait("the first body");
        let later = refresh(&second);
        second.entered.wait("the second body");
        second.leave.open();
        assert_eq!(later.ended(), 2);
        first.leave.open();
        assert_eq!(earlier.ended(), 1);
        assert_eq!(slow::peek(), Some(2));
        slow::invalidate().unwrap();
    });
}

#[test]
fn a_refresh_does_not_keep_what_began_later_from_being_stored() {
    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> u64 {
        stage.act()
    }

    everywhere(|| {
        let [first, second] = [(); 2].map(|()| Arc::new(Stage::default()));
        second.calls.note();
        let stage = Arc::clone(&first);
        let call = larder::inherit(async move { slow::refresh(&stage) });
        let refresh = run("the refresh", || futures_lite::future::block_on(call));
        first.entered.wait("the first body");
        let stage = Arc::clone(&second);
        let call = larder::inherit(async move { slow(&stage) });
        let call = run("the call", || futures_lite::future::block_on(call));
        second.entered.wait("the second body");
        first.leave.open();
        assert_eq!((refresh.ended(), slow::peek()), (1, Some(1)));
        // This thread has a copy of it then.
        assert_eq!([(); 3].map(|()| slow(&first)), [1, 1, 1]);
        second.leave.open();
        assert_eq!((call.ended(), slow::peek()), (2, Some(2)));
        assert_eq!(slow(&first), 2);
        slow::invalidate().unwrap();
    });
}

#[test]
fn who_takes_a_computation_over_begins_later_than_a_refresh_before_that() {
    #[cached(skip(stage))]
    async fn slow(stage: &Stage) -> u64 {
        stage.act_async().await
    }

    let stages = [(); 3].map(|()| Stage::default());
    stages[1].calls.note();
    stages[2].calls.note();
    stages[2].calls.note();
    let runtime = crate::support::fresh().0;
    futures_lite::future::block_on(runtime.scope(async {
        let [mut leader, mut heir] = [&stages[0], &stages[2]].map(|it| Box::pin(slow(it)));
        let mut refresh = Box::pin(slow::refresh(&stages[1]));
        assert!(poll_once(leader.as_mut()).await.is_none());
        assert!(poll_once(heir.as_mut()).await.is_none());
        assert!(poll_once(refresh.as_mut()).await.is_none());
        drop(leader);
        assert!(poll_once(heir.as_mut()).await.is_none());
        assert_eq!(stages[2].calls.so_far(), 3, "it has taken over");
        stages[2].leave.open();
        assert_eq!(heir.await, 3);
        stages[1].leave.open();
        assert_eq!(refresh.await, 2);
        assert_eq!(slow::peek().await, Some(3));
    }));
}

#[test]
fn uncached_computes_and_leaves_the_cache_alone() {
    #[cached]
    fn current() -> u64 {
        SOURCE.note()
    }

    #[cached]
    async fn current_async() -> u64 {
        SOURCE.note()
    }

    everywhere_async(|| async {
        let before = current::stats().bypasses_asked;
        assert_ne!(current::uncached(), current::uncached());
        assert_eq!(current::peek(), None);
        let kept = current();
        assert_ne!(current::uncached(), kept);
        assert_eq!(current(), kept);
        assert_eq!(current::stats().bypasses_asked - before, 3);
        let kept = current_async().await;
        assert_ne!(current_async::uncached().await, kept);
        assert_eq!(current_async().await, kept);
        current::invalidate().unwrap();
        current_async::invalidate().await.unwrap();
    });
}

#[test]
fn uncached_speaks_of_the_call_alone_and_not_of_what_it_calls() {
    static INNER: Calls = Calls::new();

    #[cached]
    fn inner() -> u64 {
        INNER.note()
    }

    #[cached]
    fn outer() -> u64 {
        inner()
    }

    everywhere(|| {
        let kept = inner();
        assert_eq!((outer::uncached(), outer::uncached()), (kept, kept));
        assert_eq!(INNER.so_far(), kept);
        inner::invalidate().unwrap();
    });
}

#[test]
fn peek_and_explain_never_compute() {
    static CALLS: Calls = Calls::new();

    #[cached(ttl = "10s", tags("companion-explain"))]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_alone(|clock| {
        let missing = |why: &str, sentence: &str| {
            assert_eq!(number::peek(1), None);
            let explained = number::explain(1);
            assert!(format!("{:?}", explained.state).contains(why), "{explained:?}");
            assert!(explained.to_string().contains(sentence), "{explained}");
        };
        number::invalidate_all().unwrap();
        missing(&format!("{:?}", Miss::Absent), "no entry");
        number(1);
        clock.advance(Duration::from_secs(4));
        assert_eq!(number::peek(1), Some(1));
        let explained = number::explain(1);
        let fresh = "Fresh { tier: L1, age: 4s, left: Some(6s), is_due: false }";
        assert_eq!(format!("{:?}", explained.state), fresh);
        assert!(explained.to_string().contains("would be served"), "{explained}");
        clock.advance(Duration::from_secs(6));
        missing(&format!("{:?}", Miss::Expired), "expired");
        number(1);
        larder::blocking::invalidate_tag("companion-explain").unwrap();
        missing(&format!("{:?}", Miss::Invalidated), "invalidated");
        assert_eq!(CALLS.taken(), 2);
        // As if nobody had been here.
        number::invalidate(1).unwrap();
    });
}

#[test]
fn explain_says_what_is_missing_around_the_call() {
    #[cached(context)]
    fn contextual() -> u64 {
        1
    }

    #[cached(scope = "request")]
    fn scoped() -> u64 {
        1
    }

    everywhere(|| {
        assert!(contextual::explain().to_string().contains("ambient context"));
        assert!(scoped::explain().to_string().contains("session or request"));
        larder::ambient::with(1_u8, || {
            contextual();
            assert!(contextual::explain().to_string().contains("would be served"));
        });
        larder::request::with("companion", || {
            scoped();
            assert!(scoped::explain().to_string().contains("would be served"));
        });
    });
}

#[test]
fn an_error_is_kept_apart_from_what_peek_shows() {
    #[cached]
    fn fails(id: u64) -> Result<u64, String> {
        if id == 0 { Err("no".to_owned()) } else { Ok(id) }
    }

    everywhere(|| {
        assert_eq!(fails(0), Err("no".to_owned()));
        assert_eq!(fails::peek(0), None);
        assert_eq!(fails(1), Ok(1));
        assert_eq!(fails::peek(1), Some(Ok(1)));
    });
}

#[test]
fn a_companion_can_have_another_name_or_none() {
    #[cached(handle = Pricing)]
    fn price(id: u64) -> u64 {
        id
    }

    // In the way of a companion.
    mod shelf {}

    #[cached(handle = none)]
    fn shelf(id: u64) -> u64 {
        id
    }

    everywhere(|| {
        price(1);
        assert_eq!(Pricing::peek(1), Some(1));
        Pricing::invalidate(1).unwrap();
        assert_eq!(Pricing::peek(1), None);
        assert_eq!(shelf(1), 1);
    });
}
