//! Closing, by name and by the last drop.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use taskstore::{Error, NewTask, NotEnded, OpenOptions, TaskFilter, TaskStore};

use super::read_only::{every_read, every_write};
use crate::support::children::{command, role, run, say};
use crate::support::files::{beside, shell};
use crate::support::{open, options, start, task_id};

#[test]
fn a_closed_store_refuses_every_call_of_all_its_clones() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    open(&path).close().unwrap();
    let stores = [
        open(&path),
        options().read_only(true).open(&path).unwrap(),
        options().immutable(true).open(&path).unwrap(),
        TaskStore::open_in_memory().unwrap(),
    ];
    for store in stores {
        let clone = store.clone();
        clone.list(&TaskFilter::new()).unwrap();
        store.close().unwrap();
        for closed in [&store, &clone] {
            for answer in every_write(closed, task_id(1)).into_iter().chain(every_read(closed, task_id(1))) {
                let error = answer.unwrap_err();
                assert!(matches!(error, Error::Closed), "{error:?}");
                assert_eq!(error.to_string(), "the store is closed");
            }
            assert!(matches!(closed.close(), Err(Error::Closed)));
        }
    }
}

#[test]
fn a_guard_that_outlives_its_store_is_given_back() {
    let store = crate::support::temporary();
    let task = store.start(NewTask::new("too late")).unwrap();
    store.close().unwrap();
    let NotEnded { task, error } = task.finish().unwrap_err();
    assert!(matches!(error, Error::Closed), "{error:?}");
    assert!(matches!(task.info("too late"), Err(Error::Closed)));
}

/// A store that has written, and has read with several connections at once.
fn used_store(path: &std::path::Path) -> TaskStore {
    let store = open(path);
    start(&store, "kept");
    store
        .batch(|_| {
            let read = || store.list(&TaskFilter::new()).unwrap().items.len();
            let readers: [usize; 3] = std::thread::scope(|scope| {
                [scope.spawn(read), scope.spawn(read), scope.spawn(read)].map(|reader| reader.join().unwrap())
            });
            assert_eq!(readers, [1, 1, 1]);
            Ok::<_, Error>(())
        })
        .unwrap();
    assert!(beside(path, "-wal").metadata().unwrap().len() > 0);
    store
}

#[test]
fn a_closed_store_leaves_one_file_that_holds_everything() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    used_store(&path).close().unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    assert_eq!(options().immutable(true).open(&path).unwrap().task(task_id(1)).unwrap().title, "kept");
}

#[test]
fn the_last_clone_that_goes_leaves_one_file_that_holds_everything() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = used_store(&path);
    let clone = store.clone();
    drop(store);
    assert!(beside(&path, "-wal").exists());
    drop(clone);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    assert_eq!(options().immutable(true).open(&path).unwrap().task(task_id(1)).unwrap().title, "kept");
}

#[test]
fn a_store_that_others_have_open_leaves_them_the_wal() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (one, other) = (open(&path), open(&path));
    let id = start(&one, "kept");
    one.close().unwrap();
    assert_eq!(other.task(id).unwrap().title, "kept");
    other.finish(id).unwrap();
    other.close().unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn what_was_acknowledged_is_there_without_a_close() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let id = start(&store, "kept");
    std::mem::forget(store);
    let title: String = shell(&path).query_row("SELECT title FROM task", [], |row| row.get(0)).unwrap();
    assert_eq!((title.as_str(), open(&path).task(id).unwrap().outcome), ("kept", None));
}

#[test]
fn a_store_that_is_writing_is_not_closed_in_its_midst() {
    for open in [OpenOptions::open_temporary, OpenOptions::open_in_memory] {
        let store = open(&options().busy_timeout(Duration::from_millis(20))).unwrap();
        store
            .batch(|batch| {
                let close = std::thread::scope(|scope| scope.spawn(|| store.close()).join().unwrap());
                assert!(matches!(close, Err(Error::Busy { .. })), "{close:?}");
                batch.start_detached(NewTask::new("goes on")).map(drop)
            })
            .unwrap();
        assert_eq!(store.task(task_id(1)).unwrap().title, "goes on");
        store.close().unwrap();
    }
}

#[test]
fn a_temporary_store_takes_its_directory_along_with_its_last_handle() {
    let test = "opening::closing::a_temporary_store_takes_its_directory_along_with_its_last_handle";
    if let Some((_, directory)) = role() {
        let directories = || fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
        let store = TaskStore::open_temporary().unwrap();
        let task = store.start(NewTask::new("kept")).unwrap();
        let other = TaskStore::open_temporary().unwrap();
        assert_eq!(directories().len(), 2);
        drop(other);
        let [own] = &directories()[..] else { panic!("one directory a store") };
        assert_eq!(fs::metadata(own).unwrap().permissions().mode() & 0o777, 0o700);
        // The guard is a handle too.
        store.close().unwrap();
        drop(store);
        assert_eq!(directories().len(), 1);
        drop(task);
        assert_eq!(directories().len(), 0);
        return say("gone");
    }
    let directory = tempfile::tempdir().unwrap();
    let mut child = command(test, "opens", directory.path());
    child.env("TMPDIR", directory.path());
    assert_eq!(run(child), ["gone"]);
}
