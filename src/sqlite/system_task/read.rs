//! What the verbs read, but for the list.

use std::time::Duration;

use rusqlite::{OptionalExtension, Row, named_params};
use uuid::Uuid;

use super::super::error::during;
use super::super::row::{Amount, Text, Time};
use super::super::transaction::Read;
use super::list;
use crate::page::{Cursor, Page};
use crate::system_task::{Attributes, LoggedEvent, Run, RunId, SystemTask, SystemTaskFilter};
use crate::{Error, Result};

/// The columns of a run, in the order that [`run`] reads them.
macro_rules! run_columns {
    () => {
        "r.id, r.status, r.interrupted, r.started_ns, r.finished_ns, r.duration_ns, r.expires_ns, r.event_count"
    };
}

#[cfg(feature = "testing")]
pub(super) use run_columns;

/// A system task with its shown run, in the order that [`system_task`] reads the columns. Only those are listed that
/// have such a run or were registered.
macro_rules! listed {
    () => {
        concat!(
            "SELECT s.uuid, s.name, s.uid, s.description, s.registered_ns, ",
            run_columns!(),
            " FROM system_task s LEFT JOIN run r ON r.id = s.shown_run
            WHERE (s.shown_run IS NOT NULL OR s.registered_ns IS NOT NULL)"
        )
    };
}

/// The beginning of every statement that reads system tasks.
pub(super) const LISTED: &str = listed!();

/// Reads a run from the columns from `first` on.
pub(super) fn run(row: &Row<'_>, first: usize) -> rusqlite::Result<Run> {
    let time_or_null =
        |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<Time>>(first + column)?.map(|Time(time)| time));
    Ok(Run {
        id: row.get(first)?,
        status: row.get(first + 1)?,
        interrupted: row.get(first + 2)?,
        started: row.get::<_, Time>(first + 3)?.0,
        finished: time_or_null(4)?,
        duration: row.get::<_, Option<Amount>>(first + 5)?.map(|Amount(ns)| Duration::from_nanos(ns)),
        expires: time_or_null(6)?,
        event_count: row.get::<_, Amount>(first + 7)?.0,
    })
}

pub(super) fn system_task(row: &Row<'_>) -> rusqlite::Result<SystemTask> {
    let shown: Option<RunId> = row.get(5)?;
    Ok(SystemTask {
        uuid: row.get(0)?,
        name: row.get::<_, Text>(1)?.0,
        uid: row.get::<_, Option<Text>>(2)?.map(|Text(uid)| uid),
        description: row.get::<_, Text>(3)?.0,
        registered: row.get::<_, Option<Time>>(4)?.map(|Time(time)| time),
        shown_run: shown.map(|_| run(row, 5)).transpose()?,
    })
}

/// One system task, if the filter leaves it.
pub(crate) fn get(read: &Read<'_>, filter: &SystemTaskFilter, uuid: Uuid) -> Result<SystemTask> {
    list::one(read, filter, uuid, |row| system_task(row).map_err(during("read a system task")))
}

pub(super) const FIND: &str = "
    SELECT id, uuid FROM system_task WHERE name = :name AND uid_key = coalesce(:uid, x'')";

/// The row and the uuid of the system task of this name and uid.
pub(crate) fn find(read: &Read<'_>, name: &str, uid: Option<&str>) -> Result<Option<(i64, Uuid)>> {
    let mut find = read.connection.prepare_cached(FIND).map_err(during("look for a system task"))?;
    find.query_row(named_params! { ":name": name, ":uid": uid }, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(during("look for a system task"))
}

const IDENTITY: &str = "SELECT id FROM system_task WHERE uuid = :uuid";

const HISTORY: &str = concat!(
    "SELECT ",
    run_columns!(),
    " FROM run r WHERE r.system_task_id = :system_task AND r.id <= :bound ORDER BY r.id DESC LIMIT :limit"
);

pub(crate) fn history(read: &Read<'_>, uuid: Uuid, after: Option<&Cursor>, limit: u32) -> Result<Page<Run>> {
    let prefix = format!("run.{uuid}.");
    let bound = after.map_or(Ok(i64::MAX), |cursor| {
        let id = cursor.as_str().strip_prefix(&prefix).and_then(|id| id.parse::<RunId>().ok());
        id.map(|id| id.get() - 1).ok_or_else(|| Error::InvalidCursor { cursor: cursor.to_string() })
    })?;
    let runs = read.snapshot(|| {
        let mut identity = read.connection.prepare_cached(IDENTITY).map_err(during("read a system task"))?;
        let found = identity.query_row(named_params! { ":uuid": uuid }, |row| row.get::<_, i64>(0)).optional();
        let system_task = found.map_err(during("read a system task"))?.ok_or(Error::NoSuchSystemTask { uuid })?;
        let mut history = read.connection.prepare_cached(HISTORY).map_err(during("read the history"))?;
        let values = named_params! { ":system_task": system_task, ":bound": bound, ":limit": i64::from(limit) + 1 };
        history
            .query_map(values, |row| run(row, 0))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
            .map_err(during("read the history"))
    })?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(Page::cut(runs, limit, |last| Cursor::new(format!("{prefix}{}", last.id))))
}

const RUN_EXISTS: &str = "SELECT 1 FROM run WHERE id = :id";

const EVENTS: &str = "
    SELECT seq, time_ns, level, logger, event, attributes
    FROM log_event WHERE run_id = :id AND seq > :after ORDER BY seq LIMIT :limit";

pub(crate) fn events(read: &Read<'_>, id: RunId, after: u64, limit: u32) -> Result<Vec<LoggedEvent>> {
    // No run has as many events as an `i64` can count.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    read.snapshot(|| {
        let mut exists = read.connection.prepare_cached(RUN_EXISTS).map_err(during("read a run"))?;
        if !exists.exists(named_params! { ":id": id }).map_err(during("read a run"))? {
            return Err(Error::NotFound { what: "run", id: id.get() });
        }
        let mut events = read.connection.prepare_cached(EVENTS).map_err(during("read the events"))?;
        events
            .query_map(named_params! { ":id": id, ":after": after, ":limit": limit }, event)
            .and_then(Iterator::collect)
            .map_err(during("read the events"))
    })
}

fn event(row: &Row<'_>) -> rusqlite::Result<LoggedEvent> {
    Ok(LoggedEvent {
        seq: row.get::<_, Amount>(0)?.0,
        time: row.get::<_, Time>(1)?.0,
        level: row.get(2)?,
        logger: row.get::<_, Text>(3)?.0,
        event: row.get::<_, Text>(4)?.0,
        attributes: Attributes::stored(&row.get::<_, Text>(5)?.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::{plan, planned_connection};

    #[test]
    fn a_system_task_its_history_and_its_events_are_found_by_their_keys() {
        let connection = planned_connection();
        for (sql, expected) in [
            (concat!(listed!(), " AND s.uuid = :uuid"), "SEARCH s USING INDEX sqlite_autoindex_system_task_1 (uuid=?)"),
            (FIND, "SEARCH system_task USING INDEX system_task_identity (name=? AND uid_key=?)"),
            (HISTORY, "SEARCH r USING INDEX run_of_system_task (system_task_id=? AND id<?)"),
            (EVENTS, "SEARCH log_event USING PRIMARY KEY (run_id=? AND seq>?)"),
        ] {
            let plan = plan(&connection, sql);
            assert!(plan.contains(expected), "no {expected:?} in\n{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
