//! Leaves a disk alone that fails: a full one is not made emptier by ten thousand tries a second.
//!
//! The first failures in a row cost nothing: each caller may try. Then the store answers at once with the last error, without
//! touching the disk, and lets one call try after each pause. A success ends it, so a store needs no other word that the
//! disk is well again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::ffi;

use super::error::{copy, not_tried};
use crate::{Error, Result};

/// So many failures in a row are taken for chance.
const FAILURES_FREE: u32 = 3;
/// The first pause; each one after it is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest: so long after the disk is well again a store may still refuse.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Belongs to one store.
#[derive(Debug, Default)]
pub(super) struct BackOff(Mutex<Option<Trouble>>);

/// Since the last write that succeeded.
#[derive(Debug)]
struct Trouble {
    failures: u32,
    last: Error,
    failed: Instant,
}

impl BackOff {
    /// The last failure again, while the disk is left alone.
    pub(super) fn refuse(&self) -> Result<()> {
        self.refuse_at(Instant::now)
    }

    /// Notes why something could not be written, if that is for the disk.
    pub(super) fn failed(&self, error: &Error) {
        if is_for_the_disk(error) {
            self.failed_at(error, Instant::now());
        }
    }

    /// Notes why the file could not be opened again. The next try will meet it, too.
    pub(super) fn failed_to_open(&self, error: &Error) {
        if matches!(
            error,
            Error::CannotOpen { .. }
                | Error::Damaged { .. }
                | Error::DiskFull { .. }
                | Error::Engine { .. }
                | Error::Io { .. }
                | Error::OutcomeUnknown { .. }
                | Error::ReadOnly
        ) {
            self.failed_at(error, Instant::now());
        }
    }

    /// Something was committed.
    pub(super) fn succeeded(&self) {
        *self.trouble() = None;
    }

    fn refuse_at(&self, now: impl FnOnce() -> Instant) -> Result<()> {
        match &*self.trouble() {
            Some(trouble) if now().saturating_duration_since(trouble.failed) < trouble.pause() => {
                Err(not_tried(&trouble.last))
            }
            _ => Ok(()),
        }
    }

    fn failed_at(&self, error: &Error, now: Instant) {
        let mut trouble = self.trouble();
        let failures = trouble.as_ref().map_or(0, |trouble| trouble.failures).saturating_add(1);
        *trouble = Some(Trouble { failures, last: copy(error), failed: now });
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trouble {
    /// How long the disk is left alone after the last failure.
    fn pause(&self) -> Duration {
        match self.failures.checked_sub(FAILURES_FREE) {
            None => Duration::ZERO,
            Some(doubled) => PAUSE_MIN.saturating_mul(2_u32.saturating_pow(doubled)).min(PAUSE_MAX),
        }
    }
}

/// Whether a write failed for the disk and not for what was asked, or for others that write.
fn is_for_the_disk(error: &Error) -> bool {
    match error {
        Error::DiskFull { .. } | Error::ReadOnly => true,
        Error::OutcomeUnknown { source } | Error::Engine { source, .. } => {
            matches!(source.primary(), Some(ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::{during, during_commit};
    use super::*;

    fn failure(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    fn full() -> Error {
        during("commit")(failure(ffi::SQLITE_FULL))
    }

    fn refuses(back_off: &BackOff, now: Instant) -> bool {
        back_off.refuse_at(|| now).is_err()
    }

    #[test]
    fn the_first_failures_are_tried_again_at_once() {
        let (back_off, now) = (BackOff::default(), Instant::now());
        for _ in 1..FAILURES_FREE {
            back_off.failed_at(&full(), now);
            assert!(!refuses(&back_off, now));
        }
        back_off.failed_at(&full(), now);
        assert!(matches!(back_off.refuse_at(|| now), Err(Error::DiskFull { .. })));
    }

    /// Callers that come every millisecond for a minute, and a disk that is full all the while.
    #[test]
    fn a_disk_that_goes_on_failing_is_asked_ten_times_in_the_first_second_and_once_in_each_after_it() {
        let (back_off, start) = (BackOff::default(), Instant::now());
        let mut tries = [0; 60];
        for ms in 0..60_000 {
            let now = start + Duration::from_millis(ms);
            if !refuses(&back_off, now) {
                back_off.failed_at(&full(), now);
                tries[usize::try_from(ms / 1_000).unwrap()] += 1;
            }
        }
        assert!((4..=10).contains(&tries[0]), "{tries:?}");
        assert!(tries[2..].iter().all(|tries| *tries == 1), "{tries:?}");
    }

    #[test]
    fn a_second_after_the_last_failure_one_may_always_try_and_a_success_ends_it() {
        let (back_off, now) = (BackOff::default(), Instant::now());
        for _ in 0..100 {
            back_off.failed_at(&full(), now);
        }
        assert!(refuses(&back_off, now + PAUSE_MAX - Duration::from_nanos(1)));
        assert!(!refuses(&back_off, now + PAUSE_MAX));
        back_off.succeeded();
        back_off.failed_at(&full(), now);
        assert!(!refuses(&back_off, now));
    }

    #[test]
    fn what_was_not_tried_is_never_of_unknown_outcome() {
        let (back_off, now) = (BackOff::default(), Instant::now());
        for _ in 0..FAILURES_FREE {
            back_off.failed_at(&during_commit(failure(ffi::SQLITE_IOERR_FSYNC)), now);
        }
        let refused = back_off.refuse_at(|| now).unwrap_err();
        let Error::Engine { source, .. } = &refused else { panic!("{refused:?}") };
        assert_eq!(source.code(), Some(ffi::SQLITE_IOERR_FSYNC));
        assert_eq!(refused.to_string(), "could not write: the disk failed a moment ago and is left alone");
    }

    #[test]
    fn what_is_not_for_the_disk_is_not_counted() {
        let back_off = BackOff::default();
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_CONSTRAINT_CHECK, ffi::SQLITE_NOMEM, ffi::SQLITE_CORRUPT] {
            (0..10).for_each(|_| back_off.failed(&during("commit")(failure(code))));
        }
        back_off.failed_to_open(&Error::FileMoved { path: "/tasks.db".into(), written: false });
        assert!(back_off.trouble().is_none());
    }
}
