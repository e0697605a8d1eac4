//! One connection, hardened and set as the store's promises need it. Every setting is read back: SQLite says
//! nothing when it does not take one.

use std::ffi::OsString;
use std::fmt::Display;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::FromSql;
use rusqlite::{Connection, OpenFlags};

use super::error::during;
use super::schema::APPLICATION_ID;
use super::search;
use super::space::WAL_BYTES_KEPT;
use crate::options::Durability;
use crate::{Error, Result};

/// The oldest SQLite without a known way to damage a file in WAL mode.
const SQLITE_VERSION_MIN: i32 = 3_053_004;

/// Room for all statements but those of lists, and for as many of lists as a program asks for in turn: there is one for each
/// combination of filters.
const STATEMENTS_MAX: usize = 128;

/// A row holds a text, attributes, and little more. It is the same for all stores, so that one with smaller limits reads
/// what one with larger limits wrote.
const ROW_BYTES_MAX: i32 = 513 << 20;

/// What all connections of one store share.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) durability: Durability,
    pub(super) busy_timeout: Duration,
}

/// A connection that writes, to an existing file. It is not in WAL mode yet: see [`enter_wal`].
pub(super) fn writer(path: &Path, settings: &Settings) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    prepare_writer(&connection, settings)?;
    Ok(connection)
}

/// The connection of a store in memory.
pub(super) fn memory(settings: &Settings) -> Result<Connection> {
    let connection = Connection::open_in_memory().map_err(during("open a store in memory"))?;
    prepare_writer(&connection, settings)?;
    Ok(connection)
}

/// A connection that only reads. It never checkpoints, so that looking at a file leaves it as it is.
pub(super) fn reader(path: &Path, settings: &Settings) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    prepare_reader(&connection, settings)?;
    Ok(connection)
}

/// A connection that only reads, and knows the constraints of the tables: SQLite drops them where it cannot write.
pub(super) fn checker(path: &Path, settings: &Settings) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    prepare_reader(&connection, settings)?;
    Ok(connection)
}

/// A connection that fills an empty file, which nobody else uses and which its caller syncs and, on a failure, removes.
pub(super) fn backup_target(path: &Path, settings: &Settings) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    harden(&connection, settings)?;
    set(&connection, "journal_mode", &"memory".to_owned())?;
    set(&connection, "synchronous", &0)?;
    Ok(connection)
}

/// A connection that reads the file as if nobody could change it: no lock, no `-wal`, no `-shm`.
pub(super) fn immutable_reader(path: &Path, settings: &Settings) -> Result<Connection> {
    let uri = immutable_uri(path);
    let connection = open(&uri, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)?;
    prepare_reader(&connection, settings)?;
    Ok(connection)
}

/// The switch to WAL is not covered by SQLite's busy timeout, so it waits here.
pub(super) fn enter_wal(connection: &Connection, settings: &Settings) -> Result<()> {
    let started = std::time::Instant::now();
    loop {
        match switch_to_wal(connection).and_then(|()| set(connection, "journal_mode", &"wal".to_owned())) {
            Err(Error::Busy { .. }) if started.elapsed() < settings.busy_timeout => {
                std::thread::sleep(Duration::from_millis(1));
            }
            outcome => return outcome.and_then(|()| open_wal(connection)),
        }
    }
}

/// A connection opens the `-wal` with its first read behind the switch, and from then on nobody deletes it. The one that has
/// switched has not read yet: what lies beside the file may be another's, who takes it away when it closes.
fn open_wal(connection: &Connection) -> Result<()> {
    let read = connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0));
    read.map(drop).map_err(during("set up a connection"))
}

const SWITCH_TO_WAL: &str = "PRAGMA journal_mode = wal";

/// To its end: only behind its one row does the switch commit, and say if it could not.
fn switch_to_wal(connection: &Connection) -> Result<()> {
    let mut switch = connection.prepare(SWITCH_TO_WAL).map_err(during("set up a connection"))?;
    let mut rows = switch.query([]).map_err(during("set up a connection"))?;
    while rows.next().map_err(during("set up a connection"))?.is_some() {}
    Ok(())
}

