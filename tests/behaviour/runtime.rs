//! Runtimes: the global one, explicit ones, and that a call needs no executor of any kind.

use crate::support::{
    Calls, Stage, block_on, everywhere, everywhere_async, fresh, in_a_process, run,
};
use larder::testing::ManualClock;
use larder::{ErrorKind, Runtime, blocking, cached};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

#[test]
fn an_installed_runtime_is_the_global_one() {
    static CALLS: Calls = Calls::new();

    #[cached(ttl = "10s")]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    in_a_process(|| {
        let clock = ManualClock::new();
        let runtime = Runtime::builder().namespace("mine").clock(clock.clone()).build().unwrap();
        runtime.install().unwrap();
        number(1);
        number(1);
        clock.advance(Duration::from_secs(10));
        number(1);
        assert_eq!(CALLS.taken(), 2);
        assert_eq!(runtime.with(|| number::stats().hits), 1);
        let error = fresh().0.install().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Installed);
    });
}

#[test]
fn a_runtime_is_not_installed_once_something_was_cached() {
    #[cached]
    fn number(id: u64) -> u64 {
        id
    }

    in_a_process(|| {
        number(1);
        let error = fresh().0.install().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Installed);
        assert!(error.to_string().contains("before any cached function"), "{error}");
        assert_eq!(number::stats().entries, 1);
    });
}

#[test]
fn a_runtime_used_by_with_does_not_stand_in_the_way_of_installing() {
    #[cached]
    fn number(id: u64) -> u64 {
        id
    }

    in_a_process(|| {
        fresh().0.with(|| number(1));
        fresh().0.install().unwrap();
    });
}

#[test]
fn without_any_configuration_calls_are_cached() {
    static CALLS: Calls = Calls::new();

    #[cached(ttl = "1h", tags("runtime-plain"))]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    in_a_process(|| {
        for _ in 0..100 {
            number(1);
        }
        assert_eq!((CALLS.taken(), number::stats().hits), (1, 99));
        blocking::invalidate_tag("runtime-plain").unwrap();
        number(1);
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn two_runtimes_share_nothing() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("runtime-two"))]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        let (one, other) = (fresh().0, fresh().0);
        number(1);
        one.with(|| number(1));
        other.with(|| number(1));
        assert_eq!(CALLS.taken(), 3);
        one.with(|| {
            blocking::invalidate_tag("runtime-two").unwrap();
            number(1);
            other.with(|| number(1));
            assert_eq!(CALLS.taken(), 1);
        });
        number(1);
        assert_eq!(CALLS.taken(), 0);
        assert_eq!(one.with(|| number::stats().computations), 2);
        assert_eq!(other.with(|| number::stats().computations), 1);
        number::invalidate(1).unwrap();
    });
}

#[test]
fn what_is_made_of_another_runtime_s_values_is_not_stored() {
    static OTHER: LazyLock<Runtime> = LazyLock::new(|| fresh().0);
    static SOURCE: AtomicU64 = AtomicU64::new(1);

    #[cached(runtime = &*OTHER, tags("runtime-other"))]
    fn inner() -> u64 {
        SOURCE.load(SeqCst)
    }

    #[cached]
    fn outer() -> u64 {
        inner() * 10
    }

    everywhere(|| {
        let before = SOURCE.load(SeqCst);
        assert_eq!((outer(), outer()), (before * 10, before * 10));
        SOURCE.store(before + 1, SeqCst);
        OTHER.with(|| blocking::invalidate_tag("runtime-other")).unwrap();
        assert_eq!(outer(), (before + 1) * 10);
        assert_eq!((outer::stats().hits, outer::stats().stores), (0, 0));
        assert!(outer::stats().bypasses_dependencies >= 3);
    });
}

#[test]
fn computations_of_two_runtimes_are_not_joined() {
    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> u64 {
        stage.act()
    }

    let (one, other) = (fresh().0, fresh().0);
    let stage = Arc::new(Stage::default());
    let inside = Arc::clone(&stage);
    let leader = run("a caller", move || one.with(|| slow(&inside)));
    stage.entered.wait("the first runtime's body");
    let passing = Stage::open();
    assert_eq!(other.with(|| slow(&passing)), 1);
    stage.leave.open();
    assert_eq!(leader.ended(), 1);
}

#[test]
fn a_runtime_follows_a_future_across_its_awaits_and_to_no_other() {
    #[cached]
    async fn number(id: u64) -> u64 {
        tokio::task::yield_now().await;
        id
    }

    let (one, other) = (fresh().0, fresh().0);
    block_on(async {
        let call = |id: u64| async move {
            for _ in 0..10 {
                tokio::task::yield_now().await;
                assert_eq!(number(id).await, id);
            }
        };
        tokio::join!(one.scope(call(1)), other.scope(call(2)), one.scope(call(3)));
    });
    assert_eq!(one.with(|| (number::stats().computations, number::stats().hits)), (2, 18));
    assert_eq!(other.with(|| (number::stats().computations, number::stats().hits)), (1, 9));
}

#[test]
fn a_runtime_that_nobody_holds_gives_its_values_back() {
    #[cached(skip(value))]
    fn kept(id: u64, value: &Arc<()>) -> Arc<()> {
        let _ = id;
        Arc::clone(value)
    }

    let value = Arc::new(());
    let (runtime, _) = fresh();
    runtime.with(|| (0..100).for_each(|id| drop(kept(id, &value))));
    assert_eq!(Arc::strong_count(&value), 101);
    drop(runtime);
    assert_eq!(Arc::strong_count(&value), 1, "values of a runtime that is gone are kept");
}

