//! The goals, in the order in which they are measured.

use taskstore::Durability::{Full, Normal};

use crate::goal::Goal;
use crate::{system_task, tasks, threads};

/// 1.3 times the time of the opponent.
const ALMOST_AS_QUICK: f64 = 1.0 / 1.3;

pub const GOALS: &[Goal] = &[
    // One thread, each verb durable by itself, to the same statements by hand.
    Goal::at_least("lifecycle/full", 0.9, |run| tasks::lifecycle(run, Full)),
    Goal::at_least("lifecycle/normal", 0.8, |run| tasks::lifecycle(run, Normal)),
    // Many threads, to one raw thread.
    Goal::at_least("threads/16/full", 5.0, |run| threads::to_one_raw_thread(run, 16)),
    Goal::at_least("threads/64/full", 10.0, |run| threads::to_one_raw_thread(run, 64)),
    // One transaction.
    Goal::at_least("lifecycles_in_one_batch/1000", 0.7, tasks::thousand_to_raw),
    // System tasks, to the same statements by hand.
    Goal::at_least("system_task_run/full", 0.9, system_task::whole_run),
    Goal::at_least("system_task_retrieve/1k", ALMOST_AS_QUICK, |run| system_task::retrieve(run, 1_000)),
    Goal::at_least("system_task_page_default/1k", ALMOST_AS_QUICK, |run| system_task::page_default(run, 1_000)),
    Goal::at_least("system_task_page_by_name/1k", ALMOST_AS_QUICK, |run| system_task::page_by_name(run, 1_000)),
    Goal::at_least("system_task_retrieve/100k", ALMOST_AS_QUICK, |run| system_task::retrieve(run, 100_000)),
    Goal::at_least("system_task_page_default/100k", ALMOST_AS_QUICK, |run| system_task::page_default(run, 100_000)),
    Goal::at_least("system_task_page_by_name/100k", ALMOST_AS_QUICK, |run| system_task::page_by_name(run, 100_000)),
];
