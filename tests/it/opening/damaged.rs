//! Rows and pages that another program has spoilt.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

use taskstore::wire::task_api::{DismissedMember, ListRequest, write_list, write_task};
use taskstore::{Dismissed, Error, Level, NewTask, Progress, TaskFilter, TaskId, TaskStore};

use crate::support::files::{abandon, shell};
use crate::support::{finished, messages, open, start, task_id, texts};

/// A store whose task 2 has something that is not UTF-8 in each of its texts, between the sound tasks 1 and 3.
fn poisoned() -> (tempfile::TempDir, TaskStore) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let prod = store.configurations().add("prod").unwrap();
    finished(&store, "1");
    let new = NewTask::new("2").performed_by("ann").configuration(prod);
    let id = store.start_detached(new).unwrap();
    store.progress(id, &Progress::new(1).phase("copying")).unwrap();
    store.message(id, Level::Info, "said").unwrap();
    store.finish(id).unwrap();
    store.dismiss(id, "bob").unwrap();
    start(&store, "3");
    shell(&path)
        .execute_batch(
            "UPDATE task SET title = CAST(x'61ff62' AS TEXT), performed_by = CAST(x'c3' AS TEXT),
                 dismissed_by = CAST(x'80' AS TEXT), progress_phase = CAST(x'edA080' AS TEXT) WHERE id = 2;
             UPDATE message SET text = CAST(x'fffe00' AS TEXT) WHERE task_id = 2;
             UPDATE configuration SET name = CAST(x'ff' AS TEXT)",
        )
        .unwrap();
    (directory, store)
}

/// A power cut in the middle of merging the `-wal` may leave anything in the page that was being written.
#[test]
fn a_first_page_that_a_power_cut_has_torn_is_repaired_from_the_wal() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    finished(&store, "kept");
    store.close().unwrap();
    let connection = shell(&path);
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
    connection.pragma_update(None, "application_id", id).unwrap();
    abandon(connection);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&[0xA5; 512], 0).unwrap();
    drop(file);
    let store = open(&path);
    assert_eq!((store.task(task_id(1)).unwrap().title.as_str(), store.check().unwrap()), ("kept", vec![]));
    store.close().unwrap();

    // The control: with nothing beside it, it is what it looks like.
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&[0xA5; 512], 0).unwrap();
    drop(file);
    let refused = TaskStore::open(&path).unwrap_err();
    assert!(matches!(refused, Error::NotATaskStore { .. }), "{refused:?}");
}

#[test]
fn a_text_that_is_not_utf_8_is_shown_with_replacement_characters() {
    let (_directory, store) = poisoned();
    let task = store.task(task_id(2)).unwrap();
    assert_eq!((task.title.as_str(), task.performed_by.as_str()), ("a\u{fffd}b", "\u{fffd}"));
    assert_eq!((task.dismissed_by.as_deref(), task.configuration_name.as_str()), (Some("\u{fffd}"), "\u{fffd}"));
    assert_eq!(task.progress, Some(Progress::new(1).phase("\u{fffd}\u{fffd}\u{fffd}")));
    assert_eq!(texts(&store, task_id(2)), ["\u{fffd}\u{fffd}\0"]);
    assert_eq!(store.configurations().list().unwrap()[0].name, "\u{fffd}");
    let refused = store.dismiss(task_id(2), "eve").unwrap_err().to_string();
    assert!(refused.contains("dismissed by \u{fffd};"), "{refused}");
}

