//! K3 and what makes a key: two calls meet in one entry only if function, types and arguments are
//! the same.

use crate::support::{Calls, everywhere};
use larder::cached;
use std::any::type_name;
use std::fmt::{self, Display};
use std::hash::{Hash, Hasher};

#[test]
fn two_functions_alike_share_nothing() {
    mod one {
        #[larder::cached]
        pub(super) fn price(id: u64) -> u64 {
            id + 1
        }
    }
    mod other {
        #[larder::cached]
        pub(super) fn price(id: u64) -> u64 {
            id + 2
        }
    }
    everywhere(|| {
        for _ in 0..3 {
            assert_eq!((one::price(1), other::price(1)), (2, 3));
        }
        one::price::invalidate(1).unwrap();
        assert_eq!((one::price::peek(1), other::price::peek(1)), (None, Some(3)));
    });
}

#[test]
fn two_instantiations_of_a_generic_function_share_nothing() {
    #[cached]
    fn name<T: 'static>(id: u64) -> String {
        format!("{id}{}", type_name::<T>())
    }
    everywhere(|| {
        for _ in 0..3 {
            assert_eq!((name::<u8>(1), name::<i8>(1)), ("1u8".to_owned(), "1i8".to_owned()));
        }
        name::invalidate::<u8>(1).unwrap();
        assert_eq!(name::peek::<u8>(1), None);
        assert_eq!(name::peek::<i8>(1).as_deref(), Some("1i8"));
    });
}

#[test]
fn two_instantiations_by_a_const_share_nothing() {
    #[cached]
    fn times<const N: u64>(id: u64) -> u64 {
        id * N
    }
    everywhere(|| {
        for _ in 0..3 {
            assert_eq!((times::<2>(5), times::<3>(5)), (10, 15));
        }
    });
}

#[test]
fn two_instantiations_of_a_generic_impl_share_nothing() {
    use std::marker::PhantomData;

    struct Shop<T>(PhantomData<T>);

    impl<T: 'static> Shop<T> {
        #[cached(skip(self), handle = name_entry)]
        fn name(&self, id: u64) -> String {
            format!("{id}{}", type_name::<T>())
        }

        #[cached(handle = none)]
        fn made(id: u64) -> String {
            format!("{id}{}", type_name::<T>())
        }
    }

    everywhere(|| {
        let (small, large) = (Shop::<u8>(PhantomData), Shop::<u64>(PhantomData));
        for _ in 0..3 {
            assert_eq!((small.name(1), large.name(1)), ("1u8".to_owned(), "1u64".to_owned()));
            assert_eq!(Shop::<u8>::made(1), "1u8");
            assert_eq!(Shop::<u64>::made(1), "1u64");
        }
        small.name_entry(1).invalidate().unwrap();
        assert_eq!(small.name_entry(1).peek(), None);
        assert_eq!(large.name_entry(1).peek().as_deref(), Some("1u64"));
    });
}

#[test]
fn implementations_of_one_trait_share_nothing() {
    trait Convert<T> {
        fn convert(&self, id: u64) -> String;
    }

    macro_rules! convert {
        ($kind:ty => $target:ty) => {
            impl Convert<$target> for $kind {
                #[cached(skip(self))]
                fn convert(&self, id: u64) -> String {
                    format!("{id}{}{}", type_name::<Self>(), type_name::<$target>())
                }
            }
        };
    }
    convert!(u8 => i8);
    convert!(u8 => i16);
    convert!(u16 => i8);

    everywhere(|| {
        for _ in 0..3 {
            assert_eq!(Convert::<i8>::convert(&0_u8, 1), "1u8i8");
            assert_eq!(Convert::<i16>::convert(&0_u8, 1), "1u8i16");
            assert_eq!(Convert::<i8>::convert(&0_u16, 1), "1u16i8");
        }
    });
}

#[test]
fn a_provided_method_is_another_one_for_each_type() {
    trait Named {
        #[cached(skip(self))]
        fn name(&self, id: u64) -> String
        where
            Self: 'static,
        {
            format!("{id}{}", type_name::<Self>())
        }
    }
    impl Named for u8 {}
    impl Named for i8 {}

    everywhere(|| {
        for _ in 0..3 {
            assert_eq!((0_u8.name(1), 0_i8.name(1)), ("1u8".to_owned(), "1i8".to_owned()));
        }
    });
}

