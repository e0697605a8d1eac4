//! Many verbs in one transaction.

use criterion::{BatchSize, Criterion, Throughput};
use taskstore::{Batch, Level, Result, TaskStore};

use crate::{new_task, start, store};

pub fn batches(criterion: &mut Criterion) {
    lifecycles(criterion);
    dismiss_all(criterion);
}

fn lifecycles(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("batch/lifecycles");
    for count in [1, 10, 1_000] {
        let store = store();
        group.throughput(Throughput::Elements(count));
        group.bench_function(count.to_string(), |bencher| {
            let write = |batch: &Batch<'_>| (0..count).try_for_each(|_| lifecycle(batch));
            bencher.iter(|| store.batch(write).expect("commits"));
        });
    }
    group.finish();
}

fn dismiss_all(criterion: &mut Criterion) {
    let store = store();
    criterion.bench_function("dismiss_all/10", |bencher| {
        let dismiss = |()| store.dismiss_all(None, "ann").expect("dismisses");
        bencher.iter_batched(|| finish_ten(&store), dismiss, BatchSize::PerIteration);
    });
}

fn lifecycle(batch: &Batch<'_>) -> Result<()> {
    let id = batch.start_detached(new_task())?;
    for text in ["Running pre-checks", "Copying the data files", "Starting the standby"] {
        batch.message(id, Level::Info, text)?;
    }
    batch.finish(id)
}

fn finish_ten(store: &TaskStore) {
    for _ in 0..10 {
        store.finish(start(store)).expect("finishes");
    }
}
