//! What the verbs write. A guarded `UPDATE` and its row count decide every transition: what is refused has changed
//! nothing, and of all that race for one transition, one gets it.

use rusqlite::{OptionalExtension, named_params};

use super::super::configuration;
use super::super::error::during;
use super::super::row::Text;
use super::super::transaction::Write;
use super::not_found;
use crate::configuration::ConfigurationId;
use crate::task::kept_progress::TimedProgress;
use crate::task::{Level, NewTask, Outcome, TaskId, state};
use crate::{Error, Result};

const START: &str = "
    INSERT INTO task (configuration_id, title, performed_by, started_ns, updated_ns)
    VALUES (:configuration, :title, :performed_by, :now, :now)";

pub(crate) fn start(write: &Write<'_>, task: &NewTask, now_ns: i64) -> Result<TaskId> {
    // The foreign key would take a deleted configuration, whose row stays.
    if let Some(id) = task.configuration
        && !configuration::exists(write.connection, id)?
    {
        return Err(configuration::not_found(id));
    }
    let mut start = write.connection.prepare_cached(START).map_err(during("start a task"))?;
    let started = start.insert(named_params! {
        ":configuration": task.configuration,
        ":title": task.title,
        ":performed_by": task.performed_by,
        ":now": now_ns,
    });
    started.map(TaskId::of_row).map_err(during("start a task"))
}

const COUNT_MESSAGE: &str = "
    UPDATE task
    SET message_count = message_count + 1, updated_ns = max(updated_ns, :now)
    WHERE id = :id AND outcome IS NULL";

pub(crate) fn message(write: &Write<'_>, id: TaskId, level: Level, text: &str, now_ns: i64) -> Result<()> {
    let mut count = write.connection.prepare_cached(COUNT_MESSAGE).map_err(during("record a message"))?;
    let counted = count.execute(named_params! { ":id": id, ":now": now_ns }).map_err(during("record a message"))?;
    if counted == 0 {
        return Err(refusal(write, id, "add a message to", "in progress"));
    }
    append(write, id, level, text, now_ns)
}

/// The message that was just counted takes the count as its `seq`: that costs the same however many there are.
const APPEND: &str = "
    INSERT INTO message (task_id, seq, time_ns, level, text)
    VALUES (:id, (SELECT message_count FROM task WHERE id = :id), :now, :level, :text)";

fn append(write: &Write<'_>, id: TaskId, level: Level, text: &str, now_ns: i64) -> Result<()> {
    let mut append = write.connection.prepare_cached(APPEND).map_err(during("record a message"))?;
    let values = named_params! { ":id": id, ":now": now_ns, ":level": level, ":text": text };
    append.execute(values).map_err(during("record a message")).map(drop)
}

const PROGRESS: &str = "
    UPDATE task
    SET progress_done = :done, progress_total = :total, progress_phase = :phase, updated_ns = max(updated_ns, :now)
    WHERE id = :id AND outcome IS NULL";

pub(crate) fn progress(write: &Write<'_>, id: TaskId, progress: &TimedProgress) -> Result<()> {
    if !set_progress(write, id, progress)? {
        return Err(refusal(write, id, "record progress of", "in progress"));
    }
    Ok(())
}

/// Whether the task is in progress; otherwise nothing is changed.
pub(crate) fn set_progress(write: &Write<'_>, id: TaskId, progress: &TimedProgress) -> Result<bool> {
    let TimedProgress { done, total, phase, now_ns } = progress;
    let mut progress = write.connection.prepare_cached(PROGRESS).map_err(during("record progress"))?;
    let values = named_params! { ":id": id, ":done": done, ":total": total, ":phase": phase, ":now": now_ns };
    progress.execute(values).map_err(during("record progress")).map(|changed| changed > 0)
}

/// A clock that went back must not end a task before it was last changed.
const END: &str = "
    UPDATE task
    SET outcome = :outcome, finished_ns = max(updated_ns, :now), updated_ns = max(updated_ns, :now),
        message_count = message_count + :messages
    WHERE id = :id AND outcome IS NULL";

/// Ends a task, with its reason as the last message.
pub(crate) fn end(write: &Write<'_>, id: TaskId, outcome: Outcome, reason: Option<&str>, now_ns: i64) -> Result<()> {
    let mut end = write.connection.prepare_cached(END).map_err(during("end a task"))?;
    let messages = u8::from(reason.is_some());
    let values = named_params! { ":id": id, ":outcome": outcome, ":messages": messages, ":now": now_ns };
    let ended = end.execute(values).map_err(during("end a task"))?;
    if ended == 0 {
        let action = match outcome {
            Outcome::Finished => "finish",
            Outcome::Failed => "fail",
            Outcome::Interrupted => "interrupt",
        };
        return Err(refusal(write, id, action, "in progress"));
    }
    reason.map_or(Ok(()), |reason| append(write, id, Level::Error, reason, now_ns))
}

