//! What an answer's body says, as data: for whoever reads answers, and what the streams are held against.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::rfc3339::JsonTime;
use crate::task::Outcome;
use crate::wire::time::read_time;

/// The envelope of every answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct Answer<T> {
    /// Why there is no result. Absent on success.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "http", schema(nullable = false))]
    pub error: Option<Failure>,
    /// The result. Absent on failure.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "http", schema(nullable = false))]
    pub result: Option<T>,
    /// Whether there is a result.
    pub successful: bool,
}

impl<T> Answer<T> {
    /// The envelope of a result.
    pub fn success(result: T) -> Self {
        Self { error: None, result: Some(result), successful: true }
    }

    /// The envelope of a refusal.
    pub fn failure(message: impl Into<String>) -> Self {
        Self { error: Some(Failure { message: message.into() }), result: None, successful: false }
    }
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct Failure {
    /// In general words: never SQL, never the path of the file.
    pub message: String,
}

/// The result of `/task/list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct TaskList {
    /// Newest first.
    #[serde(deserialize_with = "null_as_empty")]
    pub tasks: Vec<Task>,
}

/// The result of `/task/dismiss_all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct DismissedCount {
    /// How many tasks were dismissed.
    pub dismissed: u64,
}

/// A task on the wire, and the result of `/task/show`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct Task {
    /// 0 if there is none, or if it was deleted.
    pub configuration_id: i64,
    /// The configuration's last name, or empty.
    pub configuration_name: String,
    /// Who dismissed the task, or empty.
    #[serde(alias = "dismissed_by")]
    pub hidden_by: String,
    /// When it ended; `""` on the wire if it has not.
    #[serde(with = "time_or_empty")]
    #[cfg_attr(feature = "http", schema(value_type = super::schema::TimeOrEmpty))]
    pub finished: Option<DateTime<Utc>>,
    /// Oldest first.
    #[serde(deserialize_with = "null_as_empty")]
    pub messages: Vec<Message>,
    /// Who started it, or empty.
    pub performed_by: String,
    /// When it started.
    #[serde(with = "time")]
    pub started: DateTime<Utc>,
    /// `In Progress`, `End`, `Failed` or `Dismissed`.
    #[cfg_attr(feature = "http", schema(value_type = super::schema::TaskState))]
    pub state: String,
    /// Its id.
    pub task_id: i64,
    /// What it is.
    pub title: String,
    /// When it was last changed.
    #[serde(with = "time")]
    pub updated: DateTime<Utc>,
}

/// A message on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct Message {
    /// The text.
    pub message: String,
    /// When it was said.
    #[serde(with = "time")]
    pub time: DateTime<Utc>,
}

/// The state of a task in the API's words.
pub(super) fn wire_state(outcome: Option<Outcome>, dismissed: bool) -> &'static str {
    match outcome {
        _ if dismissed => "Dismissed",
        None => "In Progress",
        Some(Outcome::Finished) => "End",
        Some(Outcome::Failed | Outcome::Interrupted) => "Failed",
    }
}

/// A time as the API writes it: UTC, `Z`, always nine fraction digits.
fn wire_time(time: DateTime<Utc>) -> String {
    // All that is stored has nanoseconds; what a program makes itself may not.
    let stored = time.timestamp_nanos_opt().map(|ns| JsonTime::nine_digits(ns).as_str().to_owned());
    stored.unwrap_or_else(|| time.to_rfc3339_opts(SecondsFormat::Nanos, true))
}

mod time {
    use super::*;

    pub(super) fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&wire_time(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        read_time(&String::deserialize(deserializer)?)
    }
}

mod time_or_empty {
    use super::*;

    pub(super) fn serialize<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time.map(wire_time).unwrap_or_default())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(None);
        }
        read_time(&text).map(Some)
    }
}

/// Some servers of this family write `null` for an empty list.
fn null_as_empty<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Option::<Vec<T>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A default that does not ask `T` to have one.
fn none<T>() -> Option<T> {
    None
}
