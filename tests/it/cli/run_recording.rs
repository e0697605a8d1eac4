//! `taskstore run`: what happens when recording is slow, contended or impossible.

use std::time::Duration;

use rusqlite::Connection;
use taskstore::{Outcome, TaskId};

use super::Place;

#[test]
fn a_task_that_another_ended_loses_its_messages_not_its_command() {
    let place = Place::new();
    let mut run = place.start_run("echo first; read go; echo second; echo third; exit 5");
    run.wait_for("first\n");
    super::wait_until("the first message", || place.task(1).message_count == 1);
    place.ok(&["finish", "1"]);
    run.type_in(b"\n");

    let ended = run.end();
    assert_eq!((ended.code, ended.text().as_str()), (Some(5), "first\nsecond\nthird\n"));
    let problem = "cannot add a message to task 1: it is finished; it must be in progress";
    assert_eq!(ended.error, format!("taskstore: not recorded of task 1: 2 messages and its end: {problem}\n"));
    assert_eq!(place.said(1), ["info first"]);
}

#[test]
fn a_command_goes_on_behind_a_lock_and_nothing_is_lost_if_it_is_released_in_time() {
    let place = Place::new();
    let mut run = place.start_run("while read line; do echo \"$line\"; done");
    run.type_in(b"one\n");
    run.wait_for("one\n");
    super::wait_until("the first message", || place.task(1).message_count == 1);

    let other = Connection::open(place.path("tasks.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    run.type_in(b"two\n");
    run.wait_for("two\n");
    // Longer than a single call waits, so that the recorder has to try again.
    std::thread::sleep(Duration::from_millis(5_500));
    run.type_in(b"three\n");
    run.wait_for("three\n");
    other.execute_batch("ROLLBACK").unwrap();

    let ended = run.end();
    assert_eq!((ended.code, ended.error.as_str()), (Some(0), ""));
    assert_eq!(place.said(1), ["info one", "info two", "info three"]);
    assert_eq!(place.task(1).outcome, Some(Outcome::Finished));
}

#[test]
fn commands_that_run_at_once_share_a_database() {
    let place = Place::new();
    let runs: Vec<_> = (0..4).map(|_| place.start_run("seq 2000; seq 2000 >&2")).collect();
    for run in runs {
        let ended = run.end();
        assert_eq!((ended.code, ended.output.len()), (Some(0), 8_893));
    }
    let store = place.store();
    for id in 1..=4 {
        let task = store.task(TaskId::try_from(id).unwrap()).unwrap();
        assert_eq!((task.message_count, task.outcome), (4_000, Some(Outcome::Finished)));
        for level in [taskstore::Level::Info, taskstore::Level::Warn] {
            let pages = (0..4).flat_map(|page| store.messages(task.id, page * 1_000, 1_000).unwrap());
            let numbers = pages.filter(|message| message.level == level).map(|message| message.text.parse().unwrap());
            assert_eq!(numbers.collect::<Vec<u32>>(), (1..=2_000).collect::<Vec<_>>());
        }
    }
}
