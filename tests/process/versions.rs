//! Old and new versions of a program over one folder, and programs that share a name: each gets its
//! own values only (C6, K5).

use crate::child::{Child, Inside, Test, folder, hear, install, say};
use crate::words::Words;
use larder::cached;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;

/// How often bodies ran, in all processes.
static COMPUTED: OnceLock<Words> = OnceLock::new();

fn count() {
    COMPUTED.get().expect("it is shared first").all()[0].fetch_add(1, SeqCst);
}

/// One version of a program: a function of the name that all of them have.
macro_rules! program {
    ($name:ident($($argument:ident: $kind:ty = $given:expr),*) -> $out:ty, $(#[$with:meta],)? $value:expr; $($item:item)*) => {
        mod $name {
            #[allow(unused_imports, reason = "only some have values of types of their own")]
            use super::{count, Serialize, Deserialize, cached};

            $($item)*

            #[cached(tier = "l1,l2", ttl = "1h", write = "through", name = "versions")]
            fn made($($argument: $kind),*) -> $out {
                count();
                let number = [$(u64::from($argument)),*].iter().sum::<u64>();
                ($value)(number)
            }

            pub(super) fn call() -> String {
                let number = [$(u64::from($given as $kind)),*].iter().sum::<u64>();
                let (made, wanted) = (made($($given),*), ($value)(number));
                assert_eq!(made, wanted);
                format!("{made:?}")
            }

            pub(super) fn forget() {
                made::invalidate($($given),*).unwrap();
            }
        }
    };
}

program! { first(key: u32 = 7) -> Price, |n| Price { cents: n as u32, tax: 1 };
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Price { cents: u32, tax: u32 }
}
program! { added(key: u32 = 7) -> Price, |n| Price { cents: n as u32, tax: 1, discount: 2 };
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Price { cents: u32, tax: u32, discount: u32 }
}
program! { retyped(key: u32 = 7) -> Price, |n| Price { cents: n, tax: 1 };
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Price { cents: u64, tax: u32 }
}
program! { reordered(key: u32 = 7) -> Price, |n| Price { tax: 1, cents: n as u32 };
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Price { tax: u32, cents: u32 }
}
program! { renamed(key: u32 = 7) -> Price, |n| Price { cents: n as u32, rate: 19 };
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Price { cents: u32, rate: u32 }
}
program! { tuple(key: u32 = 7) -> Price, |n| Price(n as u32, 1);
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Price(u32, u32);
}
program! { choice(key: u32 = 7) -> Price, |n| Price::Cents(n as u32);
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Price { Cents(u32), Free }
}
program! { other_choice(key: u32 = 7) -> Price, |n| Price::Cents(n as u32);
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Price { Free, Cents(u32) }
}
program! { nested(key: u32 = 7) -> Price, |n| Price { amount: Amount { cents: n as u32, tax: 2 } };
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Amount { cents: u32, tax: u32 }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Price { amount: Amount }
}
program! { other_nested(key: u32 = 7) -> Price, |n| Price { amount: Amount { tax: 2, cents: n as u32 } };
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Amount { tax: u32, cents: u32 }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Price { amount: Amount }
}
program! { by_byte(key: u8 = 7) -> u64, |n| n + 100; }
program! { by_word(key: u64 = 7) -> u64, |n| n + 200; }
program! { by_two(key: u32 = 7, other: u32 = 1) -> u64, |n| n + 300; }
program! { to_text(key: u32 = 7) -> String, |n: u64| format!("made of {n}"); }
program! { to_bytes(key: u32 = 7) -> Vec<u8>, |n: u64| n.to_le_bytes().to_vec(); }
program! { to_option(key: u32 = 7) -> Option<u32>, |n| Some(n as u32); }

/// Functions whose version is said, or found out.
macro_rules! version {
    ($name:ident, $version:tt, $value:expr) => {
        mod $name {
            use super::{cached, count};

            #[cached(tier = "l1,l2", ttl = "1h", write = "through", name = "marked", version = $version)]
            fn made(key: u32) -> u32 {
                count();
                let value: fn(u32) -> u32 = $value;
                value(key)
            }

            pub(super) fn call() -> String {
                made(7).to_string()
            }

            pub(super) fn forget() {
                made::invalidate(7).unwrap();
            }
        }
    };
}

version! { marked_one, 1, |key| key + 1 }
version! { marked_two, 2, |key| key + 2 }
version! { found_one, auto, |key| key + 3 }
version! { found_two, auto, |key| key + 4 }

type Program = (&'static str, fn() -> String, fn());

macro_rules! programs {
    ($($name:ident)*) => { [$((stringify!($name), $name::call, $name::forget)),*] };
}

const PROGRAMS: [Program; 20] = programs! {
    first added retyped reordered renamed tuple choice other_choice nested other_nested
    by_byte by_word by_two to_text to_bytes to_option
    marked_one marked_two found_one found_two
};

fn serve(inside: &Inside) {
    assert!(COMPUTED.set(Words::map(&inside.directory.join("computed"), 1)).is_ok());
    install(&inside.directory);
    let (_, call, forget) = PROGRAMS.into_iter().find(|(name, ..)| *name == inside.role).unwrap();
    say("ready");
    while let Some(line) = hear() {
        match &*line {
            "call" => say(&call()),
            _ => {
                forget();
                say("forgotten");
            }
        }
    }
}

fn start(test: &Test, folder: &tempfile::TempDir, names: &[&str]) -> Vec<Child> {
    let start = |name: &&str| test.start(name, folder.path());
    let mut children: Vec<_> = names.iter().map(start).collect();
    children.iter_mut().for_each(|child| child.expect("ready"));
    children
}

/// Tells all of them before it hears any, so that their work overlaps.
fn say_all(children: &mut [Child], what: &str) -> Vec<String> {
    children.iter_mut().for_each(|child| child.tell(what));
    children.iter_mut().map(Child::hear).collect()
}

#[test]
fn programs_that_know_a_name_with_other_types_get_their_own_values_only() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    let folder = folder();
    let computed = Words::map(&folder.path().join("computed"), 1);
    let names = PROGRAMS.map(|(name, ..)| name);
    let mut children = start(&test, &folder, &names);
    let made = say_all(&mut children, "call");
    assert_eq!(
        computed.all()[0].load(SeqCst),
        names.len() as u64,
        "two share what they should not"
    );
    // And none drives out another's.
    assert_eq!(say_all(&mut children, "call"), made);
    let mut restarted = start(&test, &folder, &names);
    assert_eq!(say_all(&mut restarted, "call"), made);
    assert_eq!(computed.all()[0].load(SeqCst), names.len() as u64);
    // Nor does any take what another computes at that moment.
    children.extend(restarted);
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..60 {
        let told: Vec<_> = children
            .iter_mut()
            .map(|child| {
                let what = if random.u8(..4) == 0 { "forget" } else { "call" };
                child.tell(what);
                what
            })
            .collect();
        for (at, what) in told.into_iter().enumerate() {
            let expected = if what == "call" { &made[at % names.len()] } else { "forgotten" };
            assert_eq!(children[at].hear(), expected, "{}", names[at % names.len()]);
        }
    }
    for child in children {
        assert_eq!(child.end(), [""; 0]);
    }
}

#[test]
fn a_key_that_one_version_invalidates_is_forgotten_by_the_others() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    for names in [["first", "added", "to_text"], ["marked_one", "marked_two", "found_one"]] {
        let folder = folder();
        let computed = Words::map(&folder.path().join("computed"), 1);
        let mut children = start(&test, &folder, &names);
        for by in 0..3 {
            say_all(&mut children, "call");
            let before = computed.all()[0].load(SeqCst);
            assert_eq!(children[by].ask("forget"), "forgotten");
            say_all(&mut children, "call");
            assert_eq!(computed.all()[0].load(SeqCst) - before, 3, "by {}", names[by]);
        }
    }
}
