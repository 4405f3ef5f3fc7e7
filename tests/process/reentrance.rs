//! What a program's own code does under the cache's locks, while others hear of invalidations.

use crate::child::{LIMIT, Test, folder, until};
use larder::{Runtime, blocking, cached};
use rustix::thread::gettid;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// Says that it is being compared, and goes on when told.
type Gate = (Sender<()>, Receiver<()>);

static IS_ARMED: AtomicBool = AtomicBool::new(false);
static GATE: Mutex<Option<Gate>> = Mutex::new(None);

/// A key that invalidates something when it is compared for the first time since its body ran: that
/// is where the value is put in.
#[derive(Clone)]
struct Reentrant(u64);

impl Hash for Reentrant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Eq for Reentrant {}

impl PartialEq for Reentrant {
    fn eq(&self, other: &Self) -> bool {
        if IS_ARMED.swap(false, SeqCst) {
            let (arrived, go) = GATE.lock().unwrap().take().expect("it is armed once");
            arrived.send(()).unwrap();
            go.recv_timeout(LIMIT).expect("it is told to go on");
            blocking::invalidate_tag("nobody's").unwrap();
        }
        self.0 == other.0
    }
}

#[cached(tags("compared"))]
fn compared(key: &Reentrant) -> u64 {
    IS_ARMED.store(GATE.lock().unwrap().is_some(), SeqCst);
    key.0
}

#[cached(tier = "l1,l2", ttl = "1h")]
fn shared(key: u64) -> u64 {
    key
}

/// Whether a thread of this process waits for something.
fn sleeps(thread: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).unwrap();
    stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" S"))
}

fn runtime(directory: &Path) -> Runtime {
    Runtime::builder().namespace("tests").dir(directory).build().unwrap()
}

#[test]
fn who_invalidates_while_keys_are_compared_does_not_wait_for_who_sweeps_what_was_heard() {
    let Some(_) = Test::new(|_| ()) else { return };
    let folder = folder();
    let (here, elsewhere) = (runtime(folder.path()), runtime(folder.path()));
    elsewhere.with(|| shared(1));
    here.with(|| {
        shared(1);
        compared(&Reentrant(1));
        blocking::invalidate_tag("compared").unwrap();
    });
    let ((arrived, is_there), (go, told)) = (channel(), channel());
    *GATE.lock().unwrap() = Some((arrived, told));
    let ended = channel();
    let (compares, sweeps) = (here.clone(), here);
    let end = ended.0.clone();
    thread::spawn(move || {
        compares.with(|| compared(&Reentrant(1)));
        end.send(()).unwrap();
    });
    is_there.recv_timeout(LIMIT).expect("the key is compared as its value is put in");
    // More than are kept without a sweep.
    elsewhere.with(|| {
        (0..1_100).for_each(|n| blocking::invalidate_pattern(format!("nothing:{n}")).unwrap());
    });
    let (number, numbered) = channel();
    let hears = thread::spawn(move || {
        number.send(gettid().as_raw_nonzero()).unwrap();
        sweeps.with(|| shared(1))
    });
    let number = numbered.recv_timeout(LIMIT).unwrap();
    let mut asleep = 0;
    until("the sweep to wait for the comparison", || {
        asleep = if sleeps(number.get()) { asleep + 1 } else { 0 };
        (asleep > 20).then_some(())
    });
    go.send(()).unwrap();
    ended.1.recv_timeout(LIMIT).expect("the comparison ends");
    assert_eq!(hears.join().unwrap(), 1);
}
