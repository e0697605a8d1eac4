//! Several stores of one process on one file: a lock belongs to a store, not to a process.

use taskstore::{NewTask, Outcome, RecoverReport};

use super::{end_of, owner_files, owner_rows};
use crate::support::open;

#[test]
fn two_stores_of_one_process_answer_each_for_their_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (first, second) = (open(&path), open(&path));
    let of_first = first.start(NewTask::new("first")).unwrap();
    let of_second = second.start(NewTask::new("second")).unwrap();
    assert_eq!((owner_files(&path).len(), owner_rows(&path)), (2, 2));
    for store in [&first, &second] {
        assert_eq!(store.recover().unwrap(), RecoverReport::default());
    }
    first.close().unwrap();
    assert_eq!(end_of(&second, of_first.id()).0, Some(Outcome::Interrupted));
    assert_eq!(second.recover().unwrap(), RecoverReport::default());
    assert_eq!(end_of(&second, of_second.id()).0, None);
    of_second.finish().unwrap();
    drop((of_first, second));
    assert_eq!((owner_files(&path), owner_rows(&path)), (vec![], 0));
}

#[test]
fn threads_that_start_their_first_at_once_make_one_owner() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let barrier = std::sync::Barrier::new(8);
    let tasks: Vec<_> = std::thread::scope(|scope| {
        let start = || {
            barrier.wait();
            store.start(NewTask::new("t")).unwrap()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!((owner_files(&path).len(), owner_rows(&path)), (1, 1));
    tasks.into_iter().for_each(|task| task.finish().unwrap());
}

/// The row that a first start makes goes with its transaction.
#[test]
fn a_start_that_is_undone_leaves_no_owner_that_the_store_believes_in() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let doom = "CREATE TRIGGER doom BEFORE INSERT ON task WHEN new.title = 'doomed'
        BEGIN SELECT RAISE(ROLLBACK, 'doomed'); END;";
    crate::support::files::shell(&path).execute_batch(doom).unwrap();
    assert!(store.start(NewTask::new("doomed")).is_err());
    assert_eq!((owner_files(&path).len(), owner_rows(&path)), (1, 0));
    let task = store.start(NewTask::new("good")).unwrap();
    assert_eq!((owner_files(&path).len(), owner_rows(&path)), (1, 1));
    assert_eq!(open(&path).recover().unwrap(), RecoverReport::default());
    task.finish().unwrap();
    drop(store);
    assert_eq!((owner_files(&path), owner_rows(&path)), (vec![], 0));
}
