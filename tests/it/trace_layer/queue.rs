//! The queue is bounded. Each test holds the store, so that nothing is written, until the queue is full.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskstore::trace_layer::{TaskLayer, WhenFull};
use taskstore::{Error, Level, Outcome, TaskStore};
use tracing::{info, info_span};

use super::{held, only, shown, subscriber};
use crate::support::{files, messages, options, temporary, texts};

/// A store whose writers wait long enough for any test.
fn patient() -> TaskStore {
    options().busy_timeout(Duration::from_secs(600)).open_temporary().unwrap()
}

#[test]
fn drop_drops_events_and_counts_them_but_starts_and_ends_are_never_dropped() {
    let store = patient();
    let builder = TaskLayer::builder(&store).queue_events(10).when_full(WhenFull::Drop).keep_first(u64::MAX);
    let (dispatch, handle) = subscriber(builder);
    tracing::dispatcher::with_default(&dispatch, || {
        held(&store, || {
            // The writer has taken this one, or will take it with those of the queue.
            for number in 0..30 {
                info_span!("a", task.title = number).in_scope(|| (0..10).for_each(|number| info!("{number}")));
            }
        });
    });
    handle.flush();
    let (dropped, lost) = (handle.dropped(), handle.lost());
    handle.shutdown();
    assert_eq!(lost, 0);
    let (mut written, mut said_dropped) = (0, 0);
    for (number, (title, outcome, texts)) in shown(&store).into_iter().enumerate() {
        assert_eq!((title, outcome), (number.to_string(), Some(Outcome::Finished)));
        let note = texts.iter().position(|text| text.starts_with('…'));
        let events = note.unwrap_or(texts.len());
        written += events as u64;
        if let Some(note) = note {
            assert_eq!(note, texts.len() - 1);
            let of_task = 10 - events as u64;
            let plural = if of_task == 1 { "" } else { "s" };
            assert_eq!(texts[note], format!("… {of_task} message{plural} dropped: the queue was full"));
            said_dropped += of_task;
        }
    }
    assert_eq!((written + dropped, said_dropped), (300, dropped));
    // A queue of ten, and what the writer had taken.
    assert!(dropped >= 260, "{dropped}");
    let last = shown(&store).len();
    assert_eq!(last, 30);
}

#[test]
fn wait_waits_and_loses_nothing() {
    let store = patient();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store).queue_events(10).keep_first(u64::MAX));
    let said = AtomicUsize::new(0);
    thread::scope(|scope| {
        let logging = held(&store, || {
            let logging = scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || {
                    let _task = info_span!("a", task.title = "t").entered();
                    for number in 0..2_000 {
                        info!("{number}");
                        said.fetch_add(1, Ordering::SeqCst);
                    }
                });
            });
            // It comes as far as the queue takes, and no farther, however long it has.
            until(|| {
                let before = said.load(Ordering::SeqCst);
                thread::sleep(Duration::from_millis(50));
                before >= 8 && said.load(Ordering::SeqCst) == before
            });
            // A queue of ten, and one that the writer had taken.
            assert!(said.load(Ordering::SeqCst) <= 20, "{said:?}");
            assert!(!logging.is_finished());
            logging
        });
        logging.join().unwrap();
    });
    assert_eq!((handle.dropped(), handle.lost()), (0, 0));
    handle.shutdown();
    assert_eq!(texts(&store, only(&store).id), (0..2_000).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn the_queue_is_bounded_in_bytes_and_takes_one_entry_however_large() {
    let store = patient();
    let builder = TaskLayer::builder(&store).queue_bytes(10_000).when_full(WhenFull::Drop);
    let (dispatch, handle) = subscriber(builder);
    tracing::dispatcher::with_default(&dispatch, || {
        let _task = info_span!("a", task.title = "t").entered();
        handle.flush();
        held(&store, || {
            // One may be with the writer, one in the queue.
            (0..100).for_each(|number| info!("{number} {}", "x".repeat(50_000)));
        });
        handle.flush();
        let dropped = handle.dropped();
        assert!((97..=99).contains(&dropped), "{dropped}");
        assert_eq!(only(&store).message_count, 100 - dropped);
    });
}

#[test]
fn who_logs_inside_a_batch_of_the_store_does_not_wait_for_itself() {
    let store = patient();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store).queue_events(3));
    tracing::dispatcher::with_default(&dispatch, || {
        let _task = info_span!("a", task.title = "t").entered();
        let inside = store.batch(|batch| {
            (0..500).for_each(|number| info!("{number}"));
            handle.flush();
            batch.start_detached(taskstore::NewTask::new("inside"))
        });
        assert_eq!(store.task(inside.unwrap()).unwrap().title, "inside");
    });
    assert_eq!((handle.dropped(), handle.lost()), (0, 0));
    handle.shutdown();
    assert_eq!(shown(&store).iter().map(|(_, _, texts)| texts.len()).sum::<usize>(), 500);
}

