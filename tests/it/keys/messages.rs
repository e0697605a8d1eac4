//! Messages of tasks.

use taskstore::{Error, Level, NewTask, TaskState};

use crate::input::HOSTILE;
use crate::support::{everything, finished, open, start, task_id, temporary, texts};

#[test]
fn a_message_of_a_key_is_recorded_once_whatever_the_next_one_says() {
    let store = temporary();
    let id = start(&store, "t");
    store.message(id, Level::Info, "before").unwrap();
    store.message_once(id, "k", Level::Warn, "once").unwrap();
    let before = everything(&store);
    for (level, text) in [(Level::Warn, "once"), (Level::Error, "something else")] {
        store.message_once(id, "k", level, text).unwrap();
    }
    assert_eq!(everything(&store), before);
    store.message_once(id, "other key", Level::Info, "once").unwrap();
    store.message(id, Level::Info, "once").unwrap();
    assert_eq!(texts(&store, id), ["before", "once", "once", "once"]);
    assert_eq!(crate::support::messages(&store, id)[1].level, Level::Warn);
}

#[test]
fn a_repeated_message_is_answered_as_the_first_was_though_the_task_has_ended() {
    let store = temporary();
    let task = store.start(NewTask::new("t")).unwrap();
    let id = task.id();
    task.message_once("k", Level::Info, "said").unwrap();
    task.message_once("k", Level::Info, "said").unwrap();
    task.finish().unwrap();
    let before = everything(&store);
    store.message_once(id, "k", Level::Info, "said").unwrap();
    let refused = store.message_once(id, "late", Level::Info, "said").unwrap_err();
    assert!(matches!(refused, Error::WrongState { found: TaskState::Finished, .. }), "{refused:?}");
    assert_eq!(everything(&store), before);

    store.dismiss(id, "ann").unwrap();
    store.message_once(id, "k", Level::Info, "said").unwrap();
    store.delete(id).unwrap();
    let gone = store.message_once(id, "k", Level::Info, "said").unwrap_err();
    assert!(matches!(gone, Error::NotFound { what: "task", id: 1 }), "{gone:?}");
}

#[test]
fn a_key_is_of_one_task() {
    let store = temporary();
    let ids = ["1", "2"].map(|title| start(&store, title));
    for id in ids {
        store.message_once(id, "k", Level::Info, id.to_string()).unwrap();
    }
    assert_eq!(ids.map(|id| texts(&store, id)), [["1"], ["2"]]);
    let nobody = store.message_once(task_id(9), "k", Level::Info, "t").unwrap_err();
    assert!(matches!(nobody, Error::NotFound { what: "task", id: 9 }), "{nobody:?}");
}

#[test]
fn a_key_is_found_by_another_store_and_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (one, other) = (open(&path), open(&path));
    let id = start(&one, "t");
    let say = |store: &taskstore::TaskStore| {
        for key in HOSTILE.iter().filter(|key| !key.is_empty()) {
            store.message_once(id, *key, Level::Info, *key).unwrap();
        }
    };
    say(&one);
    let before = everything(&one);
    say(&other);
    one.close().unwrap();
    other.close().unwrap();
    let store = open(&path);
    say(&store);
    assert_eq!(everything(&store), before);
    assert!(texts(&store, id).iter().eq(HOSTILE.iter().filter(|key| !key.is_empty())));
}

#[test]
fn a_refused_message_of_a_batch_leaves_its_key_free() {
    let store = temporary();
    let ended = finished(&store, "ended");
    let id = start(&store, "t");
    store
        .batch(|batch| {
            assert!(matches!(batch.message_once(ended, "k", Level::Info, "late"), Err(Error::WrongState { .. })));
            batch.message_once(id, "k", Level::Info, "said")?;
            batch.message_once(id, "k", Level::Info, "said")
        })
        .unwrap();
    assert_eq!((texts(&store, ended).len(), texts(&store, id)), (0, vec!["said".to_owned()]));
    assert!(store.message_once(ended, "k", Level::Info, "late").is_err());
}
