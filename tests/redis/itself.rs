//! What the tests' own servers, ports and clients are themselves held to.

use crate::client::{Client, Reply};
use crate::limit::{LIMIT, until};
use crate::port::{Port, TO_BUS, take};
use crate::server::Server;
use std::iter;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

#[test]
fn a_killed_server_comes_back_at_the_same_place_with_nothing() {
    let server = Server::start();
    server.command(&["SET", "a", "1"]);
    let mut client = Client::connect(server.port()).unwrap();
    server.kill();
    assert!(client.command(&["PING"]).is_err());
    assert!(Client::connect(server.port()).is_err());
    assert!(!server.is_running());
    server.start_again();
    assert_eq!(server.command(&["GET", "a"]), Reply::Nil);
    assert_eq!(server.url(), format!("redis://127.0.0.1:{}", server.port()));
}

#[test]
fn a_server_that_is_told_to_keeps_what_it_has() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    server.command(&["SET", "a", "1"]);
    server.kill();
    server.start_again();
    assert_eq!(server.command(&["GET", "a"]), Reply::bytes("1"));
}

#[test]
fn a_paused_server_answers_once_it_is_resumed() {
    let server = Server::start();
    server.pause();
    let mut client = Client::connect_within(server.port(), Duration::from_millis(100)).unwrap();
    assert!(client.command(&["PING"]).is_err());
    assert!(!server.is_running());
    server.resume();
    assert!(server.is_running());
    assert_eq!(server.command(&["PING"]), Reply::Status("PONG".to_owned()));
    server.pause();
}

#[test]
fn servers_that_start_at_once_are_apart() {
    let start = || std::thread::spawn(|| Server::with(&["--maxmemory", "2mb"]));
    let starts: Vec<_> = iter::repeat_with(start).take(6).collect();
    let servers: Vec<_> = starts.into_iter().map(|it| it.join().unwrap()).collect();
    for server in &servers {
        server.command(&["INCR", "a"]);
    }
    for server in &servers {
        assert_eq!(server.command(&["GET", "a"]), Reply::bytes("1"));
        let limit = server.command(&["CONFIG", "GET", "maxmemory"]).array().remove(1);
        assert_eq!(limit.text(), "2097152");
    }
}

#[test]
fn every_kind_of_answer_is_told_apart() {
    let server = Server::start();
    let mut client = Client::connect(server.port()).unwrap();
    let mut ask = |words: &[&str]| client.command(words).unwrap();
    assert_eq!(ask(&["SET", "a", ""]), Reply::Status("OK".to_owned()));
    assert_eq!(ask(&["GET", "a"]), Reply::bytes(""));
    assert_eq!(ask(&["GET", "b"]), Reply::Nil);
    assert_eq!(ask(&["BLPOP", "b", "0.01"]), Reply::Nil);
    assert_eq!(ask(&["DECR", "c"]), Reply::Int(-1));
    assert_eq!(
        ask(&["MGET", "c", "b"]),
        Reply::Array(vec![Reply::bytes("-1"), Reply::Nil]),
        "an array"
    );
    assert!(matches!(ask(&["INCR", "a"]), Reply::Error(why) if why.starts_with("ERR ")));
}

#[test]
fn bytes_of_any_value_come_back() {
    let server = Server::start();
    let all: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).chain(*b"\r\n").collect();
    server.command(&[b"SET", &all[..], &all[..]]);
    assert_eq!(server.command(&[b"GET", &all[..]]), Reply::Bytes(all));
}

#[test]
fn nobody_else_gets_a_port_that_is_held() {
    let port = Port::with_bus();
    assert!(take(port.number()).is_none());
    assert!(take(port.number() + TO_BUS).is_none());
    let number = port.number();
    drop(port);
    assert!(take(number).is_some());
}

#[test]
fn a_program_ends_when_the_process_that_started_it_is_killed() {
    const PORT: &str = "LARDER_TEST_PORT_TO";
    if let Some(file) = std::env::var_os(PORT) {
        let server = Server::start();
        std::fs::write(file, server.port().to_string()).unwrap();
        thread::park_timeout(LIMIT);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("port");
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "itself::a_program_ends_when_the_process_that_started_it_is_killed"])
        .env(PORT, &file)
        .env("TMPDIR", folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let port = until("a server to start", || std::fs::read_to_string(&file).ok()?.parse().ok());
    let mut client = Client::connect(port).unwrap();
    assert!(client.command(&["PING"]).is_ok());
    parent.kill().unwrap();
    parent.wait().unwrap();
    until("a server to end", || client.command(&["PING"]).err());
}
