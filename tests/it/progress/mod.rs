//! Progress: at most one write a second for each task, and always the last one before the end.

mod batch;
mod closing;
mod ends;
mod failures;
mod syncs;
mod threads;
mod written;

use std::path::PathBuf;

use rusqlite::Connection;
use taskstore::{OpenOptions, Progress, TaskId, TaskStore};
use tempfile::TempDir;

use crate::support::files::shell;
use crate::support::{ManualClock, Nanoseconds as _, options};

const SECOND_NS: i64 = 1_000_000_000;

/// A store on a clock that stands still, in a file that notes every progress written to it.
struct Watched {
    store: TaskStore,
    clock: ManualClock,
    path: PathBuf,
    shell: Connection,
    _directory: TempDir,
}

impl Watched {
    fn new() -> Self {
        Self::with(options())
    }

    fn with(options: OpenOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let clock = ManualClock::at_ns(0);
        let store = options.clock(clock.clone()).open(&path).unwrap();
        let shell = shell(&path);
        shell
            .execute_batch(
                "CREATE TABLE written (done INTEGER, updated_ns INTEGER);
                 CREATE TRIGGER note AFTER UPDATE OF progress_done ON task
                 BEGIN INSERT INTO written VALUES (new.progress_done, new.updated_ns); END;",
            )
            .unwrap();
        Self { store, clock, path, shell, _directory: directory }
    }

    /// All that was written: how much was done, and the task's time.
    fn written(&self) -> Vec<(i64, i64)> {
        let mut written = self.shell.prepare("SELECT done, updated_ns FROM written ORDER BY rowid").unwrap();
        let rows = written.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// The same without the times.
    fn amounts(&self) -> Vec<i64> {
        self.written().into_iter().map(|(done, _)| done).collect()
    }

    /// How far the store says a task has come.
    fn done(&self, id: TaskId) -> u64 {
        done_of(&self.store, id)
    }
}

fn done_of(store: &TaskStore, id: TaskId) -> u64 {
    store.task(id).unwrap().progress.unwrap().done
}

fn record(store: &TaskStore, id: TaskId, done: u64) {
    store.progress(id, &Progress::new(done)).unwrap();
}
