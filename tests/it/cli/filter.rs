//! The filters of `taskstore list` and `taskstore export`.

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use taskstore::{Level, NewTask, TaskStore};

use super::Place;
use crate::support::{ManualClock, Nanoseconds as _, configuration_id, options, task_id};

/// Seven tasks: 1 to 6 started on the first to the sixth of July, 7 three hours ago.
fn place() -> Place {
    let place = Place::new();
    let clock = ManualClock::at("2026-07-01T00:00:00Z".parse().unwrap());
    let store = options().clock(clock.clone()).open(place.path("tasks.db")).unwrap();
    for name in ["prod", "gone"] {
        store.configurations().add(name).unwrap();
    }
    let day = TimeDelta::days(1).num_nanoseconds().unwrap();
    record(&store, || clock.advance_ns(day));
    clock.set(Utc::now() - TimeDelta::hours(3));
    store.start_detached(NewTask::new("Sleep").performed_by("ann")).unwrap();
    store.configurations().delete(configuration_id(2)).unwrap();
    place
}

fn record(store: &TaskStore, mut next_day: impl FnMut()) {
    let (prod, gone) = (configuration_id(1), configuration_id(2));
    let new = |title: &str, user: &str| NewTask::new(title).performed_by(user);
    for task in [
        new("Create standby", "ann").configuration(prod),
        new("-Copy", "ben").configuration(gone),
        new("Ärger", "ann"),
        new("Copy", "").configuration(prod),
        new("Switch over", "ben"),
        new("Copy % of all", "ann").configuration(gone),
    ] {
        store.start_detached(task).unwrap();
        next_day();
    }
    store.message(task_id(1), Level::Warn, "a SLOW disk").unwrap();
    store.finish(task_id(1)).unwrap();
    store.message(task_id(2), Level::Info, "--copying").unwrap();
    store.fail(task_id(2), "no answer").unwrap();
    next_day();
    drop(store.start(new("is interrupted", "x")).unwrap());
    store.delete(task_id(7)).unwrap();
    store.finish(task_id(3)).unwrap();
    store.dismiss(task_id(2), "ann").unwrap();
    store.dismiss(task_id(3), "-ben").unwrap();
}

/// The ids that a filter gives, the same in a table, as JSON and exported.
fn ids(place: &Place, filter: &[&str]) -> Vec<u64> {
    let with = |command: &[&str]| place.ok(&[command, filter].concat());
    let table = with(&["list"]);
    let rows = table.lines().skip(1).map(|line| line.split(' ').next().unwrap().parse().unwrap());
    let ids: Vec<u64> = rows.collect();
    let answer: Value = serde_json::from_str(&with(&["list", "--json"])).unwrap();
    let in_answer = answer["result"]["tasks"].as_array().unwrap().iter();
    assert_eq!(in_answer.map(|task| task["task_id"].as_u64().unwrap()).collect::<Vec<_>>(), ids, "{filter:?}");
    // Without a filter it is everything.
    let exported = with(if filter.is_empty() { &["export", "--dismissed", "hidden"] } else { &["export"] });
    let in_export = exported.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let in_export = in_export.filter_map(|line| line["task"]["id"].as_u64());
    assert_eq!(in_export.collect::<Vec<_>>(), ids, "{filter:?}");
    ids
}

#[test]
fn what_a_task_relates_to_what_happened_and_who_was_it() {
    let place = place();
    let cases: [(&[&str], &[u64]); 16] = [
        (&[], &[8, 6, 5, 4, 1]),
        (&["--dismissed", "hidden"], &[8, 6, 5, 4, 1]),
        (&["--dismissed", "included"], &[8, 6, 5, 4, 3, 2, 1]),
        (&["--dismissed=only"], &[3, 2]),
        (&["--configuration", "1"], &[4, 1]),
        (&["--configuration", "2"], &[]),
        (&["--configuration", "deleted"], &[6]),
        (&["--configuration", "none"], &[8, 5]),
        (&["--outcome", "finished"], &[1]),
        (&["--outcome", "in-progress"], &[8, 6, 5, 4]),
        (&["--outcome", "finished,failed", "--dismissed", "included"], &[3, 2, 1]),
        (&["--outcome", "failed", "--outcome", "interrupted", "--dismissed", "included"], &[2]),
        (&["--dismissed-by", "ann"], &[2]),
        (&["--dismissed-by", "-ben"], &[3]),
        (&["--performed-by", "ann"], &[8, 6, 1]),
        (&["--performed-by", ""], &[4]),
    ];
    for (filter, expected) in cases {
        assert_eq!(ids(&place, filter), expected, "{filter:?}");
    }
}

