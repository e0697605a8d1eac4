//! Which spans are tasks, and what belongs to them.

use std::thread;

use taskstore::trace_layer::TaskLayer;
use taskstore::{Level, LogLevel, NewTask, Outcome, SystemTaskStatus, TaskStore};
use tracing::{Instrument, debug, debug_span, error, info, info_span, trace, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

use super::{events, only, shown, subscriber, tasks, traced, traced_with};
use crate::support::{finished, messages, temporary, texts};

#[test]
fn a_span_with_a_title_is_a_task_and_its_events_are_messages() {
    let store = temporary();
    traced(&store, || {
        info!("before");
        info_span!("deploy", task.title = "Deploy", task.performed_by = "ann").in_scope(|| {
            info!(host = "db 1", files = 2_u64, ratio = 0.5, ok = true, "copying");
            warn!(what = ?Some(1), left = %"few", "slow");
            error!(count = -1_i64);
        });
        info!("after");
    });
    let task = only(&store);
    assert_eq!((task.title.as_str(), task.performed_by.as_str()), ("Deploy", "ann"));
    assert_eq!((task.configuration_id, task.key.as_deref(), task.outcome), (None, None, Some(Outcome::Finished)));
    let said: Vec<_> = messages(&store, task.id).into_iter().map(|said| (said.level, said.text)).collect();
    let expected = [
        (Level::Info, r#"copying host="db 1" files=2 ratio=0.5 ok=true"#),
        (Level::Warn, "slow what=Some(1) left=few"),
        (Level::Error, "count=-1"),
    ];
    assert_eq!(said, expected.map(|(level, text)| (level, text.to_owned())));
}

#[test]
fn a_span_with_the_name_of_a_system_task_is_a_run_of_it() {
    let store = temporary();
    traced(&store, || {
        let span = info_span!(
            "mail",
            system_task.name = "fetch_mail",
            system_task.uid = "ann",
            system_task.description = "Fetches the mail"
        );
        let _entered = span.entered();
        warn!(target: "imap", folder = "INBOX \"1\"", new = 3, slow = true, share = f64::NAN, huge = u128::MAX, "fetched");
        debug!("not recorded by default");
        info!("done");
    });
    let task = store.system_tasks().list(&Default::default()).unwrap().items.remove(0);
    assert_eq!((task.full_name().as_str(), task.description.as_str()), ("fetch_mail:ann", "Fetches the mail"));
    assert_eq!(task.status(), SystemTaskStatus::Successful);
    let events = events(&store, "fetch_mail", Some("ann"));
    let logged = (events[0].level, events[0].logger.as_str(), events[0].event.as_str());
    assert_eq!(logged, (LogLevel::Warning, "imap", "fetched"));
    assert_eq!(
        events[0].attributes.as_str(),
        r#"{"folder":"INBOX \"1\"","new":3,"slow":true,"share":"NaN","huge":340282366920938463463374607431768211455}"#
    );
    assert_eq!((events[1].event.as_str(), events[1].attributes.as_str()), ("done", "{}"));
    assert_eq!(events[1].logger, module_path!());
    assert_eq!(events.len(), 2);
}

#[test]
fn the_innermost_task_gets_what_is_said_and_spans_that_are_none_lie_between() {
    let store = temporary();
    traced(&store, || {
        let _outer = info_span!("a", task.title = "outer").entered();
        info!("1");
        info_span!("plain").in_scope(|| {
            info!("2");
            info_span!("b", task.title = "inner").in_scope(|| {
                info_span!("plain").in_scope(|| info!("3"));
                info_span!("c", system_task.name = "innermost").in_scope(|| info!("4"));
                info!("5");
            });
            info!("6");
        });
    });
    let task = |title: &str, texts: &[&str]| {
        (title.to_owned(), Some(Outcome::Finished), texts.iter().map(|&text| text.to_owned()).collect())
    };
    assert_eq!(shown(&store), [task("outer", &["1", "2", "6"]), task("inner", &["3", "5"])]);
    assert_eq!(events(&store, "innermost", None)[0].event, "4");
}

#[test]
fn other_threads_inside_the_span_say_it_to_the_task() {
    let store = temporary();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store));
    tracing::dispatcher::with_default(&dispatch, || {
        let span = info_span!("task", task.title = "all");
        thread::scope(|scope| {
            for number in 0..8 {
                let (span, dispatch) = (&span, &dispatch);
                scope.spawn(move || {
                    tracing::dispatcher::with_default(dispatch, || {
                        for event in 0..50 {
                            span.in_scope(|| info!("{number}.{event}"));
                            info!("outside");
                            info!(parent: span, "{number}.{event} by its parent");
                        }
                    });
                });
            }
        });
    });
    handle.shutdown();
    let task = only(&store);
    assert_eq!((task.message_count, task.outcome), (800, Some(Outcome::Finished)));
    let texts = texts(&store, task.id);
    for number in 0..8 {
        let of_thread = texts.iter().filter(|text| text.starts_with(&format!("{number}.")));
        let expected =
            (0..50).flat_map(|event| [format!("{number}.{event}"), format!("{number}.{event} by its parent")]);
        assert!(of_thread.eq(&expected.collect::<Vec<_>>()), "{texts:?}");
    }
}

