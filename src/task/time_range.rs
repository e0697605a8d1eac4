//! From when to when.

use std::ops::{Bound, RangeBounds};

use chrono::{DateTime, TimeDelta, Utc};

/// From when to when. Any Rust range of times becomes one: `from..until`, `from..`, `..=last`.
///
/// # Example
///
/// ```
/// use chrono::{TimeDelta, Utc};
/// use taskstore::TimeRange;
///
/// let today = Utc::now();
/// let last_day = TimeRange::of(today - TimeDelta::days(1)..today);
/// assert!(!last_day.contains(today));
/// assert!(TimeRange::ALWAYS.contains(today));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TimeRange {
    /// The first instant; `None` for no bound.
    pub from: Option<DateTime<Utc>>,
    /// The first instant behind the range; `None` for no bound.
    pub until: Option<DateTime<Utc>>,
}

impl TimeRange {
    /// Any time.
    pub const ALWAYS: Self = Self { from: None, until: None };

    const NEVER: Self = Self { from: Some(DateTime::<Utc>::MAX_UTC), until: Some(DateTime::<Utc>::MAX_UTC) };

    /// The range of a Rust range. Times are kept to the nanosecond: the bound behind `..=last` is one later.
    #[must_use]
    pub fn of(range: impl RangeBounds<DateTime<Utc>>) -> Self {
        // Behind the last time there is comes none.
        let behind = |time: &DateTime<Utc>| time.checked_add_signed(TimeDelta::nanoseconds(1));
        let from = match range.start_bound() {
            Bound::Included(first) => Some(*first),
            Bound::Excluded(before) => match behind(before) {
                None => return Self::NEVER,
                from => from,
            },
            Bound::Unbounded => None,
        };
        match range.end_bound() {
            Bound::Included(last) => match behind(last) {
                None => Self { from: from.or(Some(DateTime::<Utc>::MIN_UTC)), until: None },
                until => Self { from, until },
            },
            Bound::Excluded(until) => Self { from, until: Some(*until) },
            Bound::Unbounded => Self { from, until: None },
        }
    }

    /// Whether the time lies in it.
    #[must_use]
    pub fn contains(&self, time: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time < until)
    }

    /// Whether no time that can be stored is in it.
    pub(crate) fn is_empty(self) -> bool {
        let (first_ns, last_ns) = self.bounds_ns();
        first_ns > last_ns
    }

    /// The first and the last nanosecond of it; of an empty one the last is before the first.
    pub(crate) fn bounds_ns(self) -> (i64, i64) {
        const NONE: (i64, i64) = (i64::MAX, i64::MIN);
        // A bound that cannot be stored is one that every stored time keeps, or none does.
        let is_past = |time: DateTime<Utc>| time < DateTime::UNIX_EPOCH;
        let from_ns = match self.from.map(|from| (from, from.timestamp_nanos_opt())) {
            None => i64::MIN,
            Some((_, Some(ns))) => ns,
            Some((from, None)) if is_past(from) => i64::MIN,
            Some((_, None)) => return NONE,
        };
        let last_ns = match self.until.map(|until| (until, until.timestamp_nanos_opt())) {
            None => Some(i64::MAX),
            Some((_, Some(ns))) => ns.checked_sub(1),
            Some((until, None)) => (!is_past(until)).then_some(i64::MAX),
        };
        last_ns.map_or(NONE, |last_ns| (from_ns, last_ns))
    }
}
