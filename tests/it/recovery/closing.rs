//! Who closes its store answers for nothing any more.

use taskstore::{Error, Level, NewTask, NotEnded, Outcome, RecoverReport};

use super::{end_of, owner_files, owner_rows, run_of};
use crate::support::files::{mode, shell};
use crate::support::{open, options, task_id, texts};

const CLOSED: &str = "interrupted: its store was closed";

#[test]
fn a_lock_file_is_made_for_the_first_work_that_is_answered_for_and_goes_with_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let id = store.start_detached(NewTask::new("nobody's")).unwrap();
    store.message(id, Level::Info, "x").unwrap();
    store.batch(|batch| batch.start_run("nobody's", None, taskstore::RunOptions::new()).map(drop)).unwrap();
    assert_eq!((owner_files(&path), owner_rows(&path)), (vec![], 0));

    let task = store.start(NewTask::new("ours")).unwrap();
    let files = owner_files(&path);
    assert_eq!((files.len(), owner_rows(&path)), (1, 1));
    let file = path.with_file_name(&files[0]);
    assert_eq!((mode(&file), file.metadata().unwrap().len()), (0o600, 0));
    task.finish().unwrap();
    store.system_tasks().run("ours", None, |_| Ok::<_, Error>(())).unwrap();
    store.run(NewTask::new("ours"), |_| Ok::<_, Error>(())).unwrap();
    assert_eq!((owner_files(&path), owner_rows(&path)), (files, 1));

    store.close().unwrap();
    assert_eq!((owner_files(&path), owner_rows(&path)), (vec![], 0));
}

#[test]
fn a_store_that_is_closed_under_its_guards_interrupts_what_they_answer_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let task = store.start(NewTask::new("still at it")).unwrap();
    let run = store.system_tasks().start("still at it", None).unwrap();
    let detached = store.start(NewTask::new("let go")).unwrap().detach().unwrap();
    let let_go = store.system_tasks().start("let go", None).unwrap().detach().unwrap();
    store.close().unwrap();
    assert_eq!((owner_files(&path), owner_rows(&path)), (vec![], 0));

    let NotEnded { task, error } = task.finish().unwrap_err();
    assert!(matches!(error, Error::Closed));
    let uuid = run.uuid();
    assert!(matches!(run.finish().unwrap_err().error, Error::Closed));
    let store = open(&path);
    assert_eq!(end_of(&store, task.id()), (Some(Outcome::Interrupted), vec![CLOSED.to_owned()]));
    assert!(run_of(&store, uuid).interrupted);
    assert_eq!(end_of(&store, detached), (None, vec![]));
    assert_eq!(run_of(&store, let_go.uuid()).finished, None);
}

/// A guard whose end failed tries none when it is dropped.
#[test]
fn the_last_handle_that_goes_interrupts_what_could_not_be_ended() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(std::time::Duration::from_millis(10)).open(&path).unwrap();
    let task = store.start(NewTask::new("not ended")).unwrap();
    let other = shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(task.finish().unwrap_err().error, Error::Busy { .. }));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(end_of(&store, task_id(1)).0, None);
    drop(store);
    assert_eq!((owner_files(&path), owner_rows(&path)), (vec![], 0));
    assert_eq!(texts(&open(&path), task_id(1)), [CLOSED]);
}

#[test]
fn what_a_closing_store_cannot_write_is_left_to_the_next_recovery() {
    for by_name in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let store = options().busy_timeout(std::time::Duration::from_millis(10)).open(&path).unwrap();
        let task = store.start(NewTask::new("still at it")).unwrap();
        let other = shell(&path);
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        if by_name {
            store.close().unwrap();
            drop(task);
        } else {
            drop((task, store));
        }
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!((owner_files(&path).len(), owner_rows(&path)), (1, 1));

        let store = options().recover(false).open(&path).unwrap();
        assert_eq!(end_of(&store, task_id(1)).0, None);
        let report = store.recover().unwrap();
        assert_eq!((report.tasks, report.runs, report.owners), (1, 0, 1));
        assert_eq!(
            end_of(&store, task_id(1)),
            (Some(Outcome::Interrupted), vec![super::by_process(std::process::id())])
        );
        assert_eq!(store.recover().unwrap(), RecoverReport::default());
        assert_eq!((owner_files(&path), owner_rows(&path)), (vec![], 0));
    }
}

#[test]
fn a_task_that_cannot_be_let_go_is_given_back_and_answered_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(std::time::Duration::from_millis(10)).open(&path).unwrap();
    let task = store.start(NewTask::new("held")).unwrap();
    let run = store.system_tasks().start("held", None).unwrap();
    let other = shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let not_detached = task.detach().unwrap_err();
    assert_eq!(not_detached.to_string(), "task 1 was not detached");
    assert!(matches!(not_detached.error, Error::Busy { .. }));
    let run_not_detached = run.detach().unwrap_err();
    assert_eq!(run_not_detached.to_string(), "run 1 was not detached");
    other.execute_batch("ROLLBACK").unwrap();
    run_not_detached.task.detach().unwrap();
    drop(not_detached);
    assert_eq!(
        end_of(&store, task_id(1)),
        (Some(Outcome::Interrupted), vec!["ended without finish or fail".to_owned()])
    );
}

#[test]
fn in_memory_nobody_owns_anything() {
    let store = taskstore::TaskStore::open_in_memory().unwrap();
    let task = store.start(NewTask::new("t")).unwrap();
    assert_eq!(store.recover().unwrap(), RecoverReport::default());
    let id = task.detach().unwrap();
    assert_eq!(end_of(&store, id).0, None);
}
