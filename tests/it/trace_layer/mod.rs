//! The layer by which spans are tasks.

mod ends;
mod faults;
mod hostile;
mod killed;
mod limits;
mod queue;
mod redaction;
mod reentry;
mod spans;
mod times;

use std::sync::mpsc;
use std::thread;

use taskstore::trace_layer::{TaskLayer, TaskLayerBuilder, TaskLayerHandle};
use taskstore::{Error, LoggedEvent, Outcome, Task, TaskFilter, TaskStore};
use tracing::Dispatch;
use tracing_subscriber::prelude::*;

use crate::support;

/// A subscriber of nothing but a layer.
fn subscriber(builder: TaskLayerBuilder) -> (Dispatch, TaskLayerHandle) {
    let (layer, handle) = builder.build().unwrap();
    (Dispatch::new(tracing_subscriber::registry().with(layer)), handle)
}

/// Does the work with a layer of the defaults, and waits until all is written.
fn traced(store: &TaskStore, work: impl FnOnce()) {
    traced_with(TaskLayer::builder(store), work);
}

/// Nothing may be lost.
fn traced_with(builder: TaskLayerBuilder, work: impl FnOnce()) {
    let (dispatch, handle) = subscriber(builder);
    tracing::dispatcher::with_default(&dispatch, work);
    handle.flush();
    assert_eq!((handle.lost(), handle.last_error().map(|error| error.to_string())), (0, None));
    handle.shutdown();
}

/// The tasks, oldest first, with their titles, outcomes and texts.
fn shown(store: &TaskStore) -> Vec<(String, Option<Outcome>, Vec<String>)> {
    let tasks = tasks(store).into_iter();
    tasks.map(|task| (task.title, task.outcome, support::texts(store, task.id))).collect()
}

fn tasks(store: &TaskStore) -> Vec<Task> {
    let mut tasks = store.list(&TaskFilter::new().limit(1_000)).unwrap().items;
    tasks.reverse();
    tasks
}

/// The only task.
fn only(store: &TaskStore) -> Task {
    let mut tasks = tasks(store);
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    tasks.remove(0)
}

/// The events of the only run of a system task.
fn events(store: &TaskStore, name: &str, uid: Option<&str>) -> Vec<LoggedEvent> {
    let uuid = store.system_tasks().find(name, uid).unwrap().unwrap();
    let runs = store.system_tasks().history(uuid, None, 10).unwrap().items;
    assert_eq!(runs.len(), 1, "{runs:?}");
    store.system_tasks().events(runs[0].id, 0, 1_000).unwrap()
}

/// Holds the store's write connection while `work` is done on this thread.
fn held<T>(store: &TaskStore, work: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let (is_held, wait_until_held) = mpsc::channel();
        let (let_go, wait_until_let_go) = mpsc::channel::<()>();
        scope.spawn(move || {
            store.batch(|_| {
                is_held.send(()).unwrap();
                // An end without a word is one, too: the test has failed.
                let _ = wait_until_let_go.recv();
                Ok::<_, Error>(())
            })
        });
        wait_until_held.recv().unwrap();
        let answer = work();
        drop(let_go);
        answer
    })
}
