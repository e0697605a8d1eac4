//! The opponent: the same tables, indexes and statements, written by hand as well as we can.

use std::fs;
use std::path::PathBuf;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, params};
use taskstore::Durability;

pub const TITLE: &str = "Create standby";
pub const USER: &str = "ann";
pub const MESSAGES: [&str; 3] = ["Running pre-checks", "Copying the data files", "Starting the standby"];

pub const SCHEMA: &str = include_str!("../../schema.sql");
const START: &str = "INSERT INTO task (title, performed_by, started_ns, updated_ns) VALUES (?1, ?2, ?3, ?3)";
const COUNT_MESSAGE: &str = "
    UPDATE task SET message_count = message_count + 1, updated_ns = max(updated_ns, ?2)
    WHERE id = ?1 AND outcome IS NULL";
const APPEND: &str = "
    INSERT INTO message (task_id, seq, time_ns, level, text)
    VALUES (?1, (SELECT message_count FROM task WHERE id = ?1), ?2, 3, ?3)";
const FINISH: &str = "
    UPDATE task SET outcome = 1, finished_ns = max(updated_ns, ?2), updated_ns = max(updated_ns, ?2)
    WHERE id = ?1 AND outcome IS NULL";

/// One connection with every statement cached.
pub struct Raw {
    connection: Connection,
    directory: PathBuf,
}

impl Raw {
    pub fn open(durability: Durability) -> Self {
        let directory = temporary_directory();
        let connection = Connection::open(directory.join("raw.db")).expect("opens");
        prepare(&connection);
        let synchronous = if durability == Durability::Full { "FULL" } else { "NORMAL" };
        connection
            .execute_batch(&format!(
                "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};
                {SCHEMA}"
            ))
            .expect("sets up");
        Self { connection, directory }
    }

    /// Five transactions, as a careful program would write them: a lone statement needs no `BEGIN`.
    pub fn lifecycle(&self) {
        let id = self.start();
        for text in MESSAGES {
            self.in_transaction(|| self.message(id, text));
        }
        self.finish(id);
    }

    /// Many lifecycles in one transaction.
    pub fn batch(&self, lifecycles: usize) {
        self.in_transaction(|| {
            for _ in 0..lifecycles {
                let id = self.start();
                MESSAGES.iter().for_each(|text| self.message(id, text));
                self.finish(id);
            }
        });
    }

    fn start(&self) -> i64 {
        let mut start = self.connection.prepare_cached(START).expect("prepares");
        start.insert(params![TITLE, USER, now_ns()]).expect("starts")
    }

    fn message(&self, id: i64, text: &str) {
        let now_ns = now_ns();
        self.run(COUNT_MESSAGE, params![id, now_ns]);
        self.run(APPEND, params![id, now_ns, text]);
    }

    fn finish(&self, id: i64) {
        self.run(FINISH, params![id, now_ns()]);
    }

    fn in_transaction(&self, work: impl FnOnce()) {
        self.connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([])).expect("begins");
        work();
        self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).expect("commits");
    }

    fn run(&self, sql: &str, values: impl rusqlite::Params) {
        let changed = self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute(values));
        assert_eq!(changed.expect("runs"), 1);
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

pub fn now_ns() -> i64 {
    chrono::Utc::now().timestamp_nanos_opt().expect("before 2262")
}

/// A fresh directory where the store's own temporary files are, so that both are on one disk.
pub fn temporary_directory() -> PathBuf {
    let directory = std::env::temp_dir().join(format!("taskstore-raw-{}", uuid::Uuid::new_v4()));
    fs::create_dir(&directory).expect("makes a directory");
    directory
}

/// What every raw connection is set to, as the store sets its own.
pub fn prepare(connection: &Connection) {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).expect("sets QPSG");
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON").expect("sets up");
}
