//! What an answer's body says, as data: for whoever reads answers, and what the streams are held against.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::system_task::{Attributes, LogLevel, Pagination, SystemTaskStatus};
use crate::wire::time::read_time;

/// The body of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct SystemTaskList<T = SystemTask> {
    /// Where the page lies.
    pub pagination: Pagination,
    /// The rows.
    pub results: Vec<T>,
}

/// A system task on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct SystemTask {
    /// The same for all its runs.
    pub uuid: Uuid,
    /// What it is called.
    pub name: String,
    /// `name:uid`, or the name alone.
    pub full_name: String,
    /// `null` if there is none.
    #[cfg_attr(feature = "http", schema(required = true))]
    pub uid: Option<String>,
    /// Never `null`.
    pub description: String,
    /// When the shown run started.
    #[serde(with = "time")]
    pub start_timestamp: DateTime<Utc>,
    /// When it ended.
    #[serde(with = "time")]
    pub finish_timestamp: DateTime<Utc>,
    /// In seconds; always with a fraction or an exponent.
    pub duration: f64,
    /// `unknown`, `successful`, `warning` or `error`.
    pub status: SystemTaskStatus,
    /// The events of the shown run, oldest first.
    pub messages: Vec<LogEvent>,
    /// When clean-up may delete the run, or `null`.
    #[serde(with = "time_or_null", default)]
    #[cfg_attr(feature = "http", schema(required = true))]
    pub expires: Option<DateTime<Utc>>,
    /// Whether it may at all.
    pub expiring: bool,
}

/// A log event on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct LogEvent {
    /// When it was logged.
    #[serde(with = "time")]
    pub timestamp: DateTime<Utc>,
    /// One of eight names.
    pub log_level: LogLevel,
    /// Who said it.
    pub logger: String,
    /// What happened.
    pub event: String,
    /// An object, never `null`.
    pub attributes: Attributes,
}

/// A time as the API writes it: UTC, `Z`, microseconds cut off what is finer, and no fraction if they are zero.
fn wire_time(time: DateTime<Utc>) -> String {
    let digits = if time.timestamp_subsec_micros() == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
    time.to_rfc3339_opts(digits, true)
}

/// Seconds, from nanoseconds. One division rounds once: `Duration::as_secs_f64` rounds twice, and makes
/// 1.2345678900000001 of 1.23456789 seconds.
#[allow(clippy::as_conversions)]
pub(super) fn wire_duration(ns: i64) -> f64 {
    ns.max(0) as f64 / 1e9
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

mod time_or_null {
    use super::*;

    pub(super) fn serialize<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(wire_time).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        Option::<String>::deserialize(deserializer)?.map(|text| read_time(&text)).transpose()
    }
}
