//! Rows that another program has written.

use taskstore::{Dismissed, Level, TaskFilter};

use super::check::{Way, ids_of, pages};
use super::model::ORDERS;
use crate::support::files::shell;
use crate::support::{open, start};

#[test]
fn a_text_that_is_not_utf_8_breaks_no_list_and_is_searched_with_replacement_characters() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let (broken, whole, said) = (start(&store, "broken"), start(&store, "whole"), start(&store, "said"));
    for id in [broken, whole, said] {
        store.message(id, Level::Info, "text").unwrap();
        store.finish(id).unwrap();
        store.dismiss(id, "ann").unwrap();
    }
    let other = shell(&path);
    let spoil = format!(
        "UPDATE task SET title = CAST(x'41ff42' AS TEXT), performed_by = CAST(x'fe' AS TEXT),
             dismissed_by = CAST(x'c3' AS TEXT), key = CAST(x'80' AS TEXT) WHERE id = {broken};
         UPDATE message SET text = CAST(x'43ff44' AS TEXT), key = CAST(x'81' AS TEXT) WHERE task_id = {said};"
    );
    other.execute_batch(&spoil).unwrap();

    for order in &ORDERS[..3] {
        let filter = TaskFilter::new().dismissed(Dismissed::Included).order(*order);
        let list = store.list(&filter).unwrap();
        assert_eq!(list.items.len(), 3);
        assert_eq!(store.list_with_messages(&filter).unwrap().items.len(), 3);
        let read = |filter: &TaskFilter| store.list(filter).unwrap();
        let one = filter.clone().limit(1);
        let walked = pages(&one, Way::Next, read(&one), read);
        assert!(walked.iter().flat_map(|page| &page.items).eq(&list.items));
        let found = |filter: TaskFilter| ids_of(&store.list(&filter).unwrap().items);
        for text in ["a\u{fffd}B", "\u{fffd}"] {
            assert_eq!(found(filter.clone().title(text)), [broken]);
        }
        assert_eq!(found(filter.clone().message("c\u{fffd}d")), [said]);
        assert_eq!(found(filter.clone().text("\u{fffd}")).len(), 2);
        assert_eq!(found(filter.clone().title("WHOLE")), [whole]);
    }
    let task = store.task(broken).unwrap();
    assert_eq!((task.title.as_str(), task.performed_by.as_str()), ("A\u{fffd}B", "\u{fffd}"));
    assert_eq!((task.dismissed_by.as_deref(), task.key.as_deref()), (Some("\u{fffd}"), Some("\u{fffd}")));
    let tail = store.tail(said, 1).unwrap();
    assert_eq!((tail[0].text.as_str(), tail[0].key.as_deref()), ("C\u{fffd}D", Some("\u{fffd}")));
}

#[test]
fn a_count_of_messages_that_is_wrong_breaks_no_list() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let ids = ["1", "2", "3"].map(|title| start(&store, title));
    ids.iter().for_each(|id| store.message(*id, Level::Info, "text").unwrap());
    let count = |id, count: i64| {
        shell(&path).execute("UPDATE task SET message_count = ?2 WHERE id = ?1", (i64::from(id), count)).unwrap()
    };
    count(ids[0], i64::MAX);
    count(ids[2], 2);
    let list = store.list_with_messages(&TaskFilter::new()).unwrap().items;
    assert!(list.iter().all(|found| found.messages.len() == 1));
}
