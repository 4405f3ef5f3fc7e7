//! C1 and C2: what is invalidated in one process is not served in another, from memory or disk.

use crate::support::{Calls, Machine, settle};
use larder::{Runtime, cached};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

static SOURCE: AtomicU64 = AtomicU64::new(0);

#[cached(tier = "l1,l2", tags("user:{id}", "users"), key = "user:{id}:{name}")]
fn user(id: u64, name: &str) -> String {
    format!("{id} {name} {}", SOURCE.load(SeqCst))
}

/// Whether `one` and `other` serve what is there anew after an invalidation by `one`.
fn check(invalidate: impl Fn()) {
    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    for round in 0..3 {
        for process in [&one, &other, &other] {
            process.with(|| user(1, "a"));
            process.with(|| user(2, "b"));
        }
        settle(&one);
        settle(&other);
        let now = SOURCE.fetch_add(1, SeqCst) + 1;
        one.with(&invalidate);
        for process in [&other, &one, &machine.process()] {
            let fresh = process.with(|| user(1, "a"));
            assert!(fresh.rsplit(' ').next().unwrap().parse::<u64>().unwrap() >= now, "{round}");
        }
    }
}

#[test]
fn by_key() {
    check(|| user::invalidate(1, "a").unwrap());
}

#[test]
fn by_tag() {
    check(|| larder::blocking::invalidate_tag("user:1").unwrap());
}

#[test]
fn by_any_of_several_tags() {
    check(|| larder::blocking::invalidate_tags(["none", "user:1"]).unwrap());
}

#[test]
fn by_all_of_several_tags() {
    check(|| larder::blocking::invalidate_tagged_with_all(["users", "user:1"]).unwrap());
}

#[test]
fn by_pattern() {
    check(|| larder::blocking::invalidate_pattern("user:1:*").unwrap());
}

#[test]
fn by_function() {
    check(|| user::invalidate_all().unwrap());
}

#[test]
fn by_name_of_the_function() {
    let name = user::stats().name;
    check(|| larder::blocking::invalidate_function(&name).unwrap());
}

#[test]
fn everything() {
    check(|| larder::blocking::invalidate_all().unwrap());
}

/// V1.
#[test]
fn what_does_not_carry_the_name_stays() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", tags("exact:{id}"), key = "exact:{id}")]
    fn exact(id: u64) -> u64 {
        CALLS.note();
        id
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    let all = |process: &Runtime| process.with(|| (0..10).for_each(|id| assert_eq!(exact(id), id)));
    all(&one);
    settle(&one);
    all(&other);
    assert_eq!(CALLS.taken(), 10);
    one.with(|| {
        larder::blocking::invalidate_tag("exact:1").unwrap();
        larder::blocking::invalidate_tagged_with_all(["exact:2", "exact:3"]).unwrap();
        larder::blocking::invalidate_pattern("exact:4").unwrap();
        exact::invalidate(5).unwrap();
        larder::blocking::invalidate_function("another").unwrap();
    });
    all(&other);
    assert_eq!(CALLS.taken(), 3);
    settle(&other);
    all(&one);
    all(&machine.process());
    assert_eq!(CALLS.taken(), 0);
}

/// V7, across processes: what is kept in memory alone is known by what stands for it.
#[test]
fn an_invalidation_reaches_what_was_computed_from_it() {
    static NOW: AtomicU64 = AtomicU64::new(0);

    #[cached(tags("inner:{id}"))]
    fn inner(id: u64) -> u64 {
        id + NOW.load(SeqCst)
    }

    #[cached(tier = "l1,l2")]
    fn middle(id: u64) -> u64 {
        inner(id)
    }

    #[cached(tier = "l1,l2")]
    fn outer(id: u64) -> u64 {
        middle(id)
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    let invalidations: [&dyn Fn(); 4] = [
        &|| inner::invalidate(1).unwrap(),
        &|| larder::blocking::invalidate_tag("inner:1").unwrap(),
        &|| inner::invalidate_all().unwrap(),
        &|| middle::invalidate(1).unwrap(),
    ];
    for (at, invalidate) in invalidations.into_iter().enumerate() {
        for process in [&one, &other] {
            process.with(|| outer(1));
            settle(process);
        }
        NOW.fetch_add(10, SeqCst);
        if at == 3 {
            // What `middle` called is as it was.
            one.with(|| inner::invalidate(1).unwrap());
        }
        one.with(invalidate);
        let stands = 1 + NOW.load(SeqCst);
        for process in [&one, &other, &machine.process()] {
            assert_eq!(process.with(|| outer(1)), stands, "{at}");
        }
    }
}

/// V7: a value that comes from disk and goes no further than to a caller that is being computed.
#[test]
fn what_was_read_from_disk_alone_is_depended_on() {
    static NOW: AtomicU64 = AtomicU64::new(0);

    #[cached(tier = "l2", tags("read:{id}"))]
    fn read(id: u64) -> u64 {
        id + NOW.load(SeqCst)
    }

    #[cached(tier = "l1,l2")]
    fn caller(id: u64) -> u64 {
        read(id)
    }

    let machine = Machine::new();
    let process = machine.process();
    for round in 1..4 {
        process.with(|| read(1));
        settle(&process);
        assert_eq!(process.with(|| (read(1), caller(1))), (10 * round - 9, 10 * round - 9));
        NOW.fetch_add(10, SeqCst);
        process.with(|| larder::blocking::invalidate_tag("read:1").unwrap());
        assert_eq!(process.with(|| caller(1)), 10 * round + 1);
    }
}

#[test]
fn a_value_overtaken_while_it_was_computed_is_stored_nowhere() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", tags("overtaken"), write = "through")]
    fn overtaken(machine: &std::path::PathBuf) -> u64 {
        CALLS.note();
        let other = Runtime::builder().dir(machine).build().unwrap();
        other.with(|| larder::blocking::invalidate_tag("overtaken").unwrap());
        7
    }

    let machine = Machine::new();
    let path = machine.path().to_owned();
    let one = machine.process();
    one.with(|| overtaken(&path));
    one.with(|| overtaken(&path));
    machine.process().with(|| overtaken(&path));
    assert_eq!(CALLS.taken(), 3);
    let stats = one.with(overtaken::stats);
    assert_eq!((stats.stores_l2, stats.fenced_stores_l2, stats.stores), (0, 2, 0));
}

