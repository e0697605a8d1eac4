//! How far a backup is, and stopping it.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use taskstore::{BackupProgress, Error};

use super::{assert_whole, large, others};
use crate::support::start;

#[test]
fn progress_rises_to_the_size_of_the_backup() {
    let (directory, store) = large();
    let path = directory.path().join("backup");
    let mut told: Vec<BackupProgress> = Vec::new();
    let bytes = store.backup_to_with(&path, |progress| {
        told.push(progress);
        ControlFlow::Continue(())
    });
    let size = std::fs::metadata(&path).unwrap().len();
    assert_eq!(bytes.unwrap(), size);
    assert!(told.len() > 3, "{told:?}");
    assert!(told.iter().all(|progress| progress.total_bytes == size), "{told:?}");
    assert!(told.is_sorted_by(|before, behind| before.done_bytes < behind.done_bytes), "{told:?}");
    assert_eq!(told.last().unwrap().done_bytes, size);
}

#[test]
fn a_backup_that_is_stopped_leaves_nothing_and_the_store_goes_on() {
    let (directory, store) = large();
    let path = directory.path().join("backup");
    let mut steps = 0;
    store
        .backup_to_with(&path, |_| {
            steps += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    std::fs::remove_file(&path).unwrap();

    for stop_at in 1..=steps {
        let mut step = 0;
        let stopped = store.backup_to_with(&path, |_| {
            assert_eq!(others(directory.path()).len(), 1);
            step += 1;
            if step == stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let error = stopped.unwrap_err();
        assert!(matches!(error, Error::Stopped { work: "the backup" }), "{error:?}");
        assert_eq!(error.to_string(), "the backup was stopped");
        assert_eq!(others(directory.path()), [""; 0]);
    }
    start(&store, "afterwards");
    store.backup_to(&path).unwrap();
    assert_whole(&store, &path);
}

#[test]
fn a_backup_whose_progress_panics_leaves_nothing_and_the_store_goes_on() {
    let (directory, store) = large();
    let path = directory.path().join("backup");
    let backup = || store.backup_to_with(&path, |_| panic!("as a test has it"));
    assert!(catch_unwind(AssertUnwindSafe(backup)).is_err());
    assert_eq!(others(directory.path()), [""; 0]);
    store.backup_to(&path).unwrap();
    assert_whole(&store, &path);
}

#[test]
fn progress_may_use_the_store() {
    let (directory, store) = large();
    let path = directory.path().join("backup");
    let mut started = Vec::new();
    store
        .backup_to_with(&path, |_| {
            started.push(start(&store, "meanwhile"));
            ControlFlow::Continue(())
        })
        .unwrap();
    let backup = taskstore::TaskStore::open(&path).unwrap();
    assert!(started.iter().all(|id| store.task(*id).is_ok() && backup.task(*id).is_err()), "{started:?}");
}
