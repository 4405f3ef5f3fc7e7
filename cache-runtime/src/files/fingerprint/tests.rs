use super::*;
use crate::files::scratch::Scratch;
use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

/// A moment after which everything is recent.
const LONG_AGO: Timestamp = Timestamp { seconds: 0, nanos: 0 };

/// A moment at which everything written so far is settled.
fn later() -> Timestamp {
    Timestamp::now().plus(10_000_000_000)
}

fn settled(path: &Path) -> Fingerprint {
    Fingerprint::at(path, later())
}

fn holds(fingerprint: &Fingerprint, path: &Path) -> bool {
    fingerprint.still_holds(path) != Still::No
}

/// Returns once the file system's clock has moved, so that what stands is settled in truth.
fn await_tick() {
    let probe = Scratch::new();
    let time = || match Seen::at(&probe.file("probe", "")) {
        Seen::There(stat) => stat.identity.changed,
        seen => panic!("no file but {seen:?}"),
    };
    let start = time();
    while time() == start {}
}

/// `change` is told of, both by who took what stood before for recent and by who took it for settled.
fn tells_of(path: &Path, change: impl FnOnce()) {
    await_tick();
    let (recent, settled) = (Fingerprint::at(path, LONG_AGO), settled(path));
    assert!(holds(&recent, path), "recent, unchanged");
    assert!(holds(&settled, path), "settled, unchanged");
    change();
    assert!(!holds(&recent, path), "recent, changed");
    assert!(!holds(&settled, path), "settled, changed");
}

#[test]
fn an_edit_is_told() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    tells_of(&path, || fs::write(&path, "three").unwrap());
}

#[test]
fn an_edit_of_the_same_size_is_told() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    tells_of(&path, || fs::write(&path, "two").unwrap());
}

#[test]
fn an_edit_whose_time_was_set_back_is_told() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    tells_of(&path, || {
        fs::write(&path, "two").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
    });
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
}

#[test]
fn an_edit_that_leaves_no_trace_in_the_times_is_told_by_the_content() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    let End::File { content, .. } = Fingerprint::at(&path, LONG_AGO).end else { panic!("no file") };
    fs::write(&path, "two").unwrap();
    let End::File { identity, .. } = Fingerprint::of(&path).end else { panic!("no file") };
    // As if the clock had not moved between the two.
    let same_tick =
        |content| Fingerprint { links: None, end: End::File { identity, content, shared: false } };
    assert!(content.is_some());
    assert!(!holds(&same_tick(content), &path));
    assert!(holds(&same_tick(None), &path));
}

#[test]
fn a_recent_file_is_trusted_once_its_times_are_settled() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    let recent = Fingerprint::at(&path, LONG_AGO);
    assert_eq!(recent.still_holds_at(&path, LONG_AGO), Still::Yes);
    let trusted = settled(&path);
    assert_ne!(recent, trusted);
    assert_eq!(recent.still_holds_at(&path, later()), Still::YesTrusted(trusted.clone()));
    assert_eq!(trusted.still_holds_at(&path, later()), Still::Yes);
}

#[test]
fn another_file_moved_over_it_is_told() {
    let scratch = Scratch::new();
    let (path, other) = (scratch.file("a", "one"), scratch.file("b", "one"));
    tells_of(&path, || fs::rename(&other, &path).unwrap());
}

#[test]
fn a_file_that_becomes_a_directory_is_told() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    tells_of(&path, || {
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
    });
}

#[test]
fn what_is_missing_holds_until_it_is_created() {
    let scratch = Scratch::new();
    let path = scratch.at("a");
    tells_of(&path, || fs::write(&path, "").unwrap());
    tells_of(&path, || fs::remove_file(&path).unwrap());
}

#[test]
fn what_lies_below_a_file_is_missing() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one").join("b");
    assert_eq!(Fingerprint::of(&path).end, End::Missing);
    tells_of(&path, || {
        fs::remove_file(scratch.at("a")).unwrap();
        fs::create_dir(scratch.at("a")).unwrap();
        fs::write(&path, "").unwrap();
    });
}

