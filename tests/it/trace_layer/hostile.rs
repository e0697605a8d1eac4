//! Texts that nobody expects.

use std::fmt;

use taskstore::trace_layer::TaskLayer;
use taskstore::{Limits, Outcome};
use tracing::{info, info_span};

use super::{events, only, subscriber, tasks, traced};
use crate::support::{options, temporary, texts};

/// A value that writes more than any text may have.
struct Long;

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..700_000).try_for_each(|_| f.write_str("é"))
    }
}

/// A value that fails after a while.
struct Failing;

impl fmt::Debug for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half")?;
        Err(fmt::Error)
    }
}

#[test]
fn names_lose_their_nul_and_all_texts_are_cut_to_their_limits() {
    let store = temporary();
    traced(&store, || {
        let long = "é\0".repeat(100_000);
        info_span!("a", task.title = long, task.performed_by = long, task.key = long).in_scope(|| {
            info!("a\0b\n\u{202e}c");
            info!(field = "a\0b\n", failing = ?Failing, "x");
            info!("{Long}");
            info!(long_value = %Long, behind = 1, "y");
        });
        info_span!("b", system_task.name = "job\0", system_task.uid = long, system_task.description = long).in_scope(
            || {
                info!(long_value = %Long, behind = 1, "{Long}");
                info!(controls = "\u{1}".repeat(1 << 20), "z");
            },
        );
    });
    let (task, limits) = (only(&store), Limits::default());
    assert_eq!(task.title.len(), limits.title_bytes_max - 1 - (limits.title_bytes_max - 1) % 5 + 2);
    assert!(task.title.starts_with("é\u{fffd}é\u{fffd}"));
    assert!(task.performed_by.len() > limits.name_bytes_max - 4);
    let mut texts = texts(&store, task.id);
    // It would be the key of other work, too.
    assert_eq!(
        (texts.remove(0), task.key),
        ("task.key is longer than 256 bytes: started without a key".to_owned(), None)
    );
    assert_eq!((texts[0].as_str(), texts[1].as_str()), ("a\0b\n\u{202e}c", r#"x field="a\0b\n" failing=half"#));
    assert_eq!((texts[2].len(), texts[2].chars().all(|one| one == 'é')), (limits.text_bytes_max, true));
    assert!(texts[3].starts_with("y long_value=é") && texts[3].len() >= limits.text_bytes_max - 1);
    let uid = store.system_tasks().list(&Default::default()).unwrap().items.remove(0).uid.unwrap();
    assert!(uid.len() <= limits.name_bytes_max);
    let name = store.system_tasks().list(&Default::default()).unwrap().items.remove(0).name;
    assert!(name.starts_with("job\u{fffd}…"), "{name}");
    let events = events(&store, &name, Some(&uid));
    assert_eq!(events[0].event.len(), limits.text_bytes_max);
    for event in &events {
        let json = event.attributes.as_str();
        assert!(json.len() <= limits.attributes_bytes_max && json.len() > 32 << 10, "{}", json.len());
        event.attributes.parse::<serde_json::Map<String, serde_json::Value>>().unwrap();
    }
    assert!(
        events[0].attributes.as_str().ends_with(r#""fields_left_out":1}"#)
            || events[0].attributes.as_str().ends_with(r#""behind":1}"#)
    );
}

#[test]
fn the_smallest_limits_are_kept_too() {
    let limits = Limits {
        title_bytes_max: 4,
        name_bytes_max: 3,
        text_bytes_max: 5,
        description_bytes_max: 2,
        attributes_bytes_max: 60,
        ..Limits::default()
    };
    let store = options().limits(limits).open_temporary().unwrap();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store).keep_first(1).keep_last(0));
    tracing::dispatcher::with_default(&dispatch, || {
        info_span!("a", task.title = "Deploy", task.performed_by = "annette").in_scope(|| {
            info!("text that is cut");
            info!(task.error = "reason that is cut");
        });
        info_span!("b", system_task.name = "jobs")
            .in_scope(|| info!(one = 1, two = "x".repeat(100), three = 3, "cut too"));
    });
    handle.flush();
    assert_eq!((handle.lost(), handle.last_error().map(|error| error.to_string())), (0, None));
    handle.shutdown();
    let task = only(&store);
    assert_eq!((task.title.as_str(), task.performed_by.as_str(), task.outcome), ("Depl", "ann", Some(Outcome::Failed)));
    assert_eq!(texts(&store, task.id), ["text ", "reaso"]);
    let name = store.system_tasks().list(&Default::default()).unwrap().items.remove(0).name;
    assert_eq!(name.len(), 3);
    let event = events(&store, &name, None).remove(0);
    assert_eq!((event.event.as_str(), event.logger.as_str()), ("cut t", "it:"));
    assert_eq!(event.attributes.as_str(), r#"{"one":1,"fields_left_out":2}"#);
}

#[test]
fn what_cannot_start_is_told_and_its_span_is_as_any_other() {
    let store = temporary();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store));
    tracing::dispatcher::with_default(&dispatch, || {
        info_span!("a", task.title = "outer").in_scope(|| {
            info_span!("b", system_task.name = "").in_scope(|| info!("to the outer one"));
        });
    });
    assert_eq!((handle.lost(), handle.last_error().unwrap().to_string()), (1, "name must not be empty".to_owned()));
    handle.shutdown();
    assert_eq!(texts(&store, only(&store).id), ["to the outer one"]);
    assert_eq!(tasks(&store).len(), 1);
}

#[test]
fn what_differs_only_behind_a_limit_is_not_taken_for_the_same() {
    let store = temporary();
    traced(&store, || {
        for end in ["one", "other", "a\0b", "a\u{fffd}b"] {
            let long = "x".repeat(256) + end;
            info_span!("a", task.title = "t", task.key = long).in_scope(|| info!("{end}"));
            info_span!("b", system_task.name = long, system_task.key = "a\0b").in_scope(|| info!("{end}"));
            info_span!("b", system_task.name = "job", system_task.uid = long).in_scope(|| info!("{end}"));
        }
        for name in ["a\0b", "a\u{fffd}b"] {
            info_span!("b", system_task.name = name).in_scope(|| {});
        }
    });
    assert_eq!(tasks(&store).len(), 4);
    let system_tasks = store.system_tasks().list(&Default::default()).unwrap().items;
    assert_eq!(system_tasks.len(), 10);
    let warned = |task: &taskstore::SystemTask| {
        let events = store.system_tasks().events(task.shown_run.as_ref().unwrap().id, 0, 10).unwrap();
        events[0].event == "system_task.key contains NUL: started without a key"
    };
    assert_eq!(system_tasks.iter().filter(|task| task.name.starts_with('x')).filter(|task| warned(task)).count(), 4);
    // The same in another process and another version.
    let names: Vec<_> = system_tasks.iter().map(|task| &*task.name).collect();
    assert!(names.contains(&"a\u{fffd}b") && names.iter().any(|name| name.starts_with("a\u{fffd}b…")), "{names:?}");
}
