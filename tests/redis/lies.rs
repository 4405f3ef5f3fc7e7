//! C6, C7: whatever a server says, callers get what the function returns.

use crate::client::Reply;
use crate::liar::{Liar, bulk, honest_about_itself};
use crate::limit::until;
use crate::server::Server;
use crate::support::{draw, keys, patient};
use larder::{Breaker, Runtime, blocking, cached};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

#[cached(tier = "l1,l3", name = "lies::length", wait = "10m", tags("lies"))]
fn length(text: &str) -> usize {
    text.len()
}

fn gives_up(runtime: &Runtime) {
    until("the server not to be asked any more", || {
        let _ = runtime.with(|| blocking::invalidate_tag("nobody's"));
        (runtime.stats().redis?.breaker != Breaker::Closed).then_some(())
    });
}

/// A runtime that asks a liar. It is connected, as far as it can see.
fn misled(liar: &Liar) -> Runtime {
    Runtime::builder()
        .redis(liar.url())
        .redis_deadline(Duration::from_millis(20))
        .coherence_bound(Duration::from_millis(200))
        .build()
        .unwrap()
}

/// Has calls and invalidations hear an answer.
fn stands(answer: impl Fn() -> Vec<u8> + Send + Sync + 'static) {
    let told = std::sync::Arc::new(AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&told);
    let liar = Liar::start(honest_about_itself(move |_| {
        count.fetch_add(1, SeqCst);
        answer()
    }));
    let runtime = misled(&liar);
    until("the liar to be believed", || {
        for round in 0..5 {
            let text = "x".repeat(round);
            assert_eq!(runtime.with(|| length(&text)), round);
            let _ = runtime.with(|| blocking::invalidate_tag("lies"));
            let _ = runtime.with(|| blocking::invalidate_pattern("lies*"));
        }
        (told.load(SeqCst) > 0).then_some(())
    });
    for round in 0..20 {
        let text = "y".repeat(round);
        assert_eq!(runtime.with(|| length(&text)), round);
    }
    assert_eq!(runtime.with(length::stats).hits_l3, 0);
}

#[test]
fn c7_answers_of_other_types_are_misses() {
    for answer in [
        "+OK\r\n",
        "+\r\n",
        ":7\r\n",
        ":-1\r\n",
        "$-1\r\n",
        "_\r\n",
        "#t\r\n",
        ",1.5\r\n",
        "*0\r\n",
        "*-1\r\n",
        "%0\r\n",
        "~0\r\n",
        "(12345678901234567890\r\n",
        "=7\r\ntxt:abc\r\n",
    ] {
        stands(|| answer.as_bytes().to_vec());
    }
}

#[test]
fn c7_errors_are_misses() {
    for error in [
        "ERR unknown command",
        "WRONGTYPE Operation against a key holding the wrong kind of value",
        "OOM command not allowed when used memory > 'maxmemory'.",
        "NOPERM this user has no permissions",
        "READONLY You can't write against a read only replica.",
        "LOADING Redis is loading the dataset in memory",
        "MOVED 1234 127.0.0.1:1",
        "ASK 1234 127.0.0.1:1",
        "TRYAGAIN",
        "",
    ] {
        stands(move || format!("-{error}\r\n").into_bytes());
    }
}

