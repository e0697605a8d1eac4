//! The end of the store.

use std::time::{Duration, Instant};

use taskstore::{Durability, Error, NewTask, OpenOptions, Progress, RunningTask, TaskStore};

use super::{SECOND_NS, Watched, done_of, record};
use crate::support::{Nanoseconds as _, everything, open, start};

#[test]
fn close_writes_what_is_kept_of_every_task_with_its_time() {
    let watched = Watched::new();
    let ids = ["one", "two", "three"].map(|title| start(&watched.store, title));
    for done in [1, 2] {
        ids.iter().for_each(|id| record(&watched.store, *id, done));
        watched.clock.advance_ns(5);
    }
    watched.clock.advance_ns(3 * SECOND_NS);
    let shown = everything(&watched.store);
    watched.store.close().unwrap();
    assert_eq!(everything(&open(&watched.path)), shown);
    assert_eq!(watched.written(), [(1, 0), (1, 0), (1, 0), (2, 5), (2, 5), (2, 5)]);
    assert!(matches!(watched.store.progress(ids[0], &Progress::new(3)), Err(Error::Closed)));
}

#[test]
fn flush_writes_what_is_kept() {
    for durability in [Durability::Full, Durability::Normal] {
        let watched = Watched::with(OpenOptions::new().durability(durability));
        let id = start(&watched.store, "copy");
        record(&watched.store, id, 1);
        record(&watched.store, id, 2);
        watched.store.flush().unwrap();
        assert_eq!(watched.amounts(), [1, 2]);
        record(&watched.store, id, 3);
        assert_eq!(watched.amounts(), [1, 2], "the second goes on");
    }
}

#[test]
fn close_writes_nothing_over_a_task_that_another_has_ended() {
    let watched = Watched::new();
    let other = open(&watched.path);
    let ids = ["ended", "deleted", "in progress"].map(|title| start(&watched.store, title));
    for done in [1, 2] {
        ids.iter().for_each(|id| record(&watched.store, *id, done));
    }
    other.finish(ids[0]).unwrap();
    other.finish(ids[1]).unwrap();
    other.delete(ids[1]).unwrap();
    watched.store.close().unwrap();
    assert_eq!((done_of(&other, ids[0]), done_of(&other, ids[2])), (1, 2));
}

#[test]
fn the_last_handle_that_goes_writes_what_is_kept() {
    let watched = Watched::new();
    let id = start(&watched.store, "copy");
    record(&watched.store, id, 1);
    record(&watched.store, id, 2);
    let Watched { store, path, _directory, .. } = watched;
    let clone = store.clone();
    drop(store);
    assert_eq!(done_of(&open(&path), id), 1);
    drop(clone);
    assert_eq!(done_of(&open(&path), id), 2);
}

#[test]
fn a_guard_that_is_the_last_handle_writes_its_own_and_that_of_others() {
    let Watched { store, path, _directory, .. } = Watched::new();
    let other = start(&store, "other");
    let task = store.start(NewTask::new("copy")).unwrap();
    let id = task.id();
    for done in [1, 2] {
        record(&store, id, done);
        record(&store, other, done);
    }
    drop(store);
    drop(task);
    let store = open(&path);
    assert_eq!((done_of(&store, id), done_of(&store, other)), (2, 2));
}

#[test]
fn a_last_handle_that_finds_the_file_locked_goes_in_silence_after_a_second() {
    let Watched { store, path, shell, _directory, .. } = Watched::new();
    let id = start(&store, "copy");
    record(&store, id, 1);
    record(&store, id, 2);
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = Instant::now();
    drop(store);
    assert!((Duration::from_secs(1)..Duration::from_secs(4)).contains(&started.elapsed()));
    shell.execute_batch("ROLLBACK").unwrap();
    assert_eq!(done_of(&open(&path), id), 1);
}

#[test]
fn a_store_that_goes_with_its_thread_writes_what_is_kept() {
    thread_local! {
        static STORE: std::cell::RefCell<Option<TaskStore>> = const { std::cell::RefCell::new(None) };
    }
    let Watched { store, path, _directory, .. } = Watched::new();
    let id = start(&store, "copy");
    record(&store, id, 1);
    record(&store, id, 2);
    let keep = move || STORE.with_borrow_mut(|kept| *kept = Some(store));
    std::thread::spawn(keep).join().unwrap();
    assert_eq!(done_of(&open(&path), id), 2);
}

#[test]
fn a_store_or_a_guard_that_goes_last_with_its_thread_writes_too() {
    // Set up before the thread first writes, they go after everything else of it.
    thread_local! {
        static STORE: std::cell::RefCell<Option<TaskStore>> = const { std::cell::RefCell::new(None) };
        static GUARD: std::cell::RefCell<Option<RunningTask>> = const { std::cell::RefCell::new(None) };
    }
    let Watched { store, path, _directory, .. } = Watched::new();
    let another = open(&path);
    let id = start(&store, "copy");
    let work = move || {
        STORE.with_borrow_mut(|_| ());
        GUARD.with_borrow_mut(|_| ());
        record(&store, id, 1);
        record(&store, id, 2);
        GUARD.with_borrow_mut(|kept| *kept = Some(another.start(NewTask::new("guarded")).unwrap()));
        STORE.with_borrow_mut(|kept| *kept = Some(store));
    };
    std::thread::spawn(work).join().unwrap();
    let after = open(&path);
    assert_eq!(done_of(&after, id), 2);
    assert_eq!(after.counts(None).unwrap().interrupted, 1);
}

#[test]
fn a_store_in_memory_keeps_and_closes_too() {
    let store = TaskStore::open_in_memory().unwrap();
    let id = start(&store, "copy");
    (1..=3).for_each(|done| record(&store, id, done));
    assert_eq!(done_of(&store, id), 3);
    store.finish(id).unwrap();
    assert_eq!(done_of(&store, id), 3);
    store.close().unwrap();
}
