//! Many threads at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, mpsc};

use taskstore::{Error, Progress, Result, TaskId, TaskStore};

use super::{SECOND_NS, Watched, done_of, record};
use crate::support::{ManualClock, Nanoseconds as _, open, options, start, temporary};

#[test]
fn of_all_that_call_at_once_when_a_second_is_over_one_is_written() {
    const THREADS: u64 = 16;
    let watched = Watched::new();
    let id = start(&watched.store, "copy");
    record(&watched.store, id, 0);
    for round in 1..=20 {
        watched.clock.advance_ns(SECOND_NS);
        let barrier = Barrier::new(THREADS as usize);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (barrier, store) = (&barrier, &watched.store);
                scope.spawn(move || {
                    barrier.wait();
                    record(store, id, thread);
                });
            }
        });
        assert_eq!(watched.amounts().len(), 1 + round);
    }
}

#[test]
fn of_two_calls_the_one_kept_while_the_other_is_being_written_is_the_newer() {
    let Watched { store, clock, shell, path: _path, _directory } = Watched::new();
    let id = start(&store, "copy");
    record(&store, id, 1);
    clock.advance_ns(SECOND_NS);
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (tell, told) = mpsc::channel();
    let kept = std::thread::scope(|scope| {
        for done in [2, 3] {
            let (store, tell) = (&store, tell.clone());
            scope.spawn(move || {
                record(store, id, done);
                tell.send(done).unwrap();
            });
        }
        // One of them waits for the file, and the other is done.
        let kept = told.recv().unwrap();
        shell.execute_batch("ROLLBACK").unwrap();
        kept
    });
    assert_eq!(done_of(&store, id), kept);
    store.finish(id).unwrap();
    assert_eq!(done_of(&store, id), kept);
}

/// Calls in order, on a clock whose seconds pass, until the task has ended or the store is closed; gives the last that
/// was answered `Ok`.
fn count_up(store: &TaskStore, clock: &ManualClock, id: TaskId) -> u64 {
    let refused = (1..).find(|&done| {
        clock.advance_ns(SECOND_NS / 3);
        match store.progress(id, &Progress::new(done)) {
            Ok(()) => false,
            Err(Error::WrongState { .. } | Error::Closed) => true,
            Err(error) => panic!("{error:?}"),
        }
    });
    refused.unwrap() - 1
}

#[test]
fn the_last_progress_that_was_answered_ok_is_the_one_that_is_there_whoever_ends_the_task() {
    let ends: [fn(&TaskStore, TaskId) -> Result<()>; 4] = [
        |store, id| store.finish(id),
        |store, id| store.batch(|batch| batch.finish(id)),
        |store, id| {
            for _ in 0..5 {
                let _ = store.batch(|batch| batch.finish(id).and(Err::<(), _>(Error::Closed)));
            }
            store.fail(id, "because")
        },
        |store, id| {
            for _ in 0..5 {
                let undone =
                    |batch: &taskstore::Batch<'_>| batch.progress(id, &Progress::new(0)).and(Err(Error::Closed));
                let _: Result<()> = store.batch(undone);
            }
            store.finish(id)
        },
    ];
    let Watched { store, clock, _directory, .. } = Watched::new();
    for end in ends {
        for _ in 0..60 {
            let id = start(&store, "copy");
            record(&store, id, 0);
            let last = std::thread::scope(|scope| {
                let counting = scope.spawn(|| count_up(&store, &clock, id));
                while done_of(&store, id) < 5 {
                    std::thread::yield_now();
                }
                end(&store, id).unwrap();
                counting.join().unwrap()
            });
            assert_eq!(done_of(&store, id), last);
        }
    }
}

#[test]
fn the_last_progress_that_was_answered_ok_before_a_close_is_there_behind_it() {
    let Watched { store, clock, path, _directory, .. } = Watched::new();
    let id = start(&store, "copy");
    drop(store);
    for _ in 0..60 {
        let store = options().clock(clock.clone()).open(&path).unwrap();
        record(&store, id, 0);
        let last = std::thread::scope(|scope| {
            let counting = scope.spawn(|| count_up(&store, &clock, id));
            while done_of(&store, id) < 5 {
                std::thread::yield_now();
            }
            store.close().unwrap();
            counting.join().unwrap()
        });
        assert_eq!(done_of(&open(&path), id), last);
    }
}

#[test]
fn a_reader_never_sees_progress_go_back() {
    let Watched { store, clock, _directory, .. } = Watched::new();
    let id = start(&store, "copy");
    record(&store, id, 0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (mut last, mut updated) = (0, None);
                while !done.load(Ordering::Relaxed) {
                    let task = store.task(id).unwrap();
                    let now = task.progress.unwrap().done;
                    assert!(now >= last && Some(task.updated) >= updated, "{now} after {last}");
                    (last, updated) = (now, Some(task.updated));
                }
            });
        }
        for number in 1..3_000 {
            clock.advance_ns(SECOND_NS / 3);
            record(&store, id, number);
        }
        store.finish(id).unwrap();
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn many_threads_with_tasks_of_their_own_lose_no_last_progress() {
    let store = temporary();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let id = start(&store, "copy");
                    (0..20).for_each(|done| record(&store, id, done));
                    store.finish(id).unwrap();
                    assert_eq!(done_of(&store, id), 19);
                }
            });
        }
    });
}