#[test]
fn across_await_a_task_has_what_its_futures_say() {
    let store = temporary();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store));
    let of_thread = dispatch.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .on_thread_start(move || {
            // For the life of the thread.
            std::mem::forget(tracing::dispatcher::set_default(&of_thread));
        })
        .build()
        .unwrap();
    let work = |number: usize| {
        async move {
            for step in 0..20 {
                info!("{number}.{step}");
                tokio::task::yield_now().await;
                let inside = async move { info!("{number}.{step} inside") };
                tokio::spawn(inside.instrument(info_span!("inside"))).await.unwrap();
            }
        }
        .instrument(info_span!("task", task.title = number))
    };
    // Spans are made by threads of the runtime, too.
    let all = async move {
        let tasks: Vec<_> = (0..10).map(|number| tokio::spawn(async move { work(number).await })).collect();
        for task in tasks {
            task.await.unwrap();
        }
    };
    runtime.block_on(async { tokio::spawn(all).await.unwrap() });
    drop(runtime);
    assert_eq!((handle.lost(), handle.dropped()), (0, 0));
    handle.shutdown();
    drop(dispatch);
    let shown = shown(&store);
    assert_eq!(shown.len(), 10);
    for (title, outcome, texts) in shown {
        assert_eq!(outcome, Some(Outcome::Finished));
        let expected: Vec<_> =
            (0..20).flat_map(|step| [format!("{title}.{step}"), format!("{title}.{step} inside")]).collect();
        assert_eq!(texts, expected);
    }
}

#[test]
fn two_layers_of_one_subscriber_record_each_for_itself() {
    let (one, other) = (temporary(), temporary());
    let (first, first_handle) = TaskLayer::builder(&one).level(tracing::Level::WARN).build().unwrap();
    let (second, second_handle) = TaskLayer::new(&one).unwrap();
    let (third, third_handle) = TaskLayer::new(&other).unwrap();
    let subscriber = tracing_subscriber::registry().with(first).with(second).with(third);
    tracing::subscriber::with_default(subscriber, || {
        info_span!("task", task.title = "twice").in_scope(|| {
            info_span!("plain").in_scope(|| warn!("careful"));
            info!("well");
        });
    });
    for handle in [first_handle, second_handle, third_handle] {
        assert_eq!(handle.lost(), 0);
        handle.shutdown();
    }
    let mut of_one: Vec<_> = shown(&one).into_iter().map(|(_, _, texts)| texts).collect();
    of_one.sort();
    assert_eq!(of_one, [vec!["careful".to_owned()], vec!["careful".to_owned(), "well".to_owned()]]);
    assert_eq!(shown(&other)[0].2, ["careful", "well"]);
}

#[test]
fn events_below_the_level_are_not_recorded_and_spans_are_tasks_at_any_level() {
    let store = temporary();
    let say_all = || {
        debug_span!("task", task.title = "t").in_scope(|| {
            trace!("trace");
            debug!("debug");
            info!("info");
            warn!("warn");
            error!("error");
        });
    };
    traced(&store, say_all);
    traced_with(TaskLayer::builder(&store).level(tracing::Level::ERROR), say_all);
    traced_with(TaskLayer::builder(&store).level(tracing::Level::TRACE), say_all);
    traced_with(TaskLayer::builder(&store).level(LevelFilter::OFF), say_all);
    let said: Vec<_> = shown(&store).into_iter().map(|(_, _, texts)| texts.join(" ")).collect();
    assert_eq!(said, ["info warn error", "error", "trace debug info warn error", ""]);
}

#[test]
fn a_filter_of_the_layer_hides_spans_and_events_from_it_alone() {
    let (store, all) = (temporary(), temporary());
    let (layer, handle) = TaskLayer::builder(&store).level(tracing::Level::TRACE).build().unwrap();
    let (other, other_handle) = TaskLayer::builder(&all).level(tracing::Level::TRACE).build().unwrap();
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO)).with(other);
    tracing::subscriber::with_default(subscriber, || {
        info_span!("task", task.title = "shown").in_scope(|| {
            debug_span!("hidden").in_scope(|| info!("inside what is hidden"));
            debug_span!("task", task.title = "hidden").in_scope(|| info!("of a hidden task"));
            debug!("hidden");
        });
    });
    handle.shutdown();
    other_handle.shutdown();
    let [(title, _, texts)] = &shown(&store)[..] else { panic!("{:?}", shown(&store)) };
    assert_eq!(
        (title.as_str(), &texts[..]),
        ("shown", &["inside what is hidden", "of a hidden task"].map(String::from)[..])
    );
    assert_eq!(tasks(&all).len(), 2);
}

