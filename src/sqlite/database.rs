//! An open database: one connection that writes, a few that read.

use std::cell::RefCell;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::back_off::BackOff;
use super::backup;
use super::changes::Changes;
use super::connection::{self, Settings};
use super::error::during;
use super::open::{self, Location};
use super::place::beside;
use super::processes::OpenFile;
use super::sharing::Sharing;
use super::space::{self, Wal};
use super::transaction::{Read, Write};
use super::turn::{Surroundings, TurnGuard, waited};
use super::writer::{Call, Turn, Wait, Waited, Writer};
use crate::backup::BackupProgress;
use crate::change::ChangeToken;
use crate::options::{Durability, OpenOptions};
use crate::{Error, Result};

/// Readers kept open while idle. More are opened when they are needed at once.
const IDLE_READERS_MAX: usize = 4;

thread_local! {
    /// The databases that this thread is writing to.
    static WRITING: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug)]
pub(crate) struct Database {
    /// Tells the databases of this process apart.
    number: u64,
    /// The process that has opened it.
    process_id: u32,
    location: Location,
    settings: Settings,
    read_only: bool,
    immutable: bool,
    // Fields drop in this order: the last connection that closes merges the `-wal`, and a reader cannot.
    idle_readers: Mutex<Vec<Connection>>,
    surroundings: Surroundings,
    writer: Writer<Connection>,
    /// `None` if no other process can have it open, or nobody locks it, and once it is closed.
    open_file: Mutex<Option<OpenFile>>,
    /// Whether something in the `-wal` may not be on disk though every later sync succeeds: one before has failed.
    doubtful: AtomicBool,
}

