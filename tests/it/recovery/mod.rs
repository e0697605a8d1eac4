//! What becomes of the work of processes that die, and of stores that close.

mod closing;
mod files;
mod forked;
mod keys;
mod killed;
mod late;
mod many;
mod model;
mod stores;

use std::ffi::OsStr;
use std::path::Path;

use taskstore::{Level, Outcome, Run, TaskId, TaskStore};
use uuid::Uuid;

use crate::support::files::shell;
use crate::support::messages;

/// The lock files beside a database.
fn owner_files(path: &Path) -> Vec<String> {
    let prefix = format!("{}-owner-", path.file_name().and_then(OsStr::to_str).unwrap());
    let entries = path.parent().unwrap().read_dir().unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(&prefix)).collect()
}

/// How many owners have a row.
fn owner_rows(path: &Path) -> i64 {
    shell(path).query_row("SELECT count(*) FROM owner", [], |row| row.get(0)).unwrap()
}

/// What a task says and has become: its outcome, and the texts of its messages at level error.
fn end_of(store: &TaskStore, id: TaskId) -> (Option<Outcome>, Vec<String>) {
    let errors = messages(store, id).into_iter().filter(|message| message.level == Level::Error);
    (store.task(id).unwrap().outcome, errors.map(|message| message.text).collect())
}

/// The only run of a system task.
fn run_of(store: &TaskStore, uuid: Uuid) -> Run {
    let mut runs = store.system_tasks().history(uuid, None, 2).unwrap().items;
    assert_eq!(runs.len(), 1);
    runs.remove(0)
}

fn by_process(process: impl std::fmt::Display) -> String {
    format!("interrupted: process {process} ended without finishing it")
}
