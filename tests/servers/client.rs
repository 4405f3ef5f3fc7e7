//! A client of Redis that shares no code with what is tested: it waits for each answer, speaks RESP2
//! and never waits for longer than it was told to.

use crate::limit::LIMIT;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::str;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Nil,
    Status(String),
    Error(String),
    Int(i64),
    Bytes(Vec<u8>),
    Array(Vec<Reply>),
}

/// A connection to a server.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn connect(port: u16) -> io::Result<Self> {
        Self::connect_within(port, LIMIT)
    }

    /// Connects; to do so, and each answer, may take that long.
    pub(crate) fn connect_within(port: u16, limit: Duration) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, limit)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(limit))?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn command<A: AsRef<[u8]>>(&mut self, words: &[A]) -> io::Result<Reply> {
        self.send(words)?;
        self.hear()
    }

    /// Sends a command without waiting for the answer.
    pub(crate) fn send<A: AsRef<[u8]>>(&mut self, words: &[A]) -> io::Result<()> {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words.iter().map(AsRef::as_ref) {
            bytes.extend(format!("${}\r\n", word.len()).bytes());
            bytes.extend(word);
            bytes.extend(b"\r\n");
        }
        self.0.get_mut().write_all(&bytes)
    }

    /// The next answer, or what the server says unasked.
    pub(crate) fn hear(&mut self) -> io::Result<Reply> {
        Reply::read(&mut self.0)
    }

    /// Whether nothing at all is said for that long.
    pub(crate) fn is_silent_for(&mut self, time: Duration) -> bool {
        let stream = self.0.get_ref();
        let limit = stream.read_timeout().unwrap();
        stream.set_read_timeout(Some(time)).unwrap();
        let silent = self.0.fill_buf().is_err_and(|it| it.kind() == ErrorKind::WouldBlock);
        self.0.get_ref().set_read_timeout(limit).unwrap();
        silent
    }
}

impl Reply {
    pub(crate) fn read(input: &mut impl BufRead) -> io::Result<Self> {
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line)?;
        let Some(line) = line.strip_suffix(b"\r\n") else {
            return Err(ErrorKind::UnexpectedEof.into());
        };
        let line = str::from_utf8(line).map_err(|_| malformed(line))?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(|| malformed(line.as_bytes()))?;
        let number = || rest.parse::<i64>().map_err(|_| malformed(line.as_bytes()));
        Ok(match kind {
            "+" => Self::Status(rest.to_owned()),
            "-" => Self::Error(rest.to_owned()),
            ":" => Self::Int(number()?),
            "$" => match usize::try_from(number()?) {
                Ok(length) => Self::Bytes(bulk(input, length)?),
                Err(_) => Self::Nil,
            },
            "*" => match usize::try_from(number()?) {
                Ok(length) => {
                    Self::Array((0..length).map(|_| Self::read(input)).collect::<Result<_, _>>()?)
                }
                Err(_) => Self::Nil,
            },
            _ => return Err(malformed(line.as_bytes())),
        })
    }

    pub(crate) fn bytes(text: &str) -> Self {
        Self::Bytes(text.into())
    }

    /// The text of an answer that is one.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Status(text) => text,
            Self::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?} is no text"),
        }
    }

    /// The parts of an answer that has some.
    pub(crate) fn array(self) -> Vec<Reply> {
        match self {
            Self::Array(parts) => parts,
            other => panic!("{other:?} has no parts"),
        }
    }
}

/// So many bytes, and the end of a line.
fn bulk(input: &mut impl BufRead, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length + 2];
    input.read_exact(&mut bytes)?;
    if !bytes.ends_with(b"\r\n") {
        return Err(malformed(&bytes));
    }
    bytes.truncate(length);
    Ok(bytes)
}

fn malformed(bytes: &[u8]) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, bytes.escape_ascii().to_string())
}
