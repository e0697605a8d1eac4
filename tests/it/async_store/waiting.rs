//! Waiting for a change.

use std::slice::from_mut;
use std::sync::mpsc::channel;
use std::time::Duration;

use taskstore::{AsyncTaskStore, ChangeToken, Error, NewTask};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, yield_now};

use super::{LONG, one_by_one, poll, poll_anywhere, runtime, settle, stores};
use crate::support::{open, start};

#[test]
fn a_wait_ends_with_a_change_or_with_its_time() {
    let (asynchronous, store) = stores();
    one_by_one().block_on(async {
        let token = asynchronous.change_token().await.unwrap();
        for time in [Duration::ZERO, Duration::from_millis(1)] {
            assert_eq!(asynchronous.wait_for_change(token, time).await.unwrap(), None);
        }
        start(&store, "one");
        // It was committed before the wait, and comes whatever time there is.
        let new = asynchronous.wait_for_change(token, Duration::ZERO).await.unwrap().unwrap();
        assert_eq!(asynchronous.change_token().await.unwrap(), new);
        // The token of another store is of another state.
        let (other, _) = stores();
        assert!(other.wait_for_change(new, LONG).await.unwrap().is_some());
    });
}

/// So many that wait, each in a task of its own, that a pool with a thread for each could not be.
const WAITERS: usize = 600;

fn two_threads() -> Runtime {
    Builder::new_current_thread().max_blocking_threads(2).build().unwrap()
}

/// All wait when this is over.
async fn waiting(store: &AsyncTaskStore, token: ChangeToken) -> JoinSet<Result<Option<ChangeToken>, Error>> {
    let mut waiters = JoinSet::new();
    for _ in 0..WAITERS {
        let store = store.clone();
        waiters.spawn(async move { store.wait_for_change(token, LONG).await });
    }
    // Each has one look by itself first. The pool serves in order: when it has served this one, it has all of those.
    for _ in 0..3 {
        yield_now().await;
        store.change_token().await.unwrap();
    }
    waiters
}

#[test]
fn all_who_wait_share_a_thread_so_that_others_write_and_wake_them() {
    let (asynchronous, store) = stores();
    two_threads().block_on(async {
        let token = asynchronous.change_token().await.unwrap();
        let waiters = waiting(&asynchronous, token).await;
        asynchronous.start_detached(NewTask::new("one")).await.unwrap();
        let new = store.change_token().unwrap();
        for woken in waiters.join_all().await {
            assert_eq!(woken.unwrap(), Some(new));
        }
    });
}

/// The control: with a thread for each the one that is to wake them comes to its turn when they have given up.
#[test]
fn waits_of_threads_in_the_pool_keep_it_from_writing() {
    let (asynchronous, store) = stores();
    two_threads().block_on(async {
        let token = asynchronous.change_token().await.unwrap();
        let mut waiters = JoinSet::new();
        for _ in 0..2 {
            let store = store.clone();
            waiters.spawn_blocking(move || store.wait_for_change(token, Duration::from_millis(100)).unwrap());
        }
        asynchronous.start_detached(NewTask::new("one")).await.unwrap();
        let woken = waiters.join_all().await;
        assert!(woken.contains(&None), "{woken:?}");
    });
}

/// Each has its own first look, and then the first looks for all.
fn begin<F: Future + Unpin>(runtime: &Runtime, waits: &mut [F]) {
    for _ in 0..2 {
        for wait in &mut *waits {
            assert!(poll(runtime, wait).is_pending());
        }
        settle(runtime);
    }
}

#[test]
fn whoever_waits_for_all_may_go_and_another_takes_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let asynchronous = AsyncTaskStore::from(open(&path));
    let runtime = one_by_one();
    let token = runtime.block_on(asynchronous.change_token()).unwrap();
    let mut waits = [(); 3].map(|()| Box::pin(asynchronous.wait_for_change(token, LONG)));
    begin(&runtime, &mut waits);
    let [first, second, third] = waits;
    drop(first);
    start(&open(&path), "by another opening");
    let (second, third) = runtime.block_on(async { tokio::join!(second, third) });
    let (second, third) = (second.unwrap(), third.unwrap());
    assert!(second.is_some() && second == third, "{second:?} {third:?}");
}

