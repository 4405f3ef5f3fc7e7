//! Changes that happen together: a transaction on the one connection that writes.
//!
//! 1. A row is never replaced by one with an earlier stamp.
//! 2. All of a batch is kept, or nothing: nothing if one of its statements failed, whatever became
//!    of the failure. None runs after that, as the failure may have ended the transaction.
//! 3. A batch writes no more than its share of the log.

use super::bounds::Bounds;
use super::fault::Fault;
use super::ordered;
use rusqlite::{Connection, Params, params};
use std::cell::{Cell, RefCell};

const PUT: &str = "
    INSERT INTO entries (id, expires, created, stamp, envelope) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (id) DO UPDATE SET
        expires = excluded.expires, created = excluded.created,
        stamp = excluded.stamp, envelope = excluded.envelope
    WHERE stamp <= excluded.stamp";
const REMOVE: &str = "DELETE FROM entries WHERE id = ?1";
const REMOVE_IF: &str = "DELETE FROM entries WHERE id = ?1 AND stamp = ?2";

pub(crate) struct Batch<'a> {
    connection: &'a Connection,
    pages: Cell<u64>,
    failure: RefCell<Option<Fault>>,
}

impl<'a> Batch<'a> {
    /// One that may write so many pages.
    pub(super) fn new(connection: &'a Connection, pages: u64) -> Self {
        Self { connection, pages: Cell::new(pages), failure: RefCell::new(None) }
    }

    /// Whether an envelope of this length still goes into this batch. One that does not go into an
    /// empty one is to be put alone; if it does not fit there, it is too large for the store.
    pub(crate) fn fits(&self, length: usize) -> bool {
        Bounds::cost(length) <= self.pages.get()
    }

    /// Puts a row; refused, with false, if the one that is there has a later stamp.
    pub(crate) fn put(
        &self,
        id: u64,
        expires: u64,
        created: u64,
        stamp: u64,
        envelope: &[u8],
    ) -> Result<bool, Fault> {
        self.spend(envelope.len())?;
        let numbers = [id, expires, created, stamp].map(ordered);
        let [id, expires, created, stamp] = numbers;
        self.change(PUT, params![id, expires, created, stamp, envelope])
    }

    /// Removes a row; false if there is none.
    pub(crate) fn remove(&self, id: u64) -> Result<bool, Fault> {
        self.spend(0)?;
        self.change(REMOVE, [ordered(id)])
    }

    /// Removes a row if it still has this stamp; false if not.
    pub(crate) fn remove_if(&self, id: u64, stamp: u64) -> Result<bool, Fault> {
        self.spend(0)?;
        self.change(REMOVE_IF, [ordered(id), ordered(stamp)])
    }

    /// What its statements came to, beside what they returned.
    pub(super) fn outcome(self) -> Result<(), Fault> {
        self.failure.into_inner().map_or(Ok(()), Err)
    }

    fn spend(&self, length: usize) -> Result<(), Fault> {
        let left = self.pages.get().checked_sub(Bounds::cost(length));
        self.pages.set(left.ok_or_else(|| Fault::Full("the batch has its share".into()))?);
        Ok(())
    }

    fn change(&self, statement: &str, params: impl Params) -> Result<bool, Fault> {
        if let Some(fault) = &*self.failure.borrow() {
            return Err(fault.clone());
        }
        let run = || self.connection.prepare_cached(statement)?.execute(params);
        run().map(|rows| rows > 0).map_err(|error| {
            let fault = Fault::from(error);
            *self.failure.borrow_mut() = Some(fault.clone());
            fault
        })
    }
}
