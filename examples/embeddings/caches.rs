//! The caches there are: how each is called, cleared and counted.

use crate::settings::Settings;
use crate::{chain, diff, embedding, plugin};
use larder::{Error, FunctionStats, Stats};
use std::fmt;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    Embeddings,
    Blocks,
    State,
    Diffs,
}

impl Cache {
    pub(crate) const ALL: [Self; 4] = [Self::Embeddings, Self::Blocks, Self::State, Self::Diffs];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embeddings => "embeddings",
            Self::Blocks => "blocks",
            Self::State => "state",
            Self::Diffs => "diffs",
        }
    }

    /// Forgets all that is in it, in all processes that share the folder.
    pub(crate) fn clear(self) -> Result<(), Error> {
        match self {
            Self::Embeddings => {
                embedding::stored::invalidate_all()?;
                embedding::embedding::invalidate_all()
            }
            Self::Blocks => {
                chain::stored::invalidate_all()?;
                chain::block::invalidate_all()
            }
            Self::State => plugin::state::invalidate_all(),
            Self::Diffs => diff::diff::invalidate_all(),
        }
    }

    /// How many entries memory has room for.
    fn room(self, near: &FunctionStats) -> u64 {
        let settings = Settings::get();
        match self {
            Self::Embeddings => settings.embeddings,
            Self::Blocks => settings.blocks,
            Self::State => near.options.capacity,
            Self::Diffs => settings.diffs,
        }
    }

    /// For how long an entry lasts, if not until it has to make room.
    fn ttl(self, near: &FunctionStats, far: Option<&FunctionStats>) -> Option<Duration> {
        let settings = Settings::get();
        match self {
            Self::Embeddings if !settings.embeddings_on_disk => None,
            Self::State if settings.state_ttl.is_some() => settings.state_ttl,
            _ => far.unwrap_or(near).options.ttl,
        }
    }
}

/// What one cache has done in this process. Its function in memory may be made of one on disk.
struct Row {
    entries: u64,
    room: u64,
    ttl: Option<Duration>,
    computed: u64,
    from_disk: u64,
    from_memory: u64,
}

impl Row {
    fn of(cache: Cache, stats: &Stats) -> Option<Self> {
        let named = |name: &str| stats.functions.iter().find(|it| it.name == name);
        let near = named(cache.name())?;
        let far = named(&format!("{} on disk", cache.name()));
        let found = |it: &FunctionStats| it.hits_l2 + it.joins_l2;
        let found_far = far.map_or(0, found);
        Some(Self {
            entries: near.entries,
            room: cache.room(near),
            ttl: cache.ttl(near, far),
            computed: near.computations - found_far,
            from_disk: found(near) + found_far,
            from_memory: near.hits - near.hits_l2,
        })
    }

    /// In per cent, of all calls.
    fn hit_rate(&self) -> u64 {
        let hits = self.from_disk + self.from_memory;
        (hits * 100).checked_div(hits + self.computed).unwrap_or(0)
    }
}

/// What all caches have done in this process.
pub(crate) struct Table(pub(crate) Stats);

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<11} {:>8} / {:>8} {:>6} {:>6} {:>9} {:>9} {:>10} {:>9}",
            "cache",
            "entries",
            "room",
            "full",
            "ttl",
            "hit rate",
            "computed",
            "from disk",
            "memory",
        )?;
        for (cache, row) in Cache::ALL.iter().filter_map(|it| Some((it, Row::of(*it, &self.0)?))) {
            writeln!(
                f,
                "{:<11} {:>8} / {:>8} {:>5}% {:>6} {:>8}% {:>9} {:>10} {:>9}",
                cache.name(),
                row.entries,
                row.room,
                row.entries * 100 / row.room,
                row.ttl.map_or_else(|| "-".to_owned(), short),
                row.hit_rate(),
                row.computed,
                row.from_disk,
                row.from_memory,
            )?;
        }
        Ok(())
    }
}

/// A span as attributes write it.
fn short(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        seconds => format!("{seconds}s"),
    }
}
