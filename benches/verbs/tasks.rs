//! The verbs of tasks and configurations. A verb that needs a task in some state gets one that is not timed.

use std::cell::Cell;

use criterion::{BatchSize, Criterion};
use taskstore::{Level, Progress, Result, TaskId, TaskStore};

use crate::{new_task, start, store};

pub fn verbs(criterion: &mut Criterion) {
    of_any_task(criterion);
    of_a_task_in_progress(criterion);
    of_an_ended_task(criterion);
    of_configurations(criterion);
}

fn of_any_task(criterion: &mut Criterion) {
    let store = store();
    criterion.bench_function("task/start", |bencher| bencher.iter(|| start(&store)));
    // Counted on through warm-up and samples, so that every key is new.
    let keys = Cell::new(0_u64);
    let keyed = || {
        keys.set(keys.get() + 1);
        new_task().key(keys.get().to_string())
    };
    criterion.bench_function("task/start/key", |bencher| {
        bencher.iter_batched(keyed, |task| store.start_detached(task).expect("starts"), BatchSize::SmallInput);
    });
    criterion.bench_function("task/guard", |bencher| {
        bencher.iter(|| store.start(new_task()).expect("starts").finish().expect("finishes"));
    });
}

fn of_a_task_in_progress(criterion: &mut Criterion) {
    let store = store();
    let id = start(&store);
    criterion.bench_function("task/message", |bencher| {
        bencher.iter(|| store.message(id, Level::Info, "Copying the data files").expect("records"));
    });
    store.message_once(id, "once", Level::Info, "Copying the data files").expect("records");
    criterion.bench_function("task/message_once/repeated", |bencher| {
        bencher.iter(|| store.message_once(id, "once", Level::Info, "Copying the data files").expect("finds"));
    });
    criterion.bench_function("task/progress", |bencher| {
        let progress = Progress::new(3).of(10).phase("copying");
        bencher.iter(|| store.progress(id, &progress).expect("records"));
    });
    let ready = || start(&store);
    prepared(criterion, "task/finish", ready, |id| store.finish(id));
    prepared(criterion, "task/fail", ready, |id| store.fail(id, "the standby does not answer"));
}

fn of_an_ended_task(criterion: &mut Criterion) {
    let store = store();
    let finished = || finished(&store);
    prepared(criterion, "task/dismiss", finished, |id| store.dismiss(id, "ann"));
    let dismissed = || {
        let id = finished();
        store.dismiss(id, "ann").expect("dismisses");
        id
    };
    prepared(criterion, "task/restore", dismissed, |id| store.restore(id));
    prepared(criterion, "task/delete", finished, |id| store.delete(id));
}

fn of_configurations(criterion: &mut Criterion) {
    let store = store();
    let configurations = store.configurations();
    criterion.bench_function("configuration/add", |bencher| {
        bencher.iter(|| configurations.add("production").expect("adds"));
    });
    let added = || configurations.add("production").expect("adds");
    let id = added();
    criterion.bench_function("configuration/rename", |bencher| {
        // SQLite does not write what is there already.
        let mut names = ["staging", "production"].into_iter().cycle();
        bencher.iter(|| configurations.rename(id, names.next().expect("goes round")).expect("renames"));
    });
    criterion.bench_function("configuration/delete", |bencher| {
        bencher.iter_batched(added, |id| configurations.delete(id).expect("deletes"), BatchSize::SmallInput);
    });
}

fn finished(store: &TaskStore) -> TaskId {
    let id = start(store);
    store.finish(id).expect("finishes");
    id
}

fn prepared(criterion: &mut Criterion, name: &str, ready: impl Fn() -> TaskId, verb: impl Fn(TaskId) -> Result<()>) {
    criterion.bench_function(name, |bencher| {
        bencher.iter_batched(&ready, |id| verb(id).expect("does it"), BatchSize::SmallInput);
    });
}