#[test]
fn what_can_not_be_looked_at_never_holds() {
    let scratch = Scratch::new();
    let path = scratch.at(&"a".repeat(300));
    let fingerprint = Fingerprint::of(&path);
    assert_eq!(fingerprint.end, End::Unreadable);
    assert!(!holds(&fingerprint, &path));
}

#[test]
#[cfg(target_os = "linux")]
fn what_can_not_be_read_never_holds() {
    // Its beginning is mapped by nothing, and its times never settle anything.
    let path = Path::new("/proc/self/mem");
    let fingerprint = Fingerprint::of(path);
    assert_eq!(fingerprint.end, End::Unreadable);
    assert!(!holds(&fingerprint, path));

    let scratch = Scratch::new();
    symlink(path, scratch.at("link")).unwrap();
    assert_eq!(Fingerprint::of(scratch.path()).end, End::Unreadable);
}

#[test]
#[cfg(target_os = "linux")]
fn what_the_kernel_makes_up_is_told_by_its_content_alone() {
    let own = fs::read_link("/proc/thread-self").unwrap();
    let path = Path::new("/proc").join(own).join("comm");
    let scratch = Scratch::new();
    symlink(&path, scratch.at("link")).unwrap();
    fs::write(&path, "one").unwrap();
    for path in [&*path, scratch.path()] {
        fs::write(scratch.at("link"), "one").unwrap();
        tells_of(path, || fs::write(scratch.at("link"), "two").unwrap());
    }
}

#[test]
fn changes_anywhere_in_a_directory_are_told() {
    let scratch = Scratch::new();
    let nested = scratch.directory("a").join("b");
    fs::create_dir(&nested).unwrap();
    fs::write(nested.join("deep"), "one").unwrap();
    scratch.file("kept", "one");
    let told = |change: &dyn Fn()| tells_of(scratch.path(), change);
    told(&|| fs::write(scratch.at("added"), "").unwrap());
    told(&|| fs::rename(scratch.at("added"), scratch.at("renamed")).unwrap());
    told(&|| fs::remove_file(scratch.at("renamed")).unwrap());
    told(&|| fs::write(nested.join("deep"), "two").unwrap());
    told(&|| fs::write(nested.join("deeper"), "").unwrap());
    told(&|| fs::create_dir(nested.join("empty")).unwrap());
    told(&|| {
        fs::remove_dir(nested.join("empty")).unwrap();
        fs::write(nested.join("empty"), "").unwrap();
    });
    told(&|| fs::rename(&nested, scratch.at("moved")).unwrap());
    // Nothing in it that has times of its own.
    scratch.directory("hollow");
    told(&|| fs::rename(scratch.at("hollow"), scratch.at("hollower")).unwrap());
    told(&|| fs::set_permissions(scratch.at("hollower"), Permissions::from_mode(0o500)).unwrap());
}

#[test]
fn a_file_that_came_and_went_leaves_a_directory_as_it_was() {
    let scratch = Scratch::new();
    scratch.file("kept", "one");
    let fingerprint = settled(scratch.path());
    fs::remove_file(scratch.file("gone", "")).unwrap();
    assert!(holds(&fingerprint, scratch.path()));
}

#[test]
fn a_recent_file_in_a_directory_is_told_by_its_content_as_well() {
    let scratch = Scratch::new();
    scratch.file("a", "one");
    let Seen::There(stat) = Seen::at(scratch.path()) else { panic!("no directory") };
    let recent = tree::walk(scratch.path(), &stat, Some(LONG_AGO), LONG_AGO).unwrap();
    assert!(recent.recent && recent.full != recent.bare);
    let settled = tree::walk(scratch.path(), &stat, None, later()).unwrap();
    assert!(!settled.recent && settled.full == settled.bare);
    assert_eq!(settled.bare, recent.bare);
}

