//! C1 for what is in flight: a computation that an invalidation overtook is returned to its caller
//! and never served later; and C1 under load, on every path a hit can take.

use crate::support::{
    Calls, Running, Stage, everywhere, everywhere_alone, everywhere_async, everywhere_async_alone,
    run, until,
};
use larder::{blocking, cached};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

type Name = &'static str;

fn value_tags(_: &u64) -> [Name; 1] {
    ["overtaken-value"]
}

#[cached(
    key = "overtaken:{name}",
    tags("overtaken-a:{name}", "overtaken-b:{name}"),
    tags_for = value_tags
)]
fn slow(name: Name, stage: &Stage) -> u64 {
    larder::tag(format!("overtaken-found:{name}"));
    stage.act()
}

#[cached(
    key = "overtaken-async:{name}",
    tags("overtaken-a:{name}", "overtaken-b:{name}"),
    tags_for = value_tags
)]
async fn slow_async(name: Name, stage: &Stage) -> u64 {
    let out = stage.act_async().await;
    larder::tag(format!("overtaken-found:{name}"));
    out
}

/// Calls on another thread, does something once the body has begun, then lets the body go on.
fn overtake<R: Send + 'static>(
    stage: &Arc<Stage>,
    call: impl FnOnce(&Stage) -> R + Send + 'static,
    meanwhile: impl FnOnce(),
) -> R {
    let inside = Arc::clone(stage);
    let call = larder::inherit(async move { call(&inside) });
    let running = run("the overtaken call", || futures_lite::future::block_on(call));
    stage.entered.wait("the overtaken body");
    meanwhile();
    stage.leave.open();
    running.ended()
}

fn is_forgotten_in_flight(name: Name, invalidate: impl Fn()) {
    everywhere(|| {
        let stage = Arc::new(Stage::default());
        let fenced = slow::stats().fenced_stores;
        assert_eq!(overtake(&stage, move |stage| slow(name, stage), &invalidate), 1);
        assert_eq!(slow(name, &stage), 2, "what was overtaken is not served");
        assert_eq!(slow(name, &stage), 2, "what was computed since is");
        assert!(slow::stats().fenced_stores > fenced, "a store that came too late is counted");
        slow::invalidate(name).unwrap();
    });
    everywhere_async(|| async {
        let stage = Arc::new(Stage::default());
        let inside = Arc::clone(&stage);
        let call = larder::inherit(async move { slow_async(name, &inside).await });
        let running = tokio::spawn(call);
        stage.entered.passed().await;
        invalidate();
        stage.leave.open();
        assert_eq!(running.await.unwrap(), 1);
        assert_eq!(slow_async(name, &stage).await, 2, "what was overtaken is not served");
        assert_eq!(slow_async(name, &stage).await, 2, "what was computed since is");
        slow_async::invalidate(name).await.unwrap();
    });
}

#[test]
fn a_computation_overtaken_by_its_key_is_not_served_later() {
    is_forgotten_in_flight("key", || {
        slow::invalidate("key").unwrap();
        futures_lite::future::block_on(slow_async::invalidate("key")).unwrap();
    });
}

#[test]
fn a_computation_overtaken_by_a_declared_tag_is_not_served_later() {
    is_forgotten_in_flight("tag", || blocking::invalidate_tag("overtaken-a:tag").unwrap());
}

#[test]
fn a_computation_overtaken_by_any_of_several_tags_is_not_served_later() {
    is_forgotten_in_flight("any", || {
        blocking::invalidate_tags(["overtaken-nothing", "overtaken-b:any"]).unwrap();
    });
}

#[test]
fn a_computation_overtaken_by_all_of_several_tags_is_not_served_later() {
    is_forgotten_in_flight("all", || {
        let tags = ["overtaken-a:all", "overtaken-found:all"];
        blocking::invalidate_tagged_with_all(tags).unwrap();
    });
}

#[test]
fn a_computation_overtaken_by_a_tag_it_finds_is_not_served_later() {
    is_forgotten_in_flight("found", || {
        blocking::invalidate_tag("overtaken-found:found").unwrap();
    });
}

#[test]
fn a_computation_overtaken_by_a_pattern_is_not_served_later() {
    is_forgotten_in_flight("pattern", || {
        blocking::invalidate_pattern("overtaken*:pat?ern").unwrap();
    });
}

#[test]
fn a_computation_overtaken_by_a_tag_of_its_value_is_not_served_later() {
    #[cached(skip(stage), tags_for = value_tags)]
    fn slow(stage: &Stage) -> u64 {
        stage.act()
    }

    everywhere_alone(|_| {
        let stage = Arc::new(Stage::default());
        overtake(&stage, slow, || blocking::invalidate_tag("overtaken-value").unwrap());
        assert_eq!((slow(&stage), slow(&stage)), (2, 2));
        slow::invalidate().unwrap();
    });
}