#[test]
fn texts_are_found_whatever_the_case_and_mean_nothing_but_themselves() {
    let place = place();
    let cases: [(&[&str], &[u64]); 12] = [
        (&["--title", "copy"], &[6, 4]),
        (&["--title", "-c", "--dismissed", "included"], &[2]),
        (&["--title", "äRGER", "--dismissed", "included"], &[3]),
        (&["--title", "%"], &[6]),
        (&["--title", "_"], &[]),
        (&["--message", "slow"], &[1]),
        (&["--message", "--copying", "--dismissed", "included"], &[2]),
        (&["--message", "copy"], &[]),
        (&["--text", "COPY", "--dismissed", "included"], &[6, 4, 2]),
        (&["--text", "' OR 1=1 --"], &[]),
        (&["--text", "\x1b[2J\u{202e}"], &[]),
        (&["--text", "standby", "--message", "disk", "--title", "create"], &[1]),
    ];
    for (filter, expected) in cases {
        assert_eq!(ids(&place, filter), expected, "{filter:?}");
    }
}

#[test]
fn times_are_from_then_on_and_before_then_and_may_be_dates_or_ages() {
    let place = place();
    let cases: [(&[&str], &[u64]); 12] = [
        (&["--started-from", "2026-07-05"], &[8, 6, 5]),
        (&["--started-until", "2026-07-05"], &[4, 1]),
        (
            &["--started-from", "2026-07-04T02:00:00+02:00", "--started-until", "2026-07-05T00:00:00.000000001Z"],
            &[5, 4],
        ),
        (&["--started-from", "4h"], &[8]),
        (&["--started-from", "2h"], &[]),
        (&["--started-until", "170m", "--started-from", "1d"], &[8]),
        (&["--updated-from", "2026-07-06", "--dismissed", "included"], &[8, 6, 3, 2, 1]),
        (&["--updated-until", "2026-07-06"], &[5, 4]),
        (&["--finished-from", "2026-07-08", "--dismissed", "included"], &[3]),
        (&["--finished-until", "2026-07-08", "--dismissed", "included"], &[2, 1]),
        (&["--finished-from", "99999999w"], &[1]),
        (&["--started-from", "2026-07-05", "--started-until", "2026-07-04"], &[]),
    ];
    for (filter, expected) in cases {
        assert_eq!(ids(&place, filter), expected, "{filter:?}");
    }
}

#[test]
fn levels_ages_and_orders() {
    let place = place();
    let cases: [(&[&str], &[u64]); 9] = [
        (&["--level", "warn", "--dismissed", "included"], &[2, 1]),
        (&["--level", "error", "--dismissed", "included"], &[2]),
        (&["--running-longer-than", "10m"], &[8, 6, 5, 4]),
        (&["--running-longer-than", "1d"], &[6, 5, 4]),
        (&["--order", "newest"], &[8, 6, 5, 4, 1]),
        (&["--order", "oldest"], &[1, 4, 5, 6, 8]),
        (&["--order", "updated"], &[8, 1, 6, 5, 4]),
        (&["--order", "running"], &[4, 5, 6, 8]),
        (&["--order", "oldest", "--outcome", "in-progress", "--performed-by", "ann"], &[6, 8]),
    ];
    for (filter, expected) in cases {
        assert_eq!(ids(&place, filter), expected, "{filter:?}");
    }
    let table = place.ok(&["list", "--order", "oldest", "--limit", "2"]);
    assert_eq!(table.lines().skip(1).map(|line| &line[..1]).collect::<Vec<_>>(), ["1", "4", "T"]);
}

#[test]
fn a_bad_value_is_a_usage_error_that_names_its_option() {
    let place = Place::new();
    place.store();
    let bad: [(&str, &[&str]); 12] = [
        ("--configuration", &["0", "-1", "prod", "", "9223372036854775808", "any"]),
        ("--outcome", &["done", "", "finished,", "in progress", "FAILED"]),
        ("--dismissed", &["yes", "", "hidden,only"]),
        ("--started-from", &["", "yesterday", "2026-13-01", "2026-07-01T00:00:00", "-2h", "2", "\x1b[2J"]),
        ("--started-until", &["x"]),
        ("--updated-from", &["x"]),
        ("--updated-until", &["x"]),
        ("--finished-from", &["x"]),
        ("--finished-until", &["x"]),
        ("--level", &["info", "warning", ""]),
        ("--running-longer-than", &["10", "m", "-1m", "1.5h", ""]),
        ("--order", &["newest-first", "", "-newest"]),
    ];
    for (option, values) in bad {
        for value in values {
            for command in ["list", "export"] {
                let ended = place.call(&[command, &format!("{option}={value}")]);
                assert_eq!((ended.code, ended.text().as_str()), (Some(2), ""), "{option} {value}");
                assert!(ended.error.contains(option) && !ended.error.contains('\x1b'), "{}", ended.error);
            }
        }
    }
    // This one the store knows better.
    let refused = place.refused(&["export", "--performed-by", &"x".repeat(257)]);
    assert_eq!(refused, "taskstore: performed_by is 257 bytes long; the limit is 256\n");
    for gone in [&["list", "--show-hidden"][..], &["export", "--limit", "5"], &["export", "--json"]] {
        assert_eq!(place.call(gone).code, Some(2), "{gone:?}");
    }
}
