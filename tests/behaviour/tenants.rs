//! V7, the tenant rule, and C6: a caller without `context` or `scope` around a callee with it never
//! shows what one tenant, session or request was given to another.

use crate::support::{
    Calls, Stage, block_on, everywhere, everywhere_alone, everywhere_async, fresh, run, until,
};
use larder::{Runtime, ambient, cached, request, session};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Who a call is made for. Bodies ask for it behind larder's back, as a program's own would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Tenant(u64);

tokio::task_local! {
    static TENANT: Tenant;
}

/// Runs `f` for a tenant, in the ambient context as in the program's own.
fn as_tenant<R>(tenant: u64, f: impl FnOnce() -> R) -> R {
    TENANT.sync_scope(Tenant(tenant), || ambient::with(Tenant(tenant), f))
}

fn tenant() -> u64 {
    TENANT.get().0
}

#[cached(context, skip(pass), when = !pass)]
fn secret(id: u64, pass: bool) -> u64 {
    id + tenant()
}

/// Checks that each tenant gets its own value, again and again.
fn each_its_own(call: impl Fn(u64) -> u64) {
    for _ in 0..3 {
        for tenant in [100, 200, 300] {
            assert_eq!(as_tenant(tenant, || call(1)), tenant + 1);
        }
    }
}

#[test]
fn a_caller_around_a_callee_keyed_by_context_is_not_stored() {
    #[cached]
    fn outer(id: u64) -> u64 {
        secret(id, false)
    }

    #[cached]
    fn outermost(id: u64) -> u64 {
        outer(id)
    }

    everywhere(|| {
        each_its_own(outer);
        assert_eq!(outer::stats().bypasses_tenant, 9);
        assert_eq!(outer::stats().entries, 0);
        each_its_own(outermost);
        assert_eq!(outermost::stats().bypasses_tenant, 9);
        assert_eq!(as_tenant(100, || outer::peek(1)), None);
        outer::invalidate_all().unwrap();
    });
}

#[test]
fn a_caller_with_the_callee_s_context_in_its_key_is_stored() {
    static CALLS: Calls = Calls::new();

    #[cached(context)]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        secret(id, false)
    }

    // Others refresh the callee's values.
    everywhere_alone(|_| {
        each_its_own(outer);
        assert_eq!(CALLS.taken(), 3);
        assert_eq!(outer::stats().bypasses_tenant, 0);
    });
}

#[test]
fn a_caller_around_an_uncached_or_bypassed_callee_is_not_stored_either() {
    #[cached]
    fn around_uncached(id: u64) -> u64 {
        secret::uncached(id, false)
    }

    #[cached]
    fn around_bypassed(id: u64) -> u64 {
        secret(id, true)
    }

    #[cached]
    fn around_refreshed(id: u64) -> u64 {
        secret::refresh(id, false)
    }

    #[cached]
    fn around_a_look(id: u64) -> u64 {
        secret::peek(id).unwrap_or_else(|| secret(id, false))
    }

    #[cached]
    fn around_a_put(id: u64) -> u64 {
        let own = id + tenant();
        secret::put(id, false, own);
        own
    }

    everywhere(|| {
        each_its_own(around_uncached);
        each_its_own(around_bypassed);
        each_its_own(around_refreshed);
        each_its_own(around_a_look);
        each_its_own(around_a_put);
    });
}

#[test]
fn a_caller_around_a_callee_for_want_of_context_is_not_stored() {
    #[cached]
    fn outer(id: u64) -> u64 {
        secret(id, false)
    }

    everywhere(|| {
        for tenant in [100, 200, 100] {
            // The program knows the tenant, and has forgotten to tell larder.
            assert_eq!(TENANT.sync_scope(Tenant(tenant), || outer(1)), tenant + 1);
        }
        each_its_own(outer);
    });
}

#[test]
fn a_caller_around_a_failing_callee_does_not_share_the_failure() {
    #[cached(context, negative = "1h")]
    fn refuse(id: u64) -> Result<u64, u64> {
        Err(id + tenant())
    }

    #[cached(negative = "1h")]
    fn outer(id: u64) -> Result<u64, u64> {
        refuse(id)
    }

    everywhere(|| each_its_own(|id| outer(id).unwrap_err()));
}

#[test]
fn what_is_called_in_a_spawned_task_keeps_its_tenant_too() {
    #[cached(context)]
    async fn secret(id: u64, of: u64) -> u64 {
        tokio::task::yield_now().await;
        id + of
    }

    #[cached(skip(of))]
    async fn outer(id: u64, of: u64) -> u64 {
        tokio::spawn(larder::inherit(async move { secret(id, of).await })).await.unwrap()
    }

    everywhere_async(|| async {
        for _ in 0..3 {
            for tenant in [100, 200] {
                let call = ambient::scope(Tenant(tenant), outer(1, tenant));
                assert_eq!(call.await, tenant + 1);
            }
        }
    });
}

