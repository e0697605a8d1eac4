//! Interrupting the work of dead owners.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::owner::{Found, Owner};
use crate::sqlite::Write;
use crate::sqlite::owner::{self, OwnerRow};
use crate::task::DROP_PATIENCE;
use crate::{Error, Result, TaskStore};

/// What [`TaskStore::recover`] has interrupted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecoverReport {
    /// Tasks that were in progress.
    pub tasks: u64,
    /// Runs of system tasks that were in progress.
    pub runs: u64,
    /// Stores that were open in a process that has ended without closing them.
    pub owners: u64,
}

impl RecoverReport {
    fn add(&mut self, other: Self) {
        self.tasks += other.tasks;
        self.runs += other.runs;
        self.owners += other.owners;
    }
}

impl TaskStore {
    /// Ends as [`Interrupted`](crate::Outcome::Interrupted) what nobody can end any more: the tasks and runs in progress
    /// that a [`RunningTask`](crate::RunningTask) or [`RunningSystemTask`](crate::RunningSystemTask) of a process answered
    /// for that was killed, crashed, or exited without dropping it. Each gets a last message, or event, at level error
    /// ("interrupted: process 1234 ended without finishing it"), once, whichever process is the first to see it.
    ///
    /// Opening a store [does this](crate::OpenOptions::recover), and `taskstore serve` every 10 seconds; a program that
    /// keeps a store open may call it now and then. Where no owner has died it writes nothing, and costs a query and a look
    /// at a lock file for each store that has work in progress.
    ///
    /// An owner is an open store. From the first task or run that it answers for on it holds the lock of an empty file
    /// beside the database (`tasks.db-owner-…`), which the system drops when the process ends, however that happens. Only
    /// who can take the lock takes its owner for dead, or who finds that the file is missing, as it is in a copy of the
    /// database. So the work of a live process is never touched, however slow it is, stopped, or wrong about the time.
    /// What cannot be looked at, such as the lock file of another user, is not taken for dead. A process that was forked
    /// from the owner's and has not executed another program holds the lock with it: until that has ended, too, the owner
    /// is not found dead.
    ///
    /// What was started detached has no owner, and stays in progress. Work is interrupted at most a thousand tasks and
    /// a thousand runs a transaction.
    ///
    /// # Errors
    ///
    /// The [errors of writing](TaskStore#errors-of-writing); [`ReadOnly`](crate::Error::ReadOnly) only if an owner
    /// has died. What was interrupted before stays so, and the next call goes on.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{NewTask, RecoverReport, TaskStore};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("tasks.db");
    /// let store = TaskStore::open(&path)?;
    /// let task = store.start(NewTask::new("Copy"))?;
    /// assert_eq!(store.recover()?, RecoverReport::default()); // its owner lives
    /// task.finish()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recover(&self) -> Result<RecoverReport> {
        let Some(own) = &self.context().owner else {
            self.database().refuse_inside()?;
            return Ok(RecoverReport::default());
        };
        let mut report = self.recover_owners(own, self.database().read(owner::all)?, Duration::MAX)?;
        for owner in self.database().read(owner::without_row)? {
            report.add(self.interrupt_work_of(owner, "interrupted: nobody answers for it any more", Duration::MAX)?);
        }
        if !self.is_read_only() {
            self.remove_leftovers(own)?;
        }
        Ok(report)
    }

    /// What opening a store does: one query where no store has work in progress. Whatever goes wrong, a busy file or a full
    /// disk, is left to the next recovery: it is no reason not to open the store.
    pub(crate) fn recover_at_open(&self) {
        let Some(own) = self.context().owner.as_ref().filter(|_| !self.is_read_only()) else { return };
        let Ok(owners) = self.database().read_at_open(owner::all) else { return };
        if self.recover_owners(own, owners, DROP_PATIENCE).is_ok_and(|report| report.owners > 0) {
            let _ = self.remove_leftovers(own);
        }
    }

    fn recover_owners(&self, own: &Owner, owners: Vec<OwnerRow>, patience: Duration) -> Result<RecoverReport> {
        let (mut report, mut damage) = (RecoverReport::default(), None);
        for OwnerRow { id, name, process_id } in owners {
            if own.is_named(&name) {
                continue;
            }
            let proof = match own.files().look(&name) {
                Found::Dead(file) => Some(file),
                Found::Missing => None,
                Found::NotKnownDead => continue,
            };
            let reason = format!("interrupted: process {process_id} ended without finishing it");
            match self.interrupt_work_of(id, &reason, patience) {
                Ok(interrupted) => report.add(interrupted),
                // It may be in the way of this one's work alone.
                Err(error @ Error::Damaged { .. }) => {
                    damage = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            }
            if let Some(file) = proof {
                file.remove();
            }
        }
        damage.map_or(Ok(report), Err)
    }

    fn interrupt_work_of(&self, owner: i64, reason: &str, patience: Duration) -> Result<RecoverReport> {
        let how = self.context().interruption(reason)?;
        let mut report = RecoverReport::default();
        loop {
            let how = how.clone();
            let operation = move |write: &Write<'_>| owner::interrupt_some(write, owner, &how);
            let interrupted = self.database().write_within(patience, operation)?;
            report.add(interrupted.report);
            if interrupted.is_all {
                return Ok(report);
            }
        }
    }

    /// Removes the lock files of processes that have ended before they made a row, or after they removed it. Who has the
    /// lock of one asks for the row: nobody makes that now.
    fn remove_leftovers(&self, own: &Owner) -> Result<()> {
        for name in own.files().names() {
            if !own.is_named(&name)
                && let Found::Dead(file) = own.files().look(&name)
                && !self.database().read(|read| owner::has_row(read, &name))?
            {
                file.remove();
            }
        }
        Ok(())
    }
}