#[test]
fn c7_foreign_bytes_are_misses() {
    let array = |value: &'static str| move || format!("*4\r\n{}", value.repeat(4)).into_bytes();
    stands(array("$3\r\nabc\r\n"));
    stands(array("$16\r\n0123456789abcdef\r\n"));
    stands(array("$0\r\n\r\n"));
    stands(array(":1\r\n"));
    stands(array("*1\r\n:1\r\n"));
    stands(|| bulk(&"x".repeat(1 << 20)));
    stands(|| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    stands(|| vec![0; 64]);
    stands(|| vec![0xff; 64]);
    stands(|| (0..=u8::MAX).collect());
}

#[test]
fn c7_answers_without_end_are_given_up() {
    stands(|| b"$1000000000\r\nabc".to_vec());
    stands(|| b"*1000000000\r\n:1\r\n".to_vec());
    stands(|| b"%1000000000\r\n:1\r\n".to_vec());
    stands(|| b"~1000000000\r\n:1\r\n".to_vec());
    stands(|| b"*9223372036854775807\r\n".to_vec());
    stands(|| b"$9223372036854775807\r\n".to_vec());
    stands(|| b"*1\r\n".repeat(100_000));
    stands(|| b"*4\r\n$3\r\nab".to_vec());
    stands(Vec::new);
}

#[test]
fn c7_what_is_said_unasked_is_survived() {
    stands(|| b">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nabc\r\n".to_vec());
    stands(|| b">2\r\n$10\r\ninvalidate\r\n_\r\n:1\r\n".to_vec());
    stands(|| b">1\r\n$10\r\ninvalidate\r\n:1\r\n".to_vec());
    stands(|| b">2\r\n$10\r\ninvalidate\r\n*1\r\n$24\r\nlarder:larder:v:{}:01234\r\n\r\n".to_vec());
    stands(|| b">0\r\n".to_vec());
    stands(|| b":1\r\n".repeat(1_000));
}

#[test]
fn c7_who_lies_about_itself_is_not_asked() {
    for (lie, answer) in [
        ("HELLO", "-ERR unknown command\r\n"),
        ("HELLO", "*1000000000\r\n"),
        ("CLIENT", "-ERR unknown subcommand\r\n"),
        ("CLIENT", ":1\r\n"),
        ("INFO", "-NOPERM no\r\n"),
        ("INFO", "$7\r\nrun_id:\r\n"),
        ("INFO", "*0\r\n"),
        ("TIME", "*2\r\n$2\r\n-1\r\n$1\r\n0\r\n"),
        ("TIME", "*2\r\n:1\r\n:2\r\n"),
        ("TIME", "*0\r\n"),
    ] {
        let honest = honest_about_itself(|_| b"-ERR\r\n".to_vec());
        let liar = Liar::start(move |words: &[Vec<u8>]| {
            let is_lie = words[0].eq_ignore_ascii_case(lie.as_bytes());
            if is_lie { answer.as_bytes().to_vec() } else { honest(words) }
        });
        let runtime = misled(&liar);
        gives_up(&runtime);
        assert_eq!(runtime.with(|| length("abc")), 3);
        let asked = runtime.stats().redis.unwrap().connections;
        assert_eq!(asked, 0, "{lie}: {answer}");
    }
}

/// Each key in turn gets foreign bytes, too many or too few, or is of another type.
#[test]
fn c6_no_key_of_the_namespace_can_be_made_to_serve_something_else() {
    let server = Server::start();
    let fill = patient(&server.url());
    assert_eq!(fill.with(|| length("four")), 4);
    fill.with(|| blocking::invalidate_pattern("nothing")).unwrap();
    assert_eq!(fill.with(|| length("four")), 4);
    let names = keys(&server, "larder:*");
    assert!(names.len() >= 6, "{names:?}");
    // All of them now: what is invalidated later takes some away.
    let kept = names.into_iter().map(|name| match server.command(&["DUMP", &name]) {
        Reply::Bytes(kept) => (name, kept),
        other => panic!("{name}: {other:?}"),
    });
    for (name, kept) in kept.collect::<Vec<_>>() {
        let position = b"0123456789abcdef0123456789abcdef:18446744073709551615";
        let damages: [Vec<&[u8]>; 8] = [
            vec![b"SET", name.as_bytes(), b""],
            vec![b"SET", name.as_bytes(), b"foreign"],
            vec![b"SET", name.as_bytes(), &[0; 16]],
            vec![b"SET", name.as_bytes(), position],
            vec![b"APPEND", name.as_bytes(), b"more"],
            vec![b"SETRANGE", name.as_bytes(), b"9", b"damage"],
            vec![b"LPUSH", name.as_bytes(), b"7:a", b"8:p?"],
            vec![b"HSET", name.as_bytes(), b"a", b"b"],
        ];
        for damage in damages {
            // Some are refused, as the key is of another type.
            if !matches!(damage[0], b"APPEND" | b"SETRANGE") {
                server.command(&["DEL", &name]);
            }
            server.command(&damage);
            let runtime = patient(&server.url());
            for _ in 0..2 {
                assert_eq!(runtime.with(|| length("four")), 4);
                assert_eq!(runtime.with(|| length("seven.")), 6);
            }
            let _ = runtime.with(|| blocking::invalidate_pattern("nothing"));
            assert_eq!(runtime.with(|| length("four")), 4);
            server.command(&[b"RESTORE", name.as_bytes(), b"0", &kept, b"REPLACE"]);
        }
    }
    until("all to be well again", || {
        let runtime = patient(&server.url());
        let text = "z".repeat(usize::try_from(draw() % 1_000).unwrap());
        runtime.with(|| length(&text));
        (runtime.with(length::stats).stores_l3 == 1).then_some(())
    });
}

/// What stands under a key says itself which call it is of.
#[test]
fn c6_a_value_that_stands_under_the_key_of_another_is_a_miss() {
    let server = Server::start();
    let one = patient(&server.url());
    let stored = || keys(&server, "larder:larder:v:*");
    one.with(|| length("four"));
    let own = stored();
    one.with(|| length("seven."));
    let other = stored().into_iter().find(|it| !own.contains(it)).unwrap();
    assert_eq!(server.command(&["COPY", &own[0], &other, "REPLACE"]), Reply::Int(1));
    let fresh = patient(&server.url());
    assert_eq!(fresh.with(|| length("seven.")), 6);
    assert_eq!(fresh.with(length::stats).hits_l3, 0, "it passes for the other's");
    assert_eq!(fresh.with(|| length("four")), 4);
    assert_eq!(fresh.with(length::stats).hits_l3, 1);
}

/// The ledger goes as far as it can count, and then begins again under the same epoch.
#[test]
fn c7_a_ledger_that_counts_as_far_as_it_can_is_survived() {
    let server = Server::start();
    let ledger = |position: u64| {
        let text = format!("0123456789abcdef0123456789abcdef:{position}");
        server.command(&["SET", "larder:larder:{ledger}", &text]);
    };
    ledger(u64::MAX);
    assert_eq!(patient(&server.url()).with(|| length("four")), 4);
    for position in [u64::MAX, u64::MAX - 1, 0, 5] {
        ledger(position);
        assert_eq!(patient(&server.url()).with(|| length("four")), 4);
    }
}

/// Who has the place of a value's lease, and never goes.
#[test]
fn c7_a_lease_that_nobody_holds_keeps_nobody_waiting() {
    let server = Server::start();
    let runtime = patient(&server.url());
    assert_eq!(runtime.with(|| length("lease")), 5);
    let [value] = &keys(&server, "larder:*:v:*")[..] else { panic!("one value") };
    let lease = value.replacen(":v:", ":l:", 1);
    let lease = &lease[..lease.find("}:").unwrap() + 2 + 16];
    for damage in [vec!["SET", lease, "foreign"], vec!["LPUSH", lease, "foreign"]] {
        server.command(&["DEL", lease]);
        server.command(&damage);
        runtime.with(|| blocking::invalidate_tag("lies")).unwrap();
        assert_eq!(runtime.with(|| length("lease")), 5);
    }
}