#[test]
fn a_directory_is_trusted_once_all_in_it_is_settled() {
    let scratch = Scratch::new();
    scratch.file("a", "one");
    let recent = Fingerprint::at(scratch.path(), LONG_AGO);
    assert_eq!(recent.still_holds_at(scratch.path(), LONG_AGO), Still::Yes);
    let trusted = settled(scratch.path());
    let upgraded = recent.still_holds_at(scratch.path(), later());
    assert_eq!(upgraded, Still::YesTrusted(trusted.clone()));
    assert_eq!(trusted.still_holds_at(scratch.path(), later()), Still::Yes);
}

#[test]
fn a_directory_too_deep_to_be_walked_never_holds() {
    let scratch = Scratch::new();
    let deep = scratch.at(&"a/".repeat(64));
    fs::create_dir_all(deep.parent().unwrap()).unwrap();
    assert!(holds(&Fingerprint::of(scratch.path()), scratch.path()));
    fs::create_dir(deep).unwrap();
    assert_eq!(Fingerprint::of(scratch.path()).end, End::Unreadable);
}

#[test]
fn a_link_is_told_by_where_it_leads_and_by_what_is_there() {
    let scratch = Scratch::new();
    let (target, link) = (scratch.file("a", "one"), scratch.at("link"));
    symlink("a", &link).unwrap();
    tells_of(&link, || fs::write(&target, "two").unwrap());
    // The same file by another way.
    tells_of(&link, || {
        fs::remove_file(&link).unwrap();
        symlink("./a", &link).unwrap();
    });
    tells_of(&link, || fs::remove_file(&target).unwrap());
}

#[test]
fn a_dangling_link_holds_until_its_target_is_created() {
    let scratch = Scratch::new();
    let link = scratch.at("link");
    symlink("a", &link).unwrap();
    tells_of(&link, || fs::write(scratch.at("a"), "").unwrap());
}

#[test]
fn links_above_a_path_are_told_by_where_it_leads() {
    let scratch = Scratch::new();
    for directory in ["a", "b"] {
        scratch.directory(directory);
        scratch.file(&format!("{directory}/file"), "one");
    }
    symlink("a", scratch.at("link")).unwrap();
    tells_of(&scratch.at("link/file"), || {
        fs::remove_file(scratch.at("link")).unwrap();
        symlink("b", scratch.at("link")).unwrap();
    });
}

#[test]
fn links_in_a_circle_end_and_hold_until_they_lead_elsewhere() {
    let scratch = Scratch::new();
    symlink("b", scratch.at("a")).unwrap();
    symlink("a", scratch.at("b")).unwrap();
    assert_eq!(Fingerprint::of(&scratch.at("a")).end, End::Endless);
    for path in [scratch.at("a"), scratch.path().to_owned()] {
        tells_of(&path, || {
            fs::remove_file(scratch.at("b")).unwrap();
            symlink("c", scratch.at("b")).unwrap();
        });
        fs::remove_file(scratch.at("b")).unwrap();
        symlink("a", scratch.at("b")).unwrap();
    }
}

#[test]
fn a_directory_with_links_to_itself_is_walked_once() {
    let scratch = Scratch::new();
    let inner = scratch.directory("inner");
    for name in ["up", "again", "more"] {
        symlink("..", inner.join(name)).unwrap();
    }
    tells_of(scratch.path(), || fs::write(inner.join("file"), "").unwrap());
}

#[test]
fn links_in_a_directory_are_told_by_what_they_lead_to() {
    let (scratch, elsewhere) = (Scratch::new(), Scratch::new());
    let target = elsewhere.file("a", "one");
    symlink(&target, scratch.at("link")).unwrap();
    tells_of(scratch.path(), || fs::write(&target, "two").unwrap());
    tells_of(scratch.path(), || {
        fs::remove_file(scratch.at("link")).unwrap();
        symlink(elsewhere.at("./a"), scratch.at("link")).unwrap();
    });
    tells_of(scratch.path(), || {
        fs::remove_file(scratch.at("link")).unwrap();
        fs::copy(&target, scratch.at("link")).unwrap();
    });
}

#[test]
fn a_directory_with_a_link_to_what_can_not_be_looked_at_never_holds() {
    let scratch = Scratch::new();
    symlink("a".repeat(300), scratch.at("link")).unwrap();
    assert_eq!(Fingerprint::of(scratch.path()).end, End::Unreadable);
}

