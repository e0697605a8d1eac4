//! How a store shares its file with other processes that write.
//!
//! SQLite's busy handler sleeps up to 100 ms between two tries, while a process that writes without a pause leaves the
//! file free for some microseconds at a time: others may get nothing for seconds. So the wait is our own, in two parts.
//! Who waits tries every few hundred microseconds. Who has written for a while leaves the file alone for longer than that:
//! everyone who waits has tried by then. Benchmark `processes` shows what that gives.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::error::during;
use super::transaction::Transaction;
use crate::{Error, Result};

/// The least time between two tries, which cost about 10 us each.
const RETRY_US_MIN: u64 = 100;
/// The longest. In between it is random, so that those who wait do not try in step.
const RETRY_US_MAX: u64 = 500;

/// How long the file is left to others: the longest time between two tries, and what the system adds to a sleep.
const GAP: Duration = Duration::from_micros(600);

/// How long a store writes between two gaps if it met another writer: some transactions on a fast disk, since each change
/// of the writer makes the next one read its pages again; one on a slow disk.
const SLICE: Duration = Duration::from_millis(5);

/// The same for a store that met none. Who waits cannot be seen, so there is a gap all the same; it costs a quarter
/// of a per cent.
const SLICE_ALONE: Duration = Duration::from_millis(250);

/// Belongs to one store.
#[derive(Debug)]
pub(super) struct Sharing {
    /// For all statements but the one that begins.
    busy_timeout: Duration,
    /// Of this process.
    process_id: u32,
    slice: Mutex<Slice>,
}

impl Sharing {
    pub(super) fn new(busy_timeout: Duration) -> Self {
        Self { busy_timeout, process_id: std::process::id(), slice: Mutex::default() }
    }

    /// Begins a transaction that writes, waiting until `deadline` for other processes. It tries at least once.
    pub(super) fn begin<'a>(&self, connection: &'a Connection, deadline: Instant) -> Result<Transaction<'a>> {
        connection.busy_timeout(Duration::ZERO).map_err(during("set up a connection"))?;
        let transaction = self.wait_to_begin(connection, deadline);
        connection.busy_timeout(self.busy_timeout).map_err(during("set up a connection"))?;
        transaction
    }

    fn wait_to_begin<'a>(&self, connection: &'a Connection, deadline: Instant) -> Result<Transaction<'a>> {
        let mut now = Instant::now();
        let gap = self.slice().gap(now);
        if !gap.is_zero() && sleep(gap, deadline) {
            now = Instant::now();
        }
        let mut waited = false;
        loop {
            match Transaction::immediate(connection, self.process_id) {
                Err(Error::Busy { .. }) if sleep(between_tries(), deadline) => {
                    waited = true;
                    now = Instant::now();
                }
                Ok(transaction) => {
                    self.slice().begin(now, waited);
                    return Ok(transaction);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether this process was forked from the one that begins transactions here.
    pub(super) fn is_forked(&self) -> bool {
        std::process::id() != self.process_id
    }

    /// Others may write now.
    pub(super) fn end(&self) {
        self.slice().ended = Some(Instant::now());
    }

    fn slice(&self) -> MutexGuard<'_, Slice> {
        self.slice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time in which a store writes without leaving the file to others.
#[derive(Debug, Default)]
struct Slice {
    /// When it began, unless the next transaction begins one.
    began: Option<Instant>,
    /// When the last transaction ended.
    ended: Option<Instant>,
    /// Whether it began with a wait for another writer.
    contended: bool,
}

impl Slice {
    /// How long to leave the file to others before the next transaction.
    fn gap(&mut self, now: Instant) -> Duration {
        let Some((began, ended)) = self.began.zip(self.ended) else { return Duration::ZERO };
        let owed = GAP.saturating_sub(now.saturating_duration_since(ended));
        let slice = if self.contended { SLICE } else { SLICE_ALONE };
        if !owed.is_zero() && now.saturating_duration_since(began) < slice {
            return Duration::ZERO;
        }
        self.began = None;
        owed
    }

    fn begin(&mut self, now: Instant, waited: bool) {
        if waited || self.began.is_none() {
            (self.began, self.contended) = (Some(now), waited);
        }
    }
}

fn between_tries() -> Duration {
    // A hasher with keys of its own each time is the one source of chance in the standard library.
    let random = RandomState::new().hash_one(());
    Duration::from_micros(RETRY_US_MIN + random % (RETRY_US_MAX - RETRY_US_MIN))
}

/// Sleeps, but not past `deadline`; `false` if that has passed.
fn sleep(duration: Duration, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    thread::sleep(duration.min(left));
    !left.is_zero()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRANSACTION: Duration = Duration::from_micros(100);

    /// Writes without a pause for this long, and gives the gap before the next transaction.
    fn gap_after(slice: &mut Slice, start: Instant, length: Duration) -> Duration {
        let mut now = start;
        while now < start + length {
            assert_eq!(slice.gap(now), Duration::ZERO, "{:?}", now - start);
            slice.begin(now, false);
            now += TRANSACTION;
            slice.ended = Some(now);
        }
        slice.gap(now)
    }

    #[test]
    fn a_store_that_met_no_other_leaves_a_gap_once_in_a_long_while() {
        let (mut slice, start) = (Slice::default(), Instant::now());
        assert_eq!(gap_after(&mut slice, start, SLICE_ALONE), GAP);
        assert_eq!(gap_after(&mut slice, start + SLICE_ALONE + GAP, SLICE_ALONE), GAP);
    }

    #[test]
    fn a_store_that_waited_leaves_one_soon_and_if_nobody_came_then_in_a_long_while() {
        let (mut slice, start) = (Slice::default(), Instant::now());
        slice.begin(start, true);
        assert_eq!(gap_after(&mut slice, start, SLICE), GAP);
        assert_eq!(gap_after(&mut slice, start + SLICE + GAP, SLICE_ALONE), GAP);
    }

    #[test]
    fn a_store_that_was_idle_has_left_its_gap() {
        let (mut slice, start) = (Slice::default(), Instant::now());
        slice.begin(start, true);
        slice.ended = Some(start + SLICE);
        assert_eq!(slice.gap(start + SLICE + GAP / 3), GAP - GAP / 3);
        slice.begin(start + SLICE + GAP, true);
        slice.ended = Some(start + SLICE * 2);
        assert_eq!(slice.gap(start + SLICE * 2 + GAP), Duration::ZERO);
    }

    #[test]
    fn the_times_between_tries_differ_and_are_shorter_than_the_gap() {
        let times: Vec<_> = (0..1_000).map(|_| between_tries()).collect();
        let limits = Duration::from_micros(RETRY_US_MIN)..GAP;
        assert!(times.iter().all(|time| limits.contains(time)), "{times:?}");
        assert!(times.iter().any(|time| *time != times[0]));
    }
}