#[test]
fn a_computation_overtaken_by_its_function_is_not_served_later() {
    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> u64 {
        stage.act()
    }

    everywhere(|| {
        let stage = Arc::new(Stage::default());
        let name = slow::stats().name;
        overtake(&stage, slow, || {
            blocking::invalidate_function(slow::stats().name).unwrap();
        });
        assert_eq!((slow(&stage), slow(&stage)), (2, 2), "{name}");
        slow::invalidate().unwrap();
        let stage = Arc::new(Stage::default());
        overtake(&stage, slow, || slow::invalidate_all().unwrap());
        assert_eq!((slow(&stage), slow(&stage)), (2, 2));
        slow::invalidate().unwrap();
    });
}

#[test]
fn a_computation_overtaken_by_everything_is_not_served_later() {
    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> u64 {
        stage.act()
    }

    #[cached(skip(stage))]
    async fn slow_async(stage: &Stage) -> u64 {
        stage.act_async().await
    }

    everywhere_alone(|_| {
        let stage = Arc::new(Stage::default());
        overtake(&stage, slow, || blocking::invalidate_all().unwrap());
        assert_eq!((slow(&stage), slow(&stage)), (2, 2));
        slow::invalidate().unwrap();
    });
    everywhere_async_alone(|_| async {
        let stage = Arc::new(Stage::default());
        let inside = Arc::clone(&stage);
        let running = tokio::spawn(larder::inherit(async move { slow_async(&inside).await }));
        stage.entered.passed().await;
        larder::invalidate_all().await.unwrap();
        stage.leave.open();
        running.await.unwrap();
        assert_eq!((slow_async(&stage).await, slow_async(&stage).await), (2, 2));
        slow_async::invalidate().await.unwrap();
    });
}

#[test]
fn a_computation_overtaken_by_a_put_does_not_replace_what_was_put() {
    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> u64 {
        stage.act()
    }

    everywhere(|| {
        let stage = Arc::new(Stage::default());
        let put = Arc::clone(&stage);
        assert_eq!(overtake(&stage, slow, move || slow::put(&put, 77)), 1);
        assert_eq!((slow(&stage), slow(&stage)), (77, 77));
        slow::invalidate().unwrap();
    });
}

#[test]
fn a_refresh_overtaken_by_an_invalidation_is_not_served_later() {
    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> u64 {
        stage.act()
    }

    everywhere(|| {
        let stage = Arc::new(Stage::default());
        let fresh = |stage: &Stage| slow::refresh(stage);
        assert_eq!(overtake(&stage, fresh, || slow::invalidate().unwrap()), 1);
        assert_eq!((slow(&stage), slow(&stage)), (2, 2));
        slow::invalidate().unwrap();
    });
}

#[test]
fn an_untouched_computation_is_stored_and_served() {
    #[cached(tags("overtaken-untouched"), key = "overtaken-untouched:{id}")]
    fn slow(id: u64, stage: &Stage) -> u64 {
        let _ = id;
        stage.act()
    }

    everywhere(|| {
        let stage = Arc::new(Stage::default());
        let meanwhile = || {
            blocking::invalidate_tag("overtaken-untouche").unwrap();
            blocking::invalidate_tagged_with_all(["overtaken-untouched", "overtaken-?"]).unwrap();
            blocking::invalidate_pattern("overtaken-untouched:2").unwrap();
            blocking::invalidate_function("slow").unwrap();
            slow::invalidate(2).unwrap();
        };
        assert_eq!(overtake(&stage, |stage| slow(1, stage), meanwhile), 1);
        assert_eq!(slow(1, &stage), 1);
        slow::invalidate(1).unwrap();
    });
}

#[test]
fn no_call_gets_a_value_from_before_an_invalidation_that_had_returned() {
    const ROUNDS: u64 = 3_000;
    static SOURCE: AtomicU64 = AtomicU64::new(0);
    static ENDED: AtomicU64 = AtomicU64::new(0);
    static READING: Calls = Calls::new();

    #[cached(tags("overtaken-source"))]
    fn read() -> u64 {
        SOURCE.load(SeqCst)
    }

    #[cached]
    fn read_through() -> u64 {
        read()
    }

    #[cached(tags("overtaken-source"))]
    async fn read_async() -> u64 {
        tokio::task::yield_now().await;
        SOURCE.load(SeqCst)
    }

    fn never_older(read: impl Fn() -> u64) {
        let check = || {
            let ended = ENDED.load(SeqCst);
            let value = read();
            assert!(value >= ended, "{value} was read after the invalidation of {ended} returned");
        };
        check();
        READING.note();
        while ENDED.load(SeqCst) < ROUNDS {
            check();
        }
    }

    everywhere(|| {
        READING.taken();
        SOURCE.store(0, SeqCst);
        ENDED.store(0, SeqCst);
        let readers: [fn() -> u64; 3] =
            [read, read_through, || futures_lite::future::block_on(read_async())];
        let readers: Vec<_> = readers
            .into_iter()
            .chain(readers)
            .map(|read| {
                let reading = larder::inherit(async move { never_older(read) });
                run("a reader", || futures_lite::future::block_on(reading))
            })
            .collect();
        until("all to read", || READING.so_far() == 6);
        for round in 1..=ROUNDS {
            SOURCE.store(round, SeqCst);
            blocking::invalidate_tag("overtaken-source").unwrap();
            ENDED.store(round, SeqCst);
            std::thread::yield_now();
        }
        readers.into_iter().for_each(Running::ended);
    });
}
