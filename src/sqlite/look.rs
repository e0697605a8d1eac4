//! What tells whether a transaction of the layer for `tracing` was written.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Params, Row, named_params, params};

use super::error::during;
use super::row::Time;
use super::transaction::Read;
use crate::Result;
use crate::system_task::RunId;
use crate::task::TaskId;

const TASK_OF_KEY: &str = "SELECT id FROM task WHERE key = :key";

const RUN_OF_KEY: &str = "SELECT id FROM run WHERE system_task_id = :system_task AND key = :key";

const RUNS_AT: &str = "SELECT id FROM run WHERE system_task_id = ?1 AND started_ns = ?2 ORDER BY id";

const RUN_TIMES: &str = "SELECT started_ns, finished_ns FROM run WHERE id = ?1";

pub(crate) fn task_of_key(read: &Read<'_>, key: &str) -> Result<Option<TaskId>> {
    one(read, TASK_OF_KEY, named_params! { ":key": key }, |row| row.get(0))
}

pub(crate) fn run_of_key(read: &Read<'_>, system_task: i64, key: &str) -> Result<Option<RunId>> {
    one(read, RUN_OF_KEY, named_params! { ":system_task": system_task, ":key": key }, |row| row.get(0))
}

/// The runs of a system task that started at this time, oldest first.
pub(crate) fn runs_at(read: &Read<'_>, system_task: i64, started_ns: i64) -> Result<Vec<RunId>> {
    let mut runs = read.connection.prepare_cached(RUNS_AT).map_err(during("look for what was written"))?;
    runs.query_map(params![system_task, started_ns], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(during("look for what was written"))
}

/// When a run started, and when it ended if it did.
pub(crate) type RunTimes = (DateTime<Utc>, Option<DateTime<Utc>>);

pub(crate) fn run_times(read: &Read<'_>, id: RunId) -> Result<Option<RunTimes>> {
    one(read, RUN_TIMES, params![id], |row| {
        Ok((row.get::<_, Time>(0)?.0, row.get::<_, Option<Time>>(1)?.map(|Time(time)| time)))
    })
}

fn one<T>(
    read: &Read<'_>,
    sql: &'static str,
    values: impl Params,
    map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>> {
    let mut statement = read.connection.prepare_cached(sql).map_err(during("look for what was written"))?;
    statement.query_row(values, map).optional().map_err(during("look for what was written"))
}
