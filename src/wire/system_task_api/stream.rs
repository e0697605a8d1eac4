//! Answers written as they are read; the bytes are those that serde writes for the types of [`super::answer`].

use std::io::Write;

use super::answer::wire_duration;
use super::request::{ListRequest, RetrieveRequest};
use crate::rfc3339::JsonTime;
use crate::sqlite::Read;
use crate::sqlite::system_task::{self, EventRow, SystemTaskRow};
use crate::stream::{Out, Stop, stream};
use crate::system_task::{Attributes, LogLevel, full_name};
use crate::wire::WRITE;
use crate::{Result, TaskStore};

/// What a registered task says that never ran.
const NEVER_RUN: &str = "Task has not been run yet.";

/// Writes the body of a list: one snapshot, in memory that does not grow with the page or with the events of a run.
///
/// # Errors
///
/// [`OutOfRange`](crate::Error::OutOfRange) for a page that there is not, before anything is written;
/// [`Io`](crate::Error::Io) if `out` fails; and the [errors of reading](TaskStore#errors-of-reading). What is written by
/// then is not whole JSON. [`Refusal::of`](super::Refusal::of) has the answer to an error.
pub fn write_list(store: &TaskStore, request: &ListRequest, out: impl Write) -> Result<()> {
    stream(store, out, WRITE, |read, out| {
        let pagination = system_task::page(read, &request.filter, request.page, request.page_size)?;
        out.member(r#"{"pagination":"#, &pagination)?;
        out.raw(r#","results":["#)?;
        let mut separator = "";
        system_task::each_on_page(read, &request.filter, &pagination, request.page_size, |row| {
            out.raw(separator)?;
            separator = ",";
            write_system_task_object(read, out, &row)
        })?;
        Ok(out.raw("]}")?)
    })
}

/// Writes the body of a retrieve.
///
/// # Errors
///
/// [`NoSuchSystemTask`](crate::Error::NoSuchSystemTask), also for a row that the filter leaves out, before anything is
/// written; otherwise those of [`write_list`].
pub fn write_system_task(store: &TaskStore, request: &RetrieveRequest, out: impl Write) -> Result<()> {
    stream(store, out, WRITE, |read, out| {
        system_task::one_system_task(read, &request.filter, request.uuid, |row| {
            write_system_task_object(read, out, &row)
        })
    })
}

/// Writes what a [`SystemTask`](super::SystemTask) is as JSON. The names are spelt out, since serde would look through each
/// of them for what must be escaped. Tests hold the two together.
fn write_system_task_object(read: &Read<'_>, out: &mut Out<'_>, row: &SystemTaskRow<'_>) -> Result<(), Stop> {
    out.member(r#"{"uuid":"#, &row.uuid)?;
    out.text(r#","name":"#, &row.name)?;
    out.text(r#","full_name":"#, &full_name(&row.name, row.uid.as_deref()))?;
    match &row.uid {
        Some(uid) => out.text(r#","uid":"#, uid)?,
        None => out.raw(r#","uid":null"#)?,
    }
    out.text(r#","description":"#, &row.description)?;
    out.time(r#","start_timestamp":"#, &JsonTime::six_digits_or_none(row.started_ns))?;
    out.time(r#","finish_timestamp":"#, &JsonTime::six_digits_or_none(row.finished_ns))?;
    out.member(r#","duration":"#, &wire_duration(row.duration_ns))?;
    out.text(r#","status":"#, row.status.as_str())?;
    write_events(read, out, row)?;
    match row.expires_ns {
        Some(ns) => out.time(r#"],"expires":"#, &JsonTime::six_digits_or_none(ns))?,
        None => out.raw(r#"],"expires":null"#)?,
    }
    let end = if row.expires_ns.is_some() { r#","expiring":true}"# } else { r#","expiring":false}"# };
    Ok(out.raw(end)?)
}

/// Writes the messages of the shown run, but for the bracket behind them.
fn write_events(read: &Read<'_>, out: &mut Out<'_>, row: &SystemTaskRow<'_>) -> Result<(), Stop> {
    out.raw(r#","messages":["#)?;
    let Some(run) = row.shown_run else {
        let never_run = EventRow {
            time_ns: row.started_ns,
            level: LogLevel::Info,
            logger: row.name.as_ref().into(),
            event: NEVER_RUN.into(),
            attributes: "{}".into(),
        };
        return write_event(out, "", &never_run);
    };
    let mut separator = "";
    system_task::each_event(read, run, |event| {
        write_event(out, separator, &event)?;
        separator = ",";
        Ok(())
    })
}

/// Writes what a [`LogEvent`](super::LogEvent) is as JSON.
fn write_event(out: &mut Out<'_>, separator: &str, event: &EventRow<'_>) -> Result<(), Stop> {
    out.raw(separator)?;
    out.time(r#"{"timestamp":"#, &JsonTime::six_digits_or_none(event.time_ns))?;
    out.text(r#","log_level":"#, event.level.as_str())?;
    out.text(r#","logger":"#, &event.logger)?;
    out.text(r#","event":"#, &event.event)?;
    out.raw(r#","attributes":"#)?;
    out.raw(Attributes::stored_json(&event.attributes))?;
    Ok(out.raw("}")?)
}
