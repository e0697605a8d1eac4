//! The goals, in the order in which they are measured.

use taskstore::Durability::{Full, Normal};

use crate::goal::Goal;
use crate::{size, syncs, system_task, tasks, threads};

/// 1.3 times the time of the opponent.
const ALMOST_AS_QUICK: f64 = 1.0 / 1.3;

pub const GOALS: &[Goal] = &[
    // One thread, each verb durable by itself, to the same statements by hand.
    Goal::at_least("verb_start/full", 0.9, |run| tasks::start(run, Full)),
    Goal::at_least("verb_message/full", 0.9, |run| tasks::message(run, Full)),
    Goal::at_least("lifecycle/full", 0.9, |run| tasks::lifecycle(run, Full)),
    Goal::at_least("verb_start/normal", 0.8, |run| tasks::start(run, Normal)),
    Goal::at_least("verb_message/normal", 0.8, |run| tasks::message(run, Normal)),
    Goal::at_least("lifecycle/normal", 0.8, |run| tasks::lifecycle(run, Normal)),
    // Counted, not timed.
    Goal::at_most("syncs_per_verb/1", 1.02, |run| syncs::of_a_verb(run, 1)),
    Goal::at_most("syncs_per_verb/16", 0.12, |run| syncs::of_a_verb(run, 16)),
    Goal::at_most("bytes_per_lifecycle/10k", 480.0, size::of_a_lifecycle),
    // Many threads, each verb durable by itself.
    Goal::at_least("threads/16/full", 5.0, |run| threads::to_one_raw_thread(run, 16)),
    Goal::at_least("threads/64/full", 10.0, |run| threads::to_one_raw_thread(run, 64)),
    Goal::at_least("threads_to_mutex/16/full", 5.0, |run| threads::to_a_shared_mutex(run, 16)),
    // One transaction, to our own verbs one by one and to raw.
    Goal::at_least("batch_to_verbs/1/full", 3.5, |run| tasks::batch_to_verbs(run, 1)),
    Goal::at_least("batch_to_verbs/1000/full", 50.0, |run| tasks::batch_to_verbs(run, 1_000)),
    Goal::at_least("lifecycles_in_one_batch/1000", 0.7, tasks::thousand_to_raw),
    // All that keeps a store whole, to one that leaves it out.
    Goal::at_least("integrity_verbs/normal", 0.7, tasks::lifecycle_to_bare),
    Goal::at_least("integrity_batch/1000/normal", 0.65, tasks::thousand_to_bare),
    // System tasks, to the same statements by hand.
    Goal::at_least("system_task_run/full", 0.9, system_task::whole_run),
    Goal::at_least("system_task_retrieve/1k", ALMOST_AS_QUICK, |run| system_task::retrieve(run, 1_000)),
    Goal::at_least("system_task_page_default/1k", ALMOST_AS_QUICK, |run| system_task::page_default(run, 1_000)),
    Goal::at_least("system_task_page_by_name/1k", ALMOST_AS_QUICK, |run| system_task::page_by_name(run, 1_000)),
    Goal::at_least("system_task_retrieve/100k", ALMOST_AS_QUICK, |run| system_task::retrieve(run, 100_000)),
    Goal::at_least("system_task_page_default/100k", ALMOST_AS_QUICK, |run| system_task::page_default(run, 100_000)),
    Goal::at_least("system_task_page_by_name/100k", ALMOST_AS_QUICK, |run| system_task::page_by_name(run, 100_000)),
];