#[test]
fn a_text_that_is_not_utf_8_breaks_no_list_and_no_answer() {
    let (_directory, store) = poisoned();
    let page = store.list(&TaskFilter::new().dismissed(Dismissed::Included)).unwrap();
    assert_eq!(page.items.iter().map(|task| task.title.as_str()).collect::<Vec<_>>(), ["3", "a\u{fffd}b", "1"]);
    assert_eq!(page.items[1], store.task(task_id(2)).unwrap());

    let mut list = Vec::new();
    let request = ListRequest { configuration: None, show_hidden: true };
    write_list(&store, request, DismissedMember::HiddenBy, &mut list).unwrap();
    let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
    assert_eq!(list["result"]["tasks"].as_array().unwrap().len(), 3);
    assert_eq!(list["result"]["tasks"][1]["title"], "a\u{fffd}b");
    assert_eq!(list["result"]["tasks"][1]["messages"][0]["message"], "\u{fffd}\u{fffd}\0");

    let mut task = Vec::new();
    write_task(&store, task_id(2), DismissedMember::HiddenBy, &mut task).unwrap();
    let task: serde_json::Value = serde_json::from_slice(&task).unwrap();
    assert_eq!(task["result"]["hidden_by"], "\u{fffd}");
    assert_eq!(task["result"]["configuration_name"], "\u{fffd}");
}

#[test]
fn a_poisoned_task_can_be_restored_and_deleted() {
    let (_directory, store) = poisoned();
    store.restore(task_id(2)).unwrap();
    store.delete(task_id(2)).unwrap();
    assert_eq!(store.list(&TaskFilter::new()).unwrap().items.len(), 2);
}

/// A store with one task, whose only page of messages is damaged.
fn damaged() -> (tempfile::TempDir, TaskStore, TaskId) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let id = start(&store, "sound");
    store.message(id, Level::Info, "lost").unwrap();
    assert_eq!(messages(&store, id).len(), 1);
    store.close().unwrap();
    let page: u32 = shell(&path)
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'message'", [], |row| row.get(0))
        .unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&[0xa5; 4096], u64::from(page - 1) * 4096).unwrap();
    drop(file);
    let store = open(&path);
    (directory, store, id)
}

#[test]
fn a_damaged_page_is_an_error_by_name_and_the_rest_is_still_read() {
    let (_directory, store, id) = damaged();
    let before = store.task(id).unwrap();
    assert_eq!(before.title, "sound");
    assert_eq!(store.list(&TaskFilter::new()).unwrap().items.len(), 1);
    let error = store.messages(id, 0, 10).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
    assert_eq!(error.to_string(), "the file is damaged");
    assert!(!error.is_retryable());
    assert!(matches!(store.message(id, Level::Info, "nowhere"), Err(Error::Damaged { .. })));
    assert!(matches!(store.fail(id, "nowhere"), Err(Error::Damaged { .. })));
    assert_eq!(store.task(id).unwrap(), before);
    // What needs no damaged page goes on.
    store.finish(id).unwrap();
}

#[test]
fn an_answer_that_meets_a_damaged_page_is_cut_off_and_not_passed_for_a_shorter_one() {
    let (_directory, store, id) = damaged();
    let (mut list, mut task) = (Vec::new(), Vec::new());
    let errors = [
        write_list(&store, ListRequest::default(), DismissedMember::HiddenBy, &mut list).unwrap_err(),
        write_task(&store, id, DismissedMember::HiddenBy, &mut task).unwrap_err(),
    ];
    for (error, answer) in errors.into_iter().zip([list, task]) {
        assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
        assert!(serde_json::from_slice::<serde_json::Value>(&answer).is_err());
    }
}

#[test]
fn a_verb_that_fails_in_a_damaged_file_undoes_its_whole_batch() {
    let (_directory, store, id) = damaged();
    let before = store.task(id).unwrap();
    let answer = store.batch(|batch| {
        let new = batch.start_detached(NewTask::new("undone"))?;
        batch.progress(id, &Progress::new(1))?;
        assert!(matches!(batch.message(id, Level::Info, "nowhere"), Err(Error::Damaged { .. })));
        // Nothing more is written, and the batch cannot pass that over.
        assert!(matches!(batch.finish(new), Err(Error::Engine { .. })));
        Ok::<_, Error>(())
    });
    assert!(matches!(answer, Err(Error::Engine { .. })), "{answer:?}");
    assert_eq!(store.list(&TaskFilter::new()).unwrap().items, [before]);
    store.finish(id).unwrap();
}
