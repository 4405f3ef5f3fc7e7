//! V7 between processes: what is kept in memory alone may be a part of what is shared. Invalidated in
//! one process, it stays in the memory of another, but nothing shared is made of it any more.

use crate::child::{Inside, Test, folder, hear, install, say};
use crate::words::Words;
use larder::{blocking, cached};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;

/// The data behind, and behind that, how often it was read.
static DATA: OnceLock<Words> = OnceLock::new();

fn map(directory: &Path) -> Words {
    Words::map(&directory.join("data"), 2)
}

#[cached(key = "cascade:{key}", tags("cascade:{key}"))]
fn inner(key: u64) -> u64 {
    let data = DATA.get().expect("it is shared first").all();
    data[1].fetch_add(1, SeqCst);
    data[0].load(SeqCst) + key
}

#[cached]
fn middle(key: u64) -> u64 {
    inner(key)
}

#[cached(tier = "l1,l2", ttl = "1h")]
fn outer(key: u64) -> u64 {
    middle(key)
}

#[cached(tier = "l2", ttl = "1h")]
async fn outer_async(key: u64) -> u64 {
    inner(key)
}

fn serve(inside: &Inside) {
    assert!(DATA.set(map(&inside.directory)).is_ok());
    install(&inside.directory);
    say("ready");
    while let Some(line) = hear() {
        if line == "call" {
            let values = [outer(0), futures_lite::future::block_on(outer_async(0))];
            say(&format!("{values:?}"));
            continue;
        }
        DATA.get().expect("it is shared first").all()[0].fetch_add(1, SeqCst);
        match &*line {
            "tag" => blocking::invalidate_tag("cascade:0"),
            "pattern" => blocking::invalidate_pattern("cascade:*"),
            "key" => inner::invalidate(0),
            "companion" => inner::invalidate_all(),
            "name" => blocking::invalidate_function("process::cascade::inner"),
            other => panic!("{other}"),
        }
        .unwrap();
        say("invalidated");
    }
}

#[test]
fn what_is_shared_is_made_of_nothing_that_another_process_has_invalidated() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    let folder = folder();
    let data = map(folder.path());
    let mut pair = [(); 2].map(|()| test.start("caller", folder.path()));
    pair.iter_mut().for_each(|child| child.expect("ready"));
    for round in 0..5_u64 {
        for way in ["tag", "pattern", "key", "companion", "name"] {
            for _ in 0..2 {
                let now = data.all()[0].load(SeqCst);
                pair.iter_mut().for_each(|child| child.tell("call"));
                pair.iter_mut().for_each(|child| child.expect(&format!("{:?}", [now; 2])));
            }
            let [by, first] = pair.each_mut();
            by.ask(way);
            let now = data.all()[0].load(SeqCst);
            // First who has computed it before, and so has an old copy in memory; then who must not
            // get what that made of it.
            assert_eq!(first.ask("call"), format!("{:?}", [now; 2]), "{way}, round {round}");
            assert_eq!(by.ask("call"), format!("{:?}", [now; 2]), "{way}, round {round}");
        }
    }
}

#[test]
fn as_long_as_nothing_is_invalidated_what_is_in_memory_is_used() {
    let Some(test) = Test::new(|inside| serve(&inside)) else { return };
    let folder = folder();
    let data = map(folder.path());
    let mut child = test.start("caller", folder.path());
    child.expect("ready");
    for _ in 0..5 {
        assert_eq!(child.ask("call"), "[0, 0]");
    }
    assert_eq!(data.all()[1].load(SeqCst), 1);
}
