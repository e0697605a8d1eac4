//! What a process has recorded when it dies.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, abort};

use taskstore::{OpenOptions, SystemTaskStatus};
use uuid::Uuid;

use super::{only_run, said, start};
use crate::support::children::{command, role};
use crate::support::open;

const UUID: Uuid = Uuid::from_u128(7);
const SIGABRT: i32 = 6;

fn killed(mut command: Command) {
    let output = command.output().unwrap();
    assert_eq!(output.status.signal(), Some(SIGABRT), "{output:?}");
}

#[test]
fn an_event_is_on_disk_when_the_call_returns_and_the_run_is_seen_though_its_process_is_gone() {
    if let Some((_, path)) = role() {
        let store = OpenOptions::new().uuids(|| UUID).open(path).unwrap();
        let run = start(&store, "scan");
        run.info("half-way", ()).unwrap();
        run.set_status(SystemTaskStatus::Warning, ["slow"]).unwrap();
        run.error("no answer", ()).unwrap();
        abort();
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let this = "an_event_is_on_disk_when_the_call_returns_and_the_run_is_seen_though_its_process_is_gone";
    killed(command(&format!("system_task::on_disk::{this}"), "logger", &path));

    let store = open(&path);
    let run = only_run(&store, UUID);
    assert_eq!((run.status, run.interrupted, run.event_count), (Some(SystemTaskStatus::Error), true, 4));
    let texts: Vec<_> = said(&store, run.id).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts[..3], ["half-way", "slow", "no answer"]);
    assert!(
        texts[3].starts_with("interrupted: process ") && texts[3].ends_with(" ended without finishing it"),
        "{texts:?}"
    );

    // The next run is of the same system task, and is what is shown.
    let next = start(&store, "scan");
    assert_eq!(next.uuid(), UUID);
    next.finish().unwrap();
    assert_eq!(super::history(&store, UUID).len(), 2);
    assert_eq!(store.system_tasks().retrieve(UUID).unwrap().status(), SystemTaskStatus::Successful);
}

#[test]
fn an_end_is_on_disk_when_the_call_returns() {
    if let Some((_, path)) = role() {
        let store = OpenOptions::new().uuids(|| UUID).open(path).unwrap();
        start(&store, "scan").finish().unwrap();
        abort();
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    killed(command("system_task::on_disk::an_end_is_on_disk_when_the_call_returns", "finisher", &path));
    let task = open(&path).system_tasks().retrieve(UUID).unwrap();
    assert_eq!(task.status(), SystemTaskStatus::Successful);
}

#[test]
fn a_batch_that_was_cut_off_has_left_nothing() {
    if let Some((_, path)) = role() {
        let store = OpenOptions::new().uuids(|| UUID).open(path).unwrap();
        let unreachable: Result<(), taskstore::Error> = store.batch(|batch| {
            let run = batch.start_run("scan", None, taskstore::RunOptions::new())?;
            batch.set_status(&run, SystemTaskStatus::Error, vec!["x".repeat(1_000); 10_000])?;
            abort()
        });
        panic!("{unreachable:?}");
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    killed(command("system_task::on_disk::a_batch_that_was_cut_off_has_left_nothing", "batch", &path));
    let store = open(&path);
    let gone = store.system_tasks().history(UUID, None, 1).unwrap_err();
    assert!(matches!(gone, taskstore::Error::NoSuchSystemTask { uuid: UUID }), "{gone:?}");
    assert_eq!(start(&store, "scan").id().get(), 1);
}
