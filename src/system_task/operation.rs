//! What each verb writes, made ready before any lock is taken. [`TaskStore`](crate::TaskStore) and
//! [`Batch`](crate::Batch) share these.

use std::sync::Arc;
use std::time::Duration;

use super::{LogEvent, LogLevel, RunOptions, StartedRun, SystemTaskStatus};
use crate::owner::Owner;
use crate::sqlite::system_task::{Event, RunEnd, RunStart};
use crate::sqlite::{self, Write};
use crate::store::Context;
use crate::{Error, Result};

/// `owner` is who is to answer for the run, if anybody is.
pub(crate) fn start(
    context: &Context,
    name: String,
    uid: Option<String>,
    options: RunOptions,
    owner: Option<Arc<Owner>>,
) -> Result<impl Fn(&Write<'_>) -> Result<StartedRun> + use<>> {
    let start = to_start(context, name, uid, options, owner)?;
    let started = context.monotonic();
    Ok(move |write: &Write<'_>| {
        let (id, uuid) = sqlite::system_task::start(write, &start)?;
        Ok(StartedRun { id, uuid, name: start.name.clone(), started, ran_before: Duration::ZERO })
    })
}

/// A run that is to start now, checked.
pub(crate) fn to_start(
    context: &Context,
    name: String,
    uid: Option<String>,
    options: RunOptions,
    owner: Option<Arc<Owner>>,
) -> Result<RunStart> {
    context.limits.check_given_name("name", &name)?;
    if let Some(uid) = &uid {
        context.limits.check_name("uid", uid)?;
    }
    if let Some(description) = &options.description {
        context.limits.check_description(description)?;
    }
    context.limits.check_key(options.key.as_deref())?;
    Ok(RunStart {
        name,
        uid,
        new_uuid: context.new_uuid(),
        expires_after_ns: options.expires_after.map(|after| nanoseconds("expires_after", after)).transpose()?,
        description: options.description,
        only_on_failure: options.only_on_failure,
        key: options.key,
        owner,
        now_ns: context.now_ns()?,
    })
}

pub(crate) fn log(
    context: &Context,
    run: &StartedRun,
    event: LogEvent,
) -> Result<impl Fn(&Write<'_>) -> Result<()> + use<>> {
    let (id, event) = (run.id, stored(context, run, event)?);
    Ok(move |write: &Write<'_>| sqlite::system_task::log_one(write, id, &event))
}

/// Sets the status; the messages become events at level info.
pub(crate) fn set_status(
    context: &Context,
    run: &StartedRun,
    status: SystemTaskStatus,
    messages: Vec<String>,
) -> Result<impl Fn(&Write<'_>) -> Result<()> + use<>> {
    let events = messages.into_iter().map(|message| stored(context, run, LogEvent::new(LogLevel::Info, message)));
    let (id, events) = (run.id, events.collect::<Result<Vec<_>>>()?);
    Ok(move |write: &Write<'_>| sqlite::system_task::log(write, id, Some(status), &events))
}

/// Sets the status to error, with the reason as an event.
pub(crate) fn set_error(
    context: &Context,
    run: &StartedRun,
    reason: String,
) -> Result<impl Fn(&Write<'_>) -> Result<()> + use<>> {
    let (id, event) = (run.id, stored(context, run, LogEvent::new(LogLevel::Error, reason))?);
    Ok(move |write: &Write<'_>| {
        sqlite::system_task::log(write, id, Some(SystemTaskStatus::Error), std::slice::from_ref(&event))
    })
}

/// How a run ends.
pub(crate) enum Ending {
    /// With the status that was set, or else as successful.
    Finished,
    /// With an error that says why.
    Failed(String),
    /// Cut off, with an event that says how.
    Interrupted(String),
}

pub(crate) fn end(
    context: &Context,
    run: &StartedRun,
    ending: Ending,
) -> Result<impl Fn(&Write<'_>) -> Result<()> + use<>> {
    let interrupted = matches!(ending, Ending::Interrupted(_));
    let reason = match ending {
        Ending::Finished => None,
        Ending::Failed(reason) | Ending::Interrupted(reason) => {
            Some(stored(context, run, LogEvent::new(LogLevel::Error, reason))?)
        }
    };
    let duration = context.monotonic().saturating_sub(run.started).saturating_add(run.ran_before);
    let end = RunEnd {
        id: run.id,
        status: reason.is_some().then_some(SystemTaskStatus::Error),
        interrupted,
        duration_ns: nanoseconds("duration", duration)?,
        now_ns: context.now_ns()?,
        reason,
    };
    Ok(move |write: &Write<'_>| sqlite::system_task::end(write, &end))
}

pub(crate) fn register(
    context: &Context,
    name: String,
    description: String,
) -> Result<impl Fn(&Write<'_>) -> Result<()> + use<>> {
    context.limits.check_given_name("name", &name)?;
    context.limits.check_description(&description)?;
    let (new_uuid, now_ns) = (context.new_uuid(), context.now_ns()?);
    Ok(move |write: &Write<'_>| sqlite::system_task::register(write, &name, &description, new_uuid, now_ns))
}

/// An event, checked and timed.
fn stored(context: &Context, run: &StartedRun, event: LogEvent) -> Result<Event> {
    let LogEvent { level, logger, event, attributes, key } = event;
    context.limits.check_text("event", &event)?;
    context.limits.check_attributes(attributes.as_str())?;
    if let Some(logger) = &logger {
        context.limits.check_name("logger", logger)?;
    }
    context.limits.check_key(key.as_deref())?;
    let time_ns = context.now_ns()?;
    Ok(Event { time_ns, level, logger: logger.unwrap_or_else(|| run.name.clone()), event, attributes, key })
}

pub(crate) fn nanoseconds(field: &'static str, duration: Duration) -> Result<i64> {
    i64::try_from(duration.as_nanos()).map_err(|_| Error::OutOfRange {
        field,
        value: format!("{duration:?}"),
        min: 0,
        max: i64::MAX,
    })
}
