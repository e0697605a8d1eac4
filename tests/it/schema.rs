//! What the file itself refuses, whoever writes it: the `sqlite3` shell is such a writer.

use rusqlite::Connection;
use taskstore::TaskStore;
use tempfile::TempDir;

use crate::support::files::shell;
use crate::support::{everything, open};

/// A file with configuration 1, a task 1 in progress, an ended task 2 and a dismissed task 3, each with one message;
/// and a shell on it.
fn file() -> (TempDir, TaskStore, Connection) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    store.configurations().add("prod").unwrap();
    for title in ["1", "2", "3"] {
        let id = crate::support::start(&store, title);
        store.message(id, taskstore::Level::Info, "said").unwrap();
    }
    for id in [2, 3] {
        store.finish(crate::support::task_id(id)).unwrap();
    }
    store.dismiss(crate::support::task_id(3), "ann").unwrap();
    let other = shell(&path);
    // The shell's own default, so that what holds, holds without it.
    other.pragma_update(None, "foreign_keys", false).unwrap();
    (directory, store, other)
}

/// Every statement is refused as breaking this constraint, and nothing has changed.
#[track_caller]
fn refused(constraint: &str, statements: &[&str]) {
    let (_directory, store, shell) = file();
    let before = everything(&store);
    for sql in statements {
        let error = shell.execute_batch(sql).expect_err(sql).to_string();
        assert!(error.contains(constraint), "{sql}: {error}");
    }
    assert_eq!(everything(&store), before);
}

/// The statement is taken: what it writes is within every constraint.
#[track_caller]
fn taken(statements: &[&str]) {
    let (_directory, _store, shell) = file();
    for sql in statements {
        assert_eq!(shell.execute(sql, []).unwrap(), 1, "{sql}");
    }
}

#[test]
fn an_outcome_is_one_of_three() {
    refused(
        "CHECK constraint failed: outcome BETWEEN 1 AND 3",
        &[
            "UPDATE task SET outcome = 0 WHERE id = 2",
            "UPDATE task SET outcome = 4 WHERE id = 2",
            "UPDATE task SET outcome = -1 WHERE id = 2",
        ],
    );
    taken(&["UPDATE task SET outcome = 2 WHERE id = 2", "UPDATE task SET outcome = 3 WHERE id = 2"]);
}

#[test]
fn an_outcome_has_a_finish_time_and_a_task_in_progress_has_none() {
    refused(
        "CHECK constraint failed: (outcome IS NULL) = (finished_ns IS NULL)",
        &[
            "UPDATE task SET outcome = 1 WHERE id = 1",
            "UPDATE task SET finished_ns = updated_ns WHERE id = 1",
            "UPDATE task SET finished_ns = NULL WHERE id = 2",
            "UPDATE task SET outcome = NULL WHERE id = 2",
        ],
    );
    taken(&["UPDATE task SET outcome = 1, finished_ns = updated_ns WHERE id = 1"]);
}

#[test]
fn a_task_is_not_updated_before_it_started() {
    refused(
        "CHECK constraint failed: updated_ns >= started_ns",
        &[
            "UPDATE task SET updated_ns = started_ns - 1 WHERE id = 1",
            "UPDATE task SET started_ns = updated_ns + 1 WHERE id = 1",
        ],
    );
    taken(&["UPDATE task SET updated_ns = started_ns WHERE id = 1"]);
}

#[test]
fn a_task_ends_between_its_start_and_its_last_update() {
    refused(
        "CHECK constraint failed: finished_ns BETWEEN started_ns AND updated_ns",
        &[
            "UPDATE task SET finished_ns = started_ns - 1 WHERE id = 2",
            "UPDATE task SET finished_ns = updated_ns + 1 WHERE id = 2",
        ],
    );
    taken(&["UPDATE task SET finished_ns = started_ns WHERE id = 2"]);
}

#[test]
fn a_dismissal_has_a_time_and_a_person() {
    refused(
        "CHECK constraint failed: (dismissed_ns IS NULL) = (dismissed_by IS NULL)",
        &[
            "UPDATE task SET dismissed_ns = updated_ns WHERE id = 2",
            "UPDATE task SET dismissed_by = 'bob' WHERE id = 2",
            "UPDATE task SET dismissed_by = NULL WHERE id = 3",
            "UPDATE task SET dismissed_ns = NULL WHERE id = 3",
        ],
    );
    refused("CHECK constraint failed: dismissed_by <> ''", &["UPDATE task SET dismissed_by = '' WHERE id = 3"]);
    taken(&["UPDATE task SET dismissed_by = 'bob', dismissed_ns = updated_ns WHERE id = 2"]);
}

#[test]
fn a_task_in_progress_is_not_dismissed() {
    refused(
        "CHECK constraint failed: dismissed_ns IS NULL OR outcome IS NOT NULL",
        &[
            "UPDATE task SET dismissed_by = 'bob', dismissed_ns = updated_ns WHERE id = 1",
            "UPDATE task SET outcome = NULL, finished_ns = NULL WHERE id = 3",
        ],
    );
}

