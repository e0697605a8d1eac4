//! A turn with the write connection.

use std::cell::Cell;
use std::time::Instant;

use rusqlite::Connection;

use super::changes::Changes;
use super::connection;
use super::error::during;
use super::sharing::Sharing;
use super::transaction::{Transaction, Write};
use super::writer::{Wait, Writer};
use crate::{Error, Result};

/// A turn with the write connection; given back when this is dropped, also by a panic.
pub(super) struct TurnGuard<'a> {
    writer: &'a Writer<Connection>,
    sharing: &'a Sharing,
    changes: &'a Changes,
    connection: Option<Connection>,
    wait: Wait,
    lost: Cell<bool>,
}

impl<'a> TurnGuard<'a> {
    pub(super) fn new(
        writer: &'a Writer<Connection>,
        sharing: &'a Sharing,
        changes: &'a Changes,
        connection: Connection,
        wait: Wait,
    ) -> Self {
        Self { writer, sharing, changes, connection: Some(connection), wait, lost: Cell::new(false) }
    }

    /// A transaction; what is left of the wait is spent on other processes.
    pub(super) fn begin(&self) -> Result<Transaction<'_>> {
        self.begin_within(self.wait)
    }

    fn begin_within(&self, wait: Wait) -> Result<Transaction<'_>> {
        let transaction = self.sharing.begin(self.connection(), wait.deadline);
        transaction.map_err(|error| waited(error, wait.started))
    }

    /// Runs one operation in a transaction of its own, for which its caller waits so long.
    pub(super) fn alone<T>(&self, wait: Wait, operation: impl FnOnce(&Write<'_>) -> Result<T>) -> Result<T> {
        if self.lost.get() {
            // The commit of one before failed half-way. Nothing of this one was written; the next try meets a fresh
            // connection.
            return Err(Error::Busy { waited: wait.started.elapsed() });
        }
        let transaction = self.begin_within(wait)?;
        let write = Write::new(self.connection());
        let answer = operation(&write)?;
        self.commit(&write, transaction)?;
        Ok(answer)
    }

    /// Commits something, for its sync. What is no longer in the `-wal` was synced when it was merged into the file.
    pub(super) fn sync(&self) -> Result<()> {
        let transaction = self.begin()?;
        connection::touch(self.connection()).map_err(during("flush"))?;
        self.commit(&Write::new(self.connection()), transaction)
    }

    /// A connection whose commit failed half-way is not used again.
    pub(super) fn commit(&self, write: &Write<'_>, transaction: Transaction<'_>) -> Result<()> {
        write.complete()?;
        transaction.commit().inspect_err(|error| self.lost.set(matches!(error, Error::OutcomeUnknown { .. })))?;
        write.committed();
        self.changes.committed();
        Ok(())
    }

    pub(super) fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("only `take` and `drop` take the connection out")
    }

    /// Takes the connection out, to close it. Nothing is done with this afterwards.
    pub(super) fn take(&mut self) -> Option<Connection> {
        self.connection.take()
    }

    /// The connection is not used again after this turn.
    pub(super) fn lose(&self) {
        self.lost.set(true);
    }

    /// How long the caller whose turn it is waits.
    pub(super) fn wait(&self) -> Wait {
        self.wait
    }
}

impl Drop for TurnGuard<'_> {
    fn drop(&mut self) {
        self.sharing.end();
        if let Some(connection) = self.connection.take() {
            if !connection.is_autocommit() && self.sharing.is_forked() {
                // The parent's transaction: see `Transaction`. Closing it would drop its locks.
                return std::mem::forget(connection);
            }
            // A connection that could not roll back would take the next caller's write into the old transaction.
            let sound = connection.is_autocommit() && !self.lost.get();
            self.writer.give_back(sound.then_some(connection));
        }
    }
}

/// Fills in how long a busy call waited.
pub(super) fn waited(error: Error, started: Instant) -> Error {
    match error {
        Error::Busy { .. } => Error::Busy { waited: started.elapsed() },
        other => other,
    }
}
