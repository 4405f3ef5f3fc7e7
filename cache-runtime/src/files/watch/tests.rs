//! Real files, real watchers.

use super::*;
use crate::files::scratch::Scratch;
use crate::files::set::Files;
use std::os::unix::fs::symlink;
use std::sync::mpsc::Receiver;
use std::time::Instant;

const LIMIT: Duration = Duration::from_secs(20);
const NEVER: Duration = Duration::from_secs(3600);

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !is() {
        assert!(Instant::now() < end, "waited for {what}");
        thread::yield_now();
    }
}

/// A watch with a coverage of its own, and what it reports: paths, and the root for all of it.
struct Watched {
    coverage: Arc<Coverage>,
    reports: Receiver<PathBuf>,
    watch: Option<Watch>,
}

impl Watched {
    fn new(root: &Path) -> Self {
        let coverage = Arc::<Coverage>::default();
        let (sender, reports) = mpsc::channel();
        // Nobody listens at the end of a test.
        let hear = move |path: &Path| drop(sender.send(path.to_owned()));
        let report = move |changed: Changed<'_>| match changed {
            Changed::Paths(paths) => {
                for path in paths {
                    hear(path);
                }
            }
            Changed::Below(root) => hear(root),
        };
        let watch =
            start(&coverage, root, Box::new(report)).expect("a directory of the test's own");
        Self { coverage, reports, watch: Some(watch) }
    }

    fn debounced(mut self, span: Duration) -> Self {
        self.watch = self.watch.map(|watch| watch.debounce(span));
        self
    }

    fn quick(root: &Path) -> Self {
        Self::new(root).debounced(Duration::ZERO)
    }

    fn is_watched(&self, path: &Path) -> bool {
        self.coverage.is_watched(path)
    }

    /// Waits for a report of a path, or of a directory that it is in.
    fn reports(&self, path: &Path) {
        let end = Instant::now() + LIMIT;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.reports.recv_timeout(left) {
                Ok(reported) if path.starts_with(&reported) => return,
                Ok(_) => {}
                Err(ended) => panic!("{ended}: waited for a report of {}", path.display()),
            }
        }
    }

    /// Waits until the path is watched, and returns the generation of then.
    fn watches(&self, path: &Path) -> u64 {
        let mut generation = None;
        until(&format!("{} to be watched", path.display()), || {
            generation = self.coverage.watched([path]);
            generation.is_some()
        });
        generation.unwrap_or_default()
    }

    fn suspects(&self, path: &Path) {
        until(&format!("{} to be suspect", path.display()), || !self.is_watched(path));
    }

    /// After `change`, the path is no longer vouched for, then reported, then watched again.
    fn tells_of(&self, path: &Path, change: impl FnOnce()) {
        let before = self.watches(path);
        while self.reports.try_recv().is_ok() {}
        change();
        until(&format!("a change of {} to be noted", path.display()), || {
            self.coverage.unchanged_since(before, [path]).is_none()
        });
        self.reports(path);
        self.watches(path);
    }
}

#[test]
fn a_change_makes_its_path_suspect_at_once_and_is_reported_after_the_window() {
    let scratch = Scratch::new();
    let (a, b) = (scratch.file("a", "one"), scratch.file("b", "one"));
    let mut watched = Watched::new(scratch.path()).debounced(NEVER);
    assert!(watched.is_watched(&a) && watched.is_watched(&b));
    std::fs::write(&a, "two").unwrap();
    watched.suspects(&a);
    watched.suspects(scratch.path());
    assert!(watched.is_watched(&b));
    assert!(watched.reports.try_recv().is_err());
    watched = watched.debounced(Duration::ZERO);
    watched.reports(&a);
    watched.watches(&a);
}

#[test]
fn a_file_is_told_of_however_it_changes() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    let watched = Watched::quick(scratch.path());
    watched.tells_of(&path, || std::fs::write(&path, "two").unwrap());
    // As editors do.
    watched.tells_of(&path, || {
        fs::rename(scratch.file("a.swap", "three"), &path).unwrap();
    });
    watched.tells_of(&path, || {
        fs::remove_file(&path).unwrap();
        fs::write(&path, "four").unwrap();
    });
    watched.tells_of(&path, || fs::remove_file(&path).unwrap());
    watched.tells_of(&path, || fs::write(&path, "").unwrap());
    watched.tells_of(&path, || {
        fs::File::open(&path).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    });
}