#[test]
fn one_that_nobody_polls_keeps_nobody_else_waiting() {
    let (asynchronous, store) = stores();
    let runtime = one_by_one();
    let token = runtime.block_on(asynchronous.change_token()).unwrap();
    let mut unpolled = Box::pin(asynchronous.wait_for_change(token, LONG));
    begin(&runtime, from_mut(&mut unpolled));
    // Their times come, and so do changes.
    let given_up = runtime.block_on(asynchronous.wait_for_change(token, Duration::from_millis(1)));
    assert_eq!(given_up.unwrap(), None);
    let waits = [(); 3].map(|()| {
        let waiting = asynchronous.clone();
        runtime.spawn(async move { waiting.wait_for_change(token, LONG).await.unwrap() })
    });
    settle(&runtime);
    start(&store, "one");
    for wait in waits {
        assert!(runtime.block_on(wait).unwrap().is_some());
    }
    assert!(runtime.block_on(unpolled).unwrap().is_some());
}

#[test]
fn what_others_were_told_is_no_change_to_one_that_knows_it() {
    let (asynchronous, store) = stores();
    let runtime = one_by_one();
    let token = runtime.block_on(asynchronous.change_token()).unwrap();
    let mut waiting = Box::pin(asynchronous.wait_for_change(token, LONG));
    begin(&runtime, from_mut(&mut waiting));
    start(&store, "one");
    let new = runtime.block_on(waiting).unwrap().unwrap();
    for milliseconds in [1, 60] {
        let given_up = runtime.block_on(asynchronous.wait_for_change(new, Duration::from_millis(milliseconds)));
        assert_eq!(given_up.unwrap(), None);
    }
}

#[test]
fn a_runtime_that_ends_while_another_one_waits_leaves_it_a_lookout() {
    let (asynchronous, store) = stores();
    let (first, second) = (runtime(), runtime());
    let token = second.block_on(asynchronous.change_token()).unwrap();
    let spawn = |runtime: &Runtime| {
        let waiting = asynchronous.clone();
        runtime.spawn(async move { waiting.wait_for_change(token, LONG).await.unwrap() })
    };
    let _looks = spawn(&first);
    settle(&first);
    let waits = spawn(&second);
    settle(&second);
    drop(first);
    start(&store, "one");
    assert!(second.block_on(waits).unwrap().is_some());
}

#[test]
fn a_wait_that_was_dropped_does_not_keep_a_runtime_from_ending() {
    let (ended, has_ended) = channel();
    std::thread::spawn(move || {
        let (asynchronous, _store) = stores();
        let runtime = runtime();
        let token = runtime.block_on(asynchronous.change_token()).unwrap();
        let wait = asynchronous.clone();
        runtime.spawn(async move { wait.wait_for_change(token, Duration::MAX).await });
        for _ in 0..3 {
            runtime.block_on(asynchronous.change_token()).unwrap();
        }
        drop(runtime);
        ended.send(()).unwrap();
    });
    has_ended.recv_timeout(LONG).unwrap();
}

#[test]
fn closing_ends_all_waits() {
    let (asynchronous, _) = stores();
    two_threads().block_on(async {
        let token = asynchronous.change_token().await.unwrap();
        let waiters = waiting(&asynchronous, token).await;
        asynchronous.close().await.unwrap();
        for woken in waiters.join_all().await {
            assert!(matches!(woken, Err(Error::Closed)), "{woken:?}");
        }
    });
}

#[test]
fn a_wait_outside_of_a_runtime_says_so() {
    let (asynchronous, store) = stores();
    let token = store.change_token().unwrap();
    let answer = poll_anywhere(&mut Box::pin(asynchronous.wait_for_change(token, LONG)));
    assert!(matches!(answer, std::task::Poll::Ready(Err(Error::NoRuntime))), "{answer:?}");
}
