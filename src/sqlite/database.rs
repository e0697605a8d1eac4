//! An open database: one connection that writes, a few that read.

mod reading;
#[cfg(feature = "tokio")]
mod together;
mod writing;

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::back_off::BackOff;
use super::changes::Changes;
use super::connection::Settings;
use super::error::during;
use super::open::{self, Location};
use super::place::beside;
use super::processes::OpenFile;
use super::sharing::Sharing;
use super::space;
use super::transaction::Write;
use super::turn::{Surroundings, TurnGuard, waited};
use super::writer::{Turn, Wait, Writer};
use crate::change::ChangeToken;
use crate::options::OpenOptions;
use crate::{Error, Result};

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
                #[cfg(feature = "testing")]
                seam: super::turn::seam::Seam::new(options.faults.clone()),
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
        let wait = Wait::new(self.settings.busy_timeout);
        let connection = match self.wait_for_turn(wait)? {
            Turn::Connection(connection) => Some(connection),
            // Where the file cannot be written any more there is still something to close.
            Turn::Reopen => self.reopen(wait).ok(),
        };
        let connection = connection.and_then(|connection| {
            let mut turn = TurnGuard::new(&self.writer, &self.surroundings, connection, wait);
            last(&Closing(&turn));
            turn.take()
        });
        // By the crash that a test has asked for: nobody else has the turn.
        let has_crashed = self.writer.is_closed();
        self.writer.close();
        // Readers first: the last connection that closes merges the `-wal`, and a reader cannot.
        readers.extend(self.surroundings.changes.close());
        readers.append(&mut self.lock_idle_readers());
        let closed = self.closed(readers.into_iter().chain(connection));
        if has_crashed { Err(Error::Closed) } else { closed }
    }

    /// What a crash that a test has asked for is to do besides.
    #[cfg(feature = "testing")]
    pub(crate) fn on_crash(&self, crash: impl Fn() + Send + Sync + 'static) {
        self.surroundings.seam.on_crash(crash);
    }

    /// Closes the connections that read and are idle, once no new ones come.
    #[cfg(feature = "testing")]
    pub(crate) fn close_idle_readers(&self) {
        self.lock_idle_readers().clear();
    }

    fn closed(&self, mut connections: impl Iterator<Item = Connection>) -> Result<()> {
        connections.try_for_each(close_connection)?;
        drop(self.open_file.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(())
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

fn close_connection(connection: Connection) -> Result<()> {
    connection.close().map_err(|(_, error)| during("close the file")(error))
}
