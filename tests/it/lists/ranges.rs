//! From when to when, to the nanosecond.

use std::ops::{Bound, RangeBounds};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use taskstore::{Error, Order, TaskFilter, TaskId, TaskStore, TimeRange};

use super::check::ids_of;
use super::filters::Bounds;
use crate::support::{ManualClock, Nanoseconds as _, options, start};

fn ns(ns: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(ns)
}

/// Times where something changes: around 1970, the first and last that can be stored, and the first and last there are.
fn times() -> Vec<DateTime<Utc>> {
    let nanosecond = TimeDelta::nanoseconds(1);
    let (first, last) = (ns(i64::MIN), ns(i64::MAX));
    let (earliest, latest) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    let beside = [earliest + nanosecond, first - nanosecond, last + nanosecond, latest - nanosecond];
    let near = [i64::MIN + 1, -1_000_000_001, -1, 0, 1, 2, 1_000_000_000, i64::MAX - 1].map(ns);
    [&[earliest, first, last, latest][..], &beside, &near].concat()
}

fn bound() -> impl Strategy<Value = Bound<DateTime<Utc>>> {
    let time = || prop::sample::select(times());
    prop_oneof![
        1 => Just(Bound::Unbounded),
        3 => time().prop_map(Bound::Included),
        3 => time().prop_map(Bound::Excluded),
    ]
}

fn listed(store: &TaskStore, filter: &TaskFilter) -> Vec<TaskId> {
    let by_id = store.list(&filter.clone().order(Order::OldestFirst).limit(1_000)).unwrap();
    ids_of(&by_id.items)
}

/// A task that started at each time that can be stored, ended and was changed last then.
fn store_of_times() -> (TaskStore, Vec<(TaskId, DateTime<Utc>)>) {
    let clock = ManualClock::at_ns(0);
    let store = options().clock(clock.clone()).open_in_memory().unwrap();
    let storable = times().into_iter().filter(|time| time.timestamp_nanos_opt().is_some());
    let tasks = storable.map(|time| {
        clock.set(time);
        let id = start(&store, "then");
        store.finish(id).unwrap();
        (id, time)
    });
    let tasks = tasks.collect();
    (store, tasks)
}

proptest! {
    #[test]
    fn a_range_holds_what_the_range_of_rust_holds(range in (bound(), bound())) {
        let of = TimeRange::of(range);
        for time in times() {
            prop_assert_eq!(of.contains(time), range.contains(&time), "{} in {:?} of {:?}", time, of, range);
        }
    }
}

#[test]
fn a_list_by_any_range_holds_the_times_that_are_in_it() {
    let (store, tasks) = store_of_times();
    let times = times();
    let ends = |time: &DateTime<Utc>| [Bound::Included(*time), Bound::Excluded(*time)];
    let ends: Vec<_> = times.iter().flat_map(ends).chain([Bound::Unbounded]).collect();
    for range in ends.iter().flat_map(|start| ends.iter().map(|end| (*start, *end))) {
        let expected: Vec<_> = tasks
            .iter()
            .filter(|(_, time)| RangeBounds::<DateTime<Utc>>::contains(&range, time))
            .map(|(id, _)| *id)
            .collect();
        let started: Bounds = range;
        assert_eq!(listed(&store, &TaskFilter::new().started(started)), expected, "{range:?}");
        // The three columns are asked the same.
        if expected.len() % 3 == 1 {
            assert_eq!(listed(&store, &TaskFilter::new().updated(started)), expected, "{range:?}");
            assert_eq!(listed(&store, &TaskFilter::new().finished(started)), expected, "{range:?}");
        }
    }
}

