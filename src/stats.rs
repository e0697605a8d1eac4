//! How large a store is, and what is in it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::task::{TaskCounts, TaskId};
use crate::{Result, TaskStore, sqlite};

/// How large a store is, and what is in it; from [`TaskStore::stats`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stats {
    /// The file's size in bytes; `None` in memory. What is in the `-wal` alone may not be in it yet.
    pub file_bytes: Option<u64>,
    /// The size of the file's `-wal` in bytes, 0 if there is none; `None` in memory. It is what the `-wal` takes, not what is
    /// still to be merged.
    pub wal_bytes: Option<u64>,
    /// The size of a page in bytes.
    pub page_bytes: u64,
    /// The pages of the file, with what is in the `-wal`.
    pub pages: u64,
    /// Those of them that hold nothing, which [`prune`](TaskStore::prune) gives back.
    pub free_pages: u64,
    /// Tasks, by outcome and dismissal: those that [`TaskStore::counts`] gives.
    pub tasks: TaskCounts,
    /// The task in progress that started first.
    pub oldest_in_progress: Option<OldestInProgress>,
    /// Configurations that are not deleted.
    pub configurations: u64,
    /// System tasks, registered or with a run, listed or not.
    pub system_tasks: u64,
    /// Their runs, also those in progress, and those that have expired and were not deleted yet.
    pub runs: u64,
    /// The version of the file's schema.
    pub schema_version: i64,
    /// The version of the SQLite that this program uses: `3.54.1`.
    pub sqlite_version: String,
    /// Whether the store can only be read: [`TaskStore::is_read_only`].
    pub read_only: bool,
}

/// The task in progress that started first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OldestInProgress {
    /// Its id.
    pub id: TaskId,
    /// When it started.
    pub started: DateTime<Utc>,
}

impl TaskStore {
    /// How large the store is and what is in it, of one instant but for the sizes of the two files.
    ///
    /// It costs the same however many tasks and messages there are: the tasks are counted already. Configurations, system
    /// tasks and runs are counted at the call, by their smallest indexes. Messages are not counted, since that would
    /// be to read nearly the whole file.
    ///
    /// # Errors
    ///
    /// The [errors of reading](TaskStore#errors-of-reading).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{NewTask, TaskStore};
    ///
    /// let store = TaskStore::open_temporary()?;
    /// let id = store.start_detached(NewTask::new("Copy"))?;
    /// let stats = store.stats()?;
    /// assert_eq!(stats.tasks.in_progress, 1);
    /// assert_eq!(stats.oldest_in_progress.unwrap().id, id);
    /// assert!(stats.wal_bytes.is_some() && !stats.read_only);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn stats(&self) -> Result<Stats> {
        let (file_bytes, wal_bytes) = self.database().file_bytes().unzip();
        let read_only = self.is_read_only();
        let mut stats = self.database().read(sqlite::stats::stats)?;
        (stats.file_bytes, stats.wal_bytes, stats.read_only) = (file_bytes, wal_bytes, read_only);
        Ok(stats)
    }
}