#[test]
fn the_fields_of_a_span_say_what_the_task_is() {
    let store = temporary();
    let prod = store.configurations().add("prod").unwrap();
    let first = store.start_detached(NewTask::new("Import").key("import 7")).unwrap();
    traced_with(TaskLayer::builder(&store).targets(true), || {
        let configuration = prod.get();
        info_span!("a", task.title = "by number", task.configuration = configuration).in_scope(|| {});
        info_span!("b", task.title = "by text", task.configuration = %prod).in_scope(|| {});
        info_span!("c", task.title = "gone", task.configuration = 77).in_scope(|| {});
        info_span!("d", task.title = "none", task.configuration = "prod").in_scope(|| {});
        info_span!("Named so", task.title = tracing::field::Empty).in_scope(|| {});
        info_span!("e", task.title = "ignored", task.key = "import 7")
            .in_scope(|| info!(target: "disk", left = 3, "more"));
    });
    let tasks = tasks(&store);
    let configurations: Vec<_> = tasks.iter().map(|task| task.configuration_id).collect();
    assert_eq!(configurations, [None, Some(prod), Some(prod), None, None, None]);
    let said = |index: usize| texts(&store, tasks[index].id).join("|");
    assert_eq!(said(0), "disk: more left=3");
    assert_eq!((tasks[0].id, tasks[0].outcome), (first, Some(Outcome::Finished)));
    assert_eq!(said(3), "configuration 77 does not exist");
    assert_eq!(said(4), r#"task.configuration is "prod", which is no id"#);
    assert_eq!(tasks[5].title, "Named so");
}

#[tracing::instrument(fields(task.title = "Instrumented"), err)]
fn instrumented(fails: bool) -> Result<(), String> {
    info!("working");
    // A span inside that fails is got over.
    let _ = inside();
    if fails { Err("no space".to_owned()) } else { Ok(()) }
}

#[tracing::instrument(err)]
fn inside() -> Result<(), String> {
    Err("got over".to_owned())
}

#[tracing::instrument(fields(system_task.name = "job"), err(Debug))]
async fn asynchronous() -> Result<(), String> {
    tokio::task::yield_now().await;
    Err("no space".to_owned())
}

#[test]
fn an_instrumented_function_is_a_task_that_fails_where_it_returns_an_error() {
    let store = temporary();
    traced(&store, || {
        instrumented(false).unwrap();
        instrumented(true).unwrap_err();
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(asynchronous()).unwrap_err();
    });
    let task = |outcome, texts: &[&str]| {
        ("Instrumented".to_owned(), Some(outcome), texts.iter().map(|&text| text.to_owned()).collect())
    };
    assert_eq!(
        shown(&store),
        [
            task(Outcome::Finished, &["working", "error=got over"]),
            task(Outcome::Failed, &["working", "error=got over", "no space"]),
        ]
    );
    assert_eq!(events(&store, "job", None)[0].event, "\"no space\"");
    let job = store.system_tasks().list(&Default::default()).unwrap().items.remove(0);
    assert_eq!(job.status(), taskstore::SystemTaskStatus::Error);
}

#[test]
fn an_error_that_is_logged_otherwise_is_no_outcome() {
    let store = temporary();
    traced(&store, || {
        let _task = info_span!("a", task.title = "t").entered();
        error!(error = "one", "said");
        warn!(error = "two");
        error!(error = "three", tries = 3);
        error!(err = "four");
    });
    assert_eq!(only(&store).outcome, Some(Outcome::Finished));
    assert_eq!(only(&store).message_count, 4);
}

/// What touches the work of others is not found by looking at what is recorded alone.
#[test]
fn what_others_have_in_the_store_is_left_as_it_is() {
    let store = temporary();
    let id = finished(&store, "other");
    let open = store.start(NewTask::new("open")).unwrap();
    let before = store.task(id).unwrap();
    traced(&store, || {
        info_span!("task", title = "no task", task.titles = "nor this").in_scope(|| info!("nothing"));
        error!(task.error = "of no task");
    });
    assert_eq!(store.task(id).unwrap(), before);
    assert_eq!((tasks(&store).len(), store.task(open.id()).unwrap().outcome), (2, None));
    open.finish().unwrap();
    let _: TaskStore = store;
}
