//! What is written, when, and who sees it.

use taskstore::wire::task_api::{DismissedMember, write_task};
use taskstore::{Level, NewTask, Progress, TaskFilter};

use super::{SECOND_NS, Watched, done_of, record};
use crate::support::{Nanoseconds as _, open, start};

#[test]
fn a_thousand_calls_within_a_second_are_one_write() {
    let watched = Watched::new();
    let id = start(&watched.store, "copy");
    for done in 0..1_000 {
        record(&watched.store, id, done);
        watched.clock.advance_ns(1_000_000 - 1);
    }
    assert_eq!(watched.written(), [(0, 0)]);
}

#[test]
fn the_first_call_when_a_second_is_over_is_written_with_what_it_says() {
    let watched = Watched::new();
    let id = start(&watched.store, "copy");
    for (done, ns) in [(1, 0), (2, 1), (3, SECOND_NS - 2), (4, 1), (5, SECOND_NS - 1), (6, 1), (7, 5 * SECOND_NS)] {
        watched.clock.advance_ns(ns);
        record(&watched.store, id, done);
    }
    assert_eq!(watched.written(), [(1, 0), (4, SECOND_NS), (6, 2 * SECOND_NS), (7, 7 * SECOND_NS)]);
}

#[test]
fn a_second_is_one_of_the_monotonic_clock() {
    let watched = Watched::new();
    let id = start(&watched.store, "copy");
    for (done, ns) in [(1, 0), (2, 10 * SECOND_NS), (3, -10 * SECOND_NS)] {
        watched.clock.set_ns(ns);
        record(&watched.store, id, done);
    }
    assert_eq!(watched.amounts(), [1]);
    watched.clock.advance_ns(SECOND_NS);
    record(&watched.store, id, 4);
    assert_eq!(watched.amounts(), [1, 4]);
}

#[test]
fn each_task_has_a_second_of_its_own() {
    let watched = Watched::new();
    let ids = ["one", "other"].map(|title| start(&watched.store, title));
    record(&watched.store, ids[0], 1);
    watched.clock.advance_ns(SECOND_NS / 2);
    record(&watched.store, ids[0], 2);
    record(&watched.store, ids[1], 3);
    watched.clock.advance_ns(SECOND_NS / 2);
    record(&watched.store, ids[0], 4);
    record(&watched.store, ids[1], 5);
    assert_eq!(watched.amounts(), [1, 3, 4]);
    assert_eq!(ids.map(|id| watched.done(id)), [4, 5]);
}

#[test]
fn the_store_itself_shows_the_newest_progress_and_others_what_is_written() {
    let watched = Watched::new();
    let other = open(&watched.path);
    let id = start(&watched.store, "copy");
    record(&watched.store, id, 1);
    watched.clock.advance_ns(7);
    let newest = Progress::new(2).of(3).phase("copying");
    watched.store.progress(id, &newest).unwrap();

    let task = watched.store.clone().task(id).unwrap();
    assert_eq!((task.progress.as_ref(), task.updated.timestamp_nanos_opt()), (Some(&newest), Some(7)));
    assert_eq!(watched.store.list(&TaskFilter::new()).unwrap().items, std::slice::from_ref(&task));
    assert_eq!(watched.store.batch(|batch| batch.task(id)).unwrap(), task);

    let in_file = other.task(id).unwrap();
    assert_eq!((in_file.progress, in_file.updated), (Some(Progress::new(1)), in_file.started));
    let on_wire = |store| {
        let mut answer = Vec::new();
        write_task(store, id, DismissedMember::HiddenBy, &mut answer).unwrap();
        answer
    };
    assert_eq!(on_wire(&watched.store), on_wire(&other), "the wire shows what is written");

    watched.clock.advance_ns(SECOND_NS);
    watched.store.progress(id, &Progress::new(3)).unwrap();
    assert_eq!(other.task(id).unwrap(), watched.store.task(id).unwrap());
}

#[test]
fn a_kept_progress_takes_no_time_back() {
    let watched = Watched::new();
    let id = start(&watched.store, "copy");
    record(&watched.store, id, 1);
    watched.clock.set_ns(100);
    watched.store.message(id, Level::Info, "at 100").unwrap();
    watched.clock.set_ns(50);
    record(&watched.store, id, 2);
    let updated = || watched.store.task(id).unwrap().updated.timestamp_nanos_opt();
    assert_eq!((watched.done(id), updated()), (2, Some(100)));
    watched.clock.set_ns(200);
    record(&watched.store, id, 3);
    watched.clock.set_ns(150);
    watched.store.message(id, Level::Info, "at 150").unwrap();
    assert_eq!((watched.done(id), updated()), (3, Some(200)));
    watched.store.finish(id).unwrap();
    let task = watched.store.task(id).unwrap();
    assert_eq!((task.finished, task.updated.timestamp_nanos_opt()), (Some(task.updated), Some(200)));
}

#[test]
fn the_input_is_checked_before_it_is_kept() {
    let watched = Watched::new();
    let id = start(&watched.store, "copy");
    record(&watched.store, id, 1);
    watched.store.progress(id, &Progress::new(u64::MAX)).unwrap_err();
    watched.store.progress(id, &Progress::new(2).of(u64::MAX)).unwrap_err();
    watched.store.progress(id, &Progress::new(2).phase("\0")).unwrap_err();
    assert_eq!(watched.done(id), 1);
    watched.store.finish(id).unwrap();
    assert_eq!(watched.amounts(), [1]);
}

/// Whoever falls silent with a task that another process ends must not be remembered for ever.
#[test]
fn what_silent_tasks_have_said_last_is_written_when_there_are_many() {
    let watched = Watched::new();
    let other = open(&watched.path);
    let silent: Vec<_> = (0..200).map(|_| start(&watched.store, "silent")).collect();
    for id in &silent {
        record(&watched.store, *id, 1);
        record(&watched.store, *id, 2);
    }
    other.finish(silent[0]).unwrap();
    watched.clock.advance_ns(SECOND_NS);
    let lively = start(&watched.store, "lively");
    record(&watched.store, lively, 1);
    record(&watched.store, lively, 2);
    for _ in 0..600 {
        let task = watched.store.start(NewTask::new("one more")).unwrap();
        record(&watched.store, task.id(), 0);
        let _ = task.detach().unwrap();
    }
    assert_eq!(done_of(&other, silent[0]), 1, "it was ended before");
    let late = watched.store.progress(silent[0], &Progress::new(3));
    assert!(matches!(late, Err(taskstore::Error::WrongState { .. })), "{late:?}");
    for id in &silent[1..] {
        assert_eq!(done_of(&other, *id), 2);
    }
    assert_eq!(done_of(&other, lively), 1, "its second is not over");
    assert_eq!(done_of(&watched.store, lively), 2);
}