#[test]
fn files_in_directories_that_are_made_later_are_told_of() {
    let scratch = Scratch::new();
    let watched = Watched::quick(scratch.path());
    for round in 0..50 {
        let top = scratch.at(&format!("{round}"));
        let deep = top.join("b/c/d");
        fs::create_dir_all(&deep).unwrap();
        let file = deep.join("file");
        // Likely before any watch of its directory stands.
        fs::write(&file, "one").unwrap();
        watched.reports(&top);
        watched.watches(&file);
        watched.tells_of(&file, || fs::write(&file, "two").unwrap());
    }
}

#[test]
fn files_of_a_directory_that_moves_are_told_of_at_both_places() {
    let scratch = Scratch::new();
    let (from, to) = (scratch.directory("from"), scratch.at("to"));
    scratch.directory("from/deep");
    scratch.file("from/deep/a", "one");
    let watched = Watched::quick(scratch.path());
    let (old, new) = (from.join("deep/a"), to.join("deep/a"));
    let before = watched.coverage.watched([&*old, &*new]).unwrap();
    fs::rename(&from, &to).unwrap();
    watched.reports(&to);
    for path in [&old, &new] {
        assert_eq!(watched.coverage.unchanged_since(before, [&**path]), None);
        watched.watches(path);
    }
    watched.tells_of(&new, || fs::write(&new, "two").unwrap());
    fs::create_dir_all(from.join("deep")).unwrap();
    watched.reports(&from);
    watched.tells_of(&old, || fs::write(&old, "three").unwrap());
    watched.tells_of(&new, || fs::write(&new, "four").unwrap());
}

#[test]
fn a_directory_that_moves_in_or_out_is_told_of() {
    let (scratch, elsewhere) = (Scratch::new(), Scratch::new());
    let (inside, outside) = (scratch.at("d"), elsewhere.directory("d"));
    elsewhere.file("d/a", "one");
    let watched = Watched::quick(scratch.path());
    watched.tells_of(&inside, || fs::rename(&outside, &inside).unwrap());
    let file = inside.join("a");
    watched.tells_of(&file, || fs::write(&file, "two").unwrap());
    watched.tells_of(&inside, || fs::rename(&inside, &outside).unwrap());
}

#[test]
fn what_lies_behind_links_is_not_watched() {
    let (scratch, elsewhere) = (Scratch::new(), Scratch::new());
    elsewhere.file("a", "one");
    scratch.directory("d");
    symlink(elsewhere.path(), scratch.at("d/link")).unwrap();
    let watched = Watched::quick(scratch.path());
    assert!(!watched.is_watched(&scratch.at("d/link/a")));
    assert!(!watched.is_watched(&scratch.at("d/link")));
    assert!(!watched.is_watched(&scratch.at("d")));
    assert!(watched.is_watched(&scratch.at("d/a")));

    symlink(elsewhere.path(), scratch.at("later")).unwrap();
    watched.reports(&scratch.at("later"));
    assert!(!watched.is_watched(&scratch.at("later/a")));

    let made = elsewhere.directory("made");
    symlink("nowhere", made.join("link")).unwrap();
    fs::rename(&made, scratch.at("made")).unwrap();
    watched.reports(&scratch.at("made"));
    watched.watches(&scratch.at("made/a"));
    assert!(!watched.is_watched(&scratch.at("made/link")));

    fs::remove_file(scratch.at("d/link")).unwrap();
    watched.watches(&scratch.at("d/link"));
    watched.watches(&scratch.at("d"));
}

#[test]
fn a_root_that_goes_through_a_link_is_watched_where_it_is() {
    let scratch = Scratch::new();
    let root = scratch.directory("root");
    symlink("root", scratch.at("link")).unwrap();
    let watched = Watched::quick(&scratch.at("link"));
    assert!(watched.is_watched(&root.join("a")));
    assert!(!watched.is_watched(&scratch.at("link/a")));
}

