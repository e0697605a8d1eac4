//! A stream of any size takes memory that does not grow with it.

use std::io;

use taskstore::{Error, Level, NewTask, TaskFilter};

use super::BOTH;
use crate::support::children::{measured, role, say_measure};
use crate::support::open;

const TASKS: usize = 8_000;
const MESSAGES_OF_ONE: usize = 16_000;
const TEXT_BYTES: usize = 1_000;
const PEAK_KIB_MAX: u64 = 14 << 10;

/// Not a test of its own: the process that is measured.
#[test]
fn the_measured_process() {
    let Some((role, path)) = role() else { return };
    let store = open(&path);
    let all = TaskFilter::new();
    let with_text = TaskFilter::new().text("NEEDLE");
    let mut collected = Vec::new();
    match role.as_str() {
        "answer" => BOTH[0](&store, &all, &mut io::sink()).unwrap(),
        "export" => BOTH[1](&store, &all, &mut io::sink()).unwrap(),
        "answer with a text" => BOTH[0](&store, &with_text, &mut io::sink()).unwrap(),
        "export with a text" => BOTH[1](&store, &with_text, &mut io::sink()).unwrap(),
        "collect" => BOTH[1](&store, &all, &mut collected).unwrap(),
        other => panic!("no role {other}"),
    }
    say_measure(collected.len());
}

#[test]
fn many_tasks_and_a_task_of_many_messages_are_streamed_in_bounded_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let text = format!("needle {}", "x".repeat(TEXT_BYTES));
    store
        .batch(|batch| {
            for _ in 0..TASKS {
                let id = batch.start_detached(NewTask::new("t"))?;
                batch.message(id, Level::Info, text.as_str())?;
            }
            let id = batch.start_detached(NewTask::new("t"))?;
            (0..MESSAGES_OF_ONE).try_for_each(|_| batch.message(id, Level::Info, text.as_str()))?;
            Ok::<_, Error>(())
        })
        .unwrap();
    let measured = |role| measured("streams::memory::the_measured_process", role, &path);
    for role in ["answer", "export", "answer with a text", "export with a text"] {
        let (peak_kib, _) = measured(role);
        assert!(peak_kib < PEAK_KIB_MAX, "{role} took {peak_kib} KiB");
    }
    // What it would take to hold it: the measure shows it.
    let (peak_kib, bytes) = measured("collect");
    assert!(bytes > ((TASKS + MESSAGES_OF_ONE) * TEXT_BYTES) as u64, "{bytes} bytes");
    assert!(peak_kib > bytes >> 10 && peak_kib > PEAK_KIB_MAX, "{peak_kib} KiB for {bytes} bytes");
}
