//! Waiting in each kind of store, and what it leaves alone.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use taskstore::{Error, Level, TaskFilter, TaskStore};

use super::{PATIENCE, changed};
use crate::support::files::{beside, shell};
use crate::support::{open, options, start, task_id, temporary};

#[test]
fn a_store_opened_for_reading_notices_what_others_write() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let writer = open(&path);
    let reader = options().read_only(true).open(&path).unwrap();
    for title in ["one", "two"] {
        let token = reader.change_token().unwrap();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| reader.wait_for_change(token, PATIENCE).unwrap());
            start(&writer, title);
            assert!(waiter.join().unwrap().is_some());
        });
    }
    // Also when the writer has gone, and another comes.
    let token = reader.change_token().unwrap();
    writer.close().unwrap();
    let token = reader.wait_for_change(token, Duration::ZERO).unwrap().unwrap_or(token);
    start(&open(&path), "three");
    assert!(changed(&reader, token));
    assert_eq!(reader.task(task_id(3)).unwrap().title, "three");
}

#[test]
fn an_immutable_store_never_changes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    open(&path).close().unwrap();
    let immutable = options().immutable(true).open(&path).unwrap();
    let before = opened(&path);
    let token = immutable.change_token().unwrap();
    assert_eq!(opened(&path), before, "a connection looks for what cannot come");
    start(&open(&path), "unseen");
    assert_eq!(immutable.wait_for_change(token, Duration::from_millis(50)).unwrap(), None);
    assert_eq!(immutable.change_token().unwrap(), token);
}

/// Whether something keeps the `-wal` from being merged and emptied, asked without patience.
fn is_checkpoint_blocked(shell: &Connection) -> bool {
    shell.busy_timeout(Duration::ZERO).unwrap();
    let busy: i64 = shell.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
    busy == 1
}

/// With a control: a snapshot that somebody holds does block it.
#[test]
fn a_store_that_was_asked_for_its_state_holds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (store, shell, holder) = (open(&path), shell(&path), shell(&path));
    for title in ["one", "two"] {
        start(&store, title);
        let token = store.change_token().unwrap();
        assert_eq!(store.wait_for_change(token, Duration::from_millis(50)).unwrap(), None);

        holder.execute_batch("BEGIN; SELECT count(*) FROM task").unwrap();
        start(&store, "behind the snapshot");
        assert!(is_checkpoint_blocked(&shell));
        holder.execute_batch("COMMIT").unwrap();

        assert!(changed(&store, token));
        assert!(!is_checkpoint_blocked(&shell));
        assert_eq!(beside(&path, "-wal").metadata().unwrap().len(), 0);
    }
}

#[test]
fn a_store_that_is_waited_for_lets_the_wal_be_merged_and_goes_on_noticing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (store, shell) = (open(&path), shell(&path));
    let id = start(&store, "t");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| super::follow(&store, id, 20).len());
        for number in 0..20 {
            shell.busy_timeout(PATIENCE).unwrap();
            let merged = shell.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
            assert_eq!(merged.unwrap(), 0);
            store.message(id, Level::Info, number.to_string()).unwrap();
        }
        assert_eq!(waiter.join().unwrap(), 20);
    });
}

/// A store whose state was asked for, last of all.
fn watched(path: &Path) -> TaskStore {
    let store = open(path);
    start(&store, "kept");
    store.change_token().unwrap();
    assert!(beside(path, "-wal").metadata().unwrap().len() > 0);
    store
}

#[test]
fn a_store_that_was_waited_for_leaves_one_file_when_it_goes() {
    type End = fn(TaskStore);
    let ends: [End; 2] = [|store| store.close().unwrap(), drop];
    for end in ends {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        end(watched(&path));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert_eq!(options().immutable(true).open(&path).unwrap().task(task_id(1)).unwrap().title, "kept");
    }
}

/// How often this process has the file open; `None` where the system does not tell.
fn opened(path: &Path) -> Option<usize> {
    let descriptors = fs::read_dir("/proc/self/fd").ok()?;
    let names = descriptors.filter_map(|descriptor| fs::read_link(descriptor.unwrap().path()).ok());
    Some(names.filter(|name| *name == path).count())
}

#[test]
fn a_store_whose_state_nobody_asks_for_opens_no_connection_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    start(&store, "t");
    store.task(task_id(1)).unwrap();
    let Some(before) = opened(&path) else { return };
    store.task(task_id(1)).unwrap();
    assert_eq!(opened(&path), Some(before));
    for _ in 0..3 {
        store.change_token().unwrap();
        assert_eq!(opened(&path), Some(before + 1));
    }
}

/// So many lists, each of which is read while the one before is. A search asks whether to go on before its second task.
fn list_within_lists(store: &TaskStore, lists: usize) {
    let Some(left) = lists.checked_sub(1) else { return };
    let mut inner = Some(left);
    let go_on = || {
        inner.take().into_iter().for_each(|left| list_within_lists(store, left));
        true
    };
    assert_eq!(store.list_while(&TaskFilter::new().text("t"), go_on).unwrap().items.len(), 2);
    assert_eq!(inner, None);
}

#[test]
fn of_many_readers_at_once_four_are_kept_for_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    start(&store, "t");
    start(&store, "t");
    // SQLite keeps a file open for the next connection on which this process has a lock, but not a `-wal`.
    let wal = beside(&path, "-wal");
    let Some(written) = opened(&wal) else { return };
    for (lists, kept) in [(1, 1), (3, 3), (9, 4)] {
        list_within_lists(&store, lists);
        assert_eq!(opened(&wal), Some(written + kept), "{lists} lists");
    }
}

#[test]
fn a_file_that_was_damaged_is_named_so_and_ends_the_wait() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    start(&store, "t");
    assert!(!is_checkpoint_blocked(&shell(&path)));
    // Through no connection of this process, which would lose its locks.
    let spoilt = Command::new("dd")
        .args(["if=/dev/zero", "bs=512", "count=1", "conv=notrunc"])
        .arg(format!("of={}", path.display()))
        .output();
    assert!(spoilt.unwrap().status.success());
    let token = temporary().change_token().unwrap();
    for answer in [store.change_token().map(drop), store.wait_for_change(token, PATIENCE).map(drop)] {
        assert!(matches!(answer, Err(Error::Damaged { .. })), "{answer:?}");
    }
}
