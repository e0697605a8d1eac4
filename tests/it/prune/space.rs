//! The file becomes smaller.

use std::path::Path;

use taskstore::{Outcomes, RetentionRule};

use super::{all, fill, retention};
use crate::support::files::{beside, shell};
use crate::support::options;

fn bytes(path: &Path) -> u64 {
    path.metadata().unwrap().len()
}

#[test]
fn what_is_deleted_is_given_back_to_the_file_system() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().open(&path).unwrap();
    fill(&store, 2_000, 2, 4_000);
    fill(&store, 100, 2, 4_000);
    // All of it is in the file.
    shell(&path).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let before = bytes(&path);
    assert!(before > 16 << 20, "{before}");

    let report = store.prune(&retention(RetentionRule::new().keep(100))).unwrap();
    assert_eq!(report.tasks.finished, 2_000);
    assert_eq!(bytes(&path), before - report.bytes);
    assert!(bytes(&path) < 2 << 20, "{}", bytes(&path));
    assert_eq!(bytes(&beside(&path, "-wal")), 0);
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(store.counts(None).unwrap().finished, 100);
    let free: i64 = shell(&path).query_row("PRAGMA freelist_count", [], |row| row.get(0)).unwrap();
    assert_eq!(free, 0);
}

#[test]
fn what_was_free_before_is_given_back_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().open(&path).unwrap();
    let ids = fill(&store, 10, 1, 1 << 20);
    ids.into_iter().for_each(|id| store.delete(id).unwrap());
    let would = store.prune_dry_run(&retention(all())).unwrap();
    let did = store.prune(&retention(all())).unwrap();
    assert_eq!((did.tasks.finished, did.messages), (0, 0));
    assert!(did.bytes > 10 << 20 && did.bytes.abs_diff(would.bytes) < 1 << 16, "{did:?} {would:?}");
    assert!(bytes(&path) < 1 << 20);
}

#[test]
fn a_file_without_room_for_it_is_pruned_and_keeps_its_size() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    options().open(&path).unwrap().close().unwrap();
    // What no store does: a file that cannot give back single pages.
    shell(&path).execute_batch("PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM").unwrap();
    let store = options().open(&path).unwrap();
    fill(&store, 10, 1, 1 << 20);
    let report = store.prune(&retention(all())).unwrap();
    assert_eq!((report.tasks.finished, report.bytes), (10, 0));
    assert!(bytes(&path) > 10 << 20);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn the_oldest_go_until_the_file_is_no_larger_than_it_may_be_and_no_more() {
    const MAX: u64 = 4 << 20;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().open(&path).unwrap();
    let ids = fill(&store, 1_000, 2, 5_000);
    let would = store.prune_dry_run(&retention(RetentionRule::new().file_bytes_max(MAX))).unwrap();
    let report = store.prune(&retention(RetentionRule::new().file_bytes_max(MAX))).unwrap();
    // One task more would have been too much, and one is 10 KB.
    assert!((MAX - 64_000..=MAX).contains(&bytes(&path)), "{}", bytes(&path));
    let gone = report.tasks.finished;
    assert!(gone > 500 && gone < 1_000, "{gone}");
    let is_there: Vec<_> = ids.iter().map(|id| store.task(*id).is_ok()).collect();
    assert_eq!(is_there.iter().position(|there| *there), usize::try_from(gone).ok(), "the oldest went");
    assert!(is_there.iter().skip(usize::try_from(gone).unwrap()).all(|there| *there));
    // What was foretold is near.
    assert!(would.tasks.finished.abs_diff(gone) < 100, "{would:?} {report:?}");
    assert!(would.bytes.abs_diff(report.bytes) < report.bytes / 10, "{would:?} {report:?}");

    // It fits, so nothing more goes.
    assert_eq!(store.prune(&retention(RetentionRule::new().file_bytes_max(MAX))).unwrap().tasks.finished, 0);
}

#[test]
fn what_other_rules_delete_counts_for_the_size_and_what_a_rule_does_not_take_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().open(&path).unwrap();
    let failed = store.start_detached(taskstore::NewTask::new("failed")).unwrap();
    store.fail(failed, "x".repeat(1 << 20)).unwrap();
    fill(&store, 100, 1, 10_000);
    fill(&store, 50, 1, 10_000);
    let by_number = RetentionRule::new().outcomes(Outcomes::FINISHED).keep(50);
    let by_size = RetentionRule::new().outcomes(Outcomes::FINISHED).file_bytes_max(3 << 20);
    let report = store.prune(&retention(by_number).rule(by_size)).unwrap();
    assert_eq!(report.tasks.finished, 100, "the file fits then");
    let nothing_fits = RetentionRule::new().outcomes(Outcomes::FINISHED).keep(10).file_bytes_max(0);
    assert_eq!(store.prune(&retention(nothing_fits)).unwrap().tasks.finished, 40);
    assert_eq!(store.task(failed).unwrap().message_count, 1);
}
