//! One task with its messages, and the counts.

use std::hint::black_box;

use taskstore::{ConfigurationId, TaskCounts, TaskId, TaskWithMessages};

use super::{Filled, Kind};
use crate::measure::{Measured, Run};

pub fn to_raw(run: &Run) -> Measured {
    let filled = run.panel(Kind::MostDismissed, run.large());
    let id = filled.id();
    assert!(filled.raw.get(id) == get(&filled, id), "both read the same");
    run.compare(|| run.cpu(|| get(&filled, filled.id())), || run.cpu(|| filled.raw.get(filled.id())))
}

pub fn growth(run: &Run) -> Measured {
    let (large, small) = (run.panel(Kind::MostDismissed, run.large()), run.panel(Kind::MostDismissed, 1_000));
    run.compare(|| run.cpu(|| get(&large, large.id())), || run.cpu(|| get(&small, small.id())))
}

/// Of a task that was just read: what the way to it costs without the disk.
pub fn again_to_raw(run: &Run) -> Measured {
    let filled = run.panel(Kind::MostDismissed, run.large());
    let id = filled.id();
    run.compare(|| run.cpu(|| get(&filled, id)), || run.cpu(|| filled.raw.get(id)))
}

fn get(filled: &Filled, id: i64) -> TaskWithMessages {
    filled.store.task_with_messages(TaskId::try_from(id).expect("is positive")).expect("is there")
}

pub fn counts_growth(run: &Run) -> Measured {
    counts_compared(run, |_| None)
}

pub fn counts_of_configuration_growth(run: &Run) -> Measured {
    counts_compared(run, |filled| Some(filled.largest()))
}

fn counts_compared(run: &Run, which: impl Fn(&Filled) -> Option<ConfigurationId>) -> Measured {
    let (large, small) = (run.panel(Kind::MostDismissed, run.large()), run.panel(Kind::MostDismissed, 1_000));
    let (of_large, of_small) = (which(&large), which(&small));
    let counts = |filled: &Filled, of| -> TaskCounts { black_box(filled.store.counts(of).expect("counts")) };
    run.compare(|| run.cpu(|| counts(&large, of_large)), || run.cpu(|| counts(&small, of_small)))
}
