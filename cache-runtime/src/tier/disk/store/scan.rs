//! Rows in the order of their ids, with the beginnings of their envelopes only: a sweep looks at
//! every row, and the rest of a long envelope lies on pages of its own.

use super::fault::Fault;
use super::{disordered, ordered};
use rusqlite::{Connection, Transaction, TransactionBehavior};

const AFTER: &str = "SELECT id, stamp FROM entries WHERE id >= ?1 ORDER BY id LIMIT ?2";
const EXISTS: &str = "SELECT 1 FROM entries WHERE id = ?1";

/// A row as a sweep sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) stamp: u64,
    /// The envelope's first bytes.
    pub(crate) prefix: Vec<u8>,
}

/// The next rows behind an id, or the first ones.
pub(super) fn scan(
    connection: &Connection,
    after: Option<u64>,
    count: usize,
    prefix: usize,
) -> Result<Vec<Row>, Fault> {
    let Some(from) = after.map_or(Some(0), |id| id.checked_add(1)) else { return Ok(Vec::new()) };
    // The beginnings must be those of the rows that were found.
    let look = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
    let mut statement = look.prepare_cached(AFTER)?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let found = statement.query_map((ordered(from), count), |row| {
        let (id, stamp) = (row.get(0)?, row.get(1)?);
        Ok(Row { id: disordered(id), stamp: disordered(stamp), prefix: Vec::new() })
    })?;
    let mut rows = found.collect::<Result<Vec<_>, _>>()?;
    for row in &mut rows {
        row.prefix = beginning(&look, row.id, prefix)?;
    }
    Ok(rows)
}

/// The first bytes of one envelope.
pub(super) fn prefix(
    connection: &Connection,
    id: u64,
    length: usize,
) -> Result<Option<Vec<u8>>, Fault> {
    let look = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
    if !look.prepare_cached(EXISTS)?.exists([ordered(id)])? {
        return Ok(None);
    }
    beginning(&look, id, length).map(Some)
}

/// `substr` would read all of the envelope first.
fn beginning(connection: &Connection, id: u64, length: usize) -> Result<Vec<u8>, Fault> {
    let envelope = connection.blob_open("main", "entries", "envelope", ordered(id), true)?;
    let mut bytes = vec![0; length.min(envelope.len())];
    envelope.read_at_exact(&mut bytes, 0)?;
    Ok(bytes)
}
