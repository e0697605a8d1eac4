//! Calls of futures that write at the same time are made together, each with an answer of its own.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use taskstore::testing::{Fault, Faults};
use taskstore::{AsyncTaskStore, Error, Level, NewTask, TaskStore};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::{one_by_one, runtime, settle};
use crate::support::files::shell;
use crate::support::{options, start, task_id, texts};

const CALLS: usize = 20;

/// Keeps the only thread of the pool of a runtime that goes one by one until what this gives is dropped.
fn hold(runtime: &Runtime) -> Sender<()> {
    let (hold, held) = channel::<()>();
    drop(runtime.spawn_blocking(move || held.recv()));
    hold
}

/// A message of task 1 that waits in a task of the runtime.
fn message(runtime: &Runtime, store: &AsyncTaskStore, text: String) -> JoinHandle<Result<(), Error>> {
    let store = store.clone();
    runtime.spawn(async move { store.message(task_id(1), Level::Info, text).await })
}

/// So many messages of task 1 that wait for the only thread of the pool; then they are made, and this is what they answer.
fn answers(store: &AsyncTaskStore) -> Vec<Result<(), Error>> {
    let runtime = one_by_one();
    let held = hold(&runtime);
    let calls: Vec<_> = (0..CALLS).map(|number| message(&runtime, store, number.to_string())).collect();
    runtime.block_on(tokio::task::yield_now());
    drop(held);
    calls.into_iter().map(|call| runtime.block_on(call).unwrap()).collect()
}

fn with(faults: &Faults) -> (AsyncTaskStore, TaskStore) {
    let store = options().faults(faults).open_temporary().unwrap();
    start(&store, "copy");
    (store.clone().into(), store)
}

fn is_unknown(answer: &Result<(), Error>) -> bool {
    matches!(answer, Err(Error::OutcomeUnknown { .. }))
}

#[test]
fn they_share_a_transaction_and_what_becomes_of_it() {
    let faults = Faults::new();
    let (asynchronous, store) = with(&faults);
    faults.next(Fault::OutcomeUnknown { written: true });
    let answers = answers(&asynchronous);
    assert!(answers.iter().all(is_unknown), "{answers:?}");
    // In the order in which they came.
    assert_eq!(texts(&store, task_id(1)), (0..CALLS).map(|number| number.to_string()).collect::<Vec<_>>());
}

/// The control: one after the other only the first meets it.
#[test]
fn those_that_wait_for_each_other_share_none() {
    let faults = Faults::new();
    let (asynchronous, store) = with(&faults);
    faults.next(Fault::OutcomeUnknown { written: true });
    let answers: Vec<_> = runtime().block_on(async {
        let mut answers = Vec::new();
        for number in 0..CALLS {
            answers.push(asynchronous.message(task_id(1), Level::Info, number.to_string()).await);
        }
        answers
    });
    assert_eq!(answers.iter().filter(|answer| is_unknown(answer)).count(), 1, "{answers:?}");
    assert_eq!(texts(&store, task_id(1)).len(), CALLS);
}

