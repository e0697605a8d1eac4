//! Tasks that are too big for one transaction.

use std::ops::ControlFlow;
use std::path::Path;

use taskstore::{Dismissed, Level, NewTask, PruneProgress, Retention, RetentionRule, TaskFilter, TaskStore};

use super::{all, fill, retention, sum};
use crate::support::files::shell;
use crate::support::{options, temporary};

/// A finished task with so many messages, the third of which is a warning and the 6,000th an error.
fn big(store: &TaskStore, messages: usize) {
    let filled = store.batch(|batch| {
        let id = batch.start_detached(NewTask::new("big"))?;
        for number in 1..=messages {
            let level = match number {
                3 => Level::Warn,
                6_000 => Level::Error,
                _ => Level::Info,
            };
            batch.message(id, level, "a line of some length")?;
        }
        batch.finish(id)
    });
    filled.unwrap();
}

/// Prunes, and gives how many messages had gone when it told how far it was.
fn told(store: &TaskStore, retention: &Retention, mut see: impl FnMut(&PruneProgress)) -> Vec<u64> {
    let mut told = Vec::new();
    let report = store.prune_with(retention, |progress| {
        see(progress);
        told.push(progress.report.messages);
        ControlFlow::Continue(())
    });
    assert_eq!(report.unwrap().stopped, None);
    told.dedup();
    told
}

#[test]
fn a_task_with_a_hundred_thousand_messages_goes_in_many_transactions_each_of_which_leaves_a_sound_file() {
    let store = temporary();
    big(&store, 100_000);
    fill(&store, 2, 1, 10);
    let mut levels = Vec::new();
    let mut looked = 0;
    let told = told(&store, &retention(all()), |progress| {
        looked += 1;
        // A check reads all of it.
        if progress.report.tasks.finished == 0 && (looked % 5 == 0 || progress.report.messages > 90_000) {
            assert_eq!(store.check().unwrap(), []);
            let task = store.list(&TaskFilter::new()).unwrap().items.into_iter().find(|task| task.title == "big");
            let task = task.unwrap();
            assert_eq!(task.message_count, 100_000 - progress.report.messages);
            levels.push(task.level_reached);
        }
    });
    assert!(told.windows(2).all(|pair| pair[1] - pair[0] <= 5_000), "{told:?}");
    assert_eq!(told.last(), Some(&100_002));
    assert!(levels.contains(&Some(Level::Error)), "{levels:?}");
    levels.retain(|level| *level != Some(Level::Error));
    // With all but the first messages gone there is but the warning; with all of them no task.
    assert_eq!(levels, [Some(Level::Warn)]);
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(store.list(&TaskFilter::new()).unwrap().items, []);
}

/// How much of the file is in use.
fn used_bytes(path: &Path) -> u64 {
    let shell = shell(path);
    let [pages, free, size] = ["page_count", "freelist_count", "page_size"]
        .map(|name| shell.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap());
    u64::try_from((pages - free) * size).unwrap()
}

#[test]
fn a_big_task_goes_as_a_whole_also_if_the_file_fits_with_a_part_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().open(&path).unwrap();
    big(&store, 12_000);
    let small = fill(&store, 1, 1, 10)[0];
    let bound = RetentionRule::new().file_bytes_max(used_bytes(&path) - 1);
    let report = store.prune(&retention(bound)).unwrap();
    assert_eq!((report.tasks.finished, report.messages), (1, 12_000));
    let left: Vec<_> = store.list(&TaskFilter::new()).unwrap().items.into_iter().map(|task| task.id).collect();
    assert_eq!(left, [small]);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn a_big_task_that_is_restored_when_it_has_begun_to_go_goes() {
    let store = temporary();
    let id = fill(&store, 1, 12_000, 10)[0];
    store.dismiss(id, "ann").unwrap();
    let mut restored = false;
    let report = store.prune_with(&retention(all().dismissed(Dismissed::Only)), |progress| {
        if progress.report.messages > 0 && !std::mem::replace(&mut restored, true) {
            store.restore(id).unwrap();
            assert_eq!(store.task(id).unwrap().message_count, 7_000);
        }
        ControlFlow::Continue(())
    });
    let report = report.unwrap();
    // It is counted as what it was in the end.
    assert_eq!((report.tasks.finished, report.tasks.dismissed_finished, report.messages), (1, 0, 12_000));
    assert_eq!(sum(&store.counts(None).unwrap()), 0);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn long_texts_are_deleted_a_few_at_a_time() {
    let store = temporary();
    // 40 MiB in one task, 12 in another, 1 in each of twelve.
    fill(&store, 1, 40, 1 << 20);
    fill(&store, 1, 12, 1 << 20);
    fill(&store, 12, 1, 1 << 20);
    let told = told(&store, &retention(all()), |_| {});
    assert!(told.windows(2).all(|pair| pair[1] - pair[0] <= 8), "{told:?}");
    assert_eq!(told.last(), Some(&64));
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn a_message_longer_than_a_transaction_is_to_delete_goes_alone() {
    let limits = taskstore::Limits { text_bytes_max: 12 << 20, ..taskstore::Limits::default() };
    let store = crate::support::options().limits(limits).open_temporary().unwrap();
    fill(&store, 1, 2, 10 << 20);
    fill(&store, 2, 1, 10 << 20);
    let told = told(&store, &retention(all()), |_| {});
    assert!(told.windows(2).all(|pair| pair[1] - pair[0] <= 1), "{told:?}");
    assert_eq!(told.last(), Some(&4));
}

#[test]
fn many_small_tasks_go_two_hundred_at_a_time() {
    let store = temporary();
    fill(&store, 1_000, 0, 0);
    let mut told = Vec::new();
    let report = store.prune_with(&retention(all()), |progress| {
        told.push(progress.report.tasks.finished);
        ControlFlow::Continue(())
    });
    assert_eq!(report.unwrap().tasks.finished, 1_000);
    told.dedup();
    assert_eq!(told, [200, 400, 600, 800, 1_000]);
}
