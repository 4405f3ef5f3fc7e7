//! Sessions and requests: entries are shared by everyone in the one they were made in, and are gone
//! when it has ended.

use crate::support::{Calls, Gate, everywhere, everywhere_async, fresh, run};
use larder::{blocking, cached, request, session};
use std::sync::{Arc, Mutex};

#[test]
fn a_session_s_entries_are_its_own_and_end_with_it() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "session")]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        let ran = || (number(1), CALLS.taken()).1;
        let evicted = number::stats().evictions_scope;
        session::with("scopes-one", || {
            assert_eq!((ran(), ran()), (1, 0));
            session::with("scopes-other", || assert_eq!((ran(), ran()), (1, 0)));
            assert_eq!(ran(), 0);
            session::with("scopes-one", || assert_eq!(ran(), 0, "it is the same session"));
            assert_eq!(number::stats().entries, 1);
        });
        assert_eq!(number::stats().evictions_scope - evicted, 2);
        session::with("scopes-one", || assert_eq!(ran(), 1, "it is another session by now"));
        assert_eq!(number::stats().entries, 0);
    });
}

#[test]
fn a_request_s_entries_are_its_own_and_end_with_it() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "request")]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        let ran = || (number(1), CALLS.taken()).1;
        request::with("scopes-one", || assert_eq!((ran(), ran()), (1, 0)));
        request::with("scopes-one", || assert_eq!((ran(), ran()), (1, 0)));
    });
}

#[test]
fn a_session_and_a_request_of_one_name_are_two() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "session")]
    fn of_session(id: u64) -> u64 {
        CALLS.note();
        id
    }

    #[cached(scope = "request")]
    fn of_request(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        session::with("scopes-name", || {
            of_session(1);
            request::with("scopes-name", || of_request(1));
            request::with("scopes-name", || of_request(1));
            of_session(1);
        });
        assert_eq!(CALLS.taken(), 3);
    });
}

#[test]
fn a_session_is_shared_by_its_threads() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "session")]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        session::with("scopes-threads", || {
            number(1);
            let other = larder::inherit(async { number(1) });
            run("another thread", || futures_lite::future::block_on(other)).ended();
            let named = larder::inherit(async { session::with("scopes-threads", || number(1)) });
            run("another thread", || futures_lite::future::block_on(named)).ended();
        });
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn a_session_is_shared_by_its_tasks_and_crosses_an_await() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "session")]
    async fn number(id: u64) -> u64 {
        CALLS.note();
        tokio::task::yield_now().await;
        id
    }

    everywhere_async(|| async {
        session::scope("scopes-tasks", async {
            number(1).await;
            tokio::task::yield_now().await;
            number(1).await;
            tokio::spawn(larder::inherit(async { number(1).await })).await.unwrap();
        })
        .await;
        assert_eq!(CALLS.taken(), 1);
        session::scope("scopes-tasks", number(1)).await;
        assert_eq!(CALLS.taken(), 1, "it had ended");
    });
}

#[test]
fn sessions_interleaved_on_one_thread_are_kept_apart() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "session", skip(of))]
    async fn whose(of: u64) -> u64 {
        CALLS.note();
        tokio::task::yield_now().await;
        of
    }

    everywhere_async(|| async {
        let call = |of: u64| {
            session::scope(format!("scopes-apart-{of}"), async move {
                for _ in 0..10 {
                    assert_eq!(whose(of).await, of);
                    tokio::task::yield_now().await;
                }
            })
        };
        tokio::join!(call(1), call(2), call(3));
        assert_eq!(CALLS.taken(), 3);
    });
}

#[test]
fn a_session_lasts_as_long_as_anybody_is_in_it() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "session")]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        let (entered, leave) = (Arc::new(Gate::default()), Arc::new(Gate::default()));
        let (inside, until) = (Arc::clone(&entered), Arc::clone(&leave));
        let stays = larder::inherit(async move {
            session::with("scopes-stays", || {
                inside.open();
                until.wait("the test to let go of the session");
            });
        });
        let stays = run("somebody in the session", || futures_lite::future::block_on(stays));
        entered.wait("somebody to be in the session");
        session::with("scopes-stays", || number(1));
        session::with("scopes-stays", || number(1));
        assert_eq!(CALLS.taken(), 1);
        leave.open();
        stays.ended();
        session::with("scopes-stays", || number(1));
        assert_eq!(CALLS.taken(), 1);
    });
}

