//! A clock that a test moves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Stands still until it is told otherwise. A clone is the same clock.
#[derive(Clone, Debug)]
pub(crate) struct ManualClock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    wall: DateTime<Utc>,
    monotonic: Duration,
}

impl ManualClock {
    pub(crate) fn at(time: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(Hands { wall: time, monotonic: Duration::ZERO })))
    }

    pub(crate) fn at_ns(ns: i64) -> Self {
        Self::at(DateTime::from_timestamp_nanos(ns))
    }

    /// Sets the wall clock alone: for the monotonic one no time passes.
    pub(crate) fn set(&self, time: DateTime<Utc>) {
        self.0.lock().unwrap().wall = time;
    }

    pub(crate) fn set_ns(&self, ns: i64) {
        self.set(DateTime::from_timestamp_nanos(ns));
    }

    /// Time passes; or, if `ns` is negative, the wall clock alone goes back.
    pub(crate) fn advance_ns(&self, ns: i64) {
        let mut hands = self.0.lock().unwrap();
        hands.wall += TimeDelta::nanoseconds(ns);
        hands.monotonic += Duration::from_nanos(u64::try_from(ns).unwrap_or(0));
    }
}

impl taskstore::Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.lock().unwrap().wall
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().monotonic
    }
}
