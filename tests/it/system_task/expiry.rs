//! What clean-up deletes, and what it leaves.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use taskstore::{CleanReport, Error, RunOptions, SystemTask, TaskStore};
use uuid::Uuid;

use super::{SECOND_NS, events, finished, history, listed, names, start, store_at_noon};
use crate::support::{Nanoseconds as _, open};

/// A run that is kept for so many seconds.
fn run_for(store: &TaskStore, name: &str, uid: Option<&str>, seconds: u64) -> Uuid {
    let options = RunOptions::new().expires_after(Duration::from_secs(seconds));
    let run = store.system_tasks().start_with(name, uid, options).unwrap();
    let uuid = run.uuid();
    run.finish().unwrap();
    uuid
}

/// The runs, events and system tasks that clean-up deleted.
fn clean(store: &TaskStore) -> (u64, u64, u64) {
    let CleanReport { runs, events, system_tasks, .. } = store.clean_expired().unwrap();
    (runs, events, system_tasks)
}

#[test]
fn a_run_is_deleted_from_the_instant_on_at_which_it_expires_and_not_before() {
    let (store, clock) = store_at_noon();
    run_for(&store, "now", None, 10);
    let options = RunOptions::new().expires_after(Duration::new(10, 1));
    store.system_tasks().start_with("later", None, options).unwrap().finish().unwrap();
    clock.advance_ns(10 * SECOND_NS - 1);
    assert_eq!(clean(&store), (0, 0, 0));
    clock.advance_ns(1);
    // Until clean-up runs it is listed.
    assert_eq!(names(&listed(&store)), ["later", "now"]);
    assert_eq!(clean(&store), (1, 0, 1));
    assert_eq!(names(&listed(&store)), ["later"]);
    clock.advance_ns(1);
    assert_eq!(clean(&store), (1, 0, 1));
    assert_eq!(clean(&store), (0, 0, 0));
}

#[test]
fn runs_that_never_expire_and_runs_in_progress_are_kept_however_late_it_is() {
    let (store, clock) = store_at_noon();
    store.system_tasks().start_with("kept", None, RunOptions::new().never_expires()).unwrap().finish().unwrap();
    let options = RunOptions::new().expires_after(Duration::ZERO);
    let run = store.system_tasks().start_with("in progress", None, options).unwrap();
    run.info("e", ()).unwrap();
    clock.set_ns(i64::MAX);
    assert_eq!(clean(&store), (0, 0, 0));
    assert_eq!(names(&listed(&store)), ["kept"]);
    assert_eq!((history(&store, run.uuid()).len(), events(&store, run.id()).len()), (1, 1));
    clock.set_ns(super::NOON_NS);
    run.finish().unwrap();
    assert_eq!(clean(&store), (1, 1, 1));
}

#[test]
fn the_report_counts_the_runs_their_events_and_the_system_tasks_that_are_gone() {
    let (store, clock) = store_at_noon();
    for (name, events) in [("a", 3), ("a", 0), ("b", 2), ("b", 5)] {
        let run = start(&store, name);
        for _ in 0..events {
            run.info("e", ()).unwrap();
        }
        run.finish().unwrap();
    }
    drop(start(&store, "c"));
    let kept = start(&store, "b");
    kept.info("kept", ()).unwrap();
    clock.advance_ns(6 * 3_600 * SECOND_NS);
    // An interrupted run has an event that says so. Of "b" a run is in progress.
    assert_eq!(clean(&store), (5, 11, 2));
    assert_eq!(events(&store, kept.id()).len(), 1);
    assert_eq!(history(&store, kept.uuid()).len(), 1);
    kept.finish().unwrap();
    assert_eq!(store.clean_expired().unwrap(), CleanReport::default());
}

#[test]
fn the_events_of_a_deleted_run_are_gone_and_so_is_its_uuid_with_the_last_run() {
    let (store, clock) = store_at_noon();
    let run = start(&store, "scan");
    let (id, uuid) = (run.id(), run.uuid());
    run.info("e", ()).unwrap();
    run.finish().unwrap();
    clock.advance_ns(6 * 3_600 * SECOND_NS);
    assert_eq!(clean(&store), (1, 1, 1));
    assert!(matches!(store.system_tasks().events(id, 0, 1), Err(Error::NotFound { what: "run", .. })));
    assert!(matches!(store.system_tasks().history(uuid, None, 1), Err(Error::NoSuchSystemTask { .. })));
    assert!(matches!(store.system_tasks().retrieve(uuid), Err(Error::NoSuchSystemTask { .. })));

    let again = start(&store, "scan");
    assert_ne!(again.uuid(), uuid);
    assert!(again.id() > id);
    again.finish().unwrap();
    assert_eq!(listed(&store).len(), 1);
}

