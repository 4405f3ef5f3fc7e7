//! Where the tier is, and what is said of settings that can't be used.

use crate::support::{Calls, Machine, settle};
use larder::{ErrorKind, Runtime, cached};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::{env, fs};

fn refused(builder: larder::Builder) -> String {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    error.to_string()
}

#[test]
fn a_directory_reached_through_a_symlink_is_refused() {
    let machine = Machine::new();
    let (real, link) = (machine.path().join("real"), machine.path().join("link"));
    fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    let message = refused(Runtime::builder().dir(&link));
    assert!(message.contains(link.to_str().unwrap()), "{message}");
}

#[test]
fn a_directory_of_another_user_is_refused() {
    let machine = Machine::new();
    let folder = machine.path().join("larder");
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::chown(&folder, Some(12_345), None).expect("tests run as root");
    let message = refused(Runtime::builder().dir(machine.path()));
    assert!(message.contains(folder.to_str().unwrap()), "{message}");
}

#[test]
fn the_folder_of_a_namespace_is_for_its_user_alone() {
    #[cached(tier = "l2", write = "through")]
    fn value(id: u64) -> u64 {
        id
    }

    let machine = Machine::new();
    machine.process().with(|| value(1));
    let folder = machine.path().join("larder");
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_limit_that_is_too_small_is_refused() {
    let message = refused(Runtime::builder().disk_limit(1_000));
    assert!(message.contains("disk_limit 1000"), "{message}");
    refused(Runtime::builder().disk_limit((4 << 20) - 1));
    assert!(Runtime::builder().disk_limit(4 << 20).build().is_ok());
}

#[test]
fn a_directory_of_the_environment_is_judged_like_one_that_is_given() {
    const LINK: &str = "LARDER_TEST_LINK";
    if let Some(link) = env::var_os(LINK) {
        let message = refused(Runtime::builder());
        assert!(message.contains(link.to_str().unwrap()), "{message}");
        return;
    }
    let machine = Machine::new();
    let link = machine.path().join("link");
    symlink(machine.path(), &link).unwrap();
    let name = "settings::a_directory_of_the_environment_is_judged_like_one_that_is_given";
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", name])
        .env("LARDER_DIR", &link)
        .env(LINK, &link)
        .status()
        .unwrap();
    assert!(status.success());
}

/// Nothing is made for programs that keep nothing on disk.
#[test]
fn no_folder_is_made_before_it_is_needed() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn value(id: u64) -> u64 {
        CALLS.note();
        id
    }

    let machine = Machine::new();
    let process = machine.process();
    process.with(|| value(1));
    process.with(|| (value::peek(1), value::explain(1).to_string()));
    assert!(!machine.path().join("larder/versions").exists());
    assert_eq!(CALLS.taken(), 1);
}

/// C5, as far as this machine goes: what can't be told to others waits, and is told later.
#[test]
fn an_invalidation_that_no_other_process_can_hear_waits() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", tags("waits"))]
    fn value(id: u64) -> u64 {
        CALLS.note();
        id
    }

    let machine = Machine::new();
    let one = machine.process();
    one.with(|| value(1));
    settle(&one);
    let other = machine.process();
    let folder = machine.path().join("larder");
    let aside = machine.path().join("aside");
    fs::rename(&folder, &aside).unwrap();
    fs::write(&folder, "in the way").unwrap();
    let error = other.with(|| larder::blocking::invalidate_tag("waits").unwrap_err());
    assert_eq!((error.kind(), error.tier()), (ErrorKind::Pending, Some(larder::Level::L2)));
    assert!(futures_lite::future::block_on(other.close()).is_err());
    // Calls do without the tier, and nothing of it is served.
    assert_eq!(other.with(|| value(1)), 1);
    assert_eq!(CALLS.taken(), 2);
    fs::remove_file(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    let begun = std::time::Instant::now();
    while other.with(|| larder::blocking::invalidate_tag("something")).is_err() {
        assert!(begun.elapsed().as_secs() < 20, "the tier comes back by itself");
        std::thread::yield_now();
    }
    one.with(|| value(1));
    assert_eq!(CALLS.taken(), 1, "it has been told by now");
}
