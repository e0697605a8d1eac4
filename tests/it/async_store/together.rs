//! Calls of futures that write at the same time are made together, each with an answer of its own.

use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

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

/// So many of them, which say their numbers.
fn messages(runtime: &Runtime, store: &AsyncTaskStore, count: usize) -> Vec<JoinHandle<Result<(), Error>>> {
    (0..count).map(|number| message(runtime, store, number.to_string())).collect()
}

/// So many messages of task 1 that wait for the only thread of the pool; then they are made, and this is what they answer.
fn answers(store: &AsyncTaskStore) -> Vec<Result<(), Error>> {
    let runtime = one_by_one();
    let held = hold(&runtime);
    let calls = messages(&runtime, store, CALLS);
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
    const PATIENCE: Duration = Duration::from_millis(300);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(PATIENCE).open(&path).unwrap();
    start(&store, "copy");
    let asynchronous = AsyncTaskStore::from(store.clone());
    let other = shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (runtime, begun) = (runtime(), Instant::now());
    let calls = messages(&runtime, &asynchronous, CALLS);
    for call in calls {
        let answer = runtime.block_on(call).unwrap();
        assert!(matches!(answer, Err(Error::Busy { waited }) if waited >= PATIENCE), "{answer:?}");
    }
    assert!(begun.elapsed() < PATIENCE * CALLS as u32 / 2, "{:?}", begun.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    runtime.block_on(asynchronous.message(task_id(1), Level::Info, "on it goes")).unwrap();
    assert_eq!(texts(&store, task_id(1)), ["on it goes"]);
}

/// A future waits for a thread that the pool does not have, longer than for others; nobody else writes then.
#[test]
fn what_has_waited_for_a_thread_is_made_all_the_same() {
    let store = options().busy_timeout(Duration::from_millis(1)).open_temporary().unwrap();
    start(&store, "copy");
    let asynchronous = AsyncTaskStore::from(store.clone());
    let runtime = one_by_one();
    let held = hold(&runtime);
    let polled = Instant::now();
    let calls = messages(&runtime, &asynchronous, CALLS);
    runtime.block_on(tokio::task::yield_now());
    super::until(|| polled.elapsed() > Duration::from_millis(10));
    drop(held);
    for call in calls {
        runtime.block_on(call).unwrap().unwrap();
    }
    assert_eq!(texts(&store, task_id(1)).len(), CALLS);
}

#[test]
fn as_many_as_come_are_made_in_their_order() {
    let (asynchronous, store) = with(&Faults::new());
    let runtime = one_by_one();
    let held = hold(&runtime);
    let calls = messages(&runtime, &asynchronous, 900);
    // All of them are polled, in this order.
    runtime.block_on(async {
        for _ in 0..900 {
            tokio::task::yield_now().await;
        }
    });
    drop(held);
    for call in calls {
        runtime.block_on(call).unwrap().unwrap();
    }
    assert_eq!(texts(&store, task_id(1)), (0..900).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_runtime_whose_pool_is_held_keeps_no_other_from_writing() {
    let (asynchronous, store) = with(&Faults::new());
    let (stuck, other) = (one_by_one(), one_by_one());
    let held = hold(&stuck);
    let late = message(&stuck, &asynchronous, "late".to_owned());
    stuck.block_on(tokio::task::yield_now());
    other.block_on(asynchronous.message(task_id(1), Level::Info, "in time")).unwrap();
    assert_eq!(texts(&store, task_id(1)), ["in time"]);
    assert!(!late.is_finished());
    drop(held);
    stuck.block_on(late).unwrap().unwrap();
    assert_eq!(texts(&store, task_id(1)), ["in time", "late"]);
}

/// A pool whose threads would take more memory than there is has none.
#[test]
fn without_a_thread_a_call_says_so_and_the_next_tries_again() {
    let (asynchronous, store) = with(&Faults::new());
    let none = Builder::new_current_thread().thread_stack_size(1 << 60).build().unwrap();
    for _ in 0..3 {
        let answer = none.block_on(asynchronous.message(task_id(1), Level::Info, "unseen"));
        assert!(matches!(answer, Err(Error::Io { .. })), "{answer:?}");
    }
    drop(none);
    runtime().block_on(asynchronous.message(task_id(1), Level::Info, "on it goes")).unwrap();
    assert_eq!(texts(&store, task_id(1)), ["on it goes"]);
}

/// Also while the calls of others are being made.
#[test]
fn what_a_guard_said_last_is_recorded_before_that_it_was_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(super::LONG).open(&path).unwrap();
    let asynchronous = AsyncTaskStore::from(store.clone());
    let runtime = runtime();
    let task = runtime.block_on(asynchronous.start(NewTask::new("copy"))).unwrap();
    let run = runtime.block_on(asynchronous.system_tasks().start("fetch_mail", None)).unwrap();
    let (id, run_id) = (task.id(), run.id());
    let other = shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The clerk waits for the lock with this one.
    let before = message(&runtime, &asynchronous, "before".to_owned());
    runtime.block_on(tokio::task::yield_now());
    {
        let _inside = runtime.enter();
        assert!(super::poll_anywhere(&mut Box::pin(task.info("last words"))).is_pending());
        drop(task);
        let attributes = serde_json::json!({});
        assert!(super::poll_anywhere(&mut Box::pin(run.info("last words", attributes))).is_pending());
        drop(run);
    }
    other.execute_batch("ROLLBACK").unwrap();
    runtime.block_on(before).unwrap().unwrap();
    super::until(|| store.task(id).unwrap().outcome.is_some());
    assert_eq!(texts(&store, id), ["before", "last words", "ended without finish or fail"]);
    let events = || store.system_tasks().events(run_id, 0, 10).unwrap();
    super::until(|| events().len() == 2);
    assert_eq!(events()[0].event, "last words");
}

#[test]
fn a_start_that_nobody_waits_for_any_more_is_interrupted() {
    let (asynchronous, store) = with(&Faults::new());
    let runtime = one_by_one();
    let held = runtime.block_on(asynchronous.start(NewTask::new("held"))).unwrap();
    // From now on the store answers for others, too, and a start is a verb like any other.
    let pool = hold(&runtime);
    {
        let _inside = runtime.enter();
        assert!(super::poll_anywhere(&mut Box::pin(asynchronous.start(NewTask::new("unseen")))).is_pending());
        let runs = asynchronous.system_tasks();
        assert!(super::poll_anywhere(&mut Box::pin(runs.start("fetch_mail", None))).is_pending());
    }
    drop(pool);
    super::until(|| store.counts(None).unwrap().interrupted == 1);
    assert_eq!(texts(&store, task_id(3)), ["ended without finish or fail"]);
    super::until(|| {
        let uuid = store.system_tasks().find("fetch_mail", None).unwrap();
        uuid.is_some_and(|uuid| store.system_tasks().retrieve(uuid).is_ok())
    });
    runtime.block_on(held.finish()).unwrap();
}

#[test]
fn threads_and_futures_that_write_at_the_same_time_are_each_answered_for_what_is_there() {
    const EACH: usize = 100;
    let (asynchronous, store) = with(&Faults::new());
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let texts_of = |name: &'static str| (0..EACH).map(move |number| format!("{name} {number}"));
    std::thread::scope(|scope| {
        for name in ["one", "two", "three"] {
            let store = &store;
            scope.spawn(move || {
                texts_of(name).for_each(|text| store.message(task_id(1), Level::Info, text).unwrap());
            });
        }
        let futures = ["four", "five", "six"].map(|name| {
            let store = asynchronous.clone();
            runtime.spawn(async move {
                for text in texts_of(name) {
                    store.message(task_id(1), Level::Info, text).await.unwrap();
                }
            })
        });
        futures.into_iter().for_each(|future| runtime.block_on(future).unwrap());
    });
    let written = store.task_with_messages(task_id(1)).unwrap().messages;
    assert_eq!(written.len(), 6 * EACH);
    for name in ["one", "two", "three", "four", "five", "six"] {
        let own = written.iter().map(|message| &message.text).filter(|text| text.starts_with(&format!("{name} ")));
        assert!(own.cloned().eq(texts_of(name)), "those of {name} are not in their order");
    }
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn closing_refuses_what_has_not_come_to_its_turn() {
    let (asynchronous, store) = with(&Faults::new());
    let runtime = one_by_one();
    let held = hold(&runtime);
    let calls = messages(&runtime, &asynchronous, CALLS);
    runtime.block_on(tokio::task::yield_now());
    store.close().unwrap();
    drop(held);
    for call in calls {
        let answer = runtime.block_on(call).unwrap();
        assert!(matches!(answer, Err(Error::Closed)), "{answer:?}");
    }
}

#[test]
fn a_store_that_can_only_be_read_refuses_each() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    start(&crate::support::open(&path), "copy");
    let store = options().read_only(true).open(&path).unwrap();
    for answer in answers(&store.into()) {
        assert!(matches!(answer, Err(Error::ReadOnly)), "{answer:?}");
    }
}

/// The clerk of the one belongs to it alone, however much the other has to do.
#[test]
fn a_runtime_ends_while_another_one_never_stops_to_write() {
    let (asynchronous, store) = with(&Faults::new());
    let busy = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let again = || {
        let store = asynchronous.clone();
        busy.spawn(async move {
            let mut said = Ok(());
            while said.is_ok() {
                said = store.message(task_id(1), Level::Info, "again").await;
            }
            said
        })
    };
    let writers: Vec<_> = (0..4).map(|_| again()).collect();
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

/// It waits for the batch, and the batch for it.
#[test]
fn a_call_that_a_batch_waits_for_is_busy_in_the_end() {
    let store = options().busy_timeout(Duration::from_millis(10)).open_temporary().unwrap();
    start(&store, "copy");
    let asynchronous = AsyncTaskStore::from(store.clone());
    let runtime = runtime();
    store
        .batch(|batch| {
            let refused = runtime.block_on(asynchronous.message(task_id(1), Level::Info, "inside"));
            assert!(matches!(refused, Err(Error::Busy { .. })), "{refused:?}");
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
