//! Waiting for a change.

mod commits;
mod following;
mod processes;
mod stores;
mod waiting;

use std::time::Duration;

use taskstore::{ChangeToken, TaskId, TaskStore};

use crate::support::{messages, options};

/// How long a wait may take for what must come. Nothing here depends on how quick it is.
const PATIENCE: Duration = Duration::from_secs(60);

/// An empty store in a file, and one in memory.
fn in_a_file_and_in_memory() -> [TaskStore; 2] {
    [options().open_temporary().unwrap(), options().open_in_memory().unwrap()]
}

/// Whether something has changed since, without a wait.
fn changed(store: &TaskStore, since: ChangeToken) -> bool {
    store.wait_for_change(since, Duration::ZERO).unwrap().is_some()
}

/// Reads the messages of a task as they come, as the documentation says, until there are so many. Gives the texts.
fn follow(store: &TaskStore, id: TaskId, until: usize) -> Vec<String> {
    let mut token = store.change_token().unwrap();
    loop {
        let texts: Vec<_> = messages(store, id).into_iter().map(|message| message.text).collect();
        if texts.len() >= until {
            return texts;
        }
        token = store.wait_for_change(token, PATIENCE).unwrap().expect("a change must not be missed");
    }
}
