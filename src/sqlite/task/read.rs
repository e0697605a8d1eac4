//! What the verbs read.

use rusqlite::{Row, ToSql, named_params};

use super::super::configuration;
use super::super::error::during;
use super::super::row::{Amount, Text, Time};
use super::super::transaction::Read;
use super::not_found;
use crate::page::Page;
use crate::task::{Dismissed, Message, Order, Progress, Task, TaskFilter, TaskId};
use crate::{Error, Result};

/// The columns of a task, in the order that [`task`] reads them. A deleted configuration lends its name only.
macro_rules! task_columns {
    () => {
        "SELECT t.id, iif(c.deleted_ns IS NULL, c.id, NULL), coalesce(c.name, ''), t.title, t.performed_by, t.outcome,
            t.started_ns, t.updated_ns, t.finished_ns, t.dismissed_by, t.dismissed_ns,
            t.progress_done, t.progress_total, t.progress_phase, t.message_count
        FROM task t LEFT JOIN configuration c ON c.id = t.configuration_id
        "
    };
}

fn task(row: &Row<'_>) -> rusqlite::Result<Task> {
    let text = |column| row.get::<_, Text>(column).map(|Text(text)| text);
    let text_or_null = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<Text>>(column)?.map(|Text(text)| text));
    let time = |column| row.get::<_, Time>(column).map(|Time(time)| time);
    let time_or_null = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<Time>>(column)?.map(|Time(time)| time));
    let amount_or_null = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<Amount>>(column)?.map(|Amount(n)| n));
    let progress = match amount_or_null(11)? {
        Some(done) => Some(Progress { done, total: amount_or_null(12)?, phase: text_or_null(13)? }),
        None => None,
    };
    Ok(Task {
        id: row.get(0)?,
        configuration_id: row.get(1)?,
        configuration_name: text(2)?,
        title: text(3)?,
        performed_by: text(4)?,
        outcome: row.get(5)?,
        started: time(6)?,
        updated: time(7)?,
        finished: time_or_null(8)?,
        dismissed_by: text_or_null(9)?,
        dismissed: time_or_null(10)?,
        progress,
        message_count: row.get::<_, Amount>(14)?.0,
    })
}

/// The statement of one task.
pub(super) const GET: &str = concat!(task_columns!(), "WHERE t.id = :id");

pub(crate) fn get(read: &Read<'_>, id: TaskId) -> Result<Task> {
    let mut get = read.connection.prepare_cached(GET).map_err(during("read a task"))?;
    let mut rows = get.query(named_params! { ":id": id }).map_err(during("read a task"))?;
    match rows.next().map_err(during("read a task"))? {
        Some(row) => task(row).map_err(during("read a task")),
        None => Err(not_found(id)),
    }
}

/// The statement of one list. Each part is one of few, so that all statements can be told; a test plans every one.
fn list_statement(configuration: bool, dismissed: Dismissed, order: Order) -> String {
    let (within, direction) = match order {
        Order::NewestFirst => ("AND t.id <= :bound", "DESC"),
        Order::OldestFirst => ("AND t.id > :bound", "ASC"),
    };
    let of = if configuration { "AND t.configuration_id = :configuration" } else { "" };
    let part = |dismissed: &str| {
        [task_columns!(), "WHERE ", dismissed, " ", within, " AND :outcomes >> coalesce(t.outcome, 0) & 1 ", of]
            .concat()
    };
    let hidden = "t.dismissed_ns IS NULL";
    let only = "t.dismissed_ns IS NOT NULL";
    match dismissed {
        Dismissed::Hidden => [&part(hidden), " ORDER BY t.id ", direction, " LIMIT :limit"].concat(),
        Dismissed::Only => [&part(only), " ORDER BY t.id ", direction, " LIMIT :limit"].concat(),
        // Two indexes, each in order, that SQLite merges: one over both would make visible tasks dearer to find.
        Dismissed::Included if configuration => {
            [&part(hidden), " UNION ALL ", &part(only), " ORDER BY 1 ", direction, " LIMIT :limit"].concat()
        }
        Dismissed::Included => [&part("true"), " ORDER BY t.id ", direction, " LIMIT :limit"].concat(),
    }
}

pub(crate) fn list(read: &Read<'_>, filter: &TaskFilter) -> Result<Page<Task>> {
    let after = filter.after_id()?;
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let tasks = read.snapshot(|| {
        let mut tasks = Vec::new();
        each(read, filter, after, i64::from(filter.limit) + 1, |row| {
            tasks.push(task(row).map_err(during("read a task"))?);
            Ok::<_, Error>(())
        })?;
        Ok(tasks)
    })?;
    Ok(Page::cut(tasks, limit, |last| filter.cursor_behind(last.id)))
}

