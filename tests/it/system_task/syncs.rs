//! How often recording a run asks the disk to sync, counted from outside by strace.

use std::env;
use std::time::Duration;

use taskstore::{Error, LogEvent, LogLevel, OpenOptions, RunOptions, TaskStore};

use crate::support::syncs::count;

const RUNS: &str = "TASKSTORE_TEST_RUNS";
const MANNER: &str = "TASKSTORE_TEST_MANNER";

/// A run by its guard is five calls: the start, three events, the end.
const CALLS: f64 = 5.0;

/// Not a test of its own: the process that is counted.
#[test]
fn the_counted_process() {
    let (Ok(runs), Ok(manner)) = (env::var(RUNS), env::var(MANNER)) else { return };
    let store = OpenOptions::new().open_temporary().unwrap();
    let runs = runs.parse::<usize>().unwrap();
    match manner.as_str() {
        "guard" => (0..runs).for_each(|_| by_guard(&store)),
        "batch" => (0..runs).for_each(|_| in_one_batch(&store)),
        _ => clean(&store, runs),
    }
}

fn by_guard(store: &TaskStore) {
    let run = store.system_tasks().start("fetch", Some("ann")).unwrap();
    for text in ["one", "two", "three"] {
        run.info(text, serde_json::json!({"messages": 3})).unwrap();
    }
    run.finish().unwrap();
}

fn in_one_batch(store: &TaskStore) {
    let recorded = store.batch(|batch| {
        let run = batch.start_run("fetch", Some("ann"), RunOptions::new())?;
        for text in ["one", "two", "three"] {
            batch.log(&run, LogEvent::new(LogLevel::Info, text))?;
        }
        batch.finish_run(&run)
    });
    recorded.unwrap();
}

/// Clean-up of runs that were recorded in one batch.
fn clean(store: &TaskStore, runs: usize) {
    let recorded = store.batch(|batch| {
        for _ in 0..runs {
            let run = batch.start_run("fetch", None, RunOptions::new().expires_after(Duration::ZERO))?;
            batch.finish_run(&run)?;
        }
        Ok::<_, Error>(())
    });
    recorded.unwrap();
    assert_eq!(store.clean_expired().unwrap().runs, runs as u64);
}

/// The sync calls of a process that records this many runs, or `None` where there is no strace.
fn syncs(runs: usize, manner: &str) -> Option<usize> {
    count("system_task::syncs::the_counted_process", &[(RUNS, runs.to_string().as_str()), (MANNER, manner)])
}

/// The syncs of one run: those that 200 more runs cost.
fn syncs_a_run(manner: &str) -> Option<f64> {
    let (few, many) = (syncs(20, manner)?, syncs(220, manner)?);
    Some((many - few) as f64 / 200.0)
}

#[test]
fn an_acknowledged_call_of_a_run_costs_at_most_one_sync_and_two_hundredths() {
    let Some(syncs) = syncs_a_run("guard") else { return };
    assert!((1.0..=1.02).contains(&(syncs / CALLS)), "{syncs} syncs a run of {CALLS} calls");
}

#[test]
fn a_run_with_three_events_in_one_batch_costs_one_sync() {
    let Some(syncs) = syncs_a_run("batch") else { return };
    assert!((1.0..=1.02).contains(&syncs), "{syncs} syncs a run");
}

/// Each batch is a commit, and so a sync, between which others write.
#[test]
fn clean_up_of_four_thousand_runs_is_at_least_twenty_commits() {
    let (Some(few), Some(many)) = (syncs(200, "clean"), syncs(4_200, "clean")) else { return };
    assert!(many - few >= 20, "{few} syncs for 200 runs, {many} for 4,200");
}
