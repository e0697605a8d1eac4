//! Answers written as they are read: no list is ever in memory, and the bytes are those that serde writes for
//! the types of [`super::answer`].

use std::io::Write;

use super::answer::{Answer, DismissedCount, wire_state};
use super::request::ListRequest;
use crate::configuration::ConfigurationId;
use crate::rfc3339::JsonTime;
use crate::sqlite::task::{self, ShownMessages, TaskRow};
use crate::stream::{Out, Stop, stream};
use crate::task::{TaskFilter, TaskId};
use crate::wire::WRITE;
use crate::{Error, Result, TaskStore};

/// What the member is called that names who dismissed a task. The published pages differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DismissedMember {
    /// `hidden_by`, as the help centre's page has it. The default.
    #[default]
    HiddenBy,
    /// `dismissed_by`, as the version 12 manual has it.
    DismissedBy,
}

/// Writes the body of a successful `/task/list`: [`write_task_list`] of the tasks that the request asks for.
///
/// # Errors
///
/// Those of [`write_task_list`].
pub fn write_list(store: &TaskStore, request: ListRequest, member: DismissedMember, out: impl Write) -> Result<()> {
    write_task_list(store, &request.filter(), member, out)
}

/// Writes the body of a successful `/task/list` that shows the tasks of a filter, in its order: one snapshot, in memory
/// that does not grow with the list (but with the tasks in progress, where a filter has those
/// [sorted](TaskFilter#what-a-page-costs)).
///
/// It is the whole list: the filter's page, which is its [limit](TaskFilter::limit) and its
/// [cursor](TaskFilter::cursor), is not heeded. It shows what is in the file, from whichever process: the published task
/// has no progress, and its `updated` does not tell of [progress](TaskStore::progress) that is not written yet.
///
/// A slow `out` keeps the snapshot as long as it takes, but holds up no other call (a store in memory collects the
/// whole first).
///
/// # Searching
///
/// A [text](TaskFilter::text) is looked for to the end of the list, whatever [`search_time_max`](TaskFilter::search_time_max)
/// says. Meanwhile `out` is flushed about once a second, by the store's monotonic clock: what was found so far arrives, and
/// an `out` whose `write` or `flush` fails ends the search. So whoever reads can end one that finds nothing, but for a
/// store in memory, which writes when it has collected all.
///
/// # Errors
///
/// [`TooLong`](crate::Error::TooLong) or [`Invalid`](crate::Error::Invalid) for the filter, as
/// [`TaskStore::list`] has them, and [`TimeOutOfRange`](crate::Error::TimeOutOfRange), before anything is written;
/// [`Io`](crate::Error::Io) if `out` fails; and the
/// [errors of reading](TaskStore#errors-of-reading). What is written by then is not whole JSON, so that it cannot be taken
/// for a shorter list.
///
/// # Example
///
/// ```
/// use taskstore::wire::task_api::{DismissedMember, write_task_list};
/// use taskstore::{NewTask, Outcomes, TaskFilter, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// let id = store.start_detached(NewTask::new("Switch over"))?;
/// store.fail(id, "no answer")?;
///
/// let failed = TaskFilter::new().outcomes(Outcomes::FAILED).text("ANSWER");
/// let mut answer = Vec::new();
/// write_task_list(&store, &failed, DismissedMember::HiddenBy, &mut answer)?;
/// assert!(String::from_utf8_lossy(&answer).contains(r#""messages":[{"message":"no answer","time":""#));
/// # Ok::<(), taskstore::Error>(())
/// ```
pub fn write_task_list(store: &TaskStore, filter: &TaskFilter, member: DismissedMember, out: impl Write) -> Result<()> {
    let list = store.prepare_list(filter)?;
    stream(store, out, WRITE, |read, out| {
        let messages = ShownMessages::new(read)?;
        out.raw(r#"{"result":{"tasks":["#)?;
        let mut separator = "";
        list.stream(read, out, |out, task| {
            out.raw(separator)?;
            separator = ",";
            write_task_object(out, task, &messages, member)
        })?;
        Ok(out.raw(r#"]},"successful":true}"#)?)
    })
}

/// Writes the body of a successful `/task/show`, `/task/dismiss` or `/task/restore`: the task itself.
///
/// # Errors
///
/// [`NotFound`](crate::Error::NotFound), before anything is written; otherwise those of [`write_task_list`].
pub fn write_task(store: &TaskStore, id: TaskId, member: DismissedMember, out: impl Write) -> Result<()> {
    stream(store, out, WRITE, |read, out| {
        task::one_task(read, id, |task| {
            out.raw(r#"{"result":"#)?;
            write_task_object(out, &task, &ShownMessages::new(read)?, member)?;
            Ok(out.raw(r#","successful":true}"#)?)
        })
    })
}

/// Writes the body of a successful `/task/dismiss_all`.
///
/// # Errors
///
/// [`Io`](crate::Error::Io) if `out` fails.
pub fn write_dismissed_count(dismissed: u64, out: impl Write) -> Result<()> {
    let body = Answer::success(DismissedCount { dismissed });
    serde_json::to_writer(out, &body).map_err(|error| Error::Io { action: WRITE, source: error.into() })
}

/// Writes what a [`Task`](super::Task) is as JSON, and so of the envelope what an [`Answer`] is. The names are spelt out,
/// since serde would look through each of them, for each task, for what must be escaped. Tests hold the two together.
fn write_task_object(
    out: &mut Out<'_>,
    task: &TaskRow<'_>,
    messages: &ShownMessages<'_>,
    member: DismissedMember,
) -> Result<(), Stop> {
    let dismissed_member = match member {
        DismissedMember::HiddenBy => r#","hidden_by":"#,
        DismissedMember::DismissedBy => r#","dismissed_by":"#,
    };
    out.member(r#"{"configuration_id":"#, &task.configuration_id.map_or(0, ConfigurationId::get))?;
    out.text(r#","configuration_name":"#, &task.configuration_name)?;
    out.text(dismissed_member, task.dismissed_by.as_deref().unwrap_or_default())?;
    match task.finished_ns {
        Some(ns) => out.time(r#","finished":"#, &JsonTime::nine_digits(ns))?,
        None => out.raw(r#","finished":"""#)?,
    }
    out.raw(r#","messages":["#)?;
    let mut begin = r#"{"message":"#;
    messages.each(task, |message| {
        out.text(begin, &message.text)?;
        begin = r#",{"message":"#;
        out.time(r#","time":"#, &JsonTime::nine_digits(message.time_ns))?;
        Ok::<_, Stop>(out.raw("}")?)
    })?;
    out.text(r#"],"performed_by":"#, &task.performed_by)?;
    out.time(r#","started":"#, &JsonTime::nine_digits(task.started_ns))?;
    out.text(r#","state":"#, wire_state(task.outcome, task.dismissed_by.is_some()))?;
    out.member(r#","task_id":"#, &task.id)?;
    out.text(r#","title":"#, &task.title)?;
    out.time(r#","updated":"#, &JsonTime::nine_digits(task.updated_ns))?;
    Ok(out.raw("}")?)
}
