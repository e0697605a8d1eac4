//! What each verb writes, made ready before any lock is taken: the input is checked, the clock read, the text
//! owned. [`TaskStore`](crate::TaskStore) and [`Batch`](crate::Batch) share these.

use std::sync::Arc;

use super::kept_progress::{Due, TimedProgress};
use super::{Level, NewTask, Outcome, Progress, TaskId};
use crate::configuration::ConfigurationId;
use crate::owner::Owner;
use crate::sqlite::task::Said;
use crate::sqlite::{self, Write};
use crate::store::Context;
use crate::{Error, Result};

/// `owner` is who is to answer for the task, if anybody is.
pub(crate) fn start(
    context: &Context,
    task: NewTask,
    owner: Option<Arc<Owner>>,
) -> Result<impl Fn(&Write<'_>) -> Result<TaskId> + use<>> {
    context.limits.check_title(&task.title)?;
    context.limits.check_name("performed_by", &task.performed_by)?;
    context.limits.check_key(task.key.as_deref())?;
    let now_ns = context.now_ns()?;
    Ok(move |write: &Write<'_>| sqlite::task::start(write, &task, owner.as_ref(), now_ns))
}

pub(crate) fn message(
    context: &Context,
    id: TaskId,
    key: Option<String>,
    level: Level,
    text: String,
) -> Result<impl Fn(&Write<'_>) -> Result<()> + use<>> {
    context.limits.check_key(key.as_deref())?;
    context.limits.check_text("text", &text)?;
    let now_ns = context.now_ns()?;
    Ok(move |write: &Write<'_>| {
        let said = Said { level, text: &text, key: key.as_deref() };
        sqlite::task::message(write, id, &said, now_ns)
    })
}

pub(crate) fn progress(context: &Context, progress: &Progress) -> Result<TimedProgress> {
    let done = amount("done", progress.done)?;
    let total = progress.total.map(|total| amount("total", total)).transpose()?;
    if let Some(phase) = &progress.phase {
        context.limits.check_name("phase", phase)?;
    }
    Ok(TimedProgress { done, total, phase: progress.phase.clone(), now_ns: context.now_ns()? })
}

/// What [`KeptProgress`](super::kept_progress::KeptProgress) has said is to be written now.
pub(crate) fn due_progress(context: &Context, id: TaskId, due: Due) -> impl Fn(&Write<'_>) -> Result<()> + use<> {
    let kept_progress = Arc::clone(&context.kept_progress);
    move |write: &Write<'_>| {
        sqlite::task::progress(write, id, &due.progress)?;
        let before = kept_progress.overtake(id, due.call);
        let kept_progress = Arc::clone(&kept_progress);
        write.on_undo(move || kept_progress.restore(id, before));
        Ok(())
    }
}

/// Ends a task, with its last progress before the end; a reason that is not empty becomes its last message, at level
/// error.
pub(crate) fn end(
    context: &Context,
    id: TaskId,
    outcome: Outcome,
    reason: String,
) -> Result<impl Fn(&Write<'_>) -> Result<()> + use<>> {
    end_at(context, id, outcome, reason, context.now_ns()?)
}

/// The same at a time that was read before.
pub(crate) fn end_at(
    context: &Context,
    id: TaskId,
    outcome: Outcome,
    reason: String,
    now_ns: i64,
) -> Result<impl Fn(&Write<'_>) -> Result<()> + use<>> {
    context.limits.check_text("text", &reason)?;
    let kept_progress = Arc::clone(&context.kept_progress);
    Ok(move |write: &Write<'_>| {
        if let Some(last) = kept_progress.last(id) {
            // Of a task that has ended nothing is changed, and the end itself is refused.
            sqlite::task::set_progress(write, id, &last)?;
        }
        let reason = Some(reason.as_str()).filter(|reason| !reason.is_empty());
        sqlite::task::end(write, id, outcome, reason, now_ns)
    })
}

pub(crate) fn dismiss(context: &Context, id: TaskId, by: String) -> Result<impl Fn(&Write<'_>) -> Result<()> + use<>> {
    context.limits.check_given_name("dismissed_by", &by)?;
    let now_ns = context.now_ns()?;
    Ok(move |write: &Write<'_>| sqlite::task::dismiss(write, id, &by, now_ns))
}

pub(crate) fn dismiss_all(
    context: &Context,
    configuration: Option<ConfigurationId>,
    by: String,
) -> Result<impl Fn(&Write<'_>) -> Result<u64> + use<>> {
    context.limits.check_given_name("dismissed_by", &by)?;
    let now_ns = context.now_ns()?;
    Ok(move |write: &Write<'_>| sqlite::task::dismiss_all(write, configuration, &by, now_ns))
}

pub(crate) fn restore(context: &Context, id: TaskId) -> Result<impl Fn(&Write<'_>) -> Result<()> + use<>> {
    let now_ns = context.now_ns()?;
    Ok(move |write: &Write<'_>| sqlite::task::restore(write, id, now_ns))
}

pub(crate) fn delete(id: TaskId) -> impl Fn(&Write<'_>) -> Result<()> + use<> {
    move |write: &Write<'_>| sqlite::task::delete(write, id)
}

pub(crate) fn amount(field: &'static str, amount: u64) -> Result<i64> {
    i64::try_from(amount).map_err(|_| Error::OutOfRange { field, value: amount.to_string(), min: 0, max: i64::MAX })
}
