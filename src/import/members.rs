//! The members of a line, read as strictly as an export writes them: what is unknown is refused, not overlooked.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::configuration::ConfigurationId;
use crate::export::{ExportReport, LastIds};
use crate::limits::Limits;
use crate::system_task::operation::nanoseconds;
use crate::system_task::{LogLevel, RunId, SystemTaskStatus};
use crate::task::operation::amount;
use crate::task::{Level, Outcome, TaskId};
use crate::wire::time::read_time;
use crate::{Error, Result};

/// One line.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line<'a> {
    TaskstoreExport(HeaderMembers),
    #[serde(borrow)]
    Configuration(ConfigurationMembers<'a>),
    #[serde(borrow)]
    Task(Box<TaskMembers<'a>>),
    #[serde(borrow)]
    Messages(MoreMessages<'a>),
    #[serde(borrow)]
    SystemTask(SystemTaskMembers<'a>),
    #[serde(borrow)]
    Run(Box<RunMembers<'a>>),
    #[serde(borrow)]
    Events(MoreEvents<'a>),
    End(ExportReport),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderMembers {
    #[serde(rename = "version")]
    _version: u32,
    pub(super) last_ids: LastIds,
}

/// The first line, whatever else there is in it: that of a newer version is told from what is no export.
#[derive(Deserialize)]
pub(super) struct FirstLine {
    taskstore_export: Version,
}

#[derive(Deserialize)]
struct Version {
    version: u64,
}

impl FirstLine {
    pub(super) fn version(&self) -> u64 {
        self.taskstore_export.version
    }
}

/// A time, in the nanoseconds that are stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ns(pub(crate) i64);

impl<'de> Deserialize<'de> for Ns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NsVisitor)
    }
}

struct NsVisitor;

impl Visitor<'_> for NsVisitor {
    type Value = Ns;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Ns, E> {
        let ns = read_time::<E>(text)?.timestamp_nanos_opt();
        ns.map(Ns).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigurationMembers<'a> {
    pub(super) id: ConfigurationId,
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    pub(super) deleted: Option<Ns>,
}

impl ConfigurationMembers<'_> {
    pub(super) fn check(&self, limits: &Limits) -> Result<()> {
        limits.check_given_name("name", &self.name)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskMembers<'a> {
    pub(crate) id: TaskId,
    pub(crate) configuration_id: Option<ConfigurationId>,
    #[serde(borrow)]
    pub(crate) configuration_name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) title: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) performed_by: Cow<'a, str>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) started: Ns,
    pub(crate) updated: Ns,
    pub(crate) finished: Option<Ns>,
    pub(crate) dismissed_by: Option<String>,
    pub(crate) dismissed: Option<Ns>,
    pub(crate) progress: Option<ProgressMembers>,
    pub(crate) message_count: u64,
    pub(crate) level_reached: Option<Level>,
    pub(crate) key: Option<String>,
    pub(crate) deleted_configuration_id: Option<ConfigurationId>,
    #[serde(borrow)]
    pub(crate) messages: Vec<MessageMembers<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgressMembers {
    pub(crate) done: u64,
    pub(crate) total: Option<u64>,
    pub(crate) phase: Option<String>,
}

impl TaskMembers<'_> {
    /// The id that its configuration has in the export.
    pub(super) fn configuration(&self) -> Option<ConfigurationId> {
        self.deleted_configuration_id.or(self.configuration_id)
    }

    pub(super) fn check(&self, limits: &Limits) -> Result<()> {
        limits.check_title(&self.title)?;
        limits.check_name("performed_by", &self.performed_by)?;
        limits.check_key(self.key.as_deref())?;
        if let Some(by) = &self.dismissed_by {
            limits.check_given_name("dismissed_by", by)?;
        }
        if let Some(ProgressMembers { done, total, phase }) = &self.progress {
            amount("done", *done)?;
            total.map(|total| amount("total", total)).transpose()?;
            phase.as_ref().map_or(Ok(()), |phase| limits.check_name("phase", phase))?;
        }
        amount("message_count", self.message_count)?;

        let ended = self.finished.is_some();
        must(ended == self.outcome.is_some(), "finished", "must be there if and only if there is an outcome")?;
        must(self.updated >= self.started, "updated", "must not be before started")?;
        if let Some(finished) = self.finished {
            must(finished >= self.started, "finished", "must not be before started")?;
            must(finished <= self.updated, "finished", "must not be after updated")?;
        }
        let dismissed = self.dismissed.is_some();
        let problem = "must be there if and only if there is a dismissed_by";
        must(dismissed == self.dismissed_by.is_some(), "dismissed", problem)?;
        must(ended || !dismissed, "dismissed", "must not be there without an outcome")?;
        let both = self.configuration_id.is_some() && self.deleted_configuration_id.is_some();
        must(!both, "deleted_configuration_id", "must not be there beside a configuration_id")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MoreMessages<'a> {
    pub(super) task_id: TaskId,
    #[serde(borrow)]
    pub(super) messages: Vec<MessageMembers<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageMembers<'a> {
    pub(super) seq: u64,
    pub(crate) time: Ns,
    pub(crate) level: Level,
    #[serde(borrow)]
    pub(crate) text: Cow<'a, str>,
    pub(crate) key: Option<String>,
}

impl MessageMembers<'_> {
    pub(super) fn check(&self, limits: &Limits) -> Result<()> {
        limits.check_text("text", &self.text)?;
        limits.check_key(self.key.as_deref())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SystemTaskMembers<'a> {
    pub(crate) uuid: Uuid,
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    pub(crate) uid: Option<String>,
    #[serde(borrow)]
    pub(crate) description: Cow<'a, str>,
    pub(crate) registered: Option<Ns>,
    pub(crate) shown_run: Option<RunId>,
}

impl SystemTaskMembers<'_> {
    pub(super) fn check(&self, limits: &Limits) -> Result<()> {
        limits.check_given_name("name", &self.name)?;
        self.uid.as_ref().map_or(Ok(()), |uid| limits.check_name("uid", uid))?;
        limits.check_description(&self.description)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunMembers<'a> {
    pub(crate) id: RunId,
    pub(crate) status: Option<SystemTaskStatus>,
    pub(crate) interrupted: bool,
    pub(crate) started: Ns,
    pub(crate) finished: Option<Ns>,
    pub(crate) duration: Option<Duration>,
    pub(crate) expires: Option<Ns>,
    pub(crate) event_count: u64,
    pub(crate) system_task: Uuid,
    pub(crate) expires_after: Option<Duration>,
    pub(crate) only_on_failure: bool,
    pub(crate) key: Option<String>,
    #[serde(borrow)]
    pub(crate) events: Vec<EventMembers<'a>>,
}

impl RunMembers<'_> {
    pub(super) fn check(&self, limits: &Limits) -> Result<()> {
        limits.check_key(self.key.as_deref())?;
        self.duration.map(|duration| duration_ns("duration", duration)).transpose()?;
        self.expires_after.map(|duration| duration_ns("expires_after", duration)).transpose()?;
        amount("event_count", self.event_count)?;

        let ended = self.finished.is_some();
        let not_before = self.finished.is_none_or(|finished| finished >= self.started);
        must(not_before, "finished", "must not be before started")?;
        must(ended == self.duration.is_some(), "duration", "must be there if and only if there is a finished")?;
        must(!ended || self.status.is_some(), "status", "must be there once the run has finished")?;
        must(ended || !self.interrupted, "interrupted", "must be false while the run is in progress")?;
        must(ended || self.expires.is_none(), "expires", "must not be there while the run is in progress")?;
        self.finished.map_or(Ok(()), |finished| self.check_expires(finished))
    }

    /// By this time the run is deleted, so it must be the one that the run itself asked for.
    fn check_expires(&self, finished: Ns) -> Result<()> {
        let not_before = self.expires.is_none_or(|expires| expires >= finished);
        must(not_before, "expires", "must not be before finished")?;
        let Some(after) = self.expires_after else { return Ok(()) };
        // What cannot be stored is never.
        let expected = finished.0.checked_add(duration_ns("expires_after", after)?).map(Ns);
        must(self.expires == expected, "expires", "must be expires_after behind finished")
    }

    /// Whether its system task does not show it.
    pub(super) fn hidden(&self) -> bool {
        self.only_on_failure && self.status == Some(SystemTaskStatus::Successful)
    }
}

/// The nanoseconds that are stored of a duration.
pub(crate) fn duration_ns(field: &'static str, duration: Duration) -> Result<i64> {
    nanoseconds(field, duration)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MoreEvents<'a> {
    pub(super) run_id: RunId,
    #[serde(borrow)]
    pub(super) events: Vec<EventMembers<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventMembers<'a> {
    pub(super) seq: u64,
    pub(crate) time: Ns,
    pub(crate) level: LogLevel,
    #[serde(borrow)]
    pub(crate) logger: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) event: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) attributes: AttributesMember<'a>,
    pub(crate) key: Option<String>,
}

impl EventMembers<'_> {
    pub(super) fn check(&self, limits: &Limits) -> Result<()> {
        limits.check_name("logger", &self.logger)?;
        limits.check_text("event", &self.event)?;
        limits.check_attributes(self.attributes.as_str())?;
        limits.check_key(self.key.as_deref())
    }
}

/// A JSON object, or a string that is the text of one.
pub(crate) struct AttributesMember<'a>(Cow<'a, str>);

impl AttributesMember<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for AttributesMember<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = <&RawValue>::deserialize(deserializer)?.get();
        if value.starts_with('{') {
            return Ok(Self(Cow::Borrowed(value)));
        }
        let text: Option<String> = serde_json::from_str(value).ok();
        let object = text.and_then(|text| {
            let object: &RawValue = serde_json::from_str(&text).ok()?;
            object.get().starts_with('{').then(|| object.get().to_owned())
        });
        let object = object.ok_or_else(|| de::Error::custom("attributes must be a JSON object, or the text of one"))?;
        Ok(Self(Cow::Owned(object)))
    }
}

fn must(holds: bool, field: &'static str, problem: &'static str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Invalid { field, problem }) }
}
