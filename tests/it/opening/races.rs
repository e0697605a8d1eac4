//! Many that open one file at once.

use std::path::Path;
use std::sync::Barrier;

use taskstore::{Level, NewTask, TaskStore};

use crate::support::children::{Children, role, say, wait_for_go};
use crate::support::{everything, open, options, start};

const THREADS: usize = 8;

#[test]
fn eight_threads_that_open_a_new_file_at_once_all_succeed() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..40 {
        let path = directory.path().join(format!("{round}.db"));
        let barrier = Barrier::new(THREADS);
        std::thread::scope(|scope| {
            for number in 0..THREADS {
                let (path, barrier) = (&path, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let store = options().open(path).unwrap_or_else(|error| panic!("round {round}: {error:?}"));
                    start(&store, &number.to_string());
                });
            }
        });
        let mut titles: Vec<_> = everything(&open(&path)).tasks.into_iter().map(|(task, _)| task.title).collect();
        titles.sort();
        assert!(titles.into_iter().eq((0..THREADS).map(|number| number.to_string())));
    }
}

const ROUNDS: usize = 40;

#[test]
fn four_processes_that_open_new_files_at_once_all_succeed() {
    let test = "opening::races::four_processes_that_open_new_files_at_once_all_succeed";
    if let Some((who, directory)) = role() {
        wait_for_go();
        for round in 0..ROUNDS {
            let store = options().open(directory.join(format!("{round}.db")));
            start(&store.unwrap_or_else(|error| panic!("round {round}: {error:?}")), &who);
        }
        return say("done");
    }
    let directory = tempfile::tempdir().unwrap();
    let said = Children::ready(test, &["a", "b", "c", "d"], directory.path()).go();
    assert_eq!(said, vec![["done"]; 4]);
    for round in 0..ROUNDS {
        let store = open(&directory.path().join(format!("{round}.db")));
        let mut titles: Vec<_> = everything(&store).tasks.into_iter().map(|(task, _)| task.title).collect();
        titles.sort();
        assert_eq!(titles, ["a", "b", "c", "d"]);
    }
}

/// Writes so much in each turn that SQLite merges the `-wal` into a growing file again and again.
fn grow(path: &Path) {
    let store = open(path);
    let text = "x".repeat(20_000);
    for _ in 0..30 {
        let written = store.batch(|batch| {
            let id = batch.start_detached(NewTask::new("grows"))?;
            (0..100).try_for_each(|_| batch.message(id, Level::Info, text.as_str()))
        });
        written.unwrap();
    }
}

#[test]
fn a_file_is_opened_whatever_another_process_is_writing_to_it() {
    let test = "opening::races::a_file_is_opened_whatever_another_process_is_writing_to_it";
    if let Some((_, path)) = role() {
        wait_for_go();
        grow(&path);
        return say("done");
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    TaskStore::open(&path).unwrap().close().unwrap();
    let children = Children::ready(test, &["writes"], &path);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| children.go());
        let mut opened = 0;
        while !writing.is_finished() || opened == 0 {
            for options in [options(), options().read_only(true)] {
                let store = options.open(&path).unwrap_or_else(|error| panic!("after {opened} times: {error:?}"));
                store.list(&taskstore::TaskFilter::new().limit(1)).unwrap();
                opened += 1;
            }
        }
        assert_eq!(writing.join().unwrap(), [["done"]]);
    });
}
