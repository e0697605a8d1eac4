//! Several processes on one file: what they were answered makes one history, whoever is killed in the middle of it.

mod check;
mod controls;
mod event;
mod killed;
mod processes;
mod work;

use std::path::{Path, PathBuf};

use taskstore::{TaskId, TaskStore};

use crate::support::files::shell;
use crate::support::{messages, open, start, task_id};
use check::{Violation, violations};
use event::Event;

/// How many calls the processes make together. `.ci/full` asks for a million.
const OPERATIONS: &str = "TASKSTORE_TEST_OPERATIONS";

fn operations() -> usize {
    std::env::var(OPERATIONS).map_or(20_000, |operations| operations.parse().unwrap())
}

/// The task that all processes write to: the order of its messages is the order of their commits.
fn shared() -> TaskId {
    task_id(1)
}

/// A file with the shared task, and a store that looks at it in the end.
fn file(directory: &Path) -> (PathBuf, TaskStore) {
    let path = directory.join("tasks.db");
    let store = open(&path);
    assert_eq!(start(&store, "shared"), shared());
    (path, store)
}

/// What is wrong with what the processes told, beside what the file holds now.
fn judge<'a>(path: &Path, store: &TaskStore, told: impl IntoIterator<Item = &'a String>) -> Vec<Violation> {
    let integrity: String = shell(path).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let events: Vec<Event> = told.into_iter().map(|line| Event::parse(line).unwrap()).collect();
    let messages: Vec<_> = messages(store, shared()).into_iter().map(|message| (message.seq, message.text)).collect();
    assert_eq!(store.task(shared()).unwrap().message_count, messages.len() as u64);
    violations(&messages, &events)
}
