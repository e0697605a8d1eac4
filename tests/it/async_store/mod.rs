//! The store in a tokio runtime.

mod blocking;
mod cancelling;
mod guards;
mod killed;
mod run;
mod runtimes;
mod syncs;
mod together;
mod verbs;
mod waiting;

use std::sync::mpsc::channel;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use taskstore::{AsyncTaskStore, TaskStore};
use tokio::runtime::{Builder, Runtime};

use crate::support::temporary;

/// How long nothing takes that is soon over.
const LONG: Duration = Duration::from_secs(60);

/// A runtime of one thread, as an application may have it, whose blocking pool does one thing after the other.
fn one_by_one() -> Runtime {
    Builder::new_current_thread().max_blocking_threads(1).build().unwrap()
}

/// The same with a pool of many threads.
fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// An empty store in a file of its own, seen from both sides.
fn stores() -> (AsyncTaskStore, TaskStore) {
    let store = temporary();
    (store.clone().into(), store)
}

/// Waits until the blocking pool of a runtime that goes [one by one](one_by_one) has done all that it was given.
fn settle(runtime: &Runtime) {
    runtime.block_on(runtime.spawn_blocking(|| ())).unwrap();
}

/// Polls a future once. A call that it makes of the pool of a runtime that goes [one by one](one_by_one) begins behind that.
fn poll<F: Future + Unpin>(runtime: &Runtime, future: &mut F) -> Poll<F::Output> {
    let (polled, has_been_polled) = channel::<()>();
    drop(runtime.spawn_blocking(move || has_been_polled.recv()));
    let _inside = runtime.enter();
    let answer = poll_anywhere(future);
    drop(polled);
    answer
}

fn poll_anywhere<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Asks again and again until it is so, which must be soon.
fn until(mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < LONG, "it does not come about");
        std::thread::yield_now();
    }
}
