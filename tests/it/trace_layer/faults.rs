//! A store that fails.

use std::time::Duration;

use taskstore::trace_layer::{TaskLayer, WhenFull};
use taskstore::{Error, Limits, OpenOptions, Outcome};
use tracing::{info, info_span};

use super::{held, only, shown, subscriber, tasks, traced_with};
use crate::support::{files, open, options, temporary, texts};

#[test]
fn what_a_busy_store_does_not_take_is_kept_and_written_later() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(Duration::from_millis(1)).open(&path).unwrap();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store).retry_for(Duration::from_secs(600)));
    let other = files::shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    tracing::dispatcher::with_default(&dispatch, || {
        info_span!("a", task.title = "t").in_scope(|| info!("said"));
        until(|| matches!(handle.last_error().as_deref(), Some(Error::Busy { .. })));
    });
    assert!(tasks(&store).is_empty());
    other.execute_batch("ROLLBACK").unwrap();
    handle.flush();
    assert_eq!(handle.lost(), 0);
    handle.shutdown();
    assert_eq!(shown(&store), [("t".to_owned(), Some(Outcome::Finished), vec!["said".to_owned()])]);
}

#[test]
fn it_may_be_tried_again_for_ever() {
    let store = temporary();
    traced_with(TaskLayer::builder(&store).retry_for(Duration::MAX), || {
        info_span!("a", task.title = "t").in_scope(|| info!("said"));
    });
    assert_eq!(shown(&store), [("t".to_owned(), Some(Outcome::Finished), vec!["said".to_owned()])]);
}

/// Without patience each try would lose it, if a busy store were a failure.
#[test]
fn a_store_that_is_busy_loses_nothing_as_long_as_nobody_waits_for_the_queue() {
    let directory = tempfile::tempdir().unwrap();
    let store = options().busy_timeout(Duration::from_millis(1)).open(directory.path().join("tasks.db")).unwrap();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store).retry_for(Duration::ZERO));
    tracing::dispatcher::with_default(&dispatch, || {
        let busy = || handle.last_error().filter(|error| matches!(**error, Error::Busy { .. }));
        held(&store, || {
            info_span!("a", task.title = "t").in_scope(|| info!("said"));
            until(|| busy().is_some());
            let first = busy().unwrap();
            until(|| busy().is_some_and(|again| !std::sync::Arc::ptr_eq(&again, &first)));
        });
        until(|| tasks(&store).first().is_some_and(|task| task.outcome.is_some()));
    });
    assert_eq!(handle.lost(), 0);
    handle.shutdown();
    assert_eq!(shown(&store), [("t".to_owned(), Some(Outcome::Finished), vec!["said".to_owned()])]);
}

#[test]
fn what_is_written_only_while_the_layer_is_shut_down_is_interrupted_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(Duration::from_millis(1)).open(&path).unwrap();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store).retry_for(Duration::ZERO));
    let other = files::shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    tracing::dispatcher::with_default(&dispatch, || {
        let _open = info_span!("a", task.title = "open").entered();
        handle.flush();
        assert!(tasks(&store).is_empty());
        other.execute_batch("ROLLBACK").unwrap();
        handle.shutdown();
        assert_eq!(only(&store).outcome, Some(Outcome::Interrupted));
    });
}

/// Recovery takes an owner without its lock file for dead.
#[test]
fn a_store_whose_lock_file_was_removed_gets_another_when_an_end_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let owner_files = || {
        let names = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
        names.filter(|path| path.to_str().unwrap().contains("-owner-")).collect::<Vec<_>>()
    };
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store));
    tracing::dispatcher::with_default(&dispatch, || {
        let first = info_span!("a", task.title = "first").entered();
        handle.flush();
        std::fs::remove_file(&owner_files()[0]).unwrap();
        open(&path);
        assert_eq!(only(&store).outcome, Some(Outcome::Interrupted));
        drop(first);
        handle.flush();
        let _second = info_span!("b", task.title = "second").entered();
        handle.flush();
        assert_eq!(owner_files().len(), 1);
        open(&path);
        assert_eq!(tasks(&store)[1].outcome, None);
    });
    handle.shutdown();
}

#[test]
fn what_the_layer_itself_says_is_cut_too() {
    let limits = Limits { text_bytes_max: 30, ..Limits::default() };
    let store = options().limits(limits).open_temporary().unwrap();
    traced_with(TaskLayer::builder(&store), || {
        let long = "prod ".repeat(5);
        info_span!("a", task.title = "t", task.configuration = long, task.key = "k".repeat(300)).in_scope(|| {});
    });
    let texts = texts(&store, only(&store).id);
    assert_eq!(texts, ["task.configuration is \"prod pr", "task.key is longer than 256 by"]);
}

