//! Whether the file that is open is still the one at its path.
//!
//! A file that is deleted, moved or replaced while it is open goes on taking writes without an error, and they are lost
//! with it. The same holds for its `-wal`, where a commit is written first. So no commit is acknowledged unless both are
//! where they were. What is asked is their directory: nothing leaves it or enters it unless the time of its last change moves.
//! That is one call of `stat` a transaction, which all its callers share. To ask for the files themselves would cost much
//! more: Linux notes that their times were seen, and the next write then stores a new one, for whose journal the next sync
//! waits (half a sync more, with ext4).

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, FileControl, MAIN_DB};

use super::error::{during, not_seen};
use crate::{Error, Result};

/// How long after a look a transaction begins without another one. The look behind its commit is never left out; the one
/// before it only makes that nothing is written to a file that has long been gone.
const LOOK_LASTS: Duration = Duration::from_millis(10);

/// Two changes of a directory that are closer together may bear one time: kernels write that of their last tick, and some
/// file systems round it. It is told apart from a later one only once it is this old.
const CHANGES_APART: Duration = Duration::from_millis(50);

/// How long the directory is asked in place of the files. Some file systems do not tell of a change in the directory at the path
/// that is asked, such as those that are put together of several, or where another file is mounted over this one.
const DIRECTORY_LASTS: Duration = Duration::from_secs(1);

/// Where a store's file is. Belongs to one store.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    wal_path: PathBuf,
    /// `None` if it is not asked.
    directory: Option<PathBuf>,
    file: FileId,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The `-wal` of the connection that writes; it stays as long as any connection is open.
    wal: Option<FileId>,
    /// When both were last known to be in their places.
    seen: Option<Instant>,
    /// The directory as it was when both were found in it, and when that was.
    directory: Option<(DirectoryState, Instant)>,
}

/// Another one as soon as a file has left the directory or come into it, or another directory is at its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DirectoryState {
    id: FileId,
    changed_s: i64,
    changed_ns: i64,
}

/// Tells files apart, as long as they are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl Place {
    /// The place of a file that was just opened, for writing by this connection or for reading only.
    /// On a network file system, whose clock and caches are its own, the directory is not asked.
    pub(super) fn of(path: &Path, writer: Option<&Connection>, may_be_network: bool) -> Result<Self> {
        let file = file_id(path).map_err(|source| Error::Io { action: "open the file", source })?;
        let place = Self {
            path: path.to_owned(),
            wal_path: beside(path, "-wal"),
            directory: path.parent().filter(|_| !may_be_network).map(Path::to_owned),
            file,
            state: Mutex::default(),
        };
        writer.map_or(Ok(()), |writer| place.opened_to_write(writer))?;
        Ok(place)
    }

    /// Another file at the path is not opened: it may be anybody's.
    pub(super) fn before_opening(&self) -> Result<()> {
        look(&self.path, self.file, false)
    }

    /// This connection must have opened the store's file and no other.
    pub(super) fn opened(&self, connection: &Connection) -> Result<()> {
        let mut moved = 0;
        connection.file_control(Some(MAIN_DB), FileControl::HasMoved(&mut moved)).map_err(during("open the file"))?;
        if moved != 0 {
            return Err(Error::FileMoved { path: self.path.clone(), written: false });
        }
        look(&self.path, self.file, false)
    }

    /// The same of one that writes.
    pub(super) fn opened_to_write(&self, connection: &Connection) -> Result<()> {
        self.opened(connection)?;
        *self.state() = State { wal: file_id(&self.wal_path).ok(), seen: Some(Instant::now()), directory: None };
        Ok(())
    }

    /// Once a transaction has begun: nothing is to be written to files that are gone.
    pub(super) fn before_writing(&self) -> Result<()> {
        let mut state = self.state();
        if state.seen.is_some_and(|seen| seen.elapsed() < LOOK_LASTS) {
            return Ok(());
        }
        self.look(&mut state, false)
    }

    /// Why a transaction cannot begin: where the file is gone, SQLite may take that for a disk that fails.
    pub(super) fn explain(&self, error: Error) -> Error {
        match error {
            Error::Engine { .. } => self.look(&mut self.state(), false).err().unwrap_or(error),
            other => other,
        }
    }

    /// Once it is committed, and before anybody is told.
    pub(super) fn committed(&self) -> Result<()> {
        self.look(&mut self.state(), true)
    }

    fn look(&self, state: &mut State, written: bool) -> Result<()> {
        // Until both are found, each transaction looks before it writes.
        state.seen = None;
        // Both read first: what changes while the files are looked for is met by the next look, however long that takes.
        let (now, wall) = (Instant::now(), SystemTime::now());
        let directory = self.directory.as_deref().and_then(DirectoryState::of);
        let is_unchanged = |(before, found): (DirectoryState, Instant)| {
            directory == Some(before) && now.saturating_duration_since(found) < DIRECTORY_LASTS
        };
        if !state.directory.is_some_and(is_unchanged) {
            // Nothing is relied on until both were found.
            state.directory = None;
            self.look_at_files(state, written)?;
            let settled = directory.filter(|directory| state.wal.is_some() && directory.is_settled(wall));
            state.directory = settled.map(|directory| (directory, now));
        }
        state.seen = Some(Instant::now());
        Ok(())
    }

    fn look_at_files(&self, state: &mut State, written: bool) -> Result<()> {
        look(&self.path, self.file, written)?;
        match state.wal {
            Some(wal) => look(&self.wal_path, wal, written)?,
            // Until it is found, each transaction looks for it.
            None => state.wal = file_id(&self.wal_path).ok(),
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DirectoryState {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::symlink_metadata(path).ok()?;
        let id = FileId { device: metadata.dev(), inode: metadata.ino() };
        Some(Self { id, changed_s: metadata.ctime(), changed_ns: metadata.ctime_nsec() })
    }

    /// Whether any later change gives another state. Where whole seconds are kept, that is never known.
    fn is_settled(&self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let changed =
            Duration::new(self.changed_s.try_into().unwrap_or(u64::MAX), self.changed_ns.try_into().unwrap_or(0));
        self.changed_ns != 0 && changed.saturating_add(CHANGES_APART) < now
    }
}

fn look(path: &Path, expected: FileId, written: bool) -> Result<()> {
    match file_id(path) {
        Ok(found) if found == expected => Ok(()),
        Err(source) if !matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => match written {
            true => Err(not_seen(&source)),
            false => Err(Error::Io { action: "look whether the file is still in its place", source }),
        },
        _ => Err(Error::FileMoved { path: path.to_owned(), written }),
    }
}

fn file_id(path: &Path) -> io::Result<FileId> {
    let metadata = fs::symlink_metadata(path)?;
    Ok(FileId { device: metadata.dev(), inode: metadata.ino() })
}

/// The file beside a database whose name ends so.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(end);
    beside.into()
}
