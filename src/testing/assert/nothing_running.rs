//! Whether anything goes on still.

use std::fmt::Write;

use super::picture::time;
use super::{run, task};
use crate::task::{Order, Outcomes, TaskFilter};
use crate::{Result, TaskStore, sqlite};

/// Of so many it is shown what they are.
const SHOWN_MAX: u32 = 20;

/// Asserts that no task and no run of a system task is in progress. It reads all runs that there are.
///
/// # Panics
///
/// If one is, with what they are. Also if the store cannot be read.
///
/// # Example
///
/// ```
/// use taskstore::testing::assert_nothing_running;
/// use taskstore::{NewTask, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// let task = store.start(NewTask::new("Copy"))?;
/// drop(task); // interrupted
/// assert_nothing_running(&store);
/// # Ok::<(), taskstore::Error>(())
/// ```
#[track_caller]
pub fn assert_nothing_running(store: &TaskStore) {
    match running(store) {
        Ok((0, 0, _)) => {}
        Ok((tasks, runs, lines)) => {
            let count = |number, one| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
            panic!("{} and {} are in progress; nothing should be:{lines}", count(tasks, "task"), count(runs, "run"))
        }
        Err(error) => panic!("what is in progress cannot be read: {error}"),
    }
}

/// How many tasks and runs are in progress, with lines of the first ones.
fn running(store: &TaskStore) -> Result<(u64, u64, String)> {
    let limit = SHOWN_MAX.min(store.context().limits.page_rows_max);
    let filter = TaskFilter::new().outcomes(Outcomes::IN_PROGRESS).order(Order::OldestFirst).limit(limit);
    let tasks = store.list(&filter)?.items;
    let runs = store.database().read(sqlite::system_task::in_progress)?;

    let mut lines = String::new();
    let mut line = |title: String, started, entries: u64, word: &str| {
        let _ = write!(lines, "\n  {title}, since {}, with {entries} {word}", time(started));
    };
    for found in &tasks {
        line(task::title(found), found.started, found.message_count, "messages");
    }
    let shown = usize::try_from(SHOWN_MAX).unwrap_or(usize::MAX);
    for named in runs.iter().take(shown) {
        line(run::title(named), named.run.started, named.run.event_count, "events");
    }
    let tasks_in_progress = store.counts(None)?.in_progress;
    let number = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let runs_in_progress = number(runs.len());
    let shown = number(tasks.len()) + runs_in_progress.min(SHOWN_MAX.into());
    if let Some(more) = (tasks_in_progress + runs_in_progress).checked_sub(shown).filter(|more| *more > 0) {
        let _ = write!(lines, "\n  and {more} more");
    }
    Ok((tasks_in_progress, runs_in_progress, lines))
}
