//! System tasks: background jobs, their runs and what those log. Plain data.

mod event;
mod filter;
pub(crate) mod operation;
mod running;
pub(crate) mod search;
mod verbs;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use event::{Attributes, LogEvent, LogLevel, LoggedEvent};
pub use filter::{Direction, NumberedPage, PageNumber, Pagination, SortField, SortKey, SystemTaskFilter};
pub use running::{RunningSystemTask, StartedRun};
pub use verbs::SystemTasks;

use crate::{Error, id::id_type};

id_type! {
    /// The id of one run of a system task: positive, rising in the order of the starts, never used twice.
    RunId, "run_id"
}

/// How a run went, in the words of the system-task API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SystemTaskStatus {
    /// Registered, and never run.
    Unknown,
    /// All went well.
    Successful,
    /// It was done, with something to look at.
    Warning,
    /// It was not done.
    Error,
}

impl SystemTaskStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Successful, Self::Warning, Self::Error];

    /// `unknown`, `successful`, `warning` or `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Successful => "successful",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for SystemTaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SystemTaskStatus {
    type Err = Error;

    /// Reads what [`SystemTaskStatus::as_str`] writes.
    ///
    /// # Errors
    ///
    /// [`Invalid`](Error::Invalid) for any other text.
    fn from_str(name: &str) -> crate::Result<Self> {
        let problem = "must be unknown, successful, warning or error";
        Self::ALL.into_iter().find(|status| status.as_str() == name).ok_or(Error::Invalid { field: "status", problem })
    }
}

/// What holds for one run from its start.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// let options = taskstore::RunOptions::new().description("Fetches the mail").expires_after(Duration::from_secs(60));
/// assert_eq!(options.expires_after, Some(Duration::from_secs(60)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunOptions {
    /// What the system task is for, if it is to be set. At most
    /// [`Limits::description_bytes_max`](crate::Limits::description_bytes_max).
    pub description: Option<String>,
    /// How long the run is kept after its end; `None` for ever. 6 hours by default.
    pub expires_after: Option<Duration>,
    /// Whether a successful run is kept off the published API, and takes the run shown before with it.
    pub only_on_failure: bool,
    /// What tells a repeated start from another one; see [`RunOptions::key`].
    pub key: Option<String>,
}

impl RunOptions {
    /// No description, kept for 6 hours, shown however it ends.
    #[must_use]
    pub fn new() -> Self {
        let expires_after = Some(Duration::from_secs(6 * 60 * 60));
        Self { description: None, expires_after, only_on_failure: false, key: None }
    }

    /// What the system task is for.
    #[must_use]
    pub fn description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// How long the run is kept after its end.
    #[must_use]
    pub fn expires_after(self, duration: Duration) -> Self {
        Self { expires_after: Some(duration), ..self }
    }

    /// The run is kept for ever.
    #[must_use]
    pub fn never_expires(self) -> Self {
        Self { expires_after: None, ..self }
    }

    /// A successful run is not shown.
    #[must_use]
    pub fn only_on_failure(self) -> Self {
        Self { only_on_failure: true, ..self }
    }

    /// Lets the start be repeated: where the system task has a run of this key, starting gives that run and writes
    /// nothing, whatever it has become and whatever else is asked for now.
    ///
    /// Each system task has keys of its own, and a run keeps its key until it has expired and was
    /// [cleaned away](crate::TaskStore::clean_expired). At most
    /// [`Limits::name_bytes_max`](crate::Limits::name_bytes_max), not empty, no NUL.
    ///
    /// What a repeated start gives does not know the monotonic clock of the first: the run's
    /// [duration](Run::duration) counts from the start that gave whatever ends the run. As with
    /// [`NewTask::key`](crate::NewTask::key), each of several guards interrupts the run if it is dropped, one of a run that
    /// has ended does nothing, a run without an owner gets one, and [`SystemTasks::run_with`] does its work at every call.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{RunOptions, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let nightly = RunOptions::new().key("night of 2026-11-21");
    /// let first = store.system_tasks().start_with("backup", None, nightly.clone())?.detach()?;
    /// let again = store.system_tasks().start_with("backup", None, nightly)?;
    /// assert_eq!(again.id(), first.id());
    /// again.finish()?;
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }
}

impl Default for RunOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A background job as the published API sees it: its identity, and the last run that finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SystemTask {
    /// The same for all its runs.
    pub uuid: Uuid,
    /// What it is called.
    pub name: String,
    /// What tells it from others of its name. `None` and `Some("")` differ.
    pub uid: Option<String>,
    /// What it is for; empty if nobody said.
    pub description: String,
    /// When it was registered, if it was.
    pub registered: Option<DateTime<Utc>>,
    /// The last run that finished; `None` for one that was registered and has none.
    pub shown_run: Option<Run>,
}

impl SystemTask {
    /// `name:uid`, or the name alone if there is no uid or an empty one.
    #[must_use]
    pub fn full_name(&self) -> String {
        full_name(&self.name, self.uid.as_deref())
    }

    /// The status of the shown run; [`Unknown`](SystemTaskStatus::Unknown) without one.
    #[must_use]
    pub fn status(&self) -> SystemTaskStatus {
        self.shown_run.as_ref().and_then(|run| run.status).unwrap_or(SystemTaskStatus::Unknown)
    }
}

pub(crate) fn full_name(name: &str, uid: Option<&str>) -> String {
    match uid {
        None | Some("") => name.to_owned(),
        Some(uid) => format!("{name}:{uid}"),
    }
}

/// One run of a system task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// How it went; `None` while it is in progress and has not said. An interrupted one is
    /// [`Error`](SystemTaskStatus::Error).
    pub status: Option<SystemTaskStatus>,
    /// Whether it was cut off before it could end.
    pub interrupted: bool,
    /// When it started.
    pub started: DateTime<Utc>,
    /// When it ended, never before `started`; `None` while it is in progress.
    pub finished: Option<DateTime<Utc>>,
    /// How long it took, by the monotonic clock; see [`RunOptions::key`] for a start that was repeated.
    pub duration: Option<Duration>,
    /// From when on [`clean_expired`](crate::TaskStore::clean_expired) deletes it; `None` for never, or not yet known.
    pub expires: Option<DateTime<Utc>>,
    /// How many events it logged; also the `seq` of the newest.
    pub event_count: u64,
}
