//! Tasks as lines of JSON.

use std::io::{self, Write};

use super::TaskFilter;
use crate::rfc3339::JsonTime;
use crate::sqlite::task::{Messages, ProgressRow, TaskRow};
use crate::stream::{Out, Stop, stream};
use crate::{Result, TaskStore};

impl TaskStore {
    /// Writes the tasks of a filter, in its order, as lines of JSON, and gives their number. Each line is a task with all
    /// its messages: what [`TaskWithMessages`](crate::TaskWithMessages) is as JSON, to the byte, and a newline.
    ///
    /// It is the whole list: the filter's page, which is its [limit](TaskFilter::limit) and its
    /// [cursor](TaskFilter::cursor), is not heeded. It is one snapshot, in memory that grows neither with the tasks (but for
    /// those in progress, where a filter has them [sorted](TaskFilter#what-a-page-costs)) nor with the messages of one, and
    /// shows what is in the file: [progress](Self::progress) that is not written yet is not in it,
    /// and neither does `updated` tell of it. [`flush`](Self::flush) before writes that.
    ///
    /// A slow `out` keeps the snapshot as long as it takes, but holds up no other call (a store in memory collects the
    /// whole first). While a [text](TaskFilter::text) is looked for, `out` is flushed about once a second, so that whoever
    /// reads can end a search that finds nothing; see
    /// [`write_task_list`](crate::wire::task_api::write_task_list#searching).
    ///
    /// # Errors
    ///
    /// [`TooLong`](crate::Error::TooLong) or [`Invalid`](crate::Error::Invalid) for the filter, as [`list`](Self::list) has
    /// them, and [`TimeOutOfRange`](crate::Error::TimeOutOfRange), before anything is written; [`Io`](crate::Error::Io) if `out` fails; and the
    /// [errors of reading](TaskStore#errors-of-reading). What is written by then is the beginning of the export, cut
    /// anywhere but behind a newline: that is given to `out` with the beginning of the next line, and the last one when all
    /// is written. So a reader that finds no newline at the end has not got all.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{Level, NewTask, Outcomes, TaskFilter, TaskStore, TaskWithMessages};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let id = store.start_detached(NewTask::new("Switch over"))?;
    /// store.message(id, Level::Info, "asking the standby")?;
    /// store.fail(id, "no answer")?;
    ///
    /// let mut lines = Vec::new();
    /// assert_eq!(store.export_tasks(&TaskFilter::new().outcomes(Outcomes::FAILED), &mut lines)?, 1);
    /// let read: TaskWithMessages = serde_json::from_slice(&lines)?;
    /// assert_eq!((read.task.id, read.messages[1].text.as_str()), (id, "no answer"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn export_tasks(&self, filter: &TaskFilter, out: impl Write) -> Result<u64> {
        let list = self.prepare_list(filter)?;
        stream(self, out, "write the export", |read, out| {
            let messages = Messages::new(read)?;
            let (mut begin, mut written) = (r#"{"id":"#, 0);
            list.stream(read, out, |out, task| {
                write_task(out, begin, task, &messages)?;
                written += 1;
                // In one piece, so that no buffer ends between two lines: what is cut has no newline at its end.
                begin = concat!("\n", r#"{"id":"#);
                Ok(())
            })?;
            if written > 0 {
                out.raw("\n")?;
            }
            Ok(written)
        })
    }
}

/// Writes what a [`TaskWithMessages`](crate::TaskWithMessages) is as JSON. A test holds the two together.
fn write_task(out: &mut Out<'_>, begin: &str, task: &TaskRow<'_>, messages: &Messages<'_>) -> Result<(), Stop> {
    let rest = task.rest()?;
    out.member(begin, &task.id)?;
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
    out.raw(r#","messages":["#)?;
    let mut begin = r#"{"seq":"#;
    messages.each(task, |message| {
        out.member(begin, &message.seq)?;
        out.time(r#","time":"#, &JsonTime::few_digits(message.time_ns))?;
        out.member(r#","level":"#, &message.level)?;
        out.text(r#","text":"#, &message.text)?;
        out.member(r#","key":"#, &message.key)?;
        begin = r#",{"seq":"#;
        Ok::<_, Stop>(out.raw("}")?)
    })?;
    Ok(out.raw("]}")?)
}

fn time_or_null(out: &mut Out<'_>, name: &str, ns: Option<i64>) -> io::Result<()> {
    match ns {
        Some(ns) => out.time(name, &JsonTime::few_digits(ns)),
        None => out.member(name, &None::<()>),
    }
}
