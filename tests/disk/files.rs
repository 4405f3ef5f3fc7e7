//! Entries that depend on files, in memory and on disk.

use crate::support::{Calls, Machine, settle};
use larder::{Runtime, cached};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

fn content(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|_| "nothing".to_owned())
}

#[cached(files(path), name = "in memory")]
fn in_memory(path: &Path) -> String {
    content(path)
}

#[cached(tier = "l1,l2", files, name = "in both")]
fn in_both(path: &Path) -> String {
    content(path)
}

#[cached(tier = "l2", files, name = "on disk")]
fn on_disk(file: &str) -> String {
    content(Path::new(file))
}

#[cached(tier = "l1,l2", name = "caller")]
fn caller(number: u64, path: PathBuf) -> String {
    format!("{number} {}", in_memory(&path))
}

/// What each of them returns, and how often they computed.
fn all(process: &Runtime, path: &Path) -> ([String; 4], u64) {
    let computed = || {
        let stats = [in_memory::stats(), in_both::stats(), on_disk::stats(), caller::stats()];
        stats.iter().map(|it| it.computations).sum::<u64>()
    };
    process.with(|| {
        let before = computed();
        let returned = [
            in_memory(path),
            in_both(path),
            on_disk(path.to_str().unwrap()),
            caller(1, path.to_owned()),
        ];
        (returned, computed() - before)
    })
}

fn check(change: impl Fn(&Path)) {
    let machine = Machine::new();
    let path = machine.path().join("file");
    fs::write(&path, "before").unwrap();
    let (one, other) = (machine.process(), machine.process());
    for process in [&one, &other] {
        all(process, &path);
        settle(process);
        assert_eq!(all(process, &path).1, 0, "nothing has changed");
    }
    change(&path);
    let stands = content(&path);
    for process in [&one, &other, &machine.process()] {
        let (returned, _) = all(process, &path);
        let expected = [stands.clone(), stands.clone(), stands.clone(), format!("1 {stands}")];
        assert_eq!(returned, expected);
        settle(process);
        assert_eq!(all(process, &path), (expected, 0));
    }
}

#[test]
fn an_edited_file_is_read_again() {
    check(|path| fs::write(path, "after that").unwrap());
}

#[test]
fn an_edit_of_the_same_length_in_the_same_moment_is_seen() {
    check(|path| fs::write(path, "beyond").unwrap());
}

#[test]
fn a_file_that_another_takes_the_place_of_is_read_again() {
    check(|path| {
        let fresh = path.with_extension("new");
        fs::write(&fresh, "instead").unwrap();
        fs::rename(&fresh, path).unwrap();
    });
}

#[test]
fn a_file_that_is_deleted_is_missed() {
    check(|path| fs::remove_file(path).unwrap());
}

#[test]
fn a_file_that_was_missing_is_found_when_it_is_made() {
    check(|path| {
        fs::remove_file(path).unwrap();
    });
    let machine = Machine::new();
    let path = machine.path().join("later");
    let process = machine.process();
    assert_eq!(all(&process, &path).0[1], "nothing");
    fs::write(&path, "something").unwrap();
    assert_eq!(all(&process, &path).0[1], "something");
}

#[test]
fn a_directory_is_its_listing_and_everything_in_it() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", files)]
    fn count(dir: &Path) -> usize {
        CALLS.note();
        walk(dir)
    }

    fn walk(dir: &Path) -> usize {
        let below = |it: fs::DirEntry| if it.path().is_dir() { walk(&it.path()) } else { 1 };
        fs::read_dir(dir).unwrap().map(|it| below(it.unwrap())).sum()
    }

    let machine = Machine::new();
    let folder = machine.path().join("folder");
    fs::create_dir_all(folder.join("a/b")).unwrap();
    let process = machine.process();
    for expected in 0..4_usize {
        for _ in 0..2 {
            assert_eq!(process.with(|| count(&folder)), expected);
        }
        fs::write(folder.join(format!("a/b/{expected}")), "x").unwrap();
    }
    assert_eq!(CALLS.taken(), 4);
}

