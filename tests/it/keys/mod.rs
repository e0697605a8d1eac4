//! Keys: what is repeated with the same key is recorded once.

mod limits;
mod messages;
mod races;
mod starts;
mod syncs;

use taskstore::{NewTask, Result, TaskId, TaskStore};

/// Starts a task of this key.
fn start(store: &TaskStore, key: &str) -> Result<TaskId> {
    store.start_detached(NewTask::new("t").key(key))
}
