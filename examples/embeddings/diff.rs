//! What has to be done for one state to become another.

use crate::plugin::State;
use crate::settings::{self, ROOM, Settings};
use larder::cached;
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Add { name: String, value: String },
    Remove { name: String },
    Set { name: String, from: String, to: String },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add { name, value } => write!(f, "add {name} = {value}"),
            Self::Remove { name } => write!(f, "remove {name}"),
            Self::Set { name, from, to } => write!(f, "set {name} = {to}, which is {from}"),
        }
    }
}

/// Finds what tells two states apart. Their hashes make the key, so that a hit looks at neither.
#[cached(
    name = "diffs",
    ttl = "60s",
    key(current.hash, desired.hash),
    capacity = ROOM,
    weigh = weight
)]
pub(crate) fn diff(current: &State, desired: &State) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, value) in &desired.values {
        match current.values.get(name) {
            None => changes.push(Change::Add { name: name.clone(), value: value.clone() }),
            Some(from) if from != value => {
                let (from, to) = (from.clone(), value.clone());
                changes.push(Change::Set { name: name.clone(), from, to });
            }
            Some(_) => {}
        }
    }
    let gone = current.values.keys().filter(|name| !desired.values.contains_key(*name));
    changes.extend(gone.map(|name| Change::Remove { name: name.clone() }));
    changes
}

fn weight(_: &Vec<Change>) -> u64 {
    settings::weight(Settings::get().diffs)
}
