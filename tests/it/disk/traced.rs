//! The layer for `tracing` on a disk of which one call fails: nothing is lost, and nothing is there twice, also where it is
//! not known whether a commit was written.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use taskstore::trace_layer::TaskLayer;
use taskstore::{
    Dismissed, Durability, Error, Level, LogEvent, LogLevel, NewTask, Order, Outcome, RunOptions, TaskFilter, TaskStore,
};
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

use super::fault::{Fault, Plan};
use super::rounds::{spread, wrong};
use super::simulated::Disk;
use super::world::options;
use crate::support::{rounds, texts};

const TASKS: u32 = 3;
const MESSAGES: [&str; 3] = ["one", "two", "three"];
const EVENTS: [&str; 2] = ["logged", "again"];

/// How often the writer did not know.
static UNKNOWN: AtomicUsize = AtomicUsize::new(0);

fn trace(store: &TaskStore) {
    assert_eq!(trace_for(store, Duration::from_secs(600)), 0);
}

/// Gives up at once: starts and ends are kept.
fn trace_impatiently(store: &TaskStore) {
    trace_for(store, Duration::ZERO);
}

/// Each step is a transaction of its own, if the writer is not late. Gives how much was lost.
fn trace_for(store: &TaskStore, retry_for: Duration) -> u64 {
    let (layer, handle) = TaskLayer::builder(store).retry_for(retry_for).build().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for number in 0..TASKS {
            let task = info_span!("a", task.title = number).entered();
            for text in MESSAGES {
                handle.flush();
                info!("{text}");
            }
            info_span!("b", system_task.name = number).in_scope(|| {
                for text in EVENTS {
                    handle.flush();
                    info!("{text}");
                }
            });
            handle.flush();
            drop(task);
            handle.flush();
        }
    });
    if matches!(handle.last_error().as_deref(), Some(Error::OutcomeUnknown { .. })) {
        UNKNOWN.fetch_add(1, Ordering::Relaxed);
    }
    let lost = handle.lost();
    handle.shutdown();
    lost
}

/// The control: does not try again.
fn try_once(store: &TaskStore) {
    for number in 0..TASKS {
        let record = || {
            store.batch(|batch| {
                let id = batch.start_detached(NewTask::new(number.to_string()))?;
                MESSAGES.into_iter().try_for_each(|text| batch.message(id, Level::Info, text))?;
                let run = batch.start_run(number.to_string(), None, RunOptions::new())?;
                EVENTS.into_iter().try_for_each(|text| batch.log(&run, LogEvent::new(LogLevel::Info, text)))?;
                batch.finish_run(&run)?;
                batch.finish(id)
            })
        };
        // What is lost is lost.
        let _: Result<(), Error> = record();
    }
}

/// What is not as it was traced.
fn problems(plan: Plan, record: fn(&TaskStore)) -> Vec<String> {
    problems_but(plan, record, |said, expected| said == expected)
}

/// `are_right` compares the texts of a task or of a run with those that were said.
fn problems_but(plan: Plan, record: fn(&TaskStore), are_right: fn(&[String], &[&str]) -> bool) -> Vec<String> {
    let disk = Disk::new();
    let store = options(Durability::Full).open(disk.file()).unwrap();
    disk.fail(plan);
    record(&store);
    disk.repair();
    drop(store);
    let store = options(Durability::Full).open(disk.file()).unwrap();
    let filter = TaskFilter::new().dismissed(Dismissed::Included).order(Order::OldestFirst);
    let found = store.list(&filter).unwrap().items;
    let found: Vec<_> = found.iter().map(|task| (&*task.title, task.outcome, texts(&store, task.id))).collect();
    let titles: Vec<_> = (0..TASKS).map(|number| number.to_string()).collect();
    let mut problems = Vec::new();
    let is_right = |((title, outcome, texts), expected): (&(&str, _, Vec<String>), &String)| {
        title == expected && *outcome == Some(Outcome::Finished) && are_right(texts, &MESSAGES)
    };
    if found.len() != titles.len() || !found.iter().zip(&titles).all(is_right) {
        problems.push(format!("{plan}: {found:?}"));
    }
    for title in &titles {
        let uuid = store.system_tasks().find(title, None).unwrap();
        let runs = uuid.map(|uuid| store.system_tasks().history(uuid, None, 10).unwrap().items).unwrap_or_default();
        let events = runs.iter().flat_map(|run| store.system_tasks().events(run.id, 0, 10).unwrap());
        let events: Vec<_> = events.map(|event| event.event).collect();
        if runs.len() != 1
            || runs.iter().any(|run| run.interrupted || run.finished.is_none())
            || !are_right(&events, &EVENTS)
        {
            problems.push(format!("{plan}: {runs:?} {events:?}"));
        }
    }
    problems
}

fn all_problems(faults: &[Fault], rounds: usize, record: fn(&TaskStore)) -> Vec<String> {
    let disk = Disk::new();
    let never = Plan { fault: Fault::Sync, from: u64::MAX, forever: false };
    assert!(problems(never, record).is_empty(), "on a disk that works nothing is wrong");
    let store = options(Durability::Full).open(disk.file()).unwrap();
    disk.fail(never);
    record(&store);
    let plans = faults
        .iter()
        .flat_map(|&fault| spread(disk.calls(fault), rounds).map(move |from| Plan { fault, from, forever: false }));
    let plans: Vec<_> = plans.collect();
    drop(store);
    wrong(&plans, |plan| problems(*plan, record))
}

#[test]
fn a_call_of_the_disk_that_fails_loses_and_doubles_nothing_that_is_traced() {
    let problems = all_problems(&Fault::ALL, rounds(12), trace);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(UNKNOWN.load(Ordering::Relaxed) > 0, "no commit was in doubt");
}

#[test]
fn where_it_is_tried_once_what_is_traced_is_there_once_and_ends() {
    let some_once = |said: &[String], expected: &[&str]| {
        let mut left = expected.iter();
        said.iter().filter(|text| !text.starts_with('…')).all(|text| left.any(|expected| expected == text))
    };
    let disk = Disk::new();
    let store = options(Durability::Full).open(disk.file()).unwrap();
    disk.fail(Plan { fault: Fault::Sync, from: u64::MAX, forever: false });
    trace_impatiently(&store);
    let plans: Vec<_> = spread(disk.calls(Fault::Sync), rounds(24))
        .map(|from| Plan { fault: Fault::Sync, from, forever: false })
        .collect();
    drop(store);
    let problems = wrong(&plans, |plan| problems_but(*plan, trace_impatiently, some_once));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn who_does_not_try_again_loses_what_the_disk_refused() {
    assert!(!all_problems(&[Fault::Sync], 20, try_once).is_empty());
}