/// Whichever of the files that a call names is edited, in whatever kind of argument it is named: who
/// calls next computes anew, here and elsewhere.
fn each_counts(machine: &Machine, calls: &Calls, files: &[PathBuf], call: &dyn Fn() -> String) {
    let (one, other) = (machine.process(), machine.process());
    let returned_by = |process: &Runtime| {
        let returned = process.with(call);
        settle(process);
        (returned, calls.taken())
    };
    let stands = || files.iter().map(|it| content(it)).collect::<Vec<_>>().join(" ");
    let check = || {
        assert_eq!(returned_by(&one), (stands(), 1));
        for process in [&other, &one, &other] {
            assert_eq!(returned_by(process), (stands(), 0));
        }
    };
    check();
    for file in files {
        fs::write(file, format!("{} edited", content(file))).unwrap();
        check();
    }
}

/// Files of a test, each with its name as its content.
fn written<const N: usize>(machine: &Machine) -> [PathBuf; N] {
    std::array::from_fn(|number| {
        let path = machine.path().join(format!("file {number}"));
        fs::write(&path, format!("{number}")).unwrap();
        path
    })
}

fn as_text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn each_file_that_any_argument_names_by_its_type_or_its_name_counts() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", files)]
    fn joined(
        paths: &[String],
        filepath: &str,
        directory: Option<PathBuf>,
        others: Vec<PathBuf>,
        one: &Path,
    ) -> String {
        CALLS.note();
        let named = paths.iter().map(Path::new).chain([Path::new(filepath)]);
        let named = named.chain(directory.as_deref());
        let named = named.chain(others.iter().map(PathBuf::as_path)).chain([one]);
        named.map(content).collect::<Vec<_>>().join(" ")
    }

    let machine = Machine::new();
    let files = written::<7>(&machine);
    let paths = [as_text(&files[0]), as_text(&files[1])];
    each_counts(&machine, &CALLS, &files, &|| {
        let others = files[4..6].to_vec();
        joined(&paths, files[2].to_str().unwrap(), Some(files[3].clone()), others, &files[6])
    });
}

#[test]
fn each_file_that_any_of_several_named_arguments_names_counts_and_no_other() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", files(left, right))]
    fn joined(left: &str, right: Vec<String>, path: &str) -> String {
        CALLS.note();
        assert!(!path.is_empty());
        let named = right.iter().map(Path::new);
        [Path::new(left)].into_iter().chain(named).map(content).collect::<Vec<_>>().join(" ")
    }

    let machine = Machine::new();
    let [left, first, second, other] = written(&machine);
    let call = || {
        let right = vec![as_text(&first), as_text(&second)];
        joined(left.to_str().unwrap(), right, other.to_str().unwrap())
    };
    let files = [left.clone(), first.clone(), second.clone()];
    each_counts(&machine, &CALLS, &files, &call);
    fs::write(&other, "edited as well").unwrap();
    machine.process().with(call);
    assert_eq!(CALLS.taken(), 0, "it is not among those that are named");
}

/// C6: the same text names another file elsewhere.
#[test]
fn a_relative_path_means_a_file_of_the_working_directory_it_was_taken_from() {
    let machine = Machine::new();
    let (here, there) = (machine.path().join("here"), machine.path().join("there"));
    for (folder, text) in [(&here, "from here"), (&there, "from there")] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("relative"), text).unwrap();
    }
    let run = |folder: &Path| {
        let name = "files::a_program_that_reads_a_relative_path";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env("LARDER_DIR", machine.path().join("cache"))
            .env("READS_RELATIVE", "1")
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().find_map(|line| line.strip_prefix("read: ").map(str::to_owned)).unwrap()
    };
    assert_eq!(run(&here), "from here, computed 1");
    assert_eq!(run(&here), "from here, computed 0");
    assert_eq!(run(&there), "from there, computed 1");
    assert_eq!(run(&here), "from here, computed 1");
}

/// Does nothing but as a child of the test above.
#[test]
fn a_program_that_reads_a_relative_path() {
    if std::env::var_os("READS_RELATIVE").is_some() {
        let text = in_both(Path::new("relative"));
        assert_eq!(in_both(Path::new("relative")), text);
        println!("\nread: {text}, computed {}", in_both::stats().computations);
    }
}

