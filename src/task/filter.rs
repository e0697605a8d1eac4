//! Which tasks a list shows.

use std::hash::Hash;
use std::ops::RangeBounds;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Level, Outcomes, TimeRange};
use crate::configuration::ConfigurationId;
use crate::limits::Limits;
use crate::page::Cursor;
use crate::{Error, Result};

/// Which tasks [`TaskStore::list`](crate::TaskStore::list) gives, in which order, and how many.
///
/// The default: every task that is not dismissed, newest first, the first 100. A task is listed if it passes every
/// filter that is set.
///
/// # What a page costs
///
/// A page costs the same wherever it lies, and however many tasks there are, if an index leads to its tasks: it reads
/// past none that it leaves out. The table says which filters have one in the orders by id, newest and oldest first, the
/// first that applies being used; what is left out by the others is read past, at 0.1 to 1 microsecond a task, until the
/// page is full. In the worst case, a filter that nothing passes, that is every task there is: a tenth of a second for a
/// million. `benches/RESULTS.md` has a figure for each.
///
/// | filter | read past |
/// | --- | --- |
/// | [`outcomes`](Self::outcomes): in progress alone, or [`running_longer_than`](Self::running_longer_than) | no others; those in progress are sorted |
/// | [`configuration`](Self::configuration): one | nothing |
/// | [`outcomes`](Self::outcomes): failed, interrupted or in progress, in any combination | nothing; those in progress are sorted |
/// | [`level_reached`](Self::level_reached) | for errors, the tasks with warnings only |
/// | [`dismissed`](Self::dismissed): hidden, included or only | nothing |
/// | [`dismissed_by`](Self::dismissed_by) | what others have dismissed |
/// | [`outcomes`](Self::outcomes) with finished among them | other outcomes |
/// | [`performed_by`](Self::performed_by), [`configuration`](Self::configuration): deleted or none | those of others |
/// | [`started`](Self::started), [`updated`](Self::updated), [`finished`](Self::finished) | those outside |
/// | [`title`](Self::title) | other titles, at 1 to 2 microseconds each |
/// | [`message`](Self::message), [`text`](Self::text) | tasks with all their messages, at 1 to 2 microseconds a message |
///
/// Tasks in progress are few in most stores: where they are sorted, that is done in memory, for each page, and costs some
/// hundred bytes and a microsecond for each of them.
///
/// [`Order::RecentlyUpdated`] has an index of its own, which leads past what [`dismissed`](Self::dismissed) hides; all
/// other filters read past what they leave out. [`Order::LongestRunning`] reads the tasks in progress only.
///
/// # Example
///
/// ```
/// use taskstore::{Dismissed, NewTask, Outcomes, TaskFilter, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// let id = store.start_detached(NewTask::new("Switch over").performed_by("ann"))?;
/// store.fail(id, "no answer from the standby")?;
/// store.dismiss(id, "ben")?;
///
/// // A dismissed failure is still found among the failures.
/// let failures = TaskFilter::new().outcomes(Outcomes::FAILED).dismissed(Dismissed::Included);
/// assert_eq!(store.list(&failures)?.items[0].id, id);
///
/// // Filters combine.
/// let hers = failures.performed_by("ann").text("STANDBY");
/// assert_eq!(store.list(&hers)?.items.len(), 1);
/// assert_eq!(store.list(&hers.dismissed_by("ann"))?.items.len(), 0);
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskFilter {
    /// What the tasks relate to.
    pub configuration: ConfigurationFilter,
    /// What may have happened to them.
    pub outcomes: Outcomes,
    /// Whether dismissed tasks are shown.
    pub dismissed: Dismissed,
    /// Only tasks that this user has dismissed, whatever [`dismissed`](Self::dismissed) says.
    pub dismissed_by: Option<String>,
    /// Only tasks that this user has started. Empty for those of nobody.
    pub performed_by: Option<String>,
    /// Only tasks with this in their title; see [`TaskFilter::text`].
    pub title: Option<String>,
    /// Only tasks with this in a message; see [`TaskFilter::text`].
    pub message: Option<String>,
    /// Only tasks with this in their title or in a message; see [`TaskFilter::text`].
    pub text: Option<String>,
    /// Only tasks that started then.
    pub started: TimeRange,
    /// Only tasks that were last changed then.
    pub updated: TimeRange,
    /// Only tasks that ended then, whatever the outcome.
    pub finished: TimeRange,
    /// Only tasks with a message of this level or a higher one: `warn` or `error`.
    pub level_reached: Option<Level>,
    /// Only tasks in progress that started longer ago than this, by the store's wall clock.
    pub running_longer_than: Option<Duration>,
    /// What comes first.
    pub order: Order,
    /// The most rows of a page: from 1 to [`Limits::page_rows_max`](crate::Limits::page_rows_max).
    pub limit: u32,
    /// The [`next`](crate::Page::next) or [`previous`](crate::Page::previous) of another page of this list.
    pub cursor: Option<Cursor>,
    /// How long a page may look for a [`title`](Self::title), [`message`](Self::message) or [`text`](Self::text): 1 s.
    /// See [`TaskFilter::text`].
    pub search_time_max: Duration,
}

