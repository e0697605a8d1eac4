//! Tasks that come from an export, as they are.

use rusqlite::{named_params, params};

use super::super::transaction::Write;
use super::count::Counted;
use crate::Result;
use crate::configuration::ConfigurationId;
use crate::import::members::{MessageMembers, TaskMembers};

const OF_KEY: &str = "SELECT id FROM task WHERE key = :key";

/// The task that has this key.
pub(crate) fn of_key(write: &Write<'_>, key: &str) -> Result<Option<i64>> {
    write.find("look for a key", OF_KEY, named_params! { ":key": key }, |row| row.get(0))
}

const IMPORT: &str = "
    INSERT INTO task (id, configuration_id, title, performed_by, outcome, started_ns, updated_ns, finished_ns,
        dismissed_by, dismissed_ns, progress_done, progress_total, progress_phase, message_count, level_reached, key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";

/// Adds a task, whose messages follow.
pub(crate) fn import(
    write: &Write<'_>,
    id: i64,
    configuration: Option<ConfigurationId>,
    task: &TaskMembers<'_>,
) -> Result<()> {
    let progress = task.progress.as_ref();
    let amount = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
    let values = params![
        id,
        configuration,
        task.title,
        task.performed_by,
        task.outcome,
        task.started.0,
        task.updated.0,
        task.finished.map(|time| time.0),
        task.dismissed_by,
        task.dismissed.map(|time| time.0),
        progress.map(|progress| amount(progress.done)),
        progress.and_then(|progress| progress.total).map(amount),
        progress.and_then(|progress| progress.phase.as_deref()),
        amount(task.message_count),
        task.level_reached,
        task.key,
    ];
    write.change("import a task", IMPORT, values)?;
    let counted = Counted { configuration, outcome: task.outcome, dismissed: task.dismissed.is_some() };
    write.counts.add(1, counted);
    write.counts.write_if_many(write)
}

const IMPORT_MESSAGE: &str = "
    INSERT INTO message (task_id, seq, time_ns, level, text, key) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

pub(crate) fn import_message(write: &Write<'_>, task: i64, seq: i64, message: &MessageMembers<'_>) -> Result<()> {
    let MessageMembers { time, level, text, key, .. } = message;
    write.change("import a message", IMPORT_MESSAGE, params![task, seq, time.0, level, text, key]).map(drop)
}
