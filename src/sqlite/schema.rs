//! Whose file it is, and of which version.

use rusqlite::Connection;

use super::error::during;
use super::upgrade;
use crate::Result;

/// The schema of a new file.
pub(super) const SCHEMA: &str = include_str!("../../schema.sql");

/// "TSTO", in the header of every taskstore file.
pub(super) const APPLICATION_ID: i32 = 0x5453_544f;

/// The version of [`SCHEMA`]. Until the first release it stays 1.
pub(super) const NEWEST: i64 = 1;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// It holds nothing.
    Empty,
    /// It is a taskstore file of this version.
    Ours(i64),
    /// It is something else.
    Foreign,
}

/// Reads what the file is. It costs the same at any size, and for a file of ours reads the first page alone.
pub(super) fn identify(connection: &Connection) -> Result<Identity> {
    // One snapshot: another process may be making the file.
    let snapshot = if connection.is_autocommit() {
        Some(connection.unchecked_transaction().map_err(during("read the file"))?)
    } else {
        None
    };
    let identity = identify_in_snapshot(connection)?;
    snapshot.map_or(Ok(()), rusqlite::Transaction::commit).map_err(during("read the file"))?;
    Ok(identity)
}

fn identify_in_snapshot(connection: &Connection) -> Result<Identity> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application_id = pragma("application_id").map_err(during("read the file"))?;
    let version = pragma("user_version").map_err(during("read the file"))?;
    if application_id == i64::from(APPLICATION_ID) && version > 0 {
        return Ok(Identity::Ours(version));
    }
    if (application_id, version) != (0, 0) {
        return Ok(Identity::Foreign);
    }
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    Ok(if tables.map_err(during("read the file"))? == 0 { Identity::Empty } else { Identity::Foreign })
}

/// Creates or upgrades the schema, inside a transaction that holds the write lock, and gives what it found there.
/// A foreign or newer file is left as it is.
pub(super) fn create_or_upgrade(connection: &Connection) -> Result<Identity> {
    let found = identify(connection)?;
    match found {
        Identity::Empty => {
            connection.execute_batch(SCHEMA).map_err(during("create the schema"))?;
            connection
                .pragma_update(None, "application_id", APPLICATION_ID)
                .and_then(|()| connection.pragma_update(None, "user_version", NEWEST))
                .map_err(during("create the schema"))?;
        }
        Identity::Ours(version) if version < NEWEST => upgrade::run(connection, upgrade::STEPS, version, NEWEST)?,
        Identity::Ours(_) | Identity::Foreign => {}
    }
    Ok(found)
}
