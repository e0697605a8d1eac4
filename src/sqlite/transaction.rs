//! Transactions of the write connection and of readers.

use std::cell::{Cell, RefCell};
use std::{fmt, ptr};

use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row, Statement};

use super::back_off::BackOff;
use super::error::{during, during_commit, rolled_back};
use super::task::CountChanges;
use crate::{Error, Result};

/// A connection inside a write transaction.
pub(crate) struct Write<'a> {
    pub(super) connection: &'a Connection,
    back_off: &'a BackOff,
    /// What has run, at hand until the end: taking each from the connection's cache and putting it back is a seventh of
    /// a verb.
    statements: RefCell<Vec<(&'static str, CachedStatement<'a>)>>,
    /// Whether a verb failed half-way, so that the transaction must not be committed.
    broken: Cell<bool>,
    /// Run, the last first, when this is dropped uncommitted, while the turn still lasts.
    undo: RefCell<Vec<Box<dyn FnOnce()>>>,
    /// Written with the transaction, at its end.
    pub(super) counts: CountChanges,
}

impl<'a> Write<'a> {
    pub(super) fn new(connection: &'a Connection, back_off: &'a BackOff) -> Self {
        let (statements, counts) = (RefCell::default(), CountChanges::default());
        Self { connection, back_off, statements, broken: Cell::new(false), undo: RefCell::default(), counts }
    }

    /// Has `undo` run where the transaction is not committed, before anyone else writes.
    pub(crate) fn on_undo(&self, undo: impl FnOnce() + 'static) {
        self.undo.borrow_mut().push(Box::new(undo));
    }

    /// Nothing is to be undone any more.
    pub(super) fn committed(&self) {
        self.undo.borrow_mut().clear();
    }

    /// Reads what the transaction has written so far.
    pub(crate) fn read(&self) -> Read<'_> {
        Read { connection: self.connection }
    }

    /// Runs a statement that changes rows, and tells how many. Every value has to be given, since those of the last time
    /// are still bound. Where a verb is hot they are bound by position: finding names is six per cent of it.
    pub(super) fn change(&self, action: &'static str, sql: &'static str, values: impl Params) -> Result<usize> {
        self.run(action, sql, |statement| statement.execute(values))
    }

    /// Runs a statement that adds a row, and gives the row's id.
    pub(super) fn insert(&self, action: &'static str, sql: &'static str, values: impl Params) -> Result<i64> {
        self.run(action, sql, |statement| statement.insert(values))
    }

    /// Runs a statement that finds a row, or none.
    pub(super) fn find<T>(
        &self,
        action: &'static str,
        sql: &'static str,
        values: impl Params,
        row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        self.run(action, sql, |statement| statement.query_row(values, row).optional())
    }

    fn run<T>(
        &self,
        action: &'static str,
        sql: &'static str,
        run: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let mut statement = self.statement(sql).map_err(during(action))?;
        let done = run(&mut statement).map_err(during(action));
        self.statements.borrow_mut().push((sql, statement));
        done.inspect_err(|error| self.back_off.failed(error))
    }

    fn statement(&self, sql: &'static str) -> rusqlite::Result<CachedStatement<'a>> {
        let mut statements = self.statements.borrow_mut();
        match statements.iter().position(|(held, _)| ptr::eq(*held, sql)) {
            Some(place) => Ok(statements.swap_remove(place).1),
            None => self.connection.prepare_cached(sql),
        }
    }

    /// Runs one verb among others. A refused one has changed nothing, since every verb decides before it writes a second
    /// row, so no savepoint is needed; one that failed in SQLite may have, and dooms the transaction.
    pub(crate) fn verb<T>(&self, verb: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.refuse_broken()?;
        verb(self).inspect_err(|error| {
            let refused = matches!(error, Error::NotFound { .. } | Error::WrongState { .. } | Error::RunEnded { .. });
            self.broken.set(self.broken.get() || !refused);
        })
    }

    /// Writes what is kept back until all verbs have run. The transaction is to be committed next.
    pub(super) fn complete(&self) -> Result<()> {
        self.refuse_broken()?;
        self.counts.write(self)
    }

    /// Also where SQLite rolled back by itself: outside a transaction each statement would commit alone.
    fn refuse_broken(&self) -> Result<()> {
        if self.broken.get() || self.connection.is_autocommit() { Err(rolled_back()) } else { Ok(()) }
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        self.undo.take().into_iter().rev().for_each(|undo| undo());
    }
}

/// A write transaction, whatever its lifetime is: for a [`Batch`](crate::Batch), which has but one.
pub(crate) trait Verbs: fmt::Debug {
    /// See [`Write::verb`].
    fn verb(&self, verb: &mut dyn FnMut(&Write<'_>) -> Result<()>) -> Result<()>;
}

impl Verbs for Write<'_> {
    fn verb(&self, verb: &mut dyn FnMut(&Write<'_>) -> Result<()>) -> Result<()> {
        Write::verb(self, |write| verb(write))
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
    pub(crate) fn snapshot<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        if !self.connection.is_autocommit() {
            return read();
        }
        let snapshot = Transaction::snapshot(self.connection)?;
        let value = read()?;
        snapshot.commit()?;
        Ok(value)
    }
}

/// A transaction that is rolled back unless it was committed, also when a panic unwinds through it.
pub(super) struct Transaction<'a> {
    connection: &'a Connection,
    /// The process that may write with the connection. `None` for one that reads.
    process_id: Option<u32>,
}

impl<'a> Transaction<'a> {
    /// A transaction that takes the write lock at once: one that read first could not get it later.
    pub(super) fn immediate(connection: &'a Connection, process_id: u32) -> Result<Self> {
        run(connection, "BEGIN IMMEDIATE", "lock the file")?;
        Ok(Self { connection, process_id: Some(process_id) })
    }

    /// A transaction that reads, and takes no lock that another reader would wait for.
    fn snapshot(connection: &'a Connection) -> Result<Self> {
        run(connection, "BEGIN", "read")?;
        Ok(Self { connection, process_id: None })
    }

    pub(super) fn commit(self) -> Result<()> {
        // On failure the drop rolls back what is left.
        let mut commit = self.connection.prepare_cached("COMMIT").map_err(during("commit"))?;
        commit.execute([]).map_err(during_commit).map(drop)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // In a process that was forked meanwhile the transaction is its parent's.
        let is_forked = || self.process_id.is_some_and(|process_id| process_id != std::process::id());
        if !self.connection.is_autocommit() && !is_forked() {
            // A connection that cannot even roll back is replaced: see `Writer`.
            let _ = run(self.connection, "ROLLBACK", "roll back");
        }
    }
}

fn run(connection: &Connection, sql: &'static str, action: &'static str) -> Result<()> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map_err(during(action)).map(drop)
}
