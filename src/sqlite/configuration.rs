//! The statements of configurations.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::error::during;
use super::row::Text;
use super::transaction::{Read, Write};
use crate::configuration::{Configuration, ConfigurationId};
use crate::{Error, Result};

const ADD: &str = "INSERT INTO configuration (name) VALUES (:name)";

pub(crate) fn add(write: &Write<'_>, name: &str) -> Result<ConfigurationId> {
    write.insert("add a configuration", ADD, named_params! { ":name": name }).map(ConfigurationId::of_row)
}

const RENAME: &str = "UPDATE configuration SET name = :name WHERE id = :id AND deleted_ns IS NULL";

pub(crate) fn rename(write: &Write<'_>, id: ConfigurationId, name: &str) -> Result<()> {
    found(write.change("rename a configuration", RENAME, named_params! { ":id": id, ":name": name })?, id)
}

const DELETE: &str = "UPDATE configuration SET deleted_ns = :now WHERE id = :id AND deleted_ns IS NULL";

pub(crate) fn delete(write: &Write<'_>, id: ConfigurationId, now_ns: i64) -> Result<()> {
    found(write.change("delete a configuration", DELETE, named_params! { ":id": id, ":now": now_ns })?, id)
}

const LIST: &str = "SELECT id, name FROM configuration WHERE deleted_ns IS NULL ORDER BY id";

pub(crate) fn list(read: &Read<'_>) -> Result<Vec<Configuration>> {
    let mut list = read.connection.prepare_cached(LIST).map_err(during("list the configurations"))?;
    list.query_map([], |row| Ok(Configuration { id: row.get(0)?, name: row.get::<_, Text>(1)?.0 }))
        .and_then(Iterator::collect)
        .map_err(during("list the configurations"))
}

const EXISTS: &str = "SELECT 1 FROM configuration WHERE id = :id AND deleted_ns IS NULL";

/// Whether there is such a configuration; a deleted one is gone.
pub(super) fn exists(connection: &Connection, id: ConfigurationId) -> Result<bool> {
    let mut exists = connection.prepare_cached(EXISTS).map_err(during("look for a configuration"))?;
    let row = exists.query_row(named_params! { ":id": id }, |_| Ok(())).optional();
    row.map(|row| row.is_some()).map_err(during("look for a configuration"))
}

/// The refusal of an id that names no configuration.
pub(super) fn not_found(id: ConfigurationId) -> Error {
    Error::NotFound { what: "configuration", id: id.get() }
}

fn found(rows: usize, id: ConfigurationId) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(not_found(id)) }
}
