//! Walks through the pages of a list that changes between them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use taskstore::{Dismissed, Order, TaskFilter, TaskId};

use super::check::{Walker, Way, walked};
use super::filters::{Asked, sketches};
use super::model::{Model, ORDERS};
use super::one_in;
use super::world::{Step, Touch, World, step, steps, touches};
use crate::support::{finished, temporary};

/// What happens between two pages.
#[derive(Clone, Debug)]
enum Event {
    Step(Step),
    /// To the first or the last row of the page, which its cursors lie beside.
    AtBoundary(bool, Touch),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let boundary = prop_oneof![touches(), Just(Touch::Delete), Just(Touch::Finish)];
    let event = prop_oneof![
        3 => step().prop_map(Event::Step),
        2 => (any::<bool>(), boundary).prop_map(|(first, touch)| Event::AtBoundary(first, touch)),
    ];
    prop::collection::vec(event, 0..5)
}

fn happen(world: &mut World, event: &Event, page: &[TaskId]) {
    match event {
        Event::Step(step) => world.take(step),
        Event::AtBoundary(first, touch) => {
            if let Some(id) = if *first { page.first() } else { page.last() } {
                world.touch(*id, touch);
            }
        }
    }
}

fn passing(model: &Model, asked: &Asked) -> BTreeSet<TaskId> {
    model.rows.iter().filter(|row| model.passes(asked, row)).map(|row| row.id).collect()
}

proptest! {
    #![proptest_config(one_in(4))]

    #[test]
    fn whatever_happens_between_two_pages_each_is_exact_at_its_instant(
        steps in steps(),
        sketch in sketches(),
        moves in prop::collection::vec((prop::bool::weighted(0.6), 1..5_u32, events()), 1..15),
    ) {
        for order in ORDERS {
            let mut world = World::new(&steps);
            let asked = sketch.on(&world.model).in_order(order);
            let (mut walker, mut page) = Walker::begin(&world, &asked, 2).unwrap();
            for (forwards, limit, events) in &moves {
                events.iter().for_each(|event| happen(&mut world, event, &page));
                let way = if *forwards { Way::Next } else { Way::Previous };
                let read = walker.go(&world, way, *limit);
                prop_assert!(read.is_ok(), "{:?}: {:?}", asked, read);
                page = read.unwrap();
            }
        }
    }

    #[test]
    fn a_walk_by_id_there_and_back_meets_once_what_passes_throughout_and_never_what_never_passes(
        steps in steps(),
        sketch in sketches(),
        moves in prop::collection::vec((1..5_u32, events()), 1..15),
    ) {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let mut world = World::new(&steps);
            let asked = sketch.on(&world.model).in_order(order);
            let mut moves = moves.iter().cycle();
            let (mut walker, mut page) = Walker::begin(&world, &asked, 2).unwrap();
            let mut met = page.clone();
            // Tasks may arrive as fast as they are met: a walk ends all the same, after some pages.
            for way in [Way::Next, Way::Previous] {
                let (mut throughout, mut ever) = (passing(&world.model, &asked), passing(&world.model, &asked));
                let mut pages = 0;
                while walker.has(way) {
                    let (limit, events) = moves.next().unwrap();
                    pages += 1;
                    for event in events.iter().filter(|_| pages < 30) {
                        happen(&mut world, event, &page);
                        let now = passing(&world.model, &asked);
                        throughout.retain(|id| now.contains(id));
                        ever.extend(now);
                    }
                    page = walker.go(&world, way, *limit).unwrap();
                    let at = if way == Way::Next { met.len() } else { 0 };
                    met.splice(at..at, page.iter().copied());
                }
                prop_assert_eq!(walked(order, &met, &throughout, Some(&ever)), Ok(()), "{:?} {:?}", way, asked);
                // The way back begins behind the last page.
                met.clone_from(&page);
            }
        }
    }
}

#[test]
fn a_page_whose_rows_have_all_gone_leads_back_and_on() {
    for order in [Order::NewestFirst, Order::OldestFirst, Order::RecentlyUpdated] {
        let store = temporary();
        let _: Vec<_> = (0..6).map(|n| finished(&store, &n.to_string())).collect();
        let filter = TaskFilter::new().dismissed(Dismissed::Included).order(order).limit(3);
        let first = store.list(&filter).unwrap();
        let next = first.next.clone().unwrap();
        let last = store.list(&filter.clone().cursor(next.clone())).unwrap();
        assert_eq!((last.items.len(), last.next), (3, None));
        last.items.iter().for_each(|task| store.delete(task.id).unwrap());

        let empty = store.list(&filter.clone().cursor(next)).unwrap();
        assert_eq!((empty.items.len(), &empty.next), (0, &None));
        let back = store.list(&filter.clone().cursor(empty.previous.unwrap())).unwrap();
        assert_eq!((&back.items, &back.previous), (&first.items, &None));

        first.items.iter().for_each(|task| store.delete(task.id).unwrap());
        let empty = store.list(&filter.clone().cursor(last.previous.unwrap())).unwrap();
        assert_eq!((empty.items.len(), &empty.previous), (0, &None));
        let after = store.list(&filter.clone().cursor(empty.next.unwrap())).unwrap();
        assert_eq!((after.items.len(), after.next), (0, None));
    }
}
