//! A run of any size is answered in memory that does not grow with it.

use std::io;
use std::path::Path;

use serde_json::json;
use taskstore::wire::system_task_api::{ListRequest, RetrieveRequest, write_list, write_system_task};
use taskstore::{LogEvent, LogLevel, RunOptions};
use uuid::Uuid;

use super::options_at_noon;
use crate::support::children::{GROWTH_KIB_MAX, growth, role, say_measure};
use crate::support::open;

const EVENT_BYTES: usize = 500;

/// Not a test of its own: the process that is measured.
#[test]
fn the_measured_process() {
    let Some((role, path)) = role() else { return };
    let store = open(&path);
    let retrieve = RetrieveRequest::parse(&Uuid::from_u128(1).to_string(), [("status", "warning")]).unwrap();
    let list = ListRequest::parse([("page_size", "1000000")]).unwrap();
    let mut collected = Vec::new();
    match role.as_str() {
        "retrieve" => write_system_task(&store, &retrieve, io::sink()).unwrap(),
        "list" => write_list(&store, &list, io::sink()).unwrap(),
        "collect" => write_system_task(&store, &retrieve, &mut collected).unwrap(),
        other => panic!("no role {other}"),
    }
    say_measure(collected.len());
}

fn fill(path: &Path, events: usize) {
    let store = options_at_noon().0.open(path).unwrap();
    store
        .batch(|batch| {
            let run = batch.start_run("scan", None, RunOptions::new())?;
            let event = LogEvent::new(LogLevel::Info, "x".repeat(EVENT_BYTES)).attributes(json!({"a": 1}))?;
            for _ in 0..events {
                batch.log(&run, event.clone())?;
            }
            batch.set_status(&run, taskstore::SystemTaskStatus::Warning, ["last"])?;
            batch.finish_run(&run)
        })
        .unwrap();
}

#[test]
fn a_run_of_a_hundred_thousand_events_is_answered_in_bounded_memory() {
    let directory = tempfile::tempdir().unwrap();
    let [small, large] = ["small.db", "large.db"].map(|name| directory.path().join(name));
    fill(&small, 25_000);
    fill(&large, 100_000);
    let growth = |role| growth("system_task::memory::the_measured_process", role, &small, &large);
    for role in ["retrieve", "list"] {
        let (more_kib, _) = growth(role);
        assert!(more_kib < GROWTH_KIB_MAX, "{role} took {more_kib} KiB more");
    }
    // What it would take to hold the answer: the measure shows it.
    let (more_kib, more_bytes) = growth("collect");
    assert!(more_bytes > (75_000 * EVENT_BYTES) as u64, "{more_bytes} bytes");
    assert!(
        more_kib > GROWTH_KIB_MAX && more_kib + GROWTH_KIB_MAX > more_bytes >> 10,
        "{more_kib} KiB for {more_bytes} bytes"
    );
}
