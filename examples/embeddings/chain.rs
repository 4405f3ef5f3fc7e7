//! A toy chain of blocks: a file with one line for each, every block naming the one before it.
//!
//! 1. Blocks are added, never changed, so that a block that was read is right for ever.
//! 2. A chain is known by the hash of its first block, wherever its file lies.
//!
//! One program at a time may add blocks.

use crate::settings::{self, ROOM, Settings};
use larder::cached;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

pub(crate) struct Chain {
    path: PathBuf,
    /// The hash of the first block.
    id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) number: u64,
    pub(crate) hash: String,
    pub(crate) before: String,
    pub(crate) footprint: String,
}

/// Why a block could not be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ChainError {
    Unreadable(String),
    /// What stands in the file is not what was written.
    Damaged(u64),
}

impl From<io::Error> for ChainError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "the chain can't be read: {error}"),
            Self::Damaged(number) => write!(f, "block {number} of the chain is damaged"),
        }
    }
}

impl std::error::Error for ChainError {}

/// Reads one block; nothing if there is none of that number yet, which is an answer like any other.
#[cached(name = "blocks", key(chain.id, number), capacity = ROOM, weigh = weight)]
pub(crate) fn block(chain: &Chain, number: u64) -> Result<Option<Block>, ChainError> {
    stored(chain, number)
}

/// The same on disk, so that no process has to read all lines before a block that another has read.
#[cached(name = "blocks on disk", tier = "l2", ttl = "30d", key(chain.id, number))]
pub(crate) fn stored(chain: &Chain, number: u64) -> Result<Option<Block>, ChainError> {
    let mut before = String::new();
    for (at, line) in (0..).zip(BufReader::new(File::open(&chain.path)?).lines()) {
        let block = Block::read(at, &before, &line?).ok_or(ChainError::Damaged(at))?;
        if at == number {
            return Ok(Some(block));
        }
        before = block.hash;
    }
    Ok(None)
}

fn weight(_: &Result<Option<Block>, ChainError>) -> u64 {
    settings::weight(Settings::get().blocks)
}

impl Block {
    fn new(number: u64, before: &str, footprint: &str) -> Self {
        let hash = blake3::hash(format!("{number} {before} {footprint}").as_bytes());
        Self {
            number,
            hash: hash.to_hex()[..32].to_owned(),
            before: before.to_owned(),
            footprint: footprint.to_owned(),
        }
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        writeln!(to, "{} {}", self.hash, self.footprint)
    }

    /// The block that a line says, if it is the one that was written there.
    fn read(number: u64, before: &str, line: &str) -> Option<Self> {
        let (hash, footprint) = line.split_once(' ')?;
        Some(Self::new(number, before, footprint)).filter(|block| block.hash == hash)
    }
}

impl Chain {
    /// Opens a chain, or begins one with a block for each footprint.
    pub(crate) fn open(path: &Path, footprints: &[&str]) -> Result<Self, ChainError> {
        if !path.exists() {
            begin(path, footprints)?;
        }
        let mut first = String::new();
        BufReader::new(File::open(path)?).read_line(&mut first)?;
        let first = Block::read(0, "", first.trim_end()).ok_or(ChainError::Damaged(0))?;
        Ok(Self { path: path.to_owned(), id: first.hash })
    }

    /// How many blocks there are.
    pub(crate) fn len(&self) -> Result<u64, ChainError> {
        let lines = BufReader::new(File::open(&self.path)?).lines();
        Ok(lines.map_while(Result::ok).count() as u64)
    }

    /// Adds a block.
    pub(crate) fn append(&self, footprint: &str) -> Result<Block, Box<dyn std::error::Error>> {
        let number = self.len()?;
        let before = match number.checked_sub(1) {
            Some(last) => block(self, last)?.map_or_else(String::new, |it| it.hash),
            None => String::new(),
        };
        let block = Block::new(number, &before, &footprint.replace(['\n', '\r'], " "));
        block.write(&mut OpenOptions::new().append(true).open(&self.path)?)?;
        // Someone may have asked for it before it was there. What is made of it in memory hears of it.
        stored::invalidate(self, number)?;
        Ok(block)
    }
}

/// Writes a chain beside its place and moves it there, so that it is there whole or not at all.
fn begin(path: &Path, footprints: &[&str]) -> io::Result<()> {
    let unfinished = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = File::create(&unfinished)?;
    let mut before = String::new();
    for (number, footprint) in (0..).zip(footprints) {
        let block = Block::new(number, &before, footprint);
        block.write(&mut file)?;
        before = block.hash;
    }
    fs::rename(&unfinished, path)
}
