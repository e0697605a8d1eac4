//! What the feature `testing` asks for.

use rusqlite::{Params, Row, params};

use super::super::error::during;
use super::super::row::Text;
use super::super::transaction::{Read, Write};
use super::clean;
use super::read::{run, run_columns};
use crate::system_task::{Run, RunId};
use crate::{Error, Result};

const SHOWN: &str = "
    SELECT s.shown_run FROM run r JOIN system_task s ON s.id = r.system_task_id WHERE r.id = ?1";

/// What the system task of this run shows.
pub(crate) fn shown(write: &Write<'_>, run: RunId) -> Result<Option<RunId>> {
    write.find("look for a run", SHOWN, params![run], |row| row.get(0)).map(Option::flatten)
}

const SHOW_UNLESS_LAST: &str = "
    UPDATE system_task SET shown_run = ?2
    WHERE id = (SELECT r.system_task_id FROM run r WHERE r.id = ?1)
        AND EXISTS (
            SELECT 1 FROM run r JOIN run other ON other.system_task_id = r.system_task_id
            WHERE r.id = ?1 AND other.finished_ns > r.finished_ns)";

/// Where others of its system task have ended after this run, that shows what it did before.
pub(crate) fn show_unless_last(write: &Write<'_>, run: RunId, shown: Option<RunId>) -> Result<()> {
    write.change("end a run", SHOW_UNLESS_LAST, params![run, shown]).map(drop)
}

const EXPIRED: &str = "SELECT system_task_id, coalesce(expires_ns <= ?2, 0) FROM run WHERE id = ?1";

/// Deletes this run if it has expired. Says whether it is gone.
pub(crate) fn clean_run(write: &Write<'_>, run: RunId, now_ns: i64) -> Result<bool> {
    let found = write.find("look for a run", EXPIRED, params![run, now_ns], |row| Ok((row.get(0)?, row.get(1)?)))?;
    match found {
        None => Ok(true),
        Some((_, false)) => Ok(false),
        Some((system_task, true)) => clean::delete(write, run.get(), system_task).map(|_| true),
    }
}

/// A run with the name and the uid of its system task.
pub(crate) struct NamedRun {
    pub(crate) name: String,
    pub(crate) uid: Option<String>,
    pub(crate) run: Run,
}

const NAMED_RUN: &str = concat!(
    "SELECT s.name, s.uid, ",
    run_columns!(),
    " FROM run r JOIN system_task s ON s.id = r.system_task_id WHERE r.id = ?1"
);

/// The run of this id.
pub(crate) fn named_run(read: &Read<'_>, id: RunId) -> Result<NamedRun> {
    let found = named_runs(read, NAMED_RUN, params![id])?.into_iter().next();
    found.ok_or(Error::NotFound { what: "run", id: id.get() })
}

/// There is no index of these.
const IN_PROGRESS: &str = concat!(
    "SELECT s.name, s.uid, ",
    run_columns!(),
    " FROM run r JOIN system_task s ON s.id = r.system_task_id WHERE r.finished_ns IS NULL ORDER BY r.id"
);

/// The runs that are in progress, the oldest first.
pub(crate) fn in_progress(read: &Read<'_>) -> Result<Vec<NamedRun>> {
    named_runs(read, IN_PROGRESS, [])
}

fn named_runs(read: &Read<'_>, sql: &'static str, values: impl Params) -> Result<Vec<NamedRun>> {
    let mut runs = read.connection.prepare_cached(sql).map_err(during("read the runs"))?;
    let row = |row: &Row<'_>| {
        let (Text(name), uid) = (row.get(0)?, row.get::<_, Option<Text>>(1)?);
        Ok(NamedRun { name, uid: uid.map(|Text(uid)| uid), run: run(row, 2)? })
    };
    runs.query_map(values, row).and_then(Iterator::collect).map_err(during("read the runs"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::assert_plans;

    #[test]
    fn a_run_and_its_system_task_are_found_by_their_ids() {
        let both = "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)\nSEARCH s USING INTEGER PRIMARY KEY (rowid=?)";
        assert_plans(&[(SHOWN, both), (NAMED_RUN, both)]);
    }
}
