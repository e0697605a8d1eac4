//! What another program has written against the rules never breaks a list.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;
use taskstore::wire::system_task_api::SystemTaskList;
use taskstore::{SystemTask, SystemTaskFilter, TaskStore};
use uuid::Uuid;

use super::{answer, listed, member, retrieved};
use crate::support::files::shell;
use crate::support::open;
use crate::system_task::{events, finished, options_at_noon, start};

/// Two good rows, and one that the shell has changed.
fn changed(sql: &str) -> (TaskStore, tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options_at_noon().0.open(&path).unwrap();
    let run = store.system_tasks().start("m", Some("u")).unwrap();
    let uuid = run.uuid().to_string();
    run.info("e", ()).unwrap();
    run.finish().unwrap();
    for name in ["a", "z"] {
        finished(&store, name, None);
    }
    let changes = unchecked(&path).execute(sql, []).unwrap();
    assert_eq!(changes, 1, "{sql}");
    (store, directory, uuid)
}

/// A shell in which no constraint is checked.
fn unchecked(path: &Path) -> Connection {
    let connection = shell(path);
    connection.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF").unwrap();
    connection
}

#[test]
fn text_that_is_not_utf_8_is_shown_with_replacement_characters() {
    for (sql, member_name, behind, expected) in [
        ("UPDATE system_task SET name = CAST(x'6dff' AS TEXT) WHERE name = 'm'", "full_name", "uid", "\"m\u{fffd}:u\""),
        ("UPDATE system_task SET uid = CAST(x'80' AS TEXT) WHERE name = 'm'", "uid", "description", "\"\u{fffd}\""),
        (
            "UPDATE system_task SET description = CAST(x'c3' AS TEXT) WHERE name = 'm'",
            "description",
            "start_timestamp",
            "\"\u{fffd}\"",
        ),
        ("UPDATE log_event SET event = CAST(x'61f09f62' AS TEXT)", "event", "attributes", "\"a\u{fffd}b\""),
        ("UPDATE log_event SET logger = CAST(x'ff00' AS TEXT)", "logger", "event", "\"\u{fffd}\\u0000\""),
    ] {
        let (store, _directory, uuid) = changed(sql);
        let object = retrieved(&store, &uuid, &[]).unwrap();
        assert_eq!(member(&object, member_name, behind), expected, "{sql}");
        let page = answer(&store, &[]).unwrap();
        assert_eq!(serde_json::from_str::<SystemTaskList>(&page).unwrap().results.len(), 3);
        assert!(page.contains(&object), "{page}");
        let tasks = store.system_tasks().list(&SystemTaskFilter::new()).unwrap().items;
        assert_eq!(tasks.len(), 3);
        let run = tasks.into_iter().find(|task| task.uuid.to_string() == uuid).unwrap().shown_run.unwrap();
        assert_eq!(events(&store, run.id).len(), 1);
    }
}

