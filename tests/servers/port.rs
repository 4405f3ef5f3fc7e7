//! Ports of the loopback interface, each one test's alone.
//!
//! 1. A port is taken from everyone else on this machine for as long as its `Port` lives, also while
//!    the server that it is for doesn't run: a socket is bound to it, which never listens.
//! 2. A server that reuses addresses, as Redis does, can listen on it nevertheless.

use rustix::net::{
    AddressFamily, SocketAddrAny, SocketFlags, SocketType, bind, getsockname, socket_with, sockopt,
};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

/// How far above the port for clients a node of a cluster listens to other nodes.
pub(crate) const TO_BUS: u16 = 10_000;

pub(crate) struct Port {
    number: u16,
    _sockets: Vec<OwnedFd>,
}

impl Port {
    pub(crate) fn free() -> Self {
        let (number, socket) = take(0).expect("some port is free");
        Self { number, _sockets: vec![socket] }
    }

    /// One whose node of a cluster has a port to other nodes as well.
    pub(crate) fn with_bus() -> Self {
        let pair = |_| {
            let (number, socket) = take(0)?;
            let (_, bus) = take(number.checked_add(TO_BUS)?)?;
            Some(Self { number, _sockets: vec![socket, bus] })
        };
        (0..1_000).find_map(pair).expect("some pair of ports is free")
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

/// Binds a socket to a port, or to any for 0, unless somebody else has it.
pub(crate) fn take(port: u16) -> Option<(u16, OwnedFd)> {
    let (family, kind) = (AddressFamily::INET, SocketType::STREAM);
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None).unwrap();
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port))).ok()?;
    // Only now: two that reuse addresses and don't listen could have the same one.
    sockopt::set_socket_reuseaddr(&socket, true).unwrap();
    let address: SocketAddrAny = getsockname(&socket).unwrap();
    Some((SocketAddr::try_from(address).unwrap().port(), socket))
}
