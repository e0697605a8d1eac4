//! Which indexes lead to the tasks of a filter.

use crate::task::{ConfigurationFilter, Dismissed, Order, Outcome, Outcomes, TaskFilter};

/// Where tasks are found: an index and what all its tasks have in common. A list is the merge of one or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) index: &'static str,
    pub(super) condition: &'static str,
}

impl Source {
    const fn new(index: &'static str, condition: &'static str) -> Self {
        Self { index, condition }
    }

    /// In the order of their ids, which is the table's own.
    const ALL: Self = Self::new("NOT INDEXED", "true");
    const VISIBLE: Self = Self::new("INDEXED BY task_listed", "t.dismissed = 0");
    const DISMISSED: Self = Self::new("INDEXED BY task_listed", "t.dismissed = 1");
    const VISIBLE_OF: Self =
        Self::new("INDEXED BY task_of_configuration", "t.configuration_id = :configuration AND t.dismissed = 0");
    const DISMISSED_OF: Self =
        Self::new("INDEXED BY task_of_configuration", "t.configuration_id = :configuration AND t.dismissed = 1");
    pub(super) const IN_PROGRESS: Self = Self::new("INDEXED BY task_in_progress", "t.outcome IS NULL");
    // The index knows only from its own words that it serves.
    const VISIBLE_FAILED: Self =
        Self::new("INDEXED BY task_unsuccessful", "t.outcome > 1 AND t.outcome = 2 AND t.dismissed = 0");
    const DISMISSED_FAILED: Self =
        Self::new("INDEXED BY task_unsuccessful", "t.outcome > 1 AND t.outcome = 2 AND t.dismissed = 1");
    const VISIBLE_INTERRUPTED: Self =
        Self::new("INDEXED BY task_unsuccessful", "t.outcome > 1 AND t.outcome = 3 AND t.dismissed = 0");
    const DISMISSED_INTERRUPTED: Self =
        Self::new("INDEXED BY task_unsuccessful", "t.outcome > 1 AND t.outcome = 3 AND t.dismissed = 1");
    const VISIBLE_WITH_WARNINGS: Self =
        Self::new("INDEXED BY task_with_warnings", "t.level_reached IS NOT NULL AND t.dismissed = 0");
    const DISMISSED_WITH_WARNINGS: Self =
        Self::new("INDEXED BY task_with_warnings", "t.level_reached IS NOT NULL AND t.dismissed = 1");
    const VISIBLE_ENDED: Self = Self::new("INDEXED BY task_ended", "t.outcome IS NOT NULL AND t.dismissed = 0");
    const DISMISSED_ENDED: Self = Self::new("INDEXED BY task_ended", "t.outcome IS NOT NULL AND t.dismissed = 1");
}

/// How the tasks of a filter are found, and which of its parts that tells already.
pub(super) struct Access {
    pub(super) sources: Vec<Source>,
    pub(super) tells_outcomes: bool,
    pub(super) tells_configuration: bool,
}

impl Access {
    pub(super) fn of(filter: &TaskFilter) -> Self {
        const RARE: Outcomes = Outcomes::FAILED.or(Outcomes::INTERRUPTED).or(Outcomes::IN_PROGRESS);

        let shown = filter.shown();
        let of_shown = |visible, dismissed| match shown {
            Dismissed::Hidden => vec![visible],
            Dismissed::Included => vec![visible, dismissed],
            Dismissed::Only => vec![dismissed],
        };
        // Tasks in progress are never dismissed.
        let in_progress = filter.outcomes.contains(None) && shown != Dismissed::Only;
        let in_progress = || if in_progress { vec![Source::IN_PROGRESS] } else { Vec::new() };
        let by = |sources| Self { sources, tells_outcomes: false, tells_configuration: false };

        if filter.order == Order::LongestRunning || filter.running_longer_than.is_some() {
            return Self { tells_outcomes: true, ..by(in_progress()) };
        }
        if filter.outcomes.are_within(Outcomes::IN_PROGRESS) {
            return Self { tells_outcomes: true, ..by(in_progress()) };
        }
        if filter.order == Order::RecentlyUpdated {
            return by([of_shown(Source::VISIBLE_ENDED, Source::DISMISSED_ENDED), in_progress()].concat());
        }
        if let ConfigurationFilter::One(_) = filter.configuration {
            let sources = of_shown(Source::VISIBLE_OF, Source::DISMISSED_OF);
            return Self { tells_configuration: true, ..by(sources) };
        }
        if filter.outcomes.are_within(RARE) {
            let mut sources = in_progress();
            if filter.outcomes.contains(Some(Outcome::Failed)) {
                sources.extend(of_shown(Source::VISIBLE_FAILED, Source::DISMISSED_FAILED));
            }
            if filter.outcomes.contains(Some(Outcome::Interrupted)) {
                sources.extend(of_shown(Source::VISIBLE_INTERRUPTED, Source::DISMISSED_INTERRUPTED));
            }
            return Self { tells_outcomes: true, ..by(sources) };
        }
        if filter.level_reached.is_some() {
            return by(of_shown(Source::VISIBLE_WITH_WARNINGS, Source::DISMISSED_WITH_WARNINGS));
        }
        by(match shown {
            Dismissed::Hidden => vec![Source::VISIBLE],
            Dismissed::Included => vec![Source::ALL],
            Dismissed::Only => vec![Source::DISMISSED],
        })
    }
}
