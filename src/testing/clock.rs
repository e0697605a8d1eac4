//! A clock that a test moves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::Clock;

/// A [`Clock`] that stands still until it is told otherwise. A clone is the same clock, so a test keeps one and gives the other
/// to the store.
///
/// It has two hands, as every clock: the wall clock, and the monotonic one, which durations of runs are measured by. Time that
/// [passes](Self::advance) moves both; the wall clock alone can be [set](Self::set), as people and servers do.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use taskstore::testing::ManualClock;
/// use taskstore::{NewTask, OpenOptions};
///
/// let clock = ManualClock::at("2026-11-21T12:00:00Z".parse()?);
/// let store = OpenOptions::new().clock(clock.clone()).open_in_memory()?;
/// let id = store.start_detached(NewTask::new("Lunch"))?;
/// clock.advance(Duration::from_secs(45 * 60));
/// store.finish(id)?;
/// assert_eq!(store.task(id)?.finished, Some("2026-11-21T12:45:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    wall: DateTime<Utc>,
    monotonic: Duration,
}

impl ManualClock {
    /// A clock at which it is then.
    #[must_use]
    pub fn at(time: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(Hands { wall: time, monotonic: Duration::ZERO })))
    }

    /// Sets the wall clock alone, forward or back: for the monotonic one no time passes.
    pub fn set(&self, time: DateTime<Utc>) {
        self.hands().wall = time;
    }

    /// So much time passes, on both clocks. Beyond the last time that there is, the year 262142, the wall clock stands still.
    pub fn advance(&self, time: Duration) {
        let mut hands = self.hands();
        hands.wall =
            delta(time).and_then(|delta| hands.wall.checked_add_signed(delta)).unwrap_or(DateTime::<Utc>::MAX_UTC);
        hands.monotonic = hands.monotonic.saturating_add(time);
    }

    /// Sets the wall clock alone back by so much, as after a correction.
    pub fn go_back(&self, time: Duration) {
        let mut hands = self.hands();
        hands.wall =
            delta(time).and_then(|delta| hands.wall.checked_sub_signed(delta)).unwrap_or(DateTime::<Utc>::MIN_UTC);
    }

    /// Nothing can panic while this is locked.
    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.hands().wall
    }

    fn monotonic(&self) -> Duration {
        self.hands().monotonic
    }
}

fn delta(time: Duration) -> Option<TimeDelta> {
    TimeDelta::from_std(time).ok()
}