#[test]
fn the_row_leaves_the_list_with_its_shown_run_though_an_older_one_is_kept() {
    let (store, clock) = store_at_noon();
    store.system_tasks().start_with("scan", None, RunOptions::new().never_expires()).unwrap().finish().unwrap();
    let uuid = run_for(&store, "scan", None, 1);
    clock.advance_ns(SECOND_NS);
    assert_eq!(clean(&store), (1, 0, 0));
    assert_eq!(listed(&store), []);
    assert!(matches!(store.system_tasks().retrieve(uuid), Err(Error::NoSuchSystemTask { .. })));
    assert_eq!(history(&store, uuid).len(), 1);
    // The next run is of the same system task.
    assert_eq!(finished(&store, "scan", None), uuid);
    assert_eq!(listed(&store).len(), 1);
}

#[test]
fn an_older_run_goes_and_the_shown_one_stays() {
    let (store, clock) = store_at_noon();
    run_for(&store, "scan", None, 1);
    let uuid = run_for(&store, "scan", None, 100);
    let before = listed(&store);
    clock.advance_ns(SECOND_NS);
    assert_eq!(clean(&store), (1, 0, 0));
    assert_eq!(listed(&store), before);
    assert_eq!(history(&store, uuid).len(), 1);
}

#[test]
fn a_successful_run_that_is_not_shown_expires_too() {
    let (store, clock) = store_at_noon();
    let options = RunOptions::new().only_on_failure().expires_after(Duration::from_secs(1));
    store.system_tasks().start_with("send", None, options).unwrap().finish().unwrap();
    clock.advance_ns(SECOND_NS);
    assert_eq!(clean(&store), (1, 0, 1));
}

#[test]
fn more_than_a_thousand_runs_go_in_one_call_and_all_others_stay() {
    let (store, clock) = store_at_noon();
    store
        .batch(|batch| {
            for number in 0..1_230_u64 {
                let uid = (number % 400).to_string();
                let seconds = if number % 3 == 0 { 1_000 } else { number % 7 };
                let options = RunOptions::new().expires_after(Duration::from_secs(seconds));
                let run = batch.start_run("scan", Some(&uid), options)?;
                batch.set_status(&run, taskstore::SystemTaskStatus::Warning, ["slow"])?;
                batch.finish_run(&run)?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
    clock.advance_ns(7 * SECOND_NS);
    let runs = (0..1_230).filter(|number| number % 3 != 0).count() as u64;
    let report = store.clean_expired().unwrap();
    assert_eq!((report.runs, report.events), (runs, runs));
    let left: u64 = (0..400_u128).map(|uuid| runs_of(&store, uuid + 1)).sum();
    assert_eq!(left, 1_230 - runs);
}

/// The runs of the system task with this uuid, if it has not been forgotten.
fn runs_of(store: &TaskStore, uuid: u128) -> u64 {
    match store.system_tasks().history(Uuid::from_u128(uuid), None, 1_000) {
        Ok(page) => page.items.len() as u64,
        Err(Error::NoSuchSystemTask { .. }) => 0,
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn a_run_with_more_events_than_a_batch_deletes_goes_with_all_of_them() {
    let (store, clock) = store_at_noon();
    for name in ["a", "b"] {
        let run = start(&store, name);
        run.set_status(taskstore::SystemTaskStatus::Warning, vec!["e"; 10_001]).unwrap();
        run.finish().unwrap();
    }
    clock.advance_ns(6 * 3_600 * SECOND_NS);
    assert_eq!(clean(&store), (2, 20_002, 2));
    assert_eq!(listed(&store), []);
}

/// That clean-up commits every few hundred runs is seen in [`super::syncs`].
#[test]
fn writers_and_readers_get_through_while_clean_up_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    store
        .batch(|batch| {
            for number in 0..4_000 {
                let options = RunOptions::new().expires_after(Duration::ZERO);
                let run = batch.start_run("scan", Some(&number.to_string()), options)?;
                batch.finish_run(&run)?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
    let other = open(&path);
    let done = AtomicBool::new(false);
    let (report, seen) = std::thread::scope(|scope| {
        let cleaner = scope.spawn(|| {
            let report = store.clean_expired().unwrap();
            done.store(true, Ordering::Release);
            report
        });
        // The lists that were read while clean-up went on, each after a write of its own.
        let mut seen: Vec<u64> = Vec::new();
        while !done.load(Ordering::Acquire) {
            finished(&other, "meanwhile", None);
            let filter = taskstore::SystemTaskFilter::new().name("scan").with_total().limit(1);
            seen.extend(other.system_tasks().list(&filter).unwrap().total);
        }
        (cleaner.join().unwrap(), seen)
    });
    assert_eq!((report.runs, report.system_tasks), (4_000, 4_000));
    assert!(seen.is_sorted_by(|one, next| one >= next), "{seen:?}");
    let tasks: Vec<SystemTask> = listed(&other);
    assert!(tasks.iter().all(|task| task.name == "meanwhile"), "{tasks:?}");
}
