//! What the verbs write. A guarded `UPDATE` and its row count decide every transition: what is refused has changed
//! nothing, and of all that race for one transition, one gets it.

use std::sync::Arc;

use rusqlite::{named_params, params};

use super::super::configuration;
use super::super::error::during;
use super::super::keyed;
use super::super::owner;
use super::super::row::Text;
use super::super::transaction::Write;
use super::count::Counted;
use super::not_found;
use crate::configuration::ConfigurationId;
use crate::owner::Owner;
use crate::task::kept_progress::TimedProgress;
use crate::task::{Level, NewTask, Outcome, TaskId, state};
use crate::{Error, Result};

const OF_KEY: &str = "SELECT id FROM task WHERE key = :key";

const START: &str = "
    INSERT INTO task (configuration_id, title, performed_by, started_ns, updated_ns, key, owner)
    VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)";

pub(crate) fn start(write: &Write<'_>, task: &NewTask, owner: Option<&Arc<Owner>>, now_ns: i64) -> Result<TaskId> {
    if let Some(key) = &task.key
        && let Some(id) = keyed::find(write, OF_KEY, named_params! { ":key": key })?
    {
        if let Some(owner) = owner {
            owner::adopt_task(write, id, || owner.id(write, now_ns))?;
        }
        return Ok(id);
    }
    // The foreign key would take a deleted configuration, whose row stays.
    if let Some(id) = task.configuration
        && !configuration::exists(write.connection, id)?
    {
        return Err(configuration::not_found(id));
    }
    let NewTask { title, performed_by, configuration, key } = task;
    let owner = owner.map(|owner| owner.id(write, now_ns)).transpose()?;
    let id = write.insert("start a task", START, params![configuration, title, performed_by, now_ns, key, owner])?;
    write.counts.add(1, Counted { configuration: *configuration, outcome: None, dismissed: false });
    Ok(TaskId::of_row(id))
}

/// A message that is to be stored.
pub(crate) struct Said<'a> {
    pub(crate) level: Level,
    pub(crate) text: &'a str,
    pub(crate) key: Option<&'a str>,
}

const MESSAGE_OF_KEY: &str = "SELECT seq FROM message WHERE task_id = :id AND key = :key";

const COUNT_MESSAGE: &str = "
    UPDATE task
    SET message_count = message_count + 1, updated_ns = max(updated_ns, ?2)
    WHERE id = ?1 AND outcome IS NULL";

/// The same for a level that is higher than all before. What most messages are is counted without, since a statement that
/// sets the level writes to the index of it.
const COUNT_WARNING: &str = "
    UPDATE task
    SET message_count = message_count + 1, updated_ns = max(updated_ns, ?2), level_reached = ?3
    WHERE id = ?1 AND outcome IS NULL AND coalesce(level_reached, 0) < ?3";

pub(crate) fn message(write: &Write<'_>, id: TaskId, said: &Said<'_>, now_ns: i64) -> Result<()> {
    if let Some(key) = said.key
        && keyed::find::<i64>(write, MESSAGE_OF_KEY, named_params! { ":id": id, ":key": key })?.is_some()
    {
        return Ok(());
    }
    let mut counted = match said.level {
        Level::Trace | Level::Debug | Level::Info => 0,
        level @ (Level::Warn | Level::Error) => {
            write.change("record a message", COUNT_WARNING, params![id, now_ns, level])?
        }
    };
    if counted == 0 {
        counted = write.change("record a message", COUNT_MESSAGE, params![id, now_ns])?;
    }
    if counted == 0 {
        return Err(refusal(write, id, "add a message to", "in progress"));
    }
    append(write, id, said, now_ns)
}

/// The message that was just counted takes the count as its `seq`: that costs the same however many there are.
const APPEND: &str = "
    INSERT INTO message (task_id, seq, time_ns, level, text, key)
    VALUES (?1, (SELECT message_count FROM task WHERE id = ?1), ?2, ?3, ?4, ?5)";

fn append(write: &Write<'_>, id: TaskId, said: &Said<'_>, now_ns: i64) -> Result<()> {
    let Said { level, text, key } = said;
    write.change("record a message", APPEND, params![id, now_ns, level, text, key]).map(drop)
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
    let values = named_params! { ":id": id, ":done": done, ":total": total, ":phase": phase, ":now": now_ns };
    write.change("record progress", PROGRESS, values).map(|changed| changed > 0)
}

