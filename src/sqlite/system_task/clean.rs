//! Expiry.

use rusqlite::{Row, named_params};

use super::super::error::during;
use super::super::row::Amount;
use super::super::transaction::{Read, Write};
use crate::Result;
use crate::maintenance::CleanReport;

/// A batch ends before the run that would pass one of these, so that other writers wait for milliseconds. A run with more
/// events than that goes alone.
const RUNS_MAX: u32 = 200;
const EVENTS_MAX: u64 = 10_000;

const EXPIRED: &str = "
    SELECT id, system_task_id, event_count FROM run WHERE expires_ns <= :now ORDER BY expires_ns LIMIT :limit";

const UNSHOW: &str = "UPDATE system_task SET shown_run = NULL WHERE shown_run = :id";

/// The events go with the run, by their foreign key.
const DELETE: &str = "DELETE FROM run WHERE id = :id";

const FORGET: &str = "
    DELETE FROM system_task
    WHERE id = :id AND registered_ns IS NULL AND NOT EXISTS (SELECT 1 FROM run WHERE system_task_id = :id)";

/// Deletes one batch of what has expired; an empty report says that there was none.
pub(crate) fn clean_expired(write: &Write<'_>, now_ns: i64) -> Result<CleanReport> {
    let mut report = CleanReport::default();
    for (run, system_task, events) in expired(write, now_ns)? {
        if report.runs > 0 && report.events + events > EVENTS_MAX {
            break;
        }
        report.runs += 1;
        report.events += events;
        report.system_tasks += u64::from(delete(write, run, system_task)?);
    }
    Ok(report)
}

/// Deletes a run, and says whether its system task went with it.
pub(super) fn delete(write: &Write<'_>, run: i64, system_task: i64) -> Result<bool> {
    let execute = |sql, id: i64| write.change("delete what has expired", sql, named_params! { ":id": id });
    execute(UNSHOW, run)?;
    execute(DELETE, run)?;
    Ok(execute(FORGET, system_task)? == 1)
}

fn expired(write: &Write<'_>, now_ns: i64) -> Result<Vec<(i64, i64, u64)>> {
    let mut expired = write.connection.prepare_cached(EXPIRED).map_err(during("look for what has expired"))?;
    expired
        .query_map(named_params! { ":now": now_ns, ":limit": RUNS_MAX }, |row| {
            Ok((row.get(0)?, row.get(1)?, u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0)))
        })
        .and_then(Iterator::collect)
        .map_err(during("look for what has expired"))
}

const COUNT_EXPIRED: &str = "SELECT count(*), coalesce(sum(event_count), 0) FROM run WHERE expires_ns <= :now";

/// Those that have a run, and none that stays.
const COUNT_FORGOTTEN: &str = "
    SELECT count(*) FROM system_task s
    WHERE registered_ns IS NULL AND EXISTS (SELECT 1 FROM run WHERE system_task_id = s.id)
        AND NOT EXISTS (SELECT 1 FROM run WHERE system_task_id = s.id AND (expires_ns > :now OR expires_ns IS NULL))";

/// What [`clean_expired`] would delete in all.
pub(crate) fn count_expired(read: &Read<'_>, now_ns: i64) -> Result<CleanReport> {
    let count = || {
        let now = named_params! { ":now": now_ns };
        let counts = |row: &Row<'_>| Ok((row.get::<_, Amount>(0)?.0, row.get::<_, Amount>(1)?.0));
        let (runs, events) = read.connection.prepare_cached(COUNT_EXPIRED)?.query_row(now, counts)?;
        let count = |row: &Row<'_>| Ok(row.get::<_, Amount>(0)?.0);
        let system_tasks = read.connection.prepare_cached(COUNT_FORGOTTEN)?.query_row(now, count)?;
        Ok(CleanReport { runs, events, system_tasks })
    };
    read.snapshot(|| count().map_err(during("look for what has expired")))
}

const EXPIRED_BYTES: &str = "
    SELECT coalesce(sum(octet_length(e.event) + octet_length(e.attributes) + octet_length(e.logger) + 20), 0)
    FROM run r JOIN log_event e ON e.run_id = r.id
    WHERE r.expires_ns <= :now";

/// About how long the events of that are.
pub(crate) fn expired_bytes(read: &Read<'_>, now_ns: i64) -> Result<u64> {
    let mut sum = read.connection.prepare_cached(EXPIRED_BYTES).map_err(during("look for what has expired"))?;
    let bytes = sum.query_row(named_params! { ":now": now_ns }, |row| row.get::<_, Amount>(0));
    bytes.map(|Amount(bytes)| bytes).map_err(during("look for what has expired"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::{plan, planned_connection};

    #[test]
    fn what_has_expired_is_found_and_deleted_by_indexes() {
        let connection = planned_connection();
        for (sql, expected) in [
            (EXPIRED, "SEARCH run USING INDEX run_expiring (expires_ns<?)"),
            (COUNT_EXPIRED, "SEARCH run USING INDEX run_expiring (expires_ns<?)"),
            (EXPIRED_BYTES, "SEARCH r USING COVERING INDEX run_expiring (expires_ns<?)"),
            (UNSHOW, "USING COVERING INDEX system_task_shown_run (shown_run=?)"),
            (FORGET, "SEARCH run USING COVERING INDEX run_of_system_task (system_task_id=?)"),
        ] {
            let plan = plan(&connection, sql);
            assert!(plan.contains(expected), "no {expected:?} in\n{plan}");
            assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
