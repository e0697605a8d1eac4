//! Filters, as the model understands them, and how they are drawn.

use std::ops::{Bound, RangeBounds};
use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use taskstore::{ConfigurationFilter, Dismissed, Level, Order, Outcome, Outcomes, TaskFilter};

use super::model::{CONFIGURATIONS, Model, time};
use super::world::{TEXTS, USERS, configuration};

/// What the tasks of a list are to be: the members of a [`TaskFilter`] in plain words.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) configuration: Related,
    pub(crate) outcomes: Vec<Option<Outcome>>,
    /// Whether a task may be dismissed: not, or so, or both.
    pub(crate) dismissed: Vec<bool>,
    pub(crate) dismissed_by: Option<&'static str>,
    pub(crate) performed_by: Option<&'static str>,
    pub(crate) title: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) started: Range,
    pub(crate) updated: Range,
    pub(crate) finished: Range,
    pub(crate) level_reached: Option<Level>,
    pub(crate) running_longer_than: Option<Duration>,
    pub(crate) order: Order,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Related {
    Any,
    One(usize),
    Deleted,
    None,
}

impl Related {
    pub(crate) fn takes(self, found: Option<usize>, deleted: &[bool]) -> bool {
        match self {
            Self::Any => true,
            Self::One(number) => found == Some(number) && !deleted[number],
            Self::Deleted => found.is_some_and(|number| deleted[number]),
            Self::None => found.is_none(),
        }
    }
}

/// A range of Rust. `None` asks nothing, also of what has no time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range(pub(crate) Option<Bounds>);

pub(crate) type Bounds = (Bound<DateTime<Utc>>, Bound<DateTime<Utc>>);

impl Range {
    pub(crate) fn contains(&self, found: Option<i64>) -> bool {
        self.0.is_none_or(|bounds| found.is_some_and(|found| bounds.contains(&time(found))))
    }
}

impl Asked {
    /// All there is.
    pub(crate) fn everything() -> Self {
        Self {
            configuration: Related::Any,
            outcomes: OUTCOMES.map(|(outcome, _)| outcome).into(),
            dismissed: vec![false, true],
            dismissed_by: None,
            performed_by: None,
            title: None,
            message: None,
            text: None,
            started: Range(None),
            updated: Range(None),
            finished: Range(None),
            level_reached: None,
            running_longer_than: None,
            order: Order::NewestFirst,
        }
    }

    pub(crate) fn in_order(&self, order: Order) -> Self {
        Self { order, ..self.clone() }
    }

    pub(crate) fn looks_for_text(&self) -> bool {
        self.title.is_some() || self.message.is_some() || self.text.is_some()
    }

    /// The filter, whose pages are as long as they may be.
    pub(crate) fn filter(&self) -> TaskFilter {
        let mut filter = TaskFilter::new().order(self.order).limit(1_000);
        filter.configuration = match self.configuration {
            Related::Any => ConfigurationFilter::Any,
            Related::One(number) => configuration(number).into(),
            Related::Deleted => ConfigurationFilter::Deleted,
            Related::None => ConfigurationFilter::None,
        };
        let outcomes = OUTCOMES.iter().filter(|(outcome, _)| self.outcomes.contains(outcome));
        filter.outcomes = outcomes.map(|(_, set)| *set).reduce(|one, other| one | other).unwrap();
        filter.dismissed = match self.dismissed[..] {
            [false] => Dismissed::Hidden,
            [true] => Dismissed::Only,
            _ => Dismissed::Included,
        };
        filter.dismissed_by = self.dismissed_by.map(str::to_owned);
        filter.performed_by = self.performed_by.map(str::to_owned);
        filter.title.clone_from(&self.title);
        filter.message.clone_from(&self.message);
        filter.text.clone_from(&self.text);
        filter = self.started.0.into_iter().fold(filter, TaskFilter::started);
        filter = self.updated.0.into_iter().fold(filter, TaskFilter::updated);
        filter = self.finished.0.into_iter().fold(filter, TaskFilter::finished);
        filter.level_reached = self.level_reached;
        filter.running_longer_than = self.running_longer_than;
        filter
    }
}

pub(crate) const OUTCOMES: [(Option<Outcome>, Outcomes); 4] = [
    (None, Outcomes::IN_PROGRESS),
    (Some(Outcome::Finished), Outcomes::FINISHED),
    (Some(Outcome::Failed), Outcomes::FAILED),
    (Some(Outcome::Interrupted), Outcomes::INTERRUPTED),
];

