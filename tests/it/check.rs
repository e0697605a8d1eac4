//! What `check` finds in a file that another program has changed. Each finding is the only one.

use rusqlite::Connection;
use taskstore::{Finding, Level, RunOptions, TaskStore};

use crate::support::files::shell;
use crate::support::{finished, open, task_id};

/// What is found after the shell did this to a file with a task of two messages and a run of two events.
#[track_caller]
fn found_after(change: impl FnOnce(&Connection)) -> Vec<Finding> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let id = store.start_detached(taskstore::NewTask::new("t")).unwrap();
    for text in ["one", "two"] {
        store.message(id, Level::Info, text).unwrap();
    }
    finished(&store, "another");
    let run = store.system_tasks().start_with("fetch_mail", None, RunOptions::new()).unwrap();
    run.info("one", serde_json::json!({})).unwrap();
    run.info("two", serde_json::json!({})).unwrap();
    run.finish().unwrap();
    assert_eq!(store.check().unwrap(), [], "before the change");
    store.close().unwrap();

    let shell = shell(&path);
    shell.pragma_update(None, "foreign_keys", false).unwrap();
    change(&shell);
    shell.close().unwrap();
    open(&path).check().unwrap()
}

fn execute(sql: &'static str) -> impl FnOnce(&Connection) {
    move |shell| shell.execute_batch(sql).unwrap()
}

#[test]
fn nothing_is_found_in_a_sound_file() {
    assert_eq!(found_after(|_| ()), []);
    assert_eq!(TaskStore::open_in_memory().unwrap().check().unwrap(), []);
}

#[test]
fn a_row_that_breaks_a_constraint_is_damage() {
    let found =
        found_after(execute("PRAGMA ignore_check_constraints = on; UPDATE task SET progress_total = -1 WHERE id = 2"));
    assert!(
        matches!(&found[..], [Finding::Damage { text }, ..] if text.contains("CHECK constraint failed")),
        "{found:?}"
    );
}

#[test]
fn an_index_without_its_row_is_damage() {
    let found = found_after(execute(
        "PRAGMA writable_schema = on;
        UPDATE sqlite_schema SET sql = replace(sql, '(dismissed)', '(started_ns)') WHERE name = 'task_listed'",
    ));
    assert!(matches!(&found[..], [Finding::Damage { .. }, ..]), "{found:?}");
}

#[test]
fn a_reference_to_nothing_is_found() {
    let found = found_after(execute(
        "UPDATE task SET configuration_id = 7 WHERE id = 1; UPDATE task_count SET in_progress = 0",
    ));
    let reference =
        Finding::Reference { table: "task".to_owned(), row: Some(1), refers_to: "configuration".to_owned() };
    assert!(found.contains(&reference), "{found:?}");
    assert_eq!(reference.to_string(), "row 1 of task refers to a configuration that is not there");
}

#[test]
fn a_message_or_an_event_too_few_is_found() {
    let task = Finding::Numbering { what: "task", id: 1, kept: 2, counted: 1 };
    assert_eq!(found_after(execute("DELETE FROM message WHERE task_id = 1 AND seq = 1")), [task]);
    let run = Finding::Numbering { what: "run", id: 1, kept: 2, counted: 1 };
    assert_eq!(run.to_string(), "run 1 says that it has 2 entries, and has 1, or their numbers have a gap");
    assert_eq!(found_after(execute("DELETE FROM log_event WHERE run_id = 1 AND seq = 2")), [run]);
}

#[test]
fn at_most_a_hundred_findings_of_a_kind_are_given() {
    let found = found_after(execute(
        "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 300)
        INSERT INTO task_count (configuration_id, finished) SELECT id, 1 FROM n",
    ));
    assert_eq!(found.len(), 100);
}

#[test]
fn a_gap_in_the_numbers_is_found() {
    let gap = Finding::Numbering { what: "task", id: 1, kept: 2, counted: 2 };
    assert_eq!(found_after(execute("UPDATE message SET seq = 3 WHERE seq = 2")), [gap]);
}

#[test]
fn a_level_that_the_messages_do_not_reach_is_found_and_one_that_is_not_told() {
    let task = task_id(1);
    let too_low = Finding::LevelReached { task, kept: None, found: Some(Level::Error) };
    assert_eq!(too_low.to_string(), "task 1 says that its messages reach no warning, and they reach error");
    assert_eq!(found_after(execute("UPDATE message SET level = 5 WHERE seq = 2")), [too_low]);
    let too_high = Finding::LevelReached { task, kept: Some(Level::Warn), found: None };
    assert_eq!(found_after(execute("UPDATE task SET level_reached = 4 WHERE id = 1")), [too_high]);
}

#[test]
fn a_file_whose_pages_are_damaged_has_findings_and_no_panic() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    for _ in 0..200 {
        finished(&store, "a title that takes some room in the file");
    }
    store.close().unwrap();
    let mut bytes = crate::support::files::bytes(&path).unwrap();
    let end = bytes.len();
    bytes[end - 8_192..].fill(0xA5);
    write(&path, &bytes);
    let found = open(&path).check().unwrap();
    assert!(found.iter().any(|finding| matches!(finding, Finding::Damage { .. })), "{found:?}");
}

#[allow(clippy::disallowed_methods)]
fn write(path: &std::path::Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
