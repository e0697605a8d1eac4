//! How much of a task is kept.

use taskstore::trace_layer::TaskLayer;
use taskstore::{Level, Outcome};
use tracing::{error, info, info_span};

use super::{events, only, subscriber, traced, traced_with};
use crate::support::{messages, temporary, texts};

#[test]
fn the_first_and_the_last_events_are_kept_and_a_message_says_how_many_were_left_out() {
    for (first, last, number, expected) in [
        (3, 2, 0, ""),
        (3, 2, 3, "1 2 3"),
        (3, 2, 5, "1 2 3 4 5"),
        (3, 2, 6, "1 2 3 … 1 message left out|5 6"),
        (3, 2, 1_239, "1 2 3 … 1234 messages left out|1238 1239"),
        (3, 0, 5, "1 2 3 … 2 messages left out"),
        (0, 2, 5, "… 3 messages left out|4 5"),
        (0, 0, 2, "… 2 messages left out"),
        (u64::MAX, 0, 5, "1 2 3 4 5"),
    ] {
        let store = temporary();
        traced_with(TaskLayer::builder(&store).keep_first(first).keep_last(last), || {
            let _task = info_span!("a", task.title = "t").entered();
            (1..=number).for_each(|number| info!("{number}"));
        });
        let texts = texts(&store, only(&store).id).join(" ").replace("left out ", "left out|");
        assert_eq!(texts, expected, "the first {first} and the last {last} of {number}");
    }
}

#[test]
fn a_thousand_and_a_hundred_are_kept_by_default_and_the_reason_beside_them() {
    let store = temporary();
    traced(&store, || {
        info_span!("a", task.title = "t").in_scope(|| {
            (0..5_000).for_each(|number| info!("{number}"));
            error!(task.error = "too much");
        });
        info_span!("b", system_task.name = "job").in_scope(|| (0..5_000).for_each(|number| info!("{number}")));
    });
    let task = only(&store);
    assert_eq!((task.message_count, task.outcome), (1_102, Some(Outcome::Failed)));
    let messages = messages(&store, task.id);
    assert_eq!((messages[1_000].level, messages[1_000].text.as_str()), (Level::Info, "… 3900 messages left out"));
    assert_eq!(
        [999, 1_001, 1_100, 1_101].map(|index| messages[index].text.as_str()),
        ["999", "4900", "4999", "too much"]
    );
    let uuid = store.system_tasks().find("job", None).unwrap().unwrap();
    let run = store.system_tasks().history(uuid, None, 1).unwrap().items.remove(0);
    let end = store.system_tasks().events(run.id, 1_000, 1).unwrap().remove(0);
    assert_eq!((run.event_count, end.event.as_str(), end.logger.as_str()), (1_101, "… 3900 events left out", "job"));
}

#[test]
fn the_last_events_take_no_more_than_a_mebibyte() {
    let store = temporary();
    traced_with(TaskLayer::builder(&store).keep_first(0).keep_last(1_000_000), || {
        let _task = info_span!("a", task.title = "t").entered();
        let text = "x".repeat(100_000);
        (0..50).for_each(|number| info!("{number} {text}"));
    });
    let texts = texts(&store, only(&store).id);
    assert_eq!((texts[0].as_str(), texts.len()), ("… 40 messages left out", 11));
    assert!(texts[10].starts_with("49 "));
}

#[test]
fn what_is_flushed_is_there_while_the_span_is_open_but_for_the_last_events() {
    let store = temporary();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store).keep_first(2));
    tracing::dispatcher::with_default(&dispatch, || {
        let _task = info_span!("a", task.title = "t").entered();
        let _run = info_span!("b", system_task.name = "job").entered();
        (0..3).for_each(|number| info!(parent: &*_task, "{number}"));
        (0..3).for_each(|number| info!("{number}"));
        handle.flush();
        assert_eq!(texts(&store, only(&store).id), ["0", "1"]);
        assert_eq!(events(&store, "job", None).len(), 2);
    });
}