const MERGE_WAL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Merges the `-wal` into the file, and empties it, waiting at most so long for who reads it. After a sync that failed the
/// system may take for written what the disk does not have, and no later sync would tell. What is merged is written and
/// synced once more, and what is written next has nothing before it in the `-wal`.
pub(super) fn merge_wal(connection: &Connection, patience: Duration) -> Result<()> {
    let started = std::time::Instant::now();
    loop {
        connection.busy_timeout(patience.saturating_sub(started.elapsed())).map_err(during("set up a connection"))?;
        match connection.query_row(MERGE_WAL, [], |row| row.get::<_, bool>(0)).map_err(during("merge the -wal"))? {
            false => return Ok(()),
            true if started.elapsed() >= patience => return Err(Error::Busy { waited: Duration::ZERO }),
            // Who merges it already is not waited for by SQLite itself.
            true => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// What a commit of this connection syncs. Not inside a transaction.
pub(super) fn set_durability(connection: &Connection, durability: Durability) -> Result<()> {
    let synchronous = match durability {
        Durability::Full => 2,
        Durability::Normal => 1,
    };
    set(connection, "synchronous", &synchronous)
}

/// Writes a number of the header as it is, so that a commit has something to sync: the sync of that takes along all that
/// was written to the `-wal` before, by whichever process. It is not the version, which a newer program may have raised.
pub(super) fn touch(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

/// One setting: written, then read back.
pub(super) fn set<T: PartialEq + Display + FromSql>(
    connection: &Connection,
    setting: &'static str,
    wanted: &T,
) -> Result<()> {
    connection.pragma_update(None, setting, wanted.to_string()).map_err(during("set up a connection"))?;
    let found: T =
        connection.pragma_query_value(None, setting, |row| row.get(0)).map_err(during("set up a connection"))?;
    refuse_unless(found == *wanted, setting, wanted, &found)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let safe = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_EXRESCODE;
    Connection::open_with_flags(path, flags | safe).map_err(during("open the file"))
}

fn prepare_writer(connection: &Connection, settings: &Settings) -> Result<()> {
    harden(connection, settings)?;
    set(connection, "foreign_keys", &true)?;
    set(connection, "journal_size_limit", &WAL_BYTES_KEPT)?;
    set_durability(connection, settings.durability)
}

fn prepare_reader(connection: &Connection, settings: &Settings) -> Result<()> {
    harden(connection, settings)?;
    configure(connection, "no_ckpt_on_close", DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    limit(connection, "limit attached", Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    set(connection, "query_only", &true)
}

fn harden(connection: &Connection, settings: &Settings) -> Result<()> {
    let version = rusqlite::version_number();
    refuse_unless(version >= SQLITE_VERSION_MIN, "version", &SQLITE_VERSION_MIN, &version)?;

    // First, so that no other setting can meet a lock without waiting.
    connection.busy_timeout(settings.busy_timeout).map_err(during("set up a connection"))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);

    // The schema of a file may be hostile: no function of it may do harm, and no name may pass for a text.
    configure(connection, "trusted_schema", DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    configure(connection, "defensive", DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    configure(connection, "dqs_dml", DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    configure(connection, "dqs_ddl", DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    configure(connection, "enable_attach_create", DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false)?;
    configure(connection, "enable_attach_write", DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false)?;
    // Without the planner's stability guarantee cached statements are prepared again at every use.
    configure(connection, "enable_qpsg", DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;

    set(connection, "cell_size_check", &true)?;
    set(connection, "temp_store", &2)?;
    // A store in memory has no mmap_size to read back.
    if connection.path().is_some_and(|path| !path.is_empty()) {
        set(connection, "mmap_size", &0)?;
    }

    search::add_function(connection).map_err(during("set up a connection"))?;

    limit(connection, "limit length", Limit::SQLITE_LIMIT_LENGTH, ROW_BYTES_MAX)?;
    limit(connection, "limit expr_depth", Limit::SQLITE_LIMIT_EXPR_DEPTH, 100)?;
    limit(connection, "limit like_pattern_length", Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200)
}

fn configure(connection: &Connection, setting: &'static str, config: DbConfig, wanted: bool) -> Result<()> {
    let found = connection.set_db_config(config, wanted).map_err(during("set up a connection"))?;
    refuse_unless(found == wanted, setting, &wanted, &found)
}

fn limit(connection: &Connection, setting: &'static str, limit: Limit, wanted: i32) -> Result<()> {
    connection.set_limit(limit, wanted).map_err(during("set up a connection"))?;
    let found = connection.limit(limit).map_err(during("set up a connection"))?;
    refuse_unless(found == wanted, setting, &wanted, &found)
}

fn refuse_unless(taken: bool, setting: &'static str, wanted: &impl Display, found: &impl Display) -> Result<()> {
    if taken {
        return Ok(());
    }
    Err(Error::SettingRefused { setting, wanted: wanted.to_string(), found: found.to_string() })
}

/// `file:` with the three characters escaped that mean something in a URI's path.
fn immutable_uri(path: &Path) -> PathBuf {
    let mut uri = b"file:".to_vec();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'%' => uri.extend(b"%25"),
            b'?' => uri.extend(b"%3f"),
            b'#' => uri.extend(b"%23"),
            other => uri.push(other),
        }
    }
    uri.extend(b"?immutable=1");
    OsString::from_vec(uri).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings { durability: Durability::Full, busy_timeout: Duration::from_secs(1) }
    }

    #[test]
    fn no_connection_loads_an_extension() {
        let connection = memory(&settings()).unwrap();
        let refused = connection.query_row("SELECT load_extension('x')", [], |_| Ok(())).unwrap_err();
        assert!(refused.to_string().contains("not authorized"), "{refused}");
    }

    #[test]
    fn a_name_in_double_quotes_is_never_a_text() {
        let connection = memory(&settings()).unwrap();
        assert!(connection.query_row("SELECT \"nobody\"", [], |_| Ok(())).is_err());
    }

    #[test]
    fn a_setting_that_sqlite_does_not_take_is_an_error() {
        let connection = memory(&settings()).unwrap();
        // A store in memory cannot enter WAL mode; SQLite answers "memory" and no error.
        let refused = set(&connection, "journal_mode", &"wal".to_owned()).unwrap_err();
        assert!(matches!(refused, Error::SettingRefused { setting: "journal_mode", .. }), "{refused:?}");
    }

    #[test]
    fn a_uri_escapes_what_means_something_in_it() {
        assert_eq!(immutable_uri(Path::new("/a?b#c%d")), Path::new("file:/a%3fb%23c%25d?immutable=1"));
    }
}
