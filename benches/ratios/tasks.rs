//! The verbs of tasks on one thread: each committed by itself, and many in one transaction.

use taskstore::Durability::{self, Full, Normal};
use taskstore::{Level, OpenOptions, TaskStore};

use crate::measure::{Measured, Run};
use crate::raw::bare::BareTasks;
use crate::raw::task::Tasks;
use crate::workload::{self, MESSAGES};

/// A store in a file of its own, beside which the opponents have theirs.
pub fn store(durability: Durability) -> TaskStore {
    OpenOptions::new().durability(durability).open_temporary().expect("a temporary store opens")
}

/// A verb of one statement.
pub fn start(run: &Run, durability: Durability) -> Measured {
    let (store, raw) = (store(durability), Tasks::open(durability));
    run.compare(|| run.rate(|| workload::start(&store)), || run.rate(|| raw.start()))
}

/// A verb of two statements.
pub fn message(run: &Run, durability: Durability) -> Measured {
    let (store, raw) = (store(durability), Tasks::open(durability));
    let (id, raw_id) = (workload::start(&store), raw.start());
    let [_, text, _] = MESSAGES;
    let ours = || store.message(id, Level::Info, text).expect("records a message");
    run.compare(|| run.rate(ours), || run.rate(|| raw.message(raw_id, text)))
}

/// Five verbs.
pub fn lifecycle(run: &Run, durability: Durability) -> Measured {
    let (store, raw) = (store(durability), Tasks::open(durability));
    run.compare(|| run.rate(|| workload::lifecycle(&store, || ())), || run.rate(|| raw.lifecycle(|| ())))
}

pub fn thousand_to_raw(run: &Run) -> Measured {
    let (store, raw) = (store(Full), Tasks::open(Full));
    run.compare(|| run.rate(|| workload::batch(&store, 1_000)), || run.rate(|| raw.batch(1_000)))
}

/// Lifecycles in batches of so many, to the same verbs one by one.
pub fn batch_to_verbs(run: &Run, lifecycles: u32) -> Measured {
    let (batches, verbs) = (store(Full), store(Full));
    let in_batch = || f64::from(lifecycles) * run.rate(|| workload::batch(&batches, lifecycles));
    run.compare(in_batch, || run.rate(|| workload::lifecycle(&verbs, || ())))
}

/// The verbs with all that keeps a store whole, to those of a store that leaves it out.
pub fn lifecycle_to_bare(run: &Run) -> Measured {
    let (store, bare) = (store(Normal), BareTasks::open(Normal));
    run.compare(|| run.rate(|| workload::lifecycle(&store, || ())), || run.rate(|| bare.lifecycle()))
}

pub fn thousand_to_bare(run: &Run) -> Measured {
    let (store, bare) = (store(Normal), BareTasks::open(Normal));
    run.compare(|| run.rate(|| workload::batch(&store, 1_000)), || run.rate(|| bare.batch(1_000)))
}
