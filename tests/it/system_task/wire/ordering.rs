//! The ordering parameter: section 6 of the fact sheet.

use std::time::Duration;

use taskstore::{RunOptions, SystemTaskStatus, TaskStore};

use super::{answer, listed};
use crate::support::Nanoseconds as _;
use crate::system_task::{SECOND_NS, store_at_noon};

/// Their uuids count from 1 in this order.
fn recorded() -> TaskStore {
    let (store, clock) = store_at_noon();
    for (name, uid, seconds, status) in [
        ("b", Some("2"), 3, SystemTaskStatus::Warning),
        ("a", None, 1, SystemTaskStatus::Successful),
        ("a", Some("9"), 2, SystemTaskStatus::Error),
        ("a", Some(""), 2, SystemTaskStatus::Error),
    ] {
        let after = Duration::from_secs(100 - 20 * seconds);
        let options = RunOptions::new().expires_after(after).description(format!("{seconds}"));
        let options = if name == "b" { options.never_expires() } else { options };
        let run = store.system_tasks().start_with(name, uid, options).unwrap();
        clock.advance_ns(i64::try_from(seconds).unwrap() * SECOND_NS);
        run.set_status(status, [""; 0]).unwrap();
        run.finish().unwrap();
    }
    store
}

fn by(store: &TaskStore, ordering: &str) -> Vec<String> {
    let names = listed(store, &[("ordering", ordering)]);
    // The two that are called "a" are told apart by their uid.
    let answer = answer(store, &[("ordering", ordering)]).unwrap();
    let uids = answer.split("\"uid\":").skip(1).map(|rest| rest.split_once(',').unwrap().0);
    names.into_iter().zip(uids).map(|(name, uid)| if uid == "\"\"" { "a:".to_owned() } else { name }).collect()
}

const DEFAULT: [&str; 4] = ["a:", "a:9", "a", "b:2"];

#[test]
fn the_default_is_by_name_and_uid_with_an_empty_uid_first_and_none_last() {
    let store = recorded();
    assert_eq!(by(&store, ""), DEFAULT);
    assert_eq!(by(&store, "name,uid,status"), DEFAULT);
}

#[test]
fn every_documented_field_is_taken_both_ways() {
    let store = recorded();
    for (field, ascending, descending) in [
        ("uuid", ["b:2", "a", "a:9", "a:"], ["a:", "a:9", "a", "b:2"]),
        ("name", ["a", "a:9", "a:", "b:2"], ["b:2", "a", "a:9", "a:"]),
        ("uid", ["a:", "b:2", "a:9", "a"], ["a", "a:9", "b:2", "a:"]),
        ("description", ["a", "a:9", "a:", "b:2"], ["b:2", "a:9", "a:", "a"]),
        ("start_timestamp", ["b:2", "a", "a:9", "a:"], ["a:", "a:9", "a", "b:2"]),
        ("finish_timestamp", ["b:2", "a", "a:9", "a:"], ["a:", "a:9", "a", "b:2"]),
        ("duration", ["a", "a:9", "a:", "b:2"], ["b:2", "a:9", "a:", "a"]),
        ("status", ["a:9", "a:", "a", "b:2"], ["b:2", "a", "a:9", "a:"]),
        ("messages", ["b:2", "a", "a:9", "a:"], ["b:2", "a", "a:9", "a:"]),
        ("expires", ["a:9", "a:", "a", "b:2"], ["b:2", "a", "a:", "a:9"]),
        ("expiring", ["b:2", "a", "a:9", "a:"], ["a", "a:9", "a:", "b:2"]),
    ] {
        assert_eq!(by(&store, field), ascending, "{field}");
        assert_eq!(by(&store, &format!("-{field}")), descending, "-{field}");
    }
}

#[test]
fn several_fields_may_have_blanks_around_them() {
    let store = recorded();
    for ordering in ["-name,-uid", " -name , -uid ", "-name,\t-uid\n"] {
        assert_eq!(by(&store, ordering), ["b:2", "a", "a:9", "a:"], "{ordering:?}");
    }
    assert_eq!(by(&store, "status, -uid"), ["a:9", "a:", "a", "b:2"]);
    assert_eq!(by(&store, "status,uid"), ["a:", "a:9", "a", "b:2"]);
}

#[test]
fn fields_that_there_are_not_are_dropped() {
    let store = recorded();
    for ordering in [
        "bogus,-uuid",
        "full_name,-uuid",
        "pk,-uuid",
        "-pk,-uuid,task_call_module",
        ",-uuid,",
        "Name,-uuid",
        "--name,-uuid",
    ] {
        assert_eq!(by(&store, ordering), ["a:", "a:9", "a", "b:2"], "{ordering:?}");
    }
}

#[test]
fn the_default_holds_if_no_field_is_left() {
    let store = recorded();
    for ordering in ["full_name", "-pk", "bogus", ",", " ", "- name", "--name", "+name", "NAME", "uid__lower", "?"] {
        assert_eq!(by(&store, ordering), DEFAULT, "{ordering:?}");
    }
}

#[test]
fn a_repeated_field_counts_where_it_comes_first() {
    let store = recorded();
    assert_eq!(by(&store, "-uid,uid"), by(&store, "-uid"));
    assert_eq!(by(&store, "status,-status,uid"), by(&store, "status,uid"));
    assert_eq!(by(&store, "uuid,-uuid"), by(&store, "uuid"));
}

/// Upstream pages may repeat or miss rows that are equal; here the uuid decides.
#[test]
fn pages_of_equal_rows_neither_repeat_nor_miss_one() {
    let (store, _) = store_at_noon();
    for number in 0..10 {
        super::run(&store, &format!("task {number}"), None, SystemTaskStatus::Error);
    }
    for ordering in ["status", "-status", "-expires", "messages", "duration,description"] {
        let mut all: Vec<String> = Vec::new();
        for page in ["1", "2", "3", "4"] {
            all.extend(listed(&store, &[("ordering", ordering), ("page", page), ("page_size", "3")]));
        }
        assert_eq!(all, (0..10).map(|number| format!("task {number}")).collect::<Vec<_>>(), "{ordering}");
    }
}