#[test]
fn what_is_tried_too_long_is_lost_and_counted_but_starts_and_ends_come_later() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(Duration::from_millis(1)).open(&path).unwrap();
    let builder = TaskLayer::builder(&store).retry_for(Duration::ZERO).keep_first(3).keep_last(1);
    let (dispatch, handle) = subscriber(builder);
    let other = files::shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    tracing::dispatcher::with_default(&dispatch, || {
        let open = info_span!("a", task.title = "open");
        open.in_scope(|| info!("lost"));
        info_span!("b", task.title = "ended").in_scope(|| (0..5).for_each(|number| info!("{number}")));
        // Whatever is in the queue is tried once.
        handle.flush();
        assert_eq!(handle.lost(), 5);
        other.execute_batch("ROLLBACK").unwrap();
        open.in_scope(|| info!("written"));
        handle.flush();
        drop(open);
    });
    assert!(matches!(handle.last_error().as_deref(), Some(Error::Busy { .. })));
    assert_eq!((handle.lost(), handle.dropped()), (5, 0));
    handle.shutdown();
    let mut shown: Vec<_> =
        shown(&store).into_iter().map(|(title, outcome, texts)| (title, outcome, texts.join("|"))).collect();
    shown.sort_by(|one, other| one.0.cmp(&other.0));
    let finished = |title: &str, texts: &str| (title.to_owned(), Some(Outcome::Finished), texts.to_owned());
    assert_eq!(
        shown,
        [
            finished("ended", "… 1 message left out|… 4 messages lost: the store could not be written"),
            finished("open", "written|… 1 message lost: the store could not be written"),
        ]
    );
}

#[test]
fn a_store_that_is_closed_loses_what_comes_without_a_panic_or_a_wait() {
    let store = temporary();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store).queue_events(1));
    tracing::dispatcher::with_default(&dispatch, || {
        let _task = info_span!("a", task.title = "t").entered();
        handle.flush();
        store.close().unwrap();
        (0..100).for_each(|number| info!("{number}"));
        handle.flush();
        assert_eq!(handle.lost(), 100);
    });
    assert!(matches!(handle.last_error().as_deref(), Some(Error::Closed)));
    handle.shutdown();
    assert!(matches!(TaskLayer::new(&store), Err(Error::Closed)));
}

#[test]
fn a_store_that_can_only_be_read_gets_no_layer() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    drop(open(&path));
    let store = OpenOptions::new().read_only(true).open(&path).unwrap();
    assert!(matches!(TaskLayer::new(&store), Err(Error::ReadOnly)));
}

#[test]
fn a_task_that_somebody_else_has_ended_or_deleted_takes_no_more() {
    let store = temporary();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store).when_full(WhenFull::Drop));
    tracing::dispatcher::with_default(&dispatch, || {
        let span = info_span!("a", task.title = "t").entered();
        info!("before");
        handle.flush();
        let id = only(&store).id;
        store.fail(id, "stopped by hand").unwrap();
        info!("after");
        handle.flush();
        assert_eq!((handle.lost(), texts(&store, id).join("|")), (1, "before|stopped by hand".to_owned()));
        assert!(matches!(handle.last_error().as_deref(), Some(Error::WrongState { .. })));
        store.delete(id).unwrap();
        info!("long after");
        drop(span);
        info_span!("b", task.title = "next").in_scope(|| info!("well"));
    });
    handle.flush();
    // Two events and an end.
    assert_eq!(handle.lost(), 3);
    handle.shutdown();
    assert_eq!(shown(&store), [("next".to_owned(), Some(Outcome::Finished), vec!["well".to_owned()])]);
}

#[test]
fn a_store_in_memory_and_one_that_is_dropped_are_served_to_the_end() {
    let store = OpenOptions::new().open_in_memory().unwrap();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store));
    tracing::dispatcher::with_default(&dispatch, || info_span!("a", task.title = "t").in_scope(|| info!("said")));
    handle.shutdown();
    assert_eq!(only(&store).message_count, 1);

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store));
    drop(store);
    tracing::dispatcher::with_default(&dispatch, || info_span!("a", task.title = "t").in_scope(|| info!("said")));
    handle.shutdown();
    // The layer, which a program has for ever, does not keep the store open.
    assert!(!files::beside(&path, "-wal").exists());
    assert_eq!(only(&open(&path)).message_count, 1);
    drop(dispatch);
}

#[track_caller]
fn until(mut holds: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come about");
        std::thread::sleep(Duration::from_millis(1));
    }
}