impl TaskFilter {
    /// Every task that is not dismissed, newest first, the first 100.
    #[must_use]
    pub fn new() -> Self {
        Self {
            configuration: ConfigurationFilter::Any,
            outcomes: Outcomes::ANY,
            dismissed: Dismissed::Hidden,
            dismissed_by: None,
            performed_by: None,
            title: None,
            message: None,
            text: None,
            started: TimeRange::ALWAYS,
            updated: TimeRange::ALWAYS,
            finished: TimeRange::ALWAYS,
            level_reached: None,
            running_longer_than: None,
            order: Order::NewestFirst,
            limit: 100,
            cursor: None,
            search_time_max: Duration::from_secs(1),
        }
    }

    /// What the tasks relate to: a [`ConfigurationId`], or a [`ConfigurationFilter`].
    #[must_use]
    pub fn configuration(self, configuration: impl Into<ConfigurationFilter>) -> Self {
        Self { configuration: configuration.into(), ..self }
    }

    /// What may have happened to them.
    #[must_use]
    pub fn outcomes(self, outcomes: Outcomes) -> Self {
        Self { outcomes, ..self }
    }

    /// Whether dismissed tasks are shown.
    #[must_use]
    pub fn dismissed(self, dismissed: Dismissed) -> Self {
        Self { dismissed, ..self }
    }

    /// Only tasks that this user has dismissed, whatever [`dismissed`](Self::dismissed) says.
    #[must_use]
    pub fn dismissed_by(self, user: impl Into<String>) -> Self {
        Self { dismissed_by: Some(user.into()), ..self }
    }

    /// Only tasks that this user has started.
    #[must_use]
    pub fn performed_by(self, user: impl Into<String>) -> Self {
        Self { performed_by: Some(user.into()), ..self }
    }

    /// Only tasks with this in their title, found as [`text`](Self::text) is.
    #[must_use]
    pub fn title(self, part: impl Into<String>) -> Self {
        Self { title: Some(part.into()), ..self }
    }

    /// Only tasks with this in a message, found as [`text`](Self::text) is.
    #[must_use]
    pub fn message(self, part: impl Into<String>) -> Self {
        Self { message: Some(part.into()), ..self }
    }

    /// Only tasks with this in their title or in a message.
    ///
    /// It is found whatever the case, by Unicode's simple case folding (so `ä` finds `Ä`, but not `a` with a combining
    /// diaeresis), and no character in it has another meaning than itself. An empty text is in every title and every
    /// message.
    ///
    /// There is no index for it: task after task is looked through, in the order of the list. So that a page answers in
    /// time, it ends when [`search_time_max`](Self::search_time_max) is over: it may then hold fewer rows than its
    /// limit, or none, and its [`next`](crate::Page::next) goes on with the task behind the last that was looked through.
    /// Whoever follows `next` to the end has seen all. At least one task is looked through for each page, with all its
    /// messages. A full page does not look on for another task, so its `next` may lead to an empty one. What other filters
    /// without an index leave out is read past without a look at the time, as quickly as they do it alone.
    /// [`TaskStore::list_while`](crate::TaskStore::list_while) ends a page from elsewhere.
    #[must_use]
    pub fn text(self, part: impl Into<String>) -> Self {
        Self { text: Some(part.into()), ..self }
    }

    /// Only tasks that started then: any Rust range of times.
    #[must_use]
    pub fn started(self, range: impl RangeBounds<DateTime<Utc>>) -> Self {
        Self { started: TimeRange::of(range), ..self }
    }

    /// Only tasks that were last changed then: any Rust range of times. [`Progress`](crate::Progress) that is not written
    /// yet does not count.
    #[must_use]
    pub fn updated(self, range: impl RangeBounds<DateTime<Utc>>) -> Self {
        Self { updated: TimeRange::of(range), ..self }
    }

