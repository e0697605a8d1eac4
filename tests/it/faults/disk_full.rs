//! A disk that is really full: a small tmpfs, on which room is made later.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use taskstore::{Error, Level, NewTask};

use super::ledger::Ledger;
use super::{Mounted, until};
use crate::support::{open, options, texts};

fn small_disk(point: &std::path::Path) -> Option<Mounted> {
    Mounted::new(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], point)
}

#[test]
fn on_a_full_disk_reads_go_on_and_once_there_is_room_writes_do() {
    let directory = tempfile::tempdir().unwrap();
    let Some(disk) = small_disk(directory.path()) else { return };
    let path = directory.path().join("tasks.db");
    let store = options().open(&path).unwrap();
    let mut ledger = Ledger::default();
    let id = ledger.start(&store, "first".to_owned()).unwrap();
    let (is_full, ended, reads) = (AtomicBool::new(false), AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !ended.load(Ordering::SeqCst) {
                assert_eq!(store.task(id).unwrap().title, "first");
                if is_full.load(Ordering::SeqCst) {
                    reads.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        let mut number = 0;
        let mut next = || {
            number += 1;
            format!("{number} {}", "x".repeat(900))
        };
        let error = loop {
            if let Err(error) = ledger.start(&store, next()) {
                break error;
            }
        };
        assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
        assert_eq!(error.to_string(), "the disk is full; nothing was written");
        is_full.store(true, Ordering::SeqCst);
        let before = ledger.done();
        for _ in 0..50 {
            let answer = ledger.start(&store, next());
            assert!(matches!(answer, Err(Error::DiskFull { .. })), "{answer:?}");
            assert!(answer.unwrap_err().is_retryable());
        }
        assert_eq!((ledger.done(), ledger.unknown()), (before, 0));
        until(|| if reads.load(Ordering::SeqCst) > 100 { Ok(()) } else { Err("the reader has not read") });

        disk.remount("size=8m");
        until(|| ledger.start(&store, next()));
        for _ in 0..100 {
            ledger.start(&store, next()).unwrap();
        }
        ended.store(true, Ordering::SeqCst);
        reader.join().unwrap();
    });
    store.close().unwrap();
    ledger.check(&path);
}

/// The control: who counts a write before its answer has more than there is.
#[test]
fn who_acknowledges_before_the_answer_loses_on_a_full_disk() {
    let directory = tempfile::tempdir().unwrap();
    let Some(_disk) = small_disk(directory.path()) else { return };
    let path = directory.path().join("tasks.db");
    let store = options().open(&path).unwrap();
    let mut ledger = Ledger::default();
    for number in 0..3_000 {
        let title = format!("{number} {}", "x".repeat(900));
        let _ = store.start_detached(NewTask::new(title.clone()));
        ledger.note::<()>(&title, &Ok(()));
    }
    assert!(!ledger.problems(&super::ledger::titles(&store)).is_empty());
}

#[test]
fn a_store_cannot_be_made_on_a_full_disk_and_can_be_once_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let Some(disk) = small_disk(directory.path()) else { return };
    std::fs::write(directory.path().join("filler"), vec![0; 2 << 20]).unwrap_err();
    let path = directory.path().join("tasks.db");
    let error = options().open(&path).unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    disk.remount("size=8m");
    let store = options().open(&path).unwrap();
    store.start_detached(NewTask::new("first")).unwrap();
    store.close().unwrap();
    open(&path).close().unwrap();
}

/// One that needs more than there is does not take the others with it.
#[test]
fn a_batch_that_does_not_fit_changes_nothing_and_smaller_ones_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let Some(_disk) = small_disk(directory.path()) else { return };
    let store = options().open(directory.path().join("tasks.db")).unwrap();
    let id = store.start_detached(NewTask::new("first")).unwrap();
    let text = "x".repeat(100_000);
    let batch = store.batch(|batch| (0..50).try_for_each(|_| batch.message(id, Level::Info, text.as_str())));
    assert!(matches!(batch, Err(Error::DiskFull { .. })), "{batch:?}");
    store.message(id, Level::Info, "small").unwrap();
    assert_eq!(texts(&store, id), ["small"]);
}
