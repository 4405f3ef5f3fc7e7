//! A server that answers as a test wants it to, which need not be true, nor an answer.

use crate::client::{Client, Reply};
use crate::limit::LIMIT;
use crate::listener::Listener;
use crate::server::Server;
use std::io::{self, BufReader, ErrorKind, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// What follows a command, byte by byte. Nothing at all is a server that keeps silent.
pub(crate) trait Answer: Fn(&[Vec<u8>]) -> Vec<u8> + Send + Sync + 'static {}

impl<F: Fn(&[Vec<u8>]) -> Vec<u8> + Send + Sync + 'static> Answer for F {}

/// Takes new connections until it is dropped; those that there are end with their clients.
pub(crate) struct Liar(Listener);

impl Liar {
    pub(crate) fn start(answer: impl Answer) -> Self {
        let answer = Arc::new(answer);
        Self(Listener::start(move |stream| {
            let answer = Arc::clone(&answer);
            // Who hears nonsense, or nothing any more, hangs up.
            thread::spawn(move || drop(talk(&stream, &*answer)));
        }))
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port()
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }
}

fn talk(stream: &TcpStream, answer: &impl Answer) -> io::Result<()> {
    let mut input = BufReader::new(stream);
    loop {
        let Reply::Array(words) = Reply::read(&mut input)? else {
            return Err(ErrorKind::InvalidData.into());
        };
        let word = |reply| match reply {
            Reply::Bytes(bytes) => Ok(bytes),
            _ => Err(ErrorKind::InvalidData),
        };
        let words = words.into_iter().map(word).collect::<Result<Vec<_>, _>>()?;
        (&*stream).write_all(&answer(&words))?;
    }
}

/// Answers what clients ask before they get to the point as Redis 7.0 does, in RESP3. The point is up
/// to the test.
pub(crate) fn honest_about_itself(answer: impl Answer) -> impl Answer {
    move |words: &[Vec<u8>]| {
        let first = words.first().map(|it| it.to_ascii_uppercase()).unwrap_or_default();
        match (&*first, words.get(1).map(Vec::as_slice)) {
            (b"HELLO", Some(b"3")) => greeting(),
            (b"CLIENT", _) => b"+OK\r\n".to_vec(),
            (b"PING", None) => b"+PONG\r\n".to_vec(),
            (b"TIME", _) => b"*2\r\n$10\r\n1700000000\r\n$6\r\n123456\r\n".to_vec(),
            (b"INFO", _) => {
                let id = &"0123456789abcdef".repeat(3)[..40];
                bulk(&format!(
                    "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:{id}\r\n\r\n\
                     # Stats\r\nevicted_keys:0\r\n\r\n\
                     # Replication\r\nrole:master\r\nmaster_replid:{id}\r\n"
                ))
            }
            _ => answer(words),
        }
    }
}

fn greeting() -> Vec<u8> {
    let mut map = b"%7\r\n".to_vec();
    let mut field = |name, value: &[u8]| map.extend([&bulk(name), value].concat());
    field("server", &bulk("redis"));
    field("version", &bulk("7.0.15"));
    field("proto", b":3\r\n");
    field("id", b":1\r\n");
    field("mode", &bulk("standalone"));
    field("role", &bulk("master"));
    field("modules", b"*0\r\n");
    map
}

/// A text as an answer.
pub(crate) fn bulk(text: &str) -> Vec<u8> {
    format!("${}\r\n{text}\r\n", text.len()).into_bytes()
}

/// What `redis-cli`, which believes what it is told, says to one command in RESP3.
fn told(port: u16, command: &[&str]) -> String {
    let mut client = Command::new("timeout");
    client.args([&*LIMIT.as_secs().to_string(), "redis-cli", "-3", "-p", &port.to_string()]);
    let output = client.args(command).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_liar_lies_about_nothing_but_what_it_should() {
    let server = Server::start();
    let liar = Liar::start(honest_about_itself(|words| match &words[0][..] {
        b"GET" => bulk("not what was set"),
        _ => b"-ERR unknown command\r\n".to_vec(),
    }));
    let hello = ["HELLO", "3"];
    let apart_from_id = |port| {
        let told = told(port, &hello);
        told.lines().filter(|it| !it.starts_with("id")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(apart_from_id(liar.port()), apart_from_id(server.port()));
    assert_eq!(told(liar.port(), &["GET", "a"]), "not what was set\n");
    assert_eq!(told(liar.port(), &["PING"]), "PONG\n");
    assert_eq!(told(liar.port(), &["CLIENT", "SETNAME", "a"]), "OK\n");
    assert_eq!(told(liar.port(), &["TIME"]).lines().count(), 2);
    assert_eq!(told(liar.port(), &["SET", "a", "1"]).trim(), "ERR unknown command");
    let info = told(liar.port(), &["INFO", "server"]);
    assert!(told(server.port(), &["INFO", "server"]).contains("redis_mode:standalone"));
    assert!(info.contains("redis_mode:standalone"));
    let run = info.lines().find_map(|it| it.strip_prefix("run_id:")).unwrap();
    assert_eq!(run.trim_end().len(), 40);
}

#[test]
fn a_liar_says_any_bytes_or_none() {
    let liar = Liar::start(|words| match &words[0][..] {
        b"GET" => words.concat(),
        b"MGET" => b"*2\r\n$1\r\n1\r\n$5\r\n12".to_vec(),
        _ => Vec::new(),
    });
    assert_eq!(liar.url(), format!("redis://127.0.0.1:{}", liar.port()));
    let connect = || Client::connect_within(liar.port(), Duration::from_millis(100)).unwrap();
    let mut client = connect();
    client.send(&[&b"GET"[..], b"\r\n"]).unwrap();
    assert_eq!(client.hear().unwrap_err().kind(), ErrorKind::InvalidData);
    assert!(connect().command(&["MGET", "a", "b"]).is_err());
    assert!(connect().command(&["PING"]).is_err());
}