/// V6: a caller that comes after a file has changed does not take what began before.
#[test]
fn whoever_waits_for_a_computation_that_its_file_overtook_computes_itself() {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Mutex, OnceLock};

    type Gates = Option<(Sender<()>, Receiver<()>)>;

    static GATES: OnceLock<Mutex<Gates>> = OnceLock::new();

    let machine = Machine::new();
    let path = machine.path().join("raced");
    fs::write(&path, "before").unwrap();
    let (read, changed) = (channel::<()>(), channel::<()>());
    let gates = Mutex::new(Some((read.0, changed.1)));

    #[cached(files)]
    fn raced(path: &Path) -> String {
        let found = content(path);
        if let Some((read, changed)) = GATES.get().and_then(|it| it.lock().unwrap().take()) {
            read.send(()).unwrap();
            changed.recv().unwrap();
        }
        found
    }

    GATES.set(gates).ok().unwrap();
    let process = machine.process();
    std::thread::scope(|scope| {
        let early = scope.spawn(|| process.with(|| raced(&path)));
        read.1.recv().unwrap();
        fs::write(&path, "after it all").unwrap();
        let late = scope.spawn(|| process.with(|| raced(&path)));
        changed.0.send(()).unwrap();
        assert_eq!(early.join().unwrap(), "before");
        assert_eq!(late.join().unwrap(), "after it all");
    });
    assert_eq!(process.with(|| raced(&path)), "after it all");
}

/// A hit in a watched directory looks at no file; what changes is seen all the same.
#[cfg(feature = "watch")]
#[test]
fn what_changes_in_a_watched_directory_is_read_again() {
    let machine = Machine::new();
    let folder = machine.path().join("watched");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("file");
    fs::write(&path, "0").unwrap();
    let process = machine.process();
    let _watch = larder::watch(&folder).unwrap();
    for round in 0..20 {
        let text = format!("{round} {}", "x".repeat(round));
        fs::write(&path, &text).unwrap();
        let begun = std::time::Instant::now();
        while process.with(|| in_memory(&path)) != text {
            assert!(begun.elapsed().as_secs() < 20, "the system tells of every change");
            std::thread::yield_now();
        }
    }
}

/// F3: who has read what was there before an edit does not take it for what there is.
#[test]
fn two_processes_compute_what_an_edited_file_makes_only_once() {
    static CALLS: Calls = Calls::new();
    static WAITED: AtomicBool = AtomicBool::new(false);
    static IN_THE_BODY: Barrier = Barrier::new(2);

    #[cached(tier = "l1,l2", files(path), write = "through")]
    fn slow(path: &Path) -> String {
        CALLS.note();
        if content(path) == "after" && !WAITED.swap(true, SeqCst) {
            IN_THE_BODY.wait();
            IN_THE_BODY.wait();
        }
        content(path)
    }

    let machine = Machine::new();
    let path = machine.path().join("file");
    fs::write(&path, "before").unwrap();
    let (one, other) = (machine.process(), machine.process());
    for process in [&one, &other] {
        process.with(|| assert_eq!(slow(&path), "before"));
    }
    fs::write(&path, "after").unwrap();
    CALLS.taken();
    thread::scope(|scope| {
        let leader = scope.spawn(|| one.with(|| slow(&path)));
        IN_THE_BODY.wait();
        let follower = scope.spawn(|| other.with(|| slow(&path)));
        let is_waiting = || other.with(slow::stats).misses_invalidated > 0;
        while !is_waiting() {
            assert!(!follower.is_finished());
            thread::yield_now();
        }
        IN_THE_BODY.wait();
        assert_eq!(leader.join().unwrap(), "after");
        assert_eq!(follower.join().unwrap(), "after");
    });
    assert_eq!(CALLS.taken(), 1);
}

/// A write through another name of a watched file, elsewhere, is one that no watch tells of: who does
/// not see it has not looked.
#[cfg(feature = "watch")]
#[test]
fn a_hit_looks_at_no_file_that_is_watched() {
    let machine = Machine::new();
    let folder = machine.path().join("watched");
    fs::create_dir(&folder).unwrap();
    let (path, name) = (folder.join("file"), machine.path().join("another name"));
    fs::write(&path, "before").unwrap();
    let process = machine.process();
    let watch = larder::watch(&folder).unwrap();
    let returned_for = |path: &Path| process.with(|| (in_memory(path), in_both(path)));
    let both = |text: &str| (text.to_owned(), text.to_owned());
    // Computed, and looked at for the last time.
    for _ in 0..2 {
        assert_eq!(returned_for(&path), both("before"));
    }
    fs::hard_link(&path, &name).unwrap();
    assert_eq!(returned_for(&name), both("before"));
    fs::write(&name, "after that").unwrap();
    assert_eq!(returned_for(&name), both("after that"), "nobody watches this name");
    assert_eq!(returned_for(&path), both("before"), "somebody has looked");
    drop(watch);
    assert_eq!(returned_for(&path), both("after that"));
}
