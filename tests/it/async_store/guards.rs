//! The guards of tasks and runs, held by futures.

use std::error::Error as _;

use taskstore::{
    AsyncRunningSystemTask, AsyncRunningTask, AsyncSystemTasks, AsyncTaskStore, Error, NewTask, NotDetached, NotEnded,
    Outcome, Progress, SystemTaskStatus, TaskFilter, TaskStore,
};

use super::{one_by_one, poll, settle, stores, until};
use crate::support::Nanoseconds as _;
use crate::support::{ManualClock, options, task_id, texts};

fn recorded(store: &TaskStore) -> (Option<Outcome>, Vec<String>) {
    (store.task(task_id(1)).unwrap().outcome, texts(store, task_id(1)))
}

fn interrupted(text: &str) -> (Option<Outcome>, Vec<String>) {
    (Some(Outcome::Interrupted), vec![text.to_owned()])
}

#[test]
fn a_guard_is_held_across_awaits_and_handed_to_another_task() {
    let (asynchronous, store) = stores();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let task = asynchronous.start(NewTask::new("copy")).await.unwrap();
        task.info("here").await.unwrap();
        let handed = tokio::spawn(async move {
            task.info("there").await.unwrap();
            tokio::task::yield_now().await;
            task.finish().await.unwrap();
        });
        handed.await.unwrap();
    });
    assert_eq!(recorded(&store), (Some(Outcome::Finished), vec!["here".to_owned(), "there".to_owned()]));
}

/// 0 polls are as many as a future gets that is never awaited.
#[test]
fn an_end_is_recorded_from_its_first_poll_on_and_an_interruption_before() {
    for (polls, finished) in [(0, false), (1, true)] {
        let (asynchronous, store) = stores();
        let runtime = one_by_one();
        let task = runtime.block_on(asynchronous.start(NewTask::new("copy"))).unwrap();
        let mut end = Box::pin(task.finish());
        for _ in 0..polls {
            assert!(poll(&runtime, &mut end).is_pending());
        }
        let inside = runtime.enter();
        drop(end);
        drop(inside);
        settle(&runtime);
        let expected =
            if finished { (Some(Outcome::Finished), vec![]) } else { interrupted("ended without finish or fail") };
        assert_eq!(recorded(&store), expected);
    }
}

#[test]
fn a_guard_that_is_dropped_outside_of_a_runtime_records_at_once() {
    let (asynchronous, store) = stores();
    let task = one_by_one().block_on(asynchronous.start(NewTask::new("copy"))).unwrap();
    drop(task);
    assert_eq!(recorded(&store), interrupted("ended without finish or fail"));

    let run = one_by_one().block_on(asynchronous.system_tasks().start("mail", None)).unwrap();
    let uuid = run.uuid();
    drop(run);
    assert_eq!(store.system_tasks().retrieve(uuid).unwrap().status(), SystemTaskStatus::Error);
}

#[test]
fn a_task_whose_future_panics_says_so() {
    let (asynchronous, store) = stores();
    let runtime = one_by_one();
    let panicked = runtime.block_on(async {
        let work = tokio::spawn(async move {
            let _task = asynchronous.start(NewTask::new("unlucky")).await.unwrap();
            panic!("boom");
        });
        work.await.unwrap_err()
    });
    assert!(panicked.is_panic());
    settle(&runtime);
    assert_eq!(recorded(&store), interrupted("panicked"));
}

#[test]
fn a_runtime_that_ends_records_what_its_tasks_had_not_ended() {
    let (asynchronous, store) = stores();
    let runtime = one_by_one();
    let asked = asynchronous.clone();
    let pending = runtime.spawn(async move {
        let _task = asked.start(NewTask::new("for ever")).await.unwrap();
        std::future::pending::<()>().await;
    });
    until(|| {
        runtime.block_on(tokio::task::yield_now());
        store.counts(None).unwrap().in_progress == 1
    });
    // The guard has to have been handed over; what is dropped inside the pool is another story.
    settle(&runtime);
    runtime.block_on(tokio::task::yield_now());
    drop(runtime);
    assert!(pending.is_finished());
    assert_eq!(recorded(&store), interrupted("ended without finish or fail"));
}

#[test]
fn an_end_that_is_refused_gives_the_guard_back_for_another_try() {
    let clock = ManualClock::at_ns(1_000);
    let store = options().clock(clock.clone()).open_temporary().unwrap();
    let asynchronous = AsyncTaskStore::from(store.clone());
    one_by_one().block_on(async {
        let task = asynchronous.start(NewTask::new("copy")).await.unwrap();
        let run = asynchronous.system_tasks().start("mail", None).await.unwrap();
        clock.set(chrono::DateTime::<chrono::Utc>::MAX_UTC);
        let task = task.finish().await.unwrap_err();
        assert_eq!(task.to_string(), "the end of task 1 was not recorded");
        assert!(task.source().unwrap().to_string().starts_with("clock is "), "{task:?}");
        let run = run.finish().await.unwrap_err();
        assert_eq!(run.to_string(), "the end of run 1 was not recorded");
        clock.set_ns(2_000);
        task.task.fail("late").await.unwrap();
        run.task.finish().await.unwrap();
    });
    assert_eq!(recorded(&store), (Some(Outcome::Failed), vec!["late".to_owned()]));
}

