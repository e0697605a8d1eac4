//! Deleting what is no longer to be kept.

mod big;
mod killed;
mod model;
mod readers;
mod rules;
mod space;
mod stops;

use std::time::Duration;

use taskstore::{Error, Level, NewTask, Retention, RetentionRule, TaskCounts, TaskId, TaskStore};

/// All ended tasks.
fn all() -> RetentionRule {
    RetentionRule::new().older_than(Duration::ZERO)
}

fn retention(rule: RetentionRule) -> Retention {
    Retention::new().rule(rule)
}

/// How many tasks these are in all.
fn sum(counts: &TaskCounts) -> u64 {
    counts.of(taskstore::Outcomes::ANY, taskstore::Dismissed::Included)
}

/// Starts so many tasks with so many messages of so many bytes, and finishes them.
fn fill(store: &TaskStore, tasks: usize, messages: usize, bytes: usize) -> Vec<TaskId> {
    let text = "x".repeat(bytes);
    let filled = store.batch(|batch| {
        let ids = (0..tasks).map(|number| {
            let id = batch.start_detached(NewTask::new(format!("task {number}")))?;
            (0..messages).try_for_each(|_| batch.message(id, Level::Info, text.as_str()))?;
            batch.finish(id)?;
            Ok::<_, Error>(id)
        });
        ids.collect::<Result<Vec<_>, _>>()
    });
    filled.unwrap()
}
