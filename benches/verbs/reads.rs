//! What the verbs read, from a store of a thousand tasks with three messages each.

use criterion::Criterion;
use taskstore::{Batch, Level, Outcomes, Result, TaskFilter, TaskId, TaskStore};

use crate::{new_task, store};

const TASKS: usize = 1_000;

pub fn reads(criterion: &mut Criterion) {
    let store = store();
    let middle = fill(&store);
    criterion.bench_function("read/task", |bencher| bencher.iter(|| store.task(middle).expect("reads")));
    criterion.bench_function("read/messages/3", |bencher| {
        bencher.iter(|| store.messages(middle, 0, 100).expect("reads"));
    });

    let newest = TaskFilter::new().limit(50);
    let next = store.list(&newest).expect("lists").next.expect("there are more");
    for (name, filter) in [
        ("read/list/50", newest.clone()),
        ("read/list/50/behind_a_cursor", newest.clone().cursor(next)),
        ("read/list/50/finished", newest.outcomes(Outcomes::FINISHED)),
    ] {
        criterion.bench_function(name, |bencher| bencher.iter(|| store.list(&filter).expect("lists")));
    }
}

/// Answers a task in the middle.
fn fill(store: &TaskStore) -> TaskId {
    let add = |batch: &Batch<'_>| -> Result<TaskId> {
        let id = batch.start_detached(new_task())?;
        for text in ["Running pre-checks", "Copying the data files", "Starting the standby"] {
            batch.message(id, Level::Info, text)?;
        }
        batch.finish(id)?;
        Ok(id)
    };
    let ids: Vec<TaskId> = store.batch(|batch| (0..TASKS).map(|_| add(batch)).collect::<Result<_>>()).expect("commits");
    *ids.get(TASKS / 2).expect("as many as were added")
}
