//! Callers that write at the same time, and share a transaction or do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use crate::options::OpenOptions;
use crate::sqlite::{self, writer::GROUP_MAX};
use crate::{Clock, Error, Level, NewTask, Progress, Result, TaskFilter, TaskId, TaskStore};

/// What one caller does.
type Call<'a, T = Result<()>> = Box<dyn FnOnce() -> T + Send + 'a>;

/// Runs `calls` on threads of their own, all of which wait while a batch holds the turn, so that one leader takes them.
fn as_one_group<T: Send>(store: &TaskStore, calls: Vec<Call<'_, T>>) -> Vec<std::thread::Result<T>> {
    try_as_one_group(store, calls).expect("nobody gives up before all have come")
}

/// The same for calls of which one may give up before the others have come: then it is `None`.
fn try_as_one_group<T: Send>(store: &TaskStore, calls: Vec<Call<'_, T>>) -> Option<Vec<std::thread::Result<T>>> {
    std::thread::scope(|scope| {
        let (threads, is_group) = store
            .batch(|_| {
                let mut threads = Vec::new();
                for call in calls {
                    threads.push(scope.spawn(call));
                    // One after another, so that the first is the leader.
                    while store.database().waiting() < threads.len() {
                        if threads.iter().any(std::thread::ScopedJoinHandle::is_finished) {
                            return Ok((threads, false));
                        }
                        std::thread::yield_now();
                    }
                }
                Ok::<_, Error>((threads, true))
            })
            .unwrap();
        let answers = threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        is_group.then_some(answers)
    })
}

fn title(number: usize) -> NewTask {
    NewTask::new(format!("task {number}"))
}

#[test]
fn a_caller_that_breaks_the_transaction_of_its_group_fails_alone() {
    for broken in 0..5 {
        let store = TaskStore::open_temporary().unwrap();
        let (outer, broken_title) = (&store, title(broken));
        let call = |number: usize| -> Call<'_, Result<TaskId>> {
            let task = broken_title.clone();
            if number != broken {
                return Box::new(move || outer.start_detached(title(number)));
            }
            // It writes, and then fails as SQLite does.
            Box::new(move || {
                outer.database().write(move |write| {
                    sqlite::task::start(write, &task, None, 0)?;
                    Err(sqlite::error::rolled_back())
                })
            })
        };
        let answers = as_one_group(&store, (0..5).map(call).collect());
        for (number, answer) in answers.into_iter().enumerate() {
            let answer = answer.unwrap();
            match answer {
                Ok(id) => assert_eq!(store.task(id).unwrap().title, format!("task {number}")),
                Err(error) => assert!(number == broken && matches!(error, Error::Engine { .. }), "{error:?}"),
            }
        }
        assert_eq!(store.list(&TaskFilter::new()).unwrap().items.len(), 4);
    }
}

#[test]
fn a_refused_caller_is_refused_alone() {
    let store = TaskStore::open_temporary().unwrap();
    let id = store.start_detached(title(0)).unwrap();
    let outer = &store;
    let finish = || -> Call<'_> { Box::new(move || outer.finish(id)) };
    let answers = as_one_group(&store, (0..5).map(|_| finish()).collect());
    let won: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().is_ok()).collect();
    assert_eq!(won, [true, false, false, false, false], "the first in the queue is the one");
}

/// How many transactions it takes to make these calls, all of which wait while another is made, and that one itself.
fn transactions(store: &TaskStore, calls: Vec<Call<'_>>) -> u64 {
    let before = store.change_token().unwrap().changes;
    for answer in as_one_group(store, calls) {
        answer.unwrap().unwrap();
    }
    store.change_token().unwrap().changes - before
}

/// So many callers, each of which has a message for the task.
fn messages(store: &TaskStore, id: TaskId, callers: usize) -> impl Iterator<Item = Call<'_>> {
    (0..callers).map(move |_| -> Call<'_> { Box::new(move || store.message(id, Level::Info, "t")) })
}

