//! Opening a file: looked at first without a trace, then opened for writing.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, TransactionBehavior, ffi};

use super::connection::{self, Settings};
use super::error::during;
use super::network;
use super::place::{Place, beside};
use super::schema::{self, Identity, NEWEST};
use crate::options::OpenOptions;
use crate::{Error, Result};

/// SQLite's smallest page.
const PAGE_BYTES_MIN: u64 = 512;

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// A file, by its canonical path.
    File(PathBuf),
    /// Memory.
    Memory,
}

impl Location {
    /// The directory is made canonical; the file itself must not be a symbolic link, which could lead elsewhere
    /// between one look and the next.
    pub(crate) fn file(path: &Path) -> Result<Self> {
        let name = path.file_name().ok_or_else(|| Error::NotATaskStore { path: path.to_owned() })?;
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new(".")).canonicalize();
        let path = directory.map_err(|source| Error::Io { action: "find the file's directory", source })?.join(name);
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => Err(Error::SymbolicLink { path }),
            Ok(metadata) if !metadata.is_file() => Err(Error::NotATaskStore { path }),
            _ => Ok(Self::File(path)),
        }
    }
}

/// The write connection of the file at `path`, or `None` where it can only be read; and the file's place.
pub(super) fn file(path: &Path, settings: &Settings, options: &OpenOptions) -> Result<(Option<Connection>, Place)> {
    if !options.immutable && !options.allow_network_file_system {
        network::refuse(path)?;
    }
    let writer = first_writer(path, settings, options)?;
    let place = Place::of(path, writer.as_ref(), options.allow_network_file_system)?;
    Ok((writer, place))
}

fn first_writer(path: &Path, settings: &Settings, options: &OpenOptions) -> Result<Option<Connection>> {
    if options.read_only || options.immutable {
        return match look(path, settings, options)? {
            Identity::Empty => Err(Error::NotATaskStore { path: path.to_owned() }),
            Identity::Ours(_) | Identity::Foreign => Ok(None),
        };
    }
    if !make(path)? {
        look(path, settings, options)?;
    }
    writer(path, settings)
}

/// A fresh write connection to the file of an open store, with every check of the first one.
pub(super) fn again(place: &Place, path: &Path, settings: &Settings) -> Result<Connection> {
    place.before_opening()?;
    let connection = connection::writer(path, settings).map_err(|error| explain(error, path))?;
    let found = schema::identify(&connection).map_err(|error| explain(error, path))?;
    if refuse_unless_ours(found, path)? != Identity::Ours(NEWEST) {
        // Another program has emptied it, perhaps to write something else into it.
        return Err(Error::FileMoved { path: path.to_owned(), written: false });
    }
    if connection.is_readonly("main").map_err(during("open the file"))? {
        return Err(Error::ReadOnly);
    }
    connection::enter_wal(&connection, settings)?;
    place.opened_to_write(&connection)?;
    Ok(connection)
}

/// Another connection to the file of an open store, by `open`, that does not write.
pub(super) fn another(place: &Place, path: &Path, open: impl FnOnce() -> Result<Connection>) -> Result<Connection> {
    place.before_opening()?;
    let connection = open().map_err(|error| explain(error, path))?;
    place.opened(&connection)?;
    Ok(connection)
}

/// A write connection to a file that was looked at before, or `None` if the file cannot be written.
pub(super) fn writer(path: &Path, settings: &Settings) -> Result<Option<Connection>> {
    let mut connection = connection::writer(path, settings).map_err(|error| explain(error, path))?;
    let current = schema::identify(&connection).map_err(|error| explain(error, path))? == Identity::Ours(NEWEST);
    if connection.is_readonly("main").map_err(during("open the file"))? {
        return if current { Ok(None) } else { Err(Error::ReadOnly) };
    }
    if !current {
        create_or_upgrade(&mut connection, path)?;
    }
    connection::enter_wal(&connection, settings)?;
    Ok(Some(connection))
}

/// The schema in a store in memory.
pub(super) fn memory(settings: &Settings) -> Result<Connection> {
    let connection = connection::memory(settings)?;
    release_pages_on_request(&connection)?;
    schema::create_or_upgrade(&connection)?;
    Ok(connection)
}

