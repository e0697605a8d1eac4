//! System tasks: their runs, what those log, how they are read, and when they go.

mod attributes;
mod batch;
mod ends;
mod expiry;
mod history;
mod identity;
mod keys;
mod limits;
mod list;
mod list_model;
mod memory;
mod on_disk;
mod options;
mod record;
mod registration;
mod search;
mod syncs;
mod times;
mod wire;

use taskstore::{
    LogLevel, LoggedEvent, OpenOptions, Run, RunId, RunningSystemTask, SystemTask, SystemTaskFilter, TaskStore, testing,
};
use uuid::Uuid;

use crate::support::{ManualClock, Nanoseconds as _};

/// 2024-11-21T12:00:00Z.
const NOON_NS: i64 = 1_732_190_400_000_000_000;

const SECOND_NS: i64 = 1_000_000_000;

/// Options with a clock that stands at noon, and uuids that count from 1.
fn options_at_noon() -> (OpenOptions, ManualClock) {
    let clock = ManualClock::at_ns(NOON_NS);
    (testing::options(&clock), clock)
}

/// An empty store in a file of its own, whose clock stands at noon.
fn store_at_noon() -> (TaskStore, ManualClock) {
    let (options, clock) = options_at_noon();
    (options.open_temporary().unwrap(), clock)
}

/// Starts a run of a system task without uid.
fn start(store: &TaskStore, name: &str) -> RunningSystemTask {
    store.system_tasks().start(name, None).unwrap()
}

/// A run that went well.
fn finished(store: &TaskStore, name: &str, uid: Option<&str>) -> Uuid {
    let run = store.system_tasks().start(name, uid).unwrap();
    let uuid = run.uuid();
    run.finish().unwrap();
    uuid
}

/// All runs of a system task, newest first.
fn history(store: &TaskStore, uuid: Uuid) -> Vec<Run> {
    let page = store.system_tasks().history(uuid, None, 1_000).unwrap();
    assert_eq!(page.next, None);
    page.items
}

/// The only run of a system task.
fn only_run(store: &TaskStore, uuid: Uuid) -> Run {
    let mut runs = history(store, uuid);
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0)
}

fn events(store: &TaskStore, run: RunId) -> Vec<LoggedEvent> {
    let events = store.system_tasks().events(run, 0, 1_000).unwrap();
    assert!(events.len() < 1_000);
    events
}

/// The levels and texts of a run's events.
fn said(store: &TaskStore, run: RunId) -> Vec<(LogLevel, String)> {
    events(store, run).into_iter().map(|event| (event.level, event.event)).collect()
}

/// All that are listed, in the default order.
fn listed(store: &TaskStore) -> Vec<SystemTask> {
    let page = store.system_tasks().list(&SystemTaskFilter::new().limit(1_000)).unwrap();
    assert_eq!(page.next, None);
    page.items
}

/// Their full names.
fn names(tasks: &[SystemTask]) -> Vec<String> {
    tasks.iter().map(SystemTask::full_name).collect()
}
