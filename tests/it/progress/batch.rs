//! Progress and ends inside a batch.

use std::panic::{AssertUnwindSafe, catch_unwind};

use taskstore::{Batch, Error, Progress, Result, TaskId};

use super::{SECOND_NS, Watched, record};
use crate::support::{Nanoseconds as _, everything, start, task_id};

/// A task of which 1 is written and 2 is kept.
fn kept() -> (Watched, TaskId) {
    let watched = Watched::new();
    let id = start(&watched.store, "copy");
    record(&watched.store, id, 1);
    record(&watched.store, id, 2);
    (watched, id)
}

fn set(batch: &Batch<'_>, done: u64) -> Result<()> {
    batch.progress(task_id(1), &Progress::new(done))
}

#[test]
fn a_batch_writes_every_progress_and_reads_it() {
    let (watched, id) = kept();
    let done = |batch: &Batch<'_>| Ok::<_, Error>(batch.task(id)?.progress.unwrap().done);
    let seen = watched.store.batch(|batch| {
        let before = done(batch)?;
        set(batch, 3)?;
        let one = done(batch)?;
        set(batch, 4)?;
        Ok::<_, Error>([before, one, done(batch)?])
    });
    assert_eq!(seen.unwrap(), [2, 3, 4]);
    assert_eq!((watched.done(id), watched.amounts()), (4, vec![1, 3, 4]));
}

#[test]
fn a_progress_kept_before_a_batch_never_goes_over_the_one_it_wrote() {
    let (watched, id) = kept();
    watched.store.batch(|batch| set(batch, 3)).unwrap();
    assert_eq!(watched.done(id), 3);
    watched.store.finish(id).unwrap();
    assert_eq!(watched.amounts(), [1, 3]);

    let (watched, id) = kept();
    watched.store.batch(|batch| set(batch, 3).and_then(|()| batch.finish(id))).unwrap();
    assert_eq!(watched.amounts(), [1, 3]);

    let (watched, id) = kept();
    watched.store.batch(|batch| set(batch, 3)).unwrap();
    watched.store.close().unwrap();
    assert_eq!((watched.amounts(), id), (vec![1, 3], task_id(1)));
}

#[test]
fn the_second_after_a_batch_is_one_too() {
    let (watched, id) = kept();
    watched.clock.advance_ns(SECOND_NS);
    watched.store.batch(|batch| set(batch, 3)).unwrap();
    watched.clock.advance_ns(SECOND_NS - 1);
    record(&watched.store, id, 4);
    assert_eq!(watched.amounts(), [1, 3]);
    watched.clock.advance_ns(1);
    record(&watched.store, id, 5);
    assert_eq!(watched.amounts(), [1, 3, 5]);
}

#[test]
fn a_batch_that_is_undone_loses_nothing() {
    type Work = fn(&Batch<'_>) -> Result<()>;
    let works: [Work; 4] = [
        |batch| set(batch, 3),
        |batch| batch.finish(task_id(1)),
        |batch| set(batch, 3).and_then(|()| batch.fail(task_id(1), "because")),
        |batch| set(batch, 3).and_then(|()| set(batch, 4)),
    ];
    for work in works {
        for panics in [false, true] {
            let (watched, id) = kept();
            let before = everything(&watched.store);
            let undone = catch_unwind(AssertUnwindSafe(|| {
                watched.store.batch(|batch| -> Result<()> {
                    work(batch)?;
                    assert!(!panics, "boom");
                    Err(Error::Closed)
                })
            }));
            assert_eq!(undone.is_err(), panics);
            assert_eq!(everything(&watched.store), before);
            watched.store.finish(id).unwrap();
            assert_eq!(watched.amounts(), [1, 2]);
        }
    }
}

#[test]
fn the_call_after_a_batch_that_was_undone_is_written_at_once() {
    let (watched, id) = kept();
    let _ = watched.store.batch(|batch| set(batch, 3).and(Err::<(), _>(Error::Closed)));
    record(&watched.store, id, 4);
    record(&watched.store, id, 5);
    assert_eq!(watched.amounts(), [1, 4]);
}

#[test]
fn a_refused_end_in_a_batch_changes_nothing() {
    let (watched, id) = kept();
    let other = crate::support::open(&watched.path);
    other.finish(id).unwrap();
    let before = everything(&other);
    let refused = watched.store.batch(|batch| Ok::<_, Error>(batch.fail(id, "late").is_err()));
    assert!(refused.unwrap());
    assert_eq!((everything(&watched.store), watched.amounts()), (before, vec![1]));
}

#[test]
fn progress_of_the_store_inside_its_own_batch_is_refused_also_where_it_would_be_kept() {
    let (watched, id) = kept();
    watched
        .store
        .batch(|_| {
            let answer = watched.store.progress(id, &Progress::new(3));
            assert!(matches!(answer, Err(Error::InsideBatch)), "{answer:?}");
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(watched.done(id), 2);
}
