//! How a run ends: by its guard, without it, and as a piece of work.

use std::error::Error as StdError;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use chrono::{DateTime, Utc};
use taskstore::{Error, Limits, LogLevel, NotEnded, RunError, RunOptions, SystemTaskStatus};
use uuid::Uuid;

use super::{NOON_NS, events, history, listed, only_run, said, start, store_at_noon};
use crate::support::{Nanoseconds as _, options, temporary};

type Anything = Box<dyn StdError + Send + Sync>;

/// A clock that no row can hold the time of, so that every write is refused.
const NO_TIME: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;

/// How the only run of the only system task ended: its status, whether it was interrupted, its events.
fn ended(store: &taskstore::TaskStore) -> (Option<SystemTaskStatus>, bool, Vec<(LogLevel, String)>) {
    let run = only_run(store, listed(store)[0].uuid);
    assert!(run.finished.is_some());
    assert_eq!(run.event_count, events(store, run.id).len() as u64);
    (run.status, run.interrupted, said(store, run.id))
}

fn error(text: &str) -> (LogLevel, String) {
    (LogLevel::Error, text.to_owned())
}

#[test]
fn a_guard_dropped_without_an_end_records_an_interruption_that_says_so() {
    let store = temporary();
    let run = start(&store, "scan");
    run.info("begun", ()).unwrap();
    run.set_status(SystemTaskStatus::Successful, ["so far"]).unwrap();
    drop(run);
    let info = |text: &str| (LogLevel::Info, text.to_owned());
    let events = vec![info("begun"), info("so far"), error("ended without finish")];
    assert_eq!(ended(&store), (Some(SystemTaskStatus::Error), true, events));
    assert_eq!(events_of_only_run(&store)[2].logger, "scan");
}

fn events_of_only_run(store: &taskstore::TaskStore) -> Vec<taskstore::LoggedEvent> {
    events(store, only_run(store, listed(store)[0].uuid).id)
}

#[test]
fn a_guard_dropped_by_a_panic_records_an_interruption_that_says_so() {
    let store = temporary();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _run = start(&store, "scan");
        panic!("boom");
    }));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"boom"));
    assert_eq!(ended(&store), (Some(SystemTaskStatus::Error), true, vec![error("panicked")]));
}

#[test]
fn a_guard_dropped_after_its_store_was_closed_does_nothing_more() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = crate::support::open(&path);
    let run = start(&store, "scan");
    let uuid = run.uuid();
    store.close().unwrap();
    assert!(matches!(run.info("late", ()), Err(Error::Closed)));
    drop(run);
    let store = crate::support::open(&path);
    assert!(only_run(&store, uuid).interrupted);
    assert_eq!(ended(&store), (Some(SystemTaskStatus::Error), true, vec![error("interrupted: its store was closed")]));
}

#[test]
fn an_end_that_was_not_recorded_gives_the_run_back_for_another_try() {
    let (store, clock) = store_at_noon();
    let run = start(&store, "scan");
    let uuid = run.uuid();
    clock.set(NO_TIME);
    let NotEnded { task, error } = run.finish().unwrap_err();
    assert!(matches!(error, Error::TimeOutOfRange { field: "clock", .. }), "{error:?}");
    assert_eq!((task.uuid(), only_run(&store, uuid).finished), (uuid, None));

    clock.set_ns(NOON_NS);
    task.info("still in progress", ()).unwrap();
    task.finish().unwrap();
    assert_eq!(only_run(&store, uuid).status, Some(SystemTaskStatus::Successful));
}

#[test]
fn a_run_whose_end_was_not_recorded_is_left_in_progress_when_it_is_dropped() {
    let (store, clock) = store_at_noon();
    let run = start(&store, "scan");
    let uuid = run.uuid();
    clock.set(NO_TIME);
    let not_ended = run.finish().unwrap_err();
    clock.set_ns(NOON_NS);
    drop(not_ended);
    let run = only_run(&store, uuid);
    assert_eq!((run.finished, run.interrupted, run.event_count), (None, false, 0));
}

#[test]
fn work_that_is_done_gives_its_value_and_ends_as_successful_or_with_the_status_it_set() {
    let store = temporary();
    let value = store.system_tasks().run("scan", Some("disk"), |run| {
        run.info("1 file", ())?;
        Ok::<_, Error>(run.id())
    });
    let task = listed(&store).remove(0);
    assert_eq!(Some(value.unwrap()), task.shown_run.as_ref().map(|run| run.id));
    assert_eq!((task.full_name().as_str(), task.status()), ("scan:disk", SystemTaskStatus::Successful));

    let work = |run: &taskstore::RunningSystemTask| run.set_status(SystemTaskStatus::Warning, ["1 file is odd"]);
    store.system_tasks().run("scan", Some("disk"), work).unwrap();
    assert_eq!(listed(&store)[0].status(), SystemTaskStatus::Warning);
}