#[test]
fn every_kind_of_range_of_rust_is_taken_to_the_nanosecond() {
    let clock = ManualClock::at_ns(0);
    let store = options().clock(clock.clone()).open_in_memory().unwrap();
    let ids = [9, 10, 11, 12].map(|at| {
        clock.set_ns(at);
        start(&store, "then")
    });
    let filter = TaskFilter::new;
    for (filter, expected) in [
        (filter().started(ns(10)..ns(12)), &ids[1..3]),
        (filter().started(ns(10)..=ns(12)), &ids[1..]),
        (filter().started(ns(11)..), &ids[2..]),
        (filter().started(..ns(10)), &ids[..1]),
        (filter().started(..=ns(10)), &ids[..2]),
        (filter().started(..), &ids),
        (filter().started((Bound::Excluded(ns(10)), Bound::Included(ns(11)))), &ids[2..3]),
        (filter().started((Bound::Excluded(ns(10)), Bound::Excluded(ns(11)))), &[]),
        (filter().started(ns(10)..ns(10)), &[]),
        #[allow(clippy::reversed_empty_ranges)]
        (filter().started(ns(12)..ns(10)), &[]),
        (filter().started(DateTime::<Utc>::MIN_UTC..DateTime::<Utc>::MAX_UTC), &ids),
        (filter().finished(DateTime::<Utc>::MIN_UTC..=DateTime::<Utc>::MAX_UTC), &[]),
    ] {
        assert_eq!(listed(&store, &filter), expected, "{filter:?}");
    }
}

#[test]
fn what_runs_longer_is_told_to_the_nanosecond_and_by_the_wall_clock() {
    let clock = ManualClock::at_ns(1_000);
    let store = options().clock(clock.clone()).open_in_memory().unwrap();
    let id = start(&store, "running");
    let ended = start(&store, "ended");
    store.finish(ended).unwrap();
    let is_listed = |duration| match &listed(&store, &TaskFilter::new().running_longer_than(duration))[..] {
        [] => false,
        [found] if *found == id => true,
        found => panic!("{found:?}"),
    };
    // Not longer than no time at all.
    assert!(!is_listed(Duration::ZERO));
    clock.set_ns(1_001);
    assert!(is_listed(Duration::ZERO) && !is_listed(Duration::from_nanos(1)));
    clock.set_ns(6_000);
    assert!(is_listed(Duration::from_nanos(4_999)));
    for duration in [Duration::from_nanos(5_000), Duration::from_nanos(5_001), Duration::MAX] {
        assert!(!is_listed(duration), "{duration:?}");
    }
    // A clock that has gone back behind the start.
    clock.set_ns(-6_000);
    assert!(!is_listed(Duration::ZERO) && !is_listed(Duration::MAX));
}

#[test]
fn durations_of_centuries_are_told_exactly() {
    let clock = ManualClock::at_ns(i64::MIN);
    let store = options().clock(clock.clone()).open_in_memory().unwrap();
    let id = start(&store, "since 1677");
    clock.set_ns(i64::MAX);
    let whole = Duration::from_nanos(u64::MAX);
    let nanosecond = Duration::from_nanos(1);
    let half = Duration::from_nanos(i64::MAX.unsigned_abs());
    for (duration, is_longer) in [
        (half - nanosecond, true),
        (half, true),
        (half + nanosecond, true),
        (whole - nanosecond, true),
        (whole, false),
        (whole + nanosecond, false),
        (Duration::MAX, false),
    ] {
        let found = listed(&store, &TaskFilter::new().running_longer_than(duration));
        assert_eq!(found, if is_longer { vec![id] } else { vec![] }, "{duration:?}");
    }
}

#[test]
fn a_clock_that_no_row_can_hold_hinders_only_lists_that_need_the_time() {
    let clock = ManualClock::at_ns(0);
    let store = options().clock(clock.clone()).open_in_memory().unwrap();
    let id = start(&store, "running");
    clock.set(DateTime::<Utc>::MAX_UTC);
    assert_eq!(listed(&store, &TaskFilter::new().started(ns(0)..)), [id]);
    let error = store.list(&TaskFilter::new().running_longer_than(Duration::ZERO)).unwrap_err();
    assert!(matches!(error, Error::TimeOutOfRange { field: "clock", .. }), "{error:?}");
}