#[test]
fn impl_trait_arguments_of_two_types_share_nothing() {
    #[cached(key(it.to_string()))]
    fn name(it: impl Display + 'static) -> String {
        fn of<T>(_: &T) -> &'static str {
            type_name::<T>()
        }
        of(&it).to_owned()
    }
    everywhere(|| {
        for _ in 0..3 {
            assert_eq!((name(1_u8), name(1_u64)), ("u8".to_owned(), "u64".to_owned()));
        }
    });
}

#[test]
fn a_key_that_does_not_tell_instantiations_apart_names_none_of_them() {
    static CALLS: Calls = Calls::new();

    #[cached(key(it.to_string()))]
    fn name(it: impl Display + 'static) -> String {
        fn of<T>(_: &T) -> &'static str {
            type_name::<T>()
        }
        CALLS.note();
        of(&it).to_owned()
    }
    everywhere(|| {
        name(1_u8);
        assert_eq!(name::peek("1".to_owned()).as_deref(), Some("u8"), "there is no other");
        name(1_u64);
        assert_eq!(name::peek("1".to_owned()), None);
        assert!(name::explain("1".to_owned()).to_string().contains("would be computed"));
        assert_eq!(CALLS.taken(), 2);
        name::invalidate("1".to_owned()).unwrap();
        assert_eq!((name(1_u8), name(1_u64)), ("u8".to_owned(), "u64".to_owned()));
        assert_eq!(CALLS.taken(), 2, "both were forgotten");
        name::invalidate_all().unwrap();
    });
}

#[test]
fn types_that_print_alike_share_nothing() {
    trait Number {
        const NUMBER: u64;
    }

    #[cached]
    fn number<T: Number + 'static>() -> (u64, &'static str) {
        (T::NUMBER, type_name::<T>())
    }

    fn one() -> (u64, &'static str) {
        {
            struct Id;
            impl Number for Id {
                const NUMBER: u64 = 1;
            }
            number::<Id>()
        }
    }

    fn both() -> [(u64, &'static str); 2] {
        let first = {
            struct Id;
            impl Number for Id {
                const NUMBER: u64 = 2;
            }
            number::<Id>()
        };
        let second = {
            struct Id;
            impl Number for Id {
                const NUMBER: u64 = 3;
            }
            number::<Id>()
        };
        [first, second]
    }

    everywhere(|| {
        for _ in 0..3 {
            let [first, second] = both();
            assert_eq!(first.1, second.1, "they print alike");
            assert_eq!((one().0, first.0, second.0), (1, 2, 3));
        }
    });
}

#[test]
fn argument_lists_that_concatenate_alike_never_meet() {
    #[cached]
    fn joined(one: &str, other: &str) -> String {
        format!("{one}|{other}")
    }
    #[cached]
    fn lists(one: Vec<u8>, other: &[u8]) -> String {
        format!("{one:?}|{other:?}")
    }
    #[cached]
    fn options(one: Option<&str>, other: Option<&str>) -> String {
        format!("{one:?}|{other:?}")
    }
    everywhere(|| {
        for _ in 0..2 {
            for (one, other) in [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc")] {
                assert_eq!(joined(one, other), format!("{one}|{other}"));
                let (left, right) = (one.as_bytes(), other.as_bytes());
                assert_eq!(lists(left.to_vec(), right), format!("{left:?}|{right:?}"));
            }
            for (one, other) in [(Some("a"), None), (None, Some("a")), (None, None)] {
                assert_eq!(options(one, other), format!("{one:?}|{other:?}"));
            }
        }
    });
}