#[test]
fn work_that_fails_ends_with_the_texts_of_its_error_and_gives_the_error_back() {
    let store = temporary();
    let failed = store.system_tasks().run("scan", None, |run| {
        run.set_status(SystemTaskStatus::Successful, ["too early"])?;
        let cause = std::io::Error::other("no such disk");
        Err::<(), Anything>(Error::Io { action: "scan", source: cause }.into())
    });
    let Err(RunError::Work { source }) = failed else { panic!("{failed:?}") };
    assert!(matches!(source.downcast_ref(), Some(Error::Io { action: "scan", .. })), "{source:?}");
    let events = vec![(LogLevel::Info, "too early".to_owned()), error("could not scan: no such disk")];
    assert_eq!(ended(&store), (Some(SystemTaskStatus::Error), false, events));
    assert_eq!(events_of_only_run(&store)[1].logger, "scan");
}

#[test]
fn an_error_longer_than_an_event_may_be_is_cut_at_a_character() {
    let limits = Limits { text_bytes_max: 8, ..Limits::default() };
    let store = options().limits(limits).open_temporary().unwrap();
    let failed = store.system_tasks().run("scan", None, |_| Err::<(), _>("1234567\u{20ac}"));
    assert!(matches!(failed, Err(RunError::Work { .. })), "{failed:?}");
    assert_eq!(ended(&store), (Some(SystemTaskStatus::Error), false, vec![error("1234567")]));
}

#[test]
fn work_that_panics_is_recorded_as_an_interruption_with_its_text_and_the_panic_goes_on() {
    let panics: [(fn(), &str); 3] = [
        (|| panic!("boom"), "panicked: boom"),
        (|| panic!("boom {}", black_box(1)), "panicked: boom 1"),
        (|| panic_any(1_u8), "panicked"),
    ];
    for (panic, expected) in panics {
        let store = temporary();
        let work = AssertUnwindSafe(|| {
            store.system_tasks().run("scan", None, |_| {
                panic();
                Ok::<_, Error>(())
            })
        });
        let payload = catch_unwind(work).unwrap_err();
        assert_eq!(ended(&store), (Some(SystemTaskStatus::Error), true, vec![error(expected)]));
        assert_eq!(payload.downcast_ref::<&str>().is_some(), expected == "panicked: boom");
    }
}

#[test]
fn work_of_a_run_that_cannot_start_is_not_done() {
    let store = temporary();
    let mut done = false;
    let refused = store.system_tasks().run("", None, |_| {
        done = true;
        Ok::<_, Error>(())
    });
    let Err(RunError::NotStarted { source }) = refused else { panic!("{refused:?}") };
    assert!(matches!(source, Error::Invalid { field: "name", .. }), "{source:?}");
    assert!(!done);
}

#[test]
fn work_whose_end_is_not_recorded_is_told_from_work_that_failed() {
    let (store, clock) = store_at_noon();
    let done = store.system_tasks().run("scan", None, |run| {
        clock.set(NO_TIME);
        Ok::<_, Error>(run.uuid())
    });
    assert!(matches!(done, Err(RunError::NotFinished { source: Error::TimeOutOfRange { .. } })), "{done:?}");

    clock.set_ns(NOON_NS);
    let failed = store.system_tasks().run("scan", None, |_| {
        clock.set(NO_TIME);
        Err::<(), _>("no disk")
    });
    let Err(RunError::NotFailed { source, error }) = failed else { panic!("{failed:?}") };
    assert_eq!(source.to_string(), "no disk");
    assert!(matches!(error, Error::TimeOutOfRange { .. }), "{error:?}");

    // The first uuid that the store gave out.
    let runs = history(&store, Uuid::from_u128(1));
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| run.finished.is_none() && run.event_count == 0), "{runs:?}");
}

#[test]
fn options_of_a_piece_of_work_are_those_of_its_run() {
    let store = temporary();
    let options = RunOptions::new().description("Scans").never_expires();
    store.system_tasks().run_with("scan", None, options, |_| Ok::<_, Error>(())).unwrap();
    let task = listed(&store).remove(0);
    assert_eq!((task.description.as_str(), task.shown_run.unwrap().expires), ("Scans", None));
}
