//! Starts of tasks.

use taskstore::{Error, NewTask, Outcome, RunError, TaskState};

use super::start;
use crate::input::HOSTILE;
use crate::support::{configuration_id, everything, open, temporary, texts};

#[test]
fn a_repeated_start_gives_the_first_task_and_writes_nothing_whatever_else_it_asks_for() {
    let store = temporary();
    let first = store.start_detached(NewTask::new("first").performed_by("ann").key("k")).unwrap();
    let before = everything(&store);
    let prod = configuration_id(9);
    for other in [NewTask::new("first"), NewTask::new("other").performed_by("bob").configuration(prod)] {
        assert_eq!(store.start_detached(other.key("k")).unwrap(), first);
    }
    assert_eq!(everything(&store), before);
    // It has used up no id.
    assert_eq!(start(&store, "other key").unwrap().get(), first.get() + 1);
}

#[test]
fn tasks_without_a_key_are_as_many_as_there_are_starts() {
    let store = temporary();
    let ids = [(); 3].map(|()| store.start_detached(NewTask::new("t")).unwrap().get());
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn a_key_gives_its_task_whatever_that_has_become_until_it_is_deleted() {
    let store = temporary();
    let id = start(&store, "k").unwrap();
    let is_found = || assert_eq!(start(&store, "k").unwrap(), id);
    store.fail(id, "no space").unwrap();
    is_found();
    store.dismiss(id, "ann").unwrap();
    is_found();
    assert_eq!(store.task(id).unwrap().state(), TaskState::Dismissed);
    store.restore(id).unwrap();
    is_found();
    store.delete(id).unwrap();
    let next = start(&store, "k").unwrap();
    assert!(next > id);
    assert_eq!(everything(&store).tasks.len(), 1);
    assert_eq!(start(&store, "k").unwrap(), next);
}

#[test]
fn a_key_is_of_the_file_and_not_of_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (one, other) = (open(&path), open(&path));
    let id = start(&one, "k").unwrap();
    assert_eq!(start(&other, "k").unwrap(), id);
    one.close().unwrap();
    other.close().unwrap();
    assert_eq!(start(&open(&path), "k").unwrap(), id);
    // Another file knows nothing of it, and gives its own first id.
    let another = temporary();
    start(&another, "its own").unwrap();
    assert_eq!(start(&another, "k").unwrap().get(), id.get() + 1);
}

#[test]
fn every_hostile_key_is_one_key_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let keys = || HOSTILE.iter().filter(|key| !key.is_empty());
    let store = open(&path);
    let ids: Vec<_> = keys().map(|key| start(&store, key).unwrap().get()).collect();
    assert!(ids.iter().copied().eq(1..=ids.len() as i64), "{ids:?}");
    store.close().unwrap();
    let store = open(&path);
    assert!(keys().map(|key| start(&store, key).unwrap().get()).eq(ids));
    // Neither is a key folded, trimmed or normalised.
    let keys = ["k", "K", "k ", " k", "é", "e\u{301}"].map(|key| start(&store, key).unwrap());
    assert!(keys.is_sorted_by(|one, next| one < next), "{keys:?}");
}

#[test]
fn a_batch_finds_its_own_keys_and_a_batch_that_fails_leaves_none() {
    let store = temporary();
    let failed = store.batch(|batch| {
        let id = batch.start_detached(NewTask::new("t").key("k"))?;
        assert_eq!(batch.start_detached(NewTask::new("again").key("k"))?, id);
        Err::<(), _>(Error::Closed)
    });
    assert!(matches!(failed, Err(Error::Closed)));
    assert_eq!(everything(&store).tasks, []);

    let work = |batch: &taskstore::Batch<'_>| {
        let id = batch.start_detached(NewTask::new("t").key("k"))?;
        batch.message_once(id, "one", taskstore::Level::Info, "one")?;
        batch.start_detached(NewTask::new("without"))?;
        Ok::<_, Error>(id)
    };
    let first = store.batch(work).unwrap();
    assert_eq!(store.batch(work).unwrap(), first);
    assert_eq!(texts(&store, first), ["one"]);
    assert_eq!(everything(&store).tasks.len(), 3);
}

#[test]
fn a_guard_of_a_repeated_start_ends_the_first_task() {
    let store = temporary();
    let lost = store.start(NewTask::new("t").key("k")).unwrap();
    let id = lost.detach().unwrap();
    let again = store.start(NewTask::new("t").key("k")).unwrap();
    assert_eq!(again.id(), id);
    again.info("goes on").unwrap();
    again.finish().unwrap();
    assert_eq!(store.task(id).unwrap().outcome, Some(Outcome::Finished));
}

#[test]
fn a_guard_of_a_task_that_has_ended_leaves_it_as_it_is_and_one_of_a_task_in_progress_interrupts_it() {
    let store = temporary();
    let ended = start(&store, "ended").unwrap();
    store.fail(ended, "because").unwrap();
    let before = everything(&store);
    drop(store.start(NewTask::new("t").key("ended")).unwrap());
    let refused = store.start(NewTask::new("t").key("ended")).unwrap().finish().unwrap_err();
    assert!(matches!(refused.error, Error::WrongState { found: TaskState::Failed, .. }), "{refused:?}");
    assert_eq!(everything(&store), before);

    let first = store.start(NewTask::new("t").key("running")).unwrap();
    drop(store.start(NewTask::new("t").key("running")).unwrap());
    assert_eq!(store.task(first.id()).unwrap().outcome, Some(Outcome::Interrupted));
}

#[test]
fn work_is_done_at_every_run_and_recorded_as_one_task() {
    let store = temporary();
    let mut done = 0;
    let mut run = || {
        store.run(NewTask::new("t").key("k"), |_| {
            done += 1;
            Ok::<_, Error>(())
        })
    };
    run().unwrap();
    let again = run().unwrap_err();
    assert!(matches!(again, RunError::NotFinished { source: Error::WrongState { .. } }), "{again:?}");
    assert_eq!((done, everything(&store).tasks.len()), (2, 1));
}
