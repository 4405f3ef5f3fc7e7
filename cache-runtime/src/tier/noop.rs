//! A tier that holds nothing: what stands in for one that is not configured.

use super::{Answer, Backend, Miss};
use crate::error::{Error, Level};
use std::future::ready;

/// Answers every read with a miss and forgets every store.
#[derive(Debug)]
pub(crate) struct Noop {
    level: Level,
}

impl Noop {
    pub(crate) const fn new(level: Level) -> Self {
        Self { level }
    }
}

impl Backend for Noop {
    fn level(&self) -> Level {
        self.level
    }

    fn read<'a>(&'a self, _: &'a [u8; 32]) -> Answer<'a, Result<Vec<u8>, Miss>> {
        Box::pin(ready(Err(Miss::Absent)))
    }

    fn store<'a>(&'a self, _: &'a [u8; 32], _: &'a [u8]) -> Answer<'a, ()> {
        Box::pin(ready(()))
    }

    fn close(&self) -> Answer<'_, Result<(), Error>> {
        Box::pin(ready(Ok(())))
    }
}
