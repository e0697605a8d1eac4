//! The guard of a task in progress.

use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use chrono::{DateTime, Utc};
use taskstore::testing::{assert_nothing_running, assert_task};
use taskstore::{Error, Level, NewTask, NotEnded, Outcome, Progress, TaskStore};

use crate::support::files::shell;
use crate::support::{ManualClock, Nanoseconds as _, everything, messages, options, temporary};

/// A clock that no row can hold the time of, so that every write is refused.
const NO_TIME: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;

fn store_with_clock() -> (TaskStore, ManualClock) {
    let clock = ManualClock::at_ns(1_000);
    (options().clock(clock.clone()).open_temporary().unwrap(), clock)
}

#[test]
fn a_guard_records_messages_of_every_level_and_progress_until_it_finishes() {
    let store = temporary();
    let task = store.start(NewTask::new("copy")).unwrap();
    let id = task.id();
    task.trace("t").unwrap();
    task.debug("d").unwrap();
    task.info("i").unwrap();
    task.warn("w").unwrap();
    task.error("e").unwrap();
    task.message(Level::Debug, "m").unwrap();
    task.progress(&Progress::new(1).of(2)).unwrap();
    assert_eq!(store.task(id).unwrap().outcome, None);
    task.finish().unwrap();

    let found: Vec<_> = messages(&store, id).into_iter().map(|m| (m.seq, m.level, m.text)).collect();
    let expected = [
        (1, Level::Trace, "t"),
        (2, Level::Debug, "d"),
        (3, Level::Info, "i"),
        (4, Level::Warn, "w"),
        (5, Level::Error, "e"),
        (6, Level::Debug, "m"),
    ];
    assert_eq!(found, expected.map(|(seq, level, text)| (seq, level, text.to_owned())));
    let task = store.task(id).unwrap();
    assert_eq!((task.outcome, task.message_count), (Some(Outcome::Finished), 6));
    assert_eq!(task.progress, Some(Progress::new(1).of(2)));
}

#[test]
fn a_reason_to_fail_becomes_the_last_message_at_level_error_and_an_empty_one_none() {
    let store = temporary();
    for (reason, last) in [("no answer", Some((Level::Error, "no answer".to_owned()))), ("", None)] {
        let task = store.start(NewTask::new("fail")).unwrap();
        let id = task.id();
        task.fail(reason).unwrap();
        assert_eq!(store.task(id).unwrap().outcome, Some(Outcome::Failed));
        assert_eq!(messages(&store, id).pop().map(|message| (message.level, message.text)), last);
    }
}

#[test]
fn a_guard_dropped_without_an_end_records_an_interruption_that_says_so() {
    let store = temporary();
    let task = store.start(NewTask::new("forgotten")).unwrap();
    let id = task.id();
    task.info("begun").unwrap();
    drop(task);
    let said = "ended without finish or fail";
    assert_task!(store, id, interrupted with said, messages ["begun", said]);
    let task = store.task(id).unwrap();
    assert_eq!(task.finished, Some(task.updated));
}

#[test]
fn a_guard_dropped_by_a_panic_records_an_interruption_that_says_so() {
    let store = temporary();
    let mut id = None;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let task = store.start(NewTask::new("unlucky")).unwrap();
        id = Some(task.id());
        panic!("boom");
    }));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"boom"));
    assert_task!(store, id.unwrap(), interrupted, messages["panicked"]);
}

#[test]
fn an_end_that_was_not_recorded_gives_the_task_back_for_another_try() {
    let (store, clock) = store_with_clock();
    let task = store.start(NewTask::new("copy")).unwrap();
    let id = task.id();
    clock.set(NO_TIME);
    let NotEnded { task, error } = task.finish().unwrap_err();
    assert!(matches!(error, Error::TimeOutOfRange { field: "clock", .. }), "{error:?}");
    let NotEnded { task, error } = task.fail("because").unwrap_err();
    assert!(matches!(error, Error::TimeOutOfRange { .. }), "{error:?}");
    assert_eq!(task.id(), id);
    assert_task!(store, id, in progress);

    clock.set_ns(2_000);
    task.info("still in progress").unwrap();
    task.finish().unwrap();
    assert_task!(store, id, finished, messages["still in progress"]);
}

#[test]
fn a_task_given_back_and_dropped_records_nothing_more() {
    let (store, clock) = store_with_clock();
    let task = store.start(NewTask::new("copy")).unwrap();
    let id = task.id();
    clock.set(NO_TIME);
    let not_ended = task.finish().unwrap_err();
    clock.set_ns(2_000);
    let before = everything(&store);
    drop(not_ended);
    assert_eq!(everything(&store), before);
    assert_eq!(before.tasks[0].0.outcome, None);
    // So it can still be ended by its id.
    store.finish(id).unwrap();
}

#[test]
fn an_end_that_was_not_recorded_says_which_task_and_why() {
    let store = temporary();
    let task = store.start(NewTask::new("copy")).unwrap();
    store.finish(task.id()).unwrap();
    let not_ended = task.finish().unwrap_err();
    assert_eq!(not_ended.to_string(), "the end of task 1 was not recorded");
    let refusal = "cannot finish task 1: it is finished; it must be in progress";
    assert_eq!(not_ended.source().unwrap().to_string(), refusal);
    assert_eq!(Error::from(not_ended).to_string(), refusal);
}

#[test]
fn a_guard_of_a_task_that_somebody_else_ended_changes_nothing_when_dropped() {
    let store = temporary();
    let task = store.start(NewTask::new("copy")).unwrap();
    store.fail(task.id(), "by somebody else").unwrap();
    let before = everything(&store);
    assert!(matches!(task.info("late"), Err(Error::WrongState { .. })));
    drop(task);
    assert_eq!(everything(&store), before);
}

#[test]
fn a_detached_task_stays_in_progress_and_is_ended_by_its_id() {
    let store = temporary();
    let id = store.start(NewTask::new("outlives its guard")).unwrap().detach().unwrap();
    assert_task!(store, id, in progress, messages [""; 0]);
    store.finish(id).unwrap();
    assert_task!(store, id, finished);
}

#[test]
fn a_guard_may_be_handed_to_another_thread_and_outlives_every_other_handle() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let task = crate::support::open(&path).start(NewTask::new("elsewhere")).unwrap();
    std::thread::spawn(move || {
        task.info("from another thread").unwrap();
        task.finish().unwrap();
    })
    .join()
    .unwrap();
    let store = crate::support::open(&path);
    assert_task!(store, crate::support::task_id(1), finished, messages["from another thread"]);
}

#[test]
fn a_dropped_guard_gives_up_in_silence_where_the_store_cannot_be_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(Duration::from_millis(10)).open(&path).unwrap();

    let task = store.start(NewTask::new("locked out")).unwrap();
    let id = task.id();
    let other = shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    drop(task);
    other.execute_batch("ROLLBACK").unwrap();
    assert_task!(store, id, in progress);

    let task = store.start(NewTask::new("closed")).unwrap();
    let id = task.id();
    store.close().unwrap();
    drop(task);
    // The closing has interrupted it, and the other.
    let store = crate::support::open(&path);
    for id in [id, crate::support::task_id(1)] {
        assert_task!(store, id, interrupted, messages["interrupted: its store was closed"]);
    }
    assert_nothing_running(&store);
}
