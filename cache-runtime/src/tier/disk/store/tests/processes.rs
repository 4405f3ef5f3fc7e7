//! Several processes on one store, and some that die.

use super::*;
use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

const ROLE: &str = "LARDER_TEST_STORE_ROLE";
const PLACE: &str = "LARDER_TEST_STORE_PLACE";
const HERE: &str = "the child has come to its point";
const OWN_ROWS: u64 = 300;

/// A child, which does not outlive the test.
struct Process(Child);

impl Process {
    /// Starts this program again to run `child` alone, in a role.
    fn start(folder: &Folder, role: &str) -> Self {
        let name = format!("{}::child", module_path!().split_once("::").unwrap().1);
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", &name, "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env(PLACE, folder.file())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        Self(child.unwrap())
    }

    /// Waits until the child has come to its point.
    fn arrived(&mut self) {
        let out = BufReader::new(self.0.stdout.as_mut().unwrap());
        let told = out.lines().map_while(Result::ok).any(|line| line.contains(HERE));
        assert!(told, "the child ended before it came to its point");
    }

    fn let_go(&mut self) {
        self.0.stdin.take().unwrap().write_all(b"\n").unwrap();
    }

    fn ended_well(mut self) {
        let mut out = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        assert!(self.0.wait().unwrap().success(), "{out}");
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Has all of them start at the same moment, and waits for their ends.
fn run_at_once(folder: &Folder, roles: impl Iterator<Item = String>) {
    let mut children: Vec<_> = roles.map(|role| Process::start(folder, &role)).collect();
    children.iter_mut().for_each(Process::arrived);
    children.iter_mut().for_each(Process::let_go);
    children.into_iter().for_each(Process::ended_well);
}

/// In the child: says that the point is reached, and waits for the parent's word.
fn arrive() {
    println!("\n{HERE}");
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
}

/// What a child does. Without a role it is no child.
#[test]
fn child() {
    let (Ok(role), Some(place)) = (env::var(ROLE), env::var_os(PLACE)) else { return };
    let place = PathBuf::from(place);
    let (role, number) = role.split_once(' ').unwrap();
    let number = number.parse().unwrap();
    match role {
        "open" => {
            arrive();
            let store = Store::open(&place, LIMIT).unwrap();
            assert!(put(&store, number, 0, &envelope(number)));
        }
        "work" => {
            let store = patiently(|| Store::open(&place, LIMIT));
            arrive();
            work(&store, number);
        }
        "stream" => {
            let store = patiently(|| Store::open(&place, 4 * MIB));
            arrive();
            let most = room::stream(&store, &place, number);
            assert!(most <= 4 * MIB / 10 * 11, "{most}");
        }
        "die" => {
            let store = patiently(|| Store::open(&place, LIMIT));
            assert!(put(&store, number, 0, b"committed"));
            let die = |batch: &Batch<'_>| {
                (0..10).try_for_each(|id| {
                    batch.put(1_000 + id, NEVER, 0, 0, b"not committed").map(drop)
                })?;
                arrive();
                Ok(())
            };
            patiently(|| store.batch(die));
        }
        "endless" => {
            let store = patiently(|| Store::open(&place, LIMIT));
            println!("\n{HERE}");
            for id in (number..).step_by(2) {
                let both = |batch: &Batch<'_>| {
                    batch.put(2 * (id % 200), NEVER, 0, id, &envelope(id))?;
                    batch.put(2 * (id % 200) + 1, NEVER, 0, id, &envelope(id))
                };
                patiently(|| store.batch(both));
            }
        }
        other => panic!("no role is called {other}"),
    }
}

/// Puts rows of its own, and reads what the others have put so far.
fn work(store: &Store, number: u64) {
    for from in (0..OWN_ROWS).step_by(3) {
        let put = |batch: &Batch<'_>| {
            (from..from + 3).try_for_each(|row| {
                let id = number * OWN_ROWS + row;
                batch.put(id, NEVER, 0, 0, &envelope(id)).map(drop)
            })
        };
        patiently(|| store.batch(put));
        for other in 0..3 {
            for row in [from, OWN_ROWS - 1 - from] {
                let id = other * OWN_ROWS + row;
                let found = read(store, id);
                assert!(found.is_none_or(|found| found == envelope(id)), "{id}");
            }
        }
    }
}

#[test]
fn twelve_processes_open_a_new_store_at_once() {
    for _ in 0..3 {
        let folder = Folder::new();
        run_at_once(&folder, (0..12).map(|it| format!("open {it}")));
        let store = folder.open();
        for id in 0..12 {
            assert_eq!(read(&store, id), Some(envelope(id)));
        }
        let raw = Connection::open(folder.file()).unwrap();
        let vacuum: i64 = raw.pragma_query_value(None, "auto_vacuum", |row| row.get(0)).unwrap();
        assert_eq!(vacuum, 2);
    }
}

#[test]
fn three_processes_put_and_read_at_once() {
    let folder = Folder::new();
    run_at_once(&folder, (0..3).map(|it| format!("work {it}")));
    let store = folder.open();
    assert_eq!(store.len(), Ok(3 * OWN_ROWS));
    for id in 0..3 * OWN_ROWS {
        assert_eq!(read(&store, id), Some(envelope(id)));
    }
}

#[test]
fn three_processes_together_stay_within_the_bounds() {
    let folder = Folder::new();
    run_at_once(&folder, (0..3).map(|it| format!("stream {it}")));
    assert!(on_disk(&folder.file()) > 2 * MIB);
}

#[test]
fn a_process_killed_in_a_batch_leaves_what_it_had_committed() {
    let folder = Folder::new();
    let open_meanwhile = folder.open();
    for number in 0..3 {
        let mut child = Process::start(&folder, &format!("die {number}"));
        child.arrived();
        child.kill();
        for store in [&folder.open(), &open_meanwhile] {
            assert_eq!(read(store, number).as_deref(), Some(&b"committed"[..]));
            assert_eq!(store.len(), Ok(number + 1));
        }
    }
    assert!(put(&open_meanwhile, 1_000, 0, b"the lock went with the process"));
}

#[test]
fn a_process_killed_at_any_moment_leaves_whole_batches() {
    let folder = Folder::new();
    for round in 0..8 {
        let start = |number| Process::start(&folder, &format!("endless {number}"));
        let mut children = [0, 1].map(start);
        children.iter_mut().for_each(Process::arrived);
        let store = folder.open();
        let rows = store.scan(None, usize::MAX, 8).unwrap().len();
        // Some time of theirs goes by: a number of puts that grows with the rounds.
        for id in 0..=round {
            put(&store, 10_000 + id, 0, b"in between");
        }
        children.iter_mut().for_each(Process::kill);
        drop(store);
        let store = folder.open();
        let pairs = store.scan(None, usize::MAX, 0).unwrap();
        assert!(pairs.len() >= rows);
        for id in 0..200 {
            assert_eq!(read(&store, 2 * id), read(&store, 2 * id + 1), "half a batch");
        }
        let raw = Connection::open(folder.file()).unwrap();
        let verdict: String =
            raw.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok");
    }
}