/// A filter but for its times, which are chosen among those of the tasks there are.
#[derive(Clone, Debug)]
pub(crate) struct Sketch {
    asked: Asked,
    ranges: [Option<[End; 2]>; 3],
    /// Running longer than one of these, or than no time, or than for ever.
    running: Option<(u8, Chosen)>,
}

/// A time of some task, and how far beside it.
type Chosen = (Index, i64);

/// One end of a range: 0 none, 1 included, 2 excluded, 3 the first or the last time there is, included or not.
type End = (u8, Chosen);

impl Sketch {
    pub(crate) fn on(&self, model: &Model) -> Asked {
        let times = model.rows.iter().flat_map(|row| [Some(row.started), Some(row.updated), row.finished]);
        let times: Vec<i64> = times.flatten().chain([model.now]).collect();
        let chosen = |(index, beside): &Chosen| times[index.index(times.len())].saturating_add(*beside);
        let end = |(kind, at): &End, extreme| match kind {
            0 => Bound::Unbounded,
            1 => Bound::Included(time(chosen(at))),
            2 => Bound::Excluded(time(chosen(at))),
            _ if at.1 == 0 => Bound::Included(extreme),
            _ => Bound::Excluded(extreme),
        };
        let range = |ends: &Option<[End; 2]>| {
            // An end of each kind that leaves all times in, and the other way round, none.
            let extremes = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC];
            let ends = ends.map(|[start, behind]| {
                let flip = usize::from(start.1.1 > 0);
                (end(&start, extremes[flip]), end(&behind, extremes[1 - flip]))
            });
            Range(ends.filter(|ends| *ends != (Bound::Unbounded, Bound::Unbounded)))
        };
        let longer = |(kind, than): &(u8, Chosen)| match kind {
            0 => Duration::ZERO,
            1 => Duration::MAX,
            _ => Duration::from_nanos(model.now.saturating_sub(chosen(than)).max(0).unsigned_abs()),
        };
        Asked {
            started: range(&self.ranges[0]),
            updated: range(&self.ranges[1]),
            finished: range(&self.ranges[2]),
            running_longer_than: self.running.as_ref().map(longer),
            ..self.asked.clone()
        }
    }
}

fn needle() -> impl Strategy<Value = Option<String>> {
    let needle = prop::collection::vec(select(TEXTS), 0..3).prop_map(|atoms| atoms.concat());
    prop::option::weighted(0.08, needle)
}

fn who_and_what() -> impl Strategy<Value = Asked> {
    let configuration = prop_oneof![
        12 => Just(Related::Any),
        3 => (0..CONFIGURATIONS).prop_map(Related::One),
        1 => Just(Related::Deleted),
        1 => Just(Related::None),
    ];
    let outcomes = prop_oneof![
        3 => Just(OUTCOMES.to_vec()),
        2 => subsequence(OUTCOMES.to_vec(), 1..=4),
    ];
    let dismissed = prop_oneof![4 => Just(vec![false, true]), 2 => Just(vec![false]), 1 => Just(vec![true])];
    let user = |weight| prop::option::weighted(weight, select(USERS));
    let level = prop::option::weighted(0.08, select(&[Level::Warn, Level::Error][..]));
    let order = select(&super::model::ORDERS[..]);
    let people = (user(0.08), user(0.08));
    (configuration, outcomes, dismissed, people, (needle(), needle(), needle()), level, order).prop_map(
        |(configuration, outcomes, dismissed, (dismissed_by, performed_by), (title, message, text), level, order)| {
            let outcomes = outcomes.into_iter().map(|(outcome, _)| outcome).collect();
            let asked = Asked { configuration, outcomes, dismissed, dismissed_by, performed_by, ..Asked::everything() };
            Asked { title, message, text, level_reached: level, order, ..asked }
        },
    )
}

/// Filters of all parts in any combination.
pub(crate) fn sketches() -> impl Strategy<Value = Sketch> {
    let chosen = || (any::<Index>(), -1..=1_i64);
    let end = move || (prop_oneof![3 => Just(0_u8), 4 => Just(1), 4 => Just(2), 1 => Just(3)], chosen());
    let range = move || prop::option::weighted(0.1, [end(), end()]);
    let running = prop::option::weighted(0.05, (0..8_u8, chosen()));
    (who_and_what(), [range(), range(), range()], running).prop_map(|(asked, ranges, running)| Sketch {
        asked,
        ranges,
        running,
    })
}
