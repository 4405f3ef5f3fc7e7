//! The functions of the simulation, what they read, and what their values depend on.
//!
//! A source is a number that is raised before each invalidation of what was made of it.

use crate::codec::envelope::Envelope;
use crate::mark::{Mark, beyond};
use std::collections::BTreeMap;
use std::time::Duration;

/// Sources, each with a tag of its name.
pub(super) const SOURCES: [&str; 4] = ["t0", "t1", "s", "u"];
pub(super) type Source = usize;
const S: Source = 2;
const U: Source = 3;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    pub(super) function: Function,
    pub(super) argument: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Function {
    /// Reads a source whose tag is declared.
    Plain,
    /// Reads one whose tag is declared, and one whose tag is found.
    Found,
    /// In memory alone.
    Inner,
    /// Calls the others. Before that it may read itself what one of them says it depends on.
    Outer,
    /// In no process's memory.
    Remote,
}

pub(super) const FUNCTIONS: [Function; 5] =
    [Function::Plain, Function::Found, Function::Inner, Function::Outer, Function::Remote];

pub(super) fn calls() -> impl Iterator<Item = Call> {
    let of = |function| [0, 1].map(|argument| Call { function, argument });
    FUNCTIONS.into_iter().flat_map(of)
}

impl Function {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Found => "found",
            Self::Inner => "inner",
            Self::Outer => "outer",
            Self::Remote => "remote",
        }
    }

    pub(super) fn is_shared(self) -> bool {
        self != Self::Inner
    }

    pub(super) fn is_in_memory(self) -> bool {
        self != Self::Remote
    }

    /// Whether machines that have a disk keep it there.
    pub(super) fn is_on_disk(self) -> bool {
        matches!(self, Self::Plain | Self::Remote)
    }

    pub(super) fn lifetime(self) -> Duration {
        Duration::from_secs(match self {
            Self::Found | Self::Remote => 2,
            Self::Outer => 30 * 24 * 3_600,
            _ => 60,
        })
    }

    pub(super) fn mark(self) -> Mark {
        beyond::function(self.name())
    }
}

impl Call {
    /// The key, in its canonical form.
    pub(super) fn bytes(self) -> Vec<u8> {
        self.readable().into_bytes()
    }

    pub(super) fn readable(self) -> String {
        format!("{}:{}", self.function.name(), self.argument)
    }

    pub(super) fn id(self) -> u64 {
        self.function as u64 * 2 + self.argument as u64
    }

    /// The mark of its key; in memory alone, one of this process.
    pub(super) fn mark(self) -> Mark {
        beyond::key(&[7; 32], &self.bytes())
    }

    pub(super) fn declared(self) -> Vec<Source> {
        match self.function {
            Function::Plain | Function::Inner => vec![self.argument],
            Function::Found | Function::Remote => vec![S],
            Function::Outer => Vec::new(),
        }
    }

    pub(super) fn found(self) -> Vec<Source> {
        if self.function == Function::Found { vec![U] } else { Vec::new() }
    }

    /// What it reads before it calls others, who say that they depend on it.
    pub(super) fn ahead(self) -> Vec<Source> {
        if self.function == Function::Outer && self.argument == 1 { vec![U] } else { Vec::new() }
    }

    pub(super) fn callees(self) -> Vec<Self> {
        let inner = Self { function: Function::Inner, ..self };
        let found = Self { function: Function::Found, argument: 0 };
        match (self.function, self.argument) {
            (Function::Outer, 0) => vec![inner],
            (Function::Outer, _) => vec![inner, found],
            _ => Vec::new(),
        }
    }

    /// Whether its value is made of that of another call, or is it.
    pub(super) fn includes(self, other: Self) -> bool {
        self == other || self.callees().contains(&other)
    }

    /// What it reads itself.
    pub(super) fn own(self) -> Vec<Source> {
        self.declared().into_iter().chain(self.found()).collect()
    }

    /// All that its value is made of.
    pub(super) fn sources(self) -> Vec<Source> {
        let callees = self.callees().into_iter().flat_map(Self::sources);
        self.own().into_iter().chain(callees).collect()
    }
}

pub(super) fn tag(source: Source) -> Mark {
    Mark::tag(SOURCES[source])
}

/// What a body returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// Of each computation another.
    pub(super) id: u64,
    pub(super) call: u64,
    /// What was read of each source.
    pub(super) read: BTreeMap<Source, u64>,
    /// What was read only by what others don't invalidate here.
    pub(super) near: Vec<Source>,
}

impl Value {
    /// Takes over what a callee read.
    pub(super) fn take(&mut self, other: &Self, is_near: bool) {
        for (source, count) in &other.read {
            let read = self.read.entry(*source).or_insert(*count);
            *read = (*read).min(*count);
        }
        if is_near {
            self.near.extend(other.read.keys());
        }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let numbers = [self.id, self.call].into_iter();
        let read = self.read.iter().flat_map(|(source, count)| [*source as u64, *count]);
        numbers.chain(read).flat_map(u64::to_le_bytes).collect()
    }

    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let (words, []) = payload.as_chunks::<8>() else { return None };
        let (head, read) = words.split_first_chunk::<2>()?;
        let (read, []) = read.as_chunks::<2>() else { return None };
        let [id, call] = head.map(u64::from_le_bytes);
        let read = read.iter().map(|[source, count]| {
            Some((usize::try_from(u64::from_le_bytes(*source)).ok()?, u64::from_le_bytes(*count)))
        });
        Some(Self { id, call, read: read.collect::<Option<_>>()?, near: Vec::new() })
    }

    /// The value in what a server has, if it is one.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        Self::parse(Envelope::parse(bytes).ok()?.payload)
    }
}
