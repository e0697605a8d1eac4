//! What an earlier call with the same key has recorded.

use rusqlite::Params;
use rusqlite::types::FromSql;

use super::connection;
use super::error::during;
use super::transaction::Write;
use crate::Result;

/// The first column of the row that the statement finds by its key.
///
/// A row that is seen need not be on disk: its process may have died, or its sync failed, between the two, and one at
/// normal durability does not sync at all. The answer to a repeated call promises what that to the first one would have,
/// so the transaction is given something to commit.
pub(super) fn find<T: FromSql>(write: &Write<'_>, sql: &'static str, values: impl Params) -> Result<Option<T>> {
    let found = write.find("look for a key", sql, values, |row| row.get(0))?;
    if found.is_some() {
        connection::touch(write.connection).map_err(during("look for a key"))?;
    }
    Ok(found)
}
