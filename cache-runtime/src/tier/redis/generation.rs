//! Whether anything was invalidated between two moments.
//!
//! A **generation** is a random number that the namespace has from one invalidation by marks to the next,
//! which removes it in the same step. Two that are alike say that nothing was invalidated in between.
//!
//! 1. It is asked for behind what it is to speak for, on the same trip.
//! 2. Only where all commands take effect in their order. In a cluster it would be removed before a
//!    version or after it, and either way somebody sees one without the other.
//! 3. Nobody is told of its end: it would be word of every invalidation to every process.

use super::claim::VERSION;
use super::planted::{self, Bug};
use super::server::{Command, Key, Patience, Reply};
use super::{Fault, Shared, random, reading};
use crate::captured::Version;

impl Shared {
    /// What goes with every invalidation by marks.
    pub(super) fn generation(&self) -> Option<Key> {
        self.link.keeps_order().then(|| self.names.generation())
    }

    /// Asks, and then, if that is wanted, for the generation of that time.
    pub(super) async fn ask_in_generation(
        &self,
        mut commands: Vec<Command>,
        is_wanted: bool,
        patience: &mut Patience,
    ) -> Result<(Vec<Reply>, Option<Version>), Fault> {
        let count = commands.len();
        let settle = |key| Command::Settle { key, bytes: random().to_vec(), ttl: VERSION };
        commands.extend(self.generation().filter(|_| is_wanted).map(settle));
        let mut replies = patience.ask(&*self.link, commands).await?;
        if is_wanted && planted::is(Bug::LentTooLate) {
            replies.truncate(count);
            return Ok((replies, Some(Version([0; 16]))));
        }
        let generation = match replies.drain(count.min(replies.len())..).next() {
            Some(Reply::Found(found)) => {
                found.first().and_then(Option::as_ref).and_then(reading::version)
            }
            // Where there is no room for one, nothing can be said.
            _ => None,
        };
        Ok((replies, generation))
    }
}
