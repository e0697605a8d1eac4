//! What was changed last.

use std::time::Duration;

use chrono::DateTime;
use proptest::prelude::*;
use taskstore::{Dismissed, NewTask, Order, Outcomes, Progress, TaskFilter, TaskId, TaskStore};

use super::check::{Way, ids_of, pages};
use crate::support::{ManualClock, Nanoseconds as _, options, start};

fn walk(store: &TaskStore, filter: &TaskFilter) -> Vec<TaskId> {
    let read = |filter: &TaskFilter| store.list(filter).unwrap();
    let there = pages(filter, Way::Next, read(filter), read);
    let mut back = pages(filter, Way::Previous, there.last().unwrap().clone(), read);
    back.reverse();
    let ids = |pages: &[taskstore::Page<taskstore::Task>]| pages.iter().flat_map(|page| ids_of(&page.items)).collect();
    let ids_there: Vec<_> = ids(&there);
    assert_eq!(ids(&back), ids_there);
    ids_there
}

#[test]
fn thousands_that_were_changed_at_one_instant_are_walked_through_newest_first() {
    let clock = ManualClock::at_ns(0);
    let store = options().clock(clock.clone()).open_in_memory().unwrap();
    let started = store.batch(|batch| {
        let ids = (0..3_000).map(|_| {
            let id = batch.start_detached(NewTask::new("a"))?;
            clock.advance_ns(1);
            if id.get() % 100 != 0 {
                batch.finish(id)?;
            }
            Ok(id)
        });
        ids.collect::<taskstore::Result<Vec<_>>>()
    });
    let mut ids = started.unwrap();
    clock.advance_ns(10);
    assert_eq!(store.dismiss_all(None, "ann").unwrap(), 2_970);
    let recent = TaskFilter::new().dismissed(Dismissed::Included).order(Order::RecentlyUpdated).limit(37);
    let (running, mut dismissed): (Vec<_>, Vec<_>) = ids.iter().partition(|id| id.get() % 100 == 0);
    dismissed.reverse();
    assert_eq!(walk(&store, &recent.clone().dismissed(Dismissed::Only)), dismissed);
    let at = |ns| DateTime::from_timestamp_nanos(ns);
    assert_eq!(walk(&store, &recent.clone().updated(at(3_010)..)), dismissed);
    assert_eq!(walk(&store, &recent.clone().updated(at(3_011)..)), []);
    assert_eq!(walk(&store, &recent.clone().updated(..at(3_010))).len(), running.len());
    ids.retain(|id| id.get() % 100 == 0);
    ids.reverse();
    assert_eq!(walk(&store, &recent), [dismissed, ids].concat());
}

proptest! {
    #![proptest_config(super::one_in(8))]

    #[test]
    fn a_range_of_changes_is_a_slice_of_the_list_by_changes(
        times in prop::collection::vec((0..6_i64, any::<bool>()), 0..30), from in 0..7_i64, until in 0..7_i64, limit in 1..5_u32,
    ) {
        let clock = ManualClock::at_ns(0);
        let store = options().clock(clock.clone()).open_in_memory().unwrap();
        let mut expected: Vec<_> = times.iter().map(|(at, ends)| {
            clock.set_ns(*at);
            let id = start(&store, "then");
            if *ends { store.finish(id).unwrap(); }
            (*at, id)
        }).collect();
        expected.retain(|(at, _)| (from..until).contains(at));
        expected.sort_by(|one, other| other.cmp(one));
        let at = DateTime::from_timestamp_nanos;
        let filter = TaskFilter::new().order(Order::RecentlyUpdated).limit(limit).updated(at(from)..at(until));
        prop_assert_eq!(walk(&store, &filter), expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
    }
}

#[test]
fn progress_that_is_kept_shows_and_neither_moves_a_task_nor_lets_it_pass() {
    let clock = ManualClock::at_ns(0);
    let store = options().clock(clock.clone()).open_temporary().unwrap();
    let [early, late] = [(); 2].map(|()| {
        clock.advance_ns(1);
        start(&store, "copies")
    });
    store.progress(early, &Progress::new(1)).unwrap();
    clock.advance_ns(10);
    store.message(late, taskstore::Level::Info, "here").unwrap();
    clock.advance_ns(10);
    store.progress(early, &Progress::new(2)).unwrap();
    let recent = TaskFilter::new().order(Order::RecentlyUpdated).outcomes(Outcomes::IN_PROGRESS);
    let page = store.list(&recent.clone().limit(1)).unwrap();
    assert_eq!(ids_of(&page.items), [late]);
    let next = store.list(&recent.clone().limit(1).cursor(page.next.unwrap())).unwrap();
    assert_eq!(next.items[0], store.task(early).unwrap());
    assert_eq!(
        (next.items[0].progress.clone(), next.items[0].updated),
        (Some(Progress::new(2)), DateTime::from_timestamp_nanos(22))
    );
    let since = recent.clone().updated(DateTime::from_timestamp_nanos(20)..);
    assert_eq!(ids_of(&store.list(&since).unwrap().items), []);
    // Once it is written it does.
    store.flush().unwrap();
    assert_eq!(ids_of(&store.list(&recent).unwrap().items), [early, late]);
    assert_eq!(ids_of(&store.list(&since).unwrap().items), [early]);
    assert_eq!(store.list(&recent.running_longer_than(Duration::MAX)).unwrap().items, []);
}
