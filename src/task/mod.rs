//! Tasks: what a user started, what it said, and how it ended. Plain data.

mod counts;
mod filter;
pub(crate) mod kept_progress;
mod list;
mod not_ended;
pub(crate) mod operation;
mod outcomes;
pub(crate) mod position;
pub(crate) mod reason;
mod running;
mod time_range;
mod verbs;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use counts::TaskCounts;
pub use filter::{ConfigurationFilter, Dismissed, Order, TaskFilter};
pub use not_ended::{NotDetached, NotEnded, RunError};
pub use outcomes::Outcomes;
pub(crate) use running::DROP_PATIENCE;
pub use running::RunningTask;
pub use time_range::TimeRange;

use crate::configuration::ConfigurationId;
use crate::{Error, id::id_type};

id_type! {
    /// A task's id: positive, rising in the order of the starts, never used twice.
    TaskId, "task_id"
}

/// What happened to a task that has ended. It is never changed and never lost, also when the task is dismissed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did what it was to do.
    Finished,
    /// It did not.
    Failed,
    /// It was cut off before it could say: its guard was dropped, its store was closed, or its process died. What a process
    /// that died was doing becomes this with the next [recovery](crate::TaskStore::recover).
    Interrupted,
}

/// What a task is, in one word: [`Dismissed`](TaskState::Dismissed) if it is dismissed, else its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// It has not ended.
    InProgress,
    /// It ended well.
    Finished,
    /// It ended badly.
    Failed,
    /// It was cut off.
    Interrupted,
    /// It has ended, and a person has put it away.
    Dismissed,
}

impl fmt::Display for TaskState {
    /// In words: `in progress`, `finished`, `failed`, `interrupted`, `dismissed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::InProgress => "in progress",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Dismissed => "dismissed",
        })
    }
}

/// How much a message matters, in the words of `tracing`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Every step.
    Trace,
    /// For whoever looks into a fault.
    Debug,
    /// What a user wants to follow. The default.
    #[default]
    Info,
    /// Something is not as it should be; the task goes on.
    Warn,
    /// Why the task fails.
    Error,
}

impl Level {
    /// All levels, the least first.
    pub const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// The level's name: `trace`, `debug`, `info`, `warn` or `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = Error;

    /// Reads what [`Level::as_str`] writes.
    ///
    /// # Errors
    ///
    /// [`Invalid`](Error::Invalid) for any other text.
    fn from_str(name: &str) -> crate::Result<Self> {
        let problem = "must be trace, debug, info, warn or error";
        Self::ALL.into_iter().find(|level| level.as_str() == name).ok_or(Error::Invalid { field: "level", problem })
    }
}

/// How far a task in progress has come, in units of its own.
///
/// Each call of [`progress`](crate::TaskStore::progress) replaces the whole of it. It is written at most once a second,
/// and always the last one before the end; a process that is killed loses what was told in the second after the last
/// written one.
///
/// # Example
///
/// ```
/// let copied = taskstore::Progress::new(3).of(10).phase("copying");
/// assert_eq!((copied.done, copied.total), (3, Some(10)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Progress {
    /// What is done, from 0 to `i64::MAX`.
    pub done: u64,
    /// What there is to do, if that is known. It may turn out to be too low.
    pub total: Option<u64>,
    /// What the task is doing now. At most [`Limits::name_bytes_max`](crate::Limits::name_bytes_max).
    pub phase: Option<String>,
}

impl Progress {
    /// So much is done; how much there is to do is not known.
    #[must_use]
    pub fn new(done: u64) -> Self {
        Self { done, ..Self::default() }
    }

    /// … of so much.
    #[must_use]
    pub fn of(self, total: u64) -> Self {
        Self { total: Some(total), ..self }
    }

    /// What the task is doing now.
    #[must_use]
    pub fn phase(self, phase: impl Into<String>) -> Self {
        Self { phase: Some(phase.into()), ..self }
    }
}

/// A task that is to start.
///
/// # Example
///
/// ```
/// let task = taskstore::NewTask::new("Create standby").performed_by("ann");
/// assert_eq!(task.title, "Create standby");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewTask {
    /// What the task is. At most [`Limits::title_bytes_max`](crate::Limits::title_bytes_max), no NUL.
    pub title: String,
    /// The user who starts it; empty if nobody is named.
    pub performed_by: String,
    /// What it relates to.
    pub configuration: Option<ConfigurationId>,
    /// What tells a repeated start from another one; see [`NewTask::key`].
    pub key: Option<String>,
}

