//! The statements of configurations.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::error::during;
use super::row::{Text, text};
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

/// A configuration of an export.
pub(crate) struct ConfigurationRow<'a> {
    pub(crate) id: ConfigurationId,
    pub(crate) name: Cow<'a, str>,
    pub(crate) deleted_ns: Option<i64>,
}

impl<'a> ConfigurationRow<'a> {
    fn of(row: &'a Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, name: text(row, 1)?, deleted_ns: row.get(2)? })
    }
}

const ALL: &str = "SELECT id, name, deleted_ns FROM configuration ORDER BY id";

/// Hands each configuration to `see`, also the deleted ones. The caller holds a snapshot.
pub(crate) fn each<E: From<Error>>(
    read: &Read<'_>,
    mut see: impl FnMut(&ConfigurationRow<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut all = read.connection.prepare_cached(ALL).map_err(during("list the configurations"))?;
    let mut rows = all.query([]).map_err(during("list the configurations"))?;
    while let Some(row) = rows.next().map_err(during("list the configurations"))? {
        see(&ConfigurationRow::of(row).map_err(during("list the configurations"))?)?;
    }
    Ok(())
}

const ONE: &str = "SELECT id, name, deleted_ns FROM configuration WHERE id = ?1";

/// Hands one configuration to `see`, also a deleted one. The caller holds a snapshot.
pub(crate) fn one<E: From<Error>>(
    read: &Read<'_>,
    id: ConfigurationId,
    see: impl FnOnce(&ConfigurationRow<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut one = read.connection.prepare_cached(ONE).map_err(during("read a configuration"))?;
    let mut rows = one.query([id]).map_err(during("read a configuration"))?;
    match rows.next().map_err(during("read a configuration"))? {
        Some(row) => see(&ConfigurationRow::of(row).map_err(during("read a configuration"))?),
        None => Err(not_found(id).into()),
    }
}

const IMPORT: &str = "INSERT INTO configuration (id, name, deleted_ns) VALUES (?1, ?2, ?3)";

pub(crate) fn import(write: &Write<'_>, id: i64, name: &str, deleted_ns: Option<i64>) -> Result<()> {
    write.change("import a configuration", IMPORT, params![id, name, deleted_ns]).map(drop)
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