#[test]
fn a_root_that_is_deleted_and_made_again_is_watched_again() {
    let scratch = Scratch::new();
    let root = scratch.directory("root");
    let watched = Watched::quick(&root);
    let file = root.join("a");
    let before = watched.coverage.watched([&*file]).unwrap();
    fs::remove_dir(&root).unwrap();
    watched.suspects(&file);
    watched.reports(&root);
    fs::create_dir(&root).unwrap();
    watched.reports(&root);
    assert_eq!(watched.coverage.unchanged_since(before, [&*file]), None);
    watched.tells_of(&file, || fs::write(&file, "one").unwrap());
}

#[test]
fn a_root_that_is_replaced_by_another_is_watched_again() {
    let scratch = Scratch::new();
    let (root, other) = (scratch.directory("root"), scratch.directory("other"));
    let watched = Watched::quick(&root);
    let file = root.join("a");
    let before = watched.coverage.watched([&*file]).unwrap();
    fs::rename(&root, scratch.at("gone")).unwrap();
    fs::rename(&other, &root).unwrap();
    watched.reports(&root);
    watched.watches(&file);
    assert_eq!(watched.coverage.unchanged_since(before, [&*file]), None);
    watched.tells_of(&file, || fs::write(&file, "one").unwrap());
}

#[test]
fn a_directory_above_the_root_that_is_renamed_is_noticed() {
    let scratch = Scratch::new();
    scratch.directory("above");
    let root = scratch.directory("above/root");
    let watched = Watched::quick(&root);
    fs::rename(scratch.at("above"), scratch.at("renamed")).unwrap();
    watched.suspects(&root.join("a"));
    watched.reports(&root);
    fs::rename(scratch.at("renamed"), scratch.at("above")).unwrap();
    watched.watches(&root.join("a"));
}