#[test]
fn progress_is_not_negative() {
    refused(
        "CHECK constraint failed: progress_done >= 0 AND progress_total >= 0",
        &[
            "UPDATE task SET progress_done = -1 WHERE id = 1",
            "UPDATE task SET progress_done = -1, progress_total = 1 WHERE id = 1",
            "UPDATE task SET progress_done = 1, progress_total = -1 WHERE id = 1",
        ],
    );
    taken(&[
        "UPDATE task SET progress_done = 0, progress_total = 0 WHERE id = 1",
        "UPDATE task SET progress_done = 5, progress_total = NULL WHERE id = 1",
    ]);
}

#[test]
fn a_total_or_a_phase_comes_with_progress() {
    refused(
        "CHECK constraint failed: progress_done IS NOT NULL OR (progress_total IS NULL AND progress_phase IS NULL)",
        &["UPDATE task SET progress_total = 1 WHERE id = 1", "UPDATE task SET progress_phase = 'copying' WHERE id = 1"],
    );
    taken(&["UPDATE task SET progress_done = 1, progress_phase = 'copying' WHERE id = 1"]);
}

#[test]
fn counts_are_not_negative() {
    refused("CHECK constraint failed: message_count >= 0", &["UPDATE task SET message_count = -1 WHERE id = 1"]);
}

#[test]
fn ids_and_seqs_are_positive() {
    let insert = |id: i64| {
        format!("INSERT INTO task (id, title, performed_by, started_ns, updated_ns) VALUES ({id}, 't', '', 0, 0)")
    };
    refused("CHECK constraint failed: id > 0", &[&insert(0), &insert(-1), "UPDATE task SET id = 0 WHERE id = 1"]);
    refused(
        "CHECK constraint failed: id > 0",
        &["INSERT INTO configuration (id, name) VALUES (0, 'n')", "UPDATE configuration SET id = -1"],
    );
    refused(
        "CHECK constraint failed: seq > 0",
        &["INSERT INTO message VALUES (1, 0, 0, 3, '', NULL)", "UPDATE message SET seq = -1 WHERE task_id = 1"],
    );
    taken(&[&insert(9_007_199_254_740_993), "INSERT INTO message VALUES (1, 2, 0, 3, '', NULL)"]);
}

#[test]
fn a_configuration_has_a_name() {
    refused(
        "CHECK constraint failed: name <> ''",
        &["INSERT INTO configuration (name) VALUES ('')", "UPDATE configuration SET name = ''"],
    );
}

#[test]
fn a_level_is_one_of_five() {
    refused(
        "CHECK constraint failed: level BETWEEN 1 AND 5",
        &[
            "UPDATE message SET level = 0",
            "UPDATE message SET level = 6",
            "INSERT INTO message VALUES (1, 2, 0, -1, '', NULL)",
        ],
    );
    taken(&["UPDATE message SET level = 1 WHERE task_id = 1", "UPDATE message SET level = 5 WHERE task_id = 1"]);
}

#[test]
fn a_task_and_a_message_refer_to_rows_that_exist() {
    let (_directory, store, shell) = file();
    let before = everything(&store);
    shell.pragma_update(None, "foreign_keys", true).unwrap();
    for sql in [
        "UPDATE task SET configuration_id = 2 WHERE id = 1",
        "INSERT INTO task (configuration_id, title, performed_by, started_ns, updated_ns) VALUES (2, 't', '', 0, 0)",
        "INSERT INTO message VALUES (9, 1, 0, 3, '', NULL)",
        "UPDATE message SET task_id = 9 WHERE task_id = 1",
    ] {
        let error = shell.execute_batch(sql).expect_err(sql).to_string();
        assert!(error.contains("FOREIGN KEY constraint failed"), "{sql}: {error}");
    }
    assert_eq!(everything(&store), before);
    // A configuration that tasks refer to cannot be removed, only marked as deleted.
    shell.execute("UPDATE task SET configuration_id = 1 WHERE id = 1", []).unwrap();
    assert!(shell.execute("DELETE FROM configuration", []).is_err());
}

#[test]
fn what_has_ended_has_no_owner() {
    refused("CHECK constraint failed: owner IS NULL OR outcome IS NULL", &["UPDATE task SET owner = 1 WHERE id = 2"]);
    taken(&["UPDATE task SET owner = 1 WHERE id = 1"]);
}

#[test]
fn an_owner_has_a_name_that_a_file_may_end_in() {
    let insert = |name: &str, process: i64| {
        format!("INSERT INTO owner (name, process_id, since_ns) VALUES ('{name}', {process}, 0)")
    };
    let name = "0123456789abcdef0123456789abcdef";
    refused(
        "CHECK constraint failed: length(name) = 32 AND name NOT GLOB '*[^0-9a-f]*'",
        &[
            &insert("", 1),
            &insert(&name[1..], 1),
            &insert(&name.to_uppercase(), 1),
            &insert(&name.replace('0', "/"), 1),
        ],
    );
    refused("CHECK constraint failed: process_id > 0", &[&insert(name, 0)]);
    taken(&[&insert(name, 1)]);
    let (_directory, _store, shell) = file();
    shell.execute(&insert(name, 1), []).unwrap();
    assert!(
        shell.execute(&insert(name, 2), []).unwrap_err().to_string().contains("UNIQUE constraint failed: owner.name")
    );
}

