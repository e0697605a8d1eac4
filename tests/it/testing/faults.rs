//! Faults on demand: each is what the store gives in reality, and afterwards the file holds what was acknowledged.

use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskstore::testing::{Fault, Faults, ManualClock};
use taskstore::{Error, NewTask, Outcome, Progress, TaskStore};
use tempfile::TempDir;

use crate::support::files::{beside, database_bytes};
use crate::support::{everything, interrupted, open, options, start, texts};

/// How long a test waits for what must happen, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store in a file that another can open, and its faults.
fn faulty() -> (TempDir, PathBuf, TaskStore, Faults) {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::new());
    let path = directory.path().join("tasks.db");
    let store = options().faults(&faults).open(&path).unwrap();
    (directory, path, store, faults)
}

fn try_to_start(store: &TaskStore, title: &str) -> Result<(), Error> {
    store.start_detached(NewTask::new(title)).map(drop)
}

fn titles(store: &TaskStore) -> Vec<String> {
    everything(store).tasks.into_iter().map(|(task, _)| task.title).collect()
}

fn owner_files(path: &Path) -> usize {
    let prefix = format!("{}-owner-", path.file_name().unwrap().to_str().unwrap());
    let names = path.parent().unwrap().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().starts_with(&prefix)).count()
}

#[test]
fn without_a_script_nothing_fails() {
    let (_directory, _, store, faults) = faulty();
    (0..10).for_each(|_| _ = start(&store, "t"));
    assert_eq!((titles(&store).len(), faults.injected()), (10, 0));
}

#[test]
fn a_busy_file_refuses_before_any_work_is_done_and_lets_the_next_one_through() {
    let faults = Faults::new();
    let store = options().faults(&faults).busy_timeout(Duration::from_secs(3_600)).open_temporary().unwrap();
    faults.next(Fault::Busy);
    let refused = try_to_start(&store, "refused").unwrap_err();
    assert!(matches!(refused, Error::Busy { waited } if waited >= Duration::from_secs(3_600)), "{refused:?}");
    assert!(refused.is_retryable());
    faults.next(Fault::Busy);
    let refused = store.batch(|_| -> Result<(), Error> { panic!("it did not begin") });
    assert!(matches!(refused, Err(Error::Busy { .. })), "{refused:?}");
    start(&store, "written");
    assert_eq!((titles(&store), faults.injected()), (vec!["written".to_owned()], 2));
}

