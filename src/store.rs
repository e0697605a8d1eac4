//! The handle.

use std::fs;
use std::mem;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::clock::{self, Clock};
use crate::limits::Limits;
use crate::options::{OpenOptions, Uuids};
use crate::owner::Owner;
use crate::sqlite::owner::{Interrupted, Interruption};
use crate::sqlite::{self, Database, Location, Write};
use crate::task::kept_progress::KeptProgress;
use crate::task::{DROP_PATIENCE, reason};
use crate::{Error, Result};

/// An open store. A clone is the same store; it can be used from many threads at once.
///
/// # Errors of writing
///
/// Every verb that writes may answer [`Busy`](Error::Busy), [`ReadOnly`](Error::ReadOnly), [`Closed`](Error::Closed),
/// [`InsideBatch`](Error::InsideBatch), [`Forked`](Error::Forked), [`DiskFull`](Error::DiskFull),
/// [`OutOfMemory`](Error::OutOfMemory), [`Damaged`](Error::Damaged),
/// [`TimeOutOfRange`](Error::TimeOutOfRange) if the clock is outside the years 1678 to 2261,
/// [`FileMoved`](Error::FileMoved), [`CannotOpen`](Error::CannotOpen) or [`Io`](Error::Io) if the file is no longer in its
/// place or cannot be opened again after a failure, or [`Engine`](Error::Engine): nothing was written, unless `FileMoved` says
/// that the change went with the file. After [`OutcomeUnknown`](Error::OutcomeUnknown) it may have been; a
/// [key](crate::NewTask::key) makes trying again harmless.
///
/// A disk that fails several writes in a row is left alone: for 50 ms at first and at most a second, writes are refused at
/// once with the last failure; then one tries again. So a store writes again within two seconds of the end of the fault;
/// after a failed sync, once those have ended, too, who were reading then.
///
/// # Errors of reading
///
/// Every verb that reads may answer [`Closed`](Error::Closed), [`InsideBatch`](Error::InsideBatch),
/// [`Forked`](Error::Forked), [`Busy`](Error::Busy), [`OutOfMemory`](Error::OutOfMemory), [`Damaged`](Error::Damaged),
/// [`Engine`](Error::Engine), or, where another connection has to be opened, [`FileMoved`](Error::FileMoved),
/// [`CannotOpen`](Error::CannotOpen), [`DiskFull`](Error::DiskFull) or [`Io`](Error::Io).
///
/// # Closing
///
/// The store closes with its last clone, or for all of them by [`close`](Self::close). What was acknowledged is written
/// already, but for the [`progress`](Self::progress) of the last second, which closing writes: `close` says if it cannot,
/// while the last clone that is dropped tries for a second at most and ignores what goes wrong. What
/// [`Durability::Normal`](crate::Durability::Normal) does not promise, [`flush`](Self::flush) does.
///
/// A closed store answers for nothing any more. A task or run that it was [to end](Self::start) and that is still in
/// progress, because its guard is alive or could not record its end, becomes interrupted with the closing ("interrupted: its
/// store was closed"); where that cannot be written, the next [recovery](Self::recover) does it.
///
/// # Forking
///
/// A process that was forked from the one that opened the store, and that has not executed another program, must not use
/// what SQLite has open there: in it every verb is [`Forked`](Error::Forked), and dropping the store, or a guard of it, does
/// nothing. It cannot open the file anew either: SQLite would take its parent's locks for its own. Fork first and open then,
/// or execute another program. A [batch](Self::batch) inside which it was forked is refused at its end. As long as it
/// lives, its parent's work is not [found interrupted](Self::recover) if the parent dies, since it holds its parent's lock.
#[derive(Clone, Debug)]
pub struct TaskStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    // Fields drop in this order: the files are closed before their directory is removed.
    /// Always there, but while this is dropped.
    database: Option<Database>,
    context: Context,
    directory: Option<TemporaryDirectory>,
}

