//! Whose file it is, and of which version.

use rusqlite::Connection;

use super::error::during;
use super::upgrade;
use crate::Result;

/// The schema of a new file.
const SCHEMA: &str = include_str!("../../schema.sql");

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

/// Reads what the file is. It costs the same at any size.
pub(super) fn identify(connection: &Connection) -> Result<Identity> {
    let integer = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(during("read the file"));
    let application_id = integer("SELECT application_id FROM pragma_application_id")?;
    let version = integer("SELECT user_version FROM pragma_user_version")?;
    if application_id == i64::from(APPLICATION_ID) && version > 0 {
        return Ok(Identity::Ours(version));
    }
    let tables = integer("SELECT count(*) FROM sqlite_schema")?;
    Ok(if (application_id, version, tables) == (0, 0, 0) { Identity::Empty } else { Identity::Foreign })
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
