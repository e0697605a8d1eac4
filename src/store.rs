//! The handle.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::clock::{self, Clock};
use crate::limits::Limits;
use crate::options::{OpenOptions, Uuids};
use crate::sqlite::{Database, Location};
use crate::{Error, Result};

/// An open store. A clone is the same store; it can be used from many threads at once.
///
/// # Errors of writing
///
/// Every verb that writes may answer [`Busy`](Error::Busy), [`ReadOnly`](Error::ReadOnly), [`Closed`](Error::Closed),
/// [`InsideBatch`](Error::InsideBatch), [`DiskFull`](Error::DiskFull), [`Damaged`](Error::Damaged),
/// [`TimeOutOfRange`](Error::TimeOutOfRange) if the clock is outside the years 1678 to 2261, or [`Engine`](Error::Engine):
/// nothing was written. After [`OutcomeUnknown`](Error::OutcomeUnknown) it may have been; a [key](crate::NewTask::key)
/// makes trying again harmless.
///
/// # Errors of reading
///
/// Every verb that reads may answer [`Closed`](Error::Closed), [`InsideBatch`](Error::InsideBatch),
/// [`Busy`](Error::Busy), [`Damaged`](Error::Damaged) or [`Engine`](Error::Engine).
///
/// # Closing
///
/// The store closes with its last clone, or for all of them by [`close`](Self::close). Nothing is left to be written
/// then; what [`Durability::Normal`](crate::Durability::Normal) does not promise, [`flush`](Self::flush) does.
#[derive(Clone, Debug)]
pub struct TaskStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    // Fields drop in this order: the files are closed before their directory is removed.
    database: Database,
    context: Context,
    _directory: Option<TemporaryDirectory>,
}

/// What a verb needs before it writes.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) limits: Limits,
    clock: Arc<dyn Clock>,
    uuids: Uuids,
}

impl Context {
    pub(crate) fn now_ns(&self) -> Result<i64> {
        clock::to_ns("clock", self.clock.now())
    }

    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(crate) fn new_uuid(&self) -> Uuid {
        (self.uuids.0)()
    }
}

impl TaskStore {
    /// Opens a store with the default [`OpenOptions`], creating the file if there is none.
    ///
    /// # Errors
    ///
    /// Those of [`OpenOptions::open`].
    ///
    /// # Example
    ///
    /// ```
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("tasks.db");
    /// let store = taskstore::TaskStore::open(&path)?;
    /// store.close()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        OpenOptions::new().open(path)
    }

    /// Opens an empty store in memory; see [`OpenOptions::open_in_memory`].
    ///
    /// # Errors
    ///
    /// Those of [`OpenOptions::open_in_memory`].
    pub fn open_in_memory() -> Result<Self> {
        OpenOptions::new().open_in_memory()
    }

    /// Opens an empty store in a temporary file; see [`OpenOptions::open_temporary`].
    ///
    /// # Errors
    ///
    /// Those of [`OpenOptions::open_temporary`].
    pub fn open_temporary() -> Result<Self> {
        OpenOptions::new().open_temporary()
    }

    /// Closes the store for all its clones: it waits for a call that is writing, and every later call is
    /// [`Closed`](Error::Closed). If no other process has the file open, its `-wal` is merged and goes.
    ///
    /// # Errors
    ///
    /// [`Busy`](Error::Busy) if a write does not end within the busy timeout, [`InsideBatch`](Error::InsideBatch),
    /// [`Closed`](Error::Closed) if it was closed before, [`Engine`](Error::Engine).
    /// What was acknowledged is kept in any case, as far as its [`Durability`](crate::Durability) promises.
    pub fn close(&self) -> Result<()> {
        self.shared.database.close()
    }

    /// Makes durable what this store has acknowledged before: when it answers `Ok`, that survives a crash of the system and
    /// a power cut, given a disk that honours a sync.
    ///
    /// It is for [`Durability::Normal`](crate::Durability::Normal), where it costs about one sync; there it waits its turn
    /// as a [`batch`](Self::batch) does. At [`Durability::Full`](crate::Durability::Full) every answer has promised that
    /// already, and in memory none can: there it does nothing.
    ///
    /// # Errors
    ///
    /// The [errors of writing](TaskStore#errors-of-writing): the promise is not given. After
    /// [`OutcomeUnknown`](Error::OutcomeUnknown) the disk has failed a sync, and a later `Ok` stands only for what was
    /// acknowledged after that.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{Durability, NewTask, OpenOptions};
    ///
    /// let store = OpenOptions::new().durability(Durability::Normal).open_temporary()?;
    /// for number in 1..=100 {
    ///     store.start_detached(NewTask::new(format!("Part {number}")))?;
    /// }
    /// store.flush()?; // one sync for the hundred
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn flush(&self) -> Result<()> {
        self.shared.database.flush()
    }

    /// Whether the store can only be read: by [`OpenOptions::read_only`] or
    /// [`immutable`](OpenOptions::immutable), or because the file or its directory cannot be written.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.shared.database.is_read_only()
    }

    pub(crate) fn open_file(options: &OpenOptions, path: &Path) -> Result<Self> {
        Self::new(options, Location::file(path)?, None)
    }

    pub(crate) fn open_memory(options: &OpenOptions) -> Result<Self> {
        Self::new(options, Location::Memory, None)
    }

    pub(crate) fn open_temporary_file(options: &OpenOptions) -> Result<Self> {
        let directory = TemporaryDirectory::new()?;
        Self::new(options, Location::file(&directory.0.join("tasks.db"))?, Some(directory))
    }

    fn new(options: &OpenOptions, location: Location, directory: Option<TemporaryDirectory>) -> Result<Self> {
        let database = Database::open(location, options)?;
        let context =
            Context { limits: options.limits, clock: Arc::clone(&options.clock), uuids: options.uuids.clone() };
        Ok(Self { shared: Arc::new(Shared { database, context, _directory: directory }) })
    }

    pub(crate) fn database(&self) -> &Database {
        &self.shared.database
    }

    pub(crate) fn context(&self) -> &Context {
        &self.shared.context
    }
}

/// A directory of mode 0700 that is removed, with what is in it, when this is dropped.
#[derive(Debug)]
struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("taskstore-{}", Uuid::new_v4()));
        let made = fs::DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|source| Error::Io { action: "make a temporary directory", source })?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own clean-up of its temporary directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}
