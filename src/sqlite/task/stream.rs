//! Rows lent as they come, text and all, for whoever writes them out without keeping them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::ControlFlow;

use rusqlite::{CachedStatement, Row};

use super::super::error::during;
use super::super::row::{Amount, text, text_or_null};
use super::super::transaction::Read;
use super::search::Search;
use super::{list, not_found, read};
use crate::configuration::ConfigurationId;
use crate::task::position::Reading;
use crate::task::{Level, Outcome, TaskFilter, TaskId};
use crate::{Error, Result};

/// A task of a stream: the columns that the task API shows, and the way to the others.
pub(crate) struct TaskRow<'a> {
    row: &'a Row<'a>,
    pub(crate) id: TaskId,
    pub(crate) configuration_id: Option<ConfigurationId>,
    pub(crate) configuration_name: Cow<'a, str>,
    pub(crate) title: Cow<'a, str>,
    pub(crate) performed_by: Cow<'a, str>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) started_ns: i64,
    pub(crate) updated_ns: i64,
    pub(crate) finished_ns: Option<i64>,
    pub(crate) dismissed_by: Option<Cow<'a, str>>,
    pub(crate) message_count: u64,
}

/// The columns of a task that the task API does not show.
pub(crate) struct TaskRest<'a> {
    pub(crate) dismissed_ns: Option<i64>,
    pub(crate) progress: Option<ProgressRow<'a>>,
    pub(crate) level_reached: Option<Level>,
    pub(crate) key: Option<Cow<'a, str>>,
    /// Also if it was deleted.
    pub(crate) stored_configuration_id: Option<ConfigurationId>,
}

pub(crate) struct ProgressRow<'a> {
    pub(crate) done: u64,
    pub(crate) total: Option<u64>,
    pub(crate) phase: Option<Cow<'a, str>>,
}

impl<'a> TaskRow<'a> {
    fn of(row: &'a Row<'a>) -> Result<Self> {
        Self::read(row).map_err(during("read a task"))
    }

    fn read(row: &'a Row<'a>) -> rusqlite::Result<Self> {
        Ok(Self {
            row,
            id: row.get(0)?,
            configuration_id: row.get(1)?,
            configuration_name: text(row, 2)?,
            title: text(row, 3)?,
            performed_by: text(row, 4)?,
            outcome: row.get(5)?,
            started_ns: row.get(6)?,
            updated_ns: row.get(7)?,
            finished_ns: row.get(8)?,
            dismissed_by: text_or_null(row, 9)?,
            message_count: row.get::<_, Amount>(14)?.0,
        })
    }

    /// The other columns, which are read only where they are shown.
    pub(crate) fn rest(&self) -> Result<TaskRest<'a>> {
        self.read_rest().map_err(during("read a task"))
    }

    fn read_rest(&self) -> rusqlite::Result<TaskRest<'a>> {
        let row = self.row;
        let amount_or_null =
            |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<Amount>>(column)?.map(|Amount(n)| n));
        let progress = match amount_or_null(11)? {
            Some(done) => Some(ProgressRow { done, total: amount_or_null(12)?, phase: text_or_null(row, 13)? }),
            None => None,
        };
        Ok(TaskRest {
            dismissed_ns: row.get(10)?,
            progress,
            level_reached: row.get(15)?,
            key: text_or_null(row, 16)?,
            stored_configuration_id: row.get(17)?,
        })
    }
}

