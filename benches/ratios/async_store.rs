//! The verbs as futures, in a runtime as `#[tokio::main]` makes one, to the same verbs of threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use taskstore::Durability::{self, Full, Normal};
use taskstore::{AsyncTaskStore, Level, NewTask};
use tokio::runtime::Runtime;

use crate::goal::Goal;
use crate::measure::{Measured, Run};
use crate::workload::{self, MESSAGES, TITLE, USER};
use crate::{tasks, threads};

pub const GOALS: &[Goal] = &[
    Goal::at_least("async_message/1/full", 0.85, |run| message(run, Full)),
    Goal::at_least("async_lifecycle/1/full", 0.85, |run| lifecycles_of_one(run, Full)),
    Goal::figure("async_message/1/normal", |run| message(run, Normal)),
    Goal::at_least("async_lifecycle/64/full", 0.9, |run| lifecycles(run, 64)),
    Goal::figure("async_lifecycle/16/full", |run| lifecycles(run, 16)),
];

fn runtime() -> Runtime {
    Runtime::new().expect("makes a runtime")
}

/// One task of the runtime, one call after the other.
fn message(run: &Run, durability: Durability) -> Measured {
    let (store, asynchronous) = (tasks::store(durability), AsyncTaskStore::from(tasks::store(durability)));
    let (id, async_id) = (workload::start(&store), workload::start(asynchronous.store()));
    let (runtime, [_, text, _]) = (runtime(), MESSAGES);
    let ours = || {
        let (asynchronous, turn) = (asynchronous.clone(), run.turn);
        let work = runtime.spawn(async move {
            let (started, mut done) = (Instant::now(), 0_u32);
            loop {
                asynchronous.message(async_id, Level::Info, text).await.expect("records a message");
                done += 1;
                if started.elapsed() >= turn {
                    return f64::from(done) / started.elapsed().as_secs_f64();
                }
            }
        });
        runtime.block_on(work).expect("no verb fails")
    };
    run.compare(ours, || run.rate(|| store.message(id, Level::Info, text).expect("records a message")))
}

/// The same with five verbs.
fn lifecycles_of_one(run: &Run, durability: Durability) -> Measured {
    let (store, asynchronous) = (tasks::store(durability), AsyncTaskStore::from(tasks::store(durability)));
    let runtime = runtime();
    run.compare(|| rate(run, &runtime, &asynchronous, 1), || threads::lifecycles(run, &store, 1))
}

fn lifecycles(run: &Run, at_a_time: usize) -> Measured {
    let (store, asynchronous) = (tasks::store(Full), AsyncTaskStore::from(tasks::store(Full)));
    let runtime = runtime();
    run.compare(|| rate(run, &runtime, &asynchronous, at_a_time), || threads::lifecycles(run, &store, at_a_time))
}

/// The verbs a second of many tasks of the runtime that record lifecycles, while all of them are at work.
fn rate(run: &Run, runtime: &Runtime, store: &AsyncTaskStore, tasks: usize) -> f64 {
    let (verbs, stop) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let work = || {
        let (store, verbs, stop) = (store.clone(), Arc::clone(&verbs), Arc::clone(&stop));
        runtime.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                lifecycle(&store, &verbs).await;
            }
        })
    };
    let workers: Vec<_> = (0..tasks).map(|_| work()).collect();
    // By then each has had its first answer, or nearly so.
    let begun = u32::try_from(tasks).expect("they are few");
    while verbs.load(Ordering::Relaxed) < begun {
        thread::yield_now();
    }
    let (started, before) = (Instant::now(), verbs.load(Ordering::Relaxed));
    thread::sleep(run.turn);
    let (elapsed, after) = (started.elapsed(), verbs.load(Ordering::Relaxed));
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        runtime.block_on(worker).expect("no verb fails");
    }
    f64::from(after - before) / elapsed.as_secs_f64()
}

/// Five verbs, each durable by itself and counted when it was acknowledged.
async fn lifecycle(store: &AsyncTaskStore, verbs: &AtomicU32) {
    let acknowledged = || verbs.fetch_add(1, Ordering::Relaxed);
    let id = store.start_detached(NewTask::new(TITLE).performed_by(USER)).await.expect("starts");
    acknowledged();
    for text in MESSAGES {
        store.message(id, Level::Info, text).await.expect("records a message");
        acknowledged();
    }
    store.finish(id).await.expect("finishes");
    acknowledged();
}
