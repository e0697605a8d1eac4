//! The year in which the tasks come.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use taskstore::Clock;

/// A clock that shows what it was set to.
#[derive(Clone, Debug, Default)]
pub struct Hand(Arc<AtomicI64>);

impl Hand {
    pub fn set(&self, ns: i64) {
        self.0.store(ns, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// 2025-01-01T00:00:00Z, and a year.
pub const BEGINNING_NS: i64 = 1_735_689_600_000_000_000;
const DAY_NS: i64 = 86_400 * 1_000_000_000;
pub const YEAR_NS: i64 = 365 * DAY_NS;
/// A day of the year, from 0 on.
pub fn day(number: i64) -> Range<DateTime<Utc>> {
    let begins = |day| DateTime::from_timestamp_nanos(BEGINNING_NS + day * DAY_NS);
    begins(number)..begins(number + 1)
}