/// A clock that went back must not end a task before it was last changed. What has ended has no owner.
const END: &str = "
    UPDATE task
    SET outcome = ?2, finished_ns = max(updated_ns, ?3), updated_ns = max(updated_ns, ?3), owner = NULL
    WHERE id = ?1 AND outcome IS NULL";

/// The same with a last message, at level error.
const END_WITH_REASON: &str = "
    UPDATE task
    SET outcome = ?2, finished_ns = max(updated_ns, ?3), updated_ns = max(updated_ns, ?3),
        message_count = message_count + 1, level_reached = 5, owner = NULL
    WHERE id = ?1 AND outcome IS NULL";

/// Ends a task, with its reason as the last message.
pub(crate) fn end(write: &Write<'_>, id: TaskId, outcome: Outcome, reason: Option<&str>, now_ns: i64) -> Result<()> {
    let end = if reason.is_some() { END_WITH_REASON } else { END };
    if write.change("end a task", end, params![id, outcome, now_ns])? == 0 {
        let action = match outcome {
            Outcome::Finished => "finish",
            Outcome::Failed => "fail",
            Outcome::Interrupted => "interrupt",
        };
        return Err(refusal(write, id, action, "in progress"));
    }
    let after = counted(write, id)?;
    write.counts.change(1, Counted { outcome: None, ..after }, after);
    let said = reason.map(|text| Said { level: Level::Error, text, key: None });
    said.map_or(Ok(()), |said| append(write, id, &said, now_ns))
}

const DISMISS: &str = "
    UPDATE task
    SET dismissed_by = :by, dismissed_ns = max(updated_ns, :now), updated_ns = max(updated_ns, :now)
    WHERE id = :id AND outcome IS NOT NULL AND dismissed_ns IS NULL";

pub(crate) fn dismiss(write: &Write<'_>, id: TaskId, by: &str, now_ns: i64) -> Result<()> {
    let values = named_params! { ":id": id, ":by": by, ":now": now_ns };
    if write.change("dismiss a task", DISMISS, values)? == 0 {
        return Err(refusal(write, id, "dismiss", "ended and not dismissed"));
    }
    let after = counted(write, id)?;
    write.counts.change(1, Counted { dismissed: false, ..after }, after);
    Ok(())
}

const DISMISS_ALL: &str = "
    UPDATE task
    SET dismissed_by = :by, dismissed_ns = max(updated_ns, :now), updated_ns = max(updated_ns, :now)
    WHERE dismissed = 0 AND outcome IS NOT NULL";

const DISMISS_ALL_OF: &str = "
    UPDATE task
    SET dismissed_by = :by, dismissed_ns = max(updated_ns, :now), updated_ns = max(updated_ns, :now)
    WHERE configuration_id = :configuration AND dismissed = 0 AND outcome IS NOT NULL";

const COUNT_ALL: &str = "
    SELECT count(*), configuration_id, outcome FROM task
    WHERE dismissed = 0 AND outcome IS NOT NULL
    GROUP BY configuration_id, outcome";

const COUNT_ALL_OF: &str = "
    SELECT count(*), configuration_id, outcome FROM task
    WHERE configuration_id = :configuration AND dismissed = 0 AND outcome IS NOT NULL
    GROUP BY outcome";

pub(crate) fn dismiss_all(
    write: &Write<'_>,
    configuration: Option<ConfigurationId>,
    by: &str,
    now_ns: i64,
) -> Result<u64> {
    if let Some(id) = configuration
        && !configuration::exists(write.connection, id)?
    {
        // The tasks of a deleted configuration are no longer its own.
        return Ok(0);
    }
    let (count, dismiss) = match configuration {
        None => (COUNT_ALL, DISMISS_ALL),
        Some(_) => (COUNT_ALL_OF, DISMISS_ALL_OF),
    };
    count_as_dismissed(write, count, configuration)?;
    let dismissed = match configuration {
        None => write.change("dismiss the tasks", dismiss, named_params! { ":by": by, ":now": now_ns }),
        Some(id) => {
            let values = named_params! { ":configuration": id, ":by": by, ":now": now_ns };
            write.change("dismiss the tasks", dismiss, values)
        }
    };
    Ok(u64::try_from(dismissed?).unwrap_or(u64::MAX))
}

