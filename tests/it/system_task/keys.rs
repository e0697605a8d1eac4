//! Runs and log events that are repeated with the same key.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::time::Duration;

use taskstore::{Error, Limits, LogEvent, LogLevel, RunOptions, RunningSystemTask, SystemTaskStatus, TaskStore};

use super::{SECOND_NS, events, history, listed, only_run, said, start, store_at_noon};
use crate::input::HOSTILE;
use crate::support::{Nanoseconds as _, open, options, temporary};

/// Starts a run of this key.
fn start_keyed(store: &TaskStore, name: &str, key: &str) -> RunningSystemTask {
    store.system_tasks().start_with(name, None, RunOptions::new().key(key)).unwrap()
}

fn event(text: &str) -> LogEvent {
    LogEvent::new(LogLevel::Info, text)
}

#[test]
fn a_repeated_start_gives_the_first_run_and_writes_nothing_whatever_else_it_asks_for() {
    let store = temporary();
    let options = || RunOptions::new().key("k");
    let first =
        store.system_tasks().start_with("scan", Some("1"), options().description("first")).unwrap().detach().unwrap();
    let other = options().description("other").never_expires().only_on_failure();
    let again = store.system_tasks().start_with("scan", Some("1"), other).unwrap();
    assert_eq!((again.id(), again.uuid()), (first.id(), first.uuid()));
    again.finish().unwrap();
    let task = listed(&store).remove(0);
    assert_eq!(task.description, "first");
    // It expires as the first start asked, and is shown.
    assert!(only_run(&store, task.uuid).expires.is_some());
    // It has used up no id.
    let next = start(&store, "scan");
    assert_eq!(next.id().get(), first.id().get() + 1);
    next.finish().unwrap();
}

#[test]
fn a_key_of_a_run_is_of_one_system_task() {
    let store = temporary();
    let mut ids = BTreeSet::new();
    for (name, uid) in [("scan", None), ("scan", Some("")), ("scan", Some("1")), ("fetch", None)] {
        let start =
            || store.system_tasks().start_with(name, uid, RunOptions::new().key("k")).unwrap().detach().unwrap();
        let first = start();
        assert_eq!(start().id(), first.id());
        ids.insert(first.id());
    }
    assert_eq!(ids.len(), 4);
}

#[test]
fn a_key_gives_its_run_though_that_has_ended_until_it_is_cleaned_away() {
    let (store, clock) = store_at_noon();
    let first = start_keyed(&store, "scan", "k");
    let (id, uuid) = (first.id(), first.uuid());
    first.set_status(SystemTaskStatus::Warning, ["slow"]).unwrap();
    first.finish().unwrap();
    let before = (listed(&store), history(&store, uuid), events(&store, id));

    let again = start_keyed(&store, "scan", "k");
    assert_eq!(again.id(), id);
    let refused = again.finish().unwrap_err();
    assert!(matches!(refused.error, Error::RunEnded { id: named, .. } if named == id), "{refused:?}");
    // A guard that is dropped leaves it as it is, too.
    drop(start_keyed(&store, "scan", "k"));
    assert_eq!((listed(&store), history(&store, uuid), events(&store, id)), before);

    clock.advance_ns(7 * 3_600 * SECOND_NS);
    assert_eq!(store.clean_expired().unwrap().runs, 1);
    let next = start_keyed(&store, "scan", "k");
    assert!(next.id() > id);
    next.finish().unwrap();
}

#[test]
fn the_duration_counts_from_the_start_that_gave_the_guard() {
    let (store, clock) = store_at_noon();
    let first = start_keyed(&store, "scan", "k").detach().unwrap();
    clock.advance_ns(60 * SECOND_NS);
    let again = start_keyed(&store, "scan", "k");
    clock.advance_ns(SECOND_NS);
    again.finish().unwrap();
    let run = only_run(&store, first.uuid());
    assert_eq!(run.duration, Some(Duration::from_secs(1)));
    assert_eq!((run.finished.unwrap() - run.started).num_seconds(), 61);
}