#[test]
fn attributes_that_are_no_json_object_are_shown_as_none() {
    for attributes in ["", "{", "{}}", "{a}", "{'a': 1}", "nonsense", "{\"a\":1} {\"b\":2}", "{\u{0}}"] {
        let quoted = attributes.replace('\'', "''").replace('\0', "'||char(0)||'");
        let (store, _directory, uuid) = changed(&format!("UPDATE log_event SET attributes = '{quoted}'"));
        let object = retrieved(&store, &uuid, &[]).unwrap();
        assert!(object.contains(r#""event":"e","attributes":{}}],"expires""#), "{attributes:?} gave {object}");
        assert_eq!(listed(&store, &[]), ["a", "m:u", "z"]);
    }
}

/// JSON, but nothing that a client takes for attributes.
#[test]
fn attributes_that_are_other_json_are_shown_as_none() {
    for attributes in ["[]", "null", "1", "\"{}\"", " 1", "true"] {
        let (store, _directory, uuid) = changed(&format!("UPDATE log_event SET attributes = '{attributes}'"));
        let object = retrieved(&store, &uuid, &[]).unwrap();
        assert!(object.contains(r#""event":"e","attributes":{}}],"expires""#), "{attributes:?} gave {object}");
        let page = answer(&store, &[]).unwrap();
        assert_eq!(serde_json::from_str::<SystemTaskList>(&page).unwrap().results.len(), 3);
    }
}

#[test]
fn attributes_with_bytes_that_are_not_utf_8_are_shown_with_replacement_characters() {
    let (store, _directory, uuid) = changed("UPDATE log_event SET attributes = CAST(x'7b2261223a22ff227d' AS TEXT)");
    let object = retrieved(&store, &uuid, &[]).unwrap();
    assert!(object.contains("\"attributes\":{\"a\":\"\u{fffd}\"}}],"), "{object}");
}

#[test]
fn a_row_whose_shown_run_was_deleted_behind_its_back_is_shown_without_a_run() {
    let (store, _directory, uuid) =
        changed("DELETE FROM run WHERE id = (SELECT shown_run FROM system_task WHERE name = 'm')");
    let object = retrieved(&store, &uuid, &[]).unwrap();
    assert_eq!(member(&object, "status", "messages"), "\"unknown\"");
    assert_eq!(listed(&store, &[]), ["a", "m:u", "z"]);
    assert_eq!(listed(&store, &[("ordering", "-finish_timestamp,name")]).len(), 3);
    // It is put right by the next run.
    assert_eq!(finished(&store, "m", Some("u")).to_string(), uuid);
    assert_eq!(listed(&store, &[("status", "successful")]).len(), 3);
}

/// A walk by cursor over names that are not UTF-8.
#[test]
fn a_walk_over_text_that_is_not_utf_8_comes_to_its_end_and_repeats_or_misses_no_row() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options_at_noon().0.open(&path).unwrap();
    let bytes = ["ff", "80", "c3", "61", "ef bf be", "f09f", "efbfbd"].map(|bytes| bytes.replace(' ', ""));
    for (number, bytes) in bytes.iter().enumerate() {
        finished(&store, &number.to_string(), Some("u"));
        let sql = format!("UPDATE system_task SET name = CAST(x'{bytes}' AS TEXT) WHERE name = '{number}'");
        assert_eq!(unchecked(&path).execute(&sql, []).unwrap(), 1);
    }
    for keys in [&["name"][..], &["-name", "-uid"], &["status", "-name"]] {
        let sort: Vec<_> = keys.iter().map(|key| key.parse().unwrap()).collect();
        let mut filter = SystemTaskFilter::new().sort(sort.clone());
        let all = store.system_tasks().list(&filter).unwrap().items;
        let mut walked: Vec<SystemTask> = Vec::new();
        filter.limit = 1;
        loop {
            let page = store.system_tasks().list(&filter).unwrap();
            walked.extend(page.items);
            assert!(walked.len() <= all.len(), "{keys:?} goes round in {:?}", uuids(&walked));
            let Some(next) = page.next else { break };
            filter.after = Some(next);
        }
        assert_eq!(uuids(&walked), uuids(&all), "{keys:?}");
    }
}

fn uuids(tasks: &[SystemTask]) -> Vec<Uuid> {
    tasks.iter().map(|task| task.uuid).collect()
}

#[test]
fn a_search_and_every_order_take_rows_that_are_not_utf_8() {
    let (store, _directory, _) = changed("UPDATE system_task SET uid = CAST(x'41ff' AS TEXT) WHERE name = 'm'");
    assert_eq!(listed(&store, &[("search", "a")]), ["a", "m:A\u{fffd}"]);
    for field in taskstore::SortField::ALL {
        let names: BTreeSet<_> = listed(&store, &[("ordering", field.as_str())]).into_iter().collect();
        assert_eq!(names.len(), 3, "{field:?}");
    }
}

#[test]
fn a_file_that_the_shell_has_written_is_read_as_one_of_the_stores_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let run = start(&open(&path), "scan");
    let id = run.id();
    run.finish().unwrap();
    let sql = "UPDATE run SET event_count = 1; \
        INSERT INTO log_event (run_id, seq, time_ns, level, logger, event, attributes) \
        VALUES (1, 1, 0, 8, 'shell', 'hand-made', '{\"a\" : 1}')";
    shell(&path).execute_batch(sql).unwrap();
    let store = open(&path);
    assert_eq!(events(&store, id)[0].event, "hand-made");
    let page = answer(&store, &[]).unwrap();
    let event = r#"[{"timestamp":"1970-01-01T00:00:00Z","log_level":"notset","logger":"shell","event":"hand-made","attributes":{"a" : 1}}]"#;
    assert!(page.contains(event), "{page}");
}
