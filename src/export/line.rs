//! The lines of an export, for programs that read them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::configuration::ConfigurationId;
use crate::system_task::{Attributes, LogLevel, Run, RunId};
use crate::task::{Message, Task, TaskId};

/// One line of an [export](crate::TaskStore::export): an object with one member, whose name is the kind of the line.
///
/// The first is a [header](ExportHeader), the last an [end](Self::End); what does not end so was cut. A line stands behind
/// those that it refers to. All ids are those of the store that was exported.
///
/// These types read and write what the store writes. They overlook members that they do not know; an
/// [import](crate::TaskStore::import) does not.
///
/// # Example
///
/// ```
/// use taskstore::{ExportLine, NewTask, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// store.start_detached(NewTask::new("Copy"))?;
/// let mut lines = Vec::new();
/// store.export(&mut lines)?;
///
/// let mut titles = Vec::new();
/// for line in String::from_utf8(lines)?.lines() {
///     if let ExportLine::Task(exported) = serde_json::from_str(line)? {
///         titles.push(exported.task.title);
///     }
/// }
/// assert_eq!(titles, ["Copy"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExportLine {
    /// The first line.
    TaskstoreExport(ExportHeader),
    /// A configuration.
    Configuration(ExportedConfiguration),
    /// A task with its messages, or with the first of them.
    Task(Box<ExportedTask>),
    /// More messages of the task before.
    Messages(ExportedMessages),
    /// A system task.
    SystemTask(ExportedSystemTask),
    /// A run of a system task with its events, or with the first of them.
    Run(Box<ExportedRun>),
    /// More events of the run before.
    Events(ExportedEvents),
    /// The last line: what there was before it.
    End(ExportReport),
}

/// The first line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportHeader {
    /// The version of the format: 1.
    pub version: u32,
    /// The last ids that the store has given, so that none is given again where the export is imported.
    pub last_ids: LastIds,
}

/// The highest id that was ever given, of each kind; 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LastIds {
    /// Of a configuration.
    pub configuration: i64,
    /// Of a task.
    pub task: i64,
    /// Of a run.
    pub run: i64,
}

/// A configuration, also a deleted one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportedConfiguration {
    /// Its id.
    pub id: ConfigurationId,
    /// Its name, the last one if it was deleted.
    pub name: String,
    /// When it was deleted, if it was.
    pub deleted: Option<DateTime<Utc>>,
}

/// A task and its messages. As JSON it can also be read as a [`TaskWithMessages`](crate::TaskWithMessages).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportedTask {
    /// The task.
    #[serde(flatten)]
    pub task: Task,
    /// The configuration that it related to, if that was deleted.
    pub deleted_configuration_id: Option<ConfigurationId>,
    /// What it said, oldest first. If there is much of it, the lines behind this one go on.
    pub messages: Vec<Message>,
}

/// More messages of the task in the lines before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportedMessages {
    /// The task.
    pub task_id: TaskId,
    /// What it said then.
    pub messages: Vec<Message>,
}

/// The identity of a system task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportedSystemTask {
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
    /// The run that the published API shows.
    pub shown_run: Option<RunId>,
}

/// A run of a system task and its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportedRun {
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// The system task, by its uuid.
    pub system_task: Uuid,
    /// How long it is kept after its end; `None` for ever.
    pub expires_after: Option<Duration>,
    /// Whether it is kept off the published API if it is successful.
    pub only_on_failure: bool,
    /// The [key](crate::RunOptions::key) that it was started with.
    pub key: Option<String>,
    /// What it logged, oldest first. If there is much of it, the lines behind this one go on.
    pub events: Vec<ExportedEvent>,
}

/// A log event of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportedEvent {
    /// Its place among the run's events.
    pub seq: u64,
    /// When it was logged.
    pub time: DateTime<Utc>,
    /// How much it matters.
    pub level: LogLevel,
    /// Who said it.
    pub logger: String,
    /// What happened.
    pub event: String,
    /// What goes with it. As JSON it is the object itself; or, if its text has line breaks, which would end the line, that
    /// text as a string.
    #[serde(with = "on_one_line")]
    pub attributes: Attributes,
    /// The [key](crate::LogEvent::key) that it was logged with.
    pub key: Option<String>,
}

/// More events of the run in the lines before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportedEvents {
    /// The run.
    pub run_id: RunId,
    /// What it logged then.
    pub events: Vec<ExportedEvent>,
}

/// How much an export holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExportReport {
    /// Configurations, also deleted ones.
    pub configurations: u64,
    /// Tasks.
    pub tasks: u64,
    /// Their messages.
    pub messages: u64,
    /// System tasks.
    pub system_tasks: u64,
    /// Their runs.
    pub runs: u64,
    /// The events of those.
    pub events: u64,
}

/// Whether attributes stand on their line as they are.
pub(super) fn is_on_one_line(json: &str) -> bool {
    !json.contains(['\n', '\r'])
}

mod on_one_line {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::value::RawValue;

    use crate::system_task::Attributes;

    pub(super) fn serialize<S: Serializer>(attributes: &Attributes, serializer: S) -> Result<S::Ok, S::Error> {
        if super::is_on_one_line(attributes.as_str()) {
            attributes.serialize(serializer)
        } else {
            attributes.as_str().serialize(serializer)
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Attributes, D::Error> {
        let value = Box::<RawValue>::deserialize(deserializer)?;
        let text: Option<String> = if value.get().starts_with('"') {
            Some(serde_json::from_str(value.get()).map_err(D::Error::custom)?)
        } else {
            None
        };
        serde_json::from_str(text.as_deref().unwrap_or(value.get())).map_err(D::Error::custom)
    }
}
