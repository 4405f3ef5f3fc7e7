//! F2 and F3: of all processes one computes; when it dies another takes over; and none waits for
//! itself in a circle. With a wait of an hour, nothing but what is promised ends one in time.

use crate::child::{Child, Inside, Test, folder, hear, install, say, until};
use crate::words::Words;
use futures_lite::future;
use larder::cached;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;

/// How often each key was computed, in all processes.
static COMPUTED: OnceLock<Words> = OnceLock::new();

fn share(directory: &Path) -> &'static Words {
    COMPUTED.get_or_init(|| Words::map(&directory.join("computed"), 1 << 10))
}

/// What a body does: waits for the parent to say how it ends.
fn compute(key: u64) -> u64 {
    let computed = COMPUTED.get().expect("it is shared first").all();
    let count = computed[key as usize].fetch_add(1, SeqCst) + 1;
    say("computing");
    match hear().as_deref() {
        Some("finish") => key * 1_000 + count,
        // Without a word of it.
        _ => resume_unwind(Box::new("as told")),
    }
}

#[cached(tier = "l1,l2", ttl = "1h", wait = "1h")]
fn slow(key: u64) -> u64 {
    compute(key)
}

#[cached(tier = "l2", ttl = "1h", wait = "1h")]
async fn slow_async(key: u64) -> u64 {
    future::yield_now().await;
    compute(key)
}

fn call(key: u64) -> u64 {
    if key.is_multiple_of(2) { slow(key) } else { future::block_on(slow_async(key)) }
}

/// Calls what it is told to.
fn serve(inside: &Inside) {
    share(&inside.directory);
    let runtime = install(&inside.directory);
    say("ready");
    while let Some(line) = hear() {
        let key = line.parse().unwrap();
        say("calling");
        match catch_unwind(AssertUnwindSafe(|| call(key))) {
            Ok(value) => say(&value.to_string()),
            Err(_) => say("panicked"),
        }
    }
    let joins: u64 = runtime.stats().functions.iter().map(|it| it.joins_l2).sum();
    say(&format!("joins {joins}"));
}

fn start(test: &Test, directory: &Path) -> Child {
    let mut child = test.start("caller", directory);
    child.expect("ready");
    child
}

/// Has all call at once; returns who computes.
fn all_call(children: &mut [Child], key: u64) -> usize {
    children.iter_mut().for_each(|child| child.tell(&key.to_string()));
    children.iter_mut().for_each(|child| child.expect("calling"));
    who_computes(children)
}

fn who_computes(children: &mut [Child]) -> usize {
    until("one of the processes to compute", || {
        let said = children.iter_mut().map(Child::overhear);
        let said: Vec<_> = said.enumerate().filter(|(_, line)| line.is_some()).collect();
        let (number, line) = said.into_iter().next()?;
        assert_eq!(line.as_deref(), Some("computing"));
        Some(number)
    })
}

#[test]
fn of_four_processes_that_miss_at_once_one_computes() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    let folder = folder();
    let computed = Words::map(&folder.path().join("computed"), 1 << 10);
    let mut children: Vec<_> = (0..4).map(|_| start(&test, folder.path())).collect();
    for key in 0..40 {
        let first = all_call(&mut children, key);
        children[first].tell("finish");
        children.iter_mut().for_each(|child| child.expect(&(key * 1_000 + 1).to_string()));
        assert_eq!(computed.all()[key as usize].load(SeqCst), 1);
    }
    let mut joins = 0;
    for child in &mut children {
        let status = child.outcome_after(|line| {
            joins += line.strip_prefix("joins ").unwrap().parse::<u64>().unwrap();
        });
        assert!(status.success());
        assert_eq!(child.warned(), [""; 0]);
    }
    assert!(joins > 0, "nobody waited, so nothing is proved");
}

#[test]
fn when_the_process_that_computes_is_killed_another_takes_over_at_once() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    let folder = folder();
    let computed = Words::map(&folder.path().join("computed"), 1 << 10);
    let mut children: Vec<_> = (0..4).map(|_| start(&test, folder.path())).collect();
    for key in 0..12 {
        let holder = all_call(&mut children, key);
        assert_eq!(children.swap_remove(holder).kill(), [""; 0]);
        let heir = who_computes(&mut children);
        children[heir].tell("finish");
        children.iter_mut().for_each(|child| child.expect(&(key * 1_000 + 2).to_string()));
        assert_eq!(computed.all()[key as usize].load(SeqCst), 2);
        children.push(start(&test, folder.path()));
    }
}

#[test]
fn when_the_body_panics_another_process_takes_over_at_once() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    let folder = folder();
    let mut children: Vec<_> = (0..3).map(|_| start(&test, folder.path())).collect();
    for key in 0..12 {
        let first = all_call(&mut children, key);
        children[first].tell("panic");
        children[first].expect("panicked");
        let mut panicked = children.swap_remove(first);
        let heir = who_computes(&mut children);
        // Who panicked is one of the callers again.
        panicked.tell(&key.to_string());
        panicked.expect("calling");
        children.push(panicked);
        children[heir].tell("finish");
        children.iter_mut().for_each(|child| child.expect(&(key * 1_000 + 2).to_string()));
    }
}

thread_local! {
    static IS_INSIDE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Calls the other function, unless it has been called by that.
fn call_each_other(other: impl FnOnce() -> u64) {
    if !IS_INSIDE.replace(true) {
        say("inside");
        assert_eq!(hear().as_deref(), Some("go"));
        other();
        IS_INSIDE.set(false);
    }
}

#[cached(tier = "l1,l2", ttl = "1h", wait = "1h")]
fn one(key: u64) -> u64 {
    call_each_other(|| other(key));
    key
}

#[cached(tier = "l1,l2", ttl = "1h", wait = "1h")]
fn other(key: u64) -> u64 {
    call_each_other(|| one(key));
    key + 1_000
}

fn call_into_the_other(inside: &Inside) {
    install(&inside.directory);
    let called = if inside.role == "one" { one } else { other };
    say("ready");
    while let Some(line) = hear() {
        say(&called(line.parse().unwrap()).to_string());
    }
}

#[test]
fn two_processes_that_call_into_what_the_other_computes_do_not_wait_for_each_other() {
    let Some(test) = Test::new(|inside| call_into_the_other(&inside)) else { return };
    let folder = folder();
    let mut pair = ["one", "other"].map(|role| test.start(role, folder.path()));
    pair.iter_mut().for_each(|child| child.expect("ready"));
    for key in 0..50_u64 {
        pair.iter_mut().for_each(|child| child.tell(&key.to_string()));
        pair.iter_mut().for_each(|child| child.expect("inside"));
        pair.iter_mut().for_each(|child| child.tell("go"));
        pair[0].expect(&key.to_string());
        pair[1].expect(&(key + 1_000).to_string());
    }
}
