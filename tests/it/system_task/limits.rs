//! What is refused, by whom, and that nothing of it is written.

use std::time::Duration;

use serde_json::json;
use taskstore::{Error, Limits, LogEvent, LogLevel, RunOptions, SystemTaskStatus, TaskStore};

use super::{events, listed, only_run, start};
use crate::support::{options, temporary};

const LIMITS: Limits = Limits {
    title_bytes_max: 0,
    name_bytes_max: 4,
    text_bytes_max: 6,
    description_bytes_max: 8,
    attributes_bytes_max: 10,
    page_rows_max: 1_000,
};

fn limited() -> TaskStore {
    options().limits(LIMITS).open_temporary().unwrap()
}

fn too_long(answer: Result<impl Sized, Error>, text: &str) {
    let Err(error) = answer else { panic!("{text:?} was taken") };
    assert!(matches!(error, Error::TooLong { .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
}

fn invalid(answer: Result<impl Sized, Error>, text: &str) {
    let Err(error) = answer else { panic!("{text:?} was taken") };
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
}

/// Whether the store has no system task at all, not even one that is not listed: the next one has the first id.
fn is_untouched(store: &TaskStore) -> bool {
    let run = start(store, "a");
    let id = run.id().get();
    drop(run);
    id == 1 && listed(store).len() == 1
}

#[test]
fn a_name_a_uid_and_a_description_may_be_as_long_as_their_limits_in_bytes() {
    let store = limited();
    let options = RunOptions::new().description("12345\u{20ac}");
    store.system_tasks().start_with("1\u{20ac}", Some("\u{1f600}"), options).unwrap().finish().unwrap();
    let task = listed(&store).remove(0);
    assert_eq!((task.full_name().as_str(), task.description.as_str()), ("1\u{20ac}:\u{1f600}", "12345\u{20ac}"));
}

#[test]
fn a_start_over_a_limit_or_with_nul_is_refused_and_nothing_is_written() {
    let store = limited();
    let start = |name: &str, uid, options| store.system_tasks().start_with(name, uid, options);
    let new = RunOptions::new;
    too_long(start("12\u{20ac}", None, new()), "name is 5 bytes long; the limit is 4");
    too_long(start("a", Some("12345"), new()), "uid is 5 bytes long; the limit is 4");
    too_long(start("a", None, new().description("123456789")), "description is 9 bytes long; the limit is 8");
    invalid(start("", None, new()), "name must not be empty");
    invalid(start("a\0", None, new()), "name must not contain NUL (U+0000)");
    invalid(start("a", Some("\0"), new()), "uid must not contain NUL (U+0000)");
    invalid(start("a", None, new().description("a\0b")), "description must not contain NUL (U+0000)");
    assert!(is_untouched(&store));
}

#[test]
fn a_registration_over_a_limit_or_with_nul_is_refused_and_nothing_is_written() {
    let store = limited();
    let register = |name, description| store.system_tasks().register(name, description);
    too_long(register("12345", ""), "name is 5 bytes long; the limit is 4");
    too_long(register("a", "123456789"), "description is 9 bytes long; the limit is 8");
    invalid(register("", ""), "name must not be empty");
    invalid(register("a\0", ""), "name must not contain NUL (U+0000)");
    invalid(register("a", "a\0b"), "description must not contain NUL (U+0000)");
    assert_eq!(listed(&store), []);
    assert!(is_untouched(&store));
}

#[test]
fn an_event_may_be_as_long_as_its_limits_in_bytes() {
    let store = limited();
    let run = start(&store, "a");
    let event = LogEvent::new(LogLevel::Info, "123\u{20ac}").logger("\u{1f600}");
    run.log(event.attributes(json!({"a": 1_234})).unwrap()).unwrap();
    assert_eq!(events(&store, run.id())[0].attributes.as_str().len(), 10);
    run.finish().unwrap();
}

#[test]
fn an_event_over_a_limit_or_whose_logger_has_nul_is_refused_and_nothing_is_written() {
    let store = limited();
    let run = start(&store, "a");
    let uuid = run.uuid();
    let event = |text: &str| LogEvent::new(LogLevel::Info, text);
    too_long(run.log(event("1234567")), "event is 7 bytes long; the limit is 6");
    too_long(run.log(event("e").logger("12345")), "logger is 5 bytes long; the limit is 4");
    too_long(run.info("e", json!({"a": "123456"})), "attributes is 14 bytes long; the limit is 10");
    invalid(run.log(event("e").logger("\0")), "logger must not contain NUL (U+0000)");
    too_long(run.set_status(SystemTaskStatus::Error, ["fits", "1234567"]), "event is 7 bytes long; the limit is 6");
    too_long(run.set_error(&std::io::Error::other("1234567")), "event is 7 bytes long; the limit is 6");
    assert_eq!(events(&store, run.id()), []);
    let found = only_run(&store, uuid);
    assert_eq!((found.status, found.event_count), (None, 0));
    run.finish().unwrap();
}

#[test]
fn a_refused_verb_of_a_batch_has_changed_nothing_and_the_batch_goes_on() {
    let store = limited();
    let run = store
        .batch(|batch| {
            too_long(batch.start_run("12345", None, RunOptions::new()), "name is 5 bytes long; the limit is 4");
            too_long(batch.register_system_task("12345", ""), "name is 5 bytes long; the limit is 4");
            let run = batch.start_run("a", None, RunOptions::new())?;
            let event = LogEvent::new(LogLevel::Info, "1234567");
            too_long(batch.log(&run, event), "event is 7 bytes long; the limit is 6");
            let messages = ["fits", "1234567"];
            let status = batch.set_status(&run, SystemTaskStatus::Error, messages);
            too_long(status, "event is 7 bytes long; the limit is 6");
            batch.finish_run(&run)?;
            Ok::<_, Error>(run)
        })
        .unwrap();
    let task = listed(&store).remove(0);
    assert_eq!((task.uuid, task.status()), (run.uuid(), SystemTaskStatus::Successful));
    assert_eq!(events(&store, run.id()), []);
}

#[test]
fn the_largest_event_of_the_default_limits_is_kept() {
    let limits = Limits::default();
    let store = temporary();
    let run = start(&store, &"n".repeat(limits.name_bytes_max));
    let attributes = json!({ "a": "x".repeat(limits.attributes_bytes_max - r#"{"a":""}"#.len()) });
    run.info("e".repeat(limits.text_bytes_max), attributes).unwrap();
    let event = events(&store, run.id()).remove(0);
    run.finish().unwrap();
    assert_eq!(event.event.len(), limits.text_bytes_max);
    assert_eq!(event.attributes.as_str().len(), limits.attributes_bytes_max);
}

#[test]
fn attributes_may_be_as_long_as_the_limit_that_the_store_was_opened_with() {
    let limits = Limits { attributes_bytes_max: 17 << 20, ..Limits::default() };
    let store = options().limits(limits).open_temporary().unwrap();
    let run = start(&store, "a");
    let attributes = json!({ "a": "x".repeat(limits.attributes_bytes_max - r#"{"a":""}"#.len()) });
    run.info("e", attributes).unwrap();
    assert_eq!(events(&store, run.id())[0].attributes.as_str().len(), limits.attributes_bytes_max);
    run.finish().unwrap();
}

#[test]
fn an_expiry_after_more_than_292_years_is_refused_and_the_longest_is_taken() {
    let store = temporary();
    let longest = Duration::from_nanos(i64::MAX as u64);
    let options = RunOptions::new().expires_after(longest + Duration::from_nanos(1));
    let refused = store.system_tasks().start_with("a", None, options).unwrap_err();
    assert!(matches!(refused, Error::OutOfRange { field: "expires_after", .. }), "{refused:?}");
    assert!(is_untouched(&store));

    // It ends behind what can be stored, which is never.
    store.system_tasks().start_with("a", None, RunOptions::new().expires_after(longest)).unwrap().finish().unwrap();
    assert_eq!(listed(&store)[0].shown_run.as_ref().unwrap().expires, None);
}

#[test]
fn a_page_of_no_rows_or_of_more_than_the_limit_is_refused() {
    let store = temporary();
    let uuid = super::finished(&store, "a", None);
    let run = only_run(&store, uuid).id;
    let tasks = store.system_tasks();
    for limit in [0, 1_001, u32::MAX] {
        let filter = taskstore::SystemTaskFilter::new().limit(limit);
        let answers = [
            tasks.list(&filter).map(drop),
            tasks.list_numbered(&filter, taskstore::PageNumber::Last).map(drop),
            tasks.history(uuid, None, limit).map(drop),
            tasks.events(run, 0, limit).map(drop),
        ];
        for answer in answers {
            let error = answer.unwrap_err();
            assert!(matches!(error, Error::OutOfRange { field: "limit", min: 1, max: 1_000, .. }), "{error:?}");
        }
    }
}