impl Shared {
    fn database(&self) -> &Database {
        self.database.as_ref().expect("only `drop` takes the database out")
    }

    fn write_kept_progress(&self, patience: Duration, silent_at: Option<Duration>) -> Result<()> {
        if self.context.kept_progress.is_empty() {
            return Ok(());
        }
        let kept_progress = Arc::clone(&self.context.kept_progress);
        let written = self.database().write_within(patience, move |write| {
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

    /// What a crash of the process does besides ending its writes: the lock is let go, and its file stays.
    #[cfg(feature = "testing")]
    fn crash(&self) {
        if let Some(owner) = &self.context.owner {
            owner.end(false);
        }
        self.database().close_idle_readers();
    }

    /// Interrupts what the store still owns, part by part as `write` writes them, and takes leave as an owner. What cannot
    /// be written is left to the next recovery.
    fn retire(&self, write: impl Fn(Retirement) -> Result<Interrupted>) {
        let Some(owner) = self.context.owner.as_ref().filter(|owner| owner.has_begun()) else { return };
        let retire = || {
            let how = self.context.interruption("interrupted: its store was closed")?;
            while !write(Retirement { owner: Arc::clone(owner), how: how.clone() })?.is_all {}
            Ok::<_, Error>(())
        };
        owner.end(retire().is_ok());
    }
}

/// The interruption of a part of what a store still owns.
struct Retirement {
    owner: Arc<Owner>,
    how: Interruption,
}

impl Retirement {
    fn run(&self, write: &Write<'_>) -> Result<Interrupted> {
        self.owner.retire_some(write, &self.how)
    }
}

impl Drop for Shared {
    /// There is nobody left to tell of a failure.
    fn drop(&mut self) {
        if self.database().is_forked() {
            // All of it is the parent's.
            mem::forget(self.database.take());
            return mem::forget(self.directory.take());
        }
        let deadline = Instant::now() + DROP_PATIENCE;
        let patience = || deadline.saturating_duration_since(Instant::now());
        let _ = self.write_kept_progress(patience(), None);
        self.retire(|retirement| self.database().write_within(patience(), move |write| retirement.run(write)));
    }
}

/// What a verb needs before it writes.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) limits: Limits,
    pub(crate) kept_progress: Arc<KeptProgress>,
    /// `None` in memory, where nothing outlives the process.
    pub(crate) owner: Option<Arc<Owner>>,
    clock: Arc<dyn Clock>,
    uuids: Uuids,
}

impl Context {
    /// The same by another clock, which answers for nothing and keeps nothing.
    #[cfg(feature = "testing")]
    pub(crate) fn by_clock(&self, clock: Arc<dyn Clock>) -> Self {
        let Self { limits, uuids, .. } = self;
        Self { limits: *limits, kept_progress: Arc::default(), owner: None, clock, uuids: uuids.clone() }
    }

    pub(crate) fn now_ns(&self) -> Result<i64> {
        clock::to_ns("clock", self.clock.now())
    }

    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// An interruption now, for this reason.
    pub(crate) fn interruption(&self, reason: &str) -> Result<Interruption> {
        Ok(Interruption { reason: reason::cut(reason.to_owned(), self.limits.text_bytes_max), now_ns: self.now_ns()? })
    }

    /// The same with uuids of another source.
    #[cfg(feature = "testing")]
    pub(crate) fn with_uuids(self, source: impl Fn() -> Uuid + Send + Sync + 'static) -> Self {
        Self { uuids: Uuids(Arc::new(source)), ..self }
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
    /// [`progress`](Self::progress) that is not written yet, interrupts what the store still [answers for](Self#closing),
    /// and every later call is [`Closed`](Error::Closed). If no
    /// other process has the file open, its `-wal` is merged and goes.
    ///
    /// # Errors
    ///
    /// [`Busy`](Error::Busy) if a write does not end within the busy timeout, [`InsideBatch`](Error::InsideBatch),
    /// [`Closed`](Error::Closed) if it was closed before, [`Engine`](Error::Engine). If there is progress to write, also
    /// the other [errors of writing](Self#errors-of-writing): then the store stays open, and has lost nothing.
    pub fn close(&self) -> Result<()> {
        self.database().refuse_forked()?;
        let kept_progress = &self.context().kept_progress;
        kept_progress.stop_keeping();
        let closed = self.write_kept_progress(Duration::MAX, None).and_then(|()| {
            self.database()
                .close(|closing| self.shared.retire(|retirement| closing.write(|write| retirement.run(write))))
        });
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
        self.database().refuse_forked()?;
        self.write_kept_progress(Duration::MAX, None)?;
        self.database().flush()
    }

    /// Runs an operation that starts something which this store is to answer for.
    pub(crate) fn write_owned<T: Send + 'static>(
        &self,
        operation: impl Fn(&Write<'_>) -> Result<T> + Send + Sync + 'static,
    ) -> Result<T> {
        let Some(owner) = self.context().owner.as_ref().filter(|_| !self.is_ready_to_own()) else {
            return self.database().write(operation);
        };
        self.database().refuse_inside()?;
        if self.is_read_only() {
            return Err(Error::ReadOnly);
        }
        owner.make_ready()?;
        let answer = self.database().write(operation);
        if matches!(answer, Err(Error::Closed)) {
            // It has taken leave meanwhile.
            owner.end(true);
        }
        answer
    }

    /// Whether [`write_owned`](Self::write_owned) is but a write.
    pub(crate) fn is_ready_to_own(&self) -> bool {
        self.context().owner.as_ref().is_none_or(|owner| owner.is_ready())
    }

    /// Runs an operation by which this store no longer answers for something; it is given the store's id as an owner.
    pub(crate) fn write_detached(
        &self,
        operation: impl Fn(&Write<'_>, i64) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        match self.detached(operation) {
            None => self.database().refuse_inside(),
            Some(detach) => self.database().write(detach),
        }
    }

    /// What such an operation writes; `None` where nobody answers for anything.
    pub(crate) fn detached(
        &self,
        operation: impl Fn(&Write<'_>, i64) -> Result<()> + Send + Sync + 'static,
    ) -> Option<impl Fn(&Write<'_>) -> Result<()> + Send + Sync + 'static> {
        let owner = self.context().owner.clone()?;
        Some(move |write: &Write<'_>| match owner.known_id(write)? {
            Some(id) => operation(write, id),
            None => Ok(()),
        })
    }

    /// An end was refused because what was to end has ended before: maybe this store passed for dead.
    pub(crate) fn doubt_owner(&self, refused: &Error) {
        if let (Some(owner), Error::WrongState { .. } | Error::RunEnded { .. }) = (&self.context().owner, refused) {
            owner.doubt();
        }
    }

    /// Whether the store can only be read: by [`OpenOptions::read_only`] or
    /// [`immutable`](OpenOptions::immutable), or because the file or its directory cannot be written.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.database().is_read_only()
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
        let database = Database::open(location.clone(), options)?;
        let owner = match location {
            Location::File(path) => Some(Arc::new(Owner::new(&path))),
            Location::Memory => None,
        };
        let context = Context {
            limits: options.limits,
            kept_progress: Arc::default(),
            owner,
            clock: Arc::clone(&options.clock),
            uuids: options.uuids.clone(),
        };
        let store = Self { shared: Arc::new(Shared { database: Some(database), context, directory }) };
        #[cfg(feature = "testing")]
        {
            let shared = Arc::downgrade(&store.shared);
            store.database().on_crash(move || {
                if let Some(shared) = shared.upgrade() {
                    shared.crash();
                }
            });
        }
        if options.recover {
            store.recover_at_open();
        }
        Ok(store)
    }

    pub(crate) fn database(&self) -> &Database {
        self.shared.database()
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
