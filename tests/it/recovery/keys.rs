//! A start that is repeated with a key: who answers for what it finds.

use taskstore::{NewTask, Outcome, RunOptions};

use super::{end_of, owner_rows, run_of};
use crate::support::{open, options};

fn keyed() -> NewTask {
    NewTask::new("once").key("k")
}

#[test]
fn a_repeated_start_answers_for_a_task_that_is_nobodys() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (store, options_of_run) = (open(&path), || RunOptions::new().key("k"));
    let id = store.start_detached(keyed()).unwrap();
    let run = store.system_tasks().start_with("once", None, options_of_run()).unwrap().detach().unwrap();
    let other = open(&path);
    let task = other.start(keyed()).unwrap();
    let again = other.system_tasks().start_with("once", None, options_of_run()).unwrap();
    assert_eq!((task.id(), again.id()), (id, run.id()));
    // As a process that dies now: its store is closed under the guards.
    other.close().unwrap();
    assert_eq!(end_of(&store, id).0, Some(Outcome::Interrupted));
    assert!(run_of(&store, run.uuid()).interrupted);
}

#[test]
fn a_repeated_start_takes_nothing_from_another_owner_and_lets_nothing_of_it_go() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (store, other) = (open(&path), open(&path));
    let first = store.start(keyed()).unwrap();
    let again = other.start(keyed()).unwrap();
    assert_eq!(again.detach().unwrap(), first.id());
    other.close().unwrap();
    assert_eq!(end_of(&store, first.id()).0, None);
    store.close().unwrap();
    assert_eq!(end_of(&open(&path), first.id()).0, Some(Outcome::Interrupted));
}

#[test]
fn a_repeated_start_of_what_has_ended_makes_no_owner() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().open(&path).unwrap();
    let id = store.start_detached(keyed()).unwrap();
    store.finish(id).unwrap();
    let again = store.start(keyed()).unwrap();
    assert_eq!((again.id(), owner_rows(&path)), (id, 0));
    drop(again);
    assert_eq!(end_of(&store, id).0, Some(Outcome::Finished));
}
