//! How often an acknowledged verb asks the disk to sync, counted from outside by strace.

use std::env;

use taskstore::{Durability, Error, Level, NewTask, OpenOptions, TaskStore};

use crate::support::children::{in_role, role};
use crate::support::files::beside;
use crate::support::syncs::{calls, count, fail};
use crate::support::{open, options, task_id, texts};

const VERBS: &str = "TASKSTORE_TEST_VERBS";
const THREADS: &str = "TASKSTORE_TEST_THREADS";
const DURABILITY: &str = "TASKSTORE_TEST_DURABILITY";
const FLUSHES: &str = "TASKSTORE_TEST_FLUSHES";

/// Not a test of its own: the process that is counted.
#[test]
fn the_counted_process() {
    let Ok(verbs) = env::var(VERBS) else { return };
    let durability = match env::var(DURABILITY).as_deref() {
        Ok("normal") => Durability::Normal,
        _ => Durability::Full,
    };
    let threads = env::var(THREADS).map_or(1, |threads| threads.parse::<usize>().unwrap());
    let store = OpenOptions::new().durability(durability).open_temporary().unwrap();
    let flushes = env::var(FLUSHES).is_ok();
    let lifecycles = verbs.parse::<usize>().unwrap() / 5 / threads;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..lifecycles {
                    lifecycle(&store);
                    if flushes {
                        store.flush().unwrap();
                    }
                }
            });
        }
    });
}

/// Five verbs.
fn lifecycle(store: &TaskStore) {
    let id = store.start_detached(NewTask::new("Create standby").performed_by("ann")).unwrap();
    for text in ["one", "two", "three"] {
        store.message(id, Level::Info, text).unwrap();
    }
    store.finish(id).unwrap();
}

/// The sync calls of a process that runs this many verbs, or `None` where there is no strace.
fn syncs(verbs: usize, threads: usize, durability: &str) -> Option<usize> {
    let (verbs, threads) = (verbs.to_string(), threads.to_string());
    let variables = [(VERBS, verbs.as_str()), (THREADS, &threads), (DURABILITY, durability)];
    count("syncs::the_counted_process", &variables)
}

#[test]
fn a_durable_verb_costs_at_most_one_sync_and_two_hundredths() {
    let (Some(few), Some(many)) = (syncs(100, 1, "full"), syncs(1_100, 1, "full")) else { return };
    let per_verb = (many - few) as f64 / 1_000.0;
    assert!((1.0..=1.02).contains(&per_verb), "{per_verb} syncs a verb");
}

#[test]
fn a_verb_at_normal_durability_hardly_ever_syncs() {
    let (Some(few), Some(many)) = (syncs(100, 1, "normal"), syncs(1_100, 1, "normal")) else { return };
    let per_verb = (many - few) as f64 / 1_000.0;
    assert!(per_verb <= 0.02, "{per_verb} syncs a verb");
}

/// On one core the threads may meet less often than where this was measured: 0.07 with sixteen threads on two.
#[test]
fn sixteen_threads_share_their_syncs() {
    let (Some(few), Some(many)) = (syncs(800, 16, "full"), syncs(8_800, 16, "full")) else { return };
    let per_verb = (many - few) as f64 / 8_000.0;
    assert!(per_verb <= 0.12, "{per_verb} syncs a verb");
}

/// The sync calls of twenty lifecycles, with a flush after each or without.
fn calls_of_twenty(durability: &str, flushes: bool) -> Option<Vec<String>> {
    let variables = [(VERBS, "100"), (DURABILITY, durability), (FLUSHES, "yes")];
    calls("syncs::the_counted_process", if flushes { &variables } else { &variables[..2] })
}

/// Exactly, since so few verbs do not fill the `-wal`. What follows a flush is not synced, up to the next.
#[test]
fn a_flush_at_normal_durability_syncs_the_wal_once() {
    let (Some(without), Some(with)) = (calls_of_twenty("normal", false), calls_of_twenty("normal", true)) else {
        return;
    };
    let of_the_wal = |calls: &[String]| calls.iter().filter(|call| call.contains("/tasks.db-wal>)")).count();
    assert_eq!(of_the_wal(&with) - of_the_wal(&without), 20, "{with:?}");
    assert_eq!(with.len() - without.len(), 20, "{with:?}");
}

#[test]
fn a_flush_at_full_durability_has_nothing_to_do() {
    let (Some(without), Some(with)) = (calls_of_twenty("full", false), calls_of_twenty("full", true)) else { return };
    assert_eq!(with.len(), without.len(), "{with:?}");
}

#[test]
fn a_flush_whose_sync_fails_promises_nothing_and_the_store_goes_on() {
    if let Some((_, path)) = role() {
        let store = options().open(path).unwrap();
        let id = store.start_detached(NewTask::new("kept")).unwrap();
        for text in ["one", "two"] {
            let error = store.flush().unwrap_err();
            assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
            store.message(id, Level::Info, text).unwrap();
        }
        return assert_eq!(texts(&store, id), ["one", "two"]);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    open(&path).close().unwrap();
    let test = "syncs::a_flush_whose_sync_fails_promises_nothing_and_the_store_goes_on";
    // The first sync is that of the header of a new `-wal`.
    let Some(()) = fail(test, &in_role("flushes", &path), &beside(&path, "-wal"), 2) else { return };
    assert_eq!(texts(&open(&path), task_id(1)), ["one", "two"]);
}
