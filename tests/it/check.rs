//! What `check` finds in a file that another program has changed. Each finding is the only one.

use std::ops::ControlFlow;

use rusqlite::Connection;
use taskstore::{CheckProgress, Error, Finding, Level, RunOptions, TaskStore};

use crate::support::files::shell;
use crate::support::{finished, open, options, task_id};

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
fn a_shown_run_that_must_not_be_shown_is_found() {
    let found = |sql: &'static str| found_after(execute(sql));
    let [Finding::ShownRun { system_task, run }] = found("UPDATE run SET only_on_failure = 1")[..] else { panic!() };
    let text = Finding::ShownRun { system_task, run }.to_string();
    assert_eq!(text, format!("system task {system_task} shows run 1, which is not one that it may show"));
    let in_progress = "UPDATE run SET finished_ns = NULL, duration_ns = NULL, expires_ns = NULL";
    assert!(matches!(found(in_progress)[..], [Finding::ShownRun { .. }]));
    let of_another = "
        INSERT INTO system_task (uuid, name, registered_ns) VALUES (zeroblob(16), 'other', 1);
        UPDATE run SET system_task_id = 2";
    assert!(matches!(found(of_another)[..], [Finding::ShownRun { .. }]));
    assert_eq!(found("UPDATE run SET only_on_failure = 1, status = 1"), []);
}

#[test]
fn a_wrong_expiry_is_found() {
    for sql in [
        "UPDATE run SET expires_ns = finished_ns - 1",
        "UPDATE run SET expires_after_ns = 5, expires_ns = finished_ns + 6",
        "UPDATE run SET expires_after_ns = 5, expires_ns = NULL",
        "UPDATE run SET expires_after_ns = 9223372036854775807, expires_ns = finished_ns",
    ] {
        let found = found_after(execute(sql));
        assert!(matches!(found[..], [Finding::Expiry { .. }]), "{sql}: {found:?}");
        assert_eq!(found[0].to_string(), "run 1 does not expire when it should");
    }
    for sql in [
        "UPDATE run SET expires_after_ns = NULL, expires_ns = NULL",
        "UPDATE run SET expires_after_ns = NULL, expires_ns = finished_ns + 7",
        "UPDATE run SET expires_after_ns = 9223372036854775807, expires_ns = NULL",
    ] {
        assert_eq!(found_after(execute(sql)), [], "{sql}");
    }
}

#[test]
fn ids_that_may_be_given_again_are_found() {
    let ids = |table: &str| Finding::Ids { table: table.to_owned() };
    assert_eq!(found_after(execute("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'task'")), [ids("task")]);
    let all = found_after(execute("DELETE FROM sqlite_sequence"));
    assert_eq!(all, ["task", "system_task", "run"].map(ids));
    assert_eq!(all[0].to_string(), "ids of deleted rows of task may be given again");
}

#[test]
fn a_table_or_an_index_that_is_not_ours_any_more_is_found() {
    let definition = |name: &str| Finding::Definition { name: name.to_owned() };
    assert_eq!(found_after(execute("DROP INDEX task_key")), [definition("task_key")]);
    let rule_gone = found_after(execute(
        "PRAGMA writable_schema = on;
        UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (message_count >= 0),', '') WHERE name = 'task'",
    ));
    assert_eq!(rule_gone, [definition("task")]);
    assert_eq!(rule_gone[0].to_string(), "task is missing or is not defined as it should be");
    // What somebody has added is theirs.
    assert_eq!(found_after(execute("CREATE TABLE notes (text); CREATE INDEX note ON notes (text)")), []);
}

/// A file that lacks a table is no sound one, and no reason to give up on the others.
#[test]
fn a_table_that_is_gone_is_found_and_the_rest_is_looked_at() {
    let found = found_after(execute("DROP TABLE log_event; DELETE FROM message WHERE seq = 2"));
    let gone = Finding::Definition { name: "log_event".to_owned() };
    assert!(found.contains(&gone), "{found:?}");
    assert!(found.contains(&Finding::Numbering { what: "task", id: 1, kept: 2, counted: 1 }), "{found:?}");
}

#[test]
fn a_store_that_only_reads_finds_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    finished(&open(&path), "t");
    let options = [options().read_only(true), options().immutable(true)];
    for options in &options {
        assert_eq!(options.open(&path).unwrap().check().unwrap(), []);
    }
    let shell = shell(&path);
    let broken = "PRAGMA ignore_check_constraints = on; UPDATE task SET progress_total = -1, dismissed_by = 'ann'";
    shell.execute_batch(broken).unwrap();
    shell.close().unwrap();
    for options in &options {
        let found = options.open(&path).unwrap().check().unwrap();
        let texts: Vec<_> = found.iter().map(ToString::to_string).collect();
        let failed = |constraint| format!("damage: CHECK constraint failed in 1 of task: {constraint}");
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts.contains(&failed("(dismissed_ns IS NULL) = (dismissed_by IS NULL)")), "{texts:?}");
        assert!(texts.contains(&failed("progress_done >= 0 AND progress_total >= 0")), "{texts:?}");
    }
}

#[test]
fn progress_goes_step_by_step_to_its_end_and_can_stop_it() {
    let store = crate::support::temporary();
    let mut told: Vec<CheckProgress> = Vec::new();
    let found = store.check_with(|progress| {
        told.push(progress);
        ControlFlow::Continue(())
    });
    assert_eq!(found.unwrap(), []);
    let total = told[0].total;
    assert!(told.iter().enumerate().all(|(done, progress)| (progress.done, progress.total) == (done, total)));
    assert_eq!((told.len(), told[total].step), (total + 1, ""));
    for stop_at in 0..=total {
        let stop = |progress: CheckProgress| {
            if progress.done == stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let error = store.check_with(stop).unwrap_err();
        assert!(matches!(error, Error::Stopped { work: "the check" }), "{error:?}");
    }
    assert_eq!(store.check().unwrap(), []);
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