#[test]
fn a_full_disk_refuses_the_whole_batch_and_reads_go_on() {
    let (_directory, _, store, faults) = faulty();
    let id = start(&store, "before");
    faults.next(Fault::DiskFull);
    let refused = store.batch(|batch| {
        batch.finish(id)?;
        batch.start_detached(NewTask::new("refused"))
    });
    let Err(Error::DiskFull { source }) = refused else { panic!("{refused:?}") };
    assert_eq!((source.code(), source.to_string().as_str()), (Some(13), "database or disk is full"));
    assert_eq!((titles(&store), store.task(id).unwrap().outcome), (vec!["before".to_owned()], None));
    store.finish(id).unwrap();
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn what_is_refused_before_it_commits_meets_no_fault() {
    let (_directory, _, store, faults) = faulty();
    let id = start(&store, "t");
    faults.next(Fault::DiskFull);
    assert!(matches!(store.restore(id), Err(Error::WrongState { .. })));
    assert!(matches!(store.batch(|_| Err::<(), _>(Error::Closed)), Err(Error::Closed)));
    assert_eq!(faults.injected(), 0);
    assert!(matches!(store.finish(id), Err(Error::DiskFull { .. })));
    store.finish(id).unwrap();
}

#[test]
fn an_outage_lasts_until_it_is_ended_and_the_store_leaves_the_disk_alone_meanwhile() {
    let (_directory, _, store, faults) = faulty();
    faults.until_ended(Fault::DiskFull);
    for _ in 0..100 {
        assert!(matches!(try_to_start(&store, "refused"), Err(Error::DiskFull { .. })));
    }
    // The first three tried; the rest may have been refused without a try.
    assert!((3..=100).contains(&faults.injected()), "{}", faults.injected());
    faults.end();
    let begun = Instant::now();
    while let Err(error) = try_to_start(&store, "written") {
        assert!(matches!(error, Error::DiskFull { .. }) && begun.elapsed() < PATIENCE, "{error:?}");
        thread::yield_now();
    }
    start(&store, "more");
    assert_eq!(titles(&store), ["written", "more"]);
}

#[test]
fn of_an_unknown_outcome_either_is_true_and_the_store_goes_on() {
    for written in [true, false] {
        let (_directory, path, store, faults) = faulty();
        start(&store, "before");
        faults.next(Fault::OutcomeUnknown { written });
        let unknown = store.start_detached(NewTask::new("unknown").key("k")).unwrap_err();
        let Error::OutcomeUnknown { source } = &unknown else { panic!("{unknown:?}") };
        assert_eq!((source.code().map(|code| code & 0xff), unknown.is_retryable()), (Some(10), false));
        assert_eq!(titles(&store).contains(&"unknown".to_owned()), written);
        store.start_detached(NewTask::new("unknown").key("k")).unwrap();
        assert_eq!(titles(&store), ["before", "unknown"]);
        assert_eq!(store.check().unwrap(), []);
        store.close().unwrap();
        assert_eq!(titles(&open(&path)), ["before", "unknown"]);
    }
}

#[test]
fn a_crash_leaves_the_file_as_it_is_and_the_next_opening_finds_the_work_interrupted() {
    for written in [true, false] {
        let (_directory, path, store, faults) = faulty();
        let (guard, detached) = (store.start(NewTask::new("owned")).unwrap(), start(&store, "detached"));
        let run = store.system_tasks().start("job", None).unwrap();
        let (owned, uuid) = (guard.id(), run.uuid());
        guard.progress(&Progress::new(1)).unwrap();
        guard.progress(&Progress::new(2)).unwrap();
        assert_eq!(titles(&store).len(), 2);

        faults.next(Fault::Crash { written });
        assert!(matches!(guard.info("at the crash"), Err(Error::OutcomeUnknown { .. })));
        assert!(matches!(store.task(owned), Err(Error::Closed)));
        assert!(matches!(store.finish(detached), Err(Error::Closed)));
        assert!(matches!(store.change_token(), Err(Error::Closed)));
        let at_the_crash = database_bytes(&path);
        assert!(at_the_crash.1.as_ref().is_some_and(|wal| !wal.is_empty()), "the -wal stays");
        assert_eq!(owner_files(&path), 1);

        // The store lives on as a value, and so do its guards: none of them writes.
        drop(guard);
        drop(run);
        assert!(matches!(store.close(), Err(Error::Closed)));
        drop(store);
        assert!(database_bytes(&path) == at_the_crash, "something was written behind the crash");
        assert_eq!(owner_files(&path), 1);

        let again = open(&path);
        let found = again.task(owned).unwrap();
        let progress = found.progress.map(|progress| progress.done);
        assert_eq!((found.outcome, progress), (Some(Outcome::Interrupted), Some(1)));
        let ended = format!("interrupted: process {} ended without finishing it", std::process::id());
        let mut expected = vec!["at the crash".to_owned(), ended];
        if !written {
            expected.remove(0);
        }
        assert_eq!(texts(&again, owned), expected);
        assert!(again.system_tasks().history(uuid, None, 10).unwrap().items[0].interrupted);
        assert_eq!(again.task(detached).unwrap().outcome, None);
        assert_eq!((again.check().unwrap(), owner_files(&path)), (vec![], 0));
        again.close().unwrap();
        assert!(!beside(&path, "-wal").exists());
    }
}

#[test]
fn the_next_opening_need_not_wait_for_the_crashed_store_to_go() {
    let (_directory, path, store, faults) = faulty();
    let guard = store.start(NewTask::new("owned")).unwrap();
    // Its connection for reading is kept for the next one who reads.
    assert_eq!(titles(&store), ["owned"]);
    faults.next(Fault::Crash { written: true });
    guard.info("last").unwrap_err();
    let again = open(&path);
    assert_eq!(titles(&again), ["owned"]);
    assert_eq!(again.task(guard.id()).unwrap().outcome, Some(Outcome::Interrupted));
    // Nobody else has the file, so that closing it merges the -wal: the crashed one holds nothing.
    again.close().unwrap();
    assert!(!beside(&path, "-wal").exists());
    drop((guard, store));
    assert_eq!(open(&path).counts(None).unwrap().interrupted, 1);
}

/// The control of the two above: a store that closes writes, and its guards do.
#[test]
fn without_a_crash_a_dropped_guard_writes() {
    let (_directory, path, store, _) = faulty();
    let id = interrupted(&store, "owned");
    drop(store);
    assert_eq!(texts(&open(&path), id), ["ended without finish or fail"]);
}

#[test]
fn a_crash_also_ends_a_store_in_memory_and_at_its_closing() {
    let faults = Faults::new();
    let store = options().faults(&faults).open_in_memory().unwrap();
    faults.next(Fault::Crash { written: true });
    assert!(matches!(try_to_start(&store, "t"), Err(Error::OutcomeUnknown { .. })));
    assert!(matches!(store.counts(None), Err(Error::Closed)));

    let (_directory, path, store, faults) = faulty();
    let guard = store.start(NewTask::new("owned")).unwrap();
    faults.next(Fault::Crash { written: false });
    assert!(matches!(store.close(), Err(Error::Closed)));
    drop((guard, store));
    assert_eq!(faults.injected(), 1);
    let again = options().recover(false).open(&path).unwrap();
    assert_eq!(again.counts(None).unwrap().in_progress, 1);
    assert_eq!(again.recover().unwrap().tasks, 1);
}

#[test]
fn faults_come_at_the_commits_that_they_are_planned_for() {
    let (_directory, _, store, faults) = faulty();
    faults.after(3, Fault::DiskFull);
    faults.next(Fault::Busy);
    faults.next(Fault::OutcomeUnknown { written: false });
    faults.after(3, Fault::Busy);
    let answers: Vec<_> = (0..6).map(|_| try_to_start(&store, "t")).collect();
    assert!(matches!(
        answers.as_slice(),
        [
            Err(Error::Busy { .. }),
            Err(Error::OutcomeUnknown { .. }),
            Err(Error::DiskFull { .. }),
            Err(Error::Busy { .. }),
            Ok(()),
            Ok(())
        ]
    ));
    assert_eq!((faults.injected(), titles(&store).len()), (4, 2));

    faults.after(2, Fault::DiskFull);
    faults.until_ended(Fault::Busy);
    assert!(matches!(try_to_start(&store, "t"), Err(Error::Busy { .. })));
    assert!(matches!(try_to_start(&store, "t"), Err(Error::DiskFull { .. })));
    assert!(matches!(try_to_start(&store, "t"), Err(Error::Busy { .. })));
    faults.after(1, Fault::DiskFull);
    faults.end();
    try_to_start(&store, "t").unwrap();
    assert_eq!(faults.injected(), 7);
}

#[test]
fn a_fault_that_several_callers_share_is_met_by_all_of_them_and_by_nobody_else() {
    const CALLERS: usize = 8;
    let [full, lost, written] =
        [Fault::DiskFull, Fault::OutcomeUnknown { written: false }, Fault::OutcomeUnknown { written: true }];
    for fault in [full, lost, written] {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < PATIENCE, "no two callers ever shared a commit");
            let (_directory, path, store, faults) = faulty();
            let (barrier, failed) = (Barrier::new(CALLERS + 1), AtomicUsize::new(0));
            faults.next(fault);
            thread::scope(|scope| {
                for number in 0..CALLERS {
                    let (store, barrier, failed) = (&store, &barrier, &failed);
                    scope.spawn(move || {
                        barrier.wait();
                        if let Err(error) = try_to_start(store, &number.to_string()) {
                            let is_full = matches!(error, Error::DiskFull { .. });
                            let is_unknown = matches!(error, Error::OutcomeUnknown { .. });
                            assert!(if fault == full { is_full } else { is_unknown }, "{error:?}");
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
                // They come while this has the turn, which ends without a commit.
                let held = store.batch(|_| {
                    barrier.wait();
                    (0..10_000).for_each(|_| thread::yield_now());
                    Err::<(), _>(Error::Closed)
                });
                held.unwrap_err();
            });
            let (failed, found) = (failed.into_inner(), titles(&store).len());
            assert_eq!(faults.injected(), 1);
            let expected = if fault == written { CALLERS } else { CALLERS - failed };
            assert_eq!(found, expected);
            store.close().unwrap();
            assert_eq!(titles(&open(&path)).len(), expected);
            if failed > 1 {
                break;
            }
        }
    }
}

#[test]
fn who_waits_behind_a_crash_finds_the_store_closed() {
    let (_directory, path, store, faults) = faulty();
    let barrier = Barrier::new(5);
    let answers: Vec<_> = thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let (store, barrier) = (&store, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    try_to_start(store, "behind")
                })
            })
            .collect();
        faults.next(Fault::Crash { written: false });
        let crashed = store.batch(|batch| {
            barrier.wait();
            batch.start_detached(NewTask::new("crashed"))
        });
        let mut answers = vec![crashed.map(drop)];
        answers.extend(callers.into_iter().map(|caller| caller.join().unwrap()));
        answers
    });
    assert!(answers.iter().all(|answer| matches!(answer, Err(Error::Closed | Error::OutcomeUnknown { .. }))));
    assert!(answers.iter().any(|answer| matches!(answer, Err(Error::OutcomeUnknown { .. }))));
    drop(store);
    assert_eq!(titles(&open(&path)), [""; 0]);
}

#[test]
fn one_script_serves_the_store_that_is_opened_behind_the_crash() {
    let (_directory, path, store, faults) = faulty();
    let clock = ManualClock::at("2026-11-21T12:00:00Z".parse().unwrap());
    let guard = store.start(NewTask::new("owned")).unwrap();
    faults.next(Fault::Crash { written: true });
    guard.info("last").unwrap_err();
    // The recovery at opening meets the fault, and is left to the next one.
    faults.next(Fault::DiskFull);
    let again = options().faults(&faults).clock(clock).open(&path).unwrap();
    assert_eq!((again.counts(None).unwrap().in_progress, faults.injected()), (1, 2));
    assert_eq!(again.recover().unwrap().tasks, 1);
}
