use super::*;
use crate::files::scratch::Scratch;
use crate::files::stat::Timestamp;
use std::fs;

fn written(files: &Files) -> Vec<u8> {
    let mut bytes = Vec::new();
    files.write(&mut bytes);
    bytes
}

fn paths(files: &Files) -> Vec<&Path> {
    files.paths().collect()
}

#[test]
fn paths_are_absolute_sorted_and_there_once() {
    let here = std::env::current_dir().unwrap();
    let files = Files::of(&["b", "./a", "", "b"]);
    assert_eq!(paths(&files), [here.join("a"), here.join("b")]);
}

#[test]
fn no_path_at_all_always_holds() {
    let files = Files::of(&None::<&str>);
    assert!(files.is_empty() && files.still_hold());
    assert!(Files::default().still_hold());
}

#[test]
fn files_hold_until_one_of_them_changes() {
    let scratch = Scratch::new();
    let (a, b) = (scratch.file("a", "one"), scratch.file("b", "one"));
    let files = Files::of(&[&a, &b]);
    assert!(files.still_hold());
    fs::write(&b, "two").unwrap();
    assert!(!files.still_hold());
}

#[test]
fn what_is_found_to_be_trusted_is_remembered() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    let (long_ago, later) =
        (Timestamp { seconds: 0, nanos: 0 }, Timestamp::now().plus(10_000_000_000));
    let (recent, trusted) = (Fingerprint::at(&path, long_ago), Fingerprint::at(&path, later));
    assert_ne!(recent, trusted);
    let own = Dependency::with(path.into(), recent.clone());
    let files = Files { own: Box::new([own]), ..Files::default() };
    assert!(files.own[0].still_holds_at(long_ago));
    assert_eq!(*files.own[0].current(), recent);
    assert!(files.own[0].still_holds_at(later));
    assert_eq!(*files.own[0].current(), trusted);
    let (read, _) = Files::read(&written(&files)).unwrap();
    assert_eq!(*read.own[0].current(), trusted);
}

#[test]
fn callees_are_inherited_by_reference_and_once() {
    let scratch = Scratch::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| scratch.file(name, "one"));
    let inner = Arc::new(Files::of(&a));
    let middle = Arc::new(Files::of(&b).inheriting([Arc::clone(&inner)]));
    let outer = Files::of(&c).inheriting([Arc::clone(&inner), middle, Arc::clone(&inner)]);
    assert_eq!(paths(&outer), [&*c, &*a, &*b]);
    assert_eq!(Arc::strong_count(&inner), 3);
    assert!(outer.still_hold());
    fs::write(&a, "two").unwrap();
    assert!(!outer.still_hold());
}

#[test]
fn callees_that_saw_different_contents_never_hold_together() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    let before = Arc::new(Files::of(&path));
    fs::write(&path, "two").unwrap();
    let after = Arc::new(Files::of(&path));
    assert!(after.still_hold());
    let both = Files::default().inheriting([before, after]);
    assert!(!both.still_hold());
    assert!(!Files::read(&written(&both)).unwrap().0.still_hold());
}

#[test]
fn more_paths_than_can_be_kept_never_hold() {
    let many = |from: usize, to: usize| -> Vec<_> {
        (from..to).map(|it| format!("/nowhere/larder/{it}")).collect()
    };
    assert!(Files::of(&many(0, MOST_PATHS)).still_hold());
    let beyond = Files::of(&many(0, MOST_PATHS + 1));
    assert!(beyond.is_unbounded() && !beyond.is_empty() && !beyond.still_hold());
    let (read, _) = Files::read(&written(&beyond)).unwrap();
    assert!(read.is_unbounded());

    let callee = Arc::new(Files::of(&many(1, MOST_PATHS)));
    let one = Files::of(&many(0, 1)).inheriting([Arc::clone(&callee)]);
    assert!(one.still_hold());
    let two = Files::of(&many(MOST_PATHS, MOST_PATHS + 2)).inheriting([callee]);
    assert!(two.is_unbounded());
    assert!(Files::default().inheriting([Arc::new(beyond)]).is_unbounded());
}

#[test]
fn bytes_say_all_there_is_and_how_long_they_are() {
    let scratch = Scratch::new();
    let callee = Arc::new(Files::of(&scratch.file("b", "one")));
    let names = [scratch.file("a", "one"), scratch.at("missing"), scratch.path().to_owned()];
    let files = Files::of(&names).inheriting([callee]);
    let mut bytes = written(&files);
    let length = bytes.len();
    bytes.push(7);
    let (read, took) = Files::read(&bytes).unwrap();
    assert_eq!(took, length);
    assert_eq!(paths(&read), [scratch.path(), &scratch.at("a"), &scratch.at("b"), &names[1]]);
    assert_eq!(written(&read), written(&files));
    assert!(read.still_hold());
    fs::write(scratch.at("b"), "two").unwrap();
    assert!(!read.still_hold());
}

#[test]
fn bytes_that_end_early_or_promise_too_much_are_not_read() {
    let scratch = Scratch::new();
    let bytes = written(&Files::of(&scratch.file("a", "one")));
    for length in 0..bytes.len() {
        assert!(Files::read(&bytes[..length]).is_none());
    }
    let missing = |path: &[u8]| [&length(path.len()).to_le_bytes()[..], path, &[0]].concat();
    let reads = |count: usize, path: &[u8]| {
        let all = missing(path).repeat(count);
        let from = 0_u32.to_le_bytes();
        Files::read(&[&length(count).to_le_bytes()[..], &from, &all].concat()).is_some()
    };
    let from = |from: &[u8]| {
        let all = [&1_u32.to_le_bytes()[..], &length(from.len()).to_le_bytes(), from];
        Files::read(&[&all.concat()[..], &missing(b"/a")].concat()).is_some()
    };
    assert!(from(b"/a") && !from(b"a"));
    assert!(reads(1, b"/a") && !reads(1, b"a"));
    assert!(reads(MOST_PATHS, b"/a") && !reads(MOST_PATHS + 1, b"/a"));
    let long = b"/".repeat(LONGEST_PATH + 1);
    assert!(reads(1, &long[1..]) && !reads(1, &long));
}

#[test]
fn a_path_that_is_not_absolute_holds_in_its_working_directory_only() {
    let read = |bytes: &[u8]| Files::read(bytes).unwrap().0;
    let files = Files::of("no such file");
    assert!(files.still_hold() && read(&written(&files)).still_hold());
    let caller = Files::default().inheriting([Arc::new(files)]);
    assert!(caller.still_hold() && !caller.hold_at_a_glance());
    let elsewhere = Files { from: Some(Path::new("/elsewhere").into()), ..Files::of("/nowhere") };
    assert!(!elsewhere.still_hold() && !read(&written(&elsewhere)).still_hold());
    let both = caller.inheriting([Arc::new(elsewhere)]);
    assert!(!both.still_hold() && read(&written(&both)).is_unbounded());
}
