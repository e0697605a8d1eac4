//! How a store is opened.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::clock::{Clock, SystemClock};
use crate::limits::Limits;
use crate::{Result, TaskStore};

/// What a call that answered `Ok` promises of the disk.
///
/// When a call returns `Ok` at [`Durability::Full`], the write survives process death, OS crash and power loss, given a
/// disk that honours fsync. At [`Durability::Normal`] it survives process death; power loss may drop the latest writes,
/// never reorder or corrupt. An `Err` means not applied. [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) means it
/// may be: retry with the same [key](crate::NewTask::key), it is applied at most once. Of a file that is no longer at its
/// path, [`Error::FileMoved`](crate::Error::FileMoved) says which of the two it is.
///
/// Only progress may be acknowledged before it is written: calls of [`progress`](TaskStore::progress) are coalesced, to at
/// most one write a second for each task. The last one before the task's end is always written, by the store that ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// The default. It costs one sync a call, which calls from several threads share.
    #[default]
    Full,
    /// It costs hardly any sync. [`TaskStore::flush`] promises of all that was acknowledged before what
    /// [`Durability::Full`] does.
    Normal,
}

/// The source of uuids.
#[derive(Clone)]
pub(crate) struct Uuids(pub(crate) Arc<dyn Fn() -> Uuid + Send + Sync>);

impl fmt::Debug for Uuids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uuids")
    }
}

/// How a store is opened: a builder whose defaults are right for most.
///
/// | option | default | |
/// | --- | --- | --- |
/// | [`durability`](Self::durability) | [`Durability::Full`] | what `Ok` promises |
/// | [`busy_timeout`](Self::busy_timeout) | 5 s | how long a call waits for other writers |
/// | [`clock`](Self::clock) | [`SystemClock`] | where times come from |
/// | [`uuids`](Self::uuids) | random, version 4 | where the uuids of system tasks come from |
/// | [`limits`](Self::limits) | [`Limits::default`] | the largest inputs |
/// | [`recover`](Self::recover) | yes | interrupt the work of dead processes first |
/// | [`read_only`](Self::read_only) | no | refuse to write |
/// | [`immutable`](Self::immutable) | no | nobody writes the file: skip all locks |
/// | [`allow_network_file_system`](Self::allow_network_file_system) | no | open a file that other machines may open, too |
///
/// # Example
///
/// ```
/// use taskstore::{Durability, OpenOptions};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("tasks.db");
/// let store = OpenOptions::new().durability(Durability::Normal).open(&path)?;
/// assert!(!store.is_read_only());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions {
    pub(crate) durability: Durability,
    pub(crate) busy_timeout: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) uuids: Uuids,
    pub(crate) limits: Limits,
    pub(crate) recover: bool,
    pub(crate) read_only: bool,
    pub(crate) immutable: bool,
    pub(crate) allow_network_file_system: bool,
    #[cfg(feature = "testing")]
    pub(crate) faults: Option<crate::testing::Faults>,
}

impl OpenOptions {
    /// The longest busy timeout, a day; a longer one is taken as this.
    pub const BUSY_TIMEOUT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

    /// The defaults of the table above.
    #[must_use]
    pub fn new() -> Self {
        Self {
            durability: Durability::Full,
            busy_timeout: Duration::from_secs(5),
            clock: Arc::new(SystemClock),
            uuids: Uuids(Arc::new(Uuid::new_v4)),
            limits: Limits::default(),
            recover: true,
            read_only: false,
            immutable: false,
            allow_network_file_system: false,
            #[cfg(feature = "testing")]
            faults: None,
        }
    }

    /// What `Ok` promises of the disk.
    #[must_use]
    pub fn durability(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }

    /// How long a call waits for other writers, of this process and of others, before it is
    /// [`Busy`](crate::Error::Busy). At most [`BUSY_TIMEOUT_MAX`](Self::BUSY_TIMEOUT_MAX).
    #[must_use]
    pub fn busy_timeout(self, timeout: Duration) -> Self {
        Self { busy_timeout: timeout.min(Self::BUSY_TIMEOUT_MAX), ..self }
    }

