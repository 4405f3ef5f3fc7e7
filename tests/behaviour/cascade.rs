//! V7, the names: dependencies are found. What a cached function calls, however the value is come by, is what
//! its own value depends on.

use crate::support::{Calls, Stage, everywhere, everywhere_alone, fresh, run, until};
use larder::{blocking, cached};
use std::panic::catch_unwind;
use std::sync::Arc;

static INNER: Calls = Calls::new();

#[cached(
    name = "dependencies-inner",
    key = "dependencies-inner:{id}",
    tags("dependencies-inner:{id}", "dependencies-inner"),
    tags_for = inner_tags,
    when = !pass
)]
fn inner(id: u64, pass: bool) -> u64 {
    INNER.note();
    larder::tag(format!("dependencies-body:{id}"));
    id
}

fn inner_tags(id: &u64) -> [String; 1] {
    [format!("dependencies-value:{id}")]
}

#[cached]
fn between(id: u64) -> u64 {
    inner(id, false)
}

/// Ways to forget what `inner` found for a number, and whether they name that number alone.
fn invalidations(id: u64) -> Vec<(&'static str, Box<dyn Fn()>, bool)> {
    let tag = |tag: String| Box::new(move || blocking::invalidate_tag(&tag).unwrap());
    vec![
        ("key", Box::new(move || inner::invalidate(id).unwrap()), true),
        ("tag", tag(format!("dependencies-inner:{id}")), true),
        ("shared tag", tag("dependencies-inner".to_owned()), false),
        ("tag of the body", tag(format!("dependencies-body:{id}")), true),
        ("tag of the value", tag(format!("dependencies-value:{id}")), true),
        (
            "all of two tags",
            Box::new(move || {
                let both = ["dependencies-inner".to_owned(), format!("dependencies-body:{id}")];
                blocking::invalidate_tagged_with_all(both).unwrap();
            }),
            true,
        ),
        (
            "pattern",
            Box::new(move || {
                blocking::invalidate_pattern(format!("dependencies-in*:{id}")).unwrap();
            }),
            true,
        ),
        (
            "function",
            Box::new(|| blocking::invalidate_function("dependencies-inner").unwrap()),
            false,
        ),
        ("companion", Box::new(|| inner::invalidate_all().unwrap()), false),
        ("everything", Box::new(|| blocking::invalidate_all().unwrap()), false),
    ]
}

/// Checks that every invalidation of `inner` reaches `outer`, and no more than it names.
fn cascades(calls: &Calls, outer: impl Fn(u64) -> u64, prepare: impl Fn(u64)) {
    assert_eq!(excess(calls, outer, prepare), [""; 0], "lost without being named");
}

/// Checks that every invalidation of `inner` reaches `outer`, and returns those that reach more than
/// they name.
fn excess(calls: &Calls, outer: impl Fn(u64) -> u64, prepare: impl Fn(u64)) -> Vec<&'static str> {
    let ran = |id| {
        calls.taken();
        assert_eq!(outer(id), id);
        calls.taken() == 1
    };
    let mut missed = Vec::new();
    let mut excess = Vec::new();
    for (name, invalidate, alone) in invalidations(1) {
        for id in [1, 2] {
            prepare(id);
            ran(id);
            assert!(!ran(id), "it is kept until then");
        }
        invalidate();
        if !ran(1) {
            missed.push(name);
        }
        if alone && ran(2) {
            excess.push(name);
        }
        blocking::invalidate_all().unwrap();
    }
    assert_eq!(missed, [""; 0], "missed");
    excess
}

#[test]
fn an_invalidation_cascades_through_a_callee_that_was_computed() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        inner(id, false)
    }

    everywhere_alone(|_| cascades(&CALLS, outer, |_| {}));
}

#[test]
fn an_invalidation_cascades_through_a_hit() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        inner(id, false)
    }

    everywhere_alone(|_| {
        cascades(&CALLS, outer, |id| {
            inner(id, false);
        });
    });
}

#[test]
fn an_invalidation_cascades_through_a_hit_on_a_caller_in_between() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        between(id)
    }

    everywhere_alone(|_| {
        cascades(&CALLS, outer, |_| {});
        cascades(&CALLS, outer, |id| {
            between(id);
        });
    });
}

#[test]
fn an_invalidation_cascades_through_a_look_without_computing() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        inner::peek(id).unwrap_or(id)
    }

    everywhere_alone(|_| {
        cascades(&CALLS, outer, |id| {
            inner(id, false);
        });
    });
}

#[test]
fn an_invalidation_cascades_through_a_refresh() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        inner::refresh(id, false)
    }

    everywhere_alone(|_| cascades(&CALLS, outer, |_| {}));
}

#[test]
fn an_invalidation_cascades_through_an_uncached_call() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        inner::uncached(id, false)
    }

    everywhere_alone(|_| cascades(&CALLS, outer, |_| {}));
}

#[test]
fn an_invalidation_cascades_through_a_bypassed_call() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        inner(id, true)
    }

    everywhere_alone(|_| {
        // Where `when` is false the key is not looked at, so any key is taken for it.
        assert_eq!(excess(&CALLS, outer, |_| {}), ["key"]);
    });
}

