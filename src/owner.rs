//! Who answers for the work of an open store: an owner, which is known to live by a lock.
//!
//! The lock is on an empty file of its own beside the database, and the kernel drops it with the process, however that
//! ends. The lock belongs to the opened file, not to the process: two stores of one process have two.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::sqlite::owner::{self, Interrupted, Interruption};
use crate::sqlite::{self, Write};
use crate::{Error, Result};

/// The owner that an open store is. It has a lock file from the first work that it owns on, and a row in the database.
#[derive(Debug)]
pub(crate) struct Owner {
    files: LockFiles,
    /// Locked as long as it is here.
    file: Mutex<Option<LockFile>>,
    /// 0 if there is none, or if it is not known.
    row: AtomicI64,
}

impl Owner {
    /// An owner of work in this database file.
    pub(crate) fn new(database: &Path) -> Self {
        Self { files: LockFiles::beside(database), file: Mutex::new(None), row: AtomicI64::new(0) }
    }

    pub(crate) fn files(&self) -> &LockFiles {
        &self.files
    }

    /// Whether it can own more at once.
    pub(crate) fn is_ready(&self) -> bool {
        self.row.load(Ordering::Relaxed) != 0
    }

    /// Makes the lock file, if there is none. Called before the transaction that needs it.
    pub(crate) fn make_ready(&self) -> Result<()> {
        let mut file = self.lock();
        if !file.as_ref().is_some_and(LockFile::is_in_place) {
            let made = self.files.make();
            *file = Some(made.map_err(|error| sqlite::outside("make a lock file beside the database", error))?);
        }
        Ok(())
    }

    /// The id of its row, which is made in this transaction if there is none.
    pub(crate) fn id(self: &Arc<Self>, write: &Write<'_>, now_ns: i64) -> Result<i64> {
        let known = self.row.load(Ordering::Relaxed);
        if known != 0 {
            return Ok(known);
        }
        let file = self.lock();
        let name = &file.as_ref().ok_or(Error::Closed)?.name;
        let id = owner::find_or_add(write, name, std::process::id(), now_ns)?;
        self.row.store(id, Ordering::Relaxed);
        let owner = Arc::clone(self);
        write.on_undo(move || owner.doubt());
        Ok(id)
    }

    /// The id of its row, if it has one.
    pub(crate) fn known_id(&self, write: &Write<'_>) -> Result<Option<i64>> {
        match self.row.load(Ordering::Relaxed) {
            0 => self.lock().as_ref().map_or(Ok(None), |file| owner::find(write, &file.name)),
            known => Ok(Some(known)),
        }
    }

    /// It may be that somebody has removed the lock file, so that this owner passed for dead. With the next work it has a row
    /// again, and if need be another file.
    pub(crate) fn doubt(&self) {
        self.row.store(0, Ordering::Relaxed);
    }

    /// Whether this is the name of its file.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.lock().as_ref().is_some_and(|file| file.name == name)
    }

    /// Whether there may be a row or a file of it.
    pub(crate) fn has_begun(&self) -> bool {
        self.lock().is_some()
    }

    /// Interrupts a part of what it still owns; with the last part goes the row.
    pub(crate) fn retire_some(&self, write: &Write<'_>, how: &Interruption) -> Result<Interrupted> {
        match self.known_id(write)? {
            Some(id) => owner::interrupt_some(write, id, how),
            None => Ok(Interrupted { report: Default::default(), is_all: true }),
        }
    }

    /// Lets the lock go, and removes the file unless its row is still needed to find what it owned.
    pub(crate) fn end(&self, is_retired: bool) {
        let file = self.lock().take();
        self.doubt();
        if let Some(file) = file.filter(|_| is_retired) {
            file.remove();
        }
    }

    /// Nothing can panic while this is locked.
    fn lock(&self) -> MutexGuard<'_, Option<LockFile>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lock files beside one database.
#[derive(Debug)]
pub(crate) struct LockFiles {
    database: PathBuf,
    /// Device and inode of the database when it was opened.
    identity: Option<(u64, u64)>,
}

/// What a lock file tells of its owner.
#[derive(Debug)]
pub(crate) enum Found {
    /// Its lock could be taken. Until this goes, nobody can have it alone.
    Dead(LockFile),
    /// There is no such file.
    Missing,
    /// It lives, or that it is dead is not known.
    NotKnownDead,
}

impl LockFiles {
    fn beside(database: &Path) -> Self {
        Self { database: database.to_owned(), identity: identity(database) }
    }

    /// A new one, locked.
    fn make(&self) -> io::Result<LockFile> {
        loop {
            let name = Uuid::new_v4().simple().to_string();
            let path = self.path(&name);
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
            let made = LockFile { file, path, name };
            match made.file.try_lock() {
                // Before it was locked, another process may have taken it for a leftover.
                Ok(()) if made.is_in_place() => return Ok(made),
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    made.remove();
                    return Err(error);
                }
            }
        }
    }

    /// Looks at the lock file of this name, and takes its lock if it can: a shared one, so that two that look do not take
    /// each other for the owner, who has it alone. It is opened only if it is as we make it: a
    /// file of another kind may block, and a link to the database must not be opened and closed (see `clippy.toml`).
    pub(crate) fn look(&self, name: &str) -> Found {
        if !is_name(name) {
            return Found::NotKnownDead;
        }
        let path = self.path(name);
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_file() && metadata.len() == 0 => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return self.missing(),
            _ => return Found::NotKnownDead,
        }
        match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) if file.try_lock_shared().is_ok() => Found::Dead(LockFile { file, path, name: name.to_owned() }),
            Err(error) if error.kind() == ErrorKind::NotFound => self.missing(),
            _ => Found::NotKnownDead,
        }
    }

    /// The names of all of them. Whoever cannot list the directory knows of none.
    pub(crate) fn names(&self) -> Vec<String> {
        let (Some(directory), prefix) = (self.database.parent(), self.path("")) else { return Vec::new() };
        let prefix = prefix.file_name().unwrap_or_default().as_encoded_bytes();
        let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
        let files = entries.filter_map(|entry| entry.ok().map(|entry| entry.file_name()));
        let names = files.filter_map(|file| {
            let name = file.as_encoded_bytes().strip_prefix(prefix)?;
            String::from_utf8(name.to_vec()).ok().filter(|name| is_name(name))
        });
        names.collect()
    }

    /// A missing file is a dead owner's where the database is still in its place: else all files beside it would seem to be
    /// missing.
    fn missing(&self) -> Found {
        let is_in_place = self.identity.is_some() && identity(&self.database) == self.identity;
        if is_in_place { Found::Missing } else { Found::NotKnownDead }
    }

    fn path(&self, name: &str) -> PathBuf {
        let mut path = OsString::from(&self.database);
        path.push("-owner-");
        path.push(name);
        path.into()
    }
}

/// A lock file whose lock we have, until this is dropped.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
    path: PathBuf,
    name: String,
}

impl LockFile {
    fn is_in_place(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
    }

    /// Removes it while it is locked, so that nobody finds it without its owner. One that cannot be removed is found by a
    /// later recovery.
    pub(crate) fn remove(self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// What is not a name must not become part of a path.
fn is_name(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    path.symlink_metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
