//! How a task ends.

use std::panic::{AssertUnwindSafe, catch_unwind};

use taskstore::trace_layer::TaskLayer;
use taskstore::{Level, LogLevel, Outcome, SystemTaskStatus};
use tracing::field::Empty;
use tracing::{Level as TracingLevel, debug, error, info, info_span};

use super::{events, only, shown, subscriber, traced, traced_with};
use crate::support::{messages, temporary, texts};

#[derive(Debug)]
struct Outer(std::num::ParseIntError);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cannot read the port")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn an_error_that_is_told_fails_the_task_however_it_is_told() {
    let store = temporary();
    traced(&store, || {
        let span = info_span!("a", task.title = "recorded", task.error = Empty);
        span.record("task.error", "no space");
        drop(span);
        info_span!("b", task.title = "at once", task.error = "known before").in_scope(|| {});
        info_span!("c", task.title = "event").in_scope(|| error!(task.error = %"quota", tries = 3, "gave up"));
        info_span!("d", task.title = "event inside").in_scope(|| {
            info_span!("plain").in_scope(|| error!(task.error = "deep"));
        });
        info_span!("e", task.title = "inner span").in_scope(|| {
            info_span!("plain", task.error = Empty).record("task.error", "of the span inside");
        });
        info_span!("f", task.title = "last").in_scope(|| {
            error!(task.error = "first");
            info!("still working");
            error!(task.error = "last");
        });
        let chain = Outer("x".parse::<u16>().unwrap_err());
        info_span!("g", task.title = "chain").in_scope(|| {
            error!(task.error = &chain as &(dyn std::error::Error + 'static));
        });
        info_span!("h", task.title = "outer").in_scope(|| {
            info_span!("i", task.title = "inner").in_scope(|| error!(task.error = "of the inner one"));
        });
    });
    let shown = shown(&store);
    let shown: Vec<_> = shown.iter().map(|(title, outcome, texts)| (&**title, *outcome, texts.join("|"))).collect();
    let failed = |title: &'static str, texts: &str| (title, Some(Outcome::Failed), texts.to_owned());
    assert_eq!(
        shown,
        [
            failed("recorded", "no space"),
            failed("at once", "known before"),
            failed("event", "gave up tries=3|quota"),
            failed("event inside", "deep"),
            failed("inner span", "of the span inside"),
            failed("last", "still working|last"),
            failed("chain", "cannot read the port: invalid digit found in string"),
            ("outer", Some(Outcome::Finished), String::new()),
            failed("inner", "of the inner one"),
        ]
    );
    let last = messages(&store, super::tasks(&store)[0].id).pop().unwrap();
    assert_eq!(last.level, Level::Error);
}

#[test]
fn an_error_counts_below_the_level_too() {
    let store = temporary();
    traced_with(TaskLayer::builder(&store).level(TracingLevel::ERROR), || {
        info_span!("a", task.title = "t").in_scope(|| debug!(task.error = "quiet", "not recorded"));
    });
    assert_eq!((only(&store).outcome, shown(&store)[0].2.join("|")), (Some(Outcome::Failed), "quiet".to_owned()));
}

#[test]
fn a_run_ends_with_status_error_and_an_event_that_says_why() {
    let store = temporary();
    traced(&store, || {
        info_span!("job", system_task.name = "job").in_scope(|| {
            info!(system_task.error = "no answer", "asked");
        });
    });
    let job = store.system_tasks().list(&Default::default()).unwrap().items.remove(0);
    assert_eq!(job.status(), SystemTaskStatus::Error);
    assert!(!job.shown_run.unwrap().interrupted);
    let said: Vec<_> = events(&store, "job", None).into_iter().map(|said| (said.level, said.event)).collect();
    assert_eq!(said, [(LogLevel::Info, "asked".to_owned()), (LogLevel::Error, "no answer".to_owned())]);
}

#[test]
fn a_panic_interrupts_the_tasks_whose_spans_it_closes_and_no_others() {
    let store = temporary();
    traced(&store, || {
        let outer = info_span!("a", task.title = "outer");
        let _entered = outer.enter();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _inner = info_span!("b", task.title = "inner").entered();
            let _failed = info_span!("c", task.title = "failed").entered();
            error!(task.error = "told before");
            struct CleansUp;
            impl Drop for CleansUp {
                fn drop(&mut self) {
                    info_span!("d", task.title = "begun while panicking").in_scope(|| info!("cleaning up"));
                }
            }
            let _clean_up = CleansUp;
            std::panic::resume_unwind(Box::new(()));
        }));
        panicked.unwrap_err();
    });
    let outcomes: Vec<_> =
        shown(&store).into_iter().map(|(title, outcome, texts)| (title, outcome, texts.join("|"))).collect();
    let task = |title: &str, outcome, texts: &str| (title.to_owned(), Some(outcome), texts.to_owned());
    assert_eq!(
        outcomes,
        [
            task("outer", Outcome::Finished, ""),
            task("inner", Outcome::Interrupted, "panicked"),
            task("failed", Outcome::Failed, "told before"),
            task("begun while panicking", Outcome::Finished, "cleaning up"),
        ]
    );
}

#[test]
fn a_panic_of_an_asynchronous_task_interrupts_it() {
    use tracing::Instrument;
    let store = temporary();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    tracing::dispatcher::with_default(&dispatch, || {
        runtime.block_on(async {
            let work = async {
                tokio::task::yield_now().await;
                std::panic::resume_unwind(Box::new("oops"));
            };
            tokio::spawn(work.instrument(info_span!("a", task.title = "t"))).await.unwrap_err();
        });
    });
    handle.shutdown();
    assert_eq!(
        (only(&store).outcome, texts(&store, only(&store).id)),
        (Some(Outcome::Interrupted), vec!["panicked".into()])
    );
}

#[test]
fn a_task_ends_when_the_last_span_inside_it_does() {
    let store = temporary();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store));
    tracing::dispatcher::with_default(&dispatch, || {
        let task = info_span!("a", task.title = "t");
        let inside = task.in_scope(|| info_span!("inside"));
        drop(task);
        handle.flush();
        assert_eq!(only(&store).outcome, None);
        inside.in_scope(|| info!("late"));
        drop(inside);
        handle.flush();
        assert_eq!((only(&store).outcome, only(&store).message_count), (Some(Outcome::Finished), 1));
    });
    handle.shutdown();
}

#[test]
fn what_is_open_when_the_handle_goes_is_interrupted_with_its_last_events() {
    let store = temporary();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store).keep_first(1).keep_last(1));
    tracing::dispatcher::with_default(&dispatch, || {
        let _task = info_span!("a", task.title = "t").entered();
        let _run = info_span!("b", system_task.name = "job").entered();
        for number in 1..=4 {
            info!("event {number}");
            info!(parent: &*_task, "message {number}");
        }
        drop(handle);
        info!("after the end");
    });
    let task = only(&store);
    assert_eq!(task.outcome, Some(Outcome::Interrupted));
    let reason = "interrupted: its trace layer was shut down";
    assert_eq!(texts(&store, task.id), ["message 1", "… 2 messages left out", "message 4", reason]);
    let said: Vec<_> = events(&store, "job", None).into_iter().map(|said| said.event).collect();
    assert_eq!(said, ["event 1", "… 2 events left out", "event 4", reason]);
}
