//! Rows lent as they come, text and all, for whoever writes them out without keeping them.

use std::borrow::Cow;
use std::ops::ControlFlow;

use rusqlite::{CachedStatement, Row};

use super::super::error::during;
use super::super::row::{text, text_or_null};
use super::super::transaction::Read;
use super::search::Search;
use super::{list, not_found, read};
use crate::task::position::Reading;
use crate::task::{Outcome, TaskFilter, TaskId};
use crate::{Error, Result};

/// A task of a stream: the columns that the task API shows.
pub(crate) struct TaskRow<'a> {
    pub(crate) id: TaskId,
    /// 0 for none.
    pub(crate) configuration_id: i64,
    pub(crate) configuration_name: Cow<'a, str>,
    pub(crate) title: Cow<'a, str>,
    pub(crate) performed_by: Cow<'a, str>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) started_ns: i64,
    pub(crate) updated_ns: i64,
    pub(crate) finished_ns: Option<i64>,
    pub(crate) dismissed_by: Option<Cow<'a, str>>,
}

impl<'a> TaskRow<'a> {
    fn of(row: &'a Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            configuration_id: row.get::<_, Option<i64>>(1)?.unwrap_or(0),
            configuration_name: text(row, 2)?,
            title: text(row, 3)?,
            performed_by: text(row, 4)?,
            outcome: row.get(5)?,
            started_ns: row.get(6)?,
            updated_ns: row.get(7)?,
            finished_ns: row.get(8)?,
            dismissed_by: text_or_null(row, 9)?,
        })
    }
}

/// A message of a stream.
pub(crate) struct MessageRow<'a> {
    pub(crate) time_ns: i64,
    pub(crate) text: Cow<'a, str>,
}

/// Hands each task of a list to `see`; the filter's page is not heeded. `searched` is called for each one that was looked
/// through for a text in vain. The caller holds a snapshot.
pub(crate) fn each_task<E: From<Error>>(
    read: &Read<'_>,
    filter: &TaskFilter,
    now_ns: i64,
    mut searched: impl FnMut() -> Result<(), E>,
    mut see: impl FnMut(TaskRow<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut search = Search::of(filter);
    list::each(read, filter, now_ns, &Reading::of_whole(filter), |row| {
        let is_shown = search.as_mut().map_or(Ok(true), |search| search.finds(read, row))?;
        if is_shown {
            see(TaskRow::of(row).map_err(during("read a task"))?)?;
        } else {
            searched()?;
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Hands one task to `see`. The caller holds a snapshot.
pub(crate) fn one_task<T, E: From<Error>>(
    read: &Read<'_>,
    id: TaskId,
    see: impl FnOnce(TaskRow<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mut get = read.connection.prepare_cached(read::GET).map_err(during("read a task"))?;
    let mut rows = get.query([id]).map_err(during("read a task"))?;
    match rows.next().map_err(during("read a task"))? {
        Some(row) => see(TaskRow::of(row).map_err(during("read a task"))?),
        None => Err(not_found(id).into()),
    }
}

pub(super) const MESSAGES: &str = "SELECT time_ns, text FROM message WHERE task_id = ?1 ORDER BY seq";

/// The messages of one task after another. The statement is held: taking it from the connection's cache and putting it
/// back is a tenth of a stream.
pub(crate) struct Messages<'a>(CachedStatement<'a>);

impl<'a> Messages<'a> {
    pub(crate) fn of(read: &Read<'a>) -> Result<Self> {
        read.connection.prepare_cached(MESSAGES).map(Self).map_err(during("read the messages"))
    }

    /// Hands each message of a task to `see`, oldest first. The caller holds a snapshot.
    pub(crate) fn each(&mut self, id: TaskId, mut see: impl FnMut(MessageRow<'_>) -> Result<()>) -> Result<()> {
        let mut rows = self.0.query([id]).map_err(during("read the messages"))?;
        while let Some(row) = rows.next().map_err(during("read the messages"))? {
            let time_ns = row.get(0).map_err(during("read the messages"))?;
            see(MessageRow { time_ns, text: text(row, 1).map_err(during("read the messages"))? })?;
        }
        Ok(())
    }
}
