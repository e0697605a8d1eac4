//! Stores in which nothing is left to chance.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use super::ManualClock;
use crate::{Durability, OpenOptions};

/// Uuids that count from 1, for [`OpenOptions::uuids`]: 00000000-0000-0000-0000-000000000001 and on. All other ids count from 1
/// in every new store.
///
/// # Example
///
/// ```
/// use taskstore::{OpenOptions, testing};
///
/// let store = OpenOptions::new().uuids(testing::sequential_uuids()).open_temporary()?;
/// let run = store.system_tasks().start("fetch_mail", None)?;
/// assert_eq!(run.uuid().to_string(), "00000000-0000-0000-0000-000000000001");
/// # Ok::<(), taskstore::Error>(())
/// ```
pub fn sequential_uuids() -> impl Fn() -> Uuid + Send + Sync + 'static {
    let next = AtomicU64::new(1);
    move || Uuid::from_u128(next.fetch_add(1, Ordering::Relaxed).into())
}

/// Options of a store that a test can tell beforehand: its times come from this clock, its uuids [count](sequential_uuids), and
/// it does not wait for the disk ([`Durability::Normal`]).
///
/// # Example
///
/// ```
/// use taskstore::testing::{ManualClock, options};
///
/// let clock = ManualClock::at("2026-11-21T12:00:00Z".parse()?);
/// let store = options(&clock).open_temporary()?;
/// assert_eq!(store.counts(None)?.in_progress, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn options(clock: &ManualClock) -> OpenOptions {
    OpenOptions::new().durability(Durability::Normal).clock(clock.clone()).uuids(sequential_uuids())
}
