//! A future that is dropped at any moment undoes nothing and leaves nothing half-done.

use std::pin::Pin;

use rusqlite::Connection;
use taskstore::testing::{Fault, Faults};
use taskstore::{AsyncTaskStore, Error, Level, NewTask, TaskStore};
use tokio::runtime::Runtime;

use super::{one_by_one, poll, settle};
use crate::support::Nanoseconds as _;
use crate::support::files::shell;
use crate::support::{Everything, ManualClock, everything, options, start, task_id};

type Call = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// Calls that write more than one row, each for a store in which tasks 1 and 2 are in progress and 3 has ended.
const CALLS: [fn(AsyncTaskStore) -> Call; 5] = [
    |store| Box::pin(async move { store.fail(task_id(1), "no answer").await }),
    |store| Box::pin(async move { store.start(NewTask::new("unseen")).await.map(std::mem::forget) }),
    |store| Box::pin(async move { store.message(task_id(2), Level::Error, "one").await }),
    |store| {
        Box::pin(async move {
            let work = store.batch(|batch| {
                batch.finish(task_id(1))?;
                batch.finish(task_id(2))?;
                batch.dismiss_all(None, "ann")
            });
            work.await.map(drop)
        })
    },
    |store| {
        Box::pin(async move {
            let mut lines = Vec::new();
            let other = crate::support::temporary();
            other.start(NewTask::new("one")).unwrap().finish().unwrap();
            other.start(NewTask::new("two")).unwrap().fail("reason").unwrap();
            other.export(&mut lines).unwrap();
            let lines = String::from_utf8(lines).unwrap();
            // The times of the other store are not this one's.
            let lines: String = lines.lines().map(|line| timeless(line) + "\n").collect();
            store.import(std::io::Cursor::new(lines)).await.map(drop)
        })
    },
];

/// Two calls where there should be one: what the test is to find.
fn half_by_half(store: AsyncTaskStore) -> Call {
    Box::pin(async move {
        store.message(task_id(1), Level::Error, "no answer").await?;
        store.fail(task_id(1), "").await
    })
}

/// A line of an export with the same times whenever it was written.
fn timeless(line: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
    fn still(value: &mut serde_json::Value) {
        const NOW: &str = "2026-11-22T12:00:00Z";
        match value {
            serde_json::Value::String(text) if text.len() > 19 && text.starts_with("20") => *text = NOW.to_owned(),
            serde_json::Value::Array(items) => items.iter_mut().for_each(still),
            serde_json::Value::Object(members) => members.values_mut().for_each(still),
            _ => {}
        }
    }
    still(&mut value);
    value.to_string()
}

struct World {
    runtime: Runtime,
    store: TaskStore,
    path: std::path::PathBuf,
    _directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self::with(&Faults::new())
    }

    fn with(faults: &Faults) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let store =
            options().clock(ManualClock::at_ns(1_000)).busy_timeout(super::LONG).faults(faults).open(&path).unwrap();
        for title in ["one", "two", "three"] {
            start(&store, title);
        }
        store.finish(task_id(3)).unwrap();
        Self { runtime: one_by_one(), store, path, _directory: directory }
    }

    fn asynchronous(&self) -> AsyncTaskStore {
        self.store.clone().into()
    }

    fn lock(&self) -> Connection {
        let other = shell(&self.path);
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    }
}

/// What there is after the whole call.
fn after(call: fn(AsyncTaskStore) -> Call) -> Everything {
    let world = World::new();
    world.runtime.block_on(call(world.asynchronous())).unwrap();
    everything(&world.store)
}

/// What there is after a call that was polled so often and then dropped, each poll after all that the one before has begun; `None`
/// if it has ended before.
fn after_polls(call: fn(AsyncTaskStore) -> Call, polls: usize) -> Option<Everything> {
    let world = World::new();
    let mut future = call(world.asynchronous());
    for _ in 0..polls {
        if poll(&world.runtime, &mut future).is_ready() {
            return None;
        }
        settle(&world.runtime);
    }
    {
        let _inside = world.runtime.enter();
        drop(future);
    }
    settle(&world.runtime);
    Some(everything(&world.store))
}

/// The first moment at which the call is found neither wholly done nor not at all, if there is one.
fn half_done_after(call: fn(AsyncTaskStore) -> Call, done: &Everything) -> Option<usize> {
    let before = everything(&World::new().store);
    let states = (0..).map_while(|polls| after_polls(call, polls));
    let mut wrong = states.enumerate().filter(|(polls, state)| state != if *polls == 0 { &before } else { done });
    wrong.next().map(|(polls, _)| polls)
}

#[test]
fn a_dropped_call_is_wholly_made_from_its_first_poll_on_and_not_at_all_before() {
    for (number, call) in CALLS.into_iter().enumerate() {
        // Nobody takes the guard of a start: the task is interrupted.
        let done = if number == 1 { interrupted() } else { after(call) };
        assert_ne!(done, everything(&World::new().store));
        assert_eq!(half_done_after(call, &done), None, "call {number}");
    }
}

/// The control.
#[test]
fn a_call_in_two_halves_is_found_half_done() {
    assert_eq!(half_done_after(half_by_half, &after(half_by_half)), Some(1));
}

fn interrupted() -> Everything {
    let world = World::new();
    drop(world.store.start(NewTask::new("unseen")).unwrap());
    everything(&world.store)
}

#[test]
fn a_call_that_is_dropped_while_it_waits_for_another_writer_is_made_when_that_lets_go() {
    for (number, call) in CALLS.into_iter().enumerate() {
        let world = World::new();
        let before = everything(&world.store);
        let other = world.lock();
        let mut future = call(world.asynchronous());
        for _ in 0..3 {
            assert!(poll(&world.runtime, &mut future).is_pending());
        }
        {
            let _inside = world.runtime.enter();
            drop(future);
        }
        assert_eq!(everything(&world.store), before, "call {number}");
        other.execute_batch("ROLLBACK").unwrap();
        settle(&world.runtime);
        // Whoever was dropped behind the first has what it does behind that one.
        settle(&world.runtime);
        let done = if number == 1 { interrupted() } else { after(call) };
        assert_eq!(everything(&world.store), done, "call {number}");
    }
}

/// What the commit answers nobody hears; the file says it.
#[test]
fn a_dropped_call_whose_commit_fails_is_wholly_made_or_not_at_all() {
    for (number, call) in CALLS.into_iter().enumerate() {
        let done = after(call);
        for fault in [true, false].map(|written| [Fault::OutcomeUnknown { written }, Fault::Crash { written }]).concat()
        {
            if number == 1 {
                // A start that nobody knows of is the store's to interrupt.
                continue;
            }
            let faults = Faults::new();
            let world = World::with(&faults);
            let before = everything(&world.store);
            faults.next(fault);
            let mut future = call(world.asynchronous());
            let _ = poll(&world.runtime, &mut future);
            {
                let _inside = world.runtime.enter();
                drop(future);
            }
            settle(&world.runtime);
            assert_eq!(faults.injected(), 1, "call {number}");
            let World { runtime, store, path, _directory } = world;
            drop((runtime, store));
            let again = options().clock(ManualClock::at_ns(1_000)).recover(false).open(&path).unwrap();
            let written = matches!(fault, Fault::OutcomeUnknown { written: true } | Fault::Crash { written: true });
            let expected = if written { &done } else { &before };
            assert!(everything(&again) == *expected, "call {number}, {fault:?}");
        }
    }
}
