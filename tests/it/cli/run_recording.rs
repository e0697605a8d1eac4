//! `taskstore run`: what happens when recording is slow, contended or impossible.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
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
fn who_does_not_want_to_wait_for_a_locked_file_can_say_so_by_a_signal() {
    let place = Place::new();
    let mut run = place.start_run("echo first; read go; echo second");
    run.wait_for("first\n");
    super::wait_until("the first message", || place.task(1).message_count == 1);
    let other = Connection::open(place.path("tasks.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    run.type_in(b"\n");
    run.wait_for("second\n");

    let begun = Instant::now();
    super::wait_until("the program to end", || {
        run.signal(Signal::SIGTERM);
        run.child.try_wait().unwrap().is_some()
    });
    // Without the signal it tries for 30 seconds to write the message, and as long to write the end.
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    let error = run.end().error;
    assert!(error.starts_with("taskstore: not recorded of task 1: "), "{error}");
    assert!(error.contains(" and its end: the store was busy for ") && error.lines().count() == 1, "{error}");
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