#[test]
fn a_follower_of_another_tenant_computes_for_itself() {
    #[cached(key(id))]
    fn outer(id: u64, stage: &Stage) -> u64 {
        stage.act();
        secret(id, false)
    }

    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let start = |tenant| {
        let (runtime, stage) = (runtime.clone(), Arc::clone(&stage));
        run("a caller", move || runtime.with(|| as_tenant(tenant, || outer(1, &stage))))
    };
    let leader = start(100);
    stage.entered.wait("the leader's body");
    let followers = [200, 300, 100].map(start);
    until("three followers to wait", || clock.sleepers() == 3);
    stage.leave.open();
    assert_eq!(leader.ended(), 101);
    assert_eq!(followers.map(crate::support::Running::ended), [201, 301, 101]);
    assert_eq!(stage.calls.so_far(), 4, "each computed for itself");
}

#[test]
fn a_following_task_of_another_tenant_gets_neither_value_nor_error() {
    #[cached(context)]
    async fn refuse(of: u64) -> Result<u64, u64> {
        Err(of)
    }

    #[cached(skip(of, stage))]
    async fn outer(of: u64, stage: &Stage) -> Result<u64, u64> {
        stage.act_async().await;
        refuse(of).await
    }

    let (runtime, clock) = fresh();
    block_on(async {
        let stage = Arc::new(Stage::default());
        let start = |tenant| {
            let stage = Arc::clone(&stage);
            let call = async move { outer(tenant, &stage).await };
            tokio::spawn(runtime.scope(ambient::scope(Tenant(tenant), call)))
        };
        let leader = start(100);
        stage.entered.passed().await;
        let follower = start(200);
        crate::support::until_async("the follower to wait", || clock.sleepers() == 1).await;
        stage.leave.open();
        assert_eq!((leader.await.unwrap(), follower.await.unwrap()), (Err(100), Err(200)));
    });
}

#[test]
fn a_caller_around_a_callee_of_a_session_or_request_is_not_stored() {
    static VALUE: AtomicU64 = AtomicU64::new(0);

    #[cached(scope = "session")]
    fn of_session(id: u64) -> u64 {
        id + VALUE.load(SeqCst)
    }

    #[cached(scope = "request")]
    fn of_request(id: u64) -> u64 {
        id + VALUE.load(SeqCst)
    }

    #[cached]
    fn around_session(id: u64) -> u64 {
        of_session(id)
    }

    #[cached]
    fn around_request(id: u64) -> u64 {
        of_request(id)
    }

    fn check(within: impl Fn(&str, fn(u64) -> u64) -> u64, outer: fn(u64) -> u64) {
        for round in 0..3 {
            for (name, value) in [("one", 10), ("other", 20)] {
                VALUE.store(value, SeqCst);
                assert_eq!(within(name, outer), value + 1, "{name} in round {round}");
            }
        }
    }

    let (runtime, _) = fresh();
    runtime.with(|| {
        // Both sessions and requests stay alive, so that their entries do.
        session::with("one", || {
            session::with("other", || {
                check(|name, f| session::with(name, || f(1)), around_session);
                assert_eq!(around_session::stats().bypasses_tenant, 6);
            })
        });
        request::with("one", || {
            request::with("other", || {
                check(|name, f| request::with(name, || f(1)), around_request);
                assert_eq!(around_request::stats().bypasses_tenant, 6);
            })
        });
    });
}

#[test]
fn a_caller_of_a_session_around_a_callee_of_the_same_session_is_stored() {
    static CALLS: Calls = Calls::new();

    #[cached(scope = "session")]
    fn inner(id: u64) -> u64 {
        id
    }

    #[cached(scope = "session")]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        inner(id)
    }

    everywhere(|| {
        session::with("tenants-same", || {
            outer(1);
            outer(1);
        });
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn a_follower_of_another_session_computes_for_itself() {
    #[cached(scope = "session", skip(of))]
    fn inner(of: u64) -> u64 {
        of
    }

    #[cached(skip(of, stage))]
    fn outer(of: u64, stage: &Stage) -> u64 {
        stage.act();
        inner(of)
    }

    fn start(runtime: &Runtime, stage: &Arc<Stage>, of: u64) -> crate::support::Running<u64> {
        let (runtime, stage) = (runtime.clone(), Arc::clone(stage));
        run("a caller", move || {
            runtime.with(|| session::with(format!("tenants-{of}"), || outer(of, &stage)))
        })
    }

    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let leader = start(&runtime, &stage, 1);
    stage.entered.wait("the leader's body");
    let follower = start(&runtime, &stage, 2);
    until("the follower to wait", || clock.sleepers() == 1);
    stage.leave.open();
    assert_eq!((leader.ended(), follower.ended()), (1, 2));
}
