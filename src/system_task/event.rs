//! Log events.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Error, Result};

/// The level of a log event: the eight names of the system-task API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Nothing works.
    Critical,
    /// An error with its trace.
    Exception,
    /// Something failed.
    Error,
    /// As [`Warning`](Self::Warning), in structlog's short form.
    Warn,
    /// Something is not as it should be.
    Warning,
    /// What happens.
    Info,
    /// For whoever looks into a fault.
    Debug,
    /// No level was set.
    Notset,
}

impl LogLevel {
    /// All of them, the gravest first.
    pub const ALL: [Self; 8] = [
        Self::Critical,
        Self::Exception,
        Self::Error,
        Self::Warn,
        Self::Warning,
        Self::Info,
        Self::Debug,
        Self::Notset,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Exception => "exception",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Notset => "notset",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for LogLevel {
    type Err = Error;

    /// Reads what [`LogLevel::as_str`] writes.
    ///
    /// # Errors
    ///
    /// [`Invalid`](Error::Invalid) for any other text.
    fn from_str(name: &str) -> Result<Self> {
        let problem = "must be critical, exception, error, warn, warning, info, debug or notset";
        Self::ALL.into_iter().find(|level| level.as_str() == name).ok_or(Error::Invalid { field: "log_level", problem })
    }
}

/// The attributes of a log event: a JSON object, kept as the text it came in, so that the order of its members and
/// the digits of its numbers stay as they are.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "http", schema(value_type = Object))]
pub struct Attributes(Box<RawValue>);

impl Attributes {
    /// Any value that serialises to a JSON object; `()` for none. A float that is not finite becomes `null`, as always
    /// with serde_json.
    ///
    /// # Errors
    ///
    /// [`Invalid`](Error::Invalid) if the value does not serialise, or to something else than an object.
    pub fn new(value: impl Serialize) -> Result<Self> {
        let invalid = |problem| Error::Invalid { field: "attributes", problem };
        let json = serde_json::to_string(&value).map_err(|_| invalid("must be a value that serialises to JSON"))?;
        if json == "null" {
            return Ok(Self::default());
        }
        // Going through the parser again refuses what only claims to be JSON.
        let raw: Box<RawValue> =
            serde_json::from_str(&json).map_err(|_| invalid("must be a value that serialises to JSON"))?;
        if !raw.get().starts_with('{') {
            return Err(invalid("must be a JSON object"));
        }
        Ok(Self(raw))
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The attributes as a value of another type.
    ///
    /// # Errors
    ///
    /// [`Invalid`](Error::Invalid) if they are not of that type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.as_str())
            .map_err(|_| Error::Invalid { field: "attributes", problem: "are not of the type asked for" })
    }

    /// What was stored; another program may have stored what is no JSON object, which shows as no attributes.
    pub(crate) fn stored(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// The same as text, without a copy.
    pub(crate) fn stored_json(json: &str) -> &str {
        let is_object = |json: &&RawValue| json.get().starts_with('{');
        serde_json::from_str::<&RawValue>(json).ok().filter(is_object).map_or("{}", RawValue::get)
    }
}

impl Default for Attributes {
    /// `{}`.
    fn default() -> Self {
        Self(serde_json::from_str("{}").expect("an empty object is JSON"))
    }
}

impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Attributes {}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if !raw.get().starts_with('{') {
            return Err(serde::de::Error::custom("attributes must be a JSON object"));
        }
        Ok(Self(raw))
    }
}

/// An event that is to be logged.
///
/// # Example
///
/// ```
/// use taskstore::{LogEvent, LogLevel};
///
/// let event = LogEvent::new(LogLevel::Warning, "the disk is nearly full")
///     .logger("disk")
///     .attributes(serde_json::json!({"free_bytes": 1024}))?;
/// assert_eq!(event.attributes.as_str(), r#"{"free_bytes":1024}"#);
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEvent {
    /// How much it matters.
    pub level: LogLevel,
    /// Who says it; `None` for the system task itself, by its name.
    pub logger: Option<String>,
    /// What happened: any text.
    pub event: String,
    /// What goes with it. At most [`Limits::attributes_bytes_max`](crate::Limits::attributes_bytes_max).
    pub attributes: Attributes,
    /// What tells a repeated event from another one; see [`LogEvent::key`].
    pub key: Option<String>,
}

impl LogEvent {
    /// An event of the system task itself, without attributes.
    #[must_use]
    pub fn new(level: LogLevel, event: impl Into<String>) -> Self {
        Self { level, logger: None, event: event.into(), attributes: Attributes::default(), key: None }
    }

    /// Who says it.
    #[must_use]
    pub fn logger(self, logger: impl Into<String>) -> Self {
        Self { logger: Some(logger.into()), ..self }
    }

    /// What goes with it; see [`Attributes::new`].
    ///
    /// # Errors
    ///
    /// Those of [`Attributes::new`].
    pub fn attributes(self, attributes: impl Serialize) -> Result<Self> {
        Ok(Self { attributes: Attributes::new(attributes)?, ..self })
    }

    /// Lets the logging be repeated: where the run has an event of this key, logging answers `Ok` and writes nothing,
    /// whatever that event says, and also if the run has ended meanwhile.
    ///
    /// Each run has keys of its own. At most [`Limits::name_bytes_max`](crate::Limits::name_bytes_max), not empty, no NUL.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{LogEvent, LogLevel, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let run = store.system_tasks().start("fetch_mail", None)?;
    /// let fetched = LogEvent::new(LogLevel::Info, "fetched message 7").key("message 7");
    /// run.log(fetched.clone())?;
    /// run.log(fetched)?;
    /// assert_eq!(store.system_tasks().events(run.id(), 0, 100)?.len(), 1);
    /// run.finish()?;
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoggedEvent {
    /// Its place among the run's events, which count from 1 without a gap.
    pub seq: u64,
    /// When it was logged, by the store's clock.
    pub time: DateTime<Utc>,
    /// How much it matters.
    pub level: LogLevel,
    /// Who said it.
    pub logger: String,
    /// What happened.
    pub event: String,
    /// What goes with it.
    pub attributes: Attributes,
}
