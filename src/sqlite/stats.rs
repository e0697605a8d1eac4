//! What is in a store, counted.

use rusqlite::{Connection, OptionalExtension};

use super::error::during;
use super::row::{Amount, Time};
use super::space::Pages;
use super::task;
use super::transaction::Read;
use crate::Result;
use crate::stats::{OldestInProgress, Stats};

/// All but what the system knows of the files.
pub(crate) fn stats(read: &Read<'_>) -> Result<Stats> {
    read.snapshot(|| {
        // First, since it begins what the others see: pages alone are of no snapshot.
        let tasks = task::counts(read, None)?;
        let Pages { page_bytes, all, free } = Pages::of(read.connection)?;
        Ok(Stats {
            file_bytes: None,
            wal_bytes: None,
            page_bytes,
            pages: all,
            free_pages: free,
            tasks,
            oldest_in_progress: oldest_in_progress(read.connection)?,
            configurations: count(read.connection, CONFIGURATIONS)?,
            system_tasks: count(read.connection, SYSTEM_TASKS)?,
            runs: count(read.connection, RUNS)?,
            schema_version: schema_version(read.connection)?,
            sqlite_version: rusqlite::version().to_owned(),
            read_only: false,
        })
    })
}

const OLDEST: &str = "SELECT id, started_ns FROM task WHERE outcome IS NULL ORDER BY started_ns, id LIMIT 1";

fn oldest_in_progress(connection: &Connection) -> Result<Option<OldestInProgress>> {
    let look = || {
        let row = |row: &rusqlite::Row<'_>| Ok(OldestInProgress { id: row.get(0)?, started: row.get::<_, Time>(1)?.0 });
        connection.prepare_cached(OLDEST)?.query_row([], row).optional()
    };
    look().map_err(during("look for the oldest task in progress"))
}

const CONFIGURATIONS: &str = "SELECT count(*) FROM configuration WHERE deleted_ns IS NULL";
const SYSTEM_TASKS: &str = "SELECT count(*) FROM system_task";
const RUNS: &str = "SELECT count(*) FROM run";

fn count(connection: &Connection, sql: &'static str) -> Result<u64> {
    let counted = connection.prepare_cached(sql).and_then(|mut count| count.query_row([], |row| row.get(0)));
    counted.map(|Amount(rows)| rows).map_err(during("count the rows"))
}

fn schema_version(connection: &Connection) -> Result<i64> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    version.map_err(during("read the version"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::assert_plans;

    #[test]
    fn the_first_in_progress_is_found_and_runs_are_counted_by_an_index() {
        assert_plans(&[
            (OLDEST, "SCAN task USING INDEX task_in_progress"),
            (CONFIGURATIONS, "SCAN configuration"),
            (SYSTEM_TASKS, "SCAN system_task USING COVERING INDEX sqlite_autoindex_system_task_1"),
            (RUNS, "SCAN run USING COVERING INDEX run_of_system_task"),
        ]);
    }
}
