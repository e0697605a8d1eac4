//! Nothing is missed by whoever takes the token, reads, and then waits.

use std::thread;

use taskstore::{Error, Level, NewTask, TaskStore};

use super::{PATIENCE, changed, follow, in_a_file_and_in_memory};
use crate::support::{open, start, temporary, texts};

const MESSAGES: usize = 2_000;

/// `write` and `read` are the same store, or the same file.
fn follows_to_the_end(write: &TaskStore, read: &TaskStore) {
    let id = start(write, "t");
    let (all, half) = (MESSAGES, MESSAGES / 2);
    thread::scope(|scope| {
        let followers = [all, half, all].map(|until| scope.spawn(move || follow(read, id, until).len()));
        scope.spawn(|| (0..half).for_each(|_| write.message(id, Level::Info, "alone").unwrap()));
        scope.spawn(|| {
            for _ in 0..half / 10 {
                let ten =
                    |batch: &taskstore::Batch<'_>| (0..10).try_for_each(|_| batch.message(id, Level::Info, "of ten"));
                write.batch(ten).unwrap();
            }
        });
        let [first, second, third] = followers.map(|follower| follower.join().unwrap());
        assert!(first == all && second >= half && third == all, "{:?}", (first, second, third));
    });
}

#[test]
fn a_follower_sees_the_last_of_thousands_of_commits() {
    for store in in_a_file_and_in_memory() {
        follows_to_the_end(&store, &store.clone());
    }
}

#[test]
fn a_follower_sees_the_last_commit_of_another_opening_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    follows_to_the_end(&open(&path), &open(&path));
}

/// Each waits for what the other says, so that one lost change stops both.
#[test]
fn two_that_answer_each_other_never_stop() {
    for store in in_a_file_and_in_memory() {
        let id = start(&store, "t");
        let talk = |first: usize| {
            for turn in (first..400).step_by(2) {
                assert_eq!(follow(&store, id, turn).len(), turn);
                store.message(id, Level::Info, "answer").unwrap();
            }
        };
        thread::scope(|scope| {
            scope.spawn(|| talk(1));
            talk(0);
        });
        assert_eq!(texts(&store, id).len(), 400);
    }
}

/// The order of the documentation, and a control: with the token after the reading, what came in between is missed.
#[test]
fn a_token_taken_before_the_reading_misses_nothing_and_one_taken_behind_it_does() {
    for store in in_a_file_and_in_memory() {
        let id = start(&store, "t");

        let token = store.change_token().unwrap();
        let read = texts(&store, id).len();
        store.message(id, Level::Info, "in between").unwrap();
        assert!(changed(&store, token) && texts(&store, id).len() > read);

        let read = texts(&store, id).len();
        store.message(id, Level::Info, "in between").unwrap();
        let token = store.change_token().unwrap();
        assert!(!changed(&store, token) && texts(&store, id).len() > read, "the control misses it");
    }
}

/// The token that a wait gives stands for the state before what is read behind it.
#[test]
fn the_token_of_a_wait_is_as_good_as_a_new_one() {
    for store in in_a_file_and_in_memory() {
        let id = start(&store, "t");
        let first = store.change_token().unwrap();
        store.message(id, Level::Info, "one").unwrap();
        let second = store.wait_for_change(first, PATIENCE).unwrap().unwrap();
        assert!(!changed(&store, second));
        store.message(id, Level::Info, "two").unwrap();
        assert!(changed(&store, second) && changed(&store, first));
    }
}

#[test]
fn a_batch_wakes_its_followers_once_it_is_whole() {
    let store = temporary();
    let before = store.change_token().unwrap();
    let seen = thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            store.wait_for_change(before, PATIENCE).unwrap().expect("the batch is committed");
            store.list(&taskstore::TaskFilter::new()).unwrap().items.len()
        });
        let started = store.batch(|batch| {
            (0..50).try_for_each(|number| batch.start_detached(NewTask::new(number.to_string())).map(drop))
        });
        started.map_err(|error: Error| error).unwrap();
        waiter.join().unwrap()
    });
    assert_eq!(seen, 50);
}
