//! Where the store's times come from.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::{Error, Result};

/// The store's source of time. [`SystemClock`] is the default; a test hands in its own with
/// [`OpenOptions::clock`](crate::OpenOptions::clock).
///
/// # Example
///
/// ```
/// use chrono::{DateTime, Utc};
///
/// /// A clock that stands still.
/// #[derive(Debug)]
/// struct Stopped(DateTime<Utc>);
///
/// impl taskstore::Clock for Stopped {
///     fn now(&self) -> DateTime<Utc> {
///         self.0
///     }
/// }
///
/// let noon = "2026-11-21T12:00:00.000000001Z".parse::<DateTime<Utc>>()?;
/// let store = taskstore::OpenOptions::new().clock(Stopped(noon)).open_in_memory()?;
/// let id = store.start_detached(taskstore::NewTask::new("lunch"))?;
/// assert_eq!(store.task(id)?.started, noon);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Clock: fmt::Debug + Send + Sync {
    /// The wall clock, UTC. It may go back: the store orders by id and by `seq`, never by time.
    fn now(&self) -> DateTime<Utc>;

    /// A clock that never goes back, from any beginning: durations are differences of it. The default is the
    /// machine's.
    fn monotonic(&self) -> Duration {
        static BEGINNING: OnceLock<Instant> = OnceLock::new();
        BEGINNING.get_or_init(Instant::now).elapsed()
    }
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// The nanoseconds that are stored for `time`: from the year 1677 to 2262 in an `i64`.
pub(crate) fn to_ns(field: &'static str, time: DateTime<Utc>) -> Result<i64> {
    time.timestamp_nanos_opt().ok_or(Error::TimeOutOfRange { field, time })
}
