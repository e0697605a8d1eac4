//! Upgrades from released schema versions, forward only. A step is never edited after its release.
//!
//! To add one: put `NNNN.sql`, which leads *to* version NNNN, beside this file; list it in [`STEPS`]; raise
//! [`NEWEST`](super::schema::NEWEST); keep the released `schema.sql` as `tests/fixtures/schema_N.sql`. The test below
//! then holds the upgraded fixture against the new `schema.sql`.

use rusqlite::Connection;

use super::error::during;
use crate::Result;

/// One step: the version that it leads to, and how.
pub(super) type Step = (i64, &'static str);

/// Every step, in order. Nothing is released yet, so there is none.
pub(super) const STEPS: &[Step] = &[];

/// Runs the steps behind `found` up to `newest`, inside the caller's transaction.
pub(super) fn run(connection: &Connection, steps: &[Step], found: i64, newest: i64) -> Result<()> {
    for (_, sql) in steps.iter().filter(|(version, _)| (found + 1..=newest).contains(version)) {
        connection.execute_batch(sql).map_err(during("upgrade the schema"))?;
    }
    connection.pragma_update(None, "user_version", newest).map_err(during("upgrade the schema"))
}

#[cfg(test)]
mod killed;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::planned_connection;
    use crate::sqlite::transaction::Transaction;

    pub(super) const OLD: &str = include_str!("rehearsal/old.sql");
    const NEW: &str = include_str!("../../../schema.sql");
    const CARRY_OVER: &str = "
        INSERT INTO configuration (id, name, deleted_ns) SELECT id, name, deleted_ns FROM old_configuration;
        INSERT INTO task (id, configuration_id, title, performed_by, outcome, started_ns, updated_ns, finished_ns)
            SELECT id, configuration_id, title, performed_by, outcome, started_ns,
                coalesce(finished_ns, started_ns), finished_ns
            FROM old_task;
        DROP TABLE old_task;
        DROP TABLE old_configuration;";

    /// The steps from the rehearsal's old schema to the new one.
    pub(super) const REHEARSAL: &[Step] = &[(1, include_str!("rehearsal/step.sql")), (2, NEW), (3, CARRY_OVER)];
    pub(super) const NEW_VERSION: i64 = 3;

    /// Whether the rows of the rehearsal are there, in the new schema, and the file is sound.
    pub(super) fn kept(connection: &Connection) -> bool {
        let kept = "SELECT group_concat(id || ' ' || title || ' ' || updated_ns, ', ') FROM task";
        let text = |sql| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        text(kept) == "7 Backup 200, 8 Restore 300" && text("PRAGMA integrity_check") == "ok"
    }

    /// The tables and indexes of a file, without comments and spacing.
    pub(super) fn shape(connection: &Connection) -> Vec<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        let texts = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        texts.map(|text| normalised(&text.unwrap())).collect()
    }

    fn normalised(sql: &str) -> String {
        let code = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
        code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    }

    /// An empty connection without the schema.
    fn empty() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn an_older_file_becomes_equal_to_a_new_one_and_keeps_its_rows() {
        let old = empty();
        old.execute_batch(OLD).unwrap();

        let transaction = Transaction::immediate(&old, std::process::id()).unwrap();
        run(&old, REHEARSAL, 0, NEW_VERSION).unwrap();
        transaction.commit().unwrap();

        assert_eq!(shape(&old), shape(&planned_connection()));
        assert!(kept(&old));
        assert_eq!(old.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap(), NEW_VERSION);
    }

    #[test]
    fn the_comparison_sees_a_step_that_was_left_out() {
        let old = empty();
        old.execute_batch(OLD).unwrap();
        assert_ne!(shape(&old), shape(&planned_connection()));
    }

    #[test]
    fn steps_up_to_the_found_version_are_not_run_again() {
        let connection = empty();
        run(&connection, &[(1, "never valid"), (2, "CREATE TABLE two (x)")], 1, 2).unwrap();
        assert_eq!(shape(&connection), ["CREATE TABLE two (x)"]);
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let old = empty();
        old.execute_batch(OLD).unwrap();
        let before = shape(&old);

        let transaction = Transaction::immediate(&old, std::process::id()).unwrap();
        run(&old, &[(1, "DROP TABLE task"), (2, "never valid")], 0, 2).unwrap_err();
        drop(transaction);

        assert_eq!(shape(&old), before);
        assert_eq!(old.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }
}
