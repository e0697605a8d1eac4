//! Counts are those of a full count, whatever has happened to the tasks.

use taskstore::{ConfigurationId, Dismissed, Error, Finding, NewTask, Outcomes, TaskCounts, TaskFilter, TaskStore};

use crate::support::files::shell;
use crate::support::{configuration_id, finished, interrupted, open, start, task_id, temporary};

/// In progress, finished, failed, interrupted; dismissed: finished, failed, interrupted.
fn columns(store: &TaskStore, configuration: Option<ConfigurationId>) -> [u64; 7] {
    columns_of(&store.counts(configuration).unwrap())
}

fn columns_of(counts: &TaskCounts) -> [u64; 7] {
    [
        counts.in_progress,
        counts.finished,
        counts.failed,
        counts.interrupted,
        counts.dismissed_finished,
        counts.dismissed_failed,
        counts.dismissed_interrupted,
    ]
}

/// Every column has another number: 1 in progress, 2 finished, … 7 dismissed after an interruption.
fn one_to_seven() -> TaskStore {
    let store = temporary();
    let fail = || {
        let id = start(&store, "failing");
        store.fail(id, "").unwrap();
        id
    };
    start(&store, "in progress");
    for _ in 0..2 {
        finished(&store, "finished");
    }
    for _ in 0..3 {
        fail();
    }
    for _ in 0..4 {
        interrupted(&store, "interrupted");
    }
    (0..5).for_each(|_| store.dismiss(finished(&store, "finished"), "ann").unwrap());
    (0..6).for_each(|_| store.dismiss(fail(), "ann").unwrap());
    (0..7).for_each(|_| store.dismiss(interrupted(&store, "interrupted"), "ann").unwrap());
    store
}

#[test]
fn an_empty_store_has_no_tasks() {
    assert_eq!(temporary().counts(None).unwrap(), TaskCounts::default());
}

#[test]
fn tasks_are_counted_by_outcome_and_dismissal() {
    assert_eq!(columns(&one_to_seven(), None), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn the_counts_of_a_filter_are_what_its_list_shows() {
    let store = one_to_seven();
    let counts = store.counts(None).unwrap();
    let kinds = [Outcomes::IN_PROGRESS, Outcomes::FINISHED, Outcomes::FAILED, Outcomes::INTERRUPTED];
    for set in 1..16 {
        let chosen = kinds.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, kind)| *kind);
        let outcomes = chosen.reduce(|a, b| a | b).unwrap();
        for dismissed in [Dismissed::Hidden, Dismissed::Included, Dismissed::Only] {
            let filter = TaskFilter::new().outcomes(outcomes).dismissed(dismissed);
            let listed = store.list(&filter).unwrap().items.len() as u64;
            assert_eq!(counts.of(outcomes, dismissed), listed, "{outcomes:?} {dismissed:?}");
        }
    }
}

#[test]
fn a_restored_task_counts_as_what_it_was_and_a_deleted_one_not_at_all() {
    let store = one_to_seven();
    let only = TaskFilter::new().dismissed(Dismissed::Only).outcomes(Outcomes::FAILED);
    let [restored, deleted] = [0, 1].map(|place| store.list(&only).unwrap().items[place].id);
    store.restore(restored).unwrap();
    store.delete(deleted).unwrap();
    assert_eq!(columns(&store, None), [1, 2, 4, 4, 5, 4, 7]);
    store.delete(restored).unwrap();
    assert_eq!(columns(&store, None), [1, 2, 3, 4, 5, 4, 7]);
}

#[test]
fn dismissing_all_counts_all_as_dismissed() {
    let store = one_to_seven();
    store.dismiss_all(None, "bob").unwrap();
    assert_eq!(columns(&store, None), [1, 0, 0, 0, 7, 9, 11]);
}

#[test]
fn a_configuration_has_counts_of_its_own_until_it_is_deleted() {
    let store = temporary();
    let [prod, test] = ["prod", "test"].map(|name| store.configurations().add(name).unwrap());
    let of = |id| store.start_detached(NewTask::new("t").configuration(id)).unwrap();
    let ended = of(prod);
    store.finish(ended).unwrap();
    of(prod);
    of(test);
    start(&store, "of none");
    assert_eq!(columns(&store, Some(prod)), [1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(columns(&store, Some(test)), [1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(columns(&store, None), [3, 1, 0, 0, 0, 0, 0]);

    store.dismiss_all(Some(prod), "ann").unwrap();
    assert_eq!(columns(&store, Some(prod)), [1, 0, 0, 0, 1, 0, 0]);
    store.configurations().delete(prod).unwrap();
    assert_eq!(columns(&store, Some(prod)), [0; 7]);
    assert_eq!(columns(&store, None), [3, 0, 0, 0, 1, 0, 0]);
    assert_eq!(columns(&store, Some(configuration_id(99))), [0; 7]);
}

#[test]
fn a_refused_verb_and_a_batch_that_is_undone_count_nothing() {
    let store = one_to_seven();
    assert!(matches!(store.finish(task_id(2)), Err(Error::WrongState { .. })));
    assert!(matches!(store.delete(task_id(1)), Err(Error::WrongState { .. })));
    assert!(matches!(store.delete(task_id(999)), Err(Error::NotFound { .. })));
    let undone = store.batch(|batch| {
        batch.start_detached(NewTask::new("t"))?;
        batch.finish(task_id(1))?;
        Err::<(), _>(Error::Closed)
    });
    assert!(undone.is_err());
    assert_eq!(columns(&store, None), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_batch_that_is_committed_counts_all_of_it() {
    let store = temporary();
    store
        .batch(|batch| {
            for _ in 0..10 {
                let id = batch.start_detached(NewTask::new("t"))?;
                batch.finish(id)?;
                batch.dismiss(id, "ann")?;
                // Refused, and the batch goes on.
                assert!(batch.finish(id).is_err());
            }
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(columns(&store, None), [0, 0, 0, 0, 10, 0, 0]);
}

#[test]
fn eight_threads_at_once_lose_no_count() {
    let store = temporary();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..25 {
                    let id = start(store, "t");
                    match number % 2 {
                        0 => store.finish(id).unwrap(),
                        _ => store.fail(id, "no").unwrap(),
                    }
                }
            });
        }
    });
    assert_eq!(columns(&store, None), [0, 100, 100, 0, 0, 0, 0]);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn counts_that_another_program_made_wrong_are_found_and_mended() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let prod = store.configurations().add("prod").unwrap();
    store.start_detached(NewTask::new("t").configuration(prod)).unwrap();
    start(&store, "of none");
    assert_eq!(store.check().unwrap(), []);

    shell(&path).execute("DELETE FROM task WHERE configuration_id = 1", []).unwrap();
    assert_eq!(columns(&store, Some(prod)), [1, 0, 0, 0, 0, 0, 0], "what is kept is not asked of the tasks");
    let found = store.check().unwrap();
    let [Finding::TaskCounts { configuration: Some(id), kept, counted, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!((*id, kept.in_progress, counted.in_progress), (prod, 1, 0));
    assert_eq!(found[0].to_string(), "the counts of the tasks of configuration 1 are wrong; a recount mends them");

    store.recount().unwrap();
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(columns(&store, None), [1, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn counts_below_none_are_found_and_shown_as_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    finished(&store, "t");
    shell(&path).execute("UPDATE task_count SET finished = 0, failed = -3", []).unwrap();
    store.delete(task_id(1)).unwrap();
    assert_eq!(columns(&store, None), [0; 7]);
    assert_eq!(store.check().unwrap().len(), 1);
    store.recount().unwrap();
    assert_eq!(store.check().unwrap(), []);
}