impl NewTask {
    /// A task of this title, of nobody and of no configuration.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// The user who starts it.
    #[must_use]
    pub fn performed_by(self, user: impl Into<String>) -> Self {
        Self { performed_by: user.into(), ..self }
    }

    /// What it relates to.
    #[must_use]
    pub fn configuration(self, id: ConfigurationId) -> Self {
        Self { configuration: Some(id), ..self }
    }

    /// Lets the start be repeated: where a task of this key exists, starting gives that task and writes nothing, whatever
    /// it has become and whatever else is asked for now.
    ///
    /// So a start whose answer was lost, or was [`OutcomeUnknown`](Error::OutcomeUnknown), is made again with the same
    /// key, also by another process. Each task of a file has a key of its own, and keeps it until it is deleted. At most
    /// [`Limits::name_bytes_max`](crate::Limits::name_bytes_max), not empty, no NUL: a name of the work, or a random uuid.
    ///
    /// A repeated [`TaskStore::start`](crate::TaskStore::start) gives a guard of the first task, which interrupts that if
    /// it is dropped, though another guard answers for it too; a task that has ended it leaves as it is. If the task has no
    /// owner, since it was detached, the store of the repeated start is its owner from now on. What another store owns it goes
    /// on owning: if that one dies, the task is interrupted, whoever has asked for it since.
    /// [`TaskStore::run`](crate::TaskStore::run) does its work at every call: a key only keeps it from starting a second
    /// task.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{Error, NewTask, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let import = NewTask::new("Import").key("import of 2026-11-21");
    /// let id = match store.start_detached(import.clone()) {
    ///     Err(Error::OutcomeUnknown { .. }) => store.start_detached(import.clone())?, // started now, or found
    ///     answer => answer?,
    /// };
    /// store.finish(id)?;
    /// assert_eq!(store.start_detached(import)?, id);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }
}

/// A task as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What it relates to; `None` if that is nothing, or was deleted since.
    pub configuration_id: Option<ConfigurationId>,
    /// The configuration's name, the last one if it was deleted; empty if there never was one.
    pub configuration_name: String,
    /// What it is.
    pub title: String,
    /// The user who started it; empty if nobody was named.
    pub performed_by: String,
    /// What happened; `None` while it is in progress.
    pub outcome: Option<Outcome>,
    /// When it started.
    pub started: DateTime<Utc>,
    /// When it was last changed: by a message, progress, its end, a dismissal or a restore. Never goes back.
    pub updated: DateTime<Utc>,
    /// When it ended; never before `started`.
    pub finished: Option<DateTime<Utc>>,
    /// Who has put it away.
    pub dismissed_by: Option<String>,
    /// When.
    pub dismissed: Option<DateTime<Utc>>,
    /// How far it has come, if it ever said.
    pub progress: Option<Progress>,
    /// How many messages it has; also the `seq` of the newest.
    pub message_count: u64,
    /// The highest level of its messages, if that is `warn` or `error`; `None` if they are all below, or there is none.
    pub level_reached: Option<Level>,
    /// The [key](NewTask::key) that it was started with.
    pub key: Option<String>,
}

impl Task {
    /// What the task is, in one word.
    #[must_use]
    pub fn state(&self) -> TaskState {
        state(self.outcome, self.dismissed.is_some())
    }
}

/// The one place where a state is derived.
pub(crate) fn state(outcome: Option<Outcome>, dismissed: bool) -> TaskState {
    match outcome {
        _ if dismissed => TaskState::Dismissed,
        None => TaskState::InProgress,
        Some(Outcome::Finished) => TaskState::Finished,
        Some(Outcome::Failed) => TaskState::Failed,
        Some(Outcome::Interrupted) => TaskState::Interrupted,
    }
}

/// Something a task said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Its place among the task's messages, which count from 1 without a gap.
    pub seq: u64,
    /// When it was said, by the store's clock.
    pub time: DateTime<Utc>,
    /// How much it matters.
    pub level: Level,
    /// What was said: any text, also none, also many lines.
    pub text: String,
    /// The key that it was recorded with by [`message_once`](crate::TaskStore::message_once).
    pub key: Option<String>,
}

/// A task and all its messages.
///
/// As JSON it is the task's object with a member `messages` behind the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TaskWithMessages {
    /// The task.
    #[serde(flatten)]
    pub task: Task,
    /// What it said, oldest first.
    pub messages: Vec<Message>,
}
