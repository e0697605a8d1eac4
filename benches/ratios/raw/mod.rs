//! The opponents: rusqlite by hand, as well as we can write it. Statements are cached, values are bound by position, a
//! lone statement has no `BEGIN`, and nothing is checked that the caller knows.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Params, params};
use taskstore::Durability;
use tempfile::TempDir;

pub mod bare;
pub mod panel;
pub mod published;
pub mod system_task;
pub mod task;

/// The library's own tables and indexes.
const SCHEMA: &str = include_str!("../../../schema.sql");

/// A connection that writes to a file of its own, set as the store sets its write connection. What the store sets only
/// to be safe from a hostile file is left out.
pub struct Writer {
    connection: Connection,
    // Behind the connection, which is closed first.
    _directory: TempDir,
}

impl Writer {
    pub fn open(durability: Durability, schema: &str) -> Self {
        // Where the store's own temporary files are, so that both are on one disk.
        let directory = tempfile::tempdir().expect("makes a directory");
        let connection = Connection::open(directory.path().join("raw.db")).expect("opens");
        prepare(&connection);
        let synchronous = match durability {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
        };
        connection
            .execute_batch(&format!(
                "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};
                {schema}"
            ))
            .expect("sets up");
        Self { connection, _directory: directory }
    }

    fn transaction<T>(&self, work: impl FnOnce() -> T) -> T {
        self.execute("BEGIN IMMEDIATE", params![]);
        let answer = work();
        self.execute("COMMIT", params![]);
        answer
    }

    fn insert(&self, sql: &str, values: impl Params) -> i64 {
        let inserted = self.connection.prepare_cached(sql).and_then(|mut insert| insert.insert(values));
        inserted.expect("inserts")
    }

    /// A statement that must change one row.
    fn change(&self, sql: &str, values: impl Params) {
        assert_eq!(self.execute(sql, values), 1, "{sql}");
    }

    fn execute(&self, sql: &str, values: impl Params) -> usize {
        let done = self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute(values));
        done.expect("runs")
    }
}

/// What every raw connection is set to.
fn prepare(connection: &Connection) {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).expect("sets QPSG");
    connection.set_prepared_statement_cache_capacity(128);
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON").expect("sets up");
}

/// A connection that only reads.
fn open_to_read(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).expect("opens");
    prepare(&connection);
    connection
}

fn in_snapshot<T>(connection: &Connection, read: impl FnOnce() -> T) -> T {
    let run = |sql| connection.prepare_cached(sql).and_then(|mut run| run.execute([])).expect("runs");
    run("BEGIN");
    let answer = read();
    run("COMMIT");
    answer
}

fn now_ns() -> i64 {
    chrono::Utc::now().timestamp_nanos_opt().expect("before 2262")
}
