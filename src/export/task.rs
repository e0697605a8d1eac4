//! Configurations and tasks as lines.

use std::io;

use super::lines::Lines;
use crate::rfc3339::JsonTime;
use crate::sqlite::configuration::ConfigurationRow;
use crate::sqlite::task::{Messages, ProgressRow, TaskRest, TaskRow};
use crate::stream::{Out, Stop};

pub(super) fn write_configuration(out: &mut Out<'_>, row: &ConfigurationRow<'_>) -> io::Result<()> {
    out.member("\n{\"configuration\":{\"id\":", &row.id)?;
    out.text(r#","name":"#, &row.name)?;
    time_or_null(out, r#","deleted":"#, row.deleted_ns)?;
    out.raw("}}")
}

/// Writes a task with its messages, and gives their number.
pub(super) fn write_task(
    out: &mut Out<'_>,
    task: &TaskRow<'_>,
    rest: &TaskRest<'_>,
    messages: &Messages<'_>,
) -> Result<u64, Stop> {
    let mut lines = Lines::begin(out);
    out.member("\n{\"task\":{\"id\":", &task.id)?;
    out.member(r#","configuration_id":"#, &task.configuration_id)?;
    out.text(r#","configuration_name":"#, &task.configuration_name)?;
    out.text(r#","title":"#, &task.title)?;
    out.text(r#","performed_by":"#, &task.performed_by)?;
    out.member(r#","outcome":"#, &task.outcome)?;
    out.time(r#","started":"#, &JsonTime::few_digits(task.started_ns))?;
    out.time(r#","updated":"#, &JsonTime::few_digits(task.updated_ns))?;
    time_or_null(out, r#","finished":"#, task.finished_ns)?;
    out.member(r#","dismissed_by":"#, &task.dismissed_by)?;
    time_or_null(out, r#","dismissed":"#, rest.dismissed_ns)?;
    match &rest.progress {
        Some(ProgressRow { done, total, phase }) => {
            out.member(r#","progress":{"done":"#, done)?;
            out.member(r#","total":"#, total)?;
            out.member(r#","phase":"#, phase)?;
            out.raw("}")?;
        }
        None => out.raw(r#","progress":null"#)?,
    }
    out.member(r#","message_count":"#, &task.message_count)?;
    out.member(r#","level_reached":"#, &rest.level_reached)?;
    out.member(r#","key":"#, &rest.key)?;
    let is_deleted = task.configuration_id.is_none();
    out.member(r#","deleted_configuration_id":"#, &rest.stored_configuration_id.filter(|_| is_deleted))?;
    out.raw(r#","messages":["#)?;
    messages.each(task, |message| {
        let begin = lines.entry(out, |out| {
            out.member("\n{\"messages\":{\"task_id\":", &task.id)?;
            out.raw(r#","messages":["#)
        })?;
        out.member(begin, &message.seq)?;
        out.time(r#","time":"#, &JsonTime::few_digits(message.time_ns))?;
        out.member(r#","level":"#, &message.level)?;
        out.text(r#","text":"#, &message.text)?;
        out.member(r#","key":"#, &message.key)?;
        Ok::<_, Stop>(out.raw("}")?)
    })?;
    Ok(lines.end(out)?)
}

pub(super) fn time_or_null(out: &mut Out<'_>, name: &str, ns: Option<i64>) -> io::Result<()> {
    match ns {
        Some(ns) => out.time(name, &JsonTime::few_digits(ns)),
        None => out.member(name, &None::<()>),
    }
}
