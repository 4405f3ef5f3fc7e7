//! What outlives a process: what it computed, however it ended in order, and what it invalidated,
//! however it ended. And what two that run see of each other, with the log of invalidations in place
//! or not.

use crate::child::{Child, Inside, Test, folder, hear, install, say, until};
use crate::words::Words;
use futures_lite::future;
use larder::{Runtime, blocking, cached};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;

/// The data behind, a word for each key; and behind these, how often each was computed.
static DATA: OnceLock<Words> = OnceLock::new();
const KEYS: usize = 64;

fn map(directory: &Path) -> Words {
    Words::map(&directory.join("data"), 2 * KEYS)
}

fn compute(key: u64) -> u64 {
    count(key);
    DATA.get().expect("it is shared first").all()[key as usize].load(SeqCst)
}

fn count(key: u64) {
    DATA.get().expect("it is shared first").all()[KEYS + key as usize].fetch_add(1, SeqCst);
}

#[cached(tier = "l1,l2", ttl = "1h", key = "read:{key}", tags("source:{key}"))]
fn read(key: u64) -> u64 {
    compute(key)
}

#[cached(tier = "l1,l2", ttl = "1h")]
async fn outer(key: u64) -> u64 {
    count(key);
    read(key)
}

fn fill() {
    for key in 0..KEYS as u64 {
        future::block_on(outer(key));
    }
}

/// Changes the data behind a key, and says so by each of the ways there are.
fn invalidate(key: u64, way: u64) {
    DATA.get().expect("it is shared first").all()[key as usize].fetch_add(1, SeqCst);
    match way % 6 {
        0 => read::invalidate(key),
        1 => blocking::invalidate_tag(format!("source:{key}")),
        2 => blocking::invalidate_tagged_with_all([format!("source:{key}")]),
        3 => blocking::invalidate_pattern(format!("read:{key}")),
        4 => read::invalidate_all(),
        _ => blocking::invalidate_all(),
    }
    .expect("the machine can be told");
}

/// Does what it is told to.
fn serve(inside: &Inside) {
    assert!(DATA.set(map(&inside.directory)).is_ok());
    let runtime = install(&inside.directory);
    say("ready");
    while let Some(line) = hear() {
        let words: Vec<_> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        let what = if words[0] == "fill" { &*line } else { words[0] };
        match what {
            "call" => say(&format!("{} {}", read(number(1)), future::block_on(outer(number(1))))),
            "fill" => {
                fill();
                say("filled");
            }
            "invalidate" => {
                invalidate(number(1), number(2));
                say("invalidated");
            }
            "die" => {
                invalidate(number(1), number(2));
                rustix::process::kill_process(
                    rustix::process::getpid(),
                    rustix::process::Signal::KILL,
                )
                .unwrap();
            }
            "close" => {
                future::block_on(runtime.close()).unwrap();
                say("closed");
            }
            "fill and exit" => {
                fill();
                process::exit(0);
            }
            "fill and return" => return fill(),
            other => panic!("{other}"),
        }
    }
}

/// A runtime of its own, whose last handle is dropped.
fn drop_one(inside: &Inside) {
    assert!(DATA.set(map(&inside.directory)).is_ok());
    let runtime = Runtime::builder().namespace("tests").dir(&inside.directory).build().unwrap();
    runtime.with(fill);
    drop(runtime);
    say("dropped");
    hear();
}

fn start(test: &Test, directory: &Path) -> Child {
    let mut child = test.start("caller", directory);
    child.expect("ready");
    child
}

fn computed(data: &Words) -> u64 {
    data.all()[KEYS..].iter().map(|it| it.load(SeqCst)).sum()
}

#[test]
fn values_survive_every_end_in_order() {
    let Some(test) = Test::new(|inside| match &*inside.role {
        "drops" => drop_one(&inside),
        _ => serve(&inside),
    }) else {
        return;
    };
    for end in ["return", "exit", "close", "drop"] {
        let folder = folder();
        let data = map(folder.path());
        if end == "drop" {
            let mut child = test.start("drops", folder.path());
            child.expect("dropped");
            child.kill();
        } else {
            let mut child = start(&test, folder.path());
            if end == "close" {
                assert_eq!(child.ask("fill"), "filled");
                assert_eq!(child.ask("close"), "closed");
                child.kill();
            } else {
                // At once, when most of it is still on its way.
                child.tell(&format!("fill and {end}"));
                child.end();
            }
        }
        assert_eq!(computed(&data), 2 * KEYS as u64);
        let mut next = start(&test, folder.path());
        assert_eq!(next.ask("fill"), "filled");
        assert_eq!(computed(&data), 2 * KEYS as u64, "after {end}");
        assert_eq!(next.end(), [""; 0]);
    }
}

