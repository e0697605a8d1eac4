//! A clock that a test moves.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};

/// Stands still until it is told otherwise. A clone is the same clock.
#[derive(Clone, Debug)]
pub(crate) struct ManualClock(Arc<Mutex<DateTime<Utc>>>);

impl ManualClock {
    pub(crate) fn at(time: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(time)))
    }

    pub(crate) fn at_ns(ns: i64) -> Self {
        Self::at(DateTime::from_timestamp_nanos(ns))
    }

    pub(crate) fn set(&self, time: DateTime<Utc>) {
        *self.0.lock().unwrap() = time;
    }

    pub(crate) fn set_ns(&self, ns: i64) {
        self.set(DateTime::from_timestamp_nanos(ns));
    }

    /// Back, if `ns` is negative.
    pub(crate) fn advance_ns(&self, ns: i64) {
        *self.0.lock().unwrap() += TimeDelta::nanoseconds(ns);
    }
}

impl taskstore::Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}
