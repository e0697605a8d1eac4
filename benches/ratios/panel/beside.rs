//! Newest pages that are read while another thread records messages, each durable by itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use taskstore::{Durability, Level, Order, Outcomes, TaskFilter, TaskId, TaskStore};

use super::filled::options;
use super::{Kind, page};
use crate::measure::{Measured, Run};

/// The median time of a page beside the writer, to that of one when nobody writes.
pub fn page_to_idle(run: &Run) -> Measured {
    let (store, id) = store(run);
    run.compare(|| beside(run, &store, id).0, || median_page(run, &store))
}

/// The writer's rate beside the reader, to that alone.
pub fn writer_to_alone(run: &Run) -> Measured {
    let (store, id) = store(run);
    run.compare(|| beside(run, &store, id).1, || run.rate(|| record(&store, id)))
}

/// A store at full durability, and a task in progress that is on no newest page.
fn store(run: &Run) -> (TaskStore, TaskId) {
    let filled = run.panel(Kind::MostDismissed, run.large());
    let store = options().durability(Durability::Full).open(filled.path()).expect("opens");
    let oldest = TaskFilter::new().outcomes(Outcomes::IN_PROGRESS).order(Order::OldestFirst).limit(1);
    let id = store.list(&oldest).expect("lists").items.first().expect("some are in progress").id;
    (store, id)
}

fn record(store: &TaskStore, id: TaskId) {
    store.message(id, Level::Info, "Copying the data files of db 7.west").expect("records");
}

/// The median time of a page and the rate of messages, when both threads are at work.
fn beside(run: &Run, store: &TaskStore, id: TaskId) -> (f64, f64) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let (started, mut messages) = (Instant::now(), 0_u32);
            while !stop.load(Ordering::Relaxed) {
                record(store, id);
                messages += 1;
            }
            f64::from(messages) / started.elapsed().as_secs_f64()
        });
        let page = median_page(run, store);
        stop.store(true, Ordering::Relaxed);
        (page, writer.join().expect("no message fails"))
    })
}

fn median_page(run: &Run, store: &TaskStore) -> f64 {
    let (started, mut pages) = (Instant::now(), Vec::new());
    while pages.is_empty() || started.elapsed() < run.turn {
        let before = Instant::now();
        drop(store.list_with_messages(&page()).expect("lists"));
        pages.push(before.elapsed().as_secs_f64());
    }
    pages.sort_by(f64::total_cmp);
    *pages.get(pages.len() / 2).expect("there is one page at least")
}
