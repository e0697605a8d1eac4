//! How long each call takes, without the disk: a temporary store at `Normal`, one thread.
//!
//! `cargo bench --bench verbs` measures all, and with an argument those that have it in their name. What criterion's
//! options change, such as `--measurement-time 10`, overrides the short times below.

use std::time::Duration;

use criterion::Criterion;
use taskstore::{Durability, NewTask, OpenOptions, TaskId, TaskStore};

mod batches;
mod reads;
mod system_tasks;
mod tasks;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
        .nresamples(10_000)
        .configure_from_args();
    tasks::verbs(&mut criterion);
    system_tasks::verbs(&mut criterion);
    batches::batches(&mut criterion);
    reads::reads(&mut criterion);
    criterion.final_summary();
}

fn store() -> TaskStore {
    OpenOptions::new().durability(Durability::Normal).open_temporary().expect("a temporary store opens")
}

fn new_task() -> NewTask {
    NewTask::new("Create standby").performed_by("ann")
}

fn start(store: &TaskStore) -> TaskId {
    store.start_detached(new_task()).expect("starts")
}
