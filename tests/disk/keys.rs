//! K2, K3, K5 and C6: nothing is served to another function, key or type of values.

use crate::support::{Calls, Machine, settle};
use larder::{Cause, blocking, cached};

#[test]
fn two_functions_with_one_key_have_two_entries() {
    #[cached(tier = "l2", write = "through")]
    fn one(id: u64) -> u64 {
        id + 1
    }

    #[cached(tier = "l2", write = "through")]
    fn two(id: u64) -> u64 {
        id + 2
    }

    let machine = Machine::new();
    for process in [machine.process(), machine.process()] {
        process.with(|| assert_eq!((one(1), two(1)), (2, 3)));
    }
}

#[test]
fn instantiations_of_a_generic_function_have_entries_of_their_own() {
    trait Named {
        const NAME: &'static str;
    }

    struct A;
    struct B;

    impl Named for A {
        const NAME: &'static str = "a";
    }

    impl Named for B {
        const NAME: &'static str = "b";
    }

    #[cached(tier = "l2", write = "through")]
    fn name<T: Named, const N: usize>(id: u64) -> String {
        format!("{}{N}{id}", T::NAME)
    }

    let machine = Machine::new();
    for process in [machine.process(), machine.process()] {
        process.with(|| {
            assert_eq!(name::<A, 1>(7), "a17");
            assert_eq!(name::<B, 1>(7), "b17");
            assert_eq!(name::<B, 2>(7), "b27");
        });
    }
}

#[test]
fn argument_lists_that_concatenate_alike_are_two_keys() {
    #[cached(tier = "l2", write = "through")]
    fn joined(one: &str, other: &str) -> String {
        format!("{one}|{other}")
    }

    let machine = Machine::new();
    for process in [machine.process(), machine.process()] {
        process.with(|| {
            assert_eq!(joined("ab", "c"), "ab|c");
            assert_eq!(joined("a", "bc"), "a|bc");
        });
    }
}

static MOVED: Calls = Calls::new();

#[test]
fn a_name_survives_moving_the_function() {
    mod before {
        #[larder::cached(tier = "l2", name = "moved", write = "through")]
        pub(super) fn moved(id: u64) -> u64 {
            super::MOVED.note();
            id
        }
    }

    mod after {
        #[larder::cached(tier = "l2", name = "moved", write = "through")]
        pub(super) fn elsewhere(id: u64) -> u64 {
            super::MOVED.note();
            id
        }
    }

    let machine = Machine::new();
    machine.process().with(|| before::moved(1));
    machine.process().with(|| after::elsewhere(1));
    assert_eq!(MOVED.taken(), 1);
}

/// K3: of two, the second stays in memory.
#[test]
fn two_functions_of_one_name_in_one_process_never_share() {
    mod one {
        #[larder::cached(tier = "l1,l2", name = "shared", write = "through")]
        pub(super) fn value(id: u64) -> u64 {
            id + 1
        }
    }

    mod other {
        #[larder::cached(tier = "l1,l2", name = "shared", write = "through")]
        pub(super) fn value(id: u64) -> u64 {
            id + 2
        }
    }

    let machine = Machine::new();
    machine.process().with(|| {
        for _ in 0..2 {
            assert_eq!((one::value(1), other::value(1)), (2, 3));
        }
        assert_eq!(other::value::stats().stores_l2, 0);
        one::value::invalidate(1).unwrap();
        other::value(1);
        assert_eq!(other::value::stats().computations, 2, "they are of one name");
    });
}

#[test]
fn another_version_is_another_function() {
    mod first {
        #[larder::cached(tier = "l2", name = "versioned", version = 1, write = "through")]
        pub(super) fn value(id: u64) -> u64 {
            id + 1
        }
    }

    mod second {
        #[larder::cached(tier = "l2", name = "versioned", version = 2, write = "through")]
        pub(super) fn value(id: u64) -> u64 {
            id + 2
        }
    }

    let machine = Machine::new();
    assert_eq!(machine.process().with(|| first::value(1)), 2);
    assert_eq!(machine.process().with(|| second::value(1)), 3);
    assert_eq!(machine.process().with(|| first::value(1)), 2);
}

#[test]
fn another_body_is_another_function_where_its_tokens_are_its_version() {
    mod first {
        #[larder::cached(tier = "l2", name = "edited", version = auto, write = "through")]
        pub(super) fn value(id: u64) -> u64 {
            id + 1
        }
    }

    mod second {
        #[larder::cached(tier = "l2", name = "edited", version = auto, write = "through")]
        pub(super) fn value(id: u64) -> u64 {
            id + 2
        }
    }

    let machine = Machine::new();
    assert_eq!(machine.process().with(|| first::value(1)), 2);
    assert_eq!(machine.process().with(|| second::value(1)), 3);
}

