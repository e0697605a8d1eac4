//! Who waits for a commit, and how one is noticed.
//!
//! In a file SQLite tells: a connection's `data_version` is another one as soon as another connection has committed, in
//! whichever process. So one connection of the store does nothing but ask for it, and whoever waits looks every
//! [`LOOK_EVERY`]. That alone would be right. The store's own commits wake those who wait, so that they look at once.
//!
//! A notice cannot be lost between a look and the sleep behind it: the number of notices is read before the look, and is
//! compared, under its lock, before the sleep. Nor can a commit pass by a waiter that has just come: that one counts itself
//! before it looks, and the committer asks for the count behind its commit. Both have a fence in between, so that one of the
//! two sees the other: the committer the waiter, or the waiter's look the commit.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::error::during;
use crate::Result;

/// How often a waiter looks for the commits of other processes: often enough for "within 50 ms" on a machine that is busy.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Belongs to one store.
#[derive(Debug)]
pub(super) struct Changes {
    seen: Seen,
    /// How often one who waits looks without being woken.
    look_every: Duration,
    /// How many wait.
    waiters: AtomicUsize,
    /// Raised under its lock to wake all who wait.
    notices: Mutex<u64>,
    noticed: Condvar,
}

/// How a change is seen.
#[derive(Debug)]
enum Seen {
    ByLooking(Mutex<Watch>),
    /// In memory the one connection's `data_version` does not tell of its own commits, so they are counted.
    ByCounting(AtomicU64),
    /// The file is immutable.
    Never,
}

/// Locked while somebody looks.
#[derive(Debug, Default)]
struct Watch {
    /// The connection that looks, and the `data_version` that it saw last. `None` until somebody asks, after a failure, and
    /// in a closed store.
    last: Option<(Connection, i64)>,
    /// How often it was another one.
    changes: u64,
}

impl Changes {
    pub(super) fn of_file() -> Self {
        Self::new(Seen::ByLooking(Mutex::default()), LOOK_EVERY)
    }

    pub(super) fn of_memory() -> Self {
        Self::new(Seen::ByCounting(AtomicU64::new(0)), Duration::MAX)
    }

    pub(super) fn of_immutable() -> Self {
        Self::new(Seen::Never, Duration::MAX)
    }

    fn new(seen: Seen, look_every: Duration) -> Self {
        Self { seen, look_every, waiters: AtomicUsize::new(0), notices: Mutex::default(), noticed: Condvar::new() }
    }

    /// A number that is another one if something was committed since it was last asked for. `open` gives a connection that
    /// reads the file, or tells that the store is closed.
    pub(super) fn look(&self, open: impl FnOnce() -> Result<Connection>) -> Result<u64> {
        match &self.seen {
            Seen::ByLooking(watch) => lock(watch).look(open),
            Seen::ByCounting(commits) => Ok(commits.load(Ordering::SeqCst)),
            Seen::Never => Ok(0),
        }
    }

    /// Something was committed by this store.
    pub(super) fn committed(&self) {
        if let Seen::ByCounting(commits) = &self.seen {
            commits.fetch_add(1, Ordering::SeqCst);
        }
        fence(Ordering::SeqCst);
        if self.waiters.load(Ordering::Relaxed) > 0 {
            self.notify();
        }
    }