/// Hands every row of a list, at most `limit` (no limit if negative), to `see`. The caller holds a snapshot.
pub(super) fn each<E: From<Error>>(
    read: &Read<'_>,
    filter: &TaskFilter,
    after: Option<TaskId>,
    limit: i64,
    mut see: impl FnMut(&Row<'_>) -> Result<(), E>,
) -> Result<(), E> {
    if let Some(id) = filter.configuration
        && !configuration::exists(read.connection, id)?
    {
        return Ok(());
    }
    let bound = match filter.order {
        Order::NewestFirst => after.map_or(i64::MAX, |id| id.get() - 1),
        Order::OldestFirst => after.map_or(0, TaskId::get),
    };
    let sql = list_statement(filter.configuration.is_some(), filter.dismissed, filter.order);
    let mut list = read.connection.prepare_cached(&sql).map_err(during("list the tasks"))?;
    let outcomes = filter.outcomes.bits();
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":bound", &bound), (":outcomes", &outcomes), (":limit", &limit)];
    if filter.configuration.is_some() {
        values.push((":configuration", &filter.configuration));
    }
    let mut rows = list.query(values.as_slice()).map_err(during("list the tasks"))?;
    while let Some(row) = rows.next().map_err(during("list the tasks"))? {
        see(row)?;
    }
    Ok(())
}

const MESSAGES: &str = "
    SELECT seq, time_ns, level, text FROM message WHERE task_id = :id AND seq > :after ORDER BY seq LIMIT :limit";

const EXISTS: &str = "SELECT 1 FROM task WHERE id = :id";

pub(crate) fn messages(read: &Read<'_>, id: TaskId, after: u64, limit: u32) -> Result<Vec<Message>> {
    // No task has as many messages as an `i64` can count.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    read.snapshot(|| {
        let mut exists = read.connection.prepare_cached(EXISTS).map_err(during("read a task"))?;
        if !exists.exists(named_params! { ":id": id }).map_err(during("read a task"))? {
            return Err(not_found(id));
        }
        let mut messages = read.connection.prepare_cached(MESSAGES).map_err(during("read the messages"))?;
        messages
            .query_map(named_params! { ":id": id, ":after": after, ":limit": limit }, |row| {
                Ok(Message {
                    seq: row.get::<_, Amount>(0)?.0,
                    time: row.get::<_, Time>(1)?.0,
                    level: row.get(2)?,
                    text: row.get::<_, Text>(3)?.0,
                })
            })
            .and_then(Iterator::collect)
            .map_err(during("read the messages"))
    })
}

/// Statements of the readers, with how often each runs in the lifecycle of the test.
#[cfg(test)]
pub(super) fn statements_for_tests() -> Vec<(String, i32)> {
    let list = list_statement(false, Dismissed::Hidden, Order::NewestFirst);
    vec![(GET.to_owned(), 1), (MESSAGES.to_owned(), 1), (list, 1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::{plan, planned_connection};

    /// Every list there is, with the plan that keeps it fast: none sorts, and none reads what it hides.
    #[test]
    fn every_list_is_read_in_order_from_an_index() {
        let connection = planned_connection();
        for order in [Order::NewestFirst, Order::OldestFirst] {
            for (configuration, dismissed, expected) in [
                (false, Dismissed::Hidden, &["SEARCH t USING INDEX task_visible (id"][..]),
                (false, Dismissed::Included, &["SEARCH t USING INTEGER PRIMARY KEY (rowid"]),
                (false, Dismissed::Only, &["SEARCH t USING INDEX task_dismissed (id"]),
                (
                    true,
                    Dismissed::Hidden,
                    &["SEARCH t USING INDEX task_visible_by_configuration (configuration_id=? AND id"],
                ),
                (
                    true,
                    Dismissed::Included,
                    &[
                        "MERGE (UNION ALL)",
                        "SEARCH t USING INDEX task_visible_by_configuration (configuration_id=? AND id",
                        "SEARCH t USING INDEX task_dismissed_by_configuration (configuration_id=? AND id",
                    ],
                ),
                (
                    true,
                    Dismissed::Only,
                    &["SEARCH t USING INDEX task_dismissed_by_configuration (configuration_id=? AND id"],
                ),
            ] {
                let plan = plan(&connection, &list_statement(configuration, dismissed, order));
                for step in expected {
                    assert!(plan.contains(step), "{configuration} {dismissed:?} {order:?}: no {step:?} in\n{plan}");
                }
                assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{dismissed:?} {order:?}:\n{plan}");
            }
        }
    }

    #[test]
    fn a_task_and_its_messages_are_found_by_their_keys() {
        let connection = planned_connection();
        let task = plan(&connection, GET);
        assert!(task.contains("SEARCH t USING INTEGER PRIMARY KEY (rowid=?)"), "{task}");
        let messages = plan(&connection, MESSAGES);
        assert!(messages.contains("SEARCH message USING PRIMARY KEY (task_id=? AND seq>?)"), "{messages}");
        assert!(!messages.contains("TEMP B-TREE"), "{messages}");
    }
}
