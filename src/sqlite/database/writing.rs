//! Turns with the connection of a database that writes.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::connection;
use super::super::open::{self, Location};
use super::super::transaction::Write;
use super::super::turn::{TurnGuard, waited};
use super::super::writer::{Brought, Call, Turn, Wait, Waited};
use super::{Database, Inside};
use crate::options::Durability;
use crate::{Error, Result};

impl Database {
    /// Runs `operation` in a transaction, alone or with those of other callers, and answers when that is committed.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        operation: impl Fn(&Write<'_>) -> Result<T> + Send + Sync + 'static,
    ) -> Result<T> {
        self.write_within(self.settings.busy_timeout, operation)
    }

    /// The same, waiting no longer than `patience` for others.
    pub(crate) fn write_within<T: Send + 'static>(
        &self,
        patience: Duration,
        operation: impl Fn(&Write<'_>) -> Result<T> + Send + Sync + 'static,
    ) -> Result<T> {
        self.refuse_inside()?;
        let wait = Wait::new(patience.min(self.settings.busy_timeout));
        if let Some(turn) = self.writer.take_at_once()? {
            return self.lead(self.turn_to_write(turn, wait)?, &operation, &mut Brought::new());
        }
        let call = Arc::new(Waiting::new(operation, wait));
        match self.writer.wait(Some(call.clone()), wait)? {
            Waited::Turn(turn) => {
                // Those that the last leader has just answered may have more to write: with them the next sync is shared
                // by more. Alone, nobody comes here.
                std::thread::yield_now();
                self.lead(self.turn_to_write(turn, wait)?, &call.operation, &mut Brought::new())
            }
            Waited::Answered => call.take().expect("a leader lets nobody go without an answer"),
        }
    }

    /// Runs `work` in a transaction of its own, on this thread: committed if it is `Ok`, rolled back otherwise.
    pub(crate) fn batch<T, E: From<Error>>(&self, work: impl FnOnce(&Write<'_>) -> Result<T, E>) -> Result<T, E> {
        let turn = self.take_turn_to_write()?;
        let _inside = Inside::enter(self.number);
        let transaction = turn.begin()?;
        let write = turn.write();
        let answer = work(&write)?;
        // `work` is the one that may have forked meanwhile.
        self.refuse_forked()?;
        turn.commit(&write, transaction)?;
        Ok(answer)
    }

    /// Commits the leader's operation, those that it has brought, and those that wait behind it in one transaction. Where
    /// none can be begun, what it has brought is left to it.
    pub(super) fn lead<T>(
        &self,
        turn: TurnGuard<'_>,
        operation: &dyn Fn(&Write<'_>) -> Result<T>,
        brought: &mut Brought,
    ) -> Result<T> {
        // Whoever comes while another process has the file's lock is taken along, too.
        let transaction = turn.begin()?;
        let mut followers = self.writer.followers(std::mem::take(brought));
        let write = turn.write();
        if followers.is_empty() {
            let answer = operation(&write)?;
            turn.commit(&write, transaction)?;
            return Ok(answer);
        }
        let answer = write.verb(operation);
        followers.run(|call| write.verb(|write| call.run(write)));
        match turn.commit(&write, transaction) {
            Ok(()) => {
                followers.answer(None);
                answer
            }
            Err(error @ (Error::OutcomeUnknown { .. } | Error::FileMoved { .. })) => {
                followers.answer(Some(&error));
                Err(error)
            }
            // One of them broke it for all, and nothing was written: each gets a transaction of its own.
            Err(_) => {
                // What it has noted is undone first.
                drop(write);
                let answer = turn.alone(turn.wait(), operation);
                followers.run(|call| turn.alone(call.wait(), |write| call.run(write)));
                followers.answer(None);
                answer
            }
        }
    }

    /// See [`TaskStore::flush`](crate::TaskStore::flush).
    pub(crate) fn flush(&self) -> Result<()> {
        self.refuse_inside()?;
        if self.read_only {
            return Err(Error::ReadOnly);
        }
        if self.settings.durability == Durability::Full || self.location == Location::Memory {
            return Ok(());
        }
        let turn = self.take_turn_to_write()?;
        let flushed = connection::set_durability(turn.connection(), Durability::Full)
            .and_then(|()| self.resolve_doubt(turn.connection(), turn.wait()).map_err(unknown))
            .and_then(|()| turn.sync());
        if connection::set_durability(turn.connection(), self.settings.durability).is_err() {
            // Whatever it is set to now, the next one is set anew.
            turn.lose();
        }
        flushed
    }

    /// How many callers wait for a turn.
    #[cfg(test)]
    pub(in super::super) fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    /// Lends the connection of a store in memory to a test.
    #[cfg(test)]
    pub(in super::super) fn with_connection<T>(&self, ask: impl FnOnce(&Connection) -> T) -> T {
        ask(self.take_turn(self.settings.busy_timeout).unwrap().connection())
    }

    pub(super) fn take_turn(&self, patience: Duration) -> Result<TurnGuard<'_>> {
        let wait = Wait::new(patience);
        self.turn(self.wait_for_turn(wait)?, wait)
    }

    pub(super) fn take_turn_to_write(&self) -> Result<TurnGuard<'_>> {
        let wait = Wait::new(self.settings.busy_timeout);
        self.turn_to_write(self.wait_for_turn(wait)?, wait)
    }

    pub(super) fn wait_for_turn(&self, wait: Wait) -> Result<Turn<Connection>> {
        self.refuse_inside()?;
        match self.writer.wait(None, wait)? {
            Waited::Turn(turn) => Ok(turn),
            // Only a store that is closing answers one that has no call.
            Waited::Answered => Err(Error::Closed),
        }
    }

    /// A turn, unless the disk is left alone after it has failed.
    pub(super) fn turn_to_write(&self, turn: Turn<Connection>, wait: Wait) -> Result<TurnGuard<'_>> {
        if let Err(error) = self.surroundings.back_off.refuse() {
            self.writer.give_back(match turn {
                Turn::Connection(connection) => Some(connection),
                Turn::Reopen => None,
            });
            return Err(error);
        }
        self.turn(turn, wait)
    }

    pub(super) fn turn(&self, turn: Turn<Connection>, wait: Wait) -> Result<TurnGuard<'_>> {
        let connection = match turn {
            Turn::Connection(connection) => connection,
            Turn::Reopen => self.reopen(wait).inspect_err(|error| {
                self.surroundings.back_off.failed_to_open(error);
                self.writer.give_back(None);
            })?,
        };
        Ok(TurnGuard::new(&self.writer, &self.surroundings, connection, wait))
    }

    /// A fresh write connection, with every check of the first one. Where an answer promises the disk, what the one before
    /// may have written is made durable first, so that what is read now stays, and what is written next does.
    pub(super) fn reopen(&self, wait: Wait) -> Result<Connection> {
        match (&self.location, &self.surroundings.place) {
            (Location::File(path), Some(place)) => {
                let connection = open::again(place, path, &self.settings)?;
                self.doubtful.store(true, Ordering::Relaxed);
                if self.settings.durability == Durability::Full {
                    self.resolve_doubt(&connection, wait)?;
                }
                Ok(connection)
            }
            // What was in memory went with its connection.
            _ => Err(Error::Closed),
        }
    }

    pub(super) fn resolve_doubt(&self, connection: &Connection, wait: Wait) -> Result<()> {
        if self.doubtful.load(Ordering::Relaxed) {
            let left = wait.deadline.saturating_duration_since(Instant::now());
            connection::merge_wal(connection, left).map_err(|error| waited(error, wait.started))?;
            self.doubtful.store(false, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// An operation that waits for a leader, and then for its caller to take the answer.
pub(super) struct Waiting<T, F> {
    operation: F,
    wait: Wait,
    answer: Mutex<Option<Result<T>>>,
}

impl<T, F> Waiting<T, F> {
    pub(super) fn new(operation: F, wait: Wait) -> Self {
        Self { operation, wait, answer: Mutex::new(None) }
    }

    fn answer(&self, answer: Result<T>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    pub(super) fn take(&self) -> Option<Result<T>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T: Send, F: Fn(&Write<'_>) -> Result<T> + Send + Sync> Call for Waiting<T, F> {
    fn run(&self, write: &Write<'_>) -> Result<()> {
        self.answer(Ok((self.operation)(write)?));
        Ok(())
    }

    fn wait(&self) -> Wait {
        self.wait
    }

    fn refuse(&self, error: Error) {
        self.answer(Err(error));
    }
}

/// What was acknowledged before may still be on disk, or not.
fn unknown(error: Error) -> Error {
    match error {
        Error::Engine { source, .. } => Error::OutcomeUnknown { source },
        other => other,
    }
}
