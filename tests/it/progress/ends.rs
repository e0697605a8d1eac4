//! The last progress before the end.

use std::panic::{AssertUnwindSafe, catch_unwind};

use taskstore::{Error, NewTask, Outcome, Progress, TaskId, TaskStore};

use super::{Watched, record};
use crate::support::{Nanoseconds as _, everything, open, start};

/// Starts a task, does something with it, and ends it.
type End = fn(&TaskStore, &dyn Fn(TaskId)) -> TaskId;

/// Each way a task can end, with what it ends as.
fn ends() -> Vec<(&'static str, Outcome, End)> {
    vec![
        ("finish by id", Outcome::Finished, |store, work| {
            let id = start(store, "copy");
            work(id);
            store.finish(id).unwrap();
            id
        }),
        ("fail by id", Outcome::Failed, |store, work| {
            let id = start(store, "copy");
            work(id);
            store.fail(id, "because").unwrap();
            id
        }),
        ("finish", Outcome::Finished, |store, work| {
            let task = store.start(NewTask::new("copy")).unwrap();
            let id = task.id();
            work(id);
            task.finish().unwrap();
            id
        }),
        ("fail", Outcome::Failed, |store, work| {
            let task = store.start(NewTask::new("copy")).unwrap();
            let id = task.id();
            work(id);
            task.fail("").unwrap();
            id
        }),
        ("drop", Outcome::Interrupted, |store, work| {
            let task = store.start(NewTask::new("copy")).unwrap();
            let id = task.id();
            work(id);
            drop(task);
            id
        }),
        ("panic", Outcome::Interrupted, |store, work| {
            let mut id = None;
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let task = store.start(NewTask::new("copy")).unwrap();
                id = Some(task.id());
                work(task.id());
                panic!("boom");
            }));
            panicked.unwrap_err();
            id.unwrap()
        }),
        ("run", Outcome::Finished, |store, work| {
            let ran = store.run(NewTask::new("copy"), |task| {
                work(task.id());
                Ok::<_, Error>(task.id())
            });
            ran.unwrap()
        }),
        ("run that fails", Outcome::Failed, |store, work| {
            let mut id = None;
            let ran = store.run(NewTask::new("copy"), |task| {
                id = Some(task.id());
                work(task.id());
                Err::<(), _>("because")
            });
            ran.unwrap_err();
            id.unwrap()
        }),
        ("run that panics", Outcome::Interrupted, |store, work| {
            let mut id = None;
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                store.run(NewTask::new("copy"), |task| -> Result<(), Error> {
                    id = Some(task.id());
                    work(task.id());
                    panic!("boom");
                })
            }));
            panicked.unwrap_err();
            id.unwrap()
        }),
        ("finish in a batch", Outcome::Finished, |store, work| {
            let id = start(store, "copy");
            work(id);
            store.batch(|batch| batch.finish(id)).unwrap();
            id
        }),
        ("fail in a batch", Outcome::Failed, |store, work| {
            let id = start(store, "copy");
            work(id);
            store.batch(|batch| batch.fail(id, "because")).unwrap();
            id
        }),
        ("end behind a detach", Outcome::Finished, |store, work| {
            let task = store.start(NewTask::new("copy")).unwrap();
            work(task.id());
            let id = task.detach().unwrap();
            store.finish(id).unwrap();
            id
        }),
    ]
}

#[test]
fn every_end_writes_the_last_progress_with_its_own_time_and_before_the_end() {
    for (name, outcome, end) in ends() {
        let watched = Watched::new();
        let id = end(&watched.store, &|id| {
            for done in 0..1_000 {
                record(&watched.store, id, done);
                watched.clock.advance_ns(1);
            }
        });
        assert_eq!(watched.written(), [(0, 0), (999, 999)], "{name}");
        let task = open(&watched.path).task(id).unwrap();
        assert_eq!((task.outcome, task.progress.clone()), (Some(outcome), Some(Progress::new(999))), "{name}");
        assert_eq!(task.finished.and_then(|time| time.timestamp_nanos_opt()), Some(1_000), "{name}");
        assert_eq!(watched.store.task(id).unwrap(), task);
    }
}

#[test]
fn behind_every_end_progress_is_refused_as_it_ever_was_and_nothing_is_written() {
    for (name, _, end) in ends() {
        let watched = Watched::new();
        let id = end(&watched.store, &|id| (0..3).for_each(|done| record(&watched.store, id, done)));
        let before = everything(&watched.store);
        for _ in 0..2 {
            let late = watched.store.progress(id, &Progress::new(9));
            assert!(matches!(late, Err(Error::WrongState { .. })), "{name}: {late:?}");
        }
        assert_eq!((everything(&watched.store), watched.amounts()), (before, vec![0, 2]), "{name}");
    }
}

#[test]
fn an_end_without_a_kept_progress_writes_none() {
    for (name, _, end) in ends() {
        let watched = Watched::new();
        end(&watched.store, &|_| ());
        assert_eq!(watched.amounts(), Vec::<i64>::new(), "{name}");
        let watched = Watched::new();
        end(&watched.store, &|id| record(&watched.store, id, 5));
        assert_eq!(watched.amounts(), [5], "{name}");
    }
}

#[test]
fn a_late_progress_of_a_task_that_another_has_ended_is_dropped_within_the_second_and_refused_behind_it() {
    let watched = Watched::new();
    let other = open(&watched.path);
    let id = start(&watched.store, "copy");
    record(&watched.store, id, 1);
    other.finish(id).unwrap();
    let ended = everything(&other);
    record(&watched.store, id, 2);
    assert_eq!(everything(&watched.store), ended);
    watched.clock.advance_ns(super::SECOND_NS);
    // From then on it is known.
    for _ in 0..2 {
        assert!(matches!(watched.store.progress(id, &Progress::new(3)), Err(Error::WrongState { .. })));
    }
    assert_eq!((everything(&watched.store), watched.amounts()), (ended, vec![1]));
}

#[test]
fn a_refused_end_changes_nothing_and_forgets_the_progress_that_came_too_late() {
    for (name, _, end) in ends().into_iter().take(2) {
        let watched = Watched::new();
        let other = open(&watched.path);
        let refused = catch_unwind(AssertUnwindSafe(|| {
            end(&watched.store, &|id| {
                record(&watched.store, id, 1);
                record(&watched.store, id, 2);
                other.fail(id, "by somebody else").unwrap();
            })
        }));
        refused.unwrap_err();
        let task = &everything(&watched.store).tasks[0].0;
        assert_eq!((task.outcome, task.progress.clone()), (Some(Outcome::Failed), Some(Progress::new(1))), "{name}");
        assert_eq!(watched.amounts(), [1], "{name}");
        assert!(matches!(watched.store.progress(task.id, &Progress::new(3)), Err(Error::WrongState { .. })), "{name}");
    }
}
