//! The rows of owners, and what becomes of the work of a dead one.

use rusqlite::named_params;

use super::error::during;
use super::row::Text;
use super::system_task::{self, Event, RunEnd};
use super::task;
use super::transaction::{Read, Write};
use crate::Result;
use crate::recovery::RecoverReport;
use crate::system_task::{Attributes, LogLevel, RunId, SystemTaskStatus};
use crate::task::{Outcome, TaskId};

/// The most tasks, and the most runs, that one transaction interrupts, so that other writers wait for milliseconds.
const INTERRUPTED_MAX: u32 = 1_000;

/// An owner that has a row.
#[derive(Debug)]
pub(crate) struct OwnerRow {
    pub(crate) id: i64,
    /// Whatever is in the file: it need not be a name.
    pub(crate) name: String,
    pub(crate) process_id: i64,
}

const ALL: &str = "SELECT id, name, process_id FROM owner ORDER BY id";

pub(crate) fn all(read: &Read<'_>) -> Result<Vec<OwnerRow>> {
    let mut owners = read.connection.prepare_cached(ALL).map_err(during("look for owners"))?;
    let rows = owners.query_map([], |row| {
        let Text(name) = row.get(1)?;
        Ok(OwnerRow { id: row.get(0)?, name, process_id: row.get(2)? })
    });
    rows.and_then(Iterator::collect).map_err(during("look for owners"))
}

const OF_NAME: &str = "SELECT id FROM owner WHERE name = :name";

pub(crate) fn find(write: &Write<'_>, name: &str) -> Result<Option<i64>> {
    write.find("look for an owner", OF_NAME, named_params! { ":name": name }, |row| row.get(0))
}

/// Whether there is an owner of this name.
pub(crate) fn has_row(read: &Read<'_>, name: &str) -> Result<bool> {
    let mut find = read.connection.prepare_cached(OF_NAME).map_err(during("look for owners"))?;
    find.exists(named_params! { ":name": name }).map_err(during("look for owners"))
}

const ADD: &str = "INSERT INTO owner (name, process_id, since_ns) VALUES (:name, :process, :now)";

/// The row of this name. It may be there already, after a commit of which it is not known whether it was written.
pub(crate) fn find_or_add(write: &Write<'_>, name: &str, process_id: u32, now_ns: i64) -> Result<i64> {
    match find(write, name)? {
        Some(id) => Ok(id),
        None => {
            let values = named_params! { ":name": name, ":process": process_id, ":now": now_ns };
            write.insert("note an owner", ADD, values)
        }
    }
}

/// Work that has an owner's id without there being such an owner. By the indexes of owners, one owner a step: it costs the
/// same however much work there is.
const NEXT_OF_TASKS: &str = "SELECT min(owner) FROM task WHERE owner > :after";
const NEXT_OF_RUNS: &str = "SELECT min(owner) FROM run WHERE owner > :after";
const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM owner WHERE id = :id)";

pub(crate) fn without_row(read: &Read<'_>) -> Result<Vec<i64>> {
    read.snapshot(|| {
        let mut without = Vec::new();
        let mut after = i64::MIN;
        loop {
            let next = |sql| number(read, sql, after).map(|next: Option<i64>| next.unwrap_or(i64::MAX));
            let next = next(NEXT_OF_TASKS)?.min(next(NEXT_OF_RUNS)?);
            if next == i64::MAX {
                return Ok(without);
            }
            let mut exists = read.connection.prepare_cached(EXISTS).map_err(during("look for owners"))?;
            let exists = exists.query_row(named_params! { ":id": next }, |row| row.get::<_, bool>(0));
            if !exists.map_err(during("look for owners"))? {
                without.push(next);
            }
            after = next;
        }
    })
}

fn number(read: &Read<'_>, sql: &'static str, after: i64) -> Result<Option<i64>> {
    let mut statement = read.connection.prepare_cached(sql).map_err(during("look for owners"))?;
    statement.query_row(named_params! { ":after": after }, |row| row.get(0)).map_err(during("look for owners"))
}

