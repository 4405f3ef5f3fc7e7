//! C7 and F3 between containers: processes that see neither each other's numbers nor anything else
//! of each other share no more than a folder, and need no more.
//!
//! To make namespaces takes root.

use crate::child::{Child, Inside, Test, folder, hear, install, say};
use crate::words::Words;
use larder::cached;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;

/// What starts a program in namespaces of its own, in which it is the first process.
const APART: [&str; 7] =
    ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--ipc", "--net"];

/// More rounds than it takes until one process comes while the other computes.
const ROUNDS: usize = 1_000;

/// How often each key was computed, in all processes.
static COMPUTED: OnceLock<Words> = OnceLock::new();

#[cached(tier = "l1,l2", ttl = "1h", wait = "1h")]
fn slow(key: usize) -> u64 {
    let count = COMPUTED.get().expect("it is shared first").all()[key].fetch_add(1, SeqCst) + 1;
    say("computing");
    assert_eq!(hear().as_deref(), Some("finish"));
    count
}

fn serve(inside: &Inside) {
    assert!(COMPUTED.set(Words::map(&inside.directory.join("computed"), ROUNDS)).is_ok());
    install(&inside.directory);
    assert_eq!(std::process::id(), 1, "it is apart");
    say("ready");
    while let Some(line) = hear() {
        let (what, key) = line.split_once(' ').unwrap();
        let key = key.parse().unwrap();
        match what {
            "call" => {
                say("calling");
                say(&slow(key).to_string());
            }
            "forget" => {
                slow::invalidate(key).unwrap();
                say("forgotten");
            }
            _ => say(&slow::stats().joins_l2.to_string()),
        }
    }
}

/// Has one process compute a key for both.
fn share(one: &mut Child, other: &mut Child, key: usize, value: &str) {
    assert_eq!(one.ask(&format!("call {key}")), "calling");
    one.expect("computing");
    assert_eq!(other.ask(&format!("call {key}")), "calling");
    one.tell("finish");
    one.expect(value);
    other.expect(value);
}

#[test]
fn processes_in_namespaces_of_their_own_compute_once_and_hear_each_other() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    let folder = folder();
    let start = || {
        let mut child = test.start_by(&APART, "apart", folder.path());
        child.expect("ready");
        child
    };
    let (mut one, mut other) = (start(), start());
    let mut has_waited = false;
    for key in 0..ROUNDS {
        share(&mut one, &mut other, key, "1");
        has_waited = other.ask("joins 0") != "0";
        if has_waited && key > 10 {
            break;
        }
    }
    assert!(has_waited, "none came while the other computed");
    for key in 0..10 {
        assert_eq!(one.ask(&format!("forget {key}")), "forgotten");
        share(&mut other, &mut one, key, "2");
        assert_eq!(other.ask(&format!("forget {key}")), "forgotten");
        share(&mut one, &mut other, key, "3");
    }
    for child in [one, other] {
        assert_eq!(child.end(), [""; 0]);
    }
}
