//! Backups while threads and another process write.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use taskstore::TaskStore;

use super::fill;
use super::load::{Pair, wrong};
use crate::support::children::{Telling, role, say};
use crate::support::{open, task_id};

const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `work` while two threads of the store and another process write, each to its pair.
fn under_load(test: &str, work: impl FnOnce(&Path, &TaskStore, &[Pair])) {
    if let Some((_, path)) = role() {
        let store = open(&path);
        let pair = Pair::start(&store);
        say(&i64::from(pair.0[0]).to_string());
        return pair.write(&store, || true);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    fill(&store);
    let ours = [Pair::start(&store), Pair::start(&store)];
    let mut other = Telling::start(test, "writer", &path);
    let first: i64 = other.next().parse().unwrap();
    let pairs = [ours[0], ours[1], Pair([task_id(first), task_id(first + 1)])];

    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (store, over) = (&store, &over);
        for pair in ours {
            scope.spawn(move || pair.write(store, || !over.load(Ordering::Relaxed)));
        }
        let _over = Over(over);
        work(directory.path(), store, &pairs);
    });
    other.kill();
}

/// Ends the writers, also when the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What was acknowledged of each.
fn acknowledged(store: &TaskStore, pairs: &[Pair]) -> Vec<(Pair, u64)> {
    pairs.iter().map(|pair| (*pair, pair.written(store))).collect()
}

/// Waits until each writer has written more than this.
fn wait_for_more(store: &TaskStore, than: &[(Pair, u64)]) {
    let begun = Instant::now();
    while than.iter().any(|(pair, written)| pair.written(store) <= *written) {
        assert!(begun.elapsed() < PATIENCE, "a writer is held up");
        thread::yield_now();
    }
}

#[test]
fn a_backup_under_load_is_of_one_instant_and_has_what_was_acknowledged_before() {
    let test = "backup::under_load::a_backup_under_load_is_of_one_instant_and_has_what_was_acknowledged_before";
    under_load(test, |directory, store, pairs| {
        for round in 0..3 {
            let copy = directory.join(format!("backup {round}"));
            let before = acknowledged(store, pairs);
            let (mut steps, mut done) = (0, 0);
            let bytes = store.backup_to_with(&copy, |progress| {
                // Nobody is held up, and SQLite does not begin again: all write between two steps.
                wait_for_more(store, &acknowledged(store, pairs));
                assert!(progress.done_bytes > done, "{progress:?} behind {done}");
                done = progress.done_bytes;
                steps += 1;
                ControlFlow::Continue(())
            });
            assert_eq!(bytes.unwrap(), done);
            assert!(steps > 3, "{steps}");
            assert_eq!(wrong(&copy, &before), [""; 0]);
        }
    });
}

/// The control: what any program does that copies the file.
#[test]
fn a_plain_copy_under_load_is_caught() {
    under_load("backup::under_load::a_plain_copy_under_load_is_caught", |directory, store, pairs| {
        let caught = (0..10).any(|round| {
            wait_for_more(store, &acknowledged(store, pairs));
            let before = acknowledged(store, pairs);
            let copy = directory.join(format!("copy {round}"));
            // Another process copies: to close the file here would drop the locks of the store.
            let copied = Command::new("cp").arg(directory.join("tasks.db")).arg(&copy).status().unwrap();
            assert!(copied.success());
            !wrong(&copy, &before).is_empty()
        });
        assert!(caught);
    });
}

#[test]
fn of_many_backups_to_one_name_one_gets_it() {
    let (directory, store) = super::large();
    let path = directory.path().join("backup");
    let made: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| store.backup_to(&path))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let refused = made.iter().filter(|made| match made {
        Ok(_) => false,
        Err(taskstore::Error::AlreadyExists { path: named }) => named.ends_with("backup"),
        Err(error) => panic!("{error:?}"),
    });
    assert_eq!(refused.count(), 5);
    assert_eq!(super::others(directory.path()), ["backup"]);
    super::assert_whole(&store, &path);
}
