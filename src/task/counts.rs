//! How many tasks there are.

use serde::{Deserialize, Serialize};

use super::{Dismissed, Outcome, Outcomes};

/// How many tasks there are, by their outcome and whether they are dismissed; from
/// [`TaskStore::counts`](crate::TaskStore::counts).
///
/// # Example
///
/// ```
/// use taskstore::{Dismissed, NewTask, Outcomes, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// let id = store.start_detached(NewTask::new("Switch over"))?;
/// store.start_detached(NewTask::new("Copy"))?;
/// store.fail(id, "no answer from the standby")?;
/// store.dismiss(id, "ann")?;
///
/// let counts = store.counts(None)?;
/// assert_eq!((counts.in_progress, counts.dismissed_failed), (1, 1));
/// assert_eq!(counts.of(Outcomes::FAILED, Dismissed::Included), 1);
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TaskCounts {
    /// Tasks in progress.
    pub in_progress: u64,
    /// Finished ones that are not dismissed.
    pub finished: u64,
    /// Failed ones that are not dismissed.
    pub failed: u64,
    /// Interrupted ones that are not dismissed.
    pub interrupted: u64,
    /// Finished ones that are dismissed.
    pub dismissed_finished: u64,
    /// Failed ones that are dismissed.
    pub dismissed_failed: u64,
    /// Interrupted ones that are dismissed.
    pub dismissed_interrupted: u64,
}

impl TaskCounts {
    /// How many of them a [`TaskFilter`](crate::TaskFilter) of these outcomes shows.
    #[must_use]
    pub fn of(&self, outcomes: Outcomes, dismissed: Dismissed) -> u64 {
        let visible = [
            (None, self.in_progress),
            (Some(Outcome::Finished), self.finished),
            (Some(Outcome::Failed), self.failed),
            (Some(Outcome::Interrupted), self.interrupted),
        ];
        let put_away = [
            (Some(Outcome::Finished), self.dismissed_finished),
            (Some(Outcome::Failed), self.dismissed_failed),
            (Some(Outcome::Interrupted), self.dismissed_interrupted),
        ];
        let asked = |counts: &[(Option<Outcome>, u64)]| {
            counts.iter().filter(|(outcome, _)| outcomes.contains(*outcome)).map(|(_, tasks)| tasks).sum::<u64>()
        };
        match dismissed {
            Dismissed::Hidden => asked(&visible),
            Dismissed::Included => asked(&visible) + asked(&put_away),
            Dismissed::Only => asked(&put_away),
        }
    }
}
