//! Transactions of the write connection and of readers.

use std::fmt;

use rusqlite::Connection;

use super::error::{during, during_commit, rolled_back};
use crate::{Error, Result};

/// A connection inside a write transaction.
pub(crate) struct Write<'a> {
    pub(super) connection: &'a Connection,
}

impl Write<'_> {
    /// Reads what the transaction has written so far.
    pub(crate) fn read(&self) -> Read<'_> {
        Read { connection: self.connection }
    }

    /// Runs one verb among others: if it fails, it alone is undone.
    pub(crate) fn savepoint<T>(&self, verb: impl Fn(&Self) -> Result<T>) -> Result<T> {
        // Outside a transaction a savepoint would commit by itself.
        if self.connection.is_autocommit() {
            return Err(rolled_back());
        }
        run(self.connection, "SAVEPOINT verb", "set a savepoint")?;
        let outcome = verb(self);
        if outcome.is_err() {
            // Where SQLite has undone the whole transaction, there is no savepoint left to go back to.
            if self.connection.is_autocommit() {
                return outcome;
            }
            run(self.connection, "ROLLBACK TO verb", "undo a verb")?;
        }
        run(self.connection, "RELEASE verb", "release a savepoint")?;
        outcome
    }
}

impl fmt::Debug for Write<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Write")
    }
}

/// A connection that reads.
pub(crate) struct Read<'a> {
    pub(super) connection: &'a Connection,
}

impl Read<'_> {
    /// Runs several statements on one snapshot. Inside a transaction that is what they see already.
    pub(super) fn snapshot<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        if !self.connection.is_autocommit() {
            return read();
        }
        let snapshot = Transaction::begin(self.connection, "BEGIN", "read")?;
        let outcome = read();
        snapshot.commit()?;
        outcome
    }
}

/// A transaction that is rolled back unless it was committed, also when a panic unwinds through it.
pub(super) struct Transaction<'a> {
    connection: &'a Connection,
}

impl<'a> Transaction<'a> {
    /// A transaction that takes the write lock at once: one that read first could not get it later.
    pub(super) fn immediate(connection: &'a Connection) -> Result<Self> {
        Self::begin(connection, "BEGIN IMMEDIATE", "lock the file")
    }

    fn begin(connection: &'a Connection, sql: &'static str, action: &'static str) -> Result<Self> {
        run(connection, sql, action)?;
        Ok(Self { connection })
    }

    pub(super) fn commit(self) -> Result<()> {
        if self.connection.is_autocommit() {
            return Err(rolled_back());
        }
        // On failure the drop rolls back what is left.
        let mut commit = self.connection.prepare_cached("COMMIT").map_err(during("commit"))?;
        commit.execute([]).map_err(during_commit).map(drop)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            // A connection that cannot even roll back is replaced: see `Writer`.
            let _ = run(self.connection, "ROLLBACK", "roll back");
        }
    }
}

fn run(connection: &Connection, sql: &'static str, action: &'static str) -> Result<(), Error> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(during(action)).map(drop)
}