impl Database {
    pub(crate) fn open(location: Location, options: &OpenOptions) -> Result<Self> {
        static OPENED: AtomicU64 = AtomicU64::new(0);
        let settings = Settings { durability: options.durability, busy_timeout: options.busy_timeout };
        let open_file = match &location {
            Location::File(path) if !options.immutable => Some(OpenFile::new(path)?),
            Location::File(_) | Location::Memory => None,
        };
        let started = Instant::now();
        let opened = match &location {
            Location::File(path) => open::file(path, &settings, options).map(|(writer, place)| (writer, Some(place))),
            Location::Memory => open::memory(&settings).map(|writer| (Some(writer), None)),
        };
        let (writer, place) = opened.map_err(|error| waited(error, started))?;
        let changes = match location {
            Location::Memory => Changes::of_memory(),
            Location::File(_) if options.immutable => Changes::of_immutable(),
            Location::File(_) => Changes::of_file(),
        };
        Ok(Self {
            number: OPENED.fetch_add(1, Ordering::Relaxed),
            process_id: std::process::id(),
            location,
            settings,
            read_only: writer.is_none(),
            immutable: options.immutable,
            surroundings: Surroundings {
                sharing: Sharing::new(options.busy_timeout),
                changes,
                back_off: BackOff::default(),
                place,
            },
            writer: Writer::new(writer),
            doubtful: AtomicBool::new(false),
            idle_readers: Mutex::default(),
            open_file: Mutex::new(open_file),
        })
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only
    }

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
            return self.lead(self.turn_to_write(turn, wait)?, &operation);
        }
        let call = Arc::new(Waiting { operation, wait, answer: Mutex::new(None) });
        match self.writer.wait(Some(call.clone()), wait)? {
            Waited::Turn(turn) => {
                // Those that the last leader has just answered may have more to write: with them the next sync is shared
                // by more. Alone, nobody comes here.
                std::thread::yield_now();
                self.lead(self.turn_to_write(turn, wait)?, &call.operation)
            }
            Waited::Answered => call.take(),
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

    /// Commits the leader's operation and those that wait behind it in one transaction.
    fn lead<T>(&self, turn: TurnGuard<'_>, operation: &dyn Fn(&Write<'_>) -> Result<T>) -> Result<T> {
        // Whoever comes while another process has the file's lock is taken along, too.
        let transaction = turn.begin()?;
        let mut followers = self.writer.followers();
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

    /// The sizes of the file and of its `-wal`; `None` for a store in memory.
    pub(crate) fn file_bytes(&self) -> Option<(u64, u64)> {
        match &self.location {
            Location::File(path) => Some((space::bytes(path), space::bytes(&beside(path, "-wal")))),
            Location::Memory => None,
        }
    }

    /// How long a call waits for others.
    pub(crate) fn busy_timeout(&self) -> Duration {
        self.settings.busy_timeout
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

    fn read_file<T>(&self, path: &Path, work: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        self.refuse_inside()?;
        let started = Instant::now();
        let connection = self.idle_reader().map_or_else(|| self.open_reader(path), Ok)?;
        let outcome = work(&Read { connection: &connection });
        self.keep_idle(connection);
        outcome.map_err(|error| waited(error, started))
    }

    /// See [`TaskStore::change_token`](crate::TaskStore::change_token).
    pub(crate) fn change_token(&self) -> Result<ChangeToken> {
        self.refuse_inside()?;
        let started = Instant::now();
        let changes = self.surroundings.changes.look(|| match &self.location {
            Location::File(path) if !self.writer.is_closed() => self.open_reader(path),
            _ => Err(Error::Closed),
        });
        let changes = changes.map_err(|error| waited(error, started))?;
        Ok(ChangeToken { store: self.number, changes })
    }

    /// See [`TaskStore::wait_for_change`](crate::TaskStore::wait_for_change).
    pub(crate) fn wait_for_change(&self, since: ChangeToken, timeout: Duration) -> Result<Option<ChangeToken>> {
        self.refuse_forked()?;
        self.surroundings.changes.wait(timeout, || Ok(Some(self.change_token()?).filter(|now| *now != since)))
    }

    /// See [`TaskStore::close`](crate::TaskStore::close). What `last` writes nobody else writes behind.
    pub(crate) fn close(&self, last: impl FnOnce(&Closing<'_>)) -> Result<()> {
        let mut readers = Vec::new();
        if self.read_only {
            self.writer.close_read_only()?;
            readers.extend(self.surroundings.changes.close());
            readers.append(&mut self.lock_idle_readers());
            return self.closed(readers.into_iter());
        }
        let mut turn = self.take_turn(self.settings.busy_timeout)?;
        last(&Closing(&turn));
        let connection = turn.take();
        self.writer.close();
        // Readers first: the last connection that closes merges the `-wal`, and a reader cannot.
        readers.extend(self.surroundings.changes.close());
        readers.append(&mut self.lock_idle_readers());
        self.closed(readers.into_iter().chain(connection))
    }

    fn closed(&self, mut connections: impl Iterator<Item = Connection>) -> Result<()> {
        connections.try_for_each(close_connection)?;
        drop(self.open_file.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(())
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
    pub(super) fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    /// Lends the connection of a store in memory to a test.
    #[cfg(test)]
    pub(super) fn with_connection<T>(&self, ask: impl FnOnce(&Connection) -> T) -> T {
        ask(self.take_turn(self.settings.busy_timeout).unwrap().connection())
    }

    /// Lends the connection that has read last to a test.
    #[cfg(test)]
    pub(super) fn with_reader<T>(&self, ask: impl FnOnce(&Connection) -> T) -> T {
        let reader = self.idle_reader().unwrap();
        let answer = ask(&reader);
        self.keep_idle(reader);
        answer
    }

    fn take_turn(&self, patience: Duration) -> Result<TurnGuard<'_>> {
        let (turn, wait) = self.wait_for_turn(patience)?;
        self.turn(turn, wait)
    }

    fn take_turn_to_write(&self) -> Result<TurnGuard<'_>> {
        let (turn, wait) = self.wait_for_turn(self.settings.busy_timeout)?;
        self.turn_to_write(turn, wait)
    }

    fn wait_for_turn(&self, patience: Duration) -> Result<(Turn<Connection>, Wait)> {
        self.refuse_inside()?;
        let wait = Wait::new(patience);
        match self.writer.wait(None, wait)? {
            Waited::Turn(turn) => Ok((turn, wait)),
            // Only a store that is closing answers one that has no call.
            Waited::Answered => Err(Error::Closed),
        }
    }

    /// A turn, unless the disk is left alone after it has failed.
    fn turn_to_write(&self, turn: Turn<Connection>, wait: Wait) -> Result<TurnGuard<'_>> {
        if let Err(error) = self.surroundings.back_off.refuse() {
            self.writer.give_back(match turn {
                Turn::Connection(connection) => Some(connection),
                Turn::Reopen => None,
            });
            return Err(error);
        }
        self.turn(turn, wait)
    }

    fn turn(&self, turn: Turn<Connection>, wait: Wait) -> Result<TurnGuard<'_>> {
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
    fn reopen(&self, wait: Wait) -> Result<Connection> {
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

    fn resolve_doubt(&self, connection: &Connection, wait: Wait) -> Result<()> {
        if self.doubtful.load(Ordering::Relaxed) {
            let left = wait.deadline.saturating_duration_since(Instant::now());
            connection::merge_wal(connection, left).map_err(|error| waited(error, wait.started))?;
            self.doubtful.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    fn open_reader(&self, path: &Path) -> Result<Connection> {
        self.open_another(path, if self.immutable { connection::immutable_reader } else { connection::reader })
    }

    fn open_another(&self, path: &Path, open: fn(&Path, &Settings) -> Result<Connection>) -> Result<Connection> {
        let place = self.surroundings.place.as_ref().ok_or(Error::Closed)?;
        open::another(place, path, || open(path, &self.settings))
    }

    fn idle_reader(&self) -> Option<Connection> {
        self.lock_idle_readers().pop()
    }

    fn keep_idle(&self, connection: Connection) {
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

    fn lock_idle_readers(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle_readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process was forked from the one that has opened the database. Then nothing of it may be used or closed,
    /// and no lock be waited for: another thread may have held it at the fork.
    pub(crate) fn is_forked(&self) -> bool {
        std::process::id() != self.process_id
    }

    pub(crate) fn refuse_forked(&self) -> Result<()> {
        match std::process::id() {
            called_by if called_by != self.process_id => Err(Error::Forked { opened_by: self.process_id, called_by }),
            _ => Ok(()),
        }
    }

    pub(crate) fn refuse_inside(&self) -> Result<()> {
        self.refuse_forked()?;
        // A thread that is ending has no batch any more.
        if WRITING.try_with(|writing| writing.borrow().contains(&self.number)).unwrap_or(false) {
            return Err(Error::InsideBatch);
        }
        if self.writer.is_closed() {
            return Err(Error::Closed);
        }
        Ok(())
    }
}

/// An operation that waits for a leader, and then for its caller to take the answer.
struct Waiting<T, F> {
    operation: F,
    wait: Wait,
    answer: Mutex<Option<Result<T>>>,
}

impl<T, F> Waiting<T, F> {
    fn answer(&self, answer: Result<T>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    fn take(&self) -> Result<T> {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer.expect("a leader lets nobody go without an answer")
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

/// The last turn of a store that is being closed.
pub(crate) struct Closing<'a>(&'a TurnGuard<'a>);

impl Closing<'_> {
    /// Runs an operation in a transaction of its own.
    pub(crate) fn write<T>(&self, operation: impl FnOnce(&Write<'_>) -> Result<T>) -> Result<T> {
        self.0.alone(self.0.wait(), operation)
    }
}

/// Marks this thread as writing to a database until it is dropped.
struct Inside;

impl Inside {
    fn enter(number: u64) -> Self {
        let _ = WRITING.try_with(|writing| writing.borrow_mut().push(number));
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = WRITING.try_with(|writing| writing.borrow_mut().pop());
    }
}

/// What was acknowledged before may still be on disk, or not.
fn unknown(error: Error) -> Error {
    match error {
        Error::Engine { source, .. } => Error::OutcomeUnknown { source },
        other => other,
    }
}

fn close_connection(connection: Connection) -> Result<()> {
    connection.close().map_err(|(_, error)| during("close the file")(error))
}
