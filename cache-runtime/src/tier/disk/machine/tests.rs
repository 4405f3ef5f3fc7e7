//! What processes hear of each other, with the log in place or not.

use super::*;
use crate::tier::disk::child::Folder;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixListener;

fn attached(folder: &Folder) -> Machine {
    let machine = Machine::new().unwrap();
    machine.attach(folder.path()).unwrap();
    machine
}

fn nothing(_: Heard<'_>) {}

#[test]
fn a_number_of_the_log_that_is_damaged_where_nobody_looks_is_found() {
    let folder = Folder::new();
    let ways: [fn(&Machine, MachineStamp); 3] = [
        |machine, _| assert!(machine.record(&[Item::Everything]).is_err()),
        |machine, stamp| assert_eq!(machine.swept(stamp.incarnation), None),
        |machine, _| machine.check_place(),
    ];
    // Wherever the numbers stand but for the clock, which is looked at all the time.
    for way in ways {
        let machine = Machine::new().unwrap();
        machine.attach(folder.path()).unwrap();
        let stamp = machine.now().unwrap();
        for word in &machine.shared.words()[64..512] {
            word.store(7, Ordering::Relaxed);
        }
        way(&machine, stamp);
        let mut lost = false;
        machine.catch_up(|heard| lost |= matches!(heard, Heard::Lost));
        assert!(lost && machine.now().is_none());
    }
}

#[test]
fn a_log_that_was_let_go_meanwhile_is_not_taken_for_one_that_is_there() {
    let folder = Folder::new();
    let machine = Machine::new().unwrap();
    let incarnation = machine.attach(folder.path()).unwrap();
    // As by another thread, which found it damaged a moment ago.
    machine.retire(incarnation, |_| assert_eq!(machine.swept(incarnation), None));
    machine.catch_up(|_| ());
    assert!(!machine.is_attached(), "nobody would look for another one");
}

/// V1: what is remembered as heard is the clock as it was before.
#[test]
fn what_is_recorded_while_a_process_hears_is_heard_by_it_next() {
    let folder = Folder::new();
    let [one, other] = [Machine::new().unwrap(), Machine::new().unwrap()];
    for machine in [&one, &other] {
        machine.attach(folder.path()).unwrap();
    }
    let item = |number| Item::Mark([number, number]);
    other.record(&[item(1)]).unwrap();
    let mut heard = 0;
    one.catch_up(|_| {
        heard += 1;
        other.record(&[item(2)]).unwrap();
    });
    assert_eq!(heard, 1);
    assert!(one.has_news());
    one.catch_up(|_| heard += 1);
    assert_eq!(heard, 2);
    assert!(!one.has_news());
}

#[test]
fn an_older_copy_of_the_log_in_its_place_is_not_taken_for_it() {
    let folder = Folder::new();
    let machines = [Machine::new().unwrap(), Machine::new().unwrap()];
    let first = machines[0].attach(folder.path()).unwrap();
    assert_eq!(machines[1].attach(folder.path()).unwrap(), first);
    let (log, copy) = (folder.path().join("versions"), folder.path().join("copy"));
    fs::copy(&log, &copy).unwrap();
    machines[0].record(&[Item::Everything]).unwrap();
    fs::rename(&copy, &log).unwrap();
    for machine in &machines {
        machine.check_place();
        let mut lost = false;
        machine.catch_up(|heard| lost |= matches!(heard, Heard::Lost));
        assert!(lost);
    }
    let second = machines[1].attach(folder.path()).unwrap();
    assert_ne!(second, first);
    assert_eq!(machines[0].attach(folder.path()).unwrap(), second);
}

#[test]
fn a_clock_that_goes_back_is_given_up() {
    let folder = Folder::new();
    let machine = Machine::new().unwrap();
    let incarnation = machine.attach(folder.path()).unwrap();
    let log = folder.path().join("versions");
    let before = fs::read(&log).unwrap();
    machine.record(&[Item::Everything]).unwrap();
    machine.catch_up(|_| ());
    let stamp = machine.now().unwrap();
    assert!(!machine.is_ahead(stamp));
    assert!(machine.is_ahead(MachineStamp { at: Stamp(stamp.at.0 + 1), ..stamp }));
    let file = OpenOptions::new().write(true).open(&log).unwrap();
    file.write_all_at(&before, 0).unwrap();
    let mut lost = false;
    machine.catch_up(|heard| lost |= matches!(heard, Heard::Lost));
    assert!(lost);
    assert_ne!(machine.attach(folder.path()).unwrap(), incarnation);
}

/// A machine whose log says that it was made before the last start of the kernel.
fn before_the_last_boot(folder: &Folder, close: impl FnOnce(&Machine)) -> Incarnation {
    let machine = Machine::new().unwrap();
    let incarnation = machine.attach(folder.path()).unwrap();
    close(&machine);
    let log = Log::of(machine.shared.words(), incarnation);
    log.set_boot(log.boot() ^ 1);
    incarnation
}

#[test]
fn a_boot_without_a_clean_close_starts_cold() {
    let folder = Folder::new();
    let before = before_the_last_boot(&folder, |_| ());
    assert_ne!(Machine::new().unwrap().attach(folder.path()).unwrap(), before);
}

#[test]
fn a_boot_after_a_clean_close_goes_on_and_takes_the_close_back() {
    let folder = Folder::new();
    let before = before_the_last_boot(&folder, |machine| machine.close_cleanly().unwrap());
    let machine = Machine::new().unwrap();
    assert_eq!(machine.attach(folder.path()).unwrap(), before);
    assert!(!Log::of(machine.shared.words(), before).is_clean());
}

#[test]
fn what_is_recorded_after_a_clean_close_takes_it_back() {
    let folder = Folder::new();
    let before = before_the_last_boot(&folder, |machine| {
        machine.close_cleanly().unwrap();
        machine.record(&[Item::Everything]).unwrap();
    });
    assert_ne!(Machine::new().unwrap().attach(folder.path()).unwrap(), before);
}

#[test]
fn nobody_is_told_that_there_is_no_news_before_a_loss_has_been_told() {
    type Way = fn(&Machine, &mut dyn FnMut());
    let folder = Folder::new();
    let ways: [Way; 3] = [
        |machine, told| machine.retire(machine.incarnation().unwrap(), |_| told()),
        |machine, told| machine.detach(|_| told()),
        |machine, told| {
            Log::of(machine.shared.words(), machine.incarnation().unwrap()).retire();
            machine.catch_up(|_| told());
        },
    ];
    for way in ways {
        let machine = attached(&folder);
        let mut count = 0;
        way(&machine, &mut || {
            assert!(machine.has_news());
            count += 1;
        });
        assert_eq!(count, 1);
        assert!(!machine.has_news());
    }
}

#[test]
fn what_can_not_be_opened_is_not_taken_for_a_damaged_log() {
    let folder = Folder::new();
    let path = folder.path().join("versions");
    let _in_the_way = UnixListener::bind(&path).unwrap();
    let machine = Machine::new().unwrap();
    machine.attach(folder.path()).unwrap_err();
    assert!(path.exists());
    fs::remove_file(&path).unwrap();
    machine.attach(folder.path()).unwrap();
}

#[test]
fn a_log_with_damaged_items_is_replaced_and_given_up_by_who_has_it() {
    let folder = Folder::new();
    let (one, other) = (attached(&folder), attached(&folder));
    one.record(&[Item::Everything]).unwrap();
    other.catch_up(nothing);
    let before = other.incarnation().unwrap();
    let file = OpenOptions::new().write(true).open(folder.path().join("versions")).unwrap();
    file.write_all_at(&[1; 32], 4_096).unwrap();
    let fresh = attached(&folder);
    assert_ne!(fresh.incarnation(), Some(before));
    assert!(one.has_news() && other.has_news());
    let mut lost = false;
    other.catch_up(|heard| lost |= matches!(heard, Heard::Lost));
    assert!(lost);
}

#[test]
fn an_invalidation_whose_place_in_the_file_is_missing_is_not_taken_for_recorded() {
    let folder = Folder::new();
    let (one, other) = (attached(&folder), attached(&folder));
    let file = OpenOptions::new().write(true).open(folder.path().join("versions")).unwrap();
    file.set_len(4_096).unwrap();
    assert_eq!(one.record(&[Item::Everything]), Err(Unusable));
    one.catch_up(nothing);
    one.attach(folder.path()).unwrap();
    assert!(other.has_news());
}