#[test]
fn a_run_is_found_by_its_key_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let keys = || HOSTILE.iter().filter(|key| !key.is_empty());
    let record = || -> Vec<_> {
        let store = open(&path);
        let ids = keys().map(|key| {
            let run = start_keyed(&store, "scan", key).detach().unwrap();
            store.batch(|batch| keys().try_for_each(|key| batch.log(&run, event(key).key(*key)))).unwrap();
            let said = said(&store, run.id()).into_iter().map(|(_, text)| text);
            assert!(said.eq(keys().map(|&key| key.to_owned())));
            run.id()
        });
        ids.collect()
    };
    let first = record();
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), keys().count());
    assert_eq!(record(), first);
}

#[test]
fn an_event_of_a_key_is_logged_once_though_the_run_has_ended() {
    let store = temporary();
    let run = start(&store, "scan");
    run.log(event("before")).unwrap();
    run.log(event("once").key("k")).unwrap();
    run.log(LogEvent::new(LogLevel::Error, "something else").logger("other").key("k")).unwrap();
    run.log(event("once").key("other key")).unwrap();
    run.log(event("once")).unwrap();
    let texts = ["before", "once", "once", "once"].map(|text| (LogLevel::Info, text.to_owned()));
    assert_eq!(said(&store, run.id()), texts);

    let started = run.started().clone();
    run.finish().unwrap();
    let log = |event| store.batch(|batch| batch.log(&started, event));
    log(event("once").key("k")).unwrap();
    let refused = log(event("late").key("late")).unwrap_err();
    assert!(matches!(refused, Error::RunEnded { .. }), "{refused:?}");
    assert_eq!(said(&store, started.id()), texts);
    assert_eq!(only_run(&store, started.uuid()).event_count, 4);
}

#[test]
fn a_key_of_an_event_is_of_one_run() {
    let store = temporary();
    let runs = [(); 2].map(|()| start(&store, "scan"));
    for run in runs {
        run.log(event("e").key("k")).unwrap();
        assert_eq!(events(&store, run.id()).len(), 1);
        run.finish().unwrap();
    }
}

#[test]
fn a_batch_finds_its_own_keys_and_a_batch_that_fails_leaves_none() {
    let store = temporary();
    let work = |fails: bool| {
        store.batch(|batch| {
            let options = || RunOptions::new().key("k");
            let run = batch.start_run("scan", None, options())?;
            batch.log(&run, event("e").key("k"))?;
            let again = batch.start_run("scan", None, options())?;
            assert_eq!(again.id(), run.id());
            batch.log(&again, event("e").key("k"))?;
            if fails { Err(Error::Closed) } else { Ok(run) }
        })
    };
    work(true).unwrap_err();
    let run = work(false).unwrap();
    assert_eq!((run.id().get(), events(&store, run.id()).len()), (1, 1));
    assert_eq!(work(false).unwrap().id(), run.id());
    assert_eq!(only_run(&store, run.uuid()).event_count, 1);
}

#[test]
fn eight_threads_with_one_key_start_one_run_with_one_event() {
    let store = temporary();
    let barrier = Barrier::new(8);
    for round in 0..50 {
        let key = round.to_string();
        let race = || {
            barrier.wait();
            let run = start_keyed(&store, "scan", &key);
            run.log(event("e").key("k")).unwrap();
            run.detach().unwrap().id()
        };
        let ids: BTreeSet<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..8).map(|_| scope.spawn(race)).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert!(ids.iter().all(|id| events(&store, *id).len() == 1));
    }
    let uuid = store.system_tasks().find("scan", None).unwrap().unwrap();
    assert_eq!(history(&store, uuid).len(), 50);
}

#[test]
fn a_key_that_no_name_could_be_is_refused_and_nothing_is_written() {
    let limits = Limits { name_bytes_max: 4, ..Limits::default() };
    let store = options().limits(limits).open_temporary().unwrap();
    let run = start_keyed(&store, "scan", "1\u{20ac}").detach().unwrap();
    for (key, text) in [
        ("", "key must not be empty"),
        ("\0", "key must not contain NUL (U+0000)"),
        ("12345", "key is 5 bytes long; the limit is 4"),
    ] {
        let start = store.system_tasks().start_with("new", None, RunOptions::new().key(key)).unwrap_err();
        let log = store.batch(|batch| batch.log(&run, event("e").key(key))).unwrap_err();
        assert_eq!([start, log].map(|error| error.to_string()), [text; 2]);
    }
    assert_eq!(store.system_tasks().find("new", None).unwrap(), None);
    assert_eq!(events(&store, run.id()), []);
}
