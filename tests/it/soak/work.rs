//! A little of everything, that leaves as many rows as there were.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use taskstore::wire::{system_task_api, task_api};
use taskstore::{
    Dismissed, Error, Level, NewTask, Order, Progress, RunOptions, SystemTaskFilter, TaskFilter, TaskId, TaskStore,
};

use crate::support::options;

/// Tasks that are kept, as an application does that deletes old ones.
const TASKS_KEPT: usize = 200;

pub(super) struct Work {
    _directory: tempfile::TempDir,
    path: PathBuf,
    store: TaskStore,
    tasks: std::collections::VecDeque<TaskId>,
    rounds: u64,
}

impl Work {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let store = options().open(&path).unwrap();
        store.configurations().add("prod").unwrap();
        Self { _directory: directory, path, store, tasks: Default::default(), rounds: 0 }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Some two hundred calls, of four threads.
    pub(super) fn round(&mut self) {
        self.rounds += 1;
        let (store, round) = (&self.store, self.rounds);
        let started: Vec<Vec<TaskId>> = std::thread::scope(|scope| {
            let threads = (0..4).map(|thread| scope.spawn(move || tasks(store, round, thread)));
            let threads: Vec<_> = threads.collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        self.tasks.extend(started.into_iter().flatten());
        while self.tasks.len() > TASKS_KEPT {
            let old: Vec<_> = self.tasks.drain(..self.tasks.len().min(20)).collect();
            store.batch(|batch| old.iter().try_for_each(|id| batch.delete(*id))).unwrap();
        }
        system_tasks(store);
        lists(store);
        if round.is_multiple_of(10) {
            store.flush().unwrap();
            // Another handle on the file, as another program has it.
            options().open(&self.path).unwrap().close().unwrap();
            assert!(matches!(store.task(crate::support::task_id(i64::MAX)), Err(Error::NotFound { .. })));
        }
    }
}

/// Tasks that end in each way.
fn tasks(store: &TaskStore, round: u64, thread: usize) -> Vec<TaskId> {
    let new = |letter| NewTask::new(format!("{round} {thread} {letter}")).performed_by("ann");
    let plain = store.start_detached(new('a').configuration(crate::support::configuration_id(1))).unwrap();
    for done in 0..10 {
        store.message(plain, Level::Info, format!("file {done} of 10")).unwrap();
        store.progress(plain, &Progress::new(done).of(10)).unwrap();
    }
    store.finish(plain).unwrap();
    store.dismiss(plain, "ann").unwrap();
    let keyed = store.start_detached(new('b').key(format!("{round} {thread}"))).unwrap();
    store.fail(keyed, "no answer").unwrap();
    let guarded = store.start(new('c')).unwrap();
    let id = guarded.id();
    guarded.finish().unwrap();
    let abandoned = store.start(new('d')).unwrap();
    let interrupted = abandoned.id();
    drop(abandoned);
    let in_batch = store.batch(|batch| {
        let id = batch.start_detached(new('e'))?;
        batch.message(id, Level::Warn, "in a batch")?;
        batch.finish(id)?;
        Ok::<_, Error>(id)
    });
    vec![plain, keyed, id, interrupted, in_batch.unwrap()]
}

/// Runs that expire at once, and go.
fn system_tasks(store: &TaskStore) {
    for name in ["scan", "fetch"] {
        let options = RunOptions::new().expires_after(Duration::ZERO);
        let run = store.system_tasks().start_with(name, None, options).unwrap();
        run.info("begun", ()).unwrap();
        run.finish().unwrap();
    }
    let filter = SystemTaskFilter::new().search("scan");
    assert_eq!(store.system_tasks().list(&filter).unwrap().items.len(), 1);
    let request = system_task_api::ListRequest::parse([("page_size", "10")]).unwrap();
    system_task_api::write_list(store, &request, io::sink()).unwrap();
    assert_eq!(store.clean_expired().unwrap().runs, 2);
}

fn lists(store: &TaskStore) {
    for order in [Order::NewestFirst, Order::OldestFirst, Order::RecentlyUpdated] {
        let filter = TaskFilter::new().dismissed(Dismissed::Included).order(order).text("file").limit(20);
        let page = store.list(&filter).unwrap();
        page.next.map(|next| store.list(&filter.cursor(next)).unwrap());
    }
    let member = task_api::DismissedMember::HiddenBy;
    task_api::write_task_list(store, &TaskFilter::new().dismissed(Dismissed::Included), member, io::sink()).unwrap();
    store.export_tasks(&TaskFilter::new(), io::sink()).unwrap();
    store.counts(None).unwrap();
}
