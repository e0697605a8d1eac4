//! Of all that bring one key at once, one records, and the others are answered as it is.

use std::collections::BTreeSet;
use std::sync::Barrier;

use taskstore::{Level, TaskStore};

use super::start;
use crate::support::children::{Children, role, say, wait_for_go};
use crate::support::{everything, open, temporary, texts};

const THREADS: usize = 8;
const ROUNDS: usize = 50;

/// Lets each store start a task and record a message with the keys of a round, all at once; in each round all get one
/// id, and the task one message.
fn race(stores: &[TaskStore]) {
    let barrier = Barrier::new(stores.len());
    for round in 0..ROUNDS {
        let key = format!("round {round}");
        let ids: BTreeSet<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = stores
                .iter()
                .map(|store| {
                    scope.spawn(|| {
                        barrier.wait();
                        let id = start(store, &key).unwrap();
                        store.message_once(id, "k", Level::Info, "once").unwrap();
                        id
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), 1, "{ids:?}");
        for id in ids {
            assert_eq!(texts(&stores[0], id), ["once"]);
        }
    }
    assert_eq!(everything(&stores[0]).tasks.len(), ROUNDS);
}

#[test]
fn eight_threads_with_one_key_start_one_task_with_one_message() {
    let store = temporary();
    race(&vec![store; THREADS]);
}

#[test]
fn eight_stores_on_one_file_with_one_key_start_one_task_with_one_message() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let stores: Vec<_> = (0..THREADS).map(|_| open(&path)).collect();
    race(&stores);
}

#[test]
fn four_processes_with_the_same_keys_start_each_task_once() {
    if let Some((_, path)) = role() {
        let store = open(&path);
        wait_for_go();
        for n in 0..ROUNDS {
            let id = start(&store, &n.to_string()).unwrap();
            store.message_once(id, "k", Level::Info, n.to_string()).unwrap();
            say(&format!("{n} {id}"));
        }
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let test = "keys::races::four_processes_with_the_same_keys_start_each_task_once";
    let said = Children::ready(test, &["ann", "bob", "cy", "dee"], &path).go();
    assert_eq!(said[0].len(), ROUNDS);
    assert!(said.iter().all(|ids| *ids == said[0]), "{said:?}");
    let everything = everything(&store);
    assert_eq!(everything.tasks.len(), ROUNDS);
    assert!(everything.tasks.iter().all(|(task, messages)| task.message_count == 1 && messages.len() == 1));
}