    /// Only tasks that ended then, whatever the outcome: any Rust range of times.
    #[must_use]
    pub fn finished(self, range: impl RangeBounds<DateTime<Utc>>) -> Self {
        Self { finished: TimeRange::of(range), ..self }
    }

    /// Only tasks with a message of this level or a higher one: [`Level::Warn`] or [`Level::Error`]. Lists refuse a lower
    /// one, which is not kept track of.
    #[must_use]
    pub fn level_reached(self, level: Level) -> Self {
        Self { level_reached: Some(level), ..self }
    }

    /// Only tasks in progress that started longer ago than this.
    #[must_use]
    pub fn running_longer_than(self, duration: Duration) -> Self {
        Self { running_longer_than: Some(duration), ..self }
    }

    /// What comes first.
    #[must_use]
    pub fn order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// The most rows of a page.
    #[must_use]
    pub fn limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }

    /// The page that a cursor leads to: the next one, or the one before.
    #[must_use]
    pub fn cursor(self, cursor: Cursor) -> Self {
        Self { cursor: Some(cursor), ..self }
    }

    /// How long a page may look for a text.
    #[must_use]
    pub fn search_time_max(self, time: Duration) -> Self {
        Self { search_time_max: time, ..self }
    }

    /// Whether it looks for a text.
    pub(crate) fn is_search(&self) -> bool {
        self.title.is_some() || self.message.is_some() || self.text.is_some()
    }

    /// Which dismissed tasks are shown, all told.
    pub(crate) fn shown(&self) -> Dismissed {
        if self.dismissed_by.is_some() { Dismissed::Only } else { self.dismissed }
    }

    /// What makes it another list: all but the page.
    pub(crate) fn list(&self) -> impl Hash + '_ {
        let Self { configuration, outcomes, dismissed_by, performed_by, title, message, text, .. } = self;
        let Self { started, updated, finished, level_reached, running_longer_than, order, .. } = self;
        let texts = (dismissed_by, performed_by, title, message, text);
        let times = (started, updated, finished, running_longer_than);
        (configuration, outcomes, self.shown(), texts, times, level_reached, order)
    }

    /// Refuses what no list is asked for.
    pub(crate) fn check(&self, limits: &Limits) -> Result<()> {
        let name = |field, name: &Option<String>| name.as_ref().map_or(Ok(()), |name| limits.check_name(field, name));
        name("dismissed_by", &self.dismissed_by)?;
        name("performed_by", &self.performed_by)?;
        for (field, text) in [("title", &self.title), ("message", &self.message), ("text", &self.text)] {
            text.as_ref().map_or(Ok(()), |text| limits.check_text(field, text))?;
        }
        match self.level_reached {
            None | Some(Level::Warn | Level::Error) => Ok(()),
            Some(_) => Err(Error::Invalid { field: "level_reached", problem: "must be warn or error" }),
        }
    }
}

impl Default for TaskFilter {
    fn default() -> Self {
        Self::new()
    }
}

/// What the tasks of a list relate to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ConfigurationFilter {
    /// Anything, or nothing. The default.
    #[default]
    Any,
    /// This configuration. If it was deleted it has no tasks any more.
    One(ConfigurationId),
    /// One that was deleted since.
    Deleted,
    /// Nothing.
    None,
}

impl From<ConfigurationId> for ConfigurationFilter {
    fn from(id: ConfigurationId) -> Self {
        Self::One(id)
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
///
/// A walk through the pages of an order by id meets every task exactly once that passes the filter from its beginning to
/// its end, whatever is written meanwhile. In the other orders that holds for tasks whose time does not change meanwhile;
/// one that is updated may be met twice or not at all, and each page is exact at its instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// What started last comes first. The default.
    #[default]
    NewestFirst,
    /// What started first comes first.
    OldestFirst,
    /// What was changed last comes first: by a message, progress, its end, a dismissal or a restore. Of those changed at
    /// the same instant, the newer one.
    ///
    /// Tasks in progress, whose time changes often, are in no index of times: they are sorted for each page, so that a
    /// message costs nothing more. [`Progress`](crate::Progress) that is not written yet does not count.
    RecentlyUpdated,
    /// Tasks in progress only, what started first, by its time, first.
    LongestRunning,
}

impl Order {
    /// Whether the keys rise from the first row to the last.
    pub(crate) const fn rises(self) -> bool {
        match self {
            Self::NewestFirst | Self::RecentlyUpdated => false,
            Self::OldestFirst | Self::LongestRunning => true,
        }
    }
}
