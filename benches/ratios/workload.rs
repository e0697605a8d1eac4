//! What the library's side does, and the texts that all sides write.

use taskstore::{Batch, Level, NewTask, Result, TaskId, TaskStore};

pub const TITLE: &str = "Create standby";
pub const USER: &str = "ann";
pub const MESSAGES: [&str; 3] = ["Running pre-checks", "Copying the data files", "Starting the standby"];

/// The verbs of a lifecycle.
pub const VERBS: f64 = 5.0;

pub fn start(store: &TaskStore) -> TaskId {
    store.start_detached(NewTask::new(TITLE).performed_by(USER)).expect("starts")
}

/// Five verbs, each durable by itself; tells when each was acknowledged.
pub fn lifecycle(store: &TaskStore, mut acknowledged: impl FnMut()) {
    let id = start(store);
    acknowledged();
    for text in MESSAGES {
        store.message(id, Level::Info, text).expect("records a message");
        acknowledged();
    }
    store.finish(id).expect("finishes");
    acknowledged();
}

/// Lifecycles in one transaction.
pub fn batch(store: &TaskStore, lifecycles: u32) {
    store.batch(|batch| (0..lifecycles).try_for_each(|_| in_batch(batch))).expect("commits");
}

fn in_batch(batch: &Batch<'_>) -> Result<()> {
    let id = batch.start_detached(NewTask::new(TITLE).performed_by(USER))?;
    for text in MESSAGES {
        batch.message(id, Level::Info, text)?;
    }
    batch.finish(id)
}