#[test]
fn what_must_be_given_is_not_null() {
    for (table, columns) in [
        ("task", &["title", "performed_by", "started_ns", "updated_ns", "message_count"][..]),
        ("message", &["task_id", "seq", "time_ns", "level", "text"]),
        ("configuration", &["name"]),
    ] {
        for column in columns {
            let update = format!("UPDATE {table} SET {column} = NULL");
            refused(&format!("NOT NULL constraint failed: {table}.{column}"), &[&update]);
        }
    }
}

#[test]
fn a_column_takes_no_value_of_another_type() {
    for (table, columns) in [
        ("task", &["started_ns", "updated_ns", "finished_ns", "dismissed_ns", "outcome", "configuration_id"][..]),
        ("task", &["progress_done", "progress_total", "message_count"]),
        ("message", &["time_ns", "level", "seq", "task_id"]),
        ("configuration", &["deleted_ns"]),
    ] {
        for column in columns {
            let [text, real] = ["'soon'", "1.5"].map(|value| format!("UPDATE {table} SET {column} = {value}"));
            refused(&format!("value in INTEGER column {table}.{column}"), &[&text, &real]);
        }
    }
    for (table, column) in [
        ("task", "title"),
        ("task", "performed_by"),
        ("task", "dismissed_by"),
        ("task", "progress_phase"),
        ("message", "text"),
        ("configuration", "name"),
    ] {
        let blob = format!("UPDATE {table} SET {column} = x'ff'");
        refused(&format!("cannot store BLOB value in TEXT column {table}.{column}"), &[&blob]);
    }
}

#[test]
fn a_message_is_stored_once_for_each_seq() {
    refused(
        "UNIQUE constraint failed: message.task_id, message.seq",
        &["INSERT INTO message VALUES (1, 1, 0, 3, '', NULL)"],
    );
}

#[test]
fn a_file_says_whose_it_is_and_how_it_is_kept() {
    let (_directory, _store, shell) = file();
    let pragma = |name: &str| -> i64 { shell.pragma_query_value(None, name, |row| row.get(0)).unwrap() };
    assert_eq!(pragma("application_id"), i64::from(i32::from_be_bytes(*b"TSTO")));
    assert_eq!(pragma("user_version"), 1);
    // Incremental: it cannot be chosen later without rewriting the file.
    assert_eq!(pragma("auto_vacuum"), 2);
    let mode: String = shell.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    let check: String = shell.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn a_key_names_one_task_one_message_of_a_task_one_run_of_a_system_task_and_one_event_of_a_run() {
    let (_directory, store, shell) = file();
    let runs = [("a", "1"), ("a", "2"), ("b", "1")].map(|(name, key)| {
        let options = taskstore::RunOptions::new().key(key);
        let run = store.system_tasks().start_with(name, None, options).unwrap();
        for key in ["1", "2"] {
            run.log(taskstore::LogEvent::new(taskstore::LogLevel::Info, "e").key(key)).unwrap();
        }
        run.detach().unwrap()
    });
    assert_eq!(runs.map(|run| run.id().get()), [1, 2, 3]);
    shell.execute_batch("UPDATE task SET key = 'k' WHERE id = 1; UPDATE message SET key = 'k'").unwrap();
    for (constraint, sql) in [
        ("UNIQUE constraint failed: task.key", "UPDATE task SET key = 'k' WHERE id = 2"),
        (
            "UNIQUE constraint failed: message.task_id, message.key",
            "INSERT INTO message (task_id, seq, time_ns, level, text, key) VALUES (1, 2, 0, 3, '', 'k')",
        ),
        ("UNIQUE constraint failed: run.system_task_id, run.key", "UPDATE run SET key = '1' WHERE id = 2"),
        (
            "UNIQUE constraint failed: log_event.run_id, log_event.key",
            "UPDATE log_event SET key = '1' WHERE run_id = 3 AND seq = 2",
        ),
    ] {
        let error = shell.execute_batch(sql).expect_err(sql).to_string();
        assert!(error.contains(constraint), "{sql}: {error}");
    }
    for table in ["task", "message", "run", "log_event"] {
        let error = shell.execute_batch(&format!("UPDATE {table} SET key = ''")).unwrap_err().to_string();
        assert!(error.contains("CHECK constraint failed: key <> ''"), "{table}: {error}");
        let error = shell.execute_batch(&format!("UPDATE {table} SET key = x'ff'")).unwrap_err().to_string();
        assert!(error.contains(&format!("cannot store BLOB value in TEXT column {table}.key")), "{error}");
        shell.execute_batch(&format!("UPDATE {table} SET key = NULL")).unwrap();
    }
}
