//! Syncs, counted from outside.

use std::env;

use taskstore::{NewTask, OpenOptions, Progress};

use crate::support::syncs::count;

const CALLS: &str = "TASKSTORE_TEST_PROGRESS_CALLS";

/// Not a test of its own: the process that is counted.
#[test]
fn the_counted_process() {
    let Ok(calls) = env::var(CALLS) else { return };
    let store = OpenOptions::new().open_temporary().unwrap();
    let task = store.start(NewTask::new("copy")).unwrap();
    for done in 0..calls.parse().unwrap() {
        task.progress(&Progress::new(done).phase("copying")).unwrap();
    }
    task.finish().unwrap();
}

/// The machine's clock goes on meanwhile: a sync a second, and a minute is more than the slowest machine needs.
#[test]
fn a_hundred_thousand_calls_hardly_sync_more_than_ten() {
    let syncs = |calls| count("progress::syncs::the_counted_process", &[(CALLS, calls)]);
    let (Some(few), Some(many)) = (syncs("10"), syncs("100000")) else { return };
    assert!(many.saturating_sub(few) < 60, "{few} syncs, and {many}");
}
