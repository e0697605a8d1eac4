//! Stores that only read.

use std::fs;
use std::time::Duration;

use taskstore::{Error, Level, NewTask, OpenOptions, Progress, Result, RunError, TaskFilter, TaskId, TaskStore};

use crate::support::files::{beside, database_bytes};
use crate::support::{configuration_id, everything, finished, open, options, start, task_id, temporary};

/// Every verb that writes.
pub(super) fn every_write(store: &TaskStore, id: TaskId) -> [Result<()>; 15] {
    let configuration = configuration_id(1);
    [
        store.start_detached(NewTask::new("never")).map(drop),
        store.start(NewTask::new("never")).map(drop),
        store.message(id, Level::Info, "never"),
        store.progress(id, &Progress::new(1)),
        store.finish(id),
        store.fail(id, "never"),
        store.dismiss(id, "ann"),
        store.dismiss_all(None, "ann").map(drop),
        store.restore(id),
        store.delete(id),
        store.configurations().add("never").map(drop),
        store.configurations().rename(configuration, "never"),
        store.configurations().delete(configuration),
        store.batch(|batch| batch.finish(id)),
        store.flush(),
    ]
}

/// Every verb that reads.
pub(super) fn every_read(store: &TaskStore, id: TaskId) -> [Result<()>; 8] {
    use taskstore::wire::task_api::{DismissedMember, ListRequest, write_list, write_task};
    let member = DismissedMember::HiddenBy;
    let a_token = temporary().change_token().unwrap();
    [
        store.task(id).map(drop),
        store.messages(id, 0, 10).map(drop),
        store.list(&TaskFilter::new()).map(drop),
        store.configurations().list().map(drop),
        write_task(store, id, member, Vec::new()),
        write_list(store, ListRequest::default(), member, Vec::new()),
        store.change_token().map(drop),
        store.wait_for_change(a_token, Duration::ZERO).map(drop),
    ]
}

#[test]
fn a_store_opened_for_reading_refuses_every_write_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let id = start(&store, "running");
    finished(&store, "ended");
    store.configurations().add("prod").unwrap();
    assert!(!store.is_read_only());
    store.close().unwrap();
    let before = database_bytes(&path);

    for options in [options().read_only(true), options().immutable(true), options().read_only(true).immutable(true)] {
        let store = options.open(&path).unwrap();
        assert!(store.is_read_only());
        for answer in every_write(&store, id) {
            let error = answer.unwrap_err();
            assert!(matches!(error, Error::ReadOnly), "{error:?}");
            assert_eq!(error.to_string(), "the store is read-only");
        }
        let run = store.run(NewTask::new("never"), |_| -> Result<()> { panic!("the work must not be done") });
        assert!(matches!(run, Err(RunError::NotStarted { source: Error::ReadOnly })), "{run:?}");
        every_read(&store, id).into_iter().for_each(|answer| answer.unwrap());
        store.close().unwrap();
    }
    // The `-wal` of no bytes that a reader of a file in WAL mode may leave holds nothing.
    let (file, wal) = database_bytes(&path);
    assert!(file == before.0);
    assert!(wal.is_none_or(|wal| wal.is_empty()));
}

#[test]
fn a_store_opened_for_reading_sees_what_others_write_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let writer = open(&path);
    let reader = options().read_only(true).open(&path).unwrap();
    let id = start(&writer, "seen");
    assert_eq!(reader.task(id).unwrap().title, "seen");
    writer.finish(id).unwrap();
    assert_eq!(everything(&reader), everything(&writer));
}

#[test]
fn a_missing_file_opened_for_reading_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    for options in [OpenOptions::new().read_only(true), OpenOptions::new().immutable(true)] {
        let error = options.open(directory.path().join("missing.db")).unwrap_err();
        let Error::Io { source, .. } = &error else { panic!("{error:?}") };
        assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
        assert_eq!(error.to_string(), "could not open the file");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn an_empty_file_opened_for_reading_is_no_store_and_stays_empty() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    fs::write(&path, "").unwrap();
    for options in [options().read_only(true), options().immutable(true)] {
        let error = options.open(&path).unwrap_err();
        assert!(matches!(error, Error::NotATaskStore { .. }), "{error:?}");
    }
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn an_immutable_store_reads_the_file_and_not_its_wal() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let writer = open(&path);
    start(&writer, "in the file");
    writer.close().unwrap();
    let writer = open(&path);
    start(&writer, "in the -wal");
    assert!(beside(&path, "-wal").metadata().unwrap().len() > 0);
    let immutable = options().immutable(true).open(&path).unwrap();
    assert_eq!(immutable.task(task_id(1)).unwrap().title, "in the file");
    assert!(matches!(immutable.task(task_id(2)), Err(Error::NotFound { .. })));
}
