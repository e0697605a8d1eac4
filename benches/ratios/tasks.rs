//! The verbs of tasks, each durable by itself and many in one transaction.

use taskstore::{Durability, OpenOptions, TaskStore};

use crate::measure::{Measured, Run};
use crate::raw::task::Tasks;
use crate::workload;

/// A store in a file of its own, beside which the opponents have theirs.
pub fn store(durability: Durability) -> TaskStore {
    OpenOptions::new().durability(durability).open_temporary().expect("a temporary store opens")
}

pub fn lifecycle(run: &Run, durability: Durability) -> Measured {
    let (store, raw) = (store(durability), Tasks::open(durability));
    run.compare(|| run.rate(|| workload::lifecycle(&store, || ())), || run.rate(|| raw.lifecycle(|| ())))
}

pub fn thousand_to_raw(run: &Run) -> Measured {
    let (store, raw) = (store(Durability::Full), Tasks::open(Durability::Full));
    run.compare(|| run.rate(|| workload::batch(&store, 1_000)), || run.rate(|| raw.batch(1_000)))
}