#[test]
fn equal_hashes_are_not_equal_keys() {
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Alike(u64);

    impl Hash for Alike {
        fn hash<H: Hasher>(&self, state: &mut H) {
            state.write_u64(0);
        }
    }

    static CALLS: Calls = Calls::new();

    #[cached]
    fn number(it: Alike) -> u64 {
        CALLS.note();
        it.0
    }

    everywhere(|| {
        for _ in 0..3 {
            for it in 0..50 {
                assert_eq!(number(Alike(it)), it);
            }
        }
        assert_eq!(CALLS.taken(), 50);
    });
}

#[test]
fn floating_point_arguments_are_told_apart_by_their_bits() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn sign(number: f64) -> bool {
        CALLS.note();
        number.is_sign_negative()
    }

    #[cached]
    fn small(number: f32, by: &str) -> String {
        CALLS.note();
        format!("{number}{by}")
    }

    everywhere(|| {
        assert_eq!([sign(0.0), sign(-0.0), sign(0.0), sign(-0.0)], [false, true, false, true]);
        assert_eq!(CALLS.taken(), 2);
        sign(f64::NAN);
        sign(f64::NAN);
        assert_eq!(CALLS.taken(), 1, "a NaN finds itself again");
        sign(-f64::NAN);
        assert_eq!(CALLS.taken(), 1, "another NaN is another number");
        assert_eq!([small(f32::NAN, "x"), small(f32::NAN, "x")], ["NaNx", "NaNx"]);
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn a_key_expression_is_what_calls_are_told_apart_by() {
    static CALLS: Calls = Calls::new();

    #[cached(key(name.to_lowercase()))]
    fn length(name: &str, _noise: u64) -> usize {
        CALLS.note();
        name.len()
    }

    everywhere(|| {
        assert_eq!([length("Ab", 1), length("aB", 2), length("ab", 3)], [2, 2, 2]);
        assert_eq!(CALLS.taken(), 1);
        assert_eq!(length("abc", 1), 3);
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn a_key_expression_is_evaluated_once_per_call() {
    static EVALUATED: Calls = Calls::new();

    fn counted(id: u64) -> u64 {
        EVALUATED.note();
        id
    }

    #[cached(key(counted(id)))]
    fn price(id: u64) -> u64 {
        id
    }

    everywhere(|| {
        for _ in 0..5 {
            price(1);
        }
        assert_eq!(EVALUATED.taken(), 5);
    });
}

#[test]
fn a_skipped_argument_is_no_part_of_the_key() {
    static CALLS: Calls = Calls::new();

    struct Database(u64);

    #[cached(skip(db))]
    fn load(id: u64, db: &Database) -> u64 {
        CALLS.note();
        id + db.0
    }

    everywhere(|| {
        assert_eq!([load(1, &Database(10)), load(1, &Database(20))], [11, 11]);
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn a_template_key_compares_values_not_what_they_print() {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Secret(u64);

    impl Display for Secret {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("***")
        }
    }

    #[cached(key = "keys-secret:{secret}")]
    fn reveal(secret: &Secret) -> u64 {
        secret.0
    }

    everywhere(|| {
        for _ in 0..3 {
            assert_eq!((reveal(&Secret(1)), reveal(&Secret(2))), (1, 2));
        }
    });
}

#[test]
fn what_a_template_key_does_not_name_is_no_part_of_it() {
    static CALLS: Calls = Calls::new();

    struct User {
        id: u64,
        name: String,
    }

    #[cached(key = "keys-user:{user.id}:{user.name.len()}")]
    fn greet(user: &User, _noise: u64) -> String {
        CALLS.note();
        user.name.clone()
    }

    everywhere(|| {
        let ann = User { id: 1, name: "Ann".to_owned() };
        let bob = User { id: 1, name: "Bob".to_owned() };
        let carla = User { id: 1, name: "Carla".to_owned() };
        assert_eq!([greet(&ann, 1), greet(&bob, 2), greet(&carla, 3)], ["Ann", "Ann", "Carla"]);
        assert_eq!(CALLS.taken(), 2);
    });
}

#[test]
fn patterns_in_parameters_bind_parts_of_the_key() {
    static CALLS: Calls = Calls::new();

    struct Point {
        x: u64,
        y: u64,
    }

    #[cached]
    fn sum((a, b): (u64, &str), [c, _]: [u64; 2], Point { x, y: up }: Point, _: u64) -> u64 {
        CALLS.note();
        a + b.len() as u64 + c + x + up
    }

    everywhere(|| {
        let call = |a, b, c, unseen, x, y| sum((a, b), [c, unseen], Point { x, y }, unseen);
        assert_eq!(call(1, "bb", 3, 0, 4, 5), 15);
        assert_eq!(call(1, "bb", 3, 9, 4, 5), 15);
        assert_eq!(CALLS.taken(), 1, "what the body can't see is no part of the key");
        call(2, "bb", 3, 0, 4, 5);
        call(1, "cc", 3, 0, 4, 5);
        call(1, "bb", 4, 0, 4, 5);
        call(1, "bb", 3, 0, 5, 5);
        call(1, "bb", 3, 0, 4, 6);
        assert_eq!(CALLS.taken(), 5);
    });
}

#[test]
fn tuples_are_told_apart_by_each_of_their_parts() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn sum(pair: (&str, (u64, Option<&str>))) -> usize {
        CALLS.note();
        pair.0.len() + pair.1.1.map_or(0, str::len)
    }

    everywhere(|| {
        let calls = [
            ("a", (1, Some("b"))),
            ("b", (1, Some("b"))),
            ("a", (2, Some("b"))),
            ("a", (1, Some("c"))),
            ("a", (1, None)),
        ];
        for _ in 0..3 {
            calls.into_iter().for_each(|it| assert!(sum(it) > 0));
        }
        assert_eq!(CALLS.taken(), 5);
    });
}

#[test]
fn a_function_without_arguments_has_one_entry() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn answer() -> u64 {
        CALLS.note();
        42
    }

    everywhere(|| {
        assert_eq!([answer(), answer()], [42, 42]);
        assert_eq!(CALLS.taken(), 1);
        answer::invalidate().unwrap();
        answer();
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn every_one_of_many_arguments_counts() {
    #[cached]
    #[expect(clippy::too_many_arguments, reason = "more than one tuple of the runtime takes")]
    fn list(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8) -> Vec<u8> {
        vec![a, b, c, d, e, f, g, h, i, j]
    }
    everywhere(|| {
        for _ in 0..2 {
            for changed in 0..10 {
                let mut of = [0_u8; 10];
                of[changed] = 1;
                let [a, b, c, d, e, f, g, h, i, j] = of;
                assert_eq!(list(a, b, c, d, e, f, g, h, i, j), of);
            }
        }
    });
}

#[test]
fn a_call_context_tells_calls_apart() {
    #[cached(version = 3)]
    fn decide(symbol: &str, limit: u64) -> u64 {
        limit + symbol.len() as u64
    }
    #[cached]
    fn other(symbol: &str, limit: u64) -> u64 {
        limit + symbol.len() as u64
    }
    everywhere(|| {
        let call = decide::call_context("a", 1);
        assert_eq!(call, decide::call_context("a", 1));
        assert_eq!(call.hash64(), decide::call_context("a", 1).hash64());
        assert_eq!(call.version, 3);
        assert_eq!(call.ambient, None);
        assert!(call.function.ends_with("decide"), "{}", call.function);
        let others = [
            decide::call_context("b", 1),
            decide::call_context("a", 2),
            other::call_context("a", 1),
        ];
        for other in others {
            assert_ne!(call.hash64(), other.hash64(), "{other}");
        }
        assert!(call.to_string().contains(&format!("{:016x}", call.hash64())), "{call}");
    });
}

#[test]
fn the_digest_of_a_call_is_the_same_whether_it_was_called_before_or_not() {
    #[cached]
    fn decide(id: u64) -> u64 {
        id
    }
    struct Engine;
    impl Engine {
        #[cached(skip(self), handle = decide_entry)]
        fn decide(&self, id: u64) -> u64 {
            id
        }
    }
    everywhere(|| {
        let before = (decide::call_context(1), Engine.decide_entry(1).call_context());
        decide(1);
        Engine.decide(1);
        let after = (decide::call_context(1), Engine.decide_entry(1).call_context());
        assert_eq!(before, after);
    });
}
