//! The options of a run: its description, its expiry, and whether it is shown when all went well.

use std::time::Duration;

use chrono::TimeDelta;
use taskstore::{RunOptions, SystemTask, SystemTaskStatus, TaskStore};

use super::{finished, history, listed, only_run, start};
use crate::support::temporary;

/// The only system task that is listed, after a run with these options.
fn after_run(store: &TaskStore, options: RunOptions) -> SystemTask {
    store.system_tasks().start_with("scan", None, options).unwrap().finish().unwrap();
    let mut tasks = listed(store);
    assert_eq!(tasks.len(), 1);
    tasks.remove(0)
}

#[test]
fn a_run_expires_six_hours_after_its_end_unless_it_is_told_otherwise() {
    let store = temporary();
    assert_eq!(RunOptions::default(), RunOptions::new());
    for (options, expected) in [
        (RunOptions::new(), Some(TimeDelta::hours(6))),
        (RunOptions::new().expires_after(Duration::ZERO), Some(TimeDelta::zero())),
        (RunOptions::new().expires_after(Duration::new(90, 1)), Some(TimeDelta::new(90, 1).unwrap())),
        (RunOptions::new().never_expires(), None),
        (RunOptions::new().never_expires().expires_after(Duration::from_secs(1)), Some(TimeDelta::seconds(1))),
    ] {
        let run = after_run(&store, options).shown_run.unwrap();
        assert_eq!(run.expires.map(|expires| expires - run.finished.unwrap()), expected);
    }
}

#[test]
fn a_run_in_progress_does_not_expire_yet_and_each_run_has_its_own_expiry() {
    let store = temporary();
    let first = store.system_tasks().start_with("scan", None, RunOptions::new().never_expires()).unwrap();
    let uuid = first.uuid();
    first.finish().unwrap();
    let second = start(&store, "scan");
    assert_eq!(history(&store, uuid)[0].expires, None);
    second.finish().unwrap();
    let expire: Vec<_> = history(&store, uuid).into_iter().map(|run| run.expires.is_some()).collect();
    assert_eq!(expire, [true, false]);
}

#[test]
fn a_description_is_empty_until_it_is_set_kept_by_a_run_without_one_and_changed_by_a_run_with_one() {
    let store = temporary();
    assert_eq!(after_run(&store, RunOptions::new()).description, "");
    assert_eq!(after_run(&store, RunOptions::new().description(" Scans\nthe disk ")).description, " Scans\nthe disk ");
    assert_eq!(after_run(&store, RunOptions::new()).description, " Scans\nthe disk ");
    assert_eq!(after_run(&store, RunOptions::new().description("Scans")).description, "Scans");
    assert_eq!(after_run(&store, RunOptions::new().description("")).description, "");
}

#[test]
fn a_description_is_set_from_the_start_of_the_run_and_for_one_system_task_only() {
    let store = temporary();
    finished(&store, "scan", None);
    let options = RunOptions::new().description("of disk 1");
    let run = store.system_tasks().start_with("scan", Some("1"), options).unwrap();
    assert_eq!(listed(&store).len(), 1);
    run.finish().unwrap();
    let run = store.system_tasks().start_with("scan", None, RunOptions::new().description("of all")).unwrap();
    let descriptions: Vec<_> = listed(&store).into_iter().map(|task| task.description).collect();
    assert_eq!(descriptions, ["of disk 1", "of all"]);
    run.finish().unwrap();
}

/// Runs once, to be shown only if it fails, with this status.
fn run_for_failure(store: &TaskStore, status: SystemTaskStatus) -> uuid::Uuid {
    let run = store.system_tasks().start_with("send", None, RunOptions::new().only_on_failure()).unwrap();
    let uuid = run.uuid();
    run.set_status(status, ["done"]).unwrap();
    run.finish().unwrap();
    uuid
}

#[test]
fn a_successful_run_that_is_kept_for_failure_is_in_the_history_and_not_listed() {
    let store = temporary();
    let uuid = run_for_failure(&store, SystemTaskStatus::Successful);
    assert_eq!(listed(&store), []);
    let refused = store.system_tasks().retrieve(uuid).unwrap_err();
    assert!(matches!(refused, taskstore::Error::NoSuchSystemTask { uuid: named } if named == uuid), "{refused:?}");
    let run = only_run(&store, uuid);
    assert_eq!((run.status, run.event_count), (Some(SystemTaskStatus::Successful), 1));
    assert!(run.expires.is_some());
}

#[test]
fn a_run_that_fails_warns_or_is_interrupted_is_listed_though_it_is_kept_for_failure_only() {
    let store = temporary();
    for status in [SystemTaskStatus::Error, SystemTaskStatus::Warning, SystemTaskStatus::Unknown] {
        let uuid = run_for_failure(&store, status);
        assert_eq!(store.system_tasks().retrieve(uuid).unwrap().status(), status);
    }
    run_for_failure(&store, SystemTaskStatus::Successful);
    assert_eq!(listed(&store), []);
    drop(store.system_tasks().start_with("send", None, RunOptions::new().only_on_failure()).unwrap());
    assert_eq!(listed(&store)[0].status(), SystemTaskStatus::Error);
}

#[test]
fn a_successful_run_that_is_kept_for_failure_takes_the_shown_run_off_the_list() {
    let store = temporary();
    let uuid = run_for_failure(&store, SystemTaskStatus::Error);
    assert_eq!(listed(&store).len(), 1);
    run_for_failure(&store, SystemTaskStatus::Successful);
    assert_eq!(listed(&store), []);
    let statuses: Vec<_> = history(&store, uuid).into_iter().filter_map(|run| run.status).collect();
    assert_eq!(statuses, [SystemTaskStatus::Successful, SystemTaskStatus::Error]);

    // A run without the option is shown again, under the same uuid.
    assert_eq!(finished(&store, "send", None), uuid);
    assert_eq!(listed(&store)[0].uuid, uuid);
}

#[test]
fn a_registered_system_task_is_unknown_again_after_a_successful_run_that_is_kept_for_failure() {
    let store = temporary();
    store.system_tasks().register("send", "").unwrap();
    run_for_failure(&store, SystemTaskStatus::Error);
    assert_eq!(listed(&store)[0].status(), SystemTaskStatus::Error);
    run_for_failure(&store, SystemTaskStatus::Successful);
    let task = listed(&store).remove(0);
    assert_eq!((task.status(), task.shown_run), (SystemTaskStatus::Unknown, None));
}

#[test]
fn the_run_that_ended_last_is_shown_though_another_started_later() {
    let store = temporary();
    let (slow, quick) = (start(&store, "scan"), start(&store, "scan"));
    let (slow_id, quick_id) = (slow.id(), quick.id());
    let shown = || listed(&store)[0].shown_run.as_ref().map(|run| run.id);
    quick.finish().unwrap();
    assert_eq!(shown(), Some(quick_id));
    slow.finish().unwrap();
    assert_eq!(shown(), Some(slow_id));
}