#[cfg(target_os = "linux")]
fn fifo(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a fifo needs no right");
}

#[test]
#[cfg(target_os = "linux")]
fn a_fifo_is_never_opened() {
    let scratch = Scratch::new();
    let path = scratch.at("fifo");
    fifo(&path);
    tells_of(scratch.path(), || fs::write(scratch.at("a"), "").unwrap());
    tells_of(&path, || {
        fifo(&scratch.at("other"));
        fs::rename(scratch.at("other"), &path).unwrap();
    });
    tells_of(&path, || {
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_fifo_in_place_of_a_file_that_was_seen_is_not_waited_for() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    let Seen::There(stat) = Seen::at(&path) else { panic!("no file") };
    fs::remove_file(&path).unwrap();
    fifo(&path);
    assert_eq!(content::digest(&path, &stat), None);
}

#[test]
fn a_device_is_never_opened() {
    let path = Path::new("/dev/zero");
    assert!(matches!(Fingerprint::of(path).end, End::Special(_)));
    assert!(holds(&Fingerprint::of(path), path));
}

#[test]
fn a_file_that_has_no_end_is_not_read_to_it() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    let Seen::There(stat) = Seen::at(&path) else { panic!("no file") };
    let grow = |to| File::options().write(true).open(&path).unwrap().set_len(to).unwrap();
    grow(16 << 20);
    assert!(content::digest(&path, &stat).is_some());
    grow((16 << 20) + 1);
    assert_eq!(content::digest(&path, &stat), None);
}

#[test]
fn a_file_too_long_to_be_read_never_holds_until_its_times_are_settled() {
    let scratch = Scratch::new();
    let path = scratch.file("long", "its beginning");
    // Sparse: reading it to its end would take minutes.
    File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(!holds(&Fingerprint::at(&path, LONG_AGO), &path));
    assert!(holds(&settled(&path), &path));
}

#[test]
fn a_file_with_another_name_may_change_unseen() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    assert!(!Fingerprint::of(&path).may_change_unseen());
    assert!(!Fingerprint::of(scratch.path()).may_change_unseen());
    let elsewhere = Scratch::new();
    fs::hard_link(&path, elsewhere.at("b")).unwrap();
    assert!(Fingerprint::of(&path).may_change_unseen());
    assert!(Fingerprint::of(scratch.path()).may_change_unseen());
}

/// One of each kind.
fn kinds(scratch: &Scratch) -> Vec<Fingerprint> {
    let file = scratch.file("file", "one");
    for (name, target) in [("link", "file"), ("circle", "circle")] {
        symlink(target, scratch.at(name)).expect("a link needs no right");
    }
    vec![
        Fingerprint::of(&file),
        settled(&file),
        Fingerprint::of(scratch.path()),
        settled(scratch.path()),
        Fingerprint::of(&scratch.at("link")),
        Fingerprint::of(&scratch.at("circle")),
        Fingerprint::of(&scratch.at("missing")),
        Fingerprint::of(&scratch.at(&"a".repeat(300))),
        Fingerprint::of(Path::new("/dev/null")),
    ]
}

#[test]
fn bytes_say_all_there_is_and_how_long_they_are() {
    for fingerprint in kinds(&Scratch::new()) {
        let mut bytes = Vec::new();
        fingerprint.write(&mut bytes);
        let length = bytes.len();
        assert!(length <= 117);
        bytes.extend([7, 7, 7]);
        assert_eq!(Fingerprint::read(&bytes), Some((fingerprint, length)));
    }
}

#[test]
fn bytes_that_end_early_or_say_what_is_unknown_are_not_read() {
    for fingerprint in kinds(&Scratch::new()) {
        let mut bytes = Vec::new();
        fingerprint.write(&mut bytes);
        for length in 0..bytes.len() {
            assert_eq!(Fingerprint::read(&bytes[..length]), None);
        }
    }
    for tag in [0x08, 0x3F, SHARED, SHARED | 5] {
        assert_eq!(Fingerprint::read(&[&[tag][..], &[0; 200]].concat()), None);
    }
}
