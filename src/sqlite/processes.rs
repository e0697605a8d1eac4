//! Which files this process has open, and which of them it has only inherited.
//!
//! SQLite keeps its locks by process: what one connection has locked, others of the process take for locked. A forked child
//! has a copy of these notes without the locks. A connection that it opened to a file of its parent's would read and write
//! without any, and lose what it has written when the parent closes the file and removes the `-wal`.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use crate::{Error, Result};

static OPEN: Mutex<Vec<(PathBuf, u32)>> = Mutex::new(Vec::new());

/// How long a lock is tried that another thread of the parent may have held at the fork. A holder that is alive needs
/// microseconds, but may be kept from a processor for long.
const PATIENCE: Duration = Duration::from_secs(2);

/// A file that this process has open, until this is dropped.
#[derive(Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    process_id: u32,
}

impl OpenFile {
    /// Refused if this process was forked from one that had the file open.
    pub(super) fn new(path: &Path) -> Result<Self> {
        let process_id = std::process::id();
        let mut open = lock().ok_or(Error::Busy { waited: PATIENCE })?;
        let inherited = open.iter().find(|(of, by)| of == path && *by != process_id);
        if let Some((_, opened_by)) = inherited {
            return Err(Error::Forked { opened_by: *opened_by, called_by: process_id });
        }
        open.push((path.to_owned(), process_id));
        Ok(Self { path: path.to_owned(), process_id })
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        let Some(mut open) = lock() else { return };
        let this = open.iter().position(|(path, by)| *path == self.path && *by == self.process_id);
        this.map(|this| open.swap_remove(this));
    }
}

/// `None` if it is locked for ever: its holder did not come along through a fork. It is never held for long.
fn lock() -> Option<MutexGuard<'static, Vec<(PathBuf, u32)>>> {
    let started = Instant::now();
    loop {
        match OPEN.try_lock() {
            Ok(open) => return Some(open),
            Err(TryLockError::Poisoned(open)) => return Some(open.into_inner()),
            Err(TryLockError::WouldBlock) if started.elapsed() > PATIENCE => return None,
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
}
