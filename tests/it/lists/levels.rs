//! The highest level that a task has reached.

use proptest::prelude::*;
use taskstore::{Error, Level, NewTask, TaskFilter, TaskId, TaskStore};

use crate::support::{everything, start, task_id, temporary};

fn listed(store: &TaskStore, level: Level) -> Vec<TaskId> {
    super::check::ids_of(&store.list(&TaskFilter::new().level_reached(level)).unwrap().items)
}

proptest! {
    #![proptest_config(super::one_in(4))]

    #[test]
    fn a_task_shows_the_highest_of_its_warnings_and_errors_and_is_listed_by_it(
        levels in prop::collection::vec((prop::sample::select(&Level::ALL[..]), 0..4_u8), 0..6),
        reason in prop::sample::select(&[None, Some(""), Some("because")][..]),
    ) {
        let store = TaskStore::open_in_memory().unwrap();
        let id = start(&store, "says");
        let mut highest: Option<Level> = None;
        for (number, (level, way)) in levels.into_iter().enumerate() {
            match way {
                0 => store.message(id, level, "text").unwrap(),
                1 => store.message_once(id, number.to_string(), level, "text").unwrap(),
                2 => store.batch(|batch| batch.message(id, level, "text")).unwrap(),
                _ => store.batch(|batch| batch.message_once(id, number.to_string(), level, "text")).unwrap(),
            }
            // One that was recorded before says nothing.
            if way % 2 == 1 {
                store.message_once(id, number.to_string(), Level::Error, "again").unwrap();
            }
            highest = highest.max(Some(level));
            prop_assert_eq!(store.task(id).unwrap().level_reached, highest.filter(|level| *level >= Level::Warn));
        }
        match reason {
            None => store.finish(id).unwrap(),
            Some(reason) => store.fail(id, reason).unwrap(),
        }
        // A reason is a message at level error, and an empty one is none.
        let highest = if reason == Some("because") { Some(Level::Error) } else { highest };
        let reached = highest.filter(|level| *level >= Level::Warn);
        prop_assert_eq!(store.task(id).unwrap().level_reached, reached);
        prop_assert_eq!(!listed(&store, Level::Warn).is_empty(), reached.is_some());
        prop_assert_eq!(!listed(&store, Level::Error).is_empty(), reached == Some(Level::Error));
    }
}

#[test]
fn a_message_that_is_refused_changes_no_level() {
    let store = temporary();
    let (running, ended) = (start(&store, "running"), start(&store, "ended"));
    store.message(running, Level::Warn, "warning").unwrap();
    store.finish(ended).unwrap();
    let before = everything(&store);
    let long = "x".repeat((1 << 20) + 1);
    for answer in [
        store.message(ended, Level::Error, "late"),
        store.message_once(ended, "key", Level::Error, "late"),
        store.message(running, Level::Error, long.as_str()),
        store.message_once(running, "", Level::Error, "no key"),
        store.message(task_id(9), Level::Error, "nobody"),
        store.fail(ended, "late"),
        store.fail(running, long.as_str()),
        store.batch(|batch| batch.message(running, Level::Error, "undone").and(Err(Error::Closed))),
    ] {
        answer.unwrap_err();
    }
    assert_eq!(everything(&store), before);
    assert_eq!(listed(&store, Level::Warn), [running]);
    assert_eq!(listed(&store, Level::Error), []);
}

#[test]
fn a_task_that_is_cut_off_has_reached_an_error_and_one_that_is_restored_keeps_its_level() {
    let store = temporary();
    let task = store.start(NewTask::new("cut off")).unwrap();
    let id = task.id();
    drop(task);
    assert_eq!(listed(&store, Level::Error), [id]);
    store.dismiss(id, "ann").unwrap();
    assert_eq!(listed(&store, Level::Warn), []);
    assert_eq!(store.task(id).unwrap().level_reached, Some(Level::Error));
    store.restore(id).unwrap();
    assert_eq!(listed(&store, Level::Error), [id]);
}

#[test]
fn the_key_of_a_task_shows_wherever_the_task_does() {
    let store = temporary();
    let id = store.start_detached(NewTask::new("named").key("import of 2026-11-21")).unwrap();
    let nameless = start(&store, "nameless");
    store.message_once(id, "file 1", Level::Info, "copied").unwrap();
    let key = Some("import of 2026-11-21".to_owned());
    let [second, first] = &store.list_with_messages(&TaskFilter::new()).unwrap().items[..] else { panic!("not two") };
    assert_eq!((&first.task.key, &first.messages[0].key), (&key, &Some("file 1".to_owned())));
    assert_eq!((second.task.id, &second.task.key), (nameless, &None));
    assert_eq!(store.task(id).unwrap().key, key);
    assert_eq!(store.task_with_messages(id).unwrap(), *first);
    assert_eq!(store.batch(|batch| batch.task(id)).unwrap().key, key);
}
