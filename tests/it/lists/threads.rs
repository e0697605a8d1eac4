//! Walks while other threads write.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use taskstore::{Dismissed, Error, Level, NewTask, Order, Outcomes, Page, Task, TaskFilter, TaskId, TaskStore};

use super::check::{Way, ids_of, pages, walked};
use super::world::configuration;
use crate::support::{open, temporary};

/// Tasks of all kinds, which nobody touches from then on. Among them lie others, which are given.
fn fill(store: &TaskStore) -> Vec<TaskId> {
    let prod = store.configurations().add("prod").unwrap();
    let others = (0..120).map(|number| {
        let new = NewTask::new(format!("Untouched {number}")).performed_by(["ann", "ben"][number % 2]);
        let new = if number % 3 == 0 { new.configuration(prod) } else { new };
        let id = store.start_detached(new).unwrap();
        store.message(id, [Level::Info, Level::Warn, Level::Error][number % 3], "needle").unwrap();
        match number % 4 {
            0 => store.finish(id).unwrap(),
            1 => store.fail(id, "because").unwrap(),
            _ => return another(store, number),
        }
        if number % 5 == 0 {
            store.dismiss(id, "ann").unwrap();
        }
        another(store, number)
    });
    others.collect()
}

fn another(store: &TaskStore, number: usize) -> TaskId {
    let new = NewTask::new(format!("touched {number}")).performed_by(["ann", "ben"][number % 2]);
    let id = store.start_detached(if number.is_multiple_of(3) { new.configuration(configuration(0)) } else { new });
    id.unwrap()
}

/// Takes task after task through a whole life, and starts one for each that it deletes, until it is told to stop.
fn write(store: &TaskStore, mut others: Vec<TaskId>, stop: &AtomicBool, written: &AtomicU64) {
    let _stop = Stop(stop);
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let place = number * 7 % others.len();
        let id = others[place];
        let task = store.task(id).unwrap();
        match (task.outcome, task.dismissed_by, number % 5) {
            (None, _, 0 | 1) => store.message(id, Level::Error, "a needle, too").unwrap(),
            (None, _, 2 | 3) => store.finish(id).unwrap(),
            (None, ..) => store.fail(id, "because").unwrap(),
            (Some(_), None, 0..=2) => store.dismiss(id, "ann").unwrap(),
            (Some(_), Some(_), 0..=2) => store.restore(id).unwrap(),
            _ => {
                store.delete(id).unwrap();
                others[place] = another(store, number);
            }
        }
        written.fetch_add(1, Ordering::Relaxed);
    }
}

fn filters() -> Vec<TaskFilter> {
    let any = || TaskFilter::new().dismissed(Dismissed::Included);
    let filters = [
        any(),
        TaskFilter::new(),
        any().outcomes(Outcomes::FAILED | Outcomes::IN_PROGRESS | Outcomes::INTERRUPTED),
        any().configuration(configuration(0)),
        any().level_reached(Level::Warn),
        any().performed_by("ann").outcomes(Outcomes::FINISHED | Outcomes::FAILED),
        TaskFilter::new().dismissed_by("ann"),
        any().text("NEEDLE"),
    ];
    filters.into_iter().flat_map(|filter| [filter.clone(), filter.order(Order::OldestFirst)]).collect()
}

/// Tells the others to stop when this one ends, also by a panic.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Walks through each list, there and back, while `writers` write, and checks every walk.
fn walk_while_others_write(store: &TaskStore, writers: &[&TaskStore]) {
    let mut others = fill(store);
    let untouched = |filter: &TaskFilter| -> BTreeSet<TaskId> {
        let all = store.list(&filter.clone().limit(1_000)).unwrap().items;
        all.iter().filter(|task| task.title.starts_with("Untouched")).map(|task| task.id).collect()
    };
    let lists: Vec<_> = filters().into_iter().map(|filter| (untouched(&filter), filter)).collect();
    assert!(lists.iter().all(|(untouched, _)| !untouched.is_empty()));

    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for writer in writers {
            let share = others.split_off(others.len() - 120 / writers.len());
            let (stop, written) = (&stop, &written);
            scope.spawn(move || write(writer, share, stop, written));
        }
        let _stop = Stop(&stop);
        for (number, (untouched, filter)) in lists.iter().cycle().take(4 * lists.len()).enumerate() {
            // Each walk is one during which something is written, however slow the writers are.
            let before = written.load(Ordering::Relaxed);
            let mut limits = (1..=9).cycle().skip(number);
            let mut read = |filter: &TaskFilter| {
                while written.load(Ordering::Relaxed) == before {
                    assert!(!stop.load(Ordering::Relaxed), "a writer has failed");
                    std::thread::yield_now();
                }
                store.list(&filter.clone().limit(limits.next().unwrap())).unwrap()
            };
            let first = store.list(&filter.clone().limit(3)).unwrap();
            let there = pages(filter, Way::Next, first, &mut read);
            assert_eq!(walked(filter.order, &met(&there), untouched, None), Ok(()), "{filter:?}");
            let mut back = pages(filter, Way::Previous, there.last().unwrap().clone(), &mut read);
            back.reverse();
            assert_eq!(walked(filter.order, &met(&back), untouched, None), Ok(()), "back in {filter:?}");
        }
    });
}

fn met(pages: &[Page<Task>]) -> Vec<TaskId> {
    pages.iter().flat_map(|page| ids_of(&page.items)).collect()
}

#[test]
fn a_walk_meets_what_nobody_touches_once_while_threads_of_the_store_write() {
    let store = temporary();
    walk_while_others_write(&store, &[&store, &store]);
}

#[test]
fn a_walk_meets_what_nobody_touches_once_while_another_store_of_the_file_writes() {
    let directory = tempfile::tempdir().unwrap();
    let path: &Path = &directory.path().join("tasks.db");
    let (store, other) = (open(path), open(path));
    walk_while_others_write(&store, &[&other]);
}

#[test]
fn each_list_is_one_snapshot_while_another_thread_writes_pairs() {
    let store = temporary();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for pair in 0..150 {
                let new = || NewTask::new(pair.to_string());
                let ids =
                    store.batch(|batch| Ok::<_, Error>([batch.start_detached(new())?, batch.start_detached(new())?]));
                let ids = ids.unwrap();
                store.batch(|batch| ids.iter().try_for_each(|id| batch.finish(*id))).unwrap();
                store.batch(|batch| ids.iter().try_for_each(|id| batch.dismiss(*id, "ann"))).unwrap();
            }
        });
        let mut lists = 0;
        while !writer.is_finished() || lists == 0 {
            for dismissed in [Dismissed::Hidden, Dismissed::Included, Dismissed::Only] {
                let tasks = store.list(&TaskFilter::new().dismissed(dismissed).limit(1_000)).unwrap().items;
                for pair in tasks.chunks(2) {
                    let [one, other] = pair else { panic!("half a pair: {pair:?}") };
                    let seen = |task: &Task| (task.title.clone(), task.outcome, task.dismissed_by.clone());
                    assert_eq!(seen(one), seen(other));
                }
                lists += 1;
            }
        }
        writer.join().unwrap();
    });
    assert_eq!(store.list(&TaskFilter::new().dismissed(Dismissed::Only).limit(1_000)).unwrap().items.len(), 300);
}