#[test]
fn those_that_wait_share_a_transaction_also_behind_a_batch_but_for_more_than_a_leader_may_take() {
    let store = TaskStore::open_in_memory().unwrap();
    let id = store.start_detached(title(0)).unwrap();
    let batch: Call<'_> = Box::new(|| store.batch(|_| Ok(())));
    for (calls, expected) in [
        (messages(&store, id, 4).collect(), 2),
        (std::iter::once(batch).chain(messages(&store, id, 4)).collect(), 3),
        (messages(&store, id, GROUP_MAX).collect(), 2),
        (messages(&store, id, GROUP_MAX + 1).collect(), 3),
    ] {
        assert_eq!(transactions(&store, calls), expected);
    }
}

#[cfg(feature = "tokio")]
#[test]
fn those_that_are_made_together_share_their_transaction_with_those_that_wait_if_they_are_not_too_many() {
    let store = TaskStore::open_in_memory().unwrap();
    let id = store.start_detached(title(0)).unwrap();
    let transactions_of = |together: usize, waiting: usize| {
        let operation = |write: &sqlite::Write<'_>| sqlite::task::start(write, &title(1), None, 0);
        let call = |_| store.database().deferred(Duration::MAX, operation, |made| assert!(made.is_ok())).unwrap();
        let calls = (0..together).map(call).collect();
        let make: Call<'_> = Box::new(|| {
            store.database().write_together(calls);
            Ok(())
        });
        transactions(&store, std::iter::once(make).chain(messages(&store, id, waiting)).collect())
    };
    assert_eq!(transactions_of(20, 20), 2);
    assert_eq!(transactions_of(GROUP_MAX, 1), 2);
    assert_eq!(transactions_of(GROUP_MAX, 2), 3);
}

#[cfg(feature = "tokio")]
#[test]
fn a_call_whose_time_is_over_when_it_is_made_still_waits_for_its_turn() {
    let store = TaskStore::open_in_memory().unwrap();
    let (answer, answers) = std::sync::mpsc::channel();
    let operation = |write: &sqlite::Write<'_>| sqlite::task::start(write, &title(1), None, 0);
    let late = store.database().deferred(Duration::ZERO, operation, move |made| answer.send(made).unwrap()).unwrap();
    let make: Call<'_, ()> = Box::new(|| store.database().write_together([late].into()));
    as_one_group(&store, vec![make]);
    assert!(answers.recv().unwrap().is_ok());
}

#[test]
fn a_panic_in_a_group_leaves_nobody_waiting_and_acknowledges_nothing() {
    for panicking in 0..3 {
        let store = TaskStore::open_temporary().unwrap();
        let outer = &store;
        let call = |number: usize| -> Call<'_> {
            if number != panicking {
                return Box::new(move || outer.start_detached(title(number)).map(drop));
            }
            Box::new(move || outer.database().write(|_| -> Result<()> { panic!("an operation panics") }))
        };
        let answers = as_one_group(&store, (0..3).map(call).collect());
        // It is the leader's thread that runs all of them.
        assert!(answers[0].is_err());
        for answer in &answers[1..] {
            let answer = answer.as_ref().unwrap();
            assert!(matches!(answer, Err(Error::OutcomeUnknown { .. })), "{answer:?}");
        }
        // Nothing of the transaction was written, and the store goes on.
        assert_eq!(store.list(&TaskFilter::new()).unwrap().items.len(), 0);
        store.start_detached(title(9)).unwrap();
    }
}

#[cfg(feature = "tokio")]
#[test]
fn a_panic_among_calls_that_are_made_together_acknowledges_nothing() {
    for panicking in 0..3 {
        let store = TaskStore::open_temporary().unwrap();
        let (answer, answers) = std::sync::mpsc::channel();
        let call = |number: usize| {
            let (task, answer) = (title(number), answer.clone());
            let operation = move |write: &sqlite::Write<'_>| {
                assert_ne!(number, panicking, "an operation panics");
                sqlite::task::start(write, &task, None, 0)
            };
            store.database().deferred(Duration::MAX, operation, move |made| answer.send(made).unwrap()).unwrap()
        };
        let calls = (0..3).map(call).collect();
        let panicked = std::panic::AssertUnwindSafe(|| store.database().write_together(calls));
        assert!(std::panic::catch_unwind(panicked).is_err());
        drop(answer);
        let answers: Vec<_> = answers.iter().collect();
        assert_eq!(answers.len(), 3);
        for answer in answers {
            assert!(matches!(answer, Err(Error::OutcomeUnknown { .. })), "{answer:?}");
        }
        assert_eq!(store.list(&TaskFilter::new()).unwrap().items.len(), 0);
        store.start_detached(title(9)).unwrap();
    }
}

