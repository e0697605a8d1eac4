//! How long the tests of this folder go on, and with which chance.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, thread};

/// Enough failures to see what is wrong.
const WRONG_MAX: usize = 20;

/// The seed of `TASKSTORE_TEST_SEED`, if one round alone is to be repeated.
pub(super) fn seed() -> Option<u64> {
    env::var("TASKSTORE_TEST_SEED").ok().map(|seed| seed.parse().unwrap())
}

/// So many of the numbers from 1 to `all`, or all if there are fewer.
pub(super) fn spread(all: u64, some: usize) -> impl Iterator<Item = u64> {
    let some = (some as u64).min(all);
    (0..some).map(move |number| number * all / some + 1)
}

/// Does the work for each, in two threads, and gives what was wrong: not all of it, if that is much.
pub(super) fn wrong<T: Sync>(all: &[T], work: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while wrong.lock().unwrap().len() < WRONG_MAX {
            let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let found = work(one);
            wrong.lock().unwrap().extend(found);
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    wrong.into_inner().unwrap()
}