/// V1: what is kept in memory alone is as exact where there is a disk tier.
#[test]
fn a_key_kept_in_memory_alone_is_invalidated_alone() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2")]
    fn stored(id: u64) -> u64 {
        id
    }

    #[cached]
    fn inner(id: u64) -> u64 {
        id
    }

    #[cached]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        inner(id) + inner::uncached(id) + inner::refresh(id)
    }

    let process = Machine::new().process();
    process.with(|| {
        stored(1);
        (0..5).for_each(|id| assert_eq!(outer(id), 3 * id));
        assert_eq!(CALLS.taken(), 5);
        inner::invalidate(1).unwrap();
        (0..5).for_each(|id| assert_eq!(outer(id), 3 * id));
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn a_process_that_only_invalidates_is_heard() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", tags("admin"))]
    fn value(id: u64) -> u64 {
        CALLS.note();
        id
    }

    let machine = Machine::new();
    let one = machine.process();
    one.with(|| value(1));
    machine.process().with(|| larder::blocking::invalidate_tag("admin").unwrap());
    one.with(|| value(1));
    machine.process().with(|| value::invalidate(1).unwrap());
    one.with(|| value(1));
    assert_eq!(CALLS.taken(), 3);
}

#[test]
fn what_is_put_replaces_what_others_have() {
    #[cached(tier = "l1,l2")]
    fn value(id: u64) -> u64 {
        id
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    for process in [&one, &other] {
        assert_eq!(process.with(|| value(1)), 1);
        settle(process);
    }
    one.with(|| value::put(1, 100));
    settle(&one);
    for process in [&one, &other, &machine.process()] {
        assert_eq!(process.with(|| value(1)), 100);
    }
}

#[test]
fn many_invalidations_do_not_lose_what_they_do_not_name() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", tags("kept:{id}"))]
    fn kept(id: u64) -> u64 {
        CALLS.note();
        id
    }

    static DOOMED: AtomicU64 = AtomicU64::new(0);

    #[cached(tier = "l1,l2", tags("doomed"))]
    fn doomed() -> u64 {
        DOOMED.fetch_add(1, SeqCst)
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    assert_eq!(one.with(doomed), 0);
    one.with(|| (0..50).for_each(|id| assert_eq!(kept(id), id)));
    settle(&one);
    one.with(|| {
        larder::blocking::invalidate_tag("doomed").unwrap();
        for name in 0..300_000 {
            larder::blocking::invalidate_tags((0..3).map(|part| format!("{name}:{part}"))).unwrap();
        }
    });
    assert_eq!(CALLS.taken(), 50);
    other.with(|| (0..50).for_each(|id| assert_eq!(kept(id), id)));
    machine.process().with(|| (0..50).for_each(|id| assert_eq!(kept(id), id)));
    assert_eq!(CALLS.taken(), 0);
    for process in [other, machine.process(), one] {
        assert_ne!(process.with(doomed), 0, "it has been invalidated, long ago");
    }
}

#[test]
fn what_a_function_changes_in_one_process_is_computed_anew_in_the_other() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", tags("changed:{id}"))]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    #[cached(tier = "l2")]
    fn all() -> u64 {
        CALLS.note();
        0
    }

    #[larder::invalidates(tags = ["changed:{id}"], on = all)]
    fn change(id: u64) -> Result<u64, &'static str> {
        if id > 2 { Err("there is none") } else { Ok(id) }
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    one.with(|| ([1, 2, 3].map(number), all()));
    settle(&one);
    let computed = |process: &Runtime| {
        process.with(|| ([1, 2, 3].map(number), all()));
        settle(process);
        CALLS.taken()
    };
    assert_eq!((computed(&other), computed(&other)), (4, 0));
    assert_eq!(one.with(|| change(3)), Err("there is none"));
    assert_eq!(computed(&other), 0);
    assert_eq!(one.with(|| change(2)), Ok(2));
    assert_eq!((computed(&other), computed(&one)), (2, 0));
}