fn count_as_dismissed(write: &Write<'_>, sql: &'static str, configuration: Option<ConfigurationId>) -> Result<()> {
    let mut count = write.connection.prepare_cached(sql).map_err(during("count the tasks"))?;
    let group = |row: &rusqlite::Row<'_>| {
        Ok((row.get(0)?, Counted { configuration: row.get(1)?, outcome: row.get(2)?, dismissed: false }))
    };
    let groups = match configuration {
        None => count.query_map([], group),
        Some(id) => count.query_map(named_params! { ":configuration": id }, group),
    };
    for group in groups.map_err(during("count the tasks"))? {
        let (tasks, before) = group.map_err(during("count the tasks"))?;
        write.counts.change(tasks, before, Counted { dismissed: true, ..before });
    }
    Ok(())
}

const RESTORE: &str = "
    UPDATE task
    SET dismissed_by = NULL, dismissed_ns = NULL, updated_ns = max(updated_ns, :now)
    WHERE id = :id AND dismissed_ns IS NOT NULL";

pub(crate) fn restore(write: &Write<'_>, id: TaskId, now_ns: i64) -> Result<()> {
    if write.change("restore a task", RESTORE, named_params! { ":id": id, ":now": now_ns })? == 0 {
        return Err(refusal(write, id, "restore", "dismissed"));
    }
    let after = counted(write, id)?;
    write.counts.change(1, Counted { dismissed: true, ..after }, after);
    Ok(())
}

/// The messages go with the task, by their foreign key.
const DELETE: &str = "DELETE FROM task WHERE id = :id AND outcome IS NOT NULL";

pub(crate) fn delete(write: &Write<'_>, id: TaskId) -> Result<()> {
    let before = counted(write, id)?;
    if write.change("delete a task", DELETE, named_params! { ":id": id })? == 0 {
        return Err(refusal(write, id, "delete", "ended"));
    }
    write.counts.add(-1, before);
    Ok(())
}

const COUNTED: &str = "SELECT configuration_id, outcome, dismissed FROM task WHERE id = ?1";

/// What a task is counted as.
fn counted(write: &Write<'_>, id: TaskId) -> Result<Counted> {
    let found = write.find("look for a task", COUNTED, params![id], |row| {
        Ok(Counted { configuration: row.get(0)?, outcome: row.get(1)?, dismissed: row.get(2)? })
    })?;
    found.ok_or_else(|| not_found(id))
}

const STATE: &str = "SELECT outcome, dismissed_by FROM task WHERE id = :id";

/// Why a guarded statement changed nothing: asked in the same transaction, so that the answer is what decided.
fn refusal(write: &Write<'_>, id: TaskId, action: &'static str, needed: &'static str) -> Error {
    let columns = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, Option<Text>>(1)?));
    match write.find("look for a task", STATE, named_params! { ":id": id }, columns) {
        Ok(Some((outcome, by))) => {
            let found = state(outcome, by.is_some());
            Error::WrongState { action, id, found, dismissed_by: by.map(|Text(name)| name), needed }
        }
        Ok(None) => not_found(id),
        Err(error) => error,
    }
}

/// Statements of the verbs, with how often each runs in the lifecycle of the test.
#[cfg(test)]
pub(super) fn statements_for_tests() -> Vec<(String, i32)> {
    [
        (START, 1),
        (COUNT_MESSAGE, 3),
        (APPEND, 3),
        (PROGRESS, 1),
        (END, 1),
        (DISMISS, 1),
        (RESTORE, 1),
        (COUNTED, 3),
        (super::count::COUNT, 4),
    ]
    .map(|(sql, runs)| (sql.to_owned(), runs))
    .into()
}

/// The two statements that append a message.
#[cfg(test)]
pub(in super::super) fn message_statements_for_tests() -> [&'static str; 2] {
    [COUNT_MESSAGE, APPEND]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::assert_plans;

    #[test]
    fn a_key_is_found_by_its_index() {
        assert_plans(&[
            (OF_KEY, "SEARCH task USING COVERING INDEX task_key (key=?)"),
            (MESSAGE_OF_KEY, "SEARCH message USING COVERING INDEX message_key (task_id=? AND key=?)"),
        ]);
    }
}
