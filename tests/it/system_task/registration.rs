//! System tasks that are made known before they have run.

use std::time::Duration;

use chrono::DateTime;
use taskstore::{RunOptions, SystemTaskStatus};

use super::{NOON_NS, SECOND_NS, finished, history, listed, names, start, store_at_noon};
use crate::support::{Nanoseconds as _, temporary};

#[test]
fn a_registered_system_task_is_unknown_and_has_no_run() {
    let (store, _) = store_at_noon();
    store.system_tasks().register("scan", "Scans the disk").unwrap();
    let task = listed(&store).remove(0);
    assert_eq!((task.name.as_str(), &task.uid, task.description.as_str()), ("scan", &None, "Scans the disk"));
    assert_eq!(task.registered, Some(DateTime::from_timestamp_nanos(NOON_NS)));
    assert_eq!((task.status(), &task.shown_run), (SystemTaskStatus::Unknown, &None));
    assert_eq!(store.system_tasks().retrieve(task.uuid).unwrap(), task);
    assert_eq!(history(&store, task.uuid), []);
}

#[test]
fn registering_again_sets_the_description_and_keeps_the_rest() {
    let (store, clock) = store_at_noon();
    store.system_tasks().register("scan", "first").unwrap();
    let first = listed(&store).remove(0);
    clock.advance_ns(SECOND_NS);
    store.system_tasks().register("scan", "first").unwrap();
    assert_eq!(listed(&store)[0], first);
    store.system_tasks().register("scan", "second").unwrap();
    let second = listed(&store).remove(0);
    assert_eq!((second.uuid, second.registered, second.description.as_str()), (first.uuid, first.registered, "second"));
}

#[test]
fn the_first_run_takes_the_place_of_the_registration_when_it_ends() {
    let (store, _) = store_at_noon();
    store.system_tasks().register("scan", "Scans").unwrap();
    let registered = listed(&store).remove(0);
    let run = start(&store, "scan");
    assert_eq!(run.uuid(), registered.uuid);
    assert_eq!(listed(&store)[0], registered);
    run.finish().unwrap();
    let task = listed(&store).remove(0);
    assert_eq!((task.uuid, task.status()), (registered.uuid, SystemTaskStatus::Successful));
    assert_eq!((task.registered, task.description.as_str()), (registered.registered, "Scans"));
}

#[test]
fn a_run_with_a_uid_leaves_the_registration_beside_it() {
    let store = temporary();
    store.system_tasks().register("scan", "").unwrap();
    finished(&store, "scan", Some("disk"));
    let statuses: Vec<_> = listed(&store).into_iter().map(|task| (task.full_name(), task.status())).collect();
    let expected = [("scan:disk", SystemTaskStatus::Successful), ("scan", SystemTaskStatus::Unknown)];
    assert_eq!(statuses, expected.map(|(name, status)| (name.to_owned(), status)));
}

#[test]
fn nothing_is_registered_where_one_of_that_name_with_a_uid_exists() {
    let store = temporary();
    for uid in ["disk", ""] {
        let name = format!("scan{uid}");
        finished(&store, &name, Some(uid));
        store.system_tasks().register(name.as_str(), "Scans").unwrap();
        let tasks: Vec<_> = listed(&store).into_iter().filter(|task| task.name == name).collect();
        assert_eq!(tasks.len(), 1, "{tasks:?}");
        assert_eq!((tasks[0].uid.as_deref(), tasks[0].registered), (Some(uid), None));
        assert_eq!(tasks[0].description, "");
    }
    // Names that begin or end alike, or are written otherwise, are other names.
    for other in ["sca", "scandis", "scandisks", "Scandisk"] {
        store.system_tasks().register(other, "").unwrap();
    }
    assert_eq!(names(&listed(&store)), ["Scandisk", "sca", "scan", "scandis", "scandisk:disk", "scandisks"]);
}

#[test]
fn one_that_has_run_without_a_uid_can_be_registered_afterwards() {
    let store = temporary();
    let uuid = finished(&store, "scan", None);
    finished(&store, "scan", Some("disk"));
    store.system_tasks().register("scan", "Scans").unwrap();
    let task = store.system_tasks().retrieve(uuid).unwrap();
    assert_eq!((task.status(), task.description.as_str()), (SystemTaskStatus::Successful, "Scans"));
    assert!(task.registered.is_some());
    assert_eq!(listed(&store).len(), 2);
}

#[test]
fn it_is_unknown_again_when_its_shown_run_has_been_cleaned_and_keeps_its_uuid() {
    let (store, clock) = store_at_noon();
    store.system_tasks().register("scan", "Scans").unwrap();
    let registered = listed(&store).remove(0);
    let options = RunOptions::new().expires_after(Duration::from_secs(1));
    store.system_tasks().start_with("scan", None, options).unwrap().finish().unwrap();
    clock.advance_ns(SECOND_NS);
    let report = store.clean_expired().unwrap();
    assert_eq!((report.runs, report.system_tasks), (1, 0));
    assert_eq!(listed(&store)[0], registered);
    assert_eq!(finished(&store, "scan", None), registered.uuid);
}

#[test]
fn many_are_registered_in_one_batch_and_none_if_it_fails() {
    let store = temporary();
    let refused = store.batch(|batch| {
        batch.register_system_task("a", "")?;
        batch.register_system_task("", "")
    });
    assert!(matches!(refused, Err(taskstore::Error::Invalid { field: "name", .. })), "{refused:?}");
    assert_eq!(listed(&store), []);
    store
        .batch(|batch| {
            batch.register_system_task("b", "B")?;
            batch.register_system_task("a", "A")
        })
        .unwrap();
    assert_eq!(names(&listed(&store)), ["a", "b"]);
}
