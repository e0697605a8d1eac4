//! Backups: of one instant whoever writes meanwhile, and whole or not there.

mod disk_full;
mod file;
mod killed;
mod load;
mod progress;
mod refused;
mod under_load;

use std::fs;
use std::path::Path;

use taskstore::{Level, TaskStore};

use crate::support::{everything, open, start};

/// What every backup in the making is called at first.
const UNFINISHED: &str = "unfinished-taskstore-backup-";

/// Gives a store so much to copy that a backup takes several steps.
fn fill(store: &TaskStore) {
    let id = start(store, "long");
    let text = "x".repeat(256 << 10);
    for _ in 0..16 {
        store.message(id, Level::Info, text.as_str()).unwrap();
    }
}

/// A store with several MiB, in a directory of its own.
fn large() -> (tempfile::TempDir, TaskStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("tasks.db"));
    fill(&store);
    (directory, store)
}

/// The names of the files in a directory, but for those of the store itself, sorted.
fn others(directory: &Path) -> Vec<String> {
    let names = directory.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut others: Vec<_> = names.filter(|name| !name.starts_with("tasks.db")).collect();
    others.sort_unstable();
    others
}

/// Opens a backup that must be sound, and show what the store shows now.
#[track_caller]
fn assert_whole(store: &TaskStore, path: &Path) {
    let backup = TaskStore::open(path).unwrap();
    assert_eq!(backup.check().unwrap(), []);
    assert_eq!(everything(&backup), everything(store));
}

/// Whether there is anything of this name.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
