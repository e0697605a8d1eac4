//! Answers written as they are read: no list is ever in memory, and the bytes are those that serde writes for
//! the types of [`super::answer`].

use std::io::{self, Write};

use super::answer::{Answer, DismissedCount, wire_state};
use super::request::ListRequest;
use crate::sqlite::task::{self, Messages, TaskRow};
use crate::task::TaskId;
use crate::wire::json::Json;
use crate::wire::stream::{io_error, stream, write};
use crate::{Result, TaskStore};

/// What the member is called that names who dismissed a task. The published pages differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DismissedMember {
    /// `hidden_by`, as the help centre's page has it. The default.
    #[default]
    HiddenBy,
    /// `dismissed_by`, as the version 12 manual has it.
    DismissedBy,
}

/// Writes the body of a successful `/task/list`: one snapshot, in memory that does not grow with the list.
///
/// It shows what is in the file, from whichever process: the published task has no progress, and its `updated` does not
/// tell of [progress](TaskStore::progress) that is not written yet.
///
/// A slow `out` keeps the snapshot as long as it takes, but holds up no other call (a store in memory collects the
/// whole first).
///
/// # Errors
///
/// [`Io`](crate::Error::Io) if `out` fails, and the [errors of reading](TaskStore#errors-of-reading). What is written by then is not
/// whole JSON, so that it cannot be taken for a shorter list.
pub fn write_list(store: &TaskStore, request: ListRequest, member: DismissedMember, out: impl Write) -> Result<()> {
    let filter = request.filter();
    stream(store, out, |source, out| {
        let (mut json, mut messages) = (Json::new(out), Messages::of(source.read)?);
        json.put(r#"{"result":{"tasks":["#);
        let mut comma = "";
        task::each_task(
            source.read,
            &filter,
            0,
            || Ok(()),
            |row| {
                json.put(comma);
                comma = ",";
                put_task(&mut json, &row, &mut messages, member)
            },
        )?;
        json.put(r#"]},"successful":true}"#);
        json.finish().map_err(io_error)
    })
}

/// Writes the body of a successful `/task/show`, `/task/dismiss` or `/task/restore`: the task itself.
///
/// # Errors
///
/// [`NotFound`](crate::Error::NotFound), before anything is written; otherwise those of [`write_list`].
pub fn write_task(store: &TaskStore, id: TaskId, member: DismissedMember, out: impl Write) -> Result<()> {
    stream(store, out, |source, out| {
        let (mut json, mut messages) = (Json::new(out), Messages::of(source.read)?);
        json.put(r#"{"result":"#);
        task::one_task(source.read, id, |row| put_task(&mut json, &row, &mut messages, member))?;
        json.put(r#","successful":true}"#);
        json.finish().map_err(io_error)
    })
}

/// Writes the body of a successful `/task/dismiss_all`.
///
/// # Errors
///
/// [`Io`](crate::Error::Io) if `out` fails.
pub fn write_dismissed_count(dismissed: u64, out: impl Write) -> Result<()> {
    write(out, &Answer::success(DismissedCount { dismissed }))
}

/// Writes the body of a refusal; see [`failure_message`](super::failure_message) for its text.
///
/// # Errors
///
/// [`Io`](crate::Error::Io) if `out` fails.
pub fn write_failure(message: &str, out: impl Write) -> Result<()> {
    write(out, &Answer::<()>::failure(message))
}

fn put_task(
    json: &mut Json<'_>,
    row: &TaskRow<'_>,
    messages: &mut Messages<'_>,
    member: DismissedMember,
) -> Result<()> {
    put_head(json, row, member).map_err(io_error)?;
    let mut before = r#"{"message":"#;
    messages.each(row.id, |message| {
        json.put(before);
        before = r#",{"message":"#;
        json.text(&message.text).map_err(io_error)?;
        json.put(r#","time":"#);
        json.time(message.time_ns);
        json.put("}");
        Ok(())
    })?;
    put_tail(json, row).map_err(io_error)
}

/// What is before the messages.
fn put_head(json: &mut Json<'_>, row: &TaskRow<'_>, member: DismissedMember) -> io::Result<()> {
    json.put(r#"{"configuration_id":"#);
    json.number(row.configuration_id)?;
    json.put(r#","configuration_name":"#);
    json.text(&row.configuration_name)?;
    json.put(match member {
        DismissedMember::HiddenBy => r#","hidden_by":"#,
        DismissedMember::DismissedBy => r#","dismissed_by":"#,
    });
    json.text(row.dismissed_by.as_deref().unwrap_or_default())?;
    json.put(r#","finished":"#);
    match row.finished_ns {
        Some(ns) => json.time(ns),
        None => json.put(r#""""#),
    }
    json.put(r#","messages":["#);
    Ok(())
}

/// What is behind them.
fn put_tail(json: &mut Json<'_>, row: &TaskRow<'_>) -> io::Result<()> {
    json.put(r#"],"performed_by":"#);
    json.text(&row.performed_by)?;
    json.put(r#","started":"#);
    json.time(row.started_ns);
    json.put(r#","state":"#);
    json.text(wire_state(row.outcome, row.dismissed_by.is_some()))?;
    json.put(r#","task_id":"#);
    json.number(row.id.get())?;
    json.put(r#","title":"#);
    json.text(&row.title)?;
    json.put(r#","updated":"#);
    json.time(row.updated_ns);
    json.put("}");
    Ok(())
}
