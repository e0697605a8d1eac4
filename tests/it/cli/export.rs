//! `taskstore export`.

use std::process::Stdio;

use taskstore::{Dismissed, Error, ExportLine, NewTask, TaskFilter, TaskStore};

use super::{Place, wait_until};

const HOSTILE: &str = "\x1b[2J\u{202e}\n\t\"\\ü漢";

fn start_many(store: &TaskStore, count: usize) {
    let started = store.batch(|batch| {
        (1..=count).try_for_each(|number| batch.start_detached(NewTask::new(format!("task-{number}"))).map(drop))
    });
    started.map_err(|error: Error| error).unwrap();
}

#[test]
fn an_export_is_what_the_library_writes_and_can_be_read_again() {
    let place = Place::new();
    place.ok(&["configuration", "add", HOSTILE]);
    place.ok(&["start", "--title", HOSTILE, "--performed-by", HOSTILE, "--configuration", "1", "--key", "k"]);
    place.ok(&["progress", "1", "1", "2", "--phase", HOSTILE]);
    place.ok(&["message", "1", HOSTILE, "--level", "warn", "--key", "m"]);
    place.ok(&["fail", "1", "because"]);
    place.ok(&["dismiss", "1", "--by", HOSTILE]);
    place.ok(&["start", "--title", "two"]);

    let store = place.store();
    let filter = TaskFilter::new().dismissed(Dismissed::Included);
    let mut written = Vec::new();
    assert_eq!(store.export_tasks(&filter, &mut written).unwrap(), 2);
    let exported = place.ok(&["export", "--dismissed", "included"]);
    assert_eq!(exported, String::from_utf8(written).unwrap());
    let lines: Vec<ExportLine> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let tasks = lines.into_iter().filter_map(|line| match line {
        ExportLine::Task(exported) => Some((exported.task, exported.messages)),
        _ => None,
    });
    let listed = store.list_with_messages(&filter).unwrap().items.into_iter();
    assert_eq!(tasks.collect::<Vec<_>>(), listed.map(|both| (both.task, both.messages)).collect::<Vec<_>>());
}

#[test]
fn an_export_of_everything_has_what_lists_hide_and_any_option_makes_it_one_of_tasks() {
    let place = Place::new();
    place.ok(&["configuration", "add", "gone"]);
    place.ok(&["configuration", "delete", "1"]);
    place.ok(&["start", "--title", "one"]);
    place.ok(&["finish", "1"]);
    place.ok(&["dismiss", "1", "--by", "ann"]);
    place.ok(&["start", "--title", "two"]);
    place.store().system_tasks().start("job", None).unwrap().finish().unwrap();
    let mut written = Vec::new();
    place.store().export(&mut written).unwrap();
    assert_eq!(place.ok(&["export"]), String::from_utf8(written).unwrap());
    let kinds = |arguments: &[&str]| {
        let lines = place.ok(arguments);
        lines.lines().map(|line| line.split('"').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let everything = ["taskstore_export", "configuration", "task", "task", "system_task", "run", "end"];
    assert_eq!(kinds(&["export"]), everything);
    for some in ["--dismissed=hidden", "--order=newest", "--outcome=in-progress", "--title=two"] {
        assert_eq!(kinds(&["export", some]), ["taskstore_export", "task", "end"], "{some}");
    }
}

#[test]
fn an_export_of_nothing_has_no_more_than_its_two_ends_and_one_of_no_database_is_refused() {
    let place = Place::new();
    assert!(place.refused(&["export"]).contains("tasks.db does not exist"));
    place.store();
    assert_eq!(place.ok(&["export"]).lines().count(), 2);
}

#[test]
fn an_export_has_no_limit_and_writes_to_a_file_as_to_a_pipe() {
    let place = Place::new();
    start_many(&place.store(), 3_000);
    let piped = place.ok(&["export"]);
    assert_eq!((piped.lines().count(), piped.ends_with('\n')), (3_002, true));
    let file = std::fs::File::create(place.path("tasks.jsonl")).unwrap();
    assert!(place.command(&["export"]).stdout(Stdio::from(file)).status().unwrap().success());
    #[allow(clippy::disallowed_methods)] // It is no database.
    let in_file = std::fs::read_to_string(place.path("tasks.jsonl")).unwrap();
    assert!(in_file == piped);
}

#[test]
fn a_reader_who_has_seen_enough_ends_it_quietly() {
    let place = Place::new();
    // More than a pipe holds.
    start_many(&place.store(), 3_000);
    let mut child = place.command(&["export"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    wait_until("the export to end", || child.try_wait().unwrap().is_some());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), vec![]));
}