/// The first stands in for all where the transaction begins.
#[test]
fn a_transaction_that_cannot_begin_is_one_calls_error() {
    let faults = Faults::new();
    let (asynchronous, store) = with(&faults);
    faults.next(Fault::Busy);
    let answers = answers(&asynchronous);
    assert!(matches!(answers[0], Err(Error::Busy { .. })), "{answers:?}");
    assert!(answers[1..].iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(texts(&store, task_id(1)).len(), CALLS - 1);
}

#[test]
fn a_commit_that_fails_is_the_error_of_each() {
    let faults = Faults::new();
    let (asynchronous, store) = with(&faults);
    faults.next(Fault::DiskFull);
    let answers = answers(&asynchronous);
    assert!(answers.iter().all(|answer| matches!(answer, Err(Error::DiskFull { .. }))), "{answers:?}");
    assert_eq!(texts(&store, task_id(1)), [""; 0]);
}

#[test]
fn a_refused_call_refuses_none_of_the_others() {
    let (asynchronous, store) = with(&Faults::new());
    let runtime = one_by_one();
    let held = hold(&runtime);
    let end = |_: usize| {
        let store = asynchronous.clone();
        runtime.spawn(async move { store.finish(task_id(1)).await })
    };
    let ends: Vec<_> = (0..CALLS).map(end).collect();
    let late = message(&runtime, &asynchronous, "too late".to_owned());
    runtime.block_on(tokio::task::yield_now());
    drop(held);
    let answers: Vec<_> = ends.into_iter().map(|end| runtime.block_on(end).unwrap()).collect();
    assert!(matches!(answers[..], [Ok(()), ..]), "{answers:?}");
    assert!(answers[1..].iter().all(|answer| matches!(answer, Err(Error::WrongState { .. }))), "{answers:?}");
    assert!(matches!(runtime.block_on(late).unwrap(), Err(Error::WrongState { .. })));
    assert_eq!(store.counts(None).unwrap().finished, 1);
}

/// They do not wait one after the other: that would be twenty times as long for the last.
#[test]
fn each_waits_for_another_process_as_long_as_it_would_alone() {
    const PATIENCE: Duration = Duration::from_millis(200);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(PATIENCE).open(&path).unwrap();
    start(&store, "copy");
    let asynchronous = AsyncTaskStore::from(store.clone());
    let other = shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let runtime = runtime();
    let calls: Vec<_> = (0..CALLS).map(|number| message(&runtime, &asynchronous, number.to_string())).collect();
    for call in calls {
        let answer = runtime.block_on(call).unwrap();
        let Err(Error::Busy { waited }) = answer else { panic!("{answer:?}") };
        assert!(waited >= PATIENCE && waited < PATIENCE * 10, "{waited:?}");
    }
    other.execute_batch("ROLLBACK").unwrap();
    runtime.block_on(asynchronous.message(task_id(1), Level::Info, "on it goes")).unwrap();
    assert_eq!(texts(&store, task_id(1)), ["on it goes"]);
}

#[test]
fn a_runtime_that_ends_before_it_has_made_any_leaves_those_of_others_to_them() {
    let (asynchronous, store) = with(&Faults::new());
    let (ending, other) = (one_by_one(), one_by_one());
    let held = hold(&ending);
    drop(message(&ending, &asynchronous, "of the one that ends".to_owned()));
    ending.block_on(tokio::task::yield_now());
    let another = message(&other, &asynchronous, "of the other".to_owned());
    other.block_on(tokio::task::yield_now());
    ending.shutdown_background();
    drop(held);
    other.block_on(another).unwrap().unwrap();
    assert!(texts(&store, task_id(1)).contains(&"of the other".to_owned()));
}

#[test]
fn a_runtime_ends_while_another_one_never_stops_to_write() {
    let (asynchronous, store) = with(&Faults::new());
    let busy = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let store = asynchronous.clone();
            busy.spawn(async move {
                loop {
                    store.message(task_id(1), Level::Info, "again").await?;
                }
                #[expect(unreachable_code, reason = "it ends with the store")]
                Ok::<_, Error>(())
            })
        })
        .collect();
    for number in 0..20 {
        let ending = runtime();
        ending.block_on(asynchronous.start_detached(NewTask::new(number.to_string()))).unwrap();
        // It waits for the pool.
        drop(ending);
    }
    assert_eq!(store.counts(None).unwrap().in_progress, 21);
    store.close().unwrap();
    for writer in writers {
        assert!(matches!(busy.block_on(writer).unwrap(), Err(Error::Closed)));
    }
}

#[test]
fn a_call_that_is_polled_inside_a_batch_is_refused_at_once() {
    let (asynchronous, store) = with(&Faults::new());
    let runtime = runtime();
    store
        .batch(|batch| {
            let refused = runtime.block_on(asynchronous.message(task_id(1), Level::Info, "inside"));
            assert!(matches!(refused, Err(Error::InsideBatch)), "{refused:?}");
            batch.message(task_id(1), Level::Info, "of the batch")
        })
        .unwrap();
    assert_eq!(texts(&store, task_id(1)), ["of the batch"]);
}

/// When a call has its answer nothing keeps the store open for it: whoever lets go of the last handle then has closed it.
#[test]
fn a_call_that_was_answered_keeps_nothing_open() {
    for _ in 0..50 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let runtime = one_by_one();
        let store = crate::support::open(&path);
        let asynchronous = AsyncTaskStore::from(store);
        for title in ["one", "two"] {
            runtime.block_on(asynchronous.start_detached(NewTask::new(title))).unwrap();
        }
        drop(asynchronous);
        assert!(!crate::support::files::beside(&path, "-wal").exists());
        settle(&runtime);
    }
}
