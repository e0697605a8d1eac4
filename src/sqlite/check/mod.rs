//! Whether a file is as it should be.

mod schema;

use std::ops::ControlFlow;

use super::error::{EngineError, during};
use super::row::Text;
use super::task;
use super::transaction::Read;
use crate::check::{CheckProgress, Finding};
use crate::{Error, Result};

/// Looks for one kind of findings.
type Step = fn(&Read<'_>, &mut Vec<Finding>) -> Result<()>;

/// What is looked at, in this order.
const STEPS: [(&str, Step); 9] = [
    ("pages, indexes and constraints", integrity),
    ("definitions", schema::definitions),
    ("references", references),
    ("counts of tasks", task::check_counts),
    ("numbers of messages", |read, findings| numbering(read, MESSAGES, "task", findings)),
    ("numbers of events", |read, findings| numbering(read, EVENTS, "run", findings)),
    ("levels of messages", levels),
    ("system tasks", |read, findings| {
        shown_runs(read, findings)?;
        expiries(read, findings)
    }),
    ("ids", ids),
];

/// All findings, on one snapshot.
pub(crate) fn check(
    read: &Read<'_>,
    progress: &mut dyn FnMut(CheckProgress) -> ControlFlow<()>,
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut tell = |step, done| match progress(CheckProgress { step, done, total: STEPS.len() }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Stopped { work: "the check" }),
    };
    let looked = read.snapshot(|| {
        for (done, (name, step)) in STEPS.iter().enumerate() {
            tell(name, done)?;
            match step(read, &mut findings) {
                // The other steps may read other pages.
                Err(Error::Damaged { source }) => add_damage(&mut findings, &source),
                looked => looked?,
            }
        }
        tell("", STEPS.len())
    });
    match looked {
        // The snapshot could not be begun or ended.
        Err(Error::Damaged { source }) => add_damage(&mut findings, &source),
        looked => looked?,
    }
    Ok(findings)
}

/// Several steps may meet the same damage.
fn add_damage(findings: &mut Vec<Finding>, source: &EngineError) {
    let finding = Finding::Damage { text: source.to_string() };
    if !findings.contains(&finding) {
        findings.push(finding);
    }
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
    if read.connection.is_readonly("main").map_err(during("check the file"))? {
        schema::constraints(read, findings)
    } else {
        Ok(())
    }
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

const SHOWN_RUNS: &str = "
    SELECT s.uuid, s.shown_run
    FROM system_task s JOIN run r ON r.id = s.shown_run
    WHERE r.system_task_id <> s.id OR r.finished_ns IS NULL OR (r.only_on_failure AND r.status = 2)
    LIMIT 100";

fn shown_runs(read: &Read<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    let mut check = read.connection.prepare_cached(SHOWN_RUNS).map_err(during("check the shown runs"))?;
    let rows = check.query_map([], |row| Ok(Finding::ShownRun { system_task: row.get(0)?, run: row.get(1)? }));
    extend(findings, rows, "check the shown runs")
}

/// An expiry beyond what can be stored is never.
const EXPIRIES: &str = "
    SELECT id FROM run
    WHERE finished_ns IS NOT NULL AND (expires_ns < finished_ns OR (expires_after_ns IS NOT NULL AND expires_ns IS NOT
        iif(finished_ns <= 9223372036854775807 - expires_after_ns, finished_ns + expires_after_ns, NULL)))
    LIMIT 100";

fn expiries(read: &Read<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    let mut check = read.connection.prepare_cached(EXPIRIES).map_err(during("check the expiries"))?;
    let rows = check.query_map([], |row| Ok(Finding::Expiry { run: row.get(0)? }));
    extend(findings, rows, "check the expiries")
}

/// SQLite keeps the highest id that each table has given.
const IDS: &str = "
    SELECT t.name FROM (
        SELECT 'configuration' AS name, (SELECT max(id) FROM configuration) AS highest
        UNION ALL SELECT 'task', (SELECT max(id) FROM task)
        UNION ALL SELECT 'system_task', (SELECT max(id) FROM system_task)
        UNION ALL SELECT 'run', (SELECT max(id) FROM run)) t
    LEFT JOIN sqlite_sequence q ON q.name = t.name
    WHERE t.highest > coalesce(q.seq, 0)";

fn ids(read: &Read<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    let mut check = read.connection.prepare_cached(IDS).map_err(during("check the ids"))?;
    let rows = check.query_map([], |row| Ok(Finding::Ids { table: row.get::<_, Text>(0)?.0 }));
    extend(findings, rows, "check the ids")
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