const DISMISS: &str = "
    UPDATE task
    SET dismissed_by = :by, dismissed_ns = max(updated_ns, :now), updated_ns = max(updated_ns, :now)
    WHERE id = :id AND outcome IS NOT NULL AND dismissed_ns IS NULL";

pub(crate) fn dismiss(write: &Write<'_>, id: TaskId, by: &str, now_ns: i64) -> Result<()> {
    let mut dismiss = write.connection.prepare_cached(DISMISS).map_err(during("dismiss a task"))?;
    let values = named_params! { ":id": id, ":by": by, ":now": now_ns };
    let dismissed = dismiss.execute(values).map_err(during("dismiss a task"))?;
    if dismissed == 0 {
        return Err(refusal(write, id, "dismiss", "ended and not dismissed"));
    }
    Ok(())
}

const DISMISS_ALL: &str = "
    UPDATE task
    SET dismissed_by = :by, dismissed_ns = max(updated_ns, :now), updated_ns = max(updated_ns, :now)
    WHERE dismissed_ns IS NULL AND outcome IS NOT NULL";

const DISMISS_ALL_OF: &str = "
    UPDATE task
    SET dismissed_by = :by, dismissed_ns = max(updated_ns, :now), updated_ns = max(updated_ns, :now)
    WHERE configuration_id = :configuration AND dismissed_ns IS NULL AND outcome IS NOT NULL";

pub(crate) fn dismiss_all(
    write: &Write<'_>,
    configuration: Option<ConfigurationId>,
    by: &str,
    now_ns: i64,
) -> Result<u64> {
    let dismissed = match configuration {
        None => write
            .connection
            .prepare_cached(DISMISS_ALL)
            .and_then(|mut all| all.execute(named_params! { ":by": by, ":now": now_ns })),
        // The tasks of a deleted configuration are no longer its own.
        Some(id) if !configuration::exists(write.connection, id)? => Ok(0),
        Some(id) => write
            .connection
            .prepare_cached(DISMISS_ALL_OF)
            .and_then(|mut all| all.execute(named_params! { ":configuration": id, ":by": by, ":now": now_ns })),
    };
    let dismissed = dismissed.map_err(during("dismiss the tasks"))?;
    Ok(u64::try_from(dismissed).unwrap_or(u64::MAX))
}

const RESTORE: &str = "
    UPDATE task
    SET dismissed_by = NULL, dismissed_ns = NULL, updated_ns = max(updated_ns, :now)
    WHERE id = :id AND dismissed_ns IS NOT NULL";

pub(crate) fn restore(write: &Write<'_>, id: TaskId, now_ns: i64) -> Result<()> {
    let mut restore = write.connection.prepare_cached(RESTORE).map_err(during("restore a task"))?;
    let restored = restore.execute(named_params! { ":id": id, ":now": now_ns }).map_err(during("restore a task"))?;
    if restored == 0 {
        return Err(refusal(write, id, "restore", "dismissed"));
    }
    Ok(())
}

/// The messages go with the task, by their foreign key.
const DELETE: &str = "DELETE FROM task WHERE id = :id AND outcome IS NOT NULL";

pub(crate) fn delete(write: &Write<'_>, id: TaskId) -> Result<()> {
    let mut delete = write.connection.prepare_cached(DELETE).map_err(during("delete a task"))?;
    let deleted = delete.execute(named_params! { ":id": id }).map_err(during("delete a task"))?;
    if deleted == 0 {
        return Err(refusal(write, id, "delete", "ended"));
    }
    Ok(())
}

const STATE: &str = "SELECT outcome, dismissed_by FROM task WHERE id = :id";

/// Why a guarded statement changed nothing: asked in the same transaction, so that the answer is what decided.
fn refusal(write: &Write<'_>, id: TaskId, action: &'static str, needed: &'static str) -> Error {
    let found = write.connection.prepare_cached(STATE).and_then(|mut found| {
        let columns = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, Option<Text>>(1)?));
        found.query_row(named_params! { ":id": id }, columns).optional()
    });
    match found {
        Ok(Some((outcome, by))) => {
            let found = state(outcome, by.is_some());
            Error::WrongState { action, id, found, dismissed_by: by.map(|Text(name)| name), needed }
        }
        Ok(None) => not_found(id),
        Err(error) => during("look for a task")(error),
    }
}

/// Statements of the verbs, with how often each runs in the lifecycle of the test.
#[cfg(test)]
pub(super) fn statements_for_tests() -> Vec<(String, i32)> {
    [(START, 1), (COUNT_MESSAGE, 3), (APPEND, 3), (PROGRESS, 1), (END, 1), (DISMISS, 1), (RESTORE, 1)]
        .map(|(sql, runs)| (sql.to_owned(), runs))
        .into()
}

/// The two statements that append a message.
#[cfg(test)]
pub(in super::super) fn message_statements_for_tests() -> [&'static str; 2] {
    [COUNT_MESSAGE, APPEND]
}
