//! Which tasks a list shows.

use std::ops::BitOr;

use super::{Outcome, TaskId};
use crate::configuration::ConfigurationId;
use crate::page::Cursor;
use crate::{Error, Result};

/// Which tasks [`TaskStore::list`](crate::TaskStore::list) gives, in which order, and how many.
///
/// The default: every task that is not dismissed, newest first, the first 100.
///
/// # Example
///
/// ```
/// use taskstore::{Dismissed, NewTask, Outcomes, TaskFilter, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// let id = store.start_detached(NewTask::new("Switch over"))?;
/// store.fail(id, "no answer from the standby")?;
/// store.dismiss(id, "ann")?;
///
/// // A dismissed failure is still found among the failures.
/// let failures = TaskFilter::new().outcomes(Outcomes::FAILED).dismissed(Dismissed::Included);
/// assert_eq!(store.list(&failures)?.items[0].id, id);
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskFilter {
    /// Only tasks of this configuration; none if it was deleted.
    pub configuration: Option<ConfigurationId>,
    /// Whether dismissed tasks are shown.
    pub dismissed: Dismissed,
    /// What may have happened to them.
    pub outcomes: Outcomes,
    /// Newest or oldest first.
    pub order: Order,
    /// The most rows of a page: from 1 to [`Limits::page_rows_max`](crate::Limits::page_rows_max).
    pub limit: u32,
    /// The [`next`](crate::Page::next) of the page before.
    pub after: Option<Cursor>,
}

impl TaskFilter {
    /// Every task that is not dismissed, newest first, the first 100.
    #[must_use]
    pub fn new() -> Self {
        Self {
            configuration: None,
            dismissed: Dismissed::Hidden,
            outcomes: Outcomes::ANY,
            order: Order::NewestFirst,
            limit: 100,
            after: None,
        }
    }

    /// Only tasks of this configuration.
    #[must_use]
    pub fn configuration(self, id: ConfigurationId) -> Self {
        Self { configuration: Some(id), ..self }
    }

    /// Whether dismissed tasks are shown.
    #[must_use]
    pub fn dismissed(self, dismissed: Dismissed) -> Self {
        Self { dismissed, ..self }
    }

    /// What may have happened to them.
    #[must_use]
    pub fn outcomes(self, outcomes: Outcomes) -> Self {
        Self { outcomes, ..self }
    }

    /// Newest or oldest first.
    #[must_use]
    pub fn order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// The most rows of a page.
    #[must_use]
    pub fn limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }

    /// The page that begins where another ended.
    #[must_use]
    pub fn after(self, cursor: Cursor) -> Self {
        Self { after: Some(cursor), ..self }
    }

    /// The id that the page begins behind.
    pub(crate) fn after_id(&self) -> Result<Option<TaskId>> {
        let Some(cursor) = &self.after else { return Ok(None) };
        let id = cursor.as_str().strip_prefix(self.order.cursor_prefix()).and_then(|id| id.parse::<TaskId>().ok());
        // Only what was given out is taken back: "+7" and "007" are no cursors.
        id.filter(|id| self.cursor_behind(*id) == *cursor)
            .map(Some)
            .ok_or_else(|| Error::InvalidCursor { cursor: cursor.to_string() })
    }

    /// The cursor of a page that ends with this task.
    pub(crate) fn cursor_behind(&self, id: TaskId) -> Cursor {
        Cursor::new(format!("{}{id}", self.order.cursor_prefix()))
    }
}

impl Default for TaskFilter {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a list shows dismissed tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dismissed {
    /// Only tasks that are not dismissed. The default.
    #[default]
    Hidden,
    /// Dismissed ones also.
    Included,
    /// Dismissed ones only.
    Only,
}

/// The order of a list. Newest is what started last: the highest id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// What started last comes first. The default.
    #[default]
    NewestFirst,
    /// What started first comes first.
    OldestFirst,
}

impl Order {
    /// A cursor of one order means nothing in the other.
    const fn cursor_prefix(self) -> &'static str {
        match self {
            Self::NewestFirst => "task-newest-",
            Self::OldestFirst => "task-oldest-",
        }
    }
}

/// A set of outcomes, with "none yet" as one of them. Sets are joined with `|`.
///
/// # Example
///
/// ```
/// use taskstore::{Outcome, Outcomes};
///
/// let bad = Outcomes::FAILED | Outcomes::INTERRUPTED;
/// assert!(bad.contains(Some(Outcome::Failed)) && !bad.contains(None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Outcomes(u8);

impl Outcomes {
    /// In progress.
    pub const IN_PROGRESS: Self = Self::bit(None);
    /// Finished.
    pub const FINISHED: Self = Self::bit(Some(Outcome::Finished));
    /// Failed.
    pub const FAILED: Self = Self::bit(Some(Outcome::Failed));
    /// Interrupted.
    pub const INTERRUPTED: Self = Self::bit(Some(Outcome::Interrupted));
    /// Whatever happened. The default of a filter.
    pub const ANY: Self = Self(0b1111);

    const fn bit(outcome: Option<Outcome>) -> Self {
        Self(1 << Outcome::code(outcome))
    }

    /// Whether a task with this outcome is in the set.
    #[must_use]
    pub const fn contains(self, outcome: Option<Outcome>) -> bool {
        self.0 & Self::bit(outcome).0 != 0
    }

    /// The set as the query takes it: bit n stands for the outcome that is stored as n.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }
}

impl BitOr for Outcomes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
