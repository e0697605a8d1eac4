//! Faults on demand, at the store's own commits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::OpenOptions;

/// What a commit can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Another process has the file for the whole busy timeout: [`Error::Busy`](crate::Error::Busy), and nothing was written. No
    /// time passes, though the error says that it did. It is met where a transaction begins, as in reality: the work of a
    /// [batch](crate::TaskStore::batch) does not run, and of several callers that would have shared the transaction only the
    /// first gets the error.
    Busy,
    /// There is no room left: [`Error::DiskFull`](crate::Error::DiskFull), and nothing was written.
    DiskFull,
    /// The commit fails half-way: [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown). As in reality the store opens
    /// the file anew for the next write, and one in memory, which cannot, is closed.
    OutcomeUnknown {
        /// Whether it was written all the same.
        written: bool,
    },
    /// The process crashes, as far as the file can tell. Who was in the transaction never gets an acknowledgement, which is
    /// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) here; every other call is
    /// [`Error::Closed`](crate::Error::Closed) from then on. Nothing of the store is written any more: not by guards that are
    /// dropped, not by closing, and [progress](crate::TaskStore::progress) that was kept in memory is lost. Its `-wal` and its
    /// lock file stay, and the lock is let go as the system would. So whoever opens the file next, this process also, finds
    /// the store's work [interrupted](crate::TaskStore::recover).
    Crash {
        /// Whether the commit reached the disk before the crash.
        written: bool,
    },
}

/// A script of faults for the stores that are [opened](OpenOptions::faults) with it. A clone is the same script.
///
/// Commits are counted: those that answer `Ok`, and those that meet a fault; what is refused before it commits, such as a
/// second end of a task, is none. Calls of several threads may share a commit. All that are in it get its error, and no
/// other. The errors are those that the store gives in reality, and afterwards it does what it does in reality. That includes
/// [leaving the disk alone](crate::TaskStore#errors-of-writing): behind three failures in a row it answers the next calls with
/// the last error, which are no commits, for up to a second at a time, also once an outage has [ended](Self::end).
///
/// # Example
///
/// ```
/// use taskstore::testing::{Fault, Faults};
/// use taskstore::{Error, NewTask, OpenOptions};
///
/// let faults = Faults::new();
/// let store = OpenOptions::new().faults(&faults).open_temporary()?;
///
/// faults.next(Fault::DiskFull);
/// let refused = store.start_detached(NewTask::new("Copy"));
/// assert!(matches!(refused, Err(Error::DiskFull { .. })));
/// assert_eq!(store.counts(None)?.in_progress, 0);
///
/// // Whether it was written or not: with a key, trying again is harmless.
/// faults.next(Fault::OutcomeUnknown { written: true });
/// let import = NewTask::new("Import").key("import 7");
/// assert!(matches!(store.start_detached(import.clone()), Err(Error::OutcomeUnknown { .. })));
/// store.start_detached(import)?;
/// assert_eq!(store.counts(None)?.in_progress, 1);
/// assert_eq!(faults.injected(), 2);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Script>>);

#[derive(Debug, Default)]
struct Script {
    /// How many commits there were.
    commits: u64,
    /// By the number of the commit that is to meet it.
    planned: BTreeMap<u64, Fault>,
    /// For every commit that nothing is planned for.
    lasting: Option<Fault>,
    injected: u64,
}

impl Faults {
    /// Nothing is to fail yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next commit meets this fault; if something is planned for that already, the first one behind it of which this is not
    /// so. Called twice, it is for two commits.
    pub fn next(&self, fault: Fault) {
        self.after(1, fault);
    }

    /// The same for the commit of this number from now on: 1 is the next.
    pub fn after(&self, number: u64, fault: Fault) {
        let mut script = self.script();
        let commit = script.commits.saturating_add(number.max(1));
        script.plan(commit, fault);
    }

    /// Every commit meets this fault until the outage is [ended](Self::end), but for those that another is planned for.
    pub fn until_ended(&self, fault: Fault) {
        self.script().lasting = Some(fault);
    }

    /// Nothing fails any more: the outage ends, and what is still planned is forgotten.
    pub fn end(&self) {
        let mut script = self.script();
        script.lasting = None;
        script.planned.clear();
    }

    /// How many commits have met a fault. Where several calls shared one, that is one.
    #[must_use]
    pub fn injected(&self) -> u64 {
        self.script().injected
    }

    /// Before a transaction begins: whether another writer has the file.
    pub(crate) fn is_busy(&self) -> bool {
        let mut script = self.script();
        let next = script.commits.saturating_add(1);
        let busy = script.planned.get(&next).copied().or(script.lasting) == Some(Fault::Busy);
        if busy {
            script.planned.remove(&next);
            script.commits = next;
            script.injected += 1;
        }
        busy
    }

    /// What the commit meets that is to be made now.
    pub(crate) fn at_commit(&self) -> Option<Fault> {
        let mut script = self.script();
        script.commits = script.commits.saturating_add(1);
        let commit = script.commits;
        let fault = script.planned.remove(&commit).or(script.lasting)?;
        if fault == Fault::Busy {
            // Planned since this transaction began: it has the file, and the next one has not.
            if script.lasting != Some(fault) {
                script.plan(commit.saturating_add(1), fault);
            }
            return None;
        }
        script.injected += 1;
        Some(fault)
    }

    /// Nothing can panic while this is locked.
    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Script {
    fn plan(&mut self, mut commit: u64, fault: Fault) {
        while self.planned.contains_key(&commit) {
            commit = commit.saturating_add(1);
        }
        self.planned.insert(commit, fault);
    }
}

impl OpenOptions {
    /// The faults that the store's commits meet, from the first on, which may be that of a [recovery](Self::recover) at
    /// opening. The making of a new file is none.
    #[must_use]
    pub fn faults(self, faults: &Faults) -> Self {
        Self { faults: Some(faults.clone()), ..self }
    }
}
