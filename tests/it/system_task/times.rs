//! When a run started and ended, and how long it took.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use taskstore::{Error, LogEvent, LogLevel, RunOptions};

use super::{NOON_NS, SECOND_NS, events, history, listed, only_run, start, store_at_noon};
use crate::support::{Nanoseconds as _, temporary};

fn time(ns: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(ns)
}

#[test]
fn the_times_of_a_run_are_kept_to_the_nanosecond() {
    let (store, clock) = store_at_noon();
    clock.advance_ns(123_456_789);
    let run = start(&store, "scan");
    let uuid = run.uuid();
    clock.advance_ns(1);
    run.info("e", ()).unwrap();
    clock.advance_ns(2 * SECOND_NS);
    run.finish().unwrap();
    let run = only_run(&store, uuid);
    let started = NOON_NS + 123_456_789;
    assert_eq!((run.started, run.finished), (time(started), Some(time(started + 2 * SECOND_NS + 1))));
    assert_eq!(run.duration, Some(Duration::new(2, 1)));
    assert_eq!(events(&store, run.id)[0].time, time(started + 1));
}

#[test]
fn a_run_that_takes_no_time_has_a_duration_of_zero() {
    let (store, _) = store_at_noon();
    let uuid = super::finished(&store, "scan", None);
    let run = only_run(&store, uuid);
    assert_eq!((run.started, run.finished, run.duration), (time(NOON_NS), Some(time(NOON_NS)), Some(Duration::ZERO)));
}

#[test]
fn the_duration_is_monotonic_though_the_wall_clock_goes_back_and_no_run_ends_before_it_started() {
    let (store, clock) = store_at_noon();
    let run = start(&store, "scan");
    let uuid = run.uuid();
    clock.advance_ns(5 * SECOND_NS);
    clock.advance_ns(-3_600 * SECOND_NS);
    run.info("earlier", ()).unwrap();
    run.finish().unwrap();
    let run = only_run(&store, uuid);
    assert_eq!((run.started, run.finished), (time(NOON_NS), Some(time(NOON_NS))));
    assert_eq!(run.duration, Some(Duration::from_secs(5)));
    // The default expiry counts from the end that was stored.
    assert_eq!(run.expires, Some(time(NOON_NS) + TimeDelta::hours(6)));
    // An event has the time that the clock said.
    assert_eq!(events(&store, run.id)[0].time, time(NOON_NS - 3_595 * SECOND_NS));
}

#[test]
fn the_duration_is_monotonic_though_the_wall_clock_jumps_ahead() {
    let (store, clock) = store_at_noon();
    let run = start(&store, "scan");
    let uuid = run.uuid();
    clock.advance_ns(SECOND_NS);
    clock.set_ns(NOON_NS + 3_600 * SECOND_NS);
    drop(run);
    let run = only_run(&store, uuid);
    assert_eq!(run.finished, Some(time(NOON_NS + 3_600 * SECOND_NS)));
    assert_eq!(run.duration, Some(Duration::from_secs(1)));
}

#[test]
fn a_run_started_in_one_batch_and_ended_in_another_has_the_duration_between() {
    let (store, clock) = store_at_noon();
    let run = store.batch(|batch| batch.start_run("scan", None, RunOptions::new())).unwrap();
    clock.advance_ns(7 * SECOND_NS);
    store.batch(|batch| batch.finish_run(&run)).unwrap();
    assert_eq!(only_run(&store, run.uuid()).duration, Some(Duration::from_secs(7)));
}

#[test]
fn the_machines_own_clock_tells_a_duration_of_the_same_size_as_the_times() {
    let store = temporary();
    let before = Utc::now();
    let run = start(&store, "scan");
    run.info("e", ()).unwrap();
    run.finish().unwrap();
    let run = listed(&store).remove(0).shown_run.unwrap();
    assert!(before <= run.started && run.finished.unwrap() <= Utc::now());
    assert!(run.duration.unwrap() > Duration::ZERO);
}

#[test]
fn a_time_that_no_row_can_hold_is_refused_by_every_verb_and_nothing_is_written() {
    let (store, clock) = store_at_noon();
    let run = start(&store, "scan");
    let uuid = run.uuid();
    for no_time in [DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC] {
        clock.set(no_time);
        let tasks = store.system_tasks();
        let answers = [
            tasks.start("other", None).map(drop),
            tasks.register("other", ""),
            run.log(LogEvent::new(LogLevel::Info, "e")),
            store.clean_expired().map(drop),
        ];
        for answer in answers {
            assert!(matches!(answer, Err(Error::TimeOutOfRange { field: "clock", .. })), "{answer:?}");
        }
    }
    clock.set_ns(NOON_NS);
    assert_eq!(events(&store, run.id()), []);
    run.finish().unwrap();
    assert_eq!(super::names(&listed(&store)), ["scan"]);
    assert_eq!(history(&store, uuid).len(), 1);
}

#[test]
fn the_last_time_that_a_row_can_hold_is_kept_and_what_expires_behind_it_never_does() {
    let (store, clock) = store_at_noon();
    clock.set_ns(i64::MAX);
    let uuid = super::finished(&store, "scan", None);
    let run = only_run(&store, uuid);
    assert_eq!((run.started, run.finished, run.expires), (time(i64::MAX), Some(time(i64::MAX)), None));
    clock.set_ns(i64::MIN);
    let uuid = super::finished(&store, "old", None);
    assert_eq!(only_run(&store, uuid).expires, Some(time(i64::MIN) + TimeDelta::hours(6)));
}
