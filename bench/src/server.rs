//! A Redis server of this run's own: on a port of the loopback interface that nobody else has, in a
//! folder that ends with the run.

use rustix::net::{
    AddressFamily, SocketAddrAny, SocketFlags, SocketType, bind, getsockname, socket_with, sockopt,
};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long it may take to start.
const LIMIT: Duration = Duration::from_secs(30);

/// A server that runs until this is dropped, or it is killed before.
pub(crate) struct Server {
    child: Child,
    port: u16,
    /// Keeps the port from others while the server doesn't run.
    _socket: OwnedFd,
}

impl Server {
    /// Starts one that keeps nothing on the disk, and waits until it answers. The kernel kills it if
    /// the thread that does this ends before.
    ///
    /// # Errors
    ///
    /// If there is no such program, or it doesn't answer.
    pub(crate) fn start(folder: &Path) -> io::Result<Self> {
        let (port, socket) = free_port()?;
        let number = port.to_string();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "redis-server", "--save", "", "--appendonly", "no"])
            .args(["--bind", "127.0.0.1", "--port", &number, "--dir"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let mut server = Self { child, port, _socket: socket };
        server.await_ready()?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it as it is. Its port stays taken, and nobody listens.
    pub(crate) fn kill(&mut self) {
        // One that has ended by itself needs no more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn await_ready(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        while !self.answers() {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("redis-server ended with {status}")));
            }
            if begun.elapsed() > LIMIT {
                return Err(io::Error::other("redis-server does not answer"));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn answers(&self) -> bool {
        let ask = || {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"PING\r\n")?;
            let mut answer = [0; 7];
            stream.read_exact(&mut answer)?;
            io::Result::Ok(answer == *b"+PONG\r\n")
        };
        ask().unwrap_or(false)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port, and a socket that is bound to it and never listens. A server that reuses addresses, as
/// Redis does, can listen there nevertheless.
fn free_port() -> io::Result<(u16, OwnedFd)> {
    let (family, kind) = (AddressFamily::INET, SocketType::STREAM);
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    // Only now: two that reuse addresses and don't listen could have the same one.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    let address: SocketAddrAny = getsockname(&socket)?;
    Ok((SocketAddr::try_from(address)?.port(), socket))
}
