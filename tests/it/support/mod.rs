//! What the tests share.

pub(crate) mod children;
mod clock;
pub(crate) mod files;
pub(crate) mod random;
mod slow;
pub(crate) mod syncs;

pub(crate) use clock::Nanoseconds;
pub(crate) use random::rounds;
pub(crate) use slow::Slow;
pub(crate) use taskstore::testing::ManualClock;

use std::path::Path;

use taskstore::{
    Configuration, ConfigurationId, Dismissed, Durability, Message, NewTask, OpenOptions, Order, Task, TaskFilter,
    TaskId, TaskStore,
};

/// Options that do not wait for the disk: what a test writes need not survive a power cut.
pub(crate) fn options() -> OpenOptions {
    OpenOptions::new().durability(Durability::Normal)
}

/// An empty store in a file of its own.
pub(crate) fn temporary() -> TaskStore {
    options().open_temporary().unwrap()
}

/// The store in this file.
pub(crate) fn open(path: &Path) -> TaskStore {
    options().open(path).unwrap()
}

pub(crate) fn task_id(id: i64) -> TaskId {
    TaskId::try_from(id).unwrap()
}

pub(crate) fn configuration_id(id: i64) -> ConfigurationId {
    ConfigurationId::try_from(id).unwrap()
}

/// Starts a task of nobody.
pub(crate) fn start(store: &TaskStore, title: &str) -> TaskId {
    store.start_detached(NewTask::new(title)).unwrap()
}

/// Starts a task and finishes it.
pub(crate) fn finished(store: &TaskStore, title: &str) -> TaskId {
    let id = start(store, title);
    store.finish(id).unwrap();
    id
}

/// Starts a task and lets its guard go.
pub(crate) fn interrupted(store: &TaskStore, title: &str) -> TaskId {
    let task = store.start(NewTask::new(title)).unwrap();
    let id = task.id();
    drop(task);
    id
}

/// All messages of a task, page by page.
pub(crate) fn messages(store: &TaskStore, id: TaskId) -> Vec<Message> {
    let mut all: Vec<Message> = Vec::new();
    loop {
        let page = store.messages(id, all.last().map_or(0, |last| last.seq), 1_000).unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// The texts of a task's messages.
pub(crate) fn texts(store: &TaskStore, id: TaskId) -> Vec<String> {
    messages(store, id).into_iter().map(|message| message.text).collect()
}

/// All that a store shows.
#[derive(Debug, PartialEq)]
pub(crate) struct Everything {
    pub(crate) configurations: Vec<Configuration>,
    pub(crate) tasks: Vec<(Task, Vec<Message>)>,
}

/// Reads all that a store shows.
pub(crate) fn everything(store: &TaskStore) -> Everything {
    let filter = TaskFilter::new().dismissed(Dismissed::Included).order(Order::OldestFirst).limit(1_000);
    let mut tasks = Vec::new();
    let mut page = store.list(&filter).unwrap();
    loop {
        tasks.extend(page.items.into_iter().map(|task| {
            let messages = messages(store, task.id);
            (task, messages)
        }));
        let Some(next) = page.next else { break };
        page = store.list(&filter.clone().cursor(next)).unwrap();
    }
    Everything { configurations: store.configurations().list().unwrap(), tasks }
}
