//! C7 where the machine lacks something: room, rights, a folder, descriptors. Every call has its
//! value, one warning is said, and when the lack is over the tier works again.
//!
//! Disks that are full or read-only are mounted by the tests, which takes root.

use crate::child::{Child, Test, folder, hear, say, until};
use crate::warnings;
use larder::{ErrorKind, Runtime, cached};
use rustix::process::{Resource, Rlimit};
use std::cell::Cell;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

thread_local! {
    static COMPUTED: Cell<u64> = const { Cell::new(0) };
}

fn made(key: u64) -> Vec<u8> {
    let mut bytes = vec![0; 6_000];
    fastrand::Rng::with_seed(key).fill(&mut bytes);
    bytes
}

#[cached(tier = "l2", ttl = "1h", tags("resources"))]
fn on_disk(key: u64) -> Vec<u8> {
    COMPUTED.set(COMPUTED.get() + 1);
    made(key)
}

#[cached(tier = "l1,l2", ttl = "1h", tags("resources"))]
async fn in_memory(key: u64) -> Vec<u8> {
    made(key)
}

/// Calls both functions; says whether a body ran that need not.
fn call(runtime: &Runtime, key: u64) -> bool {
    let before = COMPUTED.get();
    runtime.with(|| {
        assert_eq!(on_disk(key), made(key));
        assert_eq!(futures_lite::future::block_on(in_memory(key)), made(key));
    });
    COMPUTED.get() > before
}

fn runtime(directory: &Path) -> Runtime {
    Runtime::builder().namespace("tests").dir(directory).build().unwrap()
}

/// Calls until there is a hit.
fn recover(runtime: &Runtime, key: u64) {
    until("the tier to work again", || (!call(runtime, key)).then_some(()));
}

/// What one lack is warned of.
fn warned_once(directory: &Path) {
    let warnings = warnings::about(directory);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

/// A disk of its own, in memory.
struct Disk {
    folder: TempDir,
}

impl Disk {
    fn new(options: &str) -> Self {
        let folder = folder();
        mount(&["-t", "tmpfs", "-o", options, "tmpfs", folder.path().to_str().unwrap()]);
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn remount(&self, options: &str) {
        mount(&["-o", &format!("remount,{options}"), self.path().to_str().unwrap()]);
    }

    /// Leaves no room.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filling");
        let mut file = File::create(&path).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l", self.path().to_str().unwrap()]).status();
    }
}

fn mount(arguments: &[&str]) {
    let output = Command::new("mount").args(arguments).output();
    let output = output.expect("`mount` can be run; this test needs it, and root");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "this test mounts a disk, which takes root: {said}");
}

#[test]
fn a_disk_that_becomes_full_is_done_without() {
    let Some(_) = Test::new(|_| ()) else { return };
    let disk = Disk::new("size=16m");
    let runtime = runtime(disk.path());
    (0..20).for_each(|key| _ = call(&runtime, key));
    recover(&runtime, 1);
    let filling = disk.fill();
    (0..200).for_each(|key| _ = call(&runtime, key));
    until("what is wrong to be said", || {
        (0..200).for_each(|key| _ = call(&runtime, key));
        (!warnings::about(disk.path()).is_empty()).then_some(())
    });
    // What can be invalidated without room still is.
    runtime.with(|| larder::blocking::invalidate_tag("resources").unwrap());
    assert!(call(&runtime, 1));
    fs::remove_file(filling).unwrap();
    recover(&runtime, 300);
    drop(runtime);
    warned_once(disk.path());
}

#[test]
fn a_disk_that_was_full_from_the_beginning_is_used_once_there_is_room() {
    let Some(_) = Test::new(|_| ()) else { return };
    let disk = Disk::new("size=1m");
    let runtime = runtime(disk.path());
    (0..50).for_each(|key| assert!(call(&runtime, key)));
    disk.remount("size=32m");
    recover(&runtime, 1);
    warned_once(disk.path());
}

#[test]
fn a_disk_that_can_only_be_read_is_done_without_until_it_can_be_written() {
    let Some(_) = Test::new(|_| ()) else { return };
    let disk = Disk::new("size=32m");
    drop({
        let earlier = runtime(disk.path());
        (0..20).for_each(|key| _ = call(&earlier, key));
        earlier
    });
    disk.remount("ro");
    let runtime = runtime(disk.path());
    (0..50).for_each(|key| _ = call(&runtime, key));
    warned_once(disk.path());
    disk.remount("rw");
    recover(&runtime, 30);
    // What was stored before is there.
    assert!(!call(&runtime, 7));
    warned_once(disk.path());
}

#[test]
fn a_folder_that_can_not_be_made_is_refused_and_done_without_where_it_comes_later() {
    let Some(_) = Test::new(|_| ()) else { return };
    let folder = folder();
    let parent = folder.path().join("parent");
    let runtime = runtime(&parent);
    fs::remove_dir_all(&parent).unwrap();
    fs::write(&parent, "a file").unwrap();
    let refused = Runtime::builder().dir(&parent).build().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Configuration);
    (0..50).for_each(|key| assert!(call(&runtime, key)));
    warned_once(folder.path());
    fs::remove_file(&parent).unwrap();
    recover(&runtime, 1);
    warned_once(folder.path());
}

#[test]
fn a_folder_that_is_deleted_while_it_is_in_use_is_made_again() {
    let Some(_) = Test::new(|_| ()) else { return };
    let folder = folder();
    let pair = [(); 2].map(|()| runtime(folder.path()));
    for key in 0..20 {
        pair.iter().for_each(|runtime| recover(runtime, key));
        fs::remove_dir_all(folder.path().join("tests")).unwrap();
        pair[0].with(|| larder::blocking::invalidate_tag("resources").unwrap());
        assert!(call(&pair[1], key));
        pair.iter().for_each(|runtime| recover(runtime, key));
    }
    assert_eq!(warnings::about(folder.path()), [""; 0]);
}

/// Opens files until there can be no more.
fn exhaust() -> Vec<File> {
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: Some(64) })
        .unwrap();
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

fn without_descriptors(directory: &Path, opened_before: bool) {
    let runtime = runtime(directory);
    if opened_before {
        recover(&runtime, 1);
    }
    let all = exhaust();
    assert!(!all.is_empty());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|key| _ = call(&runtime, key)));
        }
    });
    runtime.with(|| {
        let told = larder::blocking::invalidate_tag("resources");
        assert_eq!(told.is_ok(), opened_before);
    });
    assert!(call(&runtime, 1));
    drop(all);
    recover(&runtime, 1);
    recover(&runtime, 60);
    runtime.with(|| larder::blocking::invalidate_tag("resources").unwrap());
    assert!(call(&runtime, 1));
}

#[test]
fn a_process_without_descriptors_does_without_until_it_has_some() {
    let Some(test) = Test::new(|inside| {
        without_descriptors(&inside.directory, inside.role == "opened before");
        say("recovered");
        hear();
    }) else {
        return;
    };
    for role in ["opened before", "opened behind"] {
        let folder = folder();
        let mut child: Child = test.start(role, folder.path());
        child.expect("recovered");
        let warnings = child.end();
        assert!(warnings.len() <= 1, "{role}: {warnings:?}");
        // What is open may be enough.
        assert!(role == "opened before" || warnings.len() == 1);
    }
}
