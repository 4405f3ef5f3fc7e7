//! Four caches of a daemon that describes events by vectors: of embeddings, of blocks of a chain, of
//! the state of plugins, and of differences between states.
//!
//! ```text
//! cargo run --release --features disk --example embeddings -- search "container memory"
//! ```
//!
//! `search` finds the nearest of the built-in events, or of the lines of a file; the vectors are
//! kept in memory and on disk, so that the next run computes only what it has not met. `stats` does a
//! round of everything and prints what each cache made of it; `clear` empties one of them, for all
//! processes. `block`, `append`, `query` are about the chain and the plugins.
//!
//! Sizes and times are taken from the environment: `OPDBUS_EMBEDDING_CACHE_SIZE` (10000 entries),
//! `OPDBUS_EMBEDDING_DISK_CACHE` (true), `OPDBUS_BLOCK_CACHE_SIZE` (1000), `OPDBUS_QUERY_CACHE_TTL`
//! (5 seconds), `OPDBUS_DIFF_CACHE_SIZE` (100), `OPDBUS_CACHE_DIR`. The chain is a file beside the
//! program, unless `--chain FILE` names another. Exits with 2 if what is asked for makes no sense.

mod caches;
mod chain;
mod corpus;
mod diff;
mod embedding;
mod plugin;
mod round;
mod search;
mod settings;
mod vector;

use caches::{Cache, Table};
use chain::{Chain, block};
use corpus::EVENTS;
use plugin::state;
use settings::Settings;
use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

const USAGE: &str = "usage: embeddings [--chain FILE] COMMAND\n\
    search TEXT [FILE]    the nearest of the lines of FILE, or of the events that are built in\n\
    block NUMBER          a block of the chain\n\
    append TEXT           adds a block to the chain\n\
    query PLUGIN          the state of a plugin, kernel, mounts or net, and for how long it is kept\n\
    stats                 does a round of everything, and prints what the caches made of it\n\
    clear CACHE           empties embeddings, blocks, state, diffs or all";

/// How many neighbours are shown.
const SHOWN: usize = 3;

enum Command {
    Help,
    Search(String, Option<PathBuf>),
    Block(u64),
    Append(String),
    Query(String),
    Stats,
    Clear(Vec<Cache>),
}

/// What was asked for, and the chain that is meant.
fn asked(arguments: &[String]) -> Result<(Command, Option<PathBuf>), String> {
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match &words[..] {
        ["--chain", chain, command @ ..] => {
            Ok((self::command(command)?, Some(PathBuf::from(chain))))
        }
        command => Ok((self::command(command)?, None)),
    }
}

fn command(words: &[&str]) -> Result<Command, String> {
    match words {
        ["--help" | "-h"] => Ok(Command::Help),
        ["search", text] => Ok(Command::Search((*text).to_owned(), None)),
        ["search", text, file] => Ok(Command::Search((*text).to_owned(), Some(file.into()))),
        ["block", number] => number
            .parse()
            .map(Command::Block)
            .map_err(|_| format!("{number:?} is no number of a block")),
        ["append", text] => Ok(Command::Append((*text).to_owned())),
        ["query", plugin] => Ok(Command::Query((*plugin).to_owned())),
        ["stats"] => Ok(Command::Stats),
        ["clear", "all"] => Ok(Command::Clear(Cache::ALL.to_vec())),
        ["clear", name] => match Cache::ALL.into_iter().find(|it| it.name() == *name) {
            Some(cache) => Ok(Command::Clear(vec![cache])),
            None => Err(format!("there is no cache {name:?}\n{USAGE}")),
        },
        _ => Err(USAGE.to_owned()),
    }
}

/// Does what was asked for, and returns what there is to say.
fn run(command: Command, chain: Option<PathBuf>) -> Result<String, Box<dyn Error>> {
    let mut builder = larder::Runtime::builder().namespace("embeddings");
    if let Some(dir) = &Settings::get().dir {
        builder = builder.dir(dir);
    }
    builder.build()?.install()?;
    let chain = || {
        let beside = || Ok(env::current_exe()?.with_extension("chain"));
        let path = chain.map_or_else(beside, io::Result::Ok)?;
        Ok::<_, Box<dyn Error>>(Chain::open(&path, EVENTS)?)
    };
    match command {
        Command::Help => Ok(USAGE.to_owned()),
        Command::Search(text, file) => search(&text, file.as_deref()),
        Command::Block(number) => Ok(match block(&chain()?, number)? {
            Some(block) => format!("{number} {} {}", block.hash, block.footprint),
            None => format!("{number} is not there yet"),
        }),
        Command::Append(text) => {
            let block = chain()?.append(&text)?;
            Ok(format!("{} {} {}", block.number, block.hash, block.footprint))
        }
        Command::Query(plugin) => {
            let state = state(&plugin)?;
            let lines = state.values.iter().map(|(name, value)| format!("{name} = {value}\n"));
            Ok(format!("{}\n{}", lines.collect::<String>(), state::explain(&plugin)))
        }
        Command::Stats => {
            round::go(&chain()?)?;
            Ok(Table(larder::stats()).to_string())
        }
        Command::Clear(caches) => {
            caches.iter().try_for_each(|cache| cache.clear())?;
            let names: Vec<_> = caches.iter().map(|cache| cache.name()).collect();
            Ok(format!("cleared {}", names.join(", ")))
        }
    }
}

fn search(text: &str, file: Option<&Path>) -> Result<String, Box<dyn Error>> {
    let lines = file.map(fs::read_to_string).transpose()?;
    let texts = match &lines {
        Some(lines) => lines.lines().filter(|it| !it.trim().is_empty()).collect(),
        None => EVENTS.to_vec(),
    };
    let mut said = String::new();
    for found in search::nearest(text, texts, SHOWN) {
        writeln!(said, "{:6.3}  {}", found.similarity, found.text)?;
    }
    write!(said, "\n{}", Table(larder::stats()))?;
    Ok(said)
}

/// Whoever reads the output may have read enough.
fn print(text: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> =
        env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    let asked = asked(&arguments).and_then(|asked| Settings::read().map(|_| asked));
    let (command, chain) = match asked {
        Ok(asked) => asked,
        Err(message) => {
            eprintln!("embeddings: {message}");
            return ExitCode::from(2);
        }
    };
    match run(command, chain).and_then(|text| Ok(print(&text)?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("embeddings: {error}");
            ExitCode::FAILURE
        }
    }
}
