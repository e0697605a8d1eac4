//! What a repeated call answers for is on disk, though another wrote it: counted from outside by strace.

use std::env;

use serde_json::json;
use taskstore::{Level, LogEvent, LogLevel, NewTask, OpenOptions, RunOptions, TaskStore};

use crate::support::syncs::count;

const REPEATS: &str = "TASKSTORE_TEST_REPEATS";

/// Not a test of its own: the process that is counted.
#[test]
fn the_counted_process() {
    let Ok(repeats) = env::var(REPEATS) else { return };
    let store = OpenOptions::new().open_temporary().unwrap();
    (0..repeats.parse::<usize>().unwrap()).for_each(|_| five_calls(&store));
    assert_eq!(store.task(crate::support::task_id(1)).unwrap().message_count, 1);
}

fn five_calls(store: &TaskStore) {
    let id = store.start_detached(NewTask::new("t").key("k")).unwrap();
    store.message_once(id, "k", Level::Info, "one").unwrap();
    let run = store.system_tasks().start_with("fetch", None, RunOptions::new().key("k")).unwrap();
    run.log(LogEvent::new(LogLevel::Info, "one").key("k").attributes(json!({})).unwrap()).unwrap();
    // The next start takes it up again.
    let _ = run.detach().unwrap();
}

/// A sync of what this process has not written itself: the one that did may have died before its own.
#[test]
fn a_repeated_call_costs_one_sync_as_the_first_did() {
    let syncs = |repeats| count("keys::syncs::the_counted_process", &[(REPEATS, repeats)]);
    let (Some(few), Some(many)) = (syncs("10"), syncs("110")) else { return };
    let per_call = (many - few) as f64 / 500.0;
    assert!((1.0..=1.02).contains(&per_call), "{per_call} syncs a repeated call");
}
