//! Expiry.

use rusqlite::named_params;

use super::super::error::during;
use super::super::transaction::Write;
use crate::Result;
use crate::maintenance::CleanReport;

/// A batch ends with the run that reaches one of these, so that other writers wait for milliseconds.
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
        let execute = |sql, id: i64| write.change("delete what has expired", sql, named_params! { ":id": id });
        execute(UNSHOW, run)?;
        execute(DELETE, run)?;
        report.runs += 1;
        report.events += events;
        report.system_tasks += u64::from(execute(FORGET, system_task)? == 1);
        if report.events >= EVENTS_MAX {
            break;
        }
    }
    Ok(report)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::{plan, planned_connection};

    #[test]
    fn what_has_expired_is_found_and_deleted_by_indexes() {
        let connection = planned_connection();
        for (sql, expected) in [
            (EXPIRED, "SEARCH run USING INDEX run_expiring (expires_ns<?)"),
            (UNSHOW, "USING COVERING INDEX system_task_shown_run (shown_run=?)"),
            (FORGET, "SEARCH run USING COVERING INDEX run_of_system_task (system_task_id=?)"),
        ] {
            let plan = plan(&connection, sql);
            assert!(plan.contains(expected), "no {expected:?} in\n{plan}");
            assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
