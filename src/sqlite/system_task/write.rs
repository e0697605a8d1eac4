//! What the verbs write.

use std::sync::Arc;

use rusqlite::{named_params, params};
use uuid::Uuid;

use super::super::keyed;
use super::super::owner;
use super::super::transaction::Write;
use super::read::find;
use crate::owner::Owner;
use crate::system_task::{Attributes, LogLevel, RunId, SystemTaskStatus};
use crate::{Error, Result};

/// A run that is to start.
#[derive(Debug)]
pub(crate) struct RunStart {
    pub(crate) name: String,
    pub(crate) uid: Option<String>,
    pub(crate) description: Option<String>,
    /// For the system task, if there is none yet.
    pub(crate) new_uuid: Uuid,
    pub(crate) expires_after_ns: Option<i64>,
    pub(crate) only_on_failure: bool,
    pub(crate) key: Option<String>,
    /// Who is to answer for it, if anybody is.
    pub(crate) owner: Option<Arc<Owner>>,
    pub(crate) now_ns: i64,
}

const ADD: &str = "
    INSERT INTO system_task (uuid, name, uid, description) VALUES (:uuid, :name, :uid, coalesce(:description, ''))";

const DESCRIBE: &str = "
    UPDATE system_task SET description = :description WHERE id = :id AND description <> :description";

const RUN_OF_KEY: &str = "SELECT id FROM run WHERE system_task_id = :system_task AND key = :key";

const START: &str = "
    INSERT INTO run (system_task_id, started_ns, expires_after_ns, only_on_failure, key, owner)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

pub(crate) fn start(write: &Write<'_>, start: &RunStart) -> Result<(RunId, Uuid)> {
    let RunStart { now_ns, owner, .. } = start;
    let found = find(&write.read(), &start.name, start.uid.as_deref())?;
    if let (Some((system_task, uuid)), Some(key)) = (found, &start.key)
        && let Some(run) = keyed::find(write, RUN_OF_KEY, named_params! { ":system_task": system_task, ":key": key })?
    {
        if let Some(owner) = owner {
            owner::adopt_run(write, run, || owner.id(write, *now_ns))?;
        }
        return Ok((run, uuid));
    }
    let (system_task, uuid) = identity(write, start, found)?;
    let owner = owner.as_ref().map(|owner| owner.id(write, *now_ns)).transpose()?;
    let RunStart { expires_after_ns, only_on_failure, key, .. } = start;
    let values = params![system_task, now_ns, expires_after_ns, only_on_failure, key, owner];
    Ok((RunId::of_row(write.insert("start a run", START, values)?), uuid))
}

/// The system task that was found, or else a new one. The write lock keeps two processes from making two.
fn identity(write: &Write<'_>, start: &RunStart, found: Option<(i64, Uuid)>) -> Result<(i64, Uuid)> {
    let RunStart { name, uid, description, new_uuid, .. } = start;
    if let Some((id, uuid)) = found {
        if let Some(description) = description {
            let values = named_params! { ":id": id, ":description": description };
            write.change("start a run", DESCRIBE, values)?;
        }
        return Ok((id, uuid));
    }
    let values = named_params! { ":uuid": new_uuid, ":name": name, ":uid": uid, ":description": description };
    Ok((write.insert("start a run", ADD, values)?, *new_uuid))
}

/// A log event that is to be stored.
pub(crate) struct Event {
    pub(crate) time_ns: i64,
    pub(crate) level: LogLevel,
    pub(crate) logger: String,
    pub(crate) event: String,
    pub(crate) attributes: Attributes,
    pub(crate) key: Option<String>,
}

const EVENT_OF_KEY: &str = "SELECT seq FROM log_event WHERE run_id = :id AND key = :key";

/// Logs one event, unless the run has one of its key.
pub(crate) fn log_one(write: &Write<'_>, id: RunId, event: &Event) -> Result<()> {
    if let Some(key) = &event.key
        && keyed::find::<i64>(write, EVENT_OF_KEY, named_params! { ":id": id, ":key": key })?.is_some()
    {
        return Ok(());
    }
    log(write, id, None, std::slice::from_ref(event))
}

const COUNT_EVENTS: &str = "
    UPDATE run SET event_count = event_count + ?2, status = coalesce(?3, status)
    WHERE id = ?1 AND finished_ns IS NULL";

/// Logs events and sets the status, if one is given.
pub(crate) fn log(write: &Write<'_>, id: RunId, status: Option<SystemTaskStatus>, events: &[Event]) -> Result<()> {
    let number = i64::try_from(events.len()).unwrap_or(i64::MAX);
    if write.change("log an event", COUNT_EVENTS, params![id, number, status])? == 0 {
        return Err(refusal(write, id, "log to"));
    }
    append(write, id, events)
}