#[test]
fn an_async_function_runs_without_any_executor() {
    static CALLS: Calls = Calls::new();

    #[cached]
    async fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        for _ in 0..2 {
            let call = pin!(number(1));
            let polled = call.poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(polled, Poll::Ready(1));
        }
        assert_eq!(futures_lite::future::block_on(number(1)), 1);
        assert_eq!(CALLS.taken(), 1);
        futures_lite::future::block_on(number::invalidate(1)).unwrap();
    });
}

#[test]
fn an_async_function_runs_on_a_single_threaded_executor() {
    #[cached(key(id))]
    async fn slow(id: u64, stage: &Stage) -> u64 {
        stage.act_async().await;
        id
    }

    let (runtime, clock) = fresh();
    let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    executor.block_on(runtime.scope(async {
        let stage = Stage::default();
        let release = async {
            crate::support::until_async("two followers to wait", || clock.sleepers() == 2).await;
            stage.leave.open();
        };
        let calls = async { tokio::join!(slow(1, &stage), slow(1, &stage), slow(1, &stage)) };
        assert_eq!(tokio::join!(calls, release).0, (1, 1, 1));
        assert_eq!(stage.calls.so_far(), 1);
    }));
}

#[test]
fn what_is_not_async_may_be_called_inside_of_an_executor() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("runtime-inside"))]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_async(|| async {
        number(1);
        tokio::task::yield_now().await;
        blocking::invalidate_tag("runtime-inside").unwrap();
        blocking::invalidate_pattern("runtime-inside").unwrap();
        number(1);
        assert_eq!(CALLS.taken(), 2);
        number::invalidate(1).unwrap();
    });
}

#[test]
fn a_value_computed_in_one_executor_is_served_in_another() {
    static CALLS: Calls = Calls::new();

    #[cached]
    async fn number(id: u64) -> u64 {
        CALLS.note();
        tokio::task::yield_now().await;
        id
    }

    let (runtime, _) = fresh();
    block_on(runtime.scope(number(1)));
    block_on(runtime.scope(number(1)));
    futures_lite::future::block_on(runtime.scope(number(1)));
    assert_eq!(CALLS.taken(), 1);
}

#[test]
fn the_system_s_clock_ends_a_wait() {
    #[cached(wait = "20ms", skip(stage))]
    fn slow(stage: &Stage) -> u64 {
        stage.act()
    }

    #[cached(wait = "20ms", skip(stage))]
    async fn slow_async(stage: &Stage) -> u64 {
        stage.act_async().await
    }

    let runtime = Runtime::builder().build().unwrap();
    let stuck = Arc::new(Stage::default());
    let (inside, of) = (Arc::clone(&stuck), runtime.clone());
    let leader = run("the stuck leader", move || of.with(|| slow(&inside)));
    stuck.entered.wait("the leader's body");
    let of = runtime.clone();
    let follower = run("the follower", move || of.with(|| slow(&Stage::open())));
    assert_eq!(follower.ended(), 1);
    stuck.leave.open();
    leader.ended();

    block_on(runtime.scope(async {
        let stuck = Stage::default();
        let mut leader = Box::pin(slow_async(&stuck));
        assert!(futures_lite::future::poll_once(leader.as_mut()).await.is_none());
        assert_eq!(slow_async(&Stage::open()).await, 1);
    }));
}

#[test]
fn futures_of_cached_functions_are_send() {
    fn send<T: Send>(it: T) -> T {
        it
    }

    #[cached]
    async fn number(id: u64, name: &str) -> Result<u64, String> {
        tokio::task::yield_now().await;
        Ok(id + name.len() as u64)
    }

    everywhere_async(|| async {
        let name = "name".to_owned();
        assert_eq!(send(number(1, &name)).await, Ok(5));
        assert_eq!(send(number::refresh(1, &name)).await, Ok(5));
        send(number::put(1, &name, Ok(6))).await;
        assert_eq!(send(number::uncached(1, &name)).await, Ok(5));
        assert_eq!(send(number::peek(1, &name)).await, Some(Ok(6)));
        send(number::invalidate(1, &name)).await.unwrap();
        send(number::invalidate_all()).await.unwrap();
        send(larder::inherit(number(1, &name))).await.unwrap();
    });
}

#[test]
fn a_method_behind_async_trait_and_dyn_is_cached() {
    static CALLS: Calls = Calls::new();

    #[async_trait::async_trait]
    trait Engine: Send + Sync {
        async fn decide(&self, symbol: &str) -> Result<String, String>;
    }

    struct Plain(u64);

    #[async_trait::async_trait]
    impl Engine for Plain {
        #[cached(key(self.0, symbol))]
        async fn decide(&self, symbol: &str) -> Result<String, String> {
            CALLS.note();
            tokio::task::yield_now().await;
            Ok(format!("{}{symbol}", self.0))
        }
    }

    everywhere_async(|| async {
        let engines: [Box<dyn Engine>; 2] = [Box::new(Plain(1)), Box::new(Plain(2))];
        for _ in 0..3 {
            assert_eq!(engines[0].decide("a").await.unwrap(), "1a");
            assert_eq!(engines[1].decide("a").await.unwrap(), "2a");
        }
        assert_eq!(CALLS.taken(), 2);
    });
}

#[test]
fn a_namespace_that_can_t_be_used_is_an_error_that_names_it() {
    for namespace in ["", ".", "..", "a/b", "a:b", "ü", &"a".repeat(65)] {
        let error = Runtime::builder().namespace(namespace).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("namespace"), "{error}");
    }
    let runtime = Runtime::builder().namespace("a-B_1.c").build().unwrap();
    assert_eq!(runtime.namespace(), "a-B_1.c");
    futures_lite::future::block_on(runtime.close()).unwrap();
}
