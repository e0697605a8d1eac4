//! `taskstore list`.

use std::process::Stdio;

use chrono::{DateTime, TimeDelta, Utc};
use taskstore::wire::task_api::{DismissedMember, ListRequest, write_list};
use taskstore::{Error, NewTask, OpenOptions, TaskStore};

use super::{Place, login_user, wait_until};

/// A clock that stands.
#[derive(Debug)]
struct At(DateTime<Utc>);

impl taskstore::Clock for At {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

fn start_many(store: &TaskStore, count: usize) {
    let started = store.batch(|batch| {
        (1..=count).try_for_each(|number| batch.start_detached(NewTask::new(format!("task-{number}"))).map(drop))
    });
    started.map_err(|error: Error| error).unwrap();
}

/// The ids of a table, which may say last that there are more.
fn ids(table: &str) -> Vec<u64> {
    let rows = table.lines().skip(1).filter(|line| !line.starts_with("The first "));
    rows.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
}

#[test]
fn a_table_shows_every_state_in_words() {
    let place = Place::new();
    place.ok(&["configuration", "add", "prod"]);
    for (title, by) in [("waits", "ann"), ("works", "ann"), ("breaks", "bob"), ("is cut off", ""), ("is put away", "x")]
    {
        place.ok(&["start", "--title", title, "--performed-by", by, "--configuration", "1"]);
    }
    place.ok(&["finish", "2"]);
    place.ok(&["fail", "3"]);
    drop(place.store().start(NewTask::new("is dropped")).unwrap());
    place.ok(&["finish", "5"]);
    place.ok(&["dismiss", "5", "--by", "carol"]);

    let table = place.ok(&["list", "--dismissed", "included"]);
    let lines: Vec<_> =
        table.lines().map(|line| line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim)).collect();
    let cells: Vec<Vec<_>> = lines.into_iter().map(Iterator::collect).collect();
    assert_eq!(cells[0], ["ID", "STATE", "STARTED", "BY", "CONFIGURATION", "TITLE"]);
    let without_time: Vec<_> = cells[1..].iter().map(|row| [&row[..2], &row[3..]].concat()).collect();
    assert_eq!(without_time[0], ["6", "interrupted", "-", "-", "is dropped"]);
    assert_eq!(without_time[1], ["5", "finished, dismissed by carol", "x", "prod", "is put away"]);
    assert_eq!(without_time[2], ["4", "in progress", "-", "prod", "is cut off"]);
    assert_eq!(without_time[3], ["3", "failed", "bob", "prod", "breaks"]);
    assert_eq!(without_time[4], ["2", "finished", "ann", "prod", "works"]);
    assert_eq!(without_time[5], ["1", "in progress", "ann", "prod", "waits"]);

    let visible = place.ok(&["list"]);
    assert_eq!(ids(&visible), [6, 4, 3, 2, 1]);
}

#[test]
fn a_list_of_nothing_says_so() {
    let place = Place::new();
    place.store();
    assert_eq!(place.ok(&["list"]), "No tasks; --dismissed included shows dismissed ones also.\n");
    // What cannot be dismissed is not hidden for it.
    for filter in [
        ["--dismissed", "included"],
        ["--order", "running"],
        ["--running-longer-than", "1s"],
        ["--outcome", "in-progress"],
    ] {
        assert_eq!(place.ok(&[&["list"], &filter[..]].concat()), "No tasks.\n");
    }
}

#[test]
fn a_configuration_has_its_own_list() {
    let place = Place::new();
    for name in ["a", "b", "none"] {
        place.ok(&["configuration", "add", name]);
    }
    place.ok(&["start", "--title", "of a", "--configuration", "1"]);
    place.ok(&["start", "--title", "of b", "--configuration", "2"]);
    place.ok(&["start", "--title", "of nothing"]);
    assert_eq!(ids(&place.ok(&["list", "--configuration", "2"])), [2]);
    assert!(place.ok(&["list", "--configuration", "3"]).starts_with("No tasks"));
}

