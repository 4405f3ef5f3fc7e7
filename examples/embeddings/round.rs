//! One round of what the daemon does all day, for its statistics.

use crate::chain::{Chain, block};
use crate::corpus::EVENTS;
use crate::diff::diff;
use crate::plugin::{PLUGINS, State, state};
use crate::search::nearest;
use std::error::Error;

/// How many blocks are read, most of them of the latest.
const READS: u64 = 200;

/// Searches among its events, reads blocks, and compares what is with what ought to be.
pub(crate) fn go(chain: &Chain) -> Result<(), Box<dyn Error>> {
    for wanted in ["container memory", "link down", "disk full", "container memory"] {
        nearest(wanted, EVENTS.iter().copied(), 1);
    }
    let length = chain.len()?;
    let mut draw = fastrand::Rng::with_seed(7);
    for _ in 0..READS {
        let back = draw.u64(0..length).min(draw.u64(0..length)).min(draw.u64(0..length));
        block(chain, length - 1 - back)?;
    }
    for plugin in PLUGINS.repeat(3) {
        // A machine need not have all of it.
        if let Ok(current) = state(plugin) {
            diff(&current, &desired(&current));
        }
    }
    Ok(())
}

/// A state that takes a change of each kind to reach.
fn desired(current: &State) -> State {
    let mut values = current.values.clone();
    values.pop_first();
    if let Some(mut last) = values.last_entry() {
        last.get_mut().push_str(" (managed)");
    }
    values.insert("managed-by".to_owned(), "embeddings".to_owned());
    values.into()
}
