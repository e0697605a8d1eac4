//! Writes that fail.

use std::time::Duration;

use chrono::{DateTime, Utc};
use taskstore::{Error, NewTask, NotEnded, Progress};

use super::{SECOND_NS, Watched, done_of, record};
use crate::support::{Nanoseconds as _, open, options, start, task_id};

fn hasty() -> Watched {
    Watched::with(options().busy_timeout(Duration::from_millis(10)))
}

impl Watched {
    /// Does this while another program has the file's lock.
    fn locked<T>(&self, work: impl FnOnce() -> T) -> T {
        self.shell.execute_batch("BEGIN IMMEDIATE").unwrap();
        let done = work();
        self.shell.execute_batch("ROLLBACK").unwrap();
        done
    }

    /// A call that is to be written, and cannot be.
    fn fails(&self, done: u64) {
        let busy = self.locked(|| self.store.progress(task_id(1), &Progress::new(done)));
        assert!(matches!(busy, Err(Error::Busy { .. })), "{busy:?}");
    }
}

#[test]
fn the_call_after_one_that_failed_is_written_at_once() {
    let watched = hasty();
    let id = start(&watched.store, "copy");
    watched.fails(1);
    watched.fails(2);
    assert_eq!(watched.store.task(id).unwrap().progress, None);
    record(&watched.store, id, 3);
    record(&watched.store, id, 4);
    watched.clock.advance_ns(SECOND_NS);
    watched.fails(5);
    record(&watched.store, id, 6);
    record(&watched.store, id, 7);
    watched.store.finish(id).unwrap();
    assert_eq!(watched.amounts(), [3, 6, 7]);
}

#[test]
fn what_was_kept_before_a_call_that_failed_is_not_lost() {
    let watched = hasty();
    let id = start(&watched.store, "copy");
    record(&watched.store, id, 1);
    record(&watched.store, id, 2);
    watched.clock.advance_ns(SECOND_NS);
    watched.fails(3);
    assert_eq!(watched.done(id), 2);
    watched.store.finish(id).unwrap();
    assert_eq!(watched.amounts(), [1, 2]);
}

#[test]
fn what_was_kept_before_a_commit_that_failed_is_not_lost() {
    let watched = hasty();
    // 13 is written, and cannot be committed.
    watched
        .shell
        .execute_batch(
            "CREATE TABLE doom (task INTEGER REFERENCES task (id) DEFERRABLE INITIALLY DEFERRED);
             CREATE TRIGGER doom AFTER UPDATE OF progress_done ON task WHEN new.progress_done = 13
             BEGIN INSERT INTO doom VALUES (-1); END;",
        )
        .unwrap();
    let id = start(&watched.store, "copy");
    record(&watched.store, id, 1);
    record(&watched.store, id, 2);
    watched.clock.advance_ns(SECOND_NS);
    let doomed = Progress::new(13);
    watched.store.progress(id, &doomed).unwrap_err();
    watched.store.batch(|batch| batch.progress(id, &doomed)).unwrap_err();
    assert_eq!(watched.done(id), 2);
    watched.store.finish(id).unwrap();
    assert_eq!(watched.amounts(), [1, 2]);
}

#[test]
fn what_is_kept_needs_no_file() {
    let watched = hasty();
    let id = start(&watched.store, "copy");
    record(&watched.store, id, 1);
    watched.locked(|| record(&watched.store, id, 2));
    assert_eq!(watched.done(id), 2);
}

#[test]
fn a_task_that_does_not_exist_is_not_found_every_time() {
    let watched = Watched::new();
    for _ in 0..3 {
        let answer = watched.store.progress(task_id(1), &Progress::new(1));
        assert!(matches!(answer, Err(Error::NotFound { what: "task", id: 1 })), "{answer:?}");
    }
    let id = start(&watched.store, "copy");
    record(&watched.store, id, 1);
    assert_eq!(watched.amounts(), [1]);
}

#[test]
fn an_end_that_failed_leaves_the_progress_for_the_next_try() {
    let watched = hasty();
    let task = watched.store.start(NewTask::new("copy")).unwrap();
    let id = task.id();
    record(&watched.store, id, 1);
    watched.clock.advance_ns(1);
    record(&watched.store, id, 2);
    let NotEnded { task, error } = watched.locked(|| task.finish()).unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error:?}");
    watched.clock.set(DateTime::<Utc>::MAX_UTC);
    let NotEnded { task, error } = task.fail("because").unwrap_err();
    assert!(matches!(error, Error::TimeOutOfRange { .. }), "{error:?}");
    watched.clock.set_ns(5);
    assert_eq!((watched.done(id), watched.amounts()), (2, vec![1]));
    task.finish().unwrap();
    assert_eq!(watched.written(), [(1, 0), (2, 1)]);
}

#[test]
fn a_guard_that_cannot_record_its_end_leaves_the_progress_too() {
    let watched = hasty();
    let task = watched.store.start(NewTask::new("copy")).unwrap();
    let id = task.id();
    record(&watched.store, id, 1);
    record(&watched.store, id, 2);
    watched.locked(|| drop(task));
    assert_eq!((watched.store.task(id).unwrap().outcome, watched.done(id)), (None, 2));
    watched.store.finish(id).unwrap();
    assert_eq!(watched.amounts(), [1, 2]);
}

#[test]
fn a_closing_that_failed_leaves_the_store_open_and_the_progress_kept() {
    let watched = hasty();
    let id = start(&watched.store, "copy");
    record(&watched.store, id, 1);
    record(&watched.store, id, 2);
    let busy = watched.locked(|| watched.store.close());
    assert!(matches!(busy, Err(Error::Busy { .. })), "{busy:?}");
    assert_eq!((watched.done(id), watched.amounts()), (2, vec![1]));
    // It keeps as before.
    record(&watched.store, id, 3);
    assert_eq!(watched.amounts(), [1]);
    watched.store.close().unwrap();
    assert_eq!((watched.amounts(), done_of(&open(&watched.path), id)), (vec![1, 3], 3));
}