/// K5.
#[test]
fn a_type_of_another_shape_is_never_decoded_from_what_was_stored() {
    mod first {
        #[derive(Clone, serde::Serialize, serde::Deserialize)]
        pub(super) struct Value {
            pub(super) one: u32,
            pub(super) other: u32,
        }

        #[larder::cached(tier = "l2", name = "shaped", write = "through")]
        pub(super) fn value(id: u32) -> Value {
            Value { one: id, other: 0 }
        }
    }

    mod second {
        #[derive(Clone, serde::Serialize, serde::Deserialize)]
        pub(super) struct Value {
            pub(super) other: u32,
            pub(super) one: u32,
        }

        #[larder::cached(tier = "l2", name = "shaped", write = "through")]
        pub(super) fn value(id: u32) -> Value {
            Value { one: id, other: 0 }
        }
    }

    let machine = Machine::new();
    for _ in 0..2 {
        let first = machine.process().with(|| first::value(7));
        assert_eq!((first.one, first.other), (7, 0));
        let second = machine.process().with(|| second::value(7));
        assert_eq!((second.one, second.other), (7, 0));
    }
}

#[test]
fn namespaces_share_nothing() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l2", write = "through", tags("ns"))]
    fn value(id: u64) -> u64 {
        CALLS.note();
        id
    }

    let machine = Machine::new();
    let of = |name: &str| {
        larder::Runtime::builder().namespace(name).dir(machine.path()).build().unwrap()
    };
    of("one").with(|| value(1));
    of("other").with(|| value(1));
    assert_eq!(CALLS.taken(), 2);
    of("other").with(|| larder::blocking::invalidate_tag("ns").unwrap());
    of("one").with(|| value(1));
    assert_eq!(CALLS.taken(), 0);
}

/// K4 and C6.
#[test]
fn what_is_keyed_by_an_ambient_context_stays_in_memory() {
    #[derive(PartialEq, Eq, Hash)]
    struct Tenant(u64);

    #[cached(tier = "l1,l2", context)]
    fn value(id: u64) -> u64 {
        id + larder::ambient::get::<Tenant>().map_or(0, |tenant| tenant.0)
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    for tenant in [100, 200] {
        for process in [&one, &other, &one] {
            process.with(|| {
                larder::ambient::with(Tenant(tenant), || {
                    assert_eq!(value(1), 1 + tenant);
                })
            });
            settle(process);
        }
    }
    let stats = one.with(value::stats);
    assert_eq!((stats.hits, stats.stores_l2), (2, 0));
    other.with(|| value::invalidate_all().unwrap());
    one.with(|| larder::ambient::with(Tenant(100), || value(1)));
    assert_eq!(one.with(value::stats).computations, 3, "it hears of other processes all the same");
}

#[test]
fn a_companion_sees_what_another_process_stored() {
    #[cached(tier = "l1,l2", tags("peeked"))]
    fn value(id: u64) -> u64 {
        id * 2
    }

    let machine = Machine::new();
    machine.process().with(|| value(4));
    let process = machine.process();
    process.with(|| {
        assert_eq!(value::peek(4), Some(8));
        assert_eq!(value::peek(5), None);
        let explained = value::explain(4).to_string();
        assert!(explained.contains("would be served from L2"), "{explained}");
        assert!(explained.ends_with("; L1 has none, L2 has it"), "{explained}");
        value(4);
        let explained = value::explain(4).to_string();
        assert!(explained.contains("would be served from L1"), "{explained}");
    });
    machine.process().with(|| larder::blocking::invalidate_tag("peeked").unwrap());
    process.with(|| {
        assert_eq!(value::peek(4), None);
        let explained = value::explain(4).to_string();
        assert!(explained.contains("its entry has been invalidated, by "), "{explained}");
    });
}

#[test]
fn what_overtook_an_entry_on_disk_is_told_by_a_process_that_never_had_it() {
    #[cached(tier = "l1,l2", tags("told:{id}"), key = "told:{id}")]
    fn value(id: u64) -> u64 {
        id * 2
    }

    #[cached(tier = "l1,l2")]
    fn around(id: u64) -> u64 {
        value(id) + 1
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    let overtaken = |invalidate: &dyn Fn()| {
        one.with(|| around(4));
        settle(&one);
        other.with(invalidate);
        other.with(|| (value::explain(4), around::explain(4)))
    };
    let tag = || Some(Cause::Tag(Some("told:4".into())));
    // Only so many names are remembered, and other tests invalidate a lot.
    let mut attempts =
        (0..1_000).map(|_| overtaken(&|| blocking::invalidate_tag("told:4").unwrap()));
    let named = attempts.find(|(inner, outer)| inner.cause == tag() && outer.cause == tag());
    let (inner, _) = named.expect("the tag was never told by its name");
    assert_eq!(inner.tiers.iter().map(|it| it.cause.clone()).collect::<Vec<_>>(), [None, tag()]);
    let said = inner.to_string();
    let end = "its entry has been invalidated, by its tag `told:4`; L1 has none, L2 has one that is invalid";
    assert!(said.ends_with(end), "{said}");
    let (inner, outer) = overtaken(&|| value::invalidate(4).unwrap());
    assert_eq!((inner.cause, outer.cause), (Some(Cause::Key), Some(Cause::Dependency)));
    let (inner, outer) = overtaken(&|| value::invalidate_all().unwrap());
    assert_eq!((inner.cause, outer.cause), (Some(Cause::Function), Some(Cause::Dependency)));
    let (inner, outer) = overtaken(&|| blocking::invalidate_pattern("told:*").unwrap());
    assert_eq!((inner.cause, outer.cause), (Some(Cause::Other), Some(Cause::Other)));
}
