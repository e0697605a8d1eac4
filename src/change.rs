//! Waiting for a change instead of asking again and again.

use std::time::Duration;

use crate::{Result, TaskStore};

/// Which state of a store somebody has seen: see [`TaskStore::change_token`].
///
/// Equal tokens are of the same state; nothing else can be read from one. It belongs to one opening of one store in one
/// process: that of any other is a different one, so that a wait with it ends at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChangeToken {
    /// The number of the opening in this process.
    pub(crate) store: u64,
    /// How often something was found changed since.
    pub(crate) changes: u64,
}

impl TaskStore {
    /// The state that the store is in now, for [`wait_for_change`](Self::wait_for_change).
    ///
    /// **Take it before you read.** What is committed between the two is then a change to wait for, though it was read
    /// already; with a token that was taken after reading it would be missed. It costs a few microseconds, and the first
    /// one of a store a connection to the file, which stays open.
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
    /// let before = store.change_token()?;
    /// assert_eq!(store.change_token()?, before);
    /// store.start_detached(NewTask::new("Copy"))?;
    /// assert_ne!(store.change_token()?, before);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn change_token(&self) -> Result<ChangeToken> {
        self.database().change_token()
    }

    /// Waits until something was committed since `since` was taken, and gives the token of the new state; `None` if that did
    /// not happen within `timeout`. What was committed before the call counts, so nothing is missed by whoever takes the
    /// token, reads, and then waits. [`Duration::MAX`] waits for ever.
    ///
    /// It returns at once when a clone of this store commits, and within 50 ms when another process does, or another
    /// opening of the file in this one, as long as the machine keeps up. What is not committed wakes nobody:
    /// [progress](Self::progress) that is kept in memory is a change when it is written.
    ///
    /// It may also return where nothing that you see has changed: any commit counts, whichever rows it wrote, if any, and
    /// so does what SQLite does to the file of its own. Where somebody else writes without a pause it returns each time at
    /// once: who then reads much should pause in between, which loses nothing. The same goes for a file that this user
    /// cannot write and nobody has open for writing.
    ///
    /// It may return late where the file itself is busy: a look waits for another process's lock as long as any reading does.
    ///
    /// Each wait looks at the file fifty times a second, some microseconds each; in memory, and in an
    /// [immutable](crate::OpenOptions::immutable) store, which never changes, it just sleeps. Where nobody waits nothing
    /// runs, and a commit costs nothing more. Any number of threads may wait. None of them holds a lock between two looks,
    /// nor keeps the `-wal` from being merged.
    ///
    /// # Errors
    ///
    /// The [errors of reading](TaskStore#errors-of-reading); [`Closed`](crate::Error::Closed) also if the store is closed
    /// during the wait.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskstore::{NewTask, TaskFilter, TaskStore};
    ///
    /// let store = TaskStore::open_temporary()?;
    /// let other = store.clone();
    /// let job = std::thread::spawn(move || other.run(NewTask::new("Copy"), |_| Ok::<_, taskstore::Error>(())));
    ///
    /// let mut token = store.change_token()?; // before the first reading
    /// while store.list(&TaskFilter::new())?.items.iter().all(|task| task.outcome.is_none()) {
    ///     if let Some(new) = store.wait_for_change(token, Duration::from_secs(10))? {
    ///         token = new; // taken before the next reading
    ///     }
    /// }
    /// # job.join().unwrap().unwrap();
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn wait_for_change(&self, since: ChangeToken, timeout: Duration) -> Result<Option<ChangeToken>> {
        self.database().wait_for_change(since, timeout)
    }
}