#[test]
fn the_limit_is_50_or_what_is_asked_for_also_over_many_pages() {
    let place = Place::new();
    start_many(&place.store(), 2_300);
    assert_eq!(ids(&place.ok(&["list"])), (2_251..=2_300).rev().collect::<Vec<_>>());
    assert!(place.ok(&["list"]).ends_with("\nThe first 50; --limit shows more.\n"));
    assert!(!place.ok(&["list", "--limit", "2300"]).contains("The first"));
    assert_eq!(ids(&place.ok(&["list", "--limit", "1"])), [2_300]);
    assert_eq!(ids(&place.ok(&["list", "--limit", "2250"])), (51..=2_300).rev().collect::<Vec<_>>());
    assert_eq!(ids(&place.ok(&["list", "--limit", "18446744073709551615"])), (1..=2_300).rev().collect::<Vec<_>>());
}

#[test]
fn times_are_told_from_now_also_where_a_clock_disagrees() {
    let place = Place::new();
    for (title, shift) in [("past", TimeDelta::minutes(-3)), ("future", TimeDelta::hours(36))] {
        let clock = At(Utc::now() + shift);
        let store = OpenOptions::new().clock(clock).open(place.path("tasks.db")).unwrap();
        store.start_detached(NewTask::new(title)).unwrap();
    }
    place.ok(&["start", "--title", "now"]);
    let table = place.ok(&["list"]);
    assert!(table.contains("3 min ago") && table.contains("in 1 d"), "{table}");
    assert!(table.contains("just now") || table.contains(" s ago"), "{table}");
}

#[test]
fn json_is_what_the_task_api_answers() {
    let place = Place::new();
    place.ok(&["configuration", "add", "prod"]);
    for (title, configuration) in [("one", "1"), ("\x1b[2J\u{202e}\n", "1")] {
        place.ok(&["start", "--title", title, "--configuration", configuration]);
    }
    place.ok(&["start", "--title", "three"]);
    place.ok(&["message", "1", "two\nlines"]);
    place.ok(&["finish", "1"]);
    place.ok(&["dismiss", "1"]);

    let store = place.store();
    let configuration = place.task(2).configuration_id;
    for (arguments, request) in [
        (&["list", "--json"][..], ListRequest { configuration: None, show_hidden: false }),
        (&["list", "--json", "--dismissed", "included"], ListRequest { configuration: None, show_hidden: true }),
        (&["list", "--json", "--configuration", "1"], ListRequest { configuration, show_hidden: false }),
        (
            &["list", "--json", "--configuration", "1", "--dismissed", "included"],
            ListRequest { configuration, show_hidden: true },
        ),
    ] {
        let mut body = Vec::new();
        write_list(&store, request, DismissedMember::HiddenBy, &mut body).unwrap();
        assert_eq!(place.ok(arguments), String::from_utf8(body).unwrap() + "\n", "{arguments:?}");
    }
    let unfiltered = place.ok(&["list", "--json", "--dismissed", "included"]);
    assert!(unfiltered.contains(&format!("\"hidden_by\":\"{}\"", login_user())), "{unfiltered}");
}

#[test]
fn json_has_no_limit() {
    let place = Place::new();
    start_many(&place.store(), 1_200);
    assert_eq!(place.ok(&["list", "--json"]).matches("\"task_id\":").count(), 1_200);
}

#[test]
fn a_reader_who_has_seen_enough_ends_it_quietly() {
    let place = Place::new();
    // More than a pipe holds.
    start_many(&place.store(), 3_000);
    for arguments in [&["list", "--limit", "3000"][..], &["list", "--json"]] {
        let mut command = place.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        wait_until("the list to end", || child.try_wait().unwrap().is_some());
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), ended.stderr), (Some(0), vec![]), "{arguments:?}");
    }
}
