//! Times: exact, and never backwards.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use taskstore::{Error, Level, NewTask, Order, Outcome, Progress, Result, TaskFilter, TaskStore};

use crate::support::{ManualClock, Nanoseconds as _, everything, messages, open, options, start};

fn store_at(ns: i64) -> (TaskStore, ManualClock) {
    let clock = ManualClock::at_ns(ns);
    (options().clock(clock.clone()).open_temporary().unwrap(), clock)
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn every_time_of_a_task_is_the_clock_s_to_the_nanosecond() {
    let (store, clock) = store_at(1_722_434_262_000_123_456);
    let id = start(&store, "switch over");
    clock.advance_ns(1);
    store.message(id, Level::Info, "one").unwrap();
    clock.advance_ns(1);
    store.progress(id, &Progress::new(1)).unwrap();
    let before = store.task(id).unwrap().updated;
    clock.advance_ns(1);
    store.fail(id, "two").unwrap();
    let ended = store.task(id).unwrap();
    clock.advance_ns(1);
    store.dismiss(id, "ann").unwrap();
    let dismissed = store.task(id).unwrap();
    clock.advance_ns(1);
    store.restore(id).unwrap();

    let at = |fraction: &str| utc(&format!("2024-07-31T13:57:42.{fraction}Z"));
    assert_eq!(before, at("000123458"));
    assert_eq!((ended.started, ended.updated), (at("000123456"), at("000123459")));
    assert_eq!((ended.finished, ended.dismissed), (Some(at("000123459")), None));
    assert_eq!((dismissed.finished, dismissed.dismissed), (Some(at("000123459")), Some(at("000123460"))));
    assert_eq!((dismissed.updated, store.task(id).unwrap().updated), (at("000123460"), at("000123461")));
    let said: Vec<_> = messages(&store, id).into_iter().map(|message| message.time).collect();
    assert_eq!(said, [at("000123457"), at("000123459")]);
}

proptest! {
    #[test]
    fn any_time_an_i64_can_count_is_stored_exactly_and_kept_when_the_file_is_reopened(ns: i64, later in 0..i64::MAX) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let clock = ManualClock::at_ns(ns);
        let store = options().clock(clock.clone()).open(&path).unwrap();
        let id = start(&store, "any time");
        let later = ns.saturating_add(later);
        clock.set_ns(later);
        store.fail(id, "because").unwrap();
        store.close().unwrap();
        let store = open(&path);
        let task = store.task(id).unwrap();
        prop_assert_eq!(task.started.timestamp_nanos_opt(), Some(ns));
        prop_assert_eq!(task.finished.and_then(|time| time.timestamp_nanos_opt()), Some(later));
        prop_assert_eq!(task.updated.timestamp_nanos_opt(), Some(later));
        prop_assert_eq!(messages(&store, id)[0].time.timestamp_nanos_opt(), Some(later));
    }
}

#[test]
fn a_clock_before_1970_is_stored_exactly() {
    for text in [
        "1969-12-31T23:59:59.999999999Z",
        "1700-01-01T00:00:00.000000001Z",
        // The first nanosecond that an i64 can count, and the last.
        "1677-09-21T00:12:43.145224192Z",
        "2262-04-11T23:47:16.854775807Z",
    ] {
        let (store, clock) = store_at(0);
        clock.set(utc(text));
        let id = start(&store, "then");
        store.message(id, Level::Info, "then").unwrap();
        store.finish(id).unwrap();
        let task = store.task(id).unwrap();
        assert_eq!((task.started, task.finished), (utc(text), Some(utc(text))));
        assert_eq!(messages(&store, id)[0].time, utc(text));
    }
}

