//! Others write meanwhile, and the caller may end it.

use std::ops::ControlFlow;
use std::time::Duration;

use chrono::DateTime;
use taskstore::{Error, PruneStop, RetentionRule, RunOptions, TaskFilter, TaskId, TaskStore};

use super::{all, fill, retention, sum};
use crate::support::{ManualClock, Nanoseconds as _, finished, options, start};

/// Two stores of one file, the second of which waits for nobody.
fn two(directory: &tempfile::TempDir) -> (TaskStore, TaskStore) {
    let path = directory.path().join("tasks.db");
    let store = options().open(&path).unwrap();
    (store, options().busy_timeout(Duration::ZERO).open(&path).unwrap())
}

#[test]
fn others_write_between_any_two_of_its_transactions() {
    let directory = tempfile::tempdir().unwrap();
    let (store, other) = two(&directory);
    fill(&store, 1_000, 5, 2_000);
    let mut written = 0;
    let report = store.prune_with(&retention(all()), |_| {
        // Neither the file nor the turns of the store's own callers are taken.
        start(&other, "meanwhile");
        start(&store, "meanwhile");
        written += 2;
        ControlFlow::Continue(())
    });
    let report = report.unwrap();
    assert_eq!((report.tasks.finished, report.messages, report.stopped), (1_000, 5_000, None));
    // Five of tasks, and as many steps of 2 MiB as give back 10 MB.
    assert!(written >= 2 * (5 + 5), "{written}");
    let counts = store.counts(None).unwrap();
    assert_eq!((counts.in_progress, counts.finished), (written, 0));
    assert_eq!(store.check().unwrap(), []);

    // Inside one transaction, as a prune in one piece would be, they cannot.
    let meanwhile = store.batch(|batch| {
        batch.start_detached(taskstore::NewTask::new("first"))?;
        Ok::<_, Error>(other.start_detached(taskstore::NewTask::new("meanwhile")))
    });
    assert!(matches!(meanwhile.unwrap(), Err(Error::Busy { .. })));
}

#[test]
fn what_is_dismissed_restored_or_deleted_meanwhile_is_judged_as_it_is_then() {
    let directory = tempfile::tempdir().unwrap();
    let (store, other) = two(&directory);
    let ids = fill(&store, 402, 1, 10);
    for id in &ids {
        store.dismiss(*id, "ann").unwrap();
    }
    let mut changed = false;
    let report = store.prune_with(&retention(all().dismissed(taskstore::Dismissed::Only)), |_| {
        if !std::mem::replace(&mut changed, true) {
            other.restore(ids[400]).unwrap();
            other.delete(ids[401]).unwrap();
        }
        ControlFlow::Continue(())
    });
    assert_eq!((report.unwrap().tasks.dismissed_finished, changed), (400, true));
    assert_eq!(store.counts(None).unwrap().finished, 1);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn what_ends_meanwhile_stays() {
    let directory = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(DateTime::UNIX_EPOCH);
    let path = directory.path().join("tasks.db");
    let store = options().clock(clock.clone()).open(path).unwrap();
    fill(&store, 3, 0, 0);
    let late = start(&store, "late");
    let end = |id: TaskId| {
        clock.advance_ns(1);
        let _ = store.finish(id);
        ControlFlow::Continue(())
    };
    let rules = retention(all()).rule(RetentionRule::new().keep(1));
    let report = store.prune_with(&rules, |_| end(late)).unwrap();
    assert_eq!(report.tasks.finished, 3);
    assert_eq!(store.task(late).unwrap().title, "late");
}

#[test]
fn what_starts_and_ends_meanwhile_stays_and_the_prune_has_an_end() {
    let directory = tempfile::tempdir().unwrap();
    let (store, other) = two(&directory);
    fill(&store, 2_500, 0, 0);
    let late = start(&store, "late");
    let mut new = Vec::new();
    let report = store.prune_with(&retention(RetentionRule::new().keep(0)), |_| {
        if new.is_empty() {
            other.finish(late).unwrap();
        }
        new.push(finished(&other, "new"));
        // It would go on for ever.
        if new.len() < 1_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let report = report.unwrap();
    assert_eq!((report.tasks.finished, report.stopped), (2_500, None));
    let mut left: Vec<_> = store.list(&TaskFilter::new()).unwrap().items.into_iter().map(|task| task.id).collect();
    left.sort();
    new.insert(0, late);
    assert_eq!(left, new);
}

#[test]
fn what_ends_meanwhile_is_none_of_those_that_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let (store, other) = two(&directory);
    let ids = fill(&store, 5, 0, 0);
    let late = start(&store, "late");
    let expiring = RunOptions::new().expires_after(Duration::ZERO);
    store.system_tasks().start_with("a", None, expiring).unwrap().finish().unwrap();
    let mut ended = false;
    // It tells of the run that has gone before it counts the newest.
    let rules = retention(RetentionRule::new().keep(2)).expired_runs(true);
    let report = store.prune_with(&rules, |_| {
        if !std::mem::replace(&mut ended, true) {
            other.finish(late).unwrap();
            finished(&other, "new");
        }
        ControlFlow::Continue(())
    });
    assert_eq!(report.unwrap().tasks.finished, 3);
    assert!(ids[3..].iter().all(|id| store.task(*id).is_ok()));
    assert_eq!(store.counts(None).unwrap().finished, 4);
}

#[test]
fn the_caller_ends_it_between_two_tasks_and_another_call_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = two(&directory);
    // The first is too big for one transaction.
    fill(&store, 1, 12_000, 10);
    fill(&store, 500, 1, 10);
    let mut told = 0;
    let report = store.prune_with(&retention(all()), |_| {
        told += 1;
        ControlFlow::Break(())
    });
    let report = report.unwrap();
    assert_eq!(report.stopped, Some(PruneStop::Asked));
    // It was asked to stop amid the first task.
    assert!(told > 1 && report.tasks.finished > 0, "{told} {report:?}");
    assert!(report.messages >= 12_000);
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(store.counts(None).unwrap().finished, 501 - report.tasks.finished);

    let rest = store.prune(&retention(all())).unwrap();
    assert_eq!((rest.tasks.finished, rest.stopped), (501 - report.tasks.finished, None));
}

#[test]
fn how_far_it_is_never_falls_and_comes_to_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = two(&directory);
    fill(&store, 2_500, 1, 2_000);
    let (mut last, mut seen) = (0, Vec::new());
    let rules = retention(RetentionRule::new().keep(500)).rule(all().file_bytes_max(100_000));
    let report = store.prune_with(&rules, |progress| {
        assert!(progress.done >= last && progress.done <= progress.total, "{progress:?}");
        last = progress.done;
        seen.push((progress.done, progress.total));
        ControlFlow::Continue(())
    });
    assert_eq!(sum(&report.unwrap().tasks), 2_500);
    let (done, total) = seen.last().unwrap();
    // What was given back in the last step may have been a page or two less than was free.
    assert!(done + done / 10 >= *total, "{seen:?}");
}