#[test]
fn an_invalidation_cascades_through_a_join() {
    static CALLS: Calls = Calls::new();

    #[cached(key = "dependencies-joined:{one}", tags("dependencies-joined-too"))]
    fn joined(one: u64, stage: &Stage) -> u64 {
        larder::tag("dependencies-joined-body");
        stage.act();
        one
    }

    #[cached(key(id))]
    fn outer(id: u64, stage: &Stage) -> u64 {
        CALLS.note();
        joined(id, stage)
    }

    let invalidations: [fn(); 4] = [
        || joined::invalidate(1).unwrap(),
        || blocking::invalidate_tag("dependencies-joined-too").unwrap(),
        || blocking::invalidate_tag("dependencies-joined-body").unwrap(),
        || blocking::invalidate_pattern("dependencies-joine?:*").unwrap(),
    ];
    let (runtime, clock) = fresh();
    for invalidate in invalidations {
        let stage = Arc::new(Stage::default());
        let start = |call: fn(&Stage) -> u64| {
            let (runtime, stage) = (runtime.clone(), Arc::clone(&stage));
            run("a caller", move || runtime.with(|| call(&stage)))
        };
        let leader = start(|stage| joined(1, stage));
        stage.entered.wait("the leader's body");
        let outside = start(|stage| outer(1, stage));
        until("the caller to join", || clock.sleepers() == 1);
        stage.leave.open();
        assert_eq!((leader.ended(), outside.ended()), (1, 1));
        runtime.with(|| {
            assert_eq!(stage.calls.so_far(), 1, "it was joined");
            CALLS.taken();
            outer(1, &stage);
            assert_eq!(CALLS.taken(), 0, "it is kept until then");
            invalidate();
            outer(1, &stage);
            assert_eq!(CALLS.taken(), 1);
            blocking::invalidate_all().unwrap();
        });
    }
}

#[test]
fn an_invalidation_cascades_through_what_is_called_in_a_method() {
    static CALLS: Calls = Calls::new();

    trait Engine {
        fn decide(&self, id: u64, pass: bool) -> u64;
    }

    struct Plain;

    impl Engine for Plain {
        #[cached(key(id), skip(self), when = !pass)]
        fn decide(&self, id: u64, pass: bool) -> u64 {
            id
        }
    }

    #[cached]
    fn outer(id: u64, pass: bool) -> u64 {
        CALLS.note();
        Plain.decide(id, pass)
    }

    everywhere(|| {
        let names = || {
            let of_plain = |name: &String| name.contains("Plain") && name.contains("in_a_method");
            let functions = larder::stats().functions;
            functions.into_iter().map(|it| it.name).filter(of_plain).collect::<Vec<_>>()
        };
        outer(1, true);
        outer(1, false);
        CALLS.taken();
        let names = names();
        assert_eq!(names.len(), 1, "{names:?}");
        blocking::invalidate_function(&names[0]).unwrap();
        outer(1, false);
        assert_eq!(CALLS.taken(), 1, "a callee that was computed");
        outer(1, true);
        assert_eq!(CALLS.taken(), 1, "a callee that was bypassed before it had a name");
    });
}

#[test]
fn a_caller_depends_on_a_callee_whose_panic_it_survived() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("dependencies-panics"))]
    fn panics(id: u64) -> u64 {
        larder::tag("dependencies-panics-body");
        panic!("on purpose: {id}")
    }

    #[cached]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        catch_unwind(|| panics(id)).unwrap_or(0)
    }

    everywhere(|| {
        let ran = || (outer(1), CALLS.taken()).1;
        ran();
        for tag in ["dependencies-panics", "dependencies-panics-body"] {
            assert_eq!(ran(), 0);
            blocking::invalidate_tag(tag).unwrap();
            assert_eq!(ran(), 1, "{tag}");
        }
    });
}

#[test]
fn a_caller_does_not_depend_on_what_is_called_elsewhere() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("dependencies-elsewhere:{id}"))]
    fn leaf(id: u64) -> u64 {
        id
    }

    #[cached]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        leaf(id)
    }

    everywhere(|| {
        leaf(0);
        outer(1);
        leaf(2);
        CALLS.taken();
        blocking::invalidate_tags(["dependencies-elsewhere:0", "dependencies-elsewhere:2"])
            .unwrap();
        outer(1);
        assert_eq!(CALLS.taken(), 0);
    });
}

#[test]
fn a_callee_overtaken_while_its_caller_computes_takes_the_caller_with_it() {
    #[cached]
    fn leaf(id: u64) -> u64 {
        larder::tag("dependencies-overtaken");
        id
    }

    #[cached(skip(stage))]
    fn outer(stage: &Stage) -> u64 {
        leaf(1);
        stage.act()
    }

    everywhere(|| {
        for invalidate in [
            || blocking::invalidate_tag("dependencies-overtaken").unwrap(),
            || leaf::invalidate(1).unwrap(),
        ] {
            let stage = Arc::new(Stage::default());
            let inside = Arc::clone(&stage);
            let call = larder::inherit(async move { outer(&inside) });
            let running = run("the caller", || futures_lite::future::block_on(call));
            stage.entered.wait("the caller's body");
            invalidate();
            stage.leave.open();
            assert_eq!(running.ended(), 1);
            assert_eq!((outer(&stage), outer(&stage)), (2, 2));
            outer::invalidate().unwrap();
        }
    });
}
