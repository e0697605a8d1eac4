//! What a key may be.

use taskstore::{Error, Level, Limits, NewTask, Result, TaskStore};

use super::start;
use crate::support::{everything, options, task_id, temporary};

/// Calls every verb that takes a key, on a store whose task 1 is in progress.
fn every_verb(store: &TaskStore, key: &str) -> [Result<()>; 4] {
    let new = || NewTask::new("t").key(key);
    [
        store.start_detached(new()).map(drop),
        store.start(new()).map(|task| _ = task.detach().unwrap()),
        store.message_once(task_id(1), key, Level::Info, "t"),
        store.batch(|batch| batch.start_detached(new()).and_then(|id| batch.message_once(id, key, Level::Info, "t"))),
    ]
}

#[test]
fn a_key_that_is_empty_too_long_or_has_a_nul_is_refused_by_name_and_nothing_is_written() {
    let store = temporary();
    crate::support::start(&store, "in progress");
    let before = everything(&store);
    let long = format!("{}x", "é".repeat(128));
    for (key, text) in [
        ("", "key must not be empty"),
        ("a\0b", "key must not contain NUL (U+0000)"),
        (&long, "key is 257 bytes long; the limit is 256"),
    ] {
        for answer in every_verb(&store, key) {
            let error = answer.unwrap_err();
            assert!(matches!(error, Error::Invalid { field: "key", .. } | Error::TooLong { field: "key", .. }));
            assert_eq!(error.to_string(), text);
        }
    }
    assert_eq!(everything(&store), before);
}

#[test]
fn a_key_of_256_bytes_is_taken_and_found_again() {
    let store = temporary();
    crate::support::start(&store, "in progress");
    let key = "é".repeat(128);
    for answer in every_verb(&store, &key) {
        answer.unwrap();
    }
    // Task 1, and one that three starts have given.
    assert_eq!(everything(&store).tasks.len(), 2);
}

#[test]
fn the_limit_is_that_of_names() {
    let limits = Limits { name_bytes_max: 2, ..Limits::default() };
    let store = options().limits(limits).open_temporary().unwrap();
    start(&store, "ab").unwrap();
    let refused = start(&store, "abc").unwrap_err();
    assert!(matches!(refused, Error::TooLong { field: "key", bytes: 3, bytes_max: 2 }), "{refused:?}");
}