#[test]
fn nothing_is_watched_once_the_guard_is_dropped() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    let mut watched = Watched::quick(scratch.path());
    let before = watched.coverage.watched([&*path]).unwrap();
    assert!(watched.coverage.is_at(before));
    watched.watch = None;
    assert!(!watched.coverage.is_at(before));
    assert!(!watched.is_watched(&path));
    assert_eq!(watched.coverage.unchanged_since(before, [&*path]), None);
    // The thread and what it reports with are gone as well.
    let end = watched.reports.recv_timeout(LIMIT);
    assert_eq!(end, Err(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn nothing_is_watched_once_a_report_panicked() {
    let scratch = Scratch::new();
    let coverage = Arc::<Coverage>::default();
    let report = |_: Changed<'_>| panic!("a report that fails");
    let _watch = start(&coverage, scratch.path(), Box::new(report)).unwrap();
    assert!(coverage.is_watched(scratch.path()));
    scratch.file("a", "one");
    until("the watch to end", || !coverage.is_watched(&scratch.at("b")));
}

#[test]
fn two_watches_of_one_directory_do_not_end_with_each_other() {
    let scratch = Scratch::new();
    let watched = Watched::quick(scratch.path());
    let second = start(&watched.coverage, scratch.path(), Box::new(|_| {})).unwrap();
    drop(second);
    assert!(watched.is_watched(&scratch.at("a")));
}

#[test]
fn what_can_not_be_watched_is_refused_by_name() {
    let scratch = Scratch::new();
    let file = scratch.file("a", "one");
    for path in [&file, &scratch.at("missing")] {
        let error = watch(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_system_that_does_not_tell_of_all_changes_is_refused() {
    let error = watch("/proc/self").unwrap_err();
    assert!(error.to_string().contains("does not tell of all changes"), "{error}");
}

#[test]
fn files_are_not_looked_at_as_long_as_they_are_vouched_for() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    let coverage = Coverage::default();
    // Nobody listens, so that a look would find what was not noted.
    let root = coverage.open(scratch.path().to_owned());
    let epoch = coverage.begin(root);
    coverage.stand(root, Vec::new());
    let files = Files::of(&path);
    assert!(files.still_hold_under(&coverage));
    fs::write(&path, "two").unwrap();
    assert!(files.still_hold_under(&coverage));
    // Nor because of others.
    let note = |path: PathBuf| {
        let touched = root::Notice::Touched { path, anew: false };
        coverage.note(root, epoch, touched);
    };
    note(scratch.at("b"));
    assert!(files.still_hold_under(&coverage));
    note(path);
    assert!(!files.still_hold_under(&coverage));
}

#[test]
fn files_that_were_looked_at_before_the_watch_stood_are_looked_at_again() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    let coverage = Coverage::default();
    let files = Files::of(&path);
    assert!(files.still_hold_under(&coverage));
    fs::write(&path, "two").unwrap();
    let root = coverage.open(scratch.path().to_owned());
    coverage.begin(root);
    coverage.stand(root, Vec::new());
    assert!(!files.still_hold_under(&coverage));
    // What was found to be changed is not vouched for either.
    assert!(!files.still_hold_under(&coverage));
}

#[test]
fn files_that_are_suspect_are_looked_at_on_every_hit() {
    let scratch = Scratch::new();
    let path = scratch.file("a", "one");
    let coverage = Coverage::default();
    let root = coverage.open(scratch.path().to_owned());
    let epoch = coverage.begin(root);
    coverage.stand(root, Vec::new());
    coverage.note(root, epoch, root::Notice::Touched { path: path.clone(), anew: false });
    let files = Files::of(&path);
    assert!(files.still_hold_under(&coverage));
    fs::write(&path, "two").unwrap();
    assert!(!files.still_hold_under(&coverage));
}

#[test]
fn files_with_other_names_and_unbounded_ones_are_never_vouched_for() {
    let (scratch, elsewhere) = (Scratch::new(), Scratch::new());
    let path = scratch.file("a", "one");
    fs::hard_link(&path, elsewhere.at("b")).unwrap();
    let coverage = Coverage::default();
    let root = coverage.open(scratch.path().to_owned());
    coverage.begin(root);
    coverage.stand(root, Vec::new());
    let files = Files::of(&path);
    assert!(files.still_hold_under(&coverage));
    fs::write(elsewhere.at("b"), "two").unwrap();
    assert!(!files.still_hold_under(&coverage));
    assert!(!Files::unbounded().still_hold_under(&coverage));
}

#[test]
fn notices_of_a_watcher_that_was_replaced_count_for_nothing() {
    let coverage = Coverage::default();
    let root = coverage.open("/r".into());
    let old = coverage.begin(root);
    coverage.begin(root);
    coverage.stand(root, Vec::new());
    assert!(!coverage.note(root, old, root::Notice::Lost));
    assert!(coverage.is_watched(Path::new("/r/a")));
}

/// The system forgets events that nobody takes in time, and says only that it did.
#[test]
#[cfg(target_os = "linux")]
fn a_change_that_the_system_forgot_to_tell_of_is_noticed() {
    let scratch = Scratch::new();
    let noisy = [scratch.file("a", "one"), scratch.file("b", "one")];
    let quiet = scratch.file("c", "one");
    let _watch = watch(scratch.path()).unwrap();
    let files = Files::of(&quiet);
    assert!(files.still_hold() && files.still_hold());
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let most: usize = most.trim().parse().unwrap();
    let mut has_changed = false;
    // As long as it looks through these paths, no event is noted, so that they pile up.
    let paths = std::iter::from_fn(|| {
        // Each is a write and a close, and no two alike follow each other.
        noisy.iter().cycle().take(most).for_each(|path| fs::write(path, "two").unwrap());
        fs::write(&quiet, "two").unwrap();
        has_changed = true;
        None
    });
    coverage().watched(paths);
    assert!(has_changed);
    until("the change to be noticed", || !files.still_hold());
    let files = Files::of(&quiet);
    until("the file to be watched again", || {
        coverage().watched([&*quiet]).is_some() && files.still_hold()
    });
    fs::write(&quiet, "three").unwrap();
    until("the next change to be noticed", || !files.still_hold());
}