/// Hands each task of a list to `see`, and `None` now and then while a text is looked for in vain; the filter's page is
/// not heeded. The caller holds a snapshot.
pub(crate) fn each_task<E: From<Error>>(
    read: &Read<'_>,
    filter: &TaskFilter,
    now_ns: i64,
    mut see: impl FnMut(Option<TaskRow<'_>>) -> Result<(), E>,
) -> Result<(), E> {
    let mut search = Search::of(read, filter)?;
    list::each(read, filter, now_ns, &Reading::of_whole(filter), |row| {
        let mut go_on = || see(None).map(|()| true);
        let found = search.as_mut().map_or(Ok(Some(true)), |search| search.finds(row, &mut go_on))?;
        see(if found == Some(true) { Some(TaskRow::of(row)?) } else { None })?;
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
        Some(row) => see(TaskRow::of(row)?),
        None => Err(not_found(id).into()),
    }
}

/// A message as the task API shows it.
pub(crate) struct ShownMessageRow<'a> {
    pub(crate) time_ns: i64,
    pub(crate) text: Cow<'a, str>,
}

/// All there is of a message.
pub(crate) struct MessageRow<'a> {
    pub(crate) seq: u64,
    pub(crate) time_ns: i64,
    pub(crate) level: Level,
    pub(crate) text: Cow<'a, str>,
    pub(crate) key: Option<Cow<'a, str>>,
}

/// The statement that reads the messages of task after task. It is held for a whole stream and given its task by position:
/// taking it from the cache and finding the name of its parameter costs as much as reading a message.
struct MessagesOf<'a>(RefCell<CachedStatement<'a>>);

impl<'a> MessagesOf<'a> {
    fn new(read: &Read<'a>, sql: &'static str) -> Result<Self> {
        read.connection.prepare_cached(sql).map(RefCell::new).map(Self).map_err(during("read the messages"))
    }

    fn each<E: From<Error>>(
        &self,
        task: &TaskRow<'_>,
        mut see: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if task.message_count == 0 {
            return Ok(());
        }
        let mut statement = self.0.borrow_mut();
        let mut rows = statement.query([task.id]).map_err(during("read the messages"))?;
        while let Some(row) = rows.next().map_err(during("read the messages"))? {
            see(row)?;
        }
        Ok(())
    }
}

/// Reads the messages of task after task as the task API shows them.
pub(crate) struct ShownMessages<'a>(MessagesOf<'a>);

pub(super) const SHOWN_MESSAGES: &str = "SELECT time_ns, text FROM message WHERE task_id = ?1 ORDER BY seq";

impl<'a> ShownMessages<'a> {
    pub(crate) fn new(read: &Read<'a>) -> Result<Self> {
        MessagesOf::new(read, SHOWN_MESSAGES).map(Self)
    }

    /// Hands each message of a task to `see`, oldest first. The caller holds a snapshot.
    pub(crate) fn each<E: From<Error>>(
        &self,
        task: &TaskRow<'_>,
        mut see: impl FnMut(ShownMessageRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.each(task, |row| see(shown_message(row).map_err(during("read the messages"))?))
    }
}

fn shown_message<'a>(row: &'a Row<'_>) -> rusqlite::Result<ShownMessageRow<'a>> {
    Ok(ShownMessageRow { time_ns: row.get(0)?, text: text(row, 1)? })
}

/// Reads the messages of task after task, with all there is of each.
pub(crate) struct Messages<'a>(MessagesOf<'a>);

const MESSAGES: &str = "SELECT seq, time_ns, level, text, key FROM message WHERE task_id = ?1 ORDER BY seq";

impl<'a> Messages<'a> {
    pub(crate) fn new(read: &Read<'a>) -> Result<Self> {
        MessagesOf::new(read, MESSAGES).map(Self)
    }

    /// Hands each message of a task to `see`, oldest first. The caller holds a snapshot.
    pub(crate) fn each<E: From<Error>>(
        &self,
        task: &TaskRow<'_>,
        mut see: impl FnMut(MessageRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.each(task, |row| see(message(row).map_err(during("read the messages"))?))
    }
}

fn message<'a>(row: &'a Row<'_>) -> rusqlite::Result<MessageRow<'a>> {
    Ok(MessageRow {
        seq: row.get::<_, Amount>(0)?.0,
        time_ns: row.get(1)?,
        level: row.get(2)?,
        text: text(row, 3)?,
        key: text_or_null(row, 4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::assert_plans;

    #[test]
    fn messages_are_found_by_their_key_and_in_its_order() {
        let by_key = "SEARCH message USING PRIMARY KEY (task_id=?)";
        assert_plans(&[(SHOWN_MESSAGES, by_key), (MESSAGES, by_key)]);
    }
}
