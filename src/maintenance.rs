//! Housekeeping: only what is asked for is done.

use serde::{Deserialize, Serialize};

use crate::{Result, TaskStore, sqlite};

/// What [`TaskStore::clean_expired`] has deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CleanReport {
    /// Runs.
    pub runs: u64,
    /// Their events.
    pub events: u64,
    /// System tasks that had no run left and were not registered.
    pub system_tasks: u64,
}

impl CleanReport {
    /// With what another batch has deleted.
    pub(crate) fn add(&mut self, batch: Self) {
        self.runs += batch.runs;
        self.events += batch.events;
        self.system_tasks += batch.system_tasks;
    }
}

impl TaskStore {
    /// Deletes the runs that have expired by the store's clock: those that end at or before now. Runs in progress, and
    /// those that never expire, stay.
    ///
    /// Where that was the shown run of a system task, the task leaves the published list, or is unknown again if it was
    /// registered, also if an older run is still kept. It works in batches of at most 200 runs or 10,000 events and
    /// lets other writers through between them; a run with more events goes in one transaction. What has expired by the
    /// time of the call is gone at its end.
    ///
    /// # Errors
    ///
    /// The [errors of writing](TaskStore#errors-of-writing); the batches before are deleted then.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskstore::{RunOptions, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let options = RunOptions::new().expires_after(Duration::ZERO);
    /// store.system_tasks().start_with("fetch_mail", None, options)?.finish()?;
    /// assert_eq!(store.clean_expired()?.runs, 1);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn clean_expired(&self) -> Result<CleanReport> {
        let now_ns = self.context().now_ns()?;
        let mut report = CleanReport::default();
        loop {
            let batch = self.database().write(move |write| sqlite::system_task::clean_expired(write, now_ns))?;
            if batch.runs == 0 {
                return Ok(report);
            }
            report.add(batch);
        }
    }
}
