//! Making room, in small steps: what has expired goes first, then what is oldest, then space that
//! nothing uses is given back to the file system.
//!
//! 1. A step is one transaction of bounded size, so that other writers get their turns.
//! 2. A step that did nothing says that nothing more is due: whoever repeats it comes to an end.

use super::bounds::Bounds;
#[cfg(test)]
use super::bounds::PAGE;
use super::fault::Fault;
use super::ordered;
use rusqlite::Connection;

/// How much is read and removed in one step, beside the bound on rows.
const STEP_BYTES: u64 = 1 << 20;

const SURVEY: &str = "
    SELECT page_count, freelist_count, (SELECT min(expires) FROM entries)
    FROM pragma_page_count, pragma_freelist_count";
const EXPIRED: &str = "
    SELECT id, length(envelope) FROM entries WHERE expires <= ?1 ORDER BY expires LIMIT ?2";
const OLDEST: &str = "SELECT id, length(envelope) FROM entries ORDER BY created LIMIT ?1";
const REMOVE: &str = "DELETE FROM entries WHERE id = ?1";

/// What a step removed, and whether another one is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evicted {
    pub(crate) expired: u64,
    pub(crate) oldest: u64,
    /// The lengths of the envelopes that went.
    pub(crate) bytes: u64,
    pub(crate) more: bool,
}

/// How full the file is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Survey {
    pages: u64,
    free: u64,
    soonest: Option<i64>,
}

impl Survey {
    pub(super) fn of(connection: &Connection) -> Result<Self, Fault> {
        let mut statement = connection.prepare_cached(SURVEY)?;
        let survey = statement.query_row([], |row| {
            Ok(Self { pages: row.get(0)?, free: row.get(1)?, soonest: row.get(2)? })
        })?;
        Ok(survey)
    }

    fn used_pages(self) -> u64 {
        self.pages.saturating_sub(self.free)
    }

    #[cfg(test)]
    pub(super) fn used(self) -> u64 {
        self.used_pages() * PAGE
    }

    fn has_expired(self, now: u64) -> bool {
        self.soonest.is_some_and(|expires| expires <= ordered(now))
    }

    fn is_over(self, bounds: Bounds) -> bool {
        self.used_pages() > bounds.high()
    }

    fn surplus(self) -> u64 {
        self.free.saturating_sub(Bounds::spare(self.used_pages()))
    }

    pub(super) fn is_due(self, now: u64, bounds: Bounds) -> bool {
        self.has_expired(now) || self.is_over(bounds) || self.surplus() > 0
    }
}

/// What a step did.
pub(super) struct Step {
    pub(super) evicted: Evicted,
    /// The file will be shorter once the log is copied to it.
    pub(super) gave_back: bool,
}

/// Takes one step, within a transaction. Space is given back last: what would be moved for it may
/// have to go.
pub(super) fn step(connection: &Connection, now: u64, bounds: Bounds) -> Result<Step, Fault> {
    let before = Survey::of(connection)?;
    let mut evicted = Evicted::default();
    if before.has_expired(now) {
        let rows = found(connection, EXPIRED, (ordered(now), bounds.step_rows()))?;
        (evicted.expired, evicted.bytes) = remove(connection, &rows)?;
    } else if before.is_over(bounds) {
        let rows = found(connection, OLDEST, [bounds.step_rows()])?;
        (evicted.oldest, evicted.bytes) = remove(connection, &rows)?;
    } else {
        give_back(connection, before.surplus().min(bounds.step_pages()))?;
    }
    let after = Survey::of(connection)?;
    let gave_back = after.pages < before.pages;
    let removed = evicted.expired + evicted.oldest > 0;
    evicted.more = (removed || gave_back) && after.is_due(now, bounds);
    Ok(Step { evicted, gave_back })
}

/// The rows to go, as far as one step reaches: at least one, if there is any.
fn found(
    connection: &Connection,
    statement: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<(i64, u64)>, Fault> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(params)?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while bytes < STEP_BYTES {
        let Some(row) = rows.next()? else { break };
        let length = row.get(1)?;
        found.push((row.get(0)?, length));
        bytes += length;
    }
    Ok(found)
}

fn remove(connection: &Connection, rows: &[(i64, u64)]) -> Result<(u64, u64), Fault> {
    let mut statement = connection.prepare_cached(REMOVE)?;
    let (mut removed, mut bytes) = (0, 0);
    for (id, length) in rows {
        // A damaged index may name rows that are not there.
        if statement.execute([id])? > 0 {
            removed += 1;
            bytes += length;
        }
    }
    Ok((removed, bytes))
}

/// Moves the last pages into free places. Each row of the answer is a page: it must be read to its end.
fn give_back(connection: &Connection, pages: u64) -> Result<(), Fault> {
    if pages > 0 {
        let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(())
}