/// A value that tells when it is dropped.
#[derive(Clone)]
struct Counted(Arc<()>);

#[test]
fn the_values_of_an_ended_scope_are_dropped() {
    static HANDED_OUT: Mutex<Option<Counted>> = Mutex::new(None);

    #[cached(scope = "request")]
    fn counted(id: u64) -> Counted {
        let _ = id;
        HANDED_OUT.lock().unwrap().clone().unwrap()
    }

    everywhere(|| {
        let value = Counted(Arc::new(()));
        *HANDED_OUT.lock().unwrap() = Some(value.clone());
        request::with("scopes-dropped", || {
            (0..100).for_each(|id| drop(counted(id)));
            assert_eq!(Arc::strong_count(&value.0), 102);
        });
        assert_eq!(Arc::strong_count(&value.0), 2, "entries of an ended request are kept");
    });
}

#[test]
fn the_values_of_a_dropped_future_s_scope_are_dropped() {
    #[cached(scope = "session", skip(value))]
    async fn counted(value: &Counted) -> Counted {
        value.clone()
    }

    everywhere_async(|| async {
        let value = Counted(Arc::new(()));
        let inside = async {
            counted(&value).await;
            std::future::pending::<()>().await;
        };
        let mut future = Box::pin(session::scope("scopes-cancelled", inside));
        assert!(futures_lite::future::poll_once(future.as_mut()).await.is_none());
        assert_eq!(Arc::strong_count(&value.0), 2);
        drop(future);
        assert_eq!(Arc::strong_count(&value.0), 1);
    });
}

#[test]
fn outside_of_any_scope_a_call_is_computed_and_counted() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "session")]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        let before = number::stats().bypasses_scope;
        for _ in 0..3 {
            assert_eq!(number(1), 1);
            request::with("scopes-no-session", || assert_eq!(number(1), 1));
        }
        assert_eq!(CALLS.taken(), 6);
        assert_eq!(number::stats().bypasses_scope - before, 6);
        assert_eq!(number::stats().entries, 0);
    });
}

#[test]
fn invalidations_reach_every_scope() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "session", tags("scopes-tag:{id}"), key = "scopes-key:{id}")]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        let ran = || (number(1), CALLS.taken()).1;
        session::with("scopes-reach", || {
            let invalidations: [fn(); 4] = [
                || number::invalidate(1).unwrap(),
                || blocking::invalidate_tag("scopes-tag:1").unwrap(),
                || blocking::invalidate_pattern("scopes-key:1").unwrap(),
                || number::invalidate_all().unwrap(),
            ];
            for invalidate in invalidations {
                ran();
                assert_eq!(ran(), 0);
                // From within another session.
                session::with("scopes-reach-other", invalidate);
                assert_eq!(ran(), 1);
            }
        });
    });
}

#[test]
fn a_session_in_two_runtimes_has_two_sets_of_entries() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "session")]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    let (one, other) = (fresh().0, fresh().0);
    session::with("scopes-runtimes", || {
        for runtime in [&one, &other, &one, &other] {
            runtime.with(|| number(1));
        }
        assert_eq!(CALLS.taken(), 2);
        one.with(|| number::invalidate(1).unwrap());
        other.with(|| number(1));
        assert_eq!(CALLS.taken(), 0);
        one.with(|| number(1));
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn the_surroundings_are_put_back_after_a_panic() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "session")]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        session::with("scopes-panic", || {
            number(1);
            let panic = std::panic::catch_unwind(|| {
                session::with("scopes-panic-inner", || panic!("on purpose"))
            });
            assert!(panic.is_err());
            number(1);
            assert_eq!(CALLS.taken(), 1);
        });
    });
}
