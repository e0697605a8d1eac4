//! A stream of any size takes memory that does not grow with it.

use std::io;
use std::path::Path;

use taskstore::{Error, Level, NewTask, TaskFilter};

use super::BOTH;
use crate::support::children::{GROWTH_KIB_MAX, growth, role, say_measure};
use crate::support::open;

const TEXT_BYTES: usize = 1_000;

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

fn fill(path: &Path, tasks: usize, messages_of_one: usize) {
    let store = open(path);
    let text = format!("needle {}", "x".repeat(TEXT_BYTES));
    store
        .batch(|batch| {
            for _ in 0..tasks {
                let id = batch.start_detached(NewTask::new("t"))?;
                batch.message(id, Level::Info, text.as_str())?;
            }
            let id = batch.start_detached(NewTask::new("t"))?;
            (0..messages_of_one).try_for_each(|_| batch.message(id, Level::Info, text.as_str()))?;
            Ok::<_, Error>(())
        })
        .unwrap();
}

#[test]
fn many_tasks_and_a_task_of_many_messages_are_streamed_in_bounded_memory() {
    let directory = tempfile::tempdir().unwrap();
    let [small, large] = ["small.db", "large.db"].map(|name| directory.path().join(name));
    fill(&small, 2_000, 4_000);
    fill(&large, 8_000, 16_000);
    let growth = |role| growth("streams::memory::the_measured_process", role, &small, &large);
    for role in ["answer", "export", "answer with a text", "export with a text"] {
        let (more_kib, _) = growth(role);
        assert!(more_kib < GROWTH_KIB_MAX, "{role} took {more_kib} KiB more");
    }
    // What it would take to hold it: the measure shows it.
    let (more_kib, more_bytes) = growth("collect");
    assert!(more_bytes > (18_000 * TEXT_BYTES) as u64, "{more_bytes} bytes");
    assert!(
        more_kib > GROWTH_KIB_MAX && more_kib + GROWTH_KIB_MAX > more_bytes >> 10,
        "{more_kib} KiB for {more_bytes} bytes"
    );
}
