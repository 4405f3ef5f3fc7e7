//! F3: of a thousand calls at once in four processes, one computes.

use crate::child::{Inside, Test, folder, hear, say};
use crate::limit::LIMIT;
use crate::party::PLACES;
use crate::server::Server;
use crate::words::Words;
use crate::worker;
use larder::{Runtime, cached};
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time;

const CALLS: u64 = 1_000;
/// Longer than a lease lasts that is not renewed.
const LONG: Duration = Duration::from_secs(3);

/// How many calls have begun, and how many bodies.
static COUNTS: OnceLock<Words> = OnceLock::new();

fn counts() -> [&'static AtomicU64; 2] {
    let words = COUNTS.get().expect("it is shared first").all();
    [&words[0], &words[1]]
}

#[cached(tier = "l1,l3", name = "fleet::cold", wait = "1h")]
async fn cold() -> u64 {
    let [calls, bodies] = counts();
    let number = bodies.fetch_add(1, SeqCst);
    let begun = Instant::now();
    while calls.load(SeqCst) < CALLS || begun.elapsed() < LONG {
        time::sleep(Duration::from_millis(1)).await;
    }
    number
}

fn work(inside: &Inside) {
    COUNTS.get_or_init(|| Words::map(&inside.directory.join("counts"), 2));
    // A machine that has other things to do is no fault of the server.
    worker::runtime(Runtime::builder().redis_deadline(LIMIT), &inside.role, LIMIT);
    say("ready");
    assert_eq!(hear().as_deref(), Some("call"));
    let executor = Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let calls: Vec<_> = (0..CALLS / PLACES as u64)
        .map(|_| {
            executor.spawn(async {
                counts()[0].fetch_add(1, SeqCst);
                yield_now().await;
                cold().await
            })
        })
        .collect();
    let mut values: Vec<_> = calls.into_iter().map(|it| executor.block_on(it).unwrap()).collect();
    values.dedup();
    say(&format!("{values:?}"));
}

#[test]
fn f3_a_thousand_cold_calls_in_four_processes_compute_once() {
    let Some(test) = Test::new(|inside| work(&inside)) else { return };
    let _turn = crate::turn();
    let (server, folder) = (Server::start(), folder());
    let mut children = [(); PLACES].map(|()| test.start(&server.url(), folder.path()));
    for child in &mut children {
        child.expect("ready");
    }
    for child in &mut children {
        child.tell("call");
    }
    for mut child in children {
        child.expect("[0]");
        child.end();
    }
    let words = Words::map(&folder.path().join("counts"), 2);
    let counts: Vec<_> = words.all().iter().map(|it| it.load(SeqCst)).collect();
    assert_eq!(counts, [CALLS, 1]);
}
