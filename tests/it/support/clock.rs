//! The clock of the tests, in nanoseconds, as the store keeps its times.

use std::time::Duration;

use chrono::DateTime;
use taskstore::testing::ManualClock;

/// The verbs of a clock for times in nanoseconds.
pub(crate) trait Nanoseconds {
    fn at_ns(ns: i64) -> Self;

    /// Sets the wall clock alone: for the monotonic one no time passes.
    fn set_ns(&self, ns: i64);

    /// Time passes; or, if `ns` is negative, the wall clock alone goes back.
    fn advance_ns(&self, ns: i64);
}

impl Nanoseconds for ManualClock {
    fn at_ns(ns: i64) -> Self {
        Self::at(DateTime::from_timestamp_nanos(ns))
    }

    fn set_ns(&self, ns: i64) {
        self.set(DateTime::from_timestamp_nanos(ns));
    }

    fn advance_ns(&self, ns: i64) {
        let time = Duration::from_nanos(ns.unsigned_abs());
        if ns < 0 { self.go_back(time) } else { self.advance(time) }
    }
}
