//! A network that does to connections what a test tells it to.
//!
//! 1. What it is told holds for the connections that there are and for all to come, until it is told
//!    something else.
//! 2. What was on its way when it is told something may have passed already.

use crate::client::{Client, Reply};
use crate::limit::LIMIT;
use crate::listener::Listener;
use crate::server::Server;
use crate::traffic::{Rules, Traffic};
use std::io::ErrorKind::UnexpectedEof;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A port whose connections lead to another port.
pub(crate) struct Proxy {
    listener: Listener,
    traffic: Arc<Traffic>,
}

impl Proxy {
    pub(crate) fn to(port: u16) -> Self {
        let traffic = Arc::new(Traffic::default());
        let join = Arc::clone(&traffic);
        let listener = Listener::start(move |client| {
            if join.may_enter() {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
                // Who finds nobody behind is sent away.
                if let Ok(server) = TcpStream::connect_timeout(&address, LIMIT) {
                    server.set_nodelay(true).unwrap();
                    join.join(client, server);
                }
            }
        });
        Self { listener, traffic }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.port()
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// How many connections were let in.
    pub(crate) fn connections(&self) -> usize {
        self.traffic.accepted()
    }

    /// Has whatever is sent arrive so much later.
    pub(crate) fn delay(&self, to_server: Duration, to_client: Duration) {
        self.traffic.rule(|rules| {
            rules.to_server.delay = to_server;
            rules.to_client.delay = to_client;
        });
    }

    /// Closes all connections.
    pub(crate) fn cut(&self) {
        self.traffic.rule(Rules::close_all);
    }

    /// Closes new connections as soon as they are made.
    pub(crate) fn refuse(&self) {
        self.traffic.rule(|rules| rules.refusing = true);
    }

    pub(crate) fn admit(&self) {
        self.traffic.rule(|rules| rules.refusing = false);
    }

    /// Keeps what is sent to clients, and tells neither side.
    pub(crate) fn stall_to_client(&self) {
        self.traffic.rule(|rules| rules.to_client.stalled = true);
    }

    /// Keeps what is sent to the server, and tells neither side.
    pub(crate) fn stall_to_server(&self) {
        self.traffic.rule(|rules| rules.to_server.stalled = true);
    }

    /// Loses what is sent to clients, and tells neither side.
    pub(crate) fn swallow_to_client(&self) {
        self.traffic.rule(|rules| rules.to_client.swallowing = true);
    }

    /// Closes each connection once so many more bytes have come to its client; for none, when the
    /// next would come.
    pub(crate) fn truncate_to_client(&self, bytes: usize) {
        self.traffic.rule(|rules| rules.limit_to_client(Some(bytes)));
    }

    /// Lets everything through again, and what was kept. What is late stays so.
    pub(crate) fn flow(&self) {
        self.traffic.rule(|rules| {
            rules.to_server.stalled = false;
            rules.to_client.stalled = false;
            rules.to_client.swallowing = false;
            rules.limit_to_client(None);
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.refuse();
        self.cut();
    }
}

fn connect(proxy: &Proxy) -> Client {
    let mut client = Client::connect(proxy.port()).unwrap();
    assert_eq!(client.command(&["PING"]).unwrap(), pong());
    client
}

const WHILE: Duration = Duration::from_millis(100);

fn pong() -> Reply {
    Reply::Status("PONG".to_owned())
}

#[test]
fn what_is_cut_or_refused_is_gone_and_others_are_let_in() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let mut clients = [connect(&proxy), connect(&proxy)];
    proxy.refuse();
    let refused = Client::connect(proxy.port()).and_then(|mut it| it.command(&["PING"]));
    assert!(refused.is_err());
    for client in &mut clients {
        assert_eq!(client.command(&["PING"]).unwrap(), pong());
    }
    proxy.cut();
    for client in &mut clients {
        assert!(client.command(&["PING"]).is_err());
    }
    proxy.admit();
    connect(&proxy);
    assert_eq!(proxy.connections(), 3);
    assert_eq!(proxy.url(), format!("redis://127.0.0.1:{}", proxy.port()));
    server.kill();
    assert!(Client::connect(proxy.port()).and_then(|mut it| it.command(&["PING"])).is_err());
}

#[test]
fn what_stalls_comes_later_and_what_is_swallowed_never_does() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let mut client = connect(&proxy);
    proxy.stall_to_server();
    client.send(&["INCR", "a"]).unwrap();
    assert!(client.is_silent_for(WHILE));
    assert_eq!(server.command(&["GET", "a"]), Reply::Nil);
    proxy.flow();
    assert_eq!(client.hear().unwrap(), Reply::Int(1));
    proxy.stall_to_client();
    client.send(&["INCR", "a"]).unwrap();
    assert!(client.is_silent_for(WHILE));
    assert_eq!(server.command(&["GET", "a"]), Reply::bytes("2"));
    proxy.flow();
    assert_eq!(client.hear().unwrap(), Reply::Int(2));
    proxy.swallow_to_client();
    client.send(&["INCR", "a"]).unwrap();
    assert!(client.is_silent_for(WHILE));
    proxy.flow();
    assert_eq!(client.command(&["INCR", "a"]).unwrap(), Reply::Int(4));
}

#[test]
fn an_answer_ends_where_it_is_truncated() {
    let server = Server::start();
    server.command(&["SET", "a", "0123456789"]);
    let proxy = Proxy::to(server.port());
    let mut clients = [connect(&proxy), connect(&proxy)];
    proxy.truncate_to_client("+PONG\r\n$10\r\n0123".len());
    for client in &mut clients {
        assert_eq!(client.command(&["PING"]).unwrap(), pong());
        assert_eq!(client.command(&["GET", "a"]).unwrap_err().kind(), UnexpectedEof);
    }
    proxy.truncate_to_client("+PONG\r\n".len());
    let error = connect(&proxy).hear().unwrap_err();
    assert_eq!(error.kind(), UnexpectedEof);
    proxy.flow();
    assert_eq!(connect(&proxy).command(&["GET", "a"]).unwrap(), Reply::bytes("0123456789"));
}

#[test]
fn what_is_delayed_takes_that_long_each_way() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let mut client = connect(&proxy);
    let (there, back) = (Duration::from_millis(30), Duration::from_millis(50));
    proxy.delay(there, back);
    for _ in 0..3 {
        let begun = Instant::now();
        client.command(&["PING"]).unwrap();
        assert!(begun.elapsed() >= there + back);
    }
    proxy.delay(LIMIT, LIMIT);
    client.send(&["PING"]).unwrap();
    proxy.delay(Duration::ZERO, Duration::ZERO);
    assert_eq!(client.hear().unwrap(), pong());
}