    /// Looks until `look` gives something, or `timeout` has passed.
    pub(super) fn wait<T>(&self, timeout: Duration, look: impl Fn() -> Result<Option<T>>) -> Result<Option<T>> {
        let deadline = Instant::now().checked_add(timeout);
        let _waiter = Waiter::new(&self.waiters);
        loop {
            let notices = *lock(&self.notices);
            if let Some(change) = look()? {
                return Ok(Some(change));
            }
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(None);
            }
            let none_new = |now: &mut u64| *now == notices;
            let slept = self.noticed.wait_timeout_while(lock(&self.notices), left.min(self.look_every), none_new);
            drop(slept.unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Lets all who wait look again, which then find the store closed, and gives the connection to be closed. Nobody opens
    /// another, since `open` refuses by now: it is asked under the lock that this takes.
    pub(super) fn close(&self) -> Option<Connection> {
        self.notify();
        match &self.seen {
            Seen::ByLooking(watch) => lock(watch).last.take().map(|(connection, _)| connection),
            Seen::ByCounting(_) | Seen::Never => None,
        }
    }

    fn notify(&self) {
        *lock(&self.notices) += 1;
        self.noticed.notify_all();
    }
}

/// It answers for the connection itself and for the file as it is now, since it begins a transaction that reads, which ends
/// with the statement: between two looks nothing is locked.
const DATA_VERSION: &str = "PRAGMA data_version";

impl Watch {
    fn look(&mut self, open: impl FnOnce() -> Result<Connection>) -> Result<u64> {
        let (connection, before) = match self.last.take() {
            Some((connection, before)) => (connection, Some(before)),
            None => (open()?, None),
        };
        // A connection that fails goes. The next one's numbers say nothing of what was before it, so that counts as a change.
        let asked = connection.prepare_cached(DATA_VERSION).and_then(|mut ask| ask.query_row([], |row| row.get(0)));
        let now = asked.map_err(during("look for a change"))?;
        if before != Some(now) {
            self.changes += 1;
        }
        self.last = Some((connection, now));
        Ok(self.changes)
    }
}

/// Is counted among those who wait until it is dropped.
struct Waiter<'a>(&'a AtomicUsize);

impl<'a> Waiter<'a> {
    fn new(waiters: &'a AtomicUsize) -> Self {
        waiters.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        Self(waiters)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where a look panicked its connection is gone, so whatever is behind one of these locks is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;
    use crate::Error;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// In which nobody who waits looks again unless woken.
    fn without_looks() -> Changes {
        Changes { look_every: Duration::MAX, ..Changes::of_file() }
    }

    /// How long someone waits for what happens meanwhile, told by `notice` or not.
    fn waits(changes: &Changes, patience: Duration, notice: impl FnOnce(&Changes)) -> Duration {
        let (happened, begun) = (AtomicBool::new(false), Instant::now());
        thread::scope(|scope| {
            let look = || Ok(happened.load(Ordering::SeqCst).then_some(()));
            let waiter = scope.spawn(move || changes.wait(patience, look).unwrap());
            while changes.waiters.load(Ordering::SeqCst) == 0 {
                thread::yield_now();
            }
            // Time for the waiter's first look, not that anything depended on it.
            thread::yield_now();
            happened.store(true, Ordering::SeqCst);
            notice(changes);
            waiter.join().unwrap();
        });
        begun.elapsed()
    }

    #[test]
    fn a_commit_of_the_store_wakes_a_waiter_that_would_sleep_on() {
        for _ in 0..200 {
            assert!(waits(&without_looks(), PATIENCE, Changes::committed) < PATIENCE);
        }
    }

    #[test]
    fn a_commit_of_another_is_found_without_a_notice() {
        assert!(waits(&Changes::of_file(), PATIENCE, |_| ()) < PATIENCE);
    }

    /// The look itself stands for the moment before the sleep: it finds nothing, and then somebody commits.
    #[test]
    fn a_commit_between_a_look_and_the_sleep_is_not_slept_over() {
        let (changes, looks, begun) = (without_looks(), Cell::new(0), Instant::now());
        let found = changes.wait(PATIENCE, || {
            looks.set(looks.get() + 1);
            if looks.get() == 1 {
                changes.committed();
            }
            Ok((looks.get() == 2).then_some(()))
        });
        assert_eq!(found.unwrap(), Some(()));
        assert!(begun.elapsed() < PATIENCE);

        // The control commits without a notice, and is slept over.
        let (patience, looks, begun) = (Duration::from_millis(20), Cell::new(0), Instant::now());
        let look = || Ok((looks.replace(looks.get() + 1) > 0).then_some(()));
        assert_eq!(changes.wait(patience, look).unwrap(), Some(()));
        assert!(begun.elapsed() >= patience);
    }

    #[test]
    fn where_nobody_waits_a_commit_wakes_nobody() {
        for changes in [Changes::of_file(), Changes::of_memory(), Changes::of_immutable()] {
            changes.committed();
            assert_eq!(*lock(&changes.notices), 0);
            changes.wait(Duration::ZERO, || Ok(None::<()>)).unwrap();
            changes.committed();
            assert_eq!(*lock(&changes.notices), 0);
        }
    }

    #[test]
    fn what_a_new_connection_sees_is_a_change() {
        let changes = Changes::of_file();
        let open = || Ok(Connection::open_in_memory().unwrap());
        assert!(matches!(changes.look(|| Err(Error::Closed)), Err(Error::Closed)));
        let first = changes.look(open).unwrap();
        assert_eq!(changes.look(|| Err(Error::Closed)).unwrap(), first);
        drop(changes.close());
        assert!(changes.look(|| Err(Error::Closed)).is_err());
        assert_ne!(changes.look(open).unwrap(), first);
    }
}