    /// Where the store's times come from.
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Where the uuids of system tasks come from. They must differ.
    #[must_use]
    pub fn uuids(self, source: impl Fn() -> Uuid + Send + Sync + 'static) -> Self {
        Self { uuids: Uuids(Arc::new(source)), ..self }
    }

    /// The largest inputs that the store takes.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Whether opening does what [`TaskStore::recover`] does, so that what dead processes were doing is shown as interrupted
    /// from the first reading on. Where another writer keeps it from that for a second, or the disk is full, the store opens
    /// all the same. A store that only reads never does.
    #[must_use]
    pub fn recover(self, recover: bool) -> Self {
        Self { recover, ..self }
    }

    /// Opens an existing file for reading only: every verb that writes is [`ReadOnly`](crate::Error::ReadOnly).
    #[must_use]
    pub fn read_only(self, read_only: bool) -> Self {
        Self { read_only, ..self }
    }

    /// Opens an existing file for reading only, without any lock. This reads a file in a directory that cannot be
    /// written, and is right only while **nobody** writes the file: else what is read may be wrong.
    /// What a crashed writer left in the file's `-wal` is not seen.
    #[must_use]
    pub fn immutable(self, immutable: bool) -> Self {
        Self { immutable, ..self }
    }

    /// Opens a file on a network file system (NFS, SMB, 9p, sshfs …) all the same. That is right only while **one** machine
    /// has it open, and the file system keeps locks between processes: SQLite shares memory between all who have a file
    /// open, and machines share none. Only Linux tells what a file system is; elsewhere none is refused. An
    /// [`immutable`](Self::immutable) file needs no leave.
    #[must_use]
    pub fn allow_network_file_system(self, allow: bool) -> Self {
        Self { allow_network_file_system: allow, ..self }
    }

    /// Opens a store, creating the file, with mode 0600, if there is none. The directory must exist.
    ///
    /// A file or directory that cannot be written is opened for reading only where SQLite can read it;
    /// [`TaskStore::is_read_only`] tells. Opening costs the same whatever the size of the file, but for the work of dead
    /// processes that it [interrupts](Self::recover).
    ///
    /// # Errors
    ///
    /// Nothing is changed where the file is refused: [`NotATaskStore`](crate::Error::NotATaskStore),
    /// [`SchemaTooNew`](crate::Error::SchemaTooNew), [`Damaged`](crate::Error::Damaged),
    /// [`SymbolicLink`](crate::Error::SymbolicLink), [`NetworkFileSystem`](crate::Error::NetworkFileSystem). Otherwise [`Io`](crate::Error::Io) if the directory or file cannot be
    /// reached, [`Busy`](crate::Error::Busy), [`DiskFull`](crate::Error::DiskFull),
    /// [`OutOfMemory`](crate::Error::OutOfMemory), [`SettingRefused`](crate::Error::SettingRefused) or [`Engine`](crate::Error::Engine).
    pub fn open(&self, path: impl AsRef<Path>) -> Result<TaskStore> {
        TaskStore::open_file(self, path.as_ref())
    }

    /// Opens an empty store in memory. It has one connection: readers wait for writers there, which they never do
    /// in a file. Tests are better served by [`open_temporary`](Self::open_temporary).
    ///
    /// # Errors
    ///
    /// [`SettingRefused`](crate::Error::SettingRefused) or [`Engine`](crate::Error::Engine).
    pub fn open_in_memory(&self) -> Result<TaskStore> {
        TaskStore::open_memory(self)
    }

    /// Opens an empty store in a file in a new directory, which is removed with the last handle of the store.
    ///
    /// # Errors
    ///
    /// [`Io`](crate::Error::Io) if the directory cannot be made, and those of [`open`](Self::open).
    pub fn open_temporary(&self) -> Result<TaskStore> {
        TaskStore::open_temporary_file(self)
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}