/// The events that were just counted are the last ones.
const APPEND: &str = "
    INSERT INTO log_event (run_id, seq, time_ns, level, logger, event, attributes, key)
    VALUES (?1, (SELECT event_count FROM run WHERE id = ?1) - ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

fn append(write: &Write<'_>, id: RunId, events: &[Event]) -> Result<()> {
    for (index, event) in events.iter().enumerate() {
        let behind = i64::try_from(events.len() - 1 - index).unwrap_or(0);
        let Event { time_ns, level, logger, event, attributes, key } = event;
        let values = params![id, behind, time_ns, level, logger, event, attributes.as_str(), key];
        write.change("log an event", APPEND, values)?;
    }
    Ok(())
}

/// A run that is to end.
pub(crate) struct RunEnd {
    pub(crate) id: RunId,
    /// `None` for what was set, or else successful.
    pub(crate) status: Option<SystemTaskStatus>,
    pub(crate) interrupted: bool,
    pub(crate) duration_ns: i64,
    pub(crate) now_ns: i64,
    /// The last event.
    pub(crate) reason: Option<Event>,
}

/// An expiry beyond what can be stored is never. What has ended has no owner.
const END: &str = "
    UPDATE run
    SET status = coalesce(?2, status, 2), interrupted = ?3, finished_ns = max(started_ns, ?4),
        duration_ns = ?5, event_count = event_count + ?6, owner = NULL,
        expires_ns = iif(max(started_ns, ?4) <= 9223372036854775807 - expires_after_ns,
            max(started_ns, ?4) + expires_after_ns, NULL)
    WHERE id = ?1 AND finished_ns IS NULL";

/// The run that has just ended is shown from now on; a successful one that is saved only on failure takes what was
/// shown away.
const SHOW: &str = "
    UPDATE system_task
    SET shown_run = (SELECT iif(r.only_on_failure AND r.status = 2, NULL, r.id) FROM run r WHERE r.id = ?1)
    WHERE id = (SELECT r.system_task_id FROM run r WHERE r.id = ?1)";

pub(crate) fn end(write: &Write<'_>, end: &RunEnd) -> Result<()> {
    let RunEnd { id, status, interrupted, duration_ns, now_ns, reason } = end;
    let values = params![id, status, interrupted, now_ns, duration_ns, reason.is_some()];
    if write.change("end a run", END, values)? == 0 {
        return Err(refusal(write, *id, "end"));
    }
    append(write, *id, reason.as_slice())?;
    write.change("end a run", SHOW, params![id]).map(drop)
}

const EXISTS: &str = "SELECT 1 FROM run WHERE id = ?1";

/// Why a guarded statement changed nothing.
fn refusal(write: &Write<'_>, id: RunId, action: &'static str) -> Error {
    match write.find("look for a run", EXISTS, params![id], |_| Ok(())) {
        Ok(Some(())) => Error::RunEnded { action, id },
        Ok(None) => Error::NotFound { what: "run", id: id.get() },
        Err(error) => error,
    }
}

const NAME_EXISTS: &str = "SELECT 1 FROM system_task WHERE name = :name";

const REGISTER: &str = "
    UPDATE system_task
    SET registered_ns = coalesce(registered_ns, :now), description = :description
    WHERE id = :id";

const ADD_REGISTERED: &str = "
    INSERT INTO system_task (uuid, name, description, registered_ns) VALUES (:uuid, :name, :description, :now)";

pub(crate) fn register(write: &Write<'_>, name: &str, description: &str, new_uuid: Uuid, now_ns: i64) -> Result<()> {
    if let Some((id, _)) = find(&write.read(), name, None)? {
        let values = named_params! { ":id": id, ":now": now_ns, ":description": description };
        return write.change("register a system task", REGISTER, values).map(drop);
    }
    // Runs of that name, with a uid, show it already: beside them an unknown row would stay for ever.
    let exists = write.find("register a system task", NAME_EXISTS, named_params! { ":name": name }, |_| Ok(()))?;
    if exists.is_some() {
        return Ok(());
    }
    let values = named_params! { ":uuid": new_uuid, ":name": name, ":description": description, ":now": now_ns };
    write.change("register a system task", ADD_REGISTERED, values).map(drop)
}

/// Statements of the verbs, with how often each runs in the run of the test.
#[cfg(test)]
pub(in super::super) fn statements_for_tests() -> [(&'static str, i32); 6] {
    [(super::read::FIND, 1), (START, 1), (COUNT_EVENTS, 4), (APPEND, 4), (END, 1), (SHOW, 1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::assert_plans;

    #[test]
    fn a_key_is_found_by_its_index() {
        assert_plans(&[
            (RUN_OF_KEY, "SEARCH run USING COVERING INDEX run_key (system_task_id=? AND key=?)"),
            (EVENT_OF_KEY, "SEARCH log_event USING COVERING INDEX log_event_key (run_id=? AND key=?)"),
        ]);
    }
}