/// How the work of an owner is interrupted.
#[derive(Clone, Debug)]
pub(crate) struct Interruption {
    /// The last message of each task, and the last event of each run.
    pub(crate) reason: String,
    pub(crate) now_ns: i64,
}

/// Interrupts a part of an owner's work. With the last part goes the owner's row.
pub(crate) fn interrupt_some(write: &Write<'_>, owner: i64, how: &Interruption) -> Result<Interrupted> {
    let (tasks, runs) = (tasks_of(write, owner)?, runs_of(write, owner)?);
    for id in &tasks {
        task::end(write, *id, Outcome::Interrupted, Some(&how.reason), how.now_ns)?;
    }
    for run in &runs {
        system_task::end(write, &run.end(how))?;
    }
    let full = usize::try_from(INTERRUPTED_MAX).unwrap_or(usize::MAX);
    let is_all = tasks.len() < full && runs.len() < full;
    let owners = if is_all { write.change("forget an owner", FORGET, named_params! { ":owner": owner })? } else { 0 };
    let [tasks, runs, owners] =
        [tasks.len(), runs.len(), owners].map(|number| u64::try_from(number).unwrap_or(u64::MAX));
    Ok(Interrupted { report: RecoverReport { tasks, runs, owners }, is_all })
}

/// What one transaction has interrupted.
#[derive(Debug)]
pub(crate) struct Interrupted {
    pub(crate) report: RecoverReport,
    /// Whether nothing of the owner is left.
    pub(crate) is_all: bool,
}

const FORGET: &str = "DELETE FROM owner WHERE id = :owner";

const TASKS: &str = "SELECT id FROM task WHERE owner = :owner LIMIT :limit";

fn tasks_of(write: &Write<'_>, owner: i64) -> Result<Vec<TaskId>> {
    let mut tasks = write.connection.prepare_cached(TASKS).map_err(during("look for tasks of an owner"))?;
    let values = named_params! { ":owner": owner, ":limit": INTERRUPTED_MAX };
    let ids = tasks.query_map(values, |row| row.get(0).map(TaskId::of_row));
    ids.and_then(Iterator::collect).map_err(during("look for tasks of an owner"))
}

const RUNS: &str = "
    SELECT r.id, r.started_ns, s.name FROM run r JOIN system_task s ON s.id = r.system_task_id
    WHERE r.owner = :owner LIMIT :limit";

fn runs_of(write: &Write<'_>, owner: i64) -> Result<Vec<RunOfOwner>> {
    let mut runs = write.connection.prepare_cached(RUNS).map_err(during("look for runs of an owner"))?;
    let values = named_params! { ":owner": owner, ":limit": INTERRUPTED_MAX };
    let rows = runs.query_map(values, |row| {
        let Text(name) = row.get(2)?;
        Ok(RunOfOwner { id: RunId::of_row(row.get(0)?), started_ns: row.get(1)?, name })
    });
    rows.and_then(Iterator::collect).map_err(during("look for runs of an owner"))
}

struct RunOfOwner {
    id: RunId,
    started_ns: i64,
    /// Of its system task.
    name: String,
}

impl RunOfOwner {
    /// The monotonic clock of its start is gone, so the wall clock tells how long it took.
    fn end(&self, how: &Interruption) -> RunEnd {
        let reason = Event {
            time_ns: how.now_ns,
            level: LogLevel::Error,
            logger: self.name.clone(),
            event: how.reason.clone(),
            attributes: Attributes::default(),
            key: None,
        };
        RunEnd {
            id: self.id,
            status: Some(SystemTaskStatus::Error),
            interrupted: true,
            duration_ns: how.now_ns.saturating_sub(self.started_ns).max(0),
            now_ns: how.now_ns,
            reason: Some(reason),
        }
    }
}

const DETACH_TASK: &str = "UPDATE task SET owner = NULL WHERE id = :id AND owner = :owner";
const DETACH_RUN: &str = "UPDATE run SET owner = NULL WHERE id = :id AND owner = :owner";