#[test]
fn one_of_a_group_starts_the_task_of_a_key_and_the_others_get_it() {
    let store = TaskStore::open_temporary().unwrap();
    let outer = &store;
    let call =
        |number: usize| -> Call<'_, Result<TaskId>> { Box::new(move || outer.start_detached(title(number).key("k"))) };
    let answers = as_one_group(&store, (0..8).map(call).collect());
    let ids: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().unwrap().get()).collect();
    assert_eq!(ids, [1; 8]);
    let tasks = store.list(&TaskFilter::new()).unwrap().items;
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].title, "task 0", "the first in the queue is the one");
}

/// A clock that stands still until it is put forward.
#[derive(Debug, Default)]
struct Hand(AtomicU64);

impl Clock for Arc<Hand> {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

#[test]
fn kept_progress_is_not_lost_in_a_group_that_is_undone() {
    let directory = tempfile::tempdir().unwrap();
    let (path, clock) = (directory.path().join("tasks.db"), Arc::<Hand>::default());
    let store = OpenOptions::new().clock(Arc::clone(&clock)).open(&path).unwrap();
    // What tells 13 cannot be committed.
    let doom = "CREATE TABLE doom (task INTEGER REFERENCES task (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER doom AFTER UPDATE OF progress_done ON task WHEN new.progress_done = 13
        BEGIN INSERT INTO doom VALUES (-1); END;";
    Connection::open(&path).unwrap().execute_batch(doom).unwrap();
    let id = store.start_detached(title(0)).unwrap();
    for kept in [1, 2] {
        store.progress(id, &Progress::new(kept)).unwrap();
    }
    clock.0.store(2, Ordering::Relaxed);
    let outer = &store;
    let calls: Vec<Call<'_>> =
        vec![Box::new(move || outer.progress(id, &Progress::new(13))), Box::new(move || outer.finish(id))];
    let answers = as_one_group(&store, calls);
    assert!(answers[0].as_ref().unwrap().is_err());
    assert!(answers[1].as_ref().unwrap().is_ok());
    assert_eq!(store.task(id).unwrap().progress, Some(Progress::new(2)));
}

#[test]
fn a_follower_that_is_run_again_alone_waits_as_long_as_it_was_told_to() {
    let mut groups = 0;
    // On a busy machine the leader's time may be over before the other has come.
    for _ in 0..200 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let store = OpenOptions::new().open(&path).unwrap();
        let (outer, broken, go) = (&store, AtomicBool::new(false), Arc::new(AtomicBool::new(false)));
        let (shell, going, gone) = (Connection::open(&path).unwrap(), Arc::clone(&go), Arc::clone(&go));
        // Another process, which gets its lock while the group is taken apart.
        let other = std::thread::spawn(move || {
            shell.busy_timeout(Duration::ZERO).unwrap();
            while !going.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            while shell.execute_batch("BEGIN IMMEDIATE").is_err() {}
            (0..2_000).for_each(|_| std::thread::yield_now());
            shell.execute_batch("ROLLBACK").unwrap();
        });
        let calls: Vec<Call<'_>> = vec![
            // The leader breaks the group, and its own time is over by then.
            Box::new(move || {
                let patience = Duration::from_millis(20);
                let since = std::time::Instant::now();
                outer.database().write_within(patience, move |_| {
                    if broken.swap(true, Ordering::Relaxed) {
                        return Ok(());
                    }
                    go.store(true, Ordering::Release);
                    while since.elapsed() <= patience {
                        std::thread::yield_now();
                    }
                    Err(sqlite::error::rolled_back())
                })
            }),
            Box::new(move || outer.start_detached(title(1)).map(drop)),
        ];
        let answers = try_as_one_group(&store, calls);
        gone.store(true, Ordering::Release);
        other.join().unwrap();
        if let Some(answers) = answers {
            assert!(answers[1].as_ref().unwrap().is_ok(), "{answers:?}");
            groups += 1;
        }
        if groups == 20 {
            return;
        }
    }
    assert!(groups > 0, "no leader was as patient as that");
}