/// Also one that was never tried again.
#[test]
fn a_guard_whose_end_was_tried_writes_nothing_when_it_is_dropped() {
    let (asynchronous, store) = stores();
    let runtime = one_by_one();
    runtime.block_on(async {
        let task = asynchronous.start(NewTask::new("copy")).await.unwrap();
        let refused = task.fail("x".repeat(2 << 20)).await.unwrap_err();
        assert!(matches!(refused.error, Error::TooLong { .. }), "{refused:?}");
        drop(refused);
    });
    settle(&runtime);
    assert_eq!(recorded(&store), (None, vec![]));
}

#[test]
fn a_task_that_could_not_be_detached_is_answered_for_as_before() {
    let (asynchronous, store) = stores();
    let runtime = one_by_one();
    let task = runtime.block_on(asynchronous.start(NewTask::new("copy"))).unwrap();
    // Outside of a runtime nothing is done.
    let refused = super::poll_anywhere(&mut Box::pin(task.detach()));
    let std::task::Poll::Ready(Err(refused)) = refused else { panic!("{refused:?}") };
    assert!(matches!(refused.error, Error::NoRuntime));
    assert_eq!(refused.to_string(), "task 1 was not detached");
    drop(refused);
    assert_eq!(recorded(&store), interrupted("ended without finish or fail"));
}

#[test]
fn an_abandoned_detach_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = crate::support::open(&path);
    let asynchronous = AsyncTaskStore::from(store.clone());
    let runtime = one_by_one();
    let task = runtime.block_on(asynchronous.start(NewTask::new("copy"))).unwrap();
    let mut detach = Box::pin(task.detach());
    assert!(poll(&runtime, &mut detach).is_pending());
    drop(detach);
    settle(&runtime);
    store.close().unwrap();
    assert_eq!(recorded(&crate::support::open(&path)), (None, vec![]));
}

/// Held by nobody else: a guard keeps its store open.
#[test]
fn a_guard_outlives_every_other_handle() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    one_by_one().block_on(async {
        let task = AsyncTaskStore::open(&path).await.unwrap().start(NewTask::new("elsewhere")).await.unwrap();
        task.info("still here").await.unwrap();
        task.finish().await.unwrap();
    });
    assert_eq!(recorded(&crate::support::open(&path)), (Some(Outcome::Finished), vec!["still here".to_owned()]));
}

fn is_shared<T: Send + Sync + 'static>() {}

fn is_sent<T: Send>(_: T) {}

/// All that a future of an application may hold, and all futures of the verbs, go from thread to thread.
#[test]
fn everything_is_send_and_what_is_held_is_sync() {
    is_shared::<AsyncTaskStore>();
    is_shared::<AsyncRunningTask>();
    is_shared::<AsyncRunningSystemTask>();
    is_shared::<NotEnded<AsyncRunningTask>>();
    is_shared::<NotEnded<AsyncRunningSystemTask>>();
    is_shared::<NotDetached<AsyncRunningTask>>();
    is_shared::<NotDetached<AsyncRunningSystemTask>>();
    is_shared::<AsyncSystemTasks<'static>>();

    let (store, _) = stores();
    let error = std::fmt::Error;
    is_sent(store.start(NewTask::new("copy")));
    is_sent(store.message(task_id(1), taskstore::Level::Info, "one"));
    is_sent(store.progress(task_id(1), &Progress::new(1)));
    is_sent(store.list(&TaskFilter::new()));
    is_sent(store.batch(|batch| batch.finish(task_id(1))));
    is_sent(store.configurations().add("prod"));
    is_sent(store.system_tasks().find("mail", Some("ann")));
    is_sent(store.export(std::io::sink()));
    is_sent(store.run(NewTask::new("copy"), |task| async move { task.info("one").await }));
    is_sent(store.system_tasks().run("mail", None, |run| async move { run.info("one", ()).await }));
    let held = |task: AsyncRunningTask, run: AsyncRunningSystemTask| async move {
        task.info("one").await?;
        let set = run.set_error(&error);
        set.await?;
        run.set_status(SystemTaskStatus::Warning, ["one"]).await?;
        run.finish().await?;
        task.finish().await?;
        Ok::<_, Error>(())
    };
    let _ = |task, run| is_sent(held(task, run));
    let wait = |token| is_sent(store.wait_for_change(token, super::LONG));
    wait(store.store().change_token().unwrap());
}