/// What the file is, is asked again under the write lock: another process may have been quicker.
fn create_or_upgrade(connection: &mut Connection, path: &Path) -> Result<()> {
    release_pages_on_request(connection)?;
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(during("lock the file"))?;
    let found = schema::create_or_upgrade(&transaction)?;
    refuse_unless_ours(found, path)?;
    transaction.commit().map_err(during("create the schema"))
}

/// Has an effect on an empty file only, and only before its first table. A store in memory needs it for its backups.
fn release_pages_on_request(connection: &Connection) -> Result<()> {
    connection.pragma_update(None, "auto_vacuum", "incremental").map_err(during("create the schema"))
}

/// Refuses a file that is foreign, newer or damaged, and leaves it and its `-wal` as they are.
fn look(path: &Path, settings: &Settings, options: &OpenOptions) -> Result<Identity> {
    let metadata = path.symlink_metadata().map_err(|source| Error::Io { action: "open the file", source })?;
    if metadata.len() == 0 {
        return Ok(Identity::Empty);
    }
    // SQLite would take what is smaller than any page for an empty file, and write over it.
    if metadata.len() < PAGE_BYTES_MIN {
        return Err(Error::NotATaskStore { path: path.to_owned() });
    }
    // Without a lock first, which leaves no trace: the application id is set with the first page and never changes, and a
    // version never falls, so that what is refused here is refused for good.
    let header = connection::immutable_reader(path, settings).and_then(|reader| schema::identify(&reader));
    let found = match header {
        // Somebody may be writing the file, or a power cut has torn its first page, which what is beside it repairs: a
        // locked look tells.
        Err(Error::Damaged { source })
            if !options.immutable
                && (source.code() != Some(ffi::SQLITE_NOTADB) || has(path, "-wal") || has(path, "-journal")) =>
        {
            None
        }
        header => Some(refuse_unless_ours(header.map_err(|error| explain(error, path))?, path)?),
    };
    match found {
        Some(found) if options.immutable => Ok(found),
        // What is not in the file can only be in its `-wal`. A reader makes one, so it looks only if it must.
        Some(found) if !options.read_only && !has(path, "-wal") => Ok(found),
        _ => look_locked(path, settings),
    }
}

fn look_locked(path: &Path, settings: &Settings) -> Result<Identity> {
    match connection::reader(path, settings).and_then(|reader| schema::identify(&reader)) {
        Ok(found) => refuse_unless_ours(found, path),
        // A crash while the file was made: the writer rolls that back.
        Err(Error::Engine { source, .. }) if source.code() == Some(ffi::SQLITE_READONLY_ROLLBACK) => {
            Ok(Identity::Empty)
        }
        Err(error) => Err(explain(error, path)),
    }
}

/// Whether there is something in the file beside a database whose name ends so.
fn has(path: &Path, end: &str) -> bool {
    beside(path, end).symlink_metadata().is_ok_and(|metadata| metadata.len() > 0)
}

fn refuse_unless_ours(found: Identity, path: &Path) -> Result<Identity> {
    match found {
        Identity::Empty => Ok(found),
        Identity::Ours(version) if version <= NEWEST => Ok(found),
        Identity::Ours(found) => Err(Error::SchemaTooNew { path: path.to_owned(), found, newest: NEWEST }),
        Identity::Foreign => Err(Error::NotATaskStore { path: path.to_owned() }),
    }
}

/// Two of SQLite's answers mean something more exact while a file is opened.
fn explain(error: Error, path: &Path) -> Error {
    match error {
        Error::Damaged { source } if source.code() == Some(ffi::SQLITE_NOTADB) => {
            Error::NotATaskStore { path: path.to_owned() }
        }
        // The latter if the `-shm` is missing and cannot be made.
        Error::Engine { source, .. }
            if matches!(source.primary(), Some(ffi::SQLITE_CANTOPEN | ffi::SQLITE_READONLY)) =>
        {
            Error::CannotOpen { path: path.to_owned(), source }
        }
        other => other,
    }
}

/// Makes an empty file that only its owner can read, and tells whether there was none. SQLite gives its `-wal` and
/// `-shm` the same mode.
fn make(path: &Path) -> Result<bool> {
    // Closing any descriptor of a file drops this process's locks on it, so no other thread may open the file
    // through SQLite between the making and the closing.
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);

    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    match create_new(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(source) => Err(Error::Io { action: "make the file", source }),
    }
}

fn create_new(path: &Path) -> io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}
