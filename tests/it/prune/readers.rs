//! The `-wal` while somebody reads for long.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use taskstore::{Level, PruneStop, RetentionRule, TaskFilter, TaskStore};

use super::{all, fill, retention};
use crate::support::files::{beside, shell};
use crate::support::{Slow, open, options, start};

const MIB: u64 = 1 << 20;
/// Beyond this nothing is pruned.
const BOUND: u64 = 64 * MIB;
/// What one transaction of a prune adds at the most, with room.
const TRANSACTION: u64 = 8 * MIB;
/// To this it falls back.
const KEPT: u64 = 16 * MIB;

fn wal_bytes(path: &Path) -> u64 {
    beside(path, "-wal").metadata().map_or(0, |metadata| metadata.len())
}

/// 80 MiB of tasks that a prune that keeps the newest 80 deletes, and behind them as many that are moved in their place.
fn filled(path: &Path) -> TaskStore {
    let store = options().busy_timeout(Duration::from_millis(50)).open(path).unwrap();
    (0..160).for_each(|_| drop(fill(&store, 1, 2, 1 << 19)));
    store
}

fn old() -> taskstore::Retention {
    retention(RetentionRule::new().keep(80))
}

/// Three writes.
fn start_three(store: &TaskStore) {
    for _ in 0..3 {
        start(store, "t");
    }
}

/// Does `work` while the store is read from a snapshot of now.
fn while_read(store: &TaskStore, work: impl FnOnce()) {
    let mut work = Some(work);
    let slow = Slow::new(|| {
        if let Some(work) = work.take() {
            work();
        }
    });
    store.export_tasks(&TaskFilter::new(), slow).unwrap();
    assert!(work.is_none());
}

#[test]
fn a_prune_stops_where_a_reader_keeps_the_wal_from_being_merged_and_another_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = filled(&path);
    let (mut largest, mut first) = (0, None);
    while_read(&store, || {
        let report = store.prune_with(&old(), |_| {
            largest = largest.max(wal_bytes(&path));
            ControlFlow::Continue(())
        });
        largest = largest.max(wal_bytes(&path));
        first = Some(report.unwrap());
    });
    let first = first.unwrap();
    assert_eq!((first.stopped, first.tasks.finished), (Some(PruneStop::ReaderHeld), 80));
    assert!(largest > BOUND && largest <= BOUND + TRANSACTION, "{largest}");
    assert_eq!(store.counts(None).unwrap().finished, 80);
    assert_eq!(store.check().unwrap(), []);

    // The reader has gone: the second write begins the -wal anew.
    start_three(&store);
    assert!(wal_bytes(&path) <= KEPT, "{}", wal_bytes(&path));

    let second = store.prune(&old()).unwrap();
    assert_eq!((second.stopped, second.tasks.finished), (None, 0));
    assert!(first.bytes + second.bytes > 78 * MIB, "{first:?} {second:?}");
    assert!(path.metadata().unwrap().len() < 90 * MIB);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn the_same_in_one_transaction_of_another_program_passes_the_bound() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = filled(&path);
    while_read(&store, || {
        let sql = "PRAGMA foreign_keys = ON; BEGIN IMMEDIATE; DELETE FROM task WHERE id <= 80";
        let shell = shell(&path);
        shell.execute_batch(sql).unwrap();
        let mut vacuum = shell.prepare("PRAGMA incremental_vacuum").unwrap();
        let mut steps = vacuum.query([]).unwrap();
        while steps.next().unwrap().is_some() {}
        drop(steps);
        shell.execute_batch("COMMIT").unwrap();
        assert!(wal_bytes(&path) > BOUND + TRANSACTION, "{}", wal_bytes(&path));
    });
}

#[test]
fn a_prune_waits_for_a_reader_and_goes_on_when_it_has_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    filled(&path).close().unwrap();
    let store = options().busy_timeout(Duration::from_secs(600)).open(&path).unwrap();
    let reader = open(&path);
    let (go, gone) = mpsc::channel::<()>();
    let (reads, begun) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let (reader, mut reads) = (&reader, Some(reads));
        let held = move || {
            if let Some(reads) = reads.take() {
                reads.send(()).unwrap();
                gone.recv().unwrap();
            }
        };
        let reading = scope.spawn(move || reader.export_tasks(&TaskFilter::new(), Slow::new(held)).unwrap());
        begun.recv().unwrap();
        let (mut go, mut reading) = (Some(go), Some(reading));
        let report = store.prune_with(&old(), |_| {
            if wal_bytes(&path) > BOUND
                && let Some(go) = go.take()
            {
                go.send(()).unwrap();
                assert_eq!(reading.take().unwrap().join().unwrap(), 160);
            }
            ControlFlow::Continue(())
        });
        let report = report.unwrap();
        assert!(reading.is_none(), "it never came to wait");
        assert_eq!((report.stopped, report.tasks.finished), (None, 80));
    });
    assert!(path.metadata().unwrap().len() < 90 * MIB);
}

#[test]
fn a_reader_is_no_hindrance_where_little_is_pruned() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(Duration::ZERO).open(&path).unwrap();
    fill(&store, 300, 2, 1_000);
    while_read(&store, || {
        let report = store.prune(&retention(all())).unwrap();
        assert_eq!((report.tasks.finished, report.stopped), (300, None));
    });
}

/// Writes 24 MiB to one task.
fn write_much(store: &TaskStore, text: &str) {
    let id = start(store, "long");
    (0..24).for_each(|_| store.message(id, Level::Info, text).unwrap());
}

#[test]
fn a_wal_that_has_grown_while_somebody_read_falls_back_after() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (store, text) = (open(&path), "x".repeat(1 << 20));
    start(&store, "first");
    while_read(&store, || write_much(&store, &text));
    let grown = wal_bytes(&path);
    assert!(grown > 24 * MIB, "{grown}");
    start_three(&store);
    assert_eq!(wal_bytes(&path), KEPT);

    // A connection without the limit leaves it as it is.
    while_read(&store, || write_much(&store, &text));
    assert!(wal_bytes(&path) > 24 * MIB);
    let other = shell(&path);
    let write = "INSERT INTO configuration (name) VALUES ('c')";
    (0..3).for_each(|_| assert_eq!(other.execute(write, []).unwrap(), 1));
    assert!(wal_bytes(&path) > 24 * MIB, "{}", wal_bytes(&path));
}
