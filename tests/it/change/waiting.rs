//! How a wait ends.

use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use taskstore::{ChangeToken, Error, Level, NewTask, Result, TaskStore};

use super::{PATIENCE, changed, in_a_file_and_in_memory};
use crate::support::{open, options, start, temporary};

#[test]
fn a_wait_in_vain_gives_none_after_its_timeout_and_leaves_the_token_valid() {
    for store in in_a_file_and_in_memory() {
        let token = store.change_token().unwrap();
        for ms in [0, 1, 50] {
            let (timeout, begun) = (Duration::from_millis(ms), Instant::now());
            assert_eq!(store.wait_for_change(token, timeout).unwrap(), None);
            assert!(begun.elapsed() >= timeout);
        }
        start(&store, "t");
        let new = store.wait_for_change(token, PATIENCE).unwrap();
        assert_eq!(new, Some(store.change_token().unwrap()));
    }
}

#[test]
fn a_wait_without_end_ends_with_a_change() {
    for store in in_a_file_and_in_memory() {
        let token = store.change_token().unwrap();
        let ((waiter, answers), waiting) = (mpsc::channel(), store.clone());
        // Not in a scope, which would wait for it without end.
        thread::spawn(move || waiter.send(waiting.wait_for_change(token, Duration::MAX).unwrap()));
        start(&store, "t");
        assert!(answers.recv_timeout(PATIENCE).unwrap().is_some());
    }
}

#[test]
fn all_who_wait_are_woken() {
    for store in in_a_file_and_in_memory() {
        let id = start(&store, "t");
        let about_to_wait = Barrier::new(9);
        for round in 0..20 {
            let before = store.change_token().unwrap();
            let woken: Vec<Option<ChangeToken>> = thread::scope(|scope| {
                let wait = || {
                    about_to_wait.wait();
                    store.wait_for_change(before, PATIENCE).unwrap()
                };
                let waiters: Vec<_> = (0..8).map(|_| scope.spawn(wait)).collect();
                about_to_wait.wait();
                store.message(id, Level::Info, round.to_string()).unwrap();
                waiters.into_iter().map(|waiter| waiter.join().unwrap()).collect()
            });
            // One commit is one change, whoever was the first to see it.
            assert_eq!(woken, [Some(store.change_token().unwrap()); 8]);
        }
    }
}

/// In memory nobody looks by itself: those who sleep are woken, or this ends in their patience.
#[test]
fn a_store_that_is_closed_lets_those_who_wait_go() {
    for _ in 0..50 {
        for store in in_a_file_and_in_memory() {
            let token = store.change_token().unwrap();
            let (about_to_wait, begun) = (Barrier::new(3), Instant::now());
            let answers = thread::scope(|scope| {
                let wait = || {
                    about_to_wait.wait();
                    store.wait_for_change(token, PATIENCE)
                };
                let waiters = [scope.spawn(wait), scope.spawn(wait)];
                about_to_wait.wait();
                store.close().unwrap();
                waiters.map(|waiter| waiter.join().unwrap())
            });
            for answer in answers {
                assert!(matches!(answer, Err(Error::Closed)), "{answer:?}");
            }
            assert!(begun.elapsed() < PATIENCE);
            assert!(matches!(store.change_token(), Err(Error::Closed)));
        }
    }
}

#[test]
fn a_read_only_store_that_is_closed_lets_those_who_wait_go() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    open(&path).close().unwrap();
    for options in [options().read_only(true), options().immutable(true)] {
        let store = options.open(&path).unwrap();
        let token = store.change_token().unwrap();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| store.wait_for_change(token, PATIENCE));
            store.close().unwrap();
            let answer = waiter.join().unwrap();
            assert!(matches!(answer, Err(Error::Closed)), "{answer:?}");
        });
    }
}

#[test]
fn inside_the_stores_own_batch_there_is_no_waiting() {
    for store in in_a_file_and_in_memory() {
        let token = store.change_token().unwrap();
        store
            .batch(|batch| {
                assert!(matches!(store.change_token(), Err(Error::InsideBatch)));
                for timeout in [Duration::ZERO, PATIENCE] {
                    assert!(matches!(store.wait_for_change(token, timeout), Err(Error::InsideBatch)));
                }
                // Those of another store are as good here as anywhere.
                let other = temporary();
                let before = other.change_token()?;
                start(&other, "other");
                assert!(changed(&other, before));
                batch.start_detached(NewTask::new("goes on")).map(drop)
            })
            .unwrap();
        assert!(changed(&store, token));
    }
}

#[test]
fn a_token_of_another_opening_is_never_equal_and_ends_the_wait_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let file = open(&path);
    let [one, other] = in_a_file_and_in_memory();
    let read_only = options().read_only(true).open(&path).unwrap();
    let immutable = options().immutable(true).open(&path).unwrap();
    let stores = [&file, &one, &other, &read_only, &immutable, &open(&path), &TaskStore::open_in_memory().unwrap()];
    let tokens: Vec<_> = stores.iter().map(|store| store.change_token()).collect::<Result<_>>().unwrap();
    for (number, store) in stores.iter().enumerate() {
        for (of, token) in tokens.iter().enumerate() {
            let answer = store.wait_for_change(*token, Duration::ZERO).unwrap();
            assert_eq!(answer, (of != number).then_some(tokens[number]));
        }
    }
    assert_eq!(file.clone().change_token().unwrap(), tokens[0]);
}
