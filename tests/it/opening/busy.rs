//! A file whose lock another program holds.

use std::time::Duration;

use taskstore::{Error, TaskStore};

use super::read_only::{every_read, every_write};
use crate::support::files::shell;
use crate::support::{everything, finished, open, options, start, task_id};

const PATIENCE: Duration = Duration::from_millis(10);

#[test]
fn a_write_past_its_busy_timeout_is_busy_and_worth_a_retry_and_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(PATIENCE).open(&path).unwrap();
    let id = start(&store, "running");
    finished(&store, "ended");
    store.configurations().add("prod").unwrap();
    let before = everything(&store);

    let other = shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for answer in every_write(&store, id) {
        let error = answer.unwrap_err();
        let Error::Busy { waited } = error else { panic!("{error:?}") };
        assert!(error.is_retryable());
        assert_eq!(error.to_string(), format!("the store was busy for {} ms", waited.as_millis()));
    }
    // Readers do not wait for it.
    every_read(&store, id).into_iter().for_each(|answer| answer.unwrap());
    assert_eq!(everything(&store), before);
    other.execute_batch("ROLLBACK").unwrap();
    store.finish(id).unwrap();
}

#[test]
fn a_write_waits_for_a_lock_that_goes_within_its_busy_timeout() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(Duration::from_secs(60)).open(&path).unwrap();
    let id = start(&store, "patient");
    let other = shell(&path);
    other.execute_batch("BEGIN IMMEDIATE; UPDATE task SET title = 'theirs'").unwrap();
    std::thread::scope(|scope| {
        let patient = scope.spawn(|| store.fail(id, "waited"));
        // Whether or not it is waiting by now, it succeeds, and behind the other.
        other.execute_batch("COMMIT").unwrap();
        patient.join().unwrap().unwrap();
    });
    assert_eq!(store.task(id).unwrap().title, "theirs");
}

#[test]
fn a_store_opens_while_another_program_holds_the_write_lock() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    start(&open(&path), "there");
    let other = shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for options in [options(), options().read_only(true)] {
        let store = options.busy_timeout(PATIENCE).open(&path).unwrap();
        assert_eq!(store.task(task_id(1)).unwrap().title, "there");
    }
}

#[test]
fn a_file_that_cannot_be_made_a_store_within_the_busy_timeout_is_busy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    for lock in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"] {
        let other = shell(&path);
        other.execute_batch(lock).unwrap();
        let error = options().busy_timeout(PATIENCE).open(&path).unwrap_err();
        assert!(matches!(error, Error::Busy { .. }) && error.is_retryable(), "{lock}: {error:?}");
    }
    start(&TaskStore::open(&path).unwrap(), "now it can");
}
