//! System tasks and runs that come from an export, as they are.

use rusqlite::{named_params, params};
use uuid::Uuid;

use super::super::transaction::Write;
use crate::Result;
use crate::import::members::{EventMembers, RunMembers, SystemTaskMembers, duration_ns};

const UUID_EXISTS: &str = "SELECT 1 FROM system_task WHERE uuid = ?1";

pub(crate) fn uuid_exists(write: &Write<'_>, uuid: Uuid) -> Result<bool> {
    let found = write.find("look for a system task", UUID_EXISTS, params![uuid], |_| Ok(()))?;
    Ok(found.is_some())
}

const ADD: &str = "
    INSERT INTO system_task (uuid, name, uid, description, registered_ns) VALUES (?1, ?2, ?3, ?4, ?5)";

/// Adds a system task, and gives its row.
pub(crate) fn add(write: &Write<'_>, system_task: &SystemTaskMembers<'_>) -> Result<i64> {
    let SystemTaskMembers { uuid, name, uid, description, registered, .. } = system_task;
    let values = params![uuid, name, uid, description, registered.map(|time| time.0)];
    write.insert("import a system task", ADD, values)
}

const MERGE: &str = "
    UPDATE system_task
    SET description = iif(description = '', :description, description),
        registered_ns = coalesce(registered_ns, :registered)
    WHERE id = :id";

/// What a system task that is there already does not tell itself is taken over.
pub(crate) fn merge(write: &Write<'_>, id: i64, system_task: &SystemTaskMembers<'_>) -> Result<()> {
    let SystemTaskMembers { description, registered, .. } = system_task;
    let registered = registered.map(|time| time.0);
    let values = named_params! { ":id": id, ":description": description, ":registered": registered };
    write.change("import a system task", MERGE, values).map(drop)
}

const RUN_OF_KEY: &str = "SELECT id FROM run WHERE system_task_id = :system_task AND key = :key";

/// The run of a system task that has this key.
pub(crate) fn run_of_key(write: &Write<'_>, system_task: i64, key: &str) -> Result<Option<i64>> {
    let values = named_params! { ":system_task": system_task, ":key": key };
    write.find("look for a key", RUN_OF_KEY, values, |row| row.get(0))
}

const IMPORT: &str = "
    INSERT INTO run (id, system_task_id, status, started_ns, finished_ns, duration_ns, interrupted, expires_after_ns,
        expires_ns, only_on_failure, event_count, key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

/// Adds a run, whose events follow.
pub(crate) fn import_run(write: &Write<'_>, id: i64, system_task: i64, run: &RunMembers<'_>) -> Result<()> {
    let values = params![
        id,
        system_task,
        run.status,
        run.started.0,
        run.finished.map(|time| time.0),
        run.duration.map(|duration| duration_ns("duration", duration)).transpose()?,
        run.interrupted,
        run.expires_after.map(|duration| duration_ns("expires_after", duration)).transpose()?,
        run.expires.map(|time| time.0),
        run.only_on_failure,
        i64::try_from(run.event_count).unwrap_or(i64::MAX),
        run.key,
    ];
    write.change("import a run", IMPORT, values).map(drop)
}

const IMPORT_EVENT: &str = "
    INSERT INTO log_event (run_id, seq, time_ns, level, logger, event, attributes, key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

pub(crate) fn import_event(write: &Write<'_>, run: i64, seq: i64, members: &EventMembers<'_>) -> Result<()> {
    let EventMembers { time, level, logger, event, attributes, key, .. } = members;
    let values = params![run, seq, time.0, level, logger, event, attributes.as_str(), key];
    write.change("import an event", IMPORT_EVENT, values).map(drop)
}

const FINISHED: &str = "SELECT finished_ns FROM run WHERE id = ?1 AND NOT (only_on_failure AND status = 2)";

/// When a run ended, if it did and may be shown: the store's own run may be hidden though that of the export is not.
pub(crate) fn finished(write: &Write<'_>, run: i64) -> Result<Option<i64>> {
    write.find("look for a run", FINISHED, params![run], |row| row.get(0)).map(Option::flatten)
}

const SHOWN_FINISHED: &str = "
    SELECT r.finished_ns FROM system_task s JOIN run r ON r.id = s.shown_run WHERE s.id = ?1";

/// When the run ended that a system task shows.
pub(crate) fn shown_finished(write: &Write<'_>, system_task: i64) -> Result<Option<i64>> {
    write.find("look for a run", SHOWN_FINISHED, params![system_task], |row| row.get(0)).map(Option::flatten)
}

const SHOW: &str = "UPDATE system_task SET shown_run = ?2 WHERE id = ?1";

/// From now on the system task shows this run.
pub(crate) fn show(write: &Write<'_>, system_task: i64, run: i64) -> Result<()> {
    write.change("import a system task", SHOW, params![system_task, run]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::assert_plans;

    #[test]
    fn what_an_import_looks_for_is_found_by_an_index() {
        assert_plans(&[
            (UUID_EXISTS, "SEARCH system_task USING COVERING INDEX sqlite_autoindex_system_task_1 (uuid=?)"),
            (RUN_OF_KEY, "SEARCH run USING COVERING INDEX run_key (system_task_id=? AND key=?)"),
            (
                SHOWN_FINISHED,
                "SEARCH s USING INTEGER PRIMARY KEY (rowid=?)\nSEARCH r USING INTEGER PRIMARY KEY (rowid=?)",
            ),
        ]);
    }
}
