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
use crate::sqlite::{self, Database, Location};
use crate::task::DROP_PATIENCE;
use crate::task::kept_progress::KeptProgress;
use crate::{Error, Result};

/// An open store. A clone is the same store; it can be used from many threads at once.
///
/// # Errors of writing
///
/// Every verb that writes may answer [`Busy`](Error::Busy), [`ReadOnly`](Error::ReadOnly), [`Closed`](Error::Closed),
/// [`InsideBatch`](Error::InsideBatch), [`DiskFull`](Error::DiskFull), [`OutOfMemory`](Error::OutOfMemory),
/// [`Damaged`](Error::Damaged),
/// [`TimeOutOfRange`](Error::TimeOutOfRange) if the clock is outside the years 1678 to 2261, or [`Engine`](Error::Engine):
/// nothing was written. After [`OutcomeUnknown`](Error::OutcomeUnknown) it may have been; a [key](crate::NewTask::key)
/// makes trying again harmless.
///
/// # Errors of reading
///
/// Every verb that reads may answer [`Closed`](Error::Closed), [`InsideBatch`](Error::InsideBatch),
/// [`Busy`](Error::Busy), [`OutOfMemory`](Error::OutOfMemory), [`Damaged`](Error::Damaged) or [`Engine`](Error::Engine).
///
/// # Closing
///
/// The store closes with its last clone, or for all of them by [`close`](Self::close). What was acknowledged is written
/// already, but for the [`progress`](Self::progress) of the last second, which closing writes: `close` says if it cannot,
/// while the last clone that is dropped tries for a second at most and ignores what goes wrong. What
/// [`Durability::Normal`](crate::Durability::Normal) does not promise, [`flush`](Self::flush) does.
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

impl Shared {
    fn write_kept_progress(&self, patience: Duration, silent_at: Option<Duration>) -> Result<()> {
        if self.context.kept_progress.is_empty() {
            return Ok(());
        }
        let kept_progress = Arc::clone(&self.context.kept_progress);
        let written = self.database.write_within(patience, move |write| {
            let unwritten = kept_progress.unwritten(silent_at).into_iter();
            let calls = unwritten.map(|(id, number, progress)| {
                let in_progress = sqlite::task::set_progress(write, id, &progress)?;
                Ok((id, number, in_progress))
            });
            calls.collect::<Result<Vec<_>>>()
        })?;
        self.context.kept_progress.written(written, self.context.monotonic());
        Ok(())
    }
}

impl Drop for Shared {
    /// There is nobody left to tell of a failure.
    fn drop(&mut self) {
        let _ = self.write_kept_progress(DROP_PATIENCE, None);
    }
}

/// What a verb needs before it writes.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) limits: Limits,
    pub(crate) kept_progress: Arc<KeptProgress>,
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

    /// Closes the store for all its clones: it waits for a call that is writing, writes the
    /// [`progress`](Self::progress) that is not written yet, and every later call is [`Closed`](Error::Closed). If no
    /// other process has the file open, its `-wal` is merged and goes.
    ///
    /// # Errors
    ///
    /// [`Busy`](Error::Busy) if a write does not end within the busy timeout, [`InsideBatch`](Error::InsideBatch),
    /// [`Closed`](Error::Closed) if it was closed before, [`Engine`](Error::Engine). If there is progress to write, also
    /// the other [errors of writing](Self#errors-of-writing): then the store stays open, and has lost nothing.
    pub fn close(&self) -> Result<()> {
        let kept_progress = &self.context().kept_progress;
        kept_progress.stop_keeping();
        let closed = self.write_kept_progress(Duration::MAX, None).and_then(|()| self.database().close());
        closed.inspect_err(|_| kept_progress.keep_again())
    }

    /// Writes the progress that is kept, in one transaction: all of it; or, with a time, that of the tasks of which none
    /// was written in the second before.
    pub(crate) fn write_kept_progress(&self, patience: Duration, silent_at: Option<Duration>) -> Result<()> {
        self.shared.write_kept_progress(patience, silent_at)
    }

    /// Makes durable what this store has acknowledged before: when it answers `Ok`, that survives a crash of the system and
    /// a power cut, given a disk that honours a sync. [`Progress`](crate::Progress) that is kept in memory is written.
    ///
    /// It is for [`Durability::Normal`](crate::Durability::Normal), where it costs about one sync; there it waits its turn
    /// as a [`batch`](Self::batch) does. At [`Durability::Full`](crate::Durability::Full) every answer but that of
    /// `progress` has promised that already, and in memory none can.
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
        self.write_kept_progress(Duration::MAX, None)?;
        self.database().flush()
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
        let context = Context {
            limits: options.limits,
            kept_progress: Arc::default(),
            clock: Arc::clone(&options.clock),
            uuids: options.uuids.clone(),
        };
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
