//! Many threads that write to one store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use taskstore::Durability;
#[cfg(feature = "tokio")]
use taskstore::TaskStore;

use crate::measure::{Measured, Run};
use crate::raw::task::Tasks;
use crate::tasks;
use crate::workload::{self, MESSAGES, VERBS};

pub fn to_one_raw_thread(run: &Run, threads: usize) -> Measured {
    let (store, raw) = (tasks::store(Durability::Full), Tasks::open(Durability::Full));
    let ours = || rate(run, threads, |acknowledged| workload::lifecycle(&store, acknowledged));
    run.compare(ours, || VERBS * run.rate(|| raw.lifecycle(|| ())))
}

/// The usual way to share a connection: a mutex around it, held for a verb.
pub fn to_a_shared_mutex(run: &Run, threads: usize) -> Measured {
    let (store, raw) = (tasks::store(Durability::Full), Mutex::new(Tasks::open(Durability::Full)));
    let ours = || rate(run, threads, |acknowledged| workload::lifecycle(&store, acknowledged));
    run.compare(ours, || rate(run, threads, |acknowledged| lifecycle_by_turns(&raw, acknowledged)))
}

fn lifecycle_by_turns(raw: &Mutex<Tasks>, acknowledged: &mut dyn FnMut()) {
    let id = lock(raw).start();
    acknowledged();
    for text in MESSAGES {
        lock(raw).message(id, text);
        acknowledged();
    }
    lock(raw).finish(id);
    acknowledged();
}

fn lock(raw: &Mutex<Tasks>) -> MutexGuard<'_, Tasks> {
    raw.lock().expect("no verb fails")
}

/// The verbs a second of so many threads.
#[cfg(feature = "tokio")]
pub fn lifecycles(run: &Run, store: &TaskStore, threads: usize) -> f64 {
    rate(run, threads, |acknowledged| workload::lifecycle(store, acknowledged))
}

/// The verbs a second of many threads that record lifecycles, while all of them are at work: neither the starting of
/// the threads counts nor the end, when fewer and fewer are left.
fn rate(run: &Run, threads: usize, lifecycle: impl Fn(&mut dyn FnMut()) + Sync) -> f64 {
    let (ready, go, stop) = (Barrier::new(threads + 1), Barrier::new(threads + 1), AtomicBool::new(false));
    let work = || {
        let mut verbs = 0_u32;
        ready.wait();
        go.wait();
        while !stop.load(Ordering::Relaxed) {
            lifecycle(&mut || verbs += u32::from(!stop.load(Ordering::Relaxed)));
        }
        verbs
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        ready.wait();
        let started = Instant::now();
        go.wait();
        thread::sleep(run.turn);
        stop.store(true, Ordering::Relaxed);
        let elapsed = started.elapsed();
        let verbs: u32 = workers.into_iter().map(|worker| worker.join().expect("no verb fails")).sum();
        f64::from(verbs) / elapsed.as_secs_f64()
    })
}