#[test]
fn what_a_process_invalidated_before_it_ended_is_so_for_the_next() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    let folder = folder();
    let data = map(folder.path());
    for round in 0..24_u64 {
        let key = round % KEYS as u64;
        let mut first = start(&test, folder.path());
        first.ask("fill");
        first.end();
        let mut ended = start(&test, folder.path());
        if round % 3 == 0 {
            ended.ask(&format!("invalidate {key} {round}"));
            ended.tell("fill and exit");
            ended.end();
        } else {
            // Killed as soon as it has returned.
            ended.tell(&format!("die {key} {round}"));
            assert!(!ended.outcome().success());
        }
        let mut next = start(&test, folder.path());
        let now = data.all()[key as usize].load(SeqCst);
        assert_eq!(next.ask(&format!("call {key}")), format!("{now} {now}"), "in round {round}");
        next.end();
    }
}

#[test]
fn what_a_process_invalidates_is_seen_by_the_very_next_hit_of_another() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    let folder = folder();
    let data = map(folder.path());
    let mut pair = [(); 2].map(|()| start(&test, folder.path()));
    for round in 0..1_500_u64 {
        let key = round % 5;
        let now = data.all()[key as usize].load(SeqCst);
        for child in &mut pair {
            assert_eq!(child.ask(&format!("call {key}")), format!("{now} {now}"));
        }
        let [one, other] = &mut pair;
        let (by, seen_by) = if round % 2 == 0 { (one, other) } else { (other, one) };
        by.ask(&format!("invalidate {key} {}", round / 2));
        let now = now + 1;
        assert_eq!(seen_by.ask(&format!("call {key}")), format!("{now} {now}"), "round {round}");
    }
}

#[test]
fn a_process_survives_that_all_its_files_are_cut_short() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    for together in [1, 2] {
        let folder = folder();
        let data = map(folder.path());
        let mut children: Vec<_> = (0..together).map(|_| start(&test, folder.path())).collect();
        for round in 0..30_u64 {
            children.iter_mut().for_each(|child| drop(child.ask("fill")));
            for file in fs::read_dir(folder.path().join("tests")).unwrap() {
                let opened = fs::OpenOptions::new().write(true).open(file.unwrap().path());
                let file = match opened {
                    Ok(file) => file,
                    // The children move and remove what was damaged before.
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    Err(error) => panic!("{error}"),
                };
                let length = file.metadata().unwrap().len().min(round % 3 * 4_096);
                file.set_len(length).unwrap();
            }
            let key = round % KEYS as u64;
            let now = data.all()[key as usize].load(SeqCst);
            for child in &mut children {
                assert_eq!(child.ask(&format!("call {key}")), format!("{now} {now}"), "{round}");
            }
        }
        children.into_iter().for_each(|child| drop(child.end()));
    }
}

#[test]
fn a_log_deleted_by_hand_is_noticed_and_nothing_older_is_served() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    let folder = folder();
    let data = map(folder.path());
    let log = folder.path().join("tests/versions");
    let mut pair = [(); 2].map(|()| start(&test, folder.path()));
    for round in 0..40_u64 {
        pair.iter_mut().for_each(|child| drop(child.ask("fill")));
        fs::remove_file(&log).unwrap();
        let key = round % KEYS as u64;
        let [one, other] = &mut pair;
        if round % 2 == 0 {
            // It is noticed before anything is invalidated.
            one.ask(&format!("invalidate {key} {}", round / 2));
            let now = data.all()[key as usize].load(SeqCst);
            assert_eq!(other.ask(&format!("call {key}")), format!("{now} {now}"), "round {round}");
        }
        // And if nothing is, soon.
        until("a new log", || {
            log.exists().then_some(()).or_else(|| {
                one.ask(&format!("call {key}"));
                None
            })
        });
        let before = computed(&data);
        pair.iter_mut().for_each(|child| drop(child.ask("fill")));
        // All keys but those that have been computed anew meanwhile.
        assert!(computed(&data) - before >= KEYS as u64 - 1, "round {round}");
        pair[0].ask(&format!("invalidate {key} {round}"));
        let now = data.all()[key as usize].load(SeqCst);
        assert_eq!(pair[1].ask(&format!("call {key}")), format!("{now} {now}"), "round {round}");
    }
}

#[test]
fn who_invalidates_looks_for_the_log_where_another_process_has_just_made_one() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    let folder = folder();
    let data = map(folder.path());
    let log = folder.path().join("tests/versions");
    let mut first = start(&test, folder.path());
    for key in 0..24_u64 {
        first.ask(&format!("call {key}"));
        // It opens what there is when it first calls.
        let mut second = start(&test, folder.path());
        fs::remove_file(&log).unwrap();
        second.ask(&format!("call {key}"));
        first.ask(&format!("invalidate {key} {key}"));
        let now = data.all()[key as usize].load(SeqCst);
        assert_eq!(second.ask(&format!("call {key}")), format!("{now} {now}"), "in round {key}");
    }
}
