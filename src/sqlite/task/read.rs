//! One task, and pages of them.

use std::ops::ControlFlow;

use rusqlite::Row;

use super::super::error::during;
use super::super::row::{Amount, Text, Time};
use super::super::transaction::Read;
use super::list::{each, place_of};
use super::not_found;
use super::search::Search;
use crate::page::Page;
use crate::task::position::Reading;
use crate::task::{Progress, Task, TaskFilter, TaskId};
use crate::{Error, Result};

macro_rules! columns {
    () => {
        "SELECT t.id, iif(c.deleted_ns IS NULL, c.id, NULL), coalesce(c.name, ''), t.title, t.performed_by, t.outcome,
            t.started_ns, t.updated_ns, t.finished_ns, t.dismissed_by, t.dismissed_ns,
            t.progress_done, t.progress_total, t.progress_phase, t.message_count, t.level_reached, t.key,
            t.configuration_id
        FROM task t "
    };
}

macro_rules! joined {
    () => {
        " LEFT JOIN configuration c ON c.id = t.configuration_id"
    };
}

/// The columns of a task, in the order that [`task`] reads them, and behind the name of an index what is joined. A
/// deleted configuration lends its name only.
pub(super) const TASK: [&str; 2] = [columns!(), joined!()];

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
        level_reached: row.get(15)?,
        key: text_or_null(16)?,
    })
}

/// One task.
pub(super) const GET: &str = concat!(columns!(), joined!(), " WHERE t.id = ?1");

pub(crate) fn get(read: &Read<'_>, id: TaskId) -> Result<Task> {
    let mut get = read.connection.prepare_cached(GET).map_err(during("read a task"))?;
    let mut rows = get.query([id]).map_err(during("read a task"))?;
    match rows.next().map_err(during("read a task"))? {
        Some(row) => task(row).map_err(during("read a task")),
        None => Err(not_found(id)),
    }
}

/// One page. While a text is looked for, `go_on` is asked before each task but the first, and among its messages.
pub(crate) fn list(
    read: &Read<'_>,
    filter: &TaskFilter,
    now_ns: i64,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Page<Task>> {
    let reading = Reading::of(filter)?;
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let mut search = Search::of(read, filter)?;
    let (mut tasks, mut last, mut more) = (Vec::new(), None, false);
    let mut see = |row: &Row<'_>| {
        // A search does not look on to find out whether there is more.
        if tasks.len() == limit {
            more = true;
            return Ok(ControlFlow::Break(()));
        }
        if let Some(search) = &mut search {
            // One task is looked through in any case, so that a walk comes to its end.
            let mut go_on = || Ok(last.is_none() || go_on());
            let found = if go_on()? { search.finds::<Error>(row, &mut go_on)? } else { None };
            let Some(is_found) = found else {
                more = true;
                return Ok(ControlFlow::Break(()));
            };
            last = Some(place_of(row, filter.order).map_err(during("read a task"))?);
            if !is_found {
                return Ok(ControlFlow::Continue(()));
            }
        }
        tasks.push(task(row).map_err(during("read a task"))?);
        if tasks.len() == limit {
            last = Some(place_of(row, filter.order).map_err(during("read a task"))?);
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    };
    read.snapshot(|| each(read, filter, now_ns, &reading, &mut see))?;
    let (next, previous) = reading.neighbours(last, more);
    Ok(Page { items: reading.in_order(tasks), next, previous, total: None })
}

/// Statements of the readers, with how often each runs in the lifecycle of the test.
#[cfg(test)]
pub(super) fn statements_for_tests() -> Vec<(String, i32)> {
    vec![(GET.to_owned(), 2)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::{plan, planned_connection};

    #[test]
    fn a_task_is_found_by_its_id() {
        let task = plan(&planned_connection(), GET);
        assert!(task.contains("SEARCH t USING INTEGER PRIMARY KEY (rowid=?)"), "{task}");
    }
}