#[test]
fn a_clock_that_no_row_can_hold_refuses_every_verb_by_name_and_writes_nothing() {
    let (store, clock) = store_at(0);
    let prod = store.configurations().add("prod").unwrap();
    let running = start(&store, "running");
    let ended = start(&store, "ended");
    store.finish(ended).unwrap();
    let dismissed = start(&store, "dismissed");
    store.finish(dismissed).unwrap();
    store.dismiss(dismissed, "ann").unwrap();
    let before = everything(&store);

    let nanosecond = TimeDelta::nanoseconds(1);
    let (first, last) = (DateTime::from_timestamp_nanos(i64::MIN), DateTime::from_timestamp_nanos(i64::MAX));
    for time in [first - nanosecond, last + nanosecond, utc("9999-12-31T23:59:59Z"), DateTime::<Utc>::MIN_UTC] {
        clock.set(time);
        let answers: [Result<()>; 9] = [
            store.start_detached(NewTask::new("never")).map(drop),
            store.message(running, Level::Info, "never"),
            store.progress(running, &Progress::new(1)),
            store.finish(running),
            store.fail(running, "never"),
            store.dismiss(ended, "ann"),
            store.dismiss_all(None, "ann").map(drop),
            store.restore(dismissed),
            store.configurations().delete(prod),
        ];
        for answer in answers {
            let error = answer.unwrap_err();
            let named = matches!(error, Error::TimeOutOfRange { field: "clock", time: named } if named == time);
            assert!(named, "{error:?}");
        }
        assert_eq!(everything(&store), before);
    }
    assert_eq!(
        store.finish(running).unwrap_err().to_string(),
        "clock is -262143-01-01 00:00:00 UTC; a time must lie between the years 1678 and 2261"
    );
}

#[test]
fn a_clock_that_goes_back_takes_no_task_back() {
    let (store, clock) = store_at(1_000);
    let id = start(&store, "switch over");
    let updated = || store.task(id).unwrap().updated.timestamp_nanos_opt().unwrap();
    clock.set_ns(2_000);
    store.message(id, Level::Info, "at 2000").unwrap();
    clock.set_ns(-5);
    store.message(id, Level::Info, "at -5").unwrap();
    store.progress(id, &Progress::new(1)).unwrap();
    assert_eq!(updated(), 2_000);
    store.finish(id).unwrap();
    store.dismiss(id, "ann").unwrap();
    let task = store.task(id).unwrap();
    assert_eq!(task.finished.unwrap().timestamp_nanos_opt(), Some(2_000));
    assert_eq!(task.dismissed.unwrap().timestamp_nanos_opt(), Some(2_000));
    store.restore(id).unwrap();
    store.dismiss_all(None, "ann").unwrap();
    assert_eq!(updated(), 2_000);
    // A message keeps the time that the clock told, and its place.
    let said: Vec<_> =
        messages(&store, id).into_iter().map(|m| (m.seq, m.time.timestamp_nanos_opt(), m.text)).collect();
    assert_eq!(said, [(1, Some(2_000), "at 2000".to_owned()), (2, Some(-5), "at -5".to_owned())]);
}

#[test]
fn a_task_that_ends_before_the_clock_says_it_started_ends_when_it_started() {
    for end in [|store: &TaskStore, id| store.finish(id), |store: &TaskStore, id| store.fail(id, "because")] {
        let (store, clock) = store_at(1_000);
        let id = start(&store, "short");
        clock.set_ns(999);
        end(&store, id).unwrap();
        let task = store.task(id).unwrap();
        assert_eq!(task.finished, Some(task.started));
        assert_eq!(task.updated, task.started);
    }
    let (store, clock) = store_at(1_000);
    let task = store.start(NewTask::new("dropped")).unwrap();
    let id = task.id();
    clock.set_ns(999);
    drop(task);
    let task = store.task(id).unwrap();
    assert_eq!((task.outcome, task.finished), (Some(Outcome::Interrupted), Some(task.started)));
}

#[test]
fn lists_go_by_the_order_of_the_starts_whatever_the_clock_says() {
    let (store, clock) = store_at(0);
    let ids: Vec<_> = [50, 10, 40, 10, -7]
        .map(|ns| {
            clock.set_ns(ns);
            start(&store, "when")
        })
        .into();
    let listed = |order| -> Vec<_> {
        let page = store.list(&TaskFilter::new().order(order)).unwrap();
        page.items.into_iter().map(|task| task.id).collect()
    };
    assert_eq!(listed(Order::OldestFirst), ids);
    assert!(listed(Order::NewestFirst).into_iter().eq(ids.into_iter().rev()));
}
