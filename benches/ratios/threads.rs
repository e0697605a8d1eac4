//! Many threads that write to one store, against one raw thread.

use std::time::{Duration, Instant};

use taskstore::{Level, TaskId, TaskStore};

/// Each thread records its share of the messages, each durable by itself.
pub fn messages(store: &TaskStore, ids: &[TaskId], count: usize) -> Duration {
    let share = count / ids.len();
    let started = Instant::now();
    std::thread::scope(|scope| {
        for id in ids {
            scope.spawn(move || {
                for _ in 0..share {
                    store.message(*id, Level::Info, "Copying the data files").expect("records a message");
                }
            });
        }
    });
    started.elapsed()
}
