//! C1 by pattern: a glob over readable keys hits what it matches, and a bad one loses nothing.

use crate::support::{Calls, everywhere, everywhere_alone};
use larder::{ErrorKind, blocking, cached, escape};

/// The parts of a list for which a call ran its body.
fn ran<'a>(calls: &Calls, f: impl Fn(&str) -> usize, of: &[&'a str]) -> Vec<&'a str> {
    of.iter()
        .copied()
        .filter(|it| {
            calls.taken();
            f(it);
            calls.taken() > 0
        })
        .collect()
}

#[test]
fn a_star_stands_for_any_run_and_a_question_mark_for_one_character() {
    static CALLS: Calls = Calls::new();

    #[cached(key = "patterns-glob:{name}:end")]
    fn length(name: &str) -> usize {
        CALLS.note();
        name.len()
    }

    everywhere(|| {
        let names = ["", "a", "b", "ab", "abc", "é"];
        let after = |pattern: &str| {
            ran(&CALLS, length, &names);
            blocking::invalidate_pattern(pattern).unwrap();
            ran(&CALLS, length, &names)
        };
        assert_eq!(after("patterns-glob:*:end"), names);
        assert_eq!(after("patterns-glob:*"), names);
        assert_eq!(after("patterns-glob:?:end"), ["a", "b", "é"]);
        assert_eq!(after("patterns-glob:a*:end"), ["a", "ab", "abc"]);
        assert_eq!(after("patterns-glob:*b*:end"), ["b", "ab", "abc"]);
        assert_eq!(after("patterns-glob:??:end"), ["ab"]);
        assert_eq!(after("patterns-glob:ab:end"), ["ab"]);
        assert_eq!(after("patterns-glob::end"), [""]);
        assert_eq!(after("patterns-glob:ab"), [""; 0]);
        assert_eq!(after("glob:*"), [""; 0]);
        assert_eq!(after(""), [""; 0]);
    });
}

#[test]
fn a_metacharacter_in_a_value_stands_for_nothing() {
    static CALLS: Calls = Calls::new();

    #[cached(key = "patterns-meta:{name}")]
    fn length(name: &str) -> usize {
        CALLS.note();
        name.len()
    }

    everywhere(|| {
        let names = ["*", "?", "\\", "a", "a*", "a?b", "a\\*", ":", "%2A"];
        for name in names {
            ran(&CALLS, length, &names);
            blocking::invalidate_pattern(format!("patterns-meta:{}", escape(name))).unwrap();
            assert_eq!(ran(&CALLS, length, &names), [name]);
        }
    });
}

#[test]
fn a_backslash_takes_the_meaning_from_a_character_of_the_template() {
    static CALLS: Calls = Calls::new();

    #[cached(key = "patterns-*?:{name}")]
    fn length(name: &str) -> usize {
        CALLS.note();
        name.len()
    }

    #[cached(key = "patterns-xy:{name}")]
    fn other(name: &str) -> usize {
        CALLS.note();
        name.len()
    }

    everywhere(|| {
        let names = ["a", "b"];
        ran(&CALLS, length, &names);
        ran(&CALLS, other, &names);
        blocking::invalidate_pattern(r"patterns-\*\?:*").unwrap();
        assert_eq!(ran(&CALLS, other, &names), [""; 0]);
        assert_eq!(ran(&CALLS, length, &names), names);
    });
}

#[test]
fn a_pattern_that_ends_in_a_lone_backslash_is_an_error_and_loses_nothing() {
    static CALLS: Calls = Calls::new();

    #[cached(key = "patterns-bad:{name}")]
    fn length(name: &str) -> usize {
        CALLS.note();
        name.len()
    }

    everywhere_alone(|_| {
        let before = larder::stats().invalidations_patterns;
        ran(&CALLS, length, &["a", "\\"]);
        for pattern in ["patterns-bad:*\\", "*\\", "\\", "*\\\\\\"] {
            let error = blocking::invalidate_pattern(pattern).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Pattern);
            assert!(error.to_string().contains("lone backslash"), "{error}");
            let error = futures_lite::future::block_on(larder::invalidate_pattern(pattern));
            assert_eq!(error.unwrap_err().kind(), ErrorKind::Pattern);
        }
        assert_eq!(ran(&CALLS, length, &["a", "\\"]), [""; 0]);
        assert_eq!(larder::stats().invalidations_patterns, before, "a bad pattern counts as none");
    });
}

#[test]
fn an_entry_without_a_readable_key_is_matched_by_no_pattern() {
    static CALLS: Calls = Calls::new();

    #[cached(key(name), tags("patterns-unreadable"))]
    fn length(name: &str) -> usize {
        CALLS.note();
        name.len()
    }

    everywhere_alone(|_| {
        ran(&CALLS, length, &["a", ""]);
        blocking::invalidate_pattern("*").unwrap();
        assert_eq!(ran(&CALLS, length, &["a", ""]), [""; 0]);
    });
}

#[test]
fn what_is_computed_after_a_pattern_stays() {
    static CALLS: Calls = Calls::new();

    #[cached(key = "patterns-later:{name}")]
    fn length(name: &str) -> usize {
        CALLS.note();
        name.len()
    }

    everywhere(|| {
        for _ in 0..20 {
            blocking::invalidate_pattern("patterns-later:*").unwrap();
        }
        assert_eq!(ran(&CALLS, length, &["a"]), ["a"]);
        for _ in 0..3 {
            assert_eq!(ran(&CALLS, length, &["a"]), [""; 0]);
        }
    });
}

#[test]
fn a_key_whose_display_fails_is_what_it_wrote_until_there() {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Faulty(u64);

    impl std::fmt::Display for Faulty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "faulty-{}", self.0)?;
            Err(std::fmt::Error)
        }
    }

    #[cached(key = "pat-faulty:{it}")]
    fn same(it: Faulty) -> u64 {
        it.0
    }

    everywhere(|| {
        assert_eq!((same(Faulty(1)), same(Faulty(1))), (1, 1));
        blocking::invalidate_pattern("pat-faulty:faulty-1*").unwrap();
        assert_eq!(same::peek(Faulty(1)), None);
        assert_eq!(larder::escape(Faulty(2)), "faulty-2");
    });
}
