//! Futures that are run as tasks.

use std::pin::Pin;
use std::sync::Arc;

use taskstore::{
    AsyncRunningSystemTask, AsyncTaskStore, Error, NewTask, Outcome, RunError, SystemTaskStatus, TaskStore,
};
use tokio::task::yield_now;

use super::{one_by_one, poll, settle, stores};
use crate::support::{Everything, everything, task_id, texts};

#[test]
fn work_ends_its_task_by_what_it_returns() {
    let (asynchronous, store) = stores();
    one_by_one().block_on(async {
        let value = asynchronous.run(NewTask::new("well"), |task| async move {
            task.info("counting").await?;
            Ok::<_, Error>(42)
        });
        assert_eq!(value.await.unwrap(), 42);
        let source = std::io::Error::other("timed out");
        let failed = asynchronous.run(NewTask::new("badly"), |_| async {
            yield_now().await;
            Err::<(), _>(Error::Io { action: "ask the standby", source })
        });
        assert!(matches!(failed.await.unwrap_err(), RunError::Work { .. }));
    });
    let outcomes = [1, 2].map(|id| (store.task(task_id(id)).unwrap().outcome, texts(&store, task_id(id))));
    let expected = [
        (Some(Outcome::Finished), vec!["counting".to_owned()]),
        (Some(Outcome::Failed), vec!["could not ask the standby: timed out".to_owned()]),
    ];
    assert_eq!(outcomes, expected);
}

/// Wherever it comes: in the closure, at the first poll, and later.
#[test]
fn a_panic_is_recorded_as_an_interruption_and_goes_on() {
    for place in 0..3 {
        let (asynchronous, store) = stores();
        let runtime = one_by_one();
        let work = runtime.spawn(async move {
            let run = asynchronous.run(NewTask::new("unlucky"), move |task| {
                assert_ne!(place, 0, "task {}", task.id());
                async move {
                    assert_ne!(place, 1, "task {}", task.id());
                    task.info("begun").await?;
                    assert_ne!(place, 2, "task {}", task.id());
                    Ok::<_, Error>(())
                }
            });
            run.await
        });
        let panic = runtime.block_on(work).unwrap_err().into_panic();
        assert!(panic.downcast_ref::<String>().unwrap().contains("task 1"));
        // It was recorded before it went on.
        assert_eq!(store.task(task_id(1)).unwrap().outcome, Some(Outcome::Interrupted));
        let said = texts(&store, task_id(1));
        assert_eq!(said.len(), if place == 2 { 2 } else { 1 }, "{said:?}");
        assert!(said.last().unwrap().starts_with("panicked: assertion"), "{said:?}");
    }
}

async fn unlucky(_: Arc<AsyncRunningSystemTask>) -> Result<(), Error> {
    panic!("boom")
}

#[test]
fn a_run_of_a_system_task_ends_in_the_same_ways() {
    let (asynchronous, store) = stores();
    let runtime = one_by_one();
    let jobs = asynchronous.clone();
    let failed = runtime.block_on(async move {
        jobs.system_tasks().run("well", None, |run| async move { run.info("one", ()).await }).await.unwrap();
        let failed = jobs.system_tasks().run("badly", None, |_| async { Err::<(), _>("no answer") });
        let failed = failed.await.unwrap_err();
        let panicked = tokio::spawn(async move { jobs.system_tasks().run("unlucky", None, unlucky).await });
        assert!(panicked.await.unwrap_err().is_panic());
        failed
    });
    assert!(matches!(failed, RunError::Work { .. }));
    let ended = |name: &str| {
        let uuid = store.system_tasks().find(name, None).unwrap().unwrap();
        let run = store.system_tasks().history(uuid, None, 1).unwrap().items.remove(0);
        let events = store.system_tasks().events(run.id, 0, 10).unwrap();
        (run.status, events.into_iter().next_back().unwrap().event)
    };
    assert_eq!(ended("well"), (Some(SystemTaskStatus::Successful), "one".to_owned()));
    assert_eq!(ended("badly"), (Some(SystemTaskStatus::Error), "no answer".to_owned()));
    assert_eq!(ended("unlucky"), (Some(SystemTaskStatus::Error), "panicked: boom".to_owned()));
}

type Run = Pin<Box<dyn Future<Output = Result<(), RunError>>>>;

