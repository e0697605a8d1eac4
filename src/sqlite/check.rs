//! Whether a file is as it should be.

use super::error::during;
use super::row::Text;
use super::task;
use super::transaction::Read;
use crate::check::Finding;
use crate::{Error, Result};

/// All findings, on one snapshot.
pub(crate) fn check(read: &Read<'_>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let checked = read.snapshot(|| {
        integrity(read, &mut findings)?;
        references(read, &mut findings)?;
        task::check_counts(read, &mut findings)?;
        numbering(read, MESSAGES, "task", &mut findings)?;
        numbering(read, EVENTS, "run", &mut findings)?;
        levels(read, &mut findings)
    });
    match checked {
        Ok(()) => {}
        Err(Error::Damaged { source }) => findings.push(Finding::Damage { text: source.to_string() }),
        Err(error) => return Err(error),
    }
    Ok(findings)
}

/// Pages, indexes, and the constraints of every row.
const INTEGRITY: &str = "PRAGMA integrity_check(100)";

fn integrity(read: &Read<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    let mut check = read.connection.prepare_cached(INTEGRITY).map_err(during("check the file"))?;
    let rows = check.query_map([], |row| row.get::<_, Text>(0)).map_err(during("check the file"))?;
    for text in rows {
        let Text(text) = text.map_err(during("check the file"))?;
        if text != "ok" {
            findings.push(Finding::Damage { text });
        }
    }
    Ok(())
}

/// The last two are no foreign keys: see `schema.sql`.
const REFERENCES: &str = "
    SELECT \"table\", rowid, parent FROM pragma_foreign_key_check
    UNION ALL SELECT 'task', id, 'owner' FROM task WHERE owner IS NOT NULL AND owner NOT IN (SELECT id FROM owner)
    UNION ALL SELECT 'run', id, 'owner' FROM run WHERE owner IS NOT NULL AND owner NOT IN (SELECT id FROM owner)
    LIMIT 100";

fn references(read: &Read<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    let mut check = read.connection.prepare_cached(REFERENCES).map_err(during("check the references"))?;
    let rows = check.query_map([], |row| {
        let [table, refers_to] = [row.get::<_, Text>(0)?.0, row.get::<_, Text>(2)?.0];
        Ok(Finding::Reference { table, row: row.get(1)?, refers_to })
    });
    extend(findings, rows, "check the references")
}

const MESSAGES: &str = "
    SELECT t.id, t.message_count, count(m.seq) AS counted
    FROM task t LEFT JOIN message m ON m.task_id = t.id
    GROUP BY t.id
    HAVING counted <> t.message_count OR coalesce(max(m.seq), 0) <> t.message_count
    LIMIT 100";

const EVENTS: &str = "
    SELECT r.id, r.event_count, count(e.seq) AS counted
    FROM run r LEFT JOIN log_event e ON e.run_id = r.id
    GROUP BY r.id
    HAVING counted <> r.event_count OR coalesce(max(e.seq), 0) <> r.event_count
    LIMIT 100";

fn numbering(read: &Read<'_>, sql: &'static str, what: &'static str, findings: &mut Vec<Finding>) -> Result<()> {
    let mut check = read.connection.prepare_cached(sql).map_err(during("check the numbers of entries"))?;
    let rows = check
        .query_map([], |row| Ok(Finding::Numbering { what, id: row.get(0)?, kept: row.get(1)?, counted: row.get(2)? }));
    extend(findings, rows, "check the numbers of entries")
}

const LEVELS: &str = "
    SELECT t.id, t.level_reached, max(m.level) AS found
    FROM task t LEFT JOIN message m ON m.task_id = t.id AND m.level >= 4
    GROUP BY t.id
    HAVING found IS NOT t.level_reached
    LIMIT 100";

fn levels(read: &Read<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    let mut check = read.connection.prepare_cached(LEVELS).map_err(during("check the levels of messages"))?;
    let rows = check
        .query_map([], |row| Ok(Finding::LevelReached { task: row.get(0)?, kept: row.get(1)?, found: row.get(2)? }));
    extend(findings, rows, "check the levels of messages")
}

fn extend(
    findings: &mut Vec<Finding>,
    rows: rusqlite::Result<impl Iterator<Item = rusqlite::Result<Finding>>>,
    action: &'static str,
) -> Result<()> {
    for row in rows.map_err(during(action))? {
        findings.push(row.map_err(during(action))?);
    }
    Ok(())
}
