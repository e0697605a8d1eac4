//! Why a call failed.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::import::ImportProblem;
pub use crate::sqlite::EngineError;
use crate::system_task::RunId;
use crate::task::{TaskId, TaskState};

/// What every call of this crate answers with.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. Nothing has changed on disk, unless the variant is [`Error::OutcomeUnknown`], or
/// [`Error::FileMoved`] and it says so.
///
/// The text names what happened and to which task; the cause, where there is one, is the
/// [`source`](std::error::Error::source) and is not repeated in the text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No row has this id. A deleted configuration counts as gone.
    #[error("{what} {id} does not exist")]
    NotFound {
        /// `"task"`, `"configuration"` or `"run"`.
        what: &'static str,
        /// The id that was asked for.
        id: i64,
    },

    /// No system task has this uuid, or none that the call can see.
    #[error("system task {uuid} does not exist")]
    NoSuchSystemTask {
        /// The uuid that was asked for.
        uuid: Uuid,
    },

    /// The run of a system task has ended: nothing is added to it.
    #[error("cannot {action} run {id}: it has ended")]
    RunEnded {
        /// What was tried, as a verb: `"finish"`.
        action: &'static str,
        /// The run.
        id: RunId,
    },

    /// The task is not in a state that allows the change.
    #[error("cannot {action} task {id}: it is {found}{by}; it must be {needed}", by = by(dismissed_by.as_deref()))]
    WrongState {
        /// What was tried, as a verb: `"finish"`.
        action: &'static str,
        /// The task.
        id: TaskId,
        /// What it is.
        found: TaskState,
        /// Who dismissed it, if it is dismissed.
        dismissed_by: Option<String>,
        /// What it had to be, in words.
        needed: &'static str,
    },

    /// A text is longer than its limit; see [`Limits`](crate::Limits).
    #[error("{field} is {bytes} bytes long; the limit is {bytes_max}")]
    TooLong {
        /// The member or parameter.
        field: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },

    /// A number is outside its range.
    #[error("{field} is {value:?}; it must be a whole number from {min} to {max}")]
    OutOfRange {
        /// The member or parameter.
        field: &'static str,
        /// What was given, as text.
        value: String,
        /// The least that is taken.
        min: i64,
        /// The most that is taken.
        max: i64,
    },

    /// A time cannot be stored: nanoseconds since 1970 fill an `i64` from the year 1677 to 2262.
    #[error("{field} is {time}; a time must lie between the years 1678 and 2261")]
    TimeOutOfRange {
        /// The time's name; `"clock"` for the store's own clock.
        field: &'static str,
        /// What it was.
        time: DateTime<Utc>,
    },

    /// An input is not of the form it must have.
    #[error("{field} {problem}")]
    Invalid {
        /// The member or parameter.
        field: &'static str,
        /// What is wrong, or must be.
        problem: &'static str,
    },

    /// Another writer held the file, or this store, for the whole busy timeout. Nothing was written: try again.
    #[error("the store was busy for {} ms", waited.as_millis())]
    Busy {
        /// How long the call waited.
        waited: Duration,
    },

    /// The store was opened for reading only, or the file or its directory cannot be written.
    #[error("the store is read-only")]
    ReadOnly,

    /// The store was closed by [`TaskStore::close`](crate::TaskStore::close).
    #[error("the store is closed")]
    Closed,

    /// The store was opened by another process, of which this one was forked: what SQLite has open, and has locked, is that
    /// process's. Nothing was read or written. Nor can this process open a file that the other had open at the fork: it has to
    /// execute a program first, or to be forked before.
    #[error(
        "process {opened_by} had the store open when process {called_by} was forked from it; fork before, or execute a program"
    )]
    Forked {
        /// The process that opened the store.
        opened_by: u32,
        /// The process that called it.
        called_by: u32,
    },

    /// A call to the store itself from inside its own `batch`, which would wait for itself.
    #[error("the store was called inside its own batch; use the batch's methods there")]
    InsideBatch,

    /// The disk is full, or what this process may take of it: a quota, or its limit on the size of a file. Reads go on, and
    /// writes will once there is space.
    #[error("the disk is full; nothing was written")]
    DiskFull {
        /// What SQLite said.
        source: EngineError,
    },

    /// There was not enough memory for SQLite. The store goes on when there is.
    #[error("out of memory")]
    OutOfMemory {
        /// What SQLite said.
        source: EngineError,
    },

    /// The path is a symbolic link, which could lead the store into another file.
    #[error("{} is a symbolic link; give the path of the file itself", path.display())]
    SymbolicLink {
        /// The path.
        path: PathBuf,
    },

    /// There is a file of the name that a new one was to get, or what SQLite keeps beside such a file. It was not changed.
    #[error("{} exists already; choose another name", path.display())]
    AlreadyExists {
        /// What there is.
        path: PathBuf,
    },

    /// The caller's own function ended the work early. Nothing of it is left.
    #[error("{work} was stopped")]
    Stopped {
        /// What was going on: `"the backup"`.
        work: &'static str,
    },

    /// SQLite cannot open the file. If its directory cannot be written and nobody writes the file,
    /// [`OpenOptions::immutable`](crate::OpenOptions::immutable) reads it.
    #[error("cannot open {}; if its directory is read-only and nobody writes the file, open it as immutable", path.display())]
    CannotOpen {
        /// The path.
        path: PathBuf,
        /// What SQLite said.
        source: EngineError,
    },

    /// The file was moved, deleted or replaced while the store had it open, or its `-wal` was. What is written to it then is
    /// lost with it, so nothing is: writing goes on by itself once the file is back in its place. A commit at the very
    /// moment is in the file that is gone, and comes back with that.
    #[error(
        "the file at {} was moved, deleted or replaced while the store had it open; {}; open the store again",
        path.display(),
        if *written { "the change went with it" } else { "nothing was written" }
    )]
    FileMoved {
        /// Where the file was.
        path: PathBuf,
        /// Whether the change is in the file that is gone.
        written: bool,
    },

    /// The file is on a network file system. SQLite's locks and its shared memory do not work between machines, so two of
    /// them would damage it; see [`OpenOptions::allow_network_file_system`](crate::OpenOptions::allow_network_file_system).
    #[error("{} is on {file_system}, a network file system, where a store can be damaged; put it on a local disk", path.display())]
    NetworkFileSystem {
        /// The path.
        path: PathBuf,
        /// The file system's type, as the system names it: `"nfs4"`.
        file_system: String,
    },

    /// The file is not a taskstore file. It was not changed.
    #[error("{} is not a taskstore file", path.display())]
    NotATaskStore {
        /// The path.
        path: PathBuf,
    },

    /// The file was written by a newer version of this crate. It was not changed.
    #[error("{} has schema version {found}, but this program knows versions up to {newest}; use a newer one", path.display())]
    SchemaTooNew {
        /// The path.
        path: PathBuf,
        /// The file's version.
        found: i64,
        /// The newest version that this crate reads.
        newest: i64,
    },

    /// The file is damaged: a page of it, or a table that is gone, or a value that nothing of ours has written. Restore it from a backup, or copy out what can still be read.
    #[error("the file is damaged")]
    Damaged {
        /// What SQLite said.
        source: EngineError,
    },

    /// SQLite did not take a setting that the store's promises rest on.
    #[error("SQLite set {setting} to {found:?} instead of {wanted:?}")]
    SettingRefused {
        /// The pragma or option.
        setting: &'static str,
        /// What was asked for.
        wanted: String,
        /// What SQLite says it is.
        found: String,
    },

    /// A line of an [import](crate::TaskStore::import) is not what an export writes, or cannot be stored. Nothing was
    /// imported.
    #[error("line {line} of the import was refused, and nothing was imported")]
    ImportRefused {
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        source: ImportProblem,
    },

    /// A cursor that this list did not give out.
    #[error("the cursor {cursor:?} does not belong to this list")]
    InvalidCursor {
        /// The cursor.
        cursor: String,
    },

    /// A commit failed half-way: what it was to write may be on disk or not. Read before trying again, or give a key, with
    /// which trying again is harmless: [`NewTask::key`](crate::NewTask::key),
    /// [`TaskStore::message_once`](crate::TaskStore::message_once), [`RunOptions::key`](crate::RunOptions::key),
    /// [`LogEvent::key`](crate::LogEvent::key).
    #[error("it is not known whether the change was written")]
    OutcomeUnknown {
        /// What SQLite said.
        source: EngineError,
    },

    /// An `AsyncTaskStore` was called outside of a tokio runtime, or its runtime was shut down before the call had begun.
    /// Nothing was read or written.
    #[error("the call was not made: there is no tokio runtime, or it was shut down")]
    NoRuntime,

    /// The system refused something outside the database.
    #[error("could not {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },

    /// SQLite failed in a way that has no variant of its own.
    #[error("could not {action}")]
    Engine {
        /// What was tried.
        action: &'static str,
        /// What SQLite said.
        source: EngineError,
    },
}

impl Error {
    /// Whether the same call may succeed later as it is: [`Error::Busy`], [`Error::DiskFull`] and [`Error::OutOfMemory`].
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::DiskFull { .. } | Self::OutOfMemory { .. })
    }
}

/// " by ann" behind "dismissed", or nothing.
fn by(dismissed_by: Option<&str>) -> String {
    dismissed_by.map(|name| format!(" by {name}")).unwrap_or_default()
}
