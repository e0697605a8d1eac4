//! Answers written as they are read: no list is ever in memory, and the bytes are those that serde writes for
//! the types of [`super::answer`].

use std::io::Write;

use chrono::DateTime;
use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};

use super::answer::{Answer, DismissedCount, wire_state, wire_time};
use super::request::ListRequest;
use crate::sqlite::task::{self, MessageRow, TaskRow};
use crate::task::{TaskFilter, TaskId};
use crate::wire::stream::{Source, Stop, io_error, stream, write};
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
        serde_json::to_writer(out, &Answer::success(ListBody { tasks: Tasks { source, filter: &filter, member } }))
            .map_err(|error| io_error(error.into()))
    })
}

/// Writes the body of a successful `/task/show`, `/task/dismiss` or `/task/restore`: the task itself.
///
/// # Errors
///
/// [`NotFound`](crate::Error::NotFound), before anything is written; otherwise those of [`write_list`].
pub fn write_task(store: &TaskStore, id: TaskId, member: DismissedMember, out: impl Write) -> Result<()> {
    stream(store, out, |source, out| {
        task::one_task(source.read, id, |row| {
            serde_json::to_writer(out, &Answer::success(TaskBody { source, row: &row, member }))
                .map_err(|error| io_error(error.into()))
        })
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

#[derive(Serialize)]
struct ListBody<'a> {
    tasks: Tasks<'a>,
}

struct Tasks<'a> {
    source: &'a Source<'a>,
    filter: &'a TaskFilter,
    member: DismissedMember,
}

impl Serialize for Tasks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tasks = serializer.serialize_seq(None)?;
        task::each_task(
            self.source.read,
            self.filter,
            0,
            || Ok(()),
            |row| {
                tasks
                    .serialize_element(&TaskBody { source: self.source, row: &row, member: self.member })
                    .map_err(Stop::Serializer)
            },
        )
        .map_err(|stop| self.source.stop(stop))?;
        tasks.end()
    }
}

struct TaskBody<'a> {
    source: &'a Source<'a>,
    row: &'a TaskRow<'a>,
    member: DismissedMember,
}

impl Serialize for TaskBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.row;
        let dismissed_member = match self.member {
            DismissedMember::HiddenBy => "hidden_by",
            DismissedMember::DismissedBy => "dismissed_by",
        };
        let mut task = serializer.serialize_struct("Task", 11)?;
        task.serialize_field("configuration_id", &row.configuration_id)?;
        task.serialize_field("configuration_name", &row.configuration_name)?;
        task.serialize_field(dismissed_member, row.dismissed_by.as_deref().unwrap_or_default())?;
        task.serialize_field("finished", &row.finished_ns.map(time).unwrap_or_default())?;
        task.serialize_field("messages", &Messages { source: self.source, id: row.id })?;
        task.serialize_field("performed_by", &row.performed_by)?;
        task.serialize_field("started", &time(row.started_ns))?;
        task.serialize_field("state", wire_state(row.outcome, row.dismissed_by.is_some()))?;
        task.serialize_field("task_id", &row.id.get())?;
        task.serialize_field("title", &row.title)?;
        task.serialize_field("updated", &time(row.updated_ns))?;
        task.end()
    }
}

struct Messages<'a> {
    source: &'a Source<'a>,
    id: TaskId,
}

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut messages = serializer.serialize_seq(None)?;
        task::each_message(self.source.read, self.id, |row| {
            messages.serialize_element(&MessageBody(&row)).map_err(Stop::Serializer)
        })
        .map_err(|stop| self.source.stop(stop))?;
        messages.end()
    }
}

struct MessageBody<'a>(&'a MessageRow<'a>);

impl Serialize for MessageBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut message = serializer.serialize_struct("Message", 2)?;
        message.serialize_field("message", &self.0.text)?;
        message.serialize_field("time", &time(self.0.time_ns))?;
        message.end()
    }
}

fn time(ns: i64) -> String {
    wire_time(DateTime::from_timestamp_nanos(ns))
}
