//! System tasks and runs with all their columns, lent as they come.

use std::borrow::Cow;
use std::time::Duration;

use rusqlite::{CachedStatement, Row};
use uuid::Uuid;

use super::super::error::during;
use super::super::row::{Amount, text, text_or_null};
use super::super::transaction::Read;
use crate::system_task::{LogLevel, RunId, SystemTaskStatus};
use crate::{Error, Result};

/// All there is of a system task.
pub(crate) struct IdentityRow<'a> {
    pub(crate) uuid: Uuid,
    pub(crate) name: Cow<'a, str>,
    pub(crate) uid: Option<Cow<'a, str>>,
    pub(crate) description: Cow<'a, str>,
    pub(crate) registered_ns: Option<i64>,
    pub(crate) shown_run: Option<RunId>,
}

const SYSTEM_TASKS: &str = "
    SELECT uuid, name, uid, description, registered_ns, shown_run FROM system_task ORDER BY id";

/// Hands each system task to `see`, also those that no list shows. The caller holds a snapshot.
pub(crate) fn each_system_task<E: From<Error>>(
    read: &Read<'_>,
    mut see: impl FnMut(&IdentityRow<'_>) -> Result<(), E>,
) -> Result<(), E> {
    each(read, SYSTEM_TASKS, "read a system task", |row| see(&identity(row).map_err(during("read a system task"))?))
}

fn identity<'a>(row: &'a Row<'_>) -> rusqlite::Result<IdentityRow<'a>> {
    Ok(IdentityRow {
        uuid: row.get(0)?,
        name: text(row, 1)?,
        uid: text_or_null(row, 2)?,
        description: text(row, 3)?,
        registered_ns: row.get(4)?,
        shown_run: row.get(5)?,
    })
}

/// All there is of a run.
pub(crate) struct RunRow<'a> {
    pub(crate) id: RunId,
    pub(crate) system_task: Uuid,
    pub(crate) status: Option<SystemTaskStatus>,
    pub(crate) interrupted: bool,
    pub(crate) started_ns: i64,
    pub(crate) finished_ns: Option<i64>,
    pub(crate) duration: Option<Duration>,
    pub(crate) expires_after: Option<Duration>,
    pub(crate) expires_ns: Option<i64>,
    pub(crate) only_on_failure: bool,
    pub(crate) event_count: u64,
    pub(crate) key: Option<Cow<'a, str>>,
}

/// Run after run: its order must not be that of the system tasks.
const RUNS: &str = "
    SELECT r.id, s.uuid, r.status, r.interrupted, r.started_ns, r.finished_ns, r.duration_ns, r.expires_after_ns,
        r.expires_ns, r.only_on_failure, r.event_count, r.key
    FROM run r CROSS JOIN system_task s ON s.id = r.system_task_id
    ORDER BY r.id";

/// Hands each run to `see`. The caller holds a snapshot.
pub(crate) fn each_run<E: From<Error>>(
    read: &Read<'_>,
    mut see: impl FnMut(&RunRow<'_>) -> Result<(), E>,
) -> Result<(), E> {
    each(read, RUNS, "read a run", |row| see(&run(row).map_err(during("read a run"))?))
}

fn run<'a>(row: &'a Row<'_>) -> rusqlite::Result<RunRow<'a>> {
    let duration_or_null = |column| {
        let ns = row.get::<_, Option<Amount>>(column)?;
        Ok::<_, rusqlite::Error>(ns.map(|Amount(ns)| Duration::from_nanos(ns)))
    };
    Ok(RunRow {
        id: row.get(0)?,
        system_task: row.get(1)?,
        status: row.get(2)?,
        interrupted: row.get(3)?,
        started_ns: row.get(4)?,
        finished_ns: row.get(5)?,
        duration: duration_or_null(6)?,
        expires_after: duration_or_null(7)?,
        expires_ns: row.get(8)?,
        only_on_failure: row.get(9)?,
        event_count: row.get::<_, Amount>(10)?.0,
        key: text_or_null(row, 11)?,
    })
}

fn each<E: From<Error>>(
    read: &Read<'_>,
    sql: &'static str,
    action: &'static str,
    mut see: impl FnMut(&Row<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut all = read.connection.prepare_cached(sql).map_err(during(action))?;
    let mut rows = all.query([]).map_err(during(action))?;
    while let Some(row) = rows.next().map_err(during(action))? {
        see(row)?;
    }
    Ok(())
}

/// All there is of an event.
pub(crate) struct ExportedEventRow<'a> {
    pub(crate) seq: u64,
    pub(crate) time_ns: i64,
    pub(crate) level: LogLevel,
    pub(crate) logger: Cow<'a, str>,
    pub(crate) event: Cow<'a, str>,
    pub(crate) attributes: Cow<'a, str>,
    pub(crate) key: Option<Cow<'a, str>>,
}

/// Reads the events of run after run, by a statement that is held for the whole.
pub(crate) struct ExportedEvents<'a>(CachedStatement<'a>);

const EVENTS: &str = "
    SELECT seq, time_ns, level, logger, event, attributes, key FROM log_event WHERE run_id = ?1 ORDER BY seq";

impl<'a> ExportedEvents<'a> {
    pub(crate) fn new(read: &Read<'a>) -> Result<Self> {
        read.connection.prepare_cached(EVENTS).map(Self).map_err(during("read the events"))
    }

    /// Hands each event of a run to `see`, oldest first. The caller holds a snapshot.
    pub(crate) fn each<E: From<Error>>(
        &mut self,
        run: RunId,
        mut see: impl FnMut(&ExportedEventRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rows = self.0.query([run]).map_err(during("read the events"))?;
        while let Some(row) = rows.next().map_err(during("read the events"))? {
            see(&event(row).map_err(during("read the events"))?)?;
        }
        Ok(())
    }
}

fn event<'a>(row: &'a Row<'_>) -> rusqlite::Result<ExportedEventRow<'a>> {
    Ok(ExportedEventRow {
        seq: row.get::<_, Amount>(0)?.0,
        time_ns: row.get(1)?,
        level: row.get(2)?,
        logger: text(row, 3)?,
        event: text(row, 4)?,
        attributes: text(row, 5)?,
        key: text_or_null(row, 6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::{assert_plans, plan, planned_connection};

    #[test]
    fn an_export_goes_through_the_tables_in_their_order() {
        for sql in [SYSTEM_TASKS, RUNS] {
            let plan = plan(&planned_connection(), sql);
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
        assert_plans(&[
            (RUNS, "SCAN r\nSEARCH s USING INTEGER PRIMARY KEY (rowid=?)"),
            (EVENTS, "SEARCH log_event USING PRIMARY KEY (run_id=?)"),
        ]);
    }
}
