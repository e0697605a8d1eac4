//! The one write connection, and whose turn it is.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use crate::{Error, Result};

/// Where the write connection is. Callers take it one at a time, with a deadline that a plain mutex does not have.
#[derive(Debug)]
pub(super) struct Writer {
    place: Mutex<Place>,
    given_back: Condvar,
}

#[derive(Debug)]
enum Place {
    /// Nobody writes.
    Here(Connection),
    /// A caller writes.
    Taken,
    /// It failed in a way that makes it untrustworthy; the next caller opens another.
    Lost,
    /// The store is read-only.
    Never,
    /// The store is closed.
    Closed,
}

/// What a caller got: the connection, or the right and duty to open one.
pub(super) enum Turn {
    Connection(Connection),
    Reopen,
}

impl Writer {
    /// `None` for a store that is read-only.
    pub(super) fn new(connection: Option<Connection>) -> Self {
        let place = connection.map_or(Place::Never, Place::Here);
        Self { place: Mutex::new(place), given_back: Condvar::new() }
    }

    /// Waits for the caller's turn until `deadline`.
    pub(super) fn take(&self, started: Instant, deadline: Instant) -> Result<Turn> {
        let mut place = self.lock();
        loop {
            match std::mem::replace(&mut *place, Place::Taken) {
                Place::Here(connection) => return Ok(Turn::Connection(connection)),
                Place::Lost => return Ok(Turn::Reopen),
                Place::Taken => {}
                Place::Never => {
                    *place = Place::Never;
                    return Err(Error::ReadOnly);
                }
                Place::Closed => {
                    *place = Place::Closed;
                    return Err(Error::Closed);
                }
            }
            let now = Instant::now();
            if now >= deadline {
                return Err(Error::Busy { waited: now - started });
            }
            let (guard, _) =
                self.given_back.wait_timeout(place, deadline - now).unwrap_or_else(PoisonError::into_inner);
            place = guard;
        }
    }

    /// Ends a turn. `None` loses the connection.
    pub(super) fn give_back(&self, connection: Option<Connection>) {
        *self.lock() = connection.map_or(Place::Lost, Place::Here);
        self.given_back.notify_one();
    }

    /// Ends the last turn.
    pub(super) fn close(&self) {
        *self.lock() = Place::Closed;
        self.given_back.notify_all();
    }

    /// Closes a read-only store, which has no turns to wait for.
    pub(super) fn close_read_only(&self) -> Result<()> {
        match std::mem::replace(&mut *self.lock(), Place::Closed) {
            Place::Closed => Err(Error::Closed),
            _ => Ok(()),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.lock(), Place::Closed)
    }

    /// Nothing can panic while the lock is held, and the place is right at every moment.
    fn lock(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
