//! Where there is no runtime, or none any more; and panics of a caller's code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::task::Poll;

use taskstore::{AsyncTaskStore, Error, Level, NewTask, Outcome, Progress};

use super::{one_by_one, poll, poll_anywhere, runtime, settle, stores, until};
use crate::support::{everything, start, task_id};

#[test]
fn a_call_outside_of_a_runtime_is_not_made_and_says_so() {
    let (asynchronous, store) = stores();
    let mut call = Box::pin(asynchronous.start_detached(NewTask::new("nowhere")));
    let Poll::Ready(Err(error)) = poll_anywhere(&mut call) else { panic!("it waits") };
    assert!(matches!(error, Error::NoRuntime));
    assert_eq!(error.to_string(), "the call was not made: there is no tokio runtime, or it was shut down");
    assert!(!error.is_retryable());
    assert_eq!(everything(&store).tasks, []);
}

#[test]
fn a_call_in_a_runtime_that_has_ended_is_not_made_and_says_so() {
    let (asynchronous, store) = stores();
    let task = runtime().block_on(asynchronous.start(NewTask::new("held"))).unwrap();
    let runtime = one_by_one();
    let ended = runtime.handle().clone();
    drop(runtime);
    let _inside = ended.enter();
    let mut call = Box::pin(asynchronous.start_detached(NewTask::new("too late")));
    let answer = poll_anywhere(&mut call);
    assert!(matches!(answer, Poll::Ready(Err(Error::NoRuntime))), "{answer:?}");
    assert_eq!(everything(&store).tasks.len(), 1);
    // What must not be left undone is done all the same.
    drop(task);
    assert_eq!(store.task(task_id(1)).unwrap().outcome, Some(Outcome::Interrupted));
}

#[test]
fn a_call_that_has_begun_when_its_runtime_ends_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = crate::support::open(&path);
    let asynchronous = AsyncTaskStore::from(store.clone());
    let runtime = one_by_one();
    let (begun, has_begun) = channel();
    let (go_on, gone_on) = channel::<()>();
    let mut call = Box::pin(asynchronous.batch(move |batch| {
        begun.send(()).unwrap();
        let _ = gone_on.recv();
        batch.start_detached(NewTask::new("in time"))
    }));
    assert!(poll(&runtime, &mut call).is_pending());
    has_begun.recv().unwrap();
    runtime.shutdown_background();
    go_on.send(()).unwrap();
    until(|| poll_anywhere(&mut call).is_ready());
    assert_eq!(store.task(task_id(1)).unwrap().title, "in time");
}

#[test]
fn a_store_outlives_a_runtime_and_serves_the_next() {
    let (asynchronous, store) = stores();
    for number in 1..=2 {
        runtime().block_on(asynchronous.start_detached(NewTask::new("again"))).unwrap();
        assert_eq!(store.counts(None).unwrap().in_progress, number);
    }
}

#[test]
fn a_panic_inside_a_batch_undoes_it_and_goes_on_in_the_caller() {
    let (asynchronous, store) = stores();
    let runtime = one_by_one();
    let batch = asynchronous.batch(|batch| -> Result<(), Error> {
        batch.start_detached(NewTask::new("undone"))?;
        panic!("boom")
    });
    let panic = catch_unwind(AssertUnwindSafe(|| runtime.block_on(batch))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"boom"));
    assert_eq!(everything(&store).tasks, []);
    runtime.block_on(asynchronous.start_detached(NewTask::new("on it goes"))).unwrap();
}

#[test]
fn progress_that_is_only_kept_needs_no_thread() {
    let (asynchronous, store) = stores();
    let id = start(&store, "copy");
    store.progress(id, &Progress::new(1)).unwrap();
    let mut answer = Poll::Pending;
    for done in 2..1_000 {
        answer = poll_anywhere(&mut Box::pin(asynchronous.progress(id, &Progress::new(done))));
        if !matches!(answer, Poll::Ready(Ok(()))) {
            break;
        }
    }
    // On a machine that stands still for a second one may be due, which nobody writes here.
    assert!(matches!(answer, Poll::Ready(Ok(()) | Err(Error::NoRuntime))), "{answer:?}");
    assert!(store.task(id).unwrap().progress.unwrap().done > 1);
}

/// The handle that is dropped last leaves the closing to the pool, which has done it when it has done what came before.
#[test]
fn the_last_handle_closes_the_store_behind_the_calls_that_have_begun() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let runtime = one_by_one();
    let asynchronous = runtime.block_on(AsyncTaskStore::open(&path)).unwrap();
    let id = runtime.block_on(asynchronous.start_detached(NewTask::new("one"))).unwrap();
    let mut call = Box::pin(asynchronous.message(id, Level::Info, "last"));
    assert!(poll(&runtime, &mut call).is_pending());
    drop(call);
    let inside = runtime.enter();
    drop(asynchronous);
    drop(inside);
    settle(&runtime);
    // Who closes last merges the `-wal`.
    assert!(!crate::support::files::beside(&path, "-wal").exists());
    assert_eq!(crate::support::texts(&crate::support::open(&path), id), ["last"]);
}
