//! What no list is asked for.

use taskstore::{Error, Level, TaskFilter, TaskStore};

use crate::support::{configuration_id, start, task_id, temporary};

type With = fn(String) -> TaskFilter;

fn refusal(store: &TaskStore, filter: &TaskFilter) -> Error {
    let error = store.list_with_messages(filter).unwrap_err();
    assert_eq!(store.list(filter).unwrap_err().to_string(), error.to_string());
    assert_eq!(store.list_while(filter, || false).unwrap_err().to_string(), error.to_string());
    error
}

#[test]
fn a_level_that_is_not_kept_track_of_is_refused_by_name() {
    let store = temporary();
    for level in [Level::Trace, Level::Debug, Level::Info] {
        let error = refusal(&store, &TaskFilter::new().level_reached(level));
        assert!(matches!(error, Error::Invalid { field: "level_reached", .. }), "{error:?}");
        assert_eq!(error.to_string(), "level_reached must be warn or error");
    }
    for level in [Level::Warn, Level::Error] {
        assert!(store.list(&TaskFilter::new().level_reached(level)).unwrap().items.is_empty());
    }
}

#[test]
fn a_user_that_no_task_can_have_is_refused_by_name() {
    let store = temporary();
    let with: [(&str, With); 2] = [
        ("performed_by", |user| TaskFilter::new().performed_by(user)),
        ("dismissed_by", |user| TaskFilter::new().dismissed_by(user)),
    ];
    for (name, filter) in with {
        store.list(&filter("é".repeat(128))).unwrap();
        // Nobody's tasks there may be; tasks that nobody has dismissed are listed otherwise.
        store.list(&filter(String::new())).unwrap();
        let error = refusal(&store, &filter("n".repeat(257)));
        assert_eq!(error.to_string(), format!("{name} is 257 bytes long; the limit is 256"));
        assert!(matches!(error, Error::TooLong { field, bytes: 257, bytes_max: 256 } if field == name));
        let error = refusal(&store, &filter("a\0".to_owned()));
        assert_eq!(error.to_string(), format!("{name} must not contain NUL (U+0000)"));
        assert!(matches!(error, Error::Invalid { field, .. } if field == name));
    }
}

#[test]
fn a_text_longer_than_any_is_refused_by_name_and_the_longest_is_looked_for() {
    let store = temporary();
    let id = start(&store, "long");
    let longest = "x".repeat(1 << 20);
    store.message(id, Level::Info, longest.as_str()).unwrap();
    let with: [(&str, bool, With); 3] = [
        ("title", false, |text| TaskFilter::new().title(text)),
        ("message", true, |text| TaskFilter::new().message(text)),
        ("text", true, |text| TaskFilter::new().text(text)),
    ];
    for (name, is_found, filter) in with {
        let found = store.list(&filter(longest.to_uppercase())).unwrap().items;
        assert_eq!(found.len(), usize::from(is_found), "{name}");
        let error = refusal(&store, &filter(longest.clone() + "x"));
        assert!(
            matches!(error, Error::TooLong { field, bytes, bytes_max } if (field, bytes, bytes_max) == (name, (1 << 20) + 1, 1 << 20))
        );
        // A NUL may be in a message, and so may be looked for.
        store.list(&filter("\0".to_owned())).unwrap();
    }
}

#[test]
fn the_first_thing_that_is_wrong_is_named_whatever_else_is() {
    let store = temporary();
    let cursor = "garbage".parse().unwrap();
    let filter = TaskFilter::new().limit(0).performed_by("\0").level_reached(Level::Info).cursor(cursor);
    let limit = refusal(&store, &filter);
    assert!(matches!(limit, Error::OutOfRange { field: "limit", .. }), "{limit:?}");
    assert!(matches!(refusal(&store, &filter.clone().limit(1)), Error::Invalid { field: "performed_by", .. }));
}

#[test]
fn a_configuration_that_never_was_has_no_tasks_and_a_closed_store_no_lists() {
    let store = temporary();
    start(&store, "of none");
    let filter = TaskFilter::new().configuration(configuration_id(7));
    assert!(store.list(&filter).unwrap().items.is_empty());
    store.close().unwrap();
    assert!(matches!(refusal(&store, &filter), Error::Closed));
    assert!(matches!(store.tail(task_id(1), 1), Err(Error::Closed)));
}
