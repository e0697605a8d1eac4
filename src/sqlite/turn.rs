//! A turn with the write connection.

#[cfg(feature = "testing")]
pub(super) mod seam;

use std::cell::Cell;
use std::time::Instant;

use rusqlite::Connection;

use super::back_off::BackOff;
use super::changes::Changes;
use super::connection;
use super::error::during;
use super::place::Place;
use super::sharing::Sharing;
use super::transaction::{Transaction, Write};
use super::writer::{Wait, Writer};
use crate::{Error, Result};

/// A turn with the write connection; given back when this is dropped, also by a panic.
pub(super) struct TurnGuard<'a> {
    writer: &'a Writer<Connection>,
    surroundings: &'a Surroundings,
    connection: Option<Connection>,
    wait: Wait,
    lost: Cell<bool>,
    /// What a test has this turn meet.
    #[cfg(feature = "testing")]
    fault: Cell<Option<crate::testing::Fault>>,
}

/// What a store's turns are about, besides the connection.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) sharing: Sharing,
    pub(super) changes: Changes,
    pub(super) back_off: BackOff,
    /// `None` in memory.
    pub(super) place: Option<Place>,
    #[cfg(feature = "testing")]
    pub(super) seam: seam::Seam,
}

impl<'a> TurnGuard<'a> {
    pub(super) fn new(
        writer: &'a Writer<Connection>,
        surroundings: &'a Surroundings,
        connection: Connection,
        wait: Wait,
    ) -> Self {
        Self {
            writer,
            surroundings,
            connection: Some(connection),
            wait,
            lost: Cell::new(false),
            #[cfg(feature = "testing")]
            fault: Cell::new(None),
        }
    }

    /// A transaction; what is left of the wait is spent on other processes.
    pub(super) fn begin(&self) -> Result<Transaction<'_>> {
        self.begin_within(self.wait)
    }

    fn begin_within(&self, wait: Wait) -> Result<Transaction<'_>> {
        #[cfg(feature = "testing")]
        self.begin_at_seam(wait)?;
        let Surroundings { sharing, back_off, place, .. } = self.surroundings;
        let transaction = sharing.begin(self.connection(), wait.deadline).map_err(|error| {
            let error = match place {
                Some(place) => place.explain(error),
                None => error,
            };
            back_off.failed(&error);
            waited(error, wait.started)
        })?;
        // Now that nobody else can write. What is refused here is rolled back.
        place.as_ref().map_or(Ok(()), Place::before_writing)?;
        Ok(transaction)
    }

    /// What writes in a transaction that has begun.
    pub(super) fn write(&self) -> Write<'_> {
        Write::new(self.connection(), &self.surroundings.back_off)
    }

    /// Runs one operation in a transaction of its own, for which its caller waits so long.
    pub(super) fn alone<T>(&self, wait: Wait, operation: impl FnOnce(&Write<'_>) -> Result<T>) -> Result<T> {
        if self.lost.get() {
            // The commit of one before failed half-way. Nothing of this one was written; the next try meets a fresh
            // connection.
            return Err(Error::Busy { waited: wait.started.elapsed() });
        }
        self.surroundings.back_off.refuse()?;
        let transaction = self.begin_within(wait)?;
        let write = self.write();
        let answer = operation(&write)?;
        self.commit(&write, transaction)?;
        Ok(answer)
    }

    /// Commits something, for its sync. What is no longer in the `-wal` was synced when it was merged into the file.
    pub(super) fn sync(&self) -> Result<()> {
        let transaction = self.begin()?;
        connection::touch(self.connection()).map_err(during("flush"))?;
        self.commit(&self.write(), transaction)
    }

    /// A connection whose commit failed half-way is not used again.
    pub(super) fn commit(&self, write: &Write<'_>, transaction: Transaction<'_>) -> Result<()> {
        let Surroundings { changes, back_off, place, .. } = self.surroundings;
        write.complete()?;
        #[cfg(feature = "testing")]
        let committed = self.commit_at_seam(transaction);
        #[cfg(not(feature = "testing"))]
        let committed = transaction.commit();
        committed.inspect_err(|error| {
            self.lost.set(matches!(error, Error::OutcomeUnknown { .. }));
            back_off.failed(error);
        })?;
        back_off.succeeded();
        place.as_ref().map_or(Ok(()), Place::committed)?;
        write.committed();
        changes.committed();
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
        self.surroundings.sharing.end();
        if let Some(connection) = self.connection.take() {
            #[cfg(feature = "testing")]
            if self.has_crashed() {
                return;
            }
            if !connection.is_autocommit() && self.surroundings.sharing.is_forked() {
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
