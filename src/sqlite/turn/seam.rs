//! Where tests have commits fail: see [`Faults`]. What fails here goes on as what fails in SQLite does.

use std::fmt;
use std::sync::OnceLock;

use rusqlite::config::DbConfig;
use rusqlite::ffi;

use super::super::error::during_commit;
use super::super::transaction::Transaction;
use super::super::writer::Wait;
use super::TurnGuard;
use crate::testing::{Fault, Faults};
use crate::{Error, Result};

/// Belongs to one store.
#[derive(Debug)]
pub(in super::super) struct Seam {
    faults: Option<Faults>,
    on_crash: OnceLock<OnCrash>,
}

struct OnCrash(Box<dyn Fn() + Send + Sync>);

impl fmt::Debug for OnCrash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnCrash")
    }
}

impl Seam {
    pub(in super::super) fn new(faults: Option<Faults>) -> Self {
        Self { faults, on_crash: OnceLock::new() }
    }

    /// `crash` is done with the crash, before anybody is answered.
    pub(in super::super) fn on_crash(&self, crash: impl Fn() + Send + Sync + 'static) {
        if self.faults.is_some() {
            let _ = self.on_crash.set(OnCrash(Box::new(crash)));
        }
    }
}

impl TurnGuard<'_> {
    /// Fails if another writer is to have the file.
    pub(super) fn begin_at_seam(&self, wait: Wait) -> Result<()> {
        if self.has_crashed() {
            return Err(Error::Closed);
        }
        match &self.surroundings.seam.faults {
            Some(faults) if faults.is_busy() => {
                let patience = wait.deadline.saturating_duration_since(wait.started);
                Err(Error::Busy { waited: patience.max(wait.started.elapsed()) })
            }
            _ => Ok(()),
        }
    }

    /// Commits, unless the commit is to fail.
    pub(super) fn commit_at_seam(&self, transaction: Transaction<'_>) -> Result<()> {
        let Some(faults) = &self.surroundings.seam.faults else { return transaction.commit() };
        if self.fault.get().is_none() {
            self.fault.set(faults.at_commit());
        }
        let end = |written| {
            if written {
                return transaction.commit();
            }
            drop(transaction);
            Ok(())
        };
        match self.fault.get() {
            None | Some(Fault::Busy) => end(true),
            // Who shared the transaction tries once more alone, in this turn, and finds the disk as full.
            Some(Fault::DiskFull) => {
                end(false)?;
                Err(failure(ffi::SQLITE_FULL, "database or disk is full"))
            }
            Some(Fault::OutcomeUnknown { written }) => {
                end(written)?;
                Err(failed_sync())
            }
            Some(Fault::Crash { written }) => {
                let ended = end(written);
                self.crash();
                ended.and(Err(failed_sync()))
            }
        }
    }

    /// Whether the connection is to be dropped as it is.
    pub(super) fn has_crashed(&self) -> bool {
        matches!(self.fault.get(), Some(Fault::Crash { .. }))
    }

    /// From here on nothing writes: who waits for a turn, or asks for one, finds the store closed.
    fn crash(&self) {
        // Should it not take that, what is in the `-wal` comes into the file, which holds no more for it.
        let _ = self.connection().set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        self.writer.close();
        drop(self.surroundings.changes.close());
        if let Some(OnCrash(crash)) = self.surroundings.seam.on_crash.get() {
            crash();
        }
    }
}

fn failed_sync() -> Error {
    failure(ffi::SQLITE_IOERR_FSYNC, "disk I/O error")
}

/// What SQLite would say.
fn failure(code: i32, text: &str) -> Error {
    during_commit(rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(text.to_owned())))
}