/// From now on nobody answers for it. What another owns stays its own, and what has ended is nobody's already.
pub(crate) fn detach_task(write: &Write<'_>, id: TaskId, owner: i64) -> Result<()> {
    write.change("detach a task", DETACH_TASK, named_params! { ":id": id, ":owner": owner }).map(drop)
}

/// The same for a run.
pub(crate) fn detach_run(write: &Write<'_>, id: RunId, owner: i64) -> Result<()> {
    write.change("detach a run", DETACH_RUN, named_params! { ":id": id, ":owner": owner }).map(drop)
}

const TASK_IS_NOBODYS: &str = "SELECT 1 FROM task WHERE id = :id AND owner IS NULL AND outcome IS NULL";
const RUN_IS_NOBODYS: &str = "SELECT 1 FROM run WHERE id = :id AND owner IS NULL AND finished_ns IS NULL";
const ADOPT_TASK: &str = "UPDATE task SET owner = :owner WHERE id = :id";
const ADOPT_RUN: &str = "UPDATE run SET owner = :owner WHERE id = :id";

/// Makes it the owner's if it is in progress and nobody's.
pub(crate) fn adopt_task(write: &Write<'_>, id: TaskId, owner: impl FnOnce() -> Result<i64>) -> Result<()> {
    if write.find("look for a task", TASK_IS_NOBODYS, named_params! { ":id": id }, |_| Ok(()))?.is_some() {
        write.change("start a task", ADOPT_TASK, named_params! { ":id": id, ":owner": owner()? })?;
    }
    Ok(())
}

/// The same for a run.
pub(crate) fn adopt_run(write: &Write<'_>, id: RunId, owner: impl FnOnce() -> Result<i64>) -> Result<()> {
    if write.find("look for a run", RUN_IS_NOBODYS, named_params! { ":id": id }, |_| Ok(()))?.is_some() {
        write.change("start a run", ADOPT_RUN, named_params! { ":id": id, ":owner": owner()? })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::{assert_plans, counts};
    use crate::{NewTask, OpenOptions, TaskStore};

    const STATEMENTS: [&str; 4] = [ALL, OF_NAME, ADD, TASKS];

    fn runs(store: &TaskStore) -> [i32; 4] {
        store.database().with_connection(|connection| STATEMENTS.map(|sql| counts(connection, sql).0))
    }

    #[test]
    fn opening_asks_once_for_owners_whatever_the_size_and_only_the_first_start_makes_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        for _ in 0..2 {
            let store = TaskStore::open(&path).unwrap();
            assert_eq!(runs(&store), [1, 0, 0, 0]);
            let more = |batch: &crate::Batch<'_>| {
                (0..1_000).try_for_each(|_| batch.start_detached(NewTask::new("t")).map(drop))
            };
            store.batch(more).unwrap();
            for _ in 0..10 {
                store.start(NewTask::new("t")).unwrap().finish().unwrap();
                store.system_tasks().start("t", None).unwrap().finish().unwrap();
            }
            assert_eq!(runs(&store), [1, 1, 1, 0]);
        }
        assert_eq!(runs(&OpenOptions::new().recover(false).open(&path).unwrap()), [0; 4]);
        assert_eq!(runs(&TaskStore::open_in_memory().unwrap()), [0; 4]);
    }

    #[test]
    fn the_work_of_an_owner_is_found_by_its_index() {
        assert_plans(&[
            (TASKS, "SEARCH task USING COVERING INDEX task_owned (owner=?)"),
            (RUNS, "SEARCH r USING INDEX run_owned (owner=?)\nSEARCH s USING INTEGER PRIMARY KEY (rowid=?)"),
            (NEXT_OF_TASKS, "SEARCH task USING COVERING INDEX task_owned (owner>?)"),
            (NEXT_OF_RUNS, "SEARCH run USING COVERING INDEX run_owned (owner>?)"),
            (OF_NAME, "SEARCH owner USING COVERING INDEX sqlite_autoindex_owner_1 (name=?)"),
        ]);
    }
}