#[test]
fn a_handle_that_is_dropped_inside_a_batch_does_not_wait_for_it() {
    let store = patient();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store));
    tracing::dispatcher::with_default(&dispatch, || {
        store
            .batch(|_| {
                info_span!("a", task.title = "t").in_scope(|| info!("said"));
                drop(handle);
                Ok::<_, Error>(())
            })
            .unwrap();
    });
    // The writer ends by itself, and then nobody has the store open but this test.
    until(|| !store.list(&Default::default()).unwrap().items.is_empty());
    until(|| only(&store).outcome == Some(Outcome::Finished));
}

#[test]
fn shutting_down_writes_what_is_queued() {
    let store = temporary();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store).keep_first(u64::MAX));
    tracing::dispatcher::with_default(&dispatch, || {
        info_span!("a", task.title = "t").in_scope(|| (0..9_000).for_each(|number| info!("{number}")));
    });
    handle.shutdown();
    let task = only(&store);
    assert_eq!((task.message_count, task.outcome), (9_000, Some(Outcome::Finished)));
    assert!(messages(&store, task.id).iter().all(|said| said.level == Level::Info));
}

#[test]
fn where_events_are_dropped_an_end_leaves_behind_those_that_were_kept_for_it() {
    let store = patient();
    let builder = TaskLayer::builder(&store).queue_events(10).when_full(WhenFull::Drop).keep_first(0).keep_last(5);
    let (dispatch, handle) = subscriber(builder);
    tracing::dispatcher::with_default(&dispatch, || {
        held(&store, || {
            for number in 0..50 {
                info_span!("a", task.title = number).in_scope(|| (0..7).for_each(|number| info!("{number}")));
            }
        });
    });
    handle.flush();
    assert_eq!(handle.lost(), 0);
    let (mut with, mut without) = (0, 0);
    for (_, outcome, texts) in shown(&store) {
        assert_eq!(outcome, Some(Outcome::Finished));
        match &texts.join("|")[..] {
            "… 2 messages left out|2|3|4|5|6" => with += 1,
            "… 2 messages left out|… 5 messages dropped: the queue was full" => without += 1,
            other => panic!("{other}"),
        }
    }
    // A queue of ten entries, and as many that the writer had taken.
    assert_eq!((with + without, handle.dropped()), (50, 5 * without));
    assert!((1..=10).contains(&with), "{with}");
}

/// The transactions in the `-wal`: each ends with a page that says how large the file is.
fn transactions(path: &std::path::Path) -> usize {
    let copy = path.with_extension("copy");
    // Another process reads it: in this one, closing the file would drop the locks.
    let status = std::process::Command::new("cp").arg(files::beside(path, "-wal")).arg(&copy).status().unwrap();
    assert!(status.success());
    let wal = files::bytes(&copy).unwrap();
    let number = |at: usize| u32::from_be_bytes(wal[at..at + 4].try_into().unwrap());
    let (page, salt) = (number(8) as usize, number(16));
    let frames = (32..wal.len() - 23).step_by(24 + page);
    frames.filter(|&frame| number(frame + 8) == salt && number(frame + 4) > 0).count()
}

/// The control: what is flushed is a transaction each.
#[test]
fn many_events_share_a_transaction() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(Duration::from_secs(600)).open(&path).unwrap();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store));
    tracing::dispatcher::with_default(&dispatch, || {
        let _task = info_span!("a", task.title = "flushed").entered();
        handle.flush();
        let before = transactions(&path);
        for number in 0..10 {
            info!("{number}");
            handle.flush();
        }
        assert_eq!(transactions(&path) - before, 10);

        let before = transactions(&path);
        held(&store, || {
            for number in 0..40 {
                info_span!("a", task.title = number).in_scope(|| (0..10).for_each(|number| info!("{number}")));
            }
        });
        handle.flush();
        // One that the writer had taken, and all others.
        let shared = transactions(&path) - before;
        assert!((1..=2).contains(&shared), "{shared}");
    });
    handle.shutdown();
    assert_eq!(shown(&store).len(), 41);
}

#[track_caller]
fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come about");
        thread::sleep(Duration::from_millis(1));
    }
}
