//! What is kept, and what goes. Plain data.

use std::time::Duration;

use crate::task::{Dismissed, Outcomes};
use crate::{Error, Result};

/// What [`TaskStore::prune`](crate::TaskStore::prune) deletes. The default deletes nothing.
///
/// A task goes if at least one of the [rules](RetentionRule) takes it. A task in progress never goes, whatever is asked.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use taskstore::{Dismissed, Outcomes, Retention, RetentionRule, TaskStore};
///
/// const DAY: Duration = Duration::from_secs(24 * 60 * 60);
///
/// // What an application asks for every night. A failure that nobody has dismissed stays for ever.
/// let dismissed = RetentionRule::new().dismissed(Dismissed::Only).older_than(30 * DAY);
/// let finished = RetentionRule::new().outcomes(Outcomes::FINISHED).older_than(90 * DAY).keep(1_000);
/// let retention = Retention::new().rule(dismissed).rule(finished).expired_runs(true);
///
/// let store = TaskStore::open_in_memory()?;
/// assert_eq!(store.prune(&retention)?.tasks.finished, 0);
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Which tasks go: those that any of the rules takes.
    pub rules: Vec<RetentionRule>,
    /// Whether runs of system tasks go that have expired, as by
    /// [`clean_expired`](crate::TaskStore::clean_expired). They have an expiry of their own, which no rule touches.
    pub expired_runs: bool,
}

impl Retention {
    /// Deletes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: RetentionRule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Whether runs of system tasks go that have expired.
    #[must_use]
    pub fn expired_runs(self, expired_runs: bool) -> Self {
        Self { expired_runs, ..self }
    }

    /// Refuses a rule that says nothing, which would take all or nothing.
    pub(crate) fn check(&self) -> Result<()> {
        self.rules.iter().try_for_each(RetentionRule::check)
    }
}

/// A rule of a [`Retention`]: of the ended tasks of these [`outcomes`](Self::outcomes), [`dismissed`](Self::dismissed) or
/// not, it takes those for which **all** its conditions hold: [`older_than`](Self::older_than), [`keep`](Self::keep),
/// [`file_bytes_max`](Self::file_bytes_max). It must have one of the three at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetentionRule {
    /// What may have happened to them: any end by default. Tasks in progress are never taken.
    pub outcomes: Outcomes,
    /// Whether dismissed ones are taken: both by default.
    pub dismissed: Dismissed,
    /// Only those that ended so long ago, or longer, by the store's clock.
    pub older_than: Option<Duration>,
    /// Not the newest of each configuration, so many of them, nor of those of none.
    pub keep: Option<u64>,
    /// Only while the file is larger, when all other rules are through, the oldest first.
    pub file_bytes_max: Option<u64>,
}

impl RetentionRule {
    /// A rule of all ended tasks, which still needs a condition.
    #[must_use]
    pub fn new() -> Self {
        Self {
            outcomes: Outcomes::ANY,
            dismissed: Dismissed::Included,
            older_than: None,
            keep: None,
            file_bytes_max: None,
        }
    }

    /// What may have happened to them. Tasks in progress are never taken.
    #[must_use]
    pub fn outcomes(self, outcomes: Outcomes) -> Self {
        Self { outcomes, ..self }
    }

    /// Whether dismissed ones are taken: not, too, or only they.
    #[must_use]
    pub fn dismissed(self, dismissed: Dismissed) -> Self {
        Self { dismissed, ..self }
    }

    /// Only those that ended so long ago, or longer, by the store's clock. Whether and when they were dismissed does not
    /// count.
    #[must_use]
    pub fn older_than(self, age: Duration) -> Self {
        Self { older_than: Some(age), ..self }
    }

    /// Not the newest of each configuration, so many of them: those that a list of these outcomes and this dismissal would
    /// show first. The tasks of no configuration are kept as those of one, and so are those of each deleted one.
    #[must_use]
    pub fn keep(self, newest: u64) -> Self {
        Self { keep: Some(newest), ..self }
    }

    /// Only while the file is larger than so many bytes, when all other rules are through, the oldest first. If all that
    /// the rule may take has gone and the file is still larger, it stays so. The `-wal` does not count.
    #[must_use]
    pub fn file_bytes_max(self, bytes: u64) -> Self {
        Self { file_bytes_max: Some(bytes), ..self }
    }

    fn check(&self) -> Result<()> {
        if self.outcomes.are_within(Outcomes::IN_PROGRESS) {
            return Err(Error::Invalid { field: "outcomes", problem: "must name one that ends a task" });
        }
        if (self.older_than, self.keep, self.file_bytes_max) == (None, None, None) {
            let problem = "must have a condition: older_than, keep or file_bytes_max";
            return Err(Error::Invalid { field: "rule", problem });
        }
        Ok(())
    }
}

impl Default for RetentionRule {
    fn default() -> Self {
        Self::new()
    }
}