fn run(store: AsyncTaskStore) -> Run {
    Box::pin(async move {
        let work = store.run(NewTask::new("long"), |task| async move {
            task.info("one").await?;
            yield_now().await;
            task.info("two").await
        });
        work.await
    })
}

/// What is left of the task when the future is dropped after so many polls; `None` if it has ended before.
fn after_polls(polls: usize) -> Option<TaskStore> {
    let (asynchronous, store) = stores();
    let runtime = one_by_one();
    let mut future = run(asynchronous);
    for _ in 0..polls {
        if poll(&runtime, &mut future).is_ready() {
            return None;
        }
        settle(&runtime);
    }
    let inside = runtime.enter();
    drop(future);
    drop(inside);
    settle(&runtime);
    Some(store)
}

#[test]
fn work_that_is_dropped_at_any_moment_is_recorded_as_cancelled_unless_it_was_done() {
    let mut left = (0..).map_while(after_polls).map(|store| {
        let Everything { tasks, .. } = everything(&store);
        tasks.into_iter().next().map(|(task, messages)| {
            (task.outcome, messages.into_iter().map(|message| message.text).collect::<Vec<_>>().join(" "))
        })
    });
    let interrupted = |said: &str| Some((Some(Outcome::Interrupted), said.to_owned()));
    assert_eq!(left.next().unwrap(), None); // never polled
    assert_eq!(left.next().unwrap(), interrupted("cancelled")); // while it started
    assert_eq!(left.next().unwrap(), interrupted("one cancelled"));
    assert_eq!(left.next().unwrap(), interrupted("one cancelled")); // at the yield
    assert_eq!(left.next().unwrap(), interrupted("one two cancelled"));
    assert_eq!(left.next().unwrap(), Some((Some(Outcome::Finished), "one two".to_owned()))); // while it finished
    assert_eq!(left.next(), None);
}

#[test]
fn a_run_of_a_system_task_that_is_dropped_is_recorded_as_cancelled() {
    let (asynchronous, store) = stores();
    let runtime = one_by_one();
    let jobs = asynchronous.clone();
    let mut future = Box::pin(async move {
        let work = |_| std::future::pending::<Result<(), Error>>();
        jobs.system_tasks().run("fetch_mail", None, work).await
    });
    for _ in 0..2 {
        assert!(poll(&runtime, &mut future).is_pending());
        settle(&runtime);
    }
    let inside = runtime.enter();
    drop(future);
    drop(inside);
    settle(&runtime);
    let uuid = store.system_tasks().find("fetch_mail", None).unwrap().unwrap();
    let run = &store.system_tasks().history(uuid, None, 1).unwrap().items[0];
    assert_eq!(store.system_tasks().events(run.id, 0, 10).unwrap()[0].event, "cancelled");
}

/// The work is gone before its end is recorded, so that what it held is free by then.
#[test]
fn what_the_work_held_is_dropped_before_the_task_has_ended() {
    struct Held(TaskStore, Arc<std::sync::Mutex<Option<Outcome>>>);
    impl Drop for Held {
        fn drop(&mut self) {
            *self.1.lock().unwrap() = self.0.task(task_id(1)).unwrap().outcome;
        }
    }
    let (asynchronous, store) = stores();
    let seen = Arc::new(std::sync::Mutex::new(Some(Outcome::Failed)));
    let held = Held(store.clone(), Arc::clone(&seen));
    let work = asynchronous.run(NewTask::new("copy"), |_| async move {
        let _held = held;
        Ok::<_, Error>(())
    });
    one_by_one().block_on(work).unwrap();
    assert_eq!(*seen.lock().unwrap(), None);
    assert_eq!(store.task(task_id(1)).unwrap().outcome, Some(Outcome::Finished));
}

/// It may go to other tasks of the runtime, and outlive the work.
#[test]
fn the_task_may_be_handed_on_and_says_nothing_more_when_the_work_has_ended() {
    let (asynchronous, store) = stores();
    one_by_one().block_on(async {
        let handed = asynchronous.run(NewTask::new("copy"), |task| async move {
            let other = Arc::clone(&task);
            tokio::spawn(async move { other.info("by another").await }).await.unwrap()?;
            Ok::<_, Error>(task)
        });
        let task = handed.await.unwrap();
        assert!(matches!(task.info("late").await, Err(Error::WrongState { .. })));
    });
    assert_eq!(texts(&store, task_id(1)), ["by another"]);
    assert_eq!(store.task(task_id(1)).unwrap().outcome, Some(Outcome::Finished));
}
