//! The connections of a database that read.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use super::super::backup;
use super::super::connection::{self, Settings};
use super::super::open::{self, Location};
use super::super::space::Wal;
use super::super::transaction::Read;
use super::super::turn::waited;
use super::{Database, Inside};
use crate::backup::BackupProgress;
use crate::{Error, Result};

/// Readers kept open while idle. More are opened when they are needed at once.
const IDLE_READERS_MAX: usize = 4;

impl Database {
    /// Runs `work` on a connection that reads. It has no transaction yet: see [`Read::snapshot`].
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        match &self.location {
            Location::File(path) => self.read_file(path, work),
            Location::Memory => {
                let turn = self.take_turn(self.settings.busy_timeout)?;
                // Who calls the store meanwhile would wait for itself.
                let _inside = Inside::enter(self.number);
                work(&Read { connection: turn.connection() })
            }
        }
    }

    /// Reads on the write connection of a file: where nobody else has the store yet, it needs no other for that.
    pub(crate) fn read_at_open<T>(&self, work: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        work(&Read { connection: self.take_turn(self.settings.busy_timeout)?.connection() })
    }

    /// Runs `work` on a connection of its own that reads, with which constraints can be checked.
    pub(crate) fn check<T>(&self, work: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        match &self.location {
            Location::File(path) if !self.read_only => {
                self.refuse_inside()?;
                work(&Read { connection: &self.open_another(path, connection::checker)? })
            }
            _ => self.read(work),
        }
    }

    /// The `-wal` of the file, to watch it; `None` for a store in memory, which has none.
    pub(crate) fn wal(&self) -> Result<Option<Wal>> {
        match &self.location {
            Location::File(path) => Wal::new(path, self.open_another(path, connection::checker)?).map(Some),
            Location::Memory => Ok(None),
        }
    }

    /// Copies one snapshot to the empty file at `path`, and gives its size.
    pub(crate) fn backup(
        &self,
        path: &Path,
        progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<u64> {
        self.read(|read| read.snapshot(|| backup::copy(read, path, &self.settings, progress)))
    }

    /// Runs `work`, which writes what it reads to `out`, on one snapshot. A slow `out` keeps its connection from the
    /// idle ones, where the next reader opens another, and so holds up nobody. In memory, where all share one
    /// connection, the whole is collected first. `action` is what an `out` that fails could not do.
    pub(crate) fn stream<T>(
        &self,
        mut out: impl io::Write,
        action: &'static str,
        work: impl FnOnce(&Read<'_>, &mut dyn io::Write) -> Result<T>,
    ) -> Result<T> {
        match &self.location {
            Location::File(path) => self.read_file(path, |read| read.snapshot(|| work(read, &mut out))),
            Location::Memory => {
                let mut collected = Vec::new();
                let written = self.read(|read| read.snapshot(|| work(read, &mut collected)))?;
                let sent = out.write_all(&collected).and_then(|()| out.flush());
                sent.map(|()| written).map_err(|source| Error::Io { action, source })
            }
        }
    }

    pub(super) fn read_file<T>(&self, path: &Path, work: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        self.refuse_inside()?;
        let started = Instant::now();
        let connection = self.idle_reader().map_or_else(|| self.open_reader(path), Ok)?;
        let outcome = work(&Read { connection: &connection });
        self.keep_idle(connection);
        outcome.map_err(|error| waited(error, started))
    }

    /// Lends the connection that has read last to a test.
    #[cfg(test)]
    pub(in super::super) fn with_reader<T>(&self, ask: impl FnOnce(&Connection) -> T) -> T {
        let reader = self.idle_reader().unwrap();
        let answer = ask(&reader);
        self.keep_idle(reader);
        answer
    }

    pub(super) fn open_reader(&self, path: &Path) -> Result<Connection> {
        self.open_another(path, if self.immutable { connection::immutable_reader } else { connection::reader })
    }

    pub(super) fn open_another(
        &self,
        path: &Path,
        open: fn(&Path, &Settings) -> Result<Connection>,
    ) -> Result<Connection> {
        let place = self.surroundings.place.as_ref().ok_or(Error::Closed)?;
        open::another(place, path, || open(path, &self.settings))
    }

    pub(super) fn idle_reader(&self) -> Option<Connection> {
        self.lock_idle_readers().pop()
    }

    pub(super) fn keep_idle(&self, connection: Connection) {
        // One that could not end its snapshot would show that to the next reader.
        if !connection.is_autocommit() {
            return;
        }
        let mut idle = self.lock_idle_readers();
        // Asked under the lock that `close` takes after it has closed the writer, so no reader is left behind.
        if idle.len() < IDLE_READERS_MAX && !self.writer.is_closed() {
            idle.push(connection);
        }
    }

    pub(super) fn lock_idle_readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle_readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
