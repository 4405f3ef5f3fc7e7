//! Template keys under adversarial values: two argument lists never meet, neither as typed keys nor
//! as the readable strings that patterns see.

use crate::support::{Calls, everywhere, fresh};
use larder::{blocking, cached, escape};
use proptest::prelude::*;

static CALLS: Calls = Calls::new();

#[cached(key = "templates:{one}:{other}")]
fn pair(one: &str, other: &str) -> (String, String) {
    CALLS.note();
    (one.to_owned(), other.to_owned())
}

/// Values made of what could be mistaken for something else, and any other text.
fn value() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            ":", "%", "{", "}", "{{", "*", "?", "\\", "\n", "\0", "%3A", "%25", "a", "A", "3", "é",
            "e\u{301}", "\u{202e}", "🦀", " ", "/", "-", "_", ".", "::", "{one}",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// The readable key of a call of `pair`.
fn readable(one: &str, other: &str) -> String {
    format!("templates:{}:{}", escape(one), escape(other))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_argument_lists_never_meet_in_one_key(
        calls in prop::collection::vec((value(), value()), 1..20)
    ) {
        fresh().0.with(|| {
            for _ in 0..2 {
                for (one, other) in &calls {
                    prop_assert_eq!(pair(one, other), (one.clone(), other.clone()));
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn two_argument_lists_never_print_alike(
        one in (value(), value()),
        other in (value(), value()),
    ) {
        let print = |(left, right): &(String, String)| readable(left, right);
        prop_assert_eq!(one == other, print(&one) == print(&other));
    }

    #[test]
    fn an_escaped_value_has_nothing_that_means_anything(value in value()) {
        let escaped = escape(&value);
        prop_assert!(!escaped.contains([':', '*', '?', '\\', '{', '}', '\n', '/', ' ']), "{}", escaped);
    }

    #[test]
    fn a_pattern_with_an_escaped_value_hits_that_value_alone(
        target in value(),
        others in prop::collection::vec(value(), 1..10),
    ) {
        fresh().0.with(|| {
            let others: Vec<_> = others.iter().filter(|it| **it != target).collect();
            for value in others.iter().copied().chain([&target]) {
                pair(value, "x");
                pair("x", value);
            }
            blocking::invalidate_pattern(format!("templates:{}:*", escape(&target))).unwrap();
            prop_assert_eq!(pair::peek(&target, "x"), None);
            for value in others {
                if value != "x" {
                    prop_assert!(pair::peek(value, "x").is_some(), "{:?} for {:?}", value, target);
                }
                prop_assert_eq!(pair::peek("x", value).is_some(), target != "x");
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_readable_key_as_it_is_makes_a_pattern_for_it_alone(
        target in (value(), value()),
        other in (value(), value()),
    ) {
        prop_assume!(target != other);
        fresh().0.with(|| {
            pair(&target.0, &target.1);
            pair(&other.0, &other.1);
            blocking::invalidate_pattern(readable(&target.0, &target.1)).unwrap();
            prop_assert_eq!(pair::peek(&target.0, &target.1), None);
            prop_assert!(pair::peek(&other.0, &other.1).is_some());
            Ok(())
        })?;
    }
}

#[test]
fn values_without_anything_between_them_never_meet_either() {
    static CALLS: Calls = Calls::new();

    #[cached(key = "templates-glued:{one}{other}")]
    fn glued(one: &str, other: &str) -> String {
        CALLS.note();
        format!("{one}|{other}")
    }

    everywhere(|| {
        for (one, other) in [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc")] {
            assert_eq!(glued(one, other), format!("{one}|{other}"));
        }
        assert_eq!(CALLS.taken(), 4);
    });
}

#[test]
fn a_brace_in_a_template_is_a_brace() {
    static CALLS: Calls = Calls::new();

    #[cached(key = "templates-brace:{{{id}}}", tags("templates-{{{id}}}"))]
    fn braced(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        braced(1);
        braced(2);
        assert_eq!(CALLS.taken(), 2);
        blocking::invalidate_pattern("templates-brace:{1}").unwrap();
        blocking::invalidate_tag("templates-{2}").unwrap();
        braced(1);
        braced(2);
        assert_eq!(CALLS.taken(), 2);
    });
}

#[test]
fn a_value_stands_in_a_tag_as_it_prints() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("templates-tag:{name}"))]
    fn length(name: &str) -> usize {
        CALLS.note();
        name.len()
    }

    everywhere(|| {
        for name in ["", ":", "%", "{", "}", "a\nb", "*", "é🦀"] {
            length(name);
            CALLS.taken();
            blocking::invalidate_tag(format!("templates-tag:{name}")).unwrap();
            length(name);
            assert_eq!(CALLS.taken(), 1, "{name:?}");
        }
    });
}
