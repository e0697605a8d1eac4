//! The last messages of a task.

use proptest::prelude::*;
use taskstore::{Error, Level};

use crate::support::{messages, start, task_id, temporary};

proptest! {
    #![proptest_config(super::one_in(8))]

    #[test]
    fn the_tail_is_the_end_of_all_messages(counts in [0..12_u32, 0..3, 0..12], limit in 1..15_u32) {
        let store = taskstore::TaskStore::open_in_memory().unwrap();
        let ids = [(); 3].map(|()| start(&store, "says"));
        for (id, count) in ids.iter().zip(counts) {
            (0..count).for_each(|n| store.message(*id, Level::Info, n.to_string()).unwrap());
        }
        for id in ids {
            let all = messages(&store, id);
            prop_assert_eq!(&store.tail(id, limit).unwrap()[..], &all[all.len().saturating_sub(limit as usize)..]);
        }
    }
}

#[test]
fn a_tail_is_oldest_first_and_shows_the_keys() {
    let store = temporary();
    let id = start(&store, "says");
    store.message(id, Level::Info, "one").unwrap();
    store.message_once(id, "key of two", Level::Warn, "two").unwrap();
    store.fail(id, "three").unwrap();
    let shown = |limit| -> Vec<_> {
        let tail = store.tail(id, limit).unwrap().into_iter();
        tail.map(|message| (message.seq, message.level, message.text, message.key)).collect()
    };
    let two = (2, Level::Warn, "two".to_owned(), Some("key of two".to_owned()));
    let three = (3, Level::Error, "three".to_owned(), None);
    let all = [(1, Level::Info, "one".to_owned(), None), two, three];
    for (limit, expected) in [(1, &all[2..]), (2, &all[1..]), (3, &all), (1_000, &all)] {
        assert_eq!(shown(limit), expected);
    }
}

#[test]
fn a_tail_of_a_task_that_says_nothing_is_empty_and_one_of_no_task_is_not_found() {
    let store = temporary();
    let id = start(&store, "silent");
    assert_eq!(store.tail(id, 1).unwrap(), []);
    let unknown = task_id(id.get() + 1);
    assert!(matches!(store.tail(unknown, 1), Err(Error::NotFound { what: "task", id: 2 })));
    store.finish(id).unwrap();
    store.delete(id).unwrap();
    assert!(matches!(store.tail(id, 1), Err(Error::NotFound { what: "task", id: 1 })));
}

#[test]
fn a_tail_has_from_1_to_1000_messages() {
    let store = temporary();
    let id = start(&store, "says");
    store.batch(|batch| (0..1_001).try_for_each(|n| batch.message(id, Level::Trace, n.to_string()))).unwrap();
    for limit in [0, 1_001, u32::MAX] {
        let error = store.tail(id, limit).unwrap_err();
        assert!(matches!(error, Error::OutOfRange { field: "limit", min: 1, max: 1_000, .. }), "{error:?}");
    }
    let tail = store.tail(id, 1_000).unwrap();
    assert_eq!((tail.len(), tail[0].seq, tail[999].seq), (1_000, 2, 1_001));
}
