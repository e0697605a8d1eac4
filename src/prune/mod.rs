//! Deleting what is no longer to be kept, and giving its space back.

mod rules;
mod work;

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::maintenance::CleanReport;
use crate::retention::Retention;
use crate::task::TaskCounts;
use crate::{Error, Result, TaskStore};

pub(crate) use rules::{Ended, Phase};
use work::Pruning;

/// What [`TaskStore::prune`] has deleted; or would, if it is from [`TaskStore::prune_dry_run`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PruneReport {
    /// Tasks, by what they were.
    pub tasks: TaskCounts,
    /// Their messages.
    pub messages: u64,
    /// Runs of system tasks that had expired.
    pub expired_runs: CleanReport,
    /// By how many bytes the file has become smaller. Space that was free before counts, too.
    pub bytes: u64,
    /// Why it ended before all was done.
    pub stopped: Option<PruneStop>,
}

/// Why [`TaskStore::prune`] ended before all was done. What it had deleted by then is gone; another call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PruneStop {
    /// The caller said so: [`TaskStore::prune_with`].
    Asked,
    /// Somebody has been reading for so long, an export that nobody takes for instance, that what is written could not be
    /// merged into the file: the `-wal` had grown to 64 MiB, and did not become smaller within the busy timeout.
    ReaderHeld,
}

/// How far [`TaskStore::prune_with`] has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PruneProgress {
    /// What was deleted so far.
    pub report: PruneReport,
    /// How much has been looked at, in no unit of its own. It never falls.
    pub done: u64,
    /// How much there is, as far as is known.
    pub total: u64,
}

impl TaskStore {
    /// Deletes the ended tasks that the rules take, with their messages, and gives the space to the file system. Nothing
    /// else in the store deletes tasks by itself: an application calls this now and then, from a thread of its own.
    ///
    /// What is meant is what there is at the call: by the store's clock, and by which tasks are the newest. A task
    /// that was in progress then, or has started since, stays. The oldest go first, in transactions of some
    /// milliseconds with at most 200 tasks or 5,000 messages each, and other writers get through between any two. A
    /// task with more messages, or with more than 8 MiB of text, loses them over several, the last ones first, and
    /// goes with the rest. A task that was dismissed or restored meanwhile goes only if a rule still takes it; but
    /// what has begun to go, goes.
    ///
    /// An error, or the end of the process, amid such a task leaves it with the first of its messages. The next call that
    /// takes it goes on.
    ///
    /// The events of one expired run go in one transaction, however many they are.
    ///
    /// Last, the free pages of the file are cut off, in steps of 2 MiB, which were made free before the call also. Then the
    /// `-wal` is merged into the file, which becomes smaller with that; if somebody is reading, with a later commit.
    ///
    /// # Cost
    ///
    /// Each ended task is read once for all rules without [`file_bytes_max`](crate::RetentionRule::file_bytes_max), once
    /// for all with [`keep`](crate::RetentionRule::keep), and once for each with `file_bytes_max` while the file is
    /// larger. Where all rules are of dismissed tasks, or of those that are not, the others are not read. Reading holds up
    /// nobody. Memory does not grow with the ended tasks, only with the configurations and the tasks in progress.
    ///
    /// The `-wal` does not grow beyond 64 MiB and one transaction: if a reader keeps it from being merged, this waits for
    /// it, up to the busy timeout, and then [stops](PruneStop::ReaderHeld). Amid a task that goes in several transactions it
    /// waits after each, but stops only when the task has gone.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::Error::Invalid) for a rule without a condition, or of tasks in progress only, before anything is
    /// deleted; and the [errors of writing](TaskStore#errors-of-writing) and [of reading](TaskStore#errors-of-reading): what
    /// was deleted before is gone then.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskstore::{NewTask, Retention, RetentionRule, TaskStore};
    ///
    /// let store = TaskStore::open_temporary()?;
    /// for number in 1..=10 {
    ///     store.start(NewTask::new(format!("Part {number}")))?.finish()?;
    /// }
    /// let retention = Retention::new().rule(RetentionRule::new().older_than(Duration::ZERO).keep(3));
    /// assert_eq!(store.prune(&retention)?.tasks.finished, 7);
    /// assert_eq!(store.counts(None)?.finished, 3);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn prune(&self, retention: &Retention) -> Result<PruneReport> {
        self.prune_with(retention, |_| ControlFlow::Continue(()))
    }

    /// The same, telling how far it has come, after each transaction and each thousand tasks that were looked at. It stops
    /// where `progress` says so, between two tasks: that leaves none with a part of its messages. Only an error may.
    ///
    /// `progress` may call the store.
    ///
    /// # Errors
    ///
    /// Those of [`prune`](Self::prune).
    ///
    /// # Example
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use std::time::{Duration, Instant};
    /// use taskstore::{PruneStop, Retention, RetentionRule, TaskStore};
    ///
    /// let store = TaskStore::open_temporary()?;
    /// let retention = Retention::new().rule(RetentionRule::new().keep(100));
    /// let until = Instant::now() + Duration::from_secs(60);
    /// let report = store.prune_with(&retention, |_| {
    ///     if Instant::now() < until { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    /// })?;
    /// assert_ne!(report.stopped, Some(PruneStop::Asked));
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn prune_with(
        &self,
        retention: &Retention,
        progress: impl FnMut(&PruneProgress) -> ControlFlow<()>,
    ) -> Result<PruneReport> {
        retention.check()?;
        self.database().refuse_inside()?;
        if self.is_read_only() {
            return Err(Error::ReadOnly);
        }
        Pruning::new(self, progress)?.run(retention)
    }

    /// What [`prune`](Self::prune) would delete now; nothing is written. It serves a read-only store, too.
    ///
    /// The numbers are those that `prune` would give if nobody else wrote, with two exceptions:
    /// [`bytes`](PruneReport::bytes) is an estimate, from the lengths of the texts; and so is what a rule with
    /// [`file_bytes_max`](crate::RetentionRule::file_bytes_max) takes.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::Error::Invalid), as for [`prune`](Self::prune), and the
    /// [errors of reading](TaskStore#errors-of-reading).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{NewTask, Retention, RetentionRule, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// store.start(NewTask::new("Copy"))?.finish()?;
    /// let retention = Retention::new().rule(RetentionRule::new().keep(0));
    /// assert_eq!(store.prune_dry_run(&retention)?.tasks.finished, 1);
    /// assert_eq!(store.counts(None)?.finished, 1);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn prune_dry_run(&self, retention: &Retention) -> Result<PruneReport> {
        retention.check()?;
        Pruning::dry(self).run(retention)
    }
}
