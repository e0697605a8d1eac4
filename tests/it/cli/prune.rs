//! `taskstore prune`.

use std::process::Stdio;

use nix::sys::signal::Signal;
use taskstore::{Dismissed, Error, Level, NewTask, TaskFilter, TaskStore};

use super::terminal::on_a_terminal;
use super::{Place, Started, wait_until};
use crate::support::files::shell;

/// So many finished tasks with so many messages each.
fn fill(store: &TaskStore, tasks: usize, messages: usize) {
    let text = "x".repeat(100);
    let filled = store.batch(|batch| {
        for _ in 0..tasks {
            let id = batch.start_detached(NewTask::new("t"))?;
            (0..messages).try_for_each(|_| batch.message(id, Level::Info, text.as_str()))?;
            batch.finish(id)?;
        }
        Ok::<_, Error>(())
    });
    filled.unwrap();
}

fn ids(place: &Place) -> Vec<i64> {
    let page = place.store().list(&TaskFilter::new().dismissed(Dismissed::Included)).unwrap();
    page.items.iter().map(|task| task.id.get()).collect()
}

#[test]
fn what_is_asked_for_goes_and_is_told() {
    let place = Place::new();
    let store = place.store();
    fill(&store, 5, 2);
    let id = store.start_detached(NewTask::new("failed")).unwrap();
    store.fail(id, "because").unwrap();
    store.dismiss(id, "ann").unwrap();
    store.start_detached(NewTask::new("in progress")).unwrap();
    store.close().unwrap();

    let would = place.ok(&["prune", "--keep", "2", "--outcome", "finished", "--dry-run"]);
    assert!(
        would.starts_with("would delete 3 tasks with 6 messages: 3 finished, 0 failed, 0 interrupted\n"),
        "{would}"
    );
    assert_eq!(ids(&place), [7, 6, 5, 4, 3, 2, 1]);
    let did = place.ok(&["prune", "--keep", "2", "--outcome", "finished"]);
    assert!(did.starts_with("deleted 3 tasks with 6 messages: 3 finished, 0 failed, 0 interrupted\n"), "{did}");
    assert_eq!(ids(&place), [7, 6, 5, 4]);
    assert!(place.ok(&["prune", "--older-than", "1d"]).starts_with("deleted 0 tasks "));
    assert!(place.ok(&["prune", "--older-than", "0s", "--dismissed", "only"]).contains(": 0 finished, 1 failed,"));
    assert_eq!(ids(&place), [7, 5, 4]);
    place.ok(&["prune", "--max-size", "0KiB", "--keep", "1"]);
    assert_eq!(ids(&place), [7]);
}

#[test]
fn expired_runs_go_too_if_that_is_asked_for() {
    let place = Place::new();
    place.ok(&["system-task", "run", "-q", "--name", "n", "--expires-after", "0s", "--", "true"]);
    let did = place.ok(&["prune", "--expired-runs"]);
    assert!(did.starts_with("deleted 1 expired runs with 0 events\nthe file is "), "{did}");
}

#[test]
fn nothing_goes_without_a_reason() {
    let place = Place::new();
    fill(&place.store(), 3, 0);
    for arguments in
        [&["prune"][..], &["prune", "--outcome", "finished"], &["prune", "--dismissed", "only", "--dry-run"]]
    {
        let ended = place.call(arguments);
        assert_eq!((ended.code, ended.text().as_str()), (Some(2), ""), "{arguments:?}");
        let expected = "say what is to go: --older-than, --keep, --max-size or --expired-runs";
        assert!(ended.error.contains(expected), "{}", ended.error);
    }
    assert_eq!(ids(&place), [3, 2, 1]);
    assert!(Place::new().refused(&["prune", "--keep", "1"]).contains("tasks.db does not exist"));
}

/// Whether a signal is in one of a process's sets, as Linux tells them.
#[allow(clippy::disallowed_methods)] // It is no database.
fn is_in(set: &str, signal: Signal, process: &Started) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let bits = status.lines().find_map(|line| line.strip_prefix(set)).unwrap();
    u64::from_str_radix(bits.trim(), 16).unwrap() >> (signal as i32 - 1) & 1 == 1
}

/// Starts a prune that has got a signal while it waited to write its first transaction.
fn interrupted(place: &Place, locked: &rusqlite::Connection) -> Started {
    fill(&place.store(), 1_000, 2);
    locked.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = place.start(&["prune", "--older-than", "0s"]);
    // The last of those that are caught.
    wait_until("signals to be caught", || is_in("SigCgt:", Signal::SIGTERM, &started));
    started.signal(Signal::SIGINT);
    wait_until("the signal to come", || !is_in("ShdPnd:", Signal::SIGINT, &started));
    started
}

#[test]
fn a_signal_ends_it_between_two_transactions_with_what_was_deleted() {
    let place = Place::new();
    place.store().close().unwrap();
    let locked = shell(&place.path("tasks.db"));
    let started = interrupted(&place, &locked);
    locked.execute_batch("ROLLBACK").unwrap();
    let ended = started.end();
    assert_eq!(ended.error, "taskstore: stopped before all was done: another call goes on\n");
    assert_eq!(ended.code, Some(130));
    assert!(ended.text().starts_with("deleted 200 tasks with 400 messages: 200 finished, "), "{}", ended.text());
    let store = place.store();
    assert_eq!((store.counts(None).unwrap().finished, store.check().unwrap()), (800, vec![]));
    place.ok(&["prune", "--older-than", "0s"]);
    assert_eq!(store.counts(None).unwrap().finished, 0);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::new();
    place.store().close().unwrap();
    let locked = shell(&place.path("tasks.db"));
    let started = interrupted(&place, &locked);
    started.signal(Signal::SIGINT);
    let ended = started.end();
    assert_eq!((ended.code, ended.signal, ended.text().as_str()), (None, Some(Signal::SIGINT as i32), ""));
    locked.execute_batch("ROLLBACK").unwrap();
    assert_eq!(place.store().counts(None).unwrap().finished, 1_000);
}

#[test]
fn there_is_no_bar_unless_standard_error_is_a_terminal() {
    let place = Place::new();
    fill(&place.store(), 500, 1);
    let ended = place.command(&["prune", "--keep", "1"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), vec![]));

    let place = Place::new();
    fill(&place.store(), 5_000, 1);
    let Some(shown) = on_a_terminal(&place, "exec $T prune --keep 1") else { return };
    let shown = shown.end().text();
    assert!(shown.contains("pruning") && shown.contains("deleted 4999 tasks"), "{shown:?}");
}
