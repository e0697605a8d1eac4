//! What is in a store as lines of JSON.

mod line;
mod lines;
mod system_task;
mod task;

use std::collections::HashSet;
use std::io::{self, Write};

pub use line::{
    ExportHeader, ExportLine, ExportReport, ExportedConfiguration, ExportedEvent, ExportedEvents, ExportedMessages,
    ExportedRun, ExportedSystemTask, ExportedTask, LastIds,
};

use crate::sqlite::task::{Messages, TaskRow};
use crate::sqlite::{self, Read};
use crate::stream::{Out, Stop, stream};
use crate::task::{Dismissed, Order, TaskFilter};
use crate::{Result, TaskStore};

/// The version of the format.
pub(crate) const VERSION: u32 = 1;

/// Where a line is as long as this, the next message or event begins another one: who reads lines needs no more memory
/// than that, and for the longest text.
pub(crate) const LINE_BYTES: usize = 1 << 20;

impl TaskStore {
    /// Writes the whole store as lines of JSON, and tells how much that was: configurations, tasks with all their messages,
    /// system tasks, runs with all their events; deleted configurations and dismissed tasks, too.
    /// [`import`](Self::import) makes the same store of it, and [`ExportLine`] is what a line is for other programs.
    ///
    /// It is one snapshot, in memory that does not grow with the store, and shows what is in the file:
    /// [progress](Self::progress) that is not written yet is not in it, and neither does `updated` tell of it.
    /// [`flush`](Self::flush) before writes that. Text that another program has written and that is no UTF-8 has replacement
    /// characters.
    ///
    /// A line of a task holds its messages as far as it is no longer than about a MiB; the rest follows in lines of its own,
    /// and so do the events of a run.
    ///
    /// A slow `out` keeps the snapshot as long as it takes, but holds up no other call (a store in memory collects the
    /// whole first).
    ///
    /// # Errors
    ///
    /// [`Io`](crate::Error::Io) if `out` fails, and the [errors of reading](TaskStore#errors-of-reading). What is written
    /// by then is the beginning of the export, cut anywhere but behind a newline, and without its last line: an import
    /// refuses it.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{NewTask, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let id = store.start_detached(NewTask::new("Switch over"))?;
    /// store.fail(id, "no answer")?;
    ///
    /// let mut lines = Vec::new(); // or a file
    /// assert_eq!(store.export(&mut lines)?.tasks, 1);
    ///
    /// let other = TaskStore::open_in_memory()?;
    /// other.import(lines.as_slice())?;
    /// assert_eq!(other.task(id)?, store.task(id)?);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn export(&self, out: impl Write) -> Result<ExportReport> {
        let all = TaskFilter::new().dismissed(Dismissed::Included).order(Order::OldestFirst);
        let list = self.prepare_list(&all)?;
        stream(self, out, WRITE, |read, out| {
            let mut report = ExportReport::default();
            begin(read, out)?;
            sqlite::configuration::each(read, |row| {
                report.configurations += 1;
                Ok::<_, Stop>(task::write_configuration(out, row)?)
            })?;
            let messages = Messages::new(read)?;
            list.stream(read, out, |out, row| {
                report.tasks += 1;
                report.messages += task::write_task(out, row, &row.rest()?, &messages)?;
                Ok(())
            })?;
            sqlite::system_task::each_system_task(read, |row| {
                report.system_tasks += 1;
                Ok::<_, Stop>(system_task::write_system_task(out, row)?)
            })?;
            let mut events = sqlite::system_task::ExportedEvents::new(read)?;
            sqlite::system_task::each_run(read, |row| {
                report.runs += 1;
                report.events += system_task::write_run(out, row, &mut events)?;
                Ok::<_, Stop>(())
            })?;
            end(out, &report)?;
            Ok(report)
        })
    }

    /// Writes the tasks of a filter, in its order, as [`export`](Self::export) writes all, and gives their number. A
    /// configuration stands before its first task, and no system task is written. An [import](Self::import) takes that, too.
    ///
    /// It is the whole list: the filter's page, which is its [limit](TaskFilter::limit) and its
    /// [cursor](TaskFilter::cursor), is not heeded. Memory grows neither with the tasks (but for those in progress, where a
    /// filter has them [sorted](TaskFilter#what-a-page-costs)) nor with the messages of one. While a
    /// [text](TaskFilter::text) is looked for, `out` is flushed about once a second, so that whoever reads can end a search
    /// that finds nothing; see [`write_task_list`](crate::wire::task_api::write_task_list#searching).
    ///
    /// # Errors
    ///
    /// [`TooLong`](crate::Error::TooLong) or [`Invalid`](crate::Error::Invalid) for the filter, as [`list`](Self::list) has
    /// them, and [`TimeOutOfRange`](crate::Error::TimeOutOfRange), before anything is written; and those of
    /// [`export`](Self::export).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{ExportLine, Level, NewTask, Outcomes, TaskFilter, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let id = store.start_detached(NewTask::new("Switch over"))?;
    /// store.message(id, Level::Info, "asking the standby")?;
    /// store.fail(id, "no answer")?;
    ///
    /// let mut lines = Vec::new();
    /// assert_eq!(store.export_tasks(&TaskFilter::new().outcomes(Outcomes::FAILED), &mut lines)?, 1);
    /// let lines = String::from_utf8(lines)?;
    /// let second = lines.lines().nth(1).expect("behind the header comes the task");
    /// let ExportLine::Task(read) = serde_json::from_str(second)? else { panic!("it is a task") };
    /// assert_eq!((read.task.id, read.messages[1].text.as_str()), (id, "no answer"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn export_tasks(&self, filter: &TaskFilter, out: impl Write) -> Result<u64> {
        let list = self.prepare_list(filter)?;
        stream(self, out, WRITE, |read, out| {
            let mut report = ExportReport::default();
            begin(read, out)?;
            let messages = Messages::new(read)?;
            let mut written = HashSet::new();
            list.stream(read, out, |out, row: &TaskRow<'_>| {
                let rest = row.rest()?;
                if let Some(id) = rest.stored_configuration_id
                    && written.insert(id)
                {
                    report.configurations += 1;
                    sqlite::configuration::one(read, id, |row| Ok::<_, Stop>(task::write_configuration(out, row)?))?;
                }
                report.tasks += 1;
                report.messages += task::write_task(out, row, &rest, &messages)?;
                Ok(())
            })?;
            end(out, &report)?;
            Ok(report.tasks)
        })
    }
}

/// What could not be done where the writer fails.
const WRITE: &str = "write the export";

// A newline is given to `out` with the beginning of the next line, and the last one when all is written: what is cut has
// none at its end.

fn begin(read: &Read<'_>, out: &mut Out<'_>) -> Result<(), Stop> {
    let header = ExportHeader { version: VERSION, last_ids: sqlite::counters::last_ids(read)? };
    out.member(r#"{"taskstore_export":"#, &header)?;
    Ok(out.raw("}")?)
}

fn end(out: &mut Out<'_>, report: &ExportReport) -> io::Result<()> {
    out.member("\n{\"end\":", report)?;
    out.raw("}\n")
}
