//! Controls: what the checks of this module must find. A check that finds none of these proves nothing.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use taskstore::{Dismissed, Order, TaskFilter, TaskId, TaskStore};

use super::check::{ids_of, walked, whole, whole_by};
use super::filters::sketches;
use super::model::{PARTS, Part};
use super::world::{World, steps};
use crate::support::{finished, temporary};

/// Parts that are nearly right.
const WRONG: [Part; 10] = [
    ("configuration", |_, asked, row| asked.configuration.takes(row.configuration, &[false; 9])),
    ("outcomes", |_, asked, row| row.outcome.is_none() || asked.outcomes.contains(&row.outcome)),
    ("dismissed", |_, asked, row| asked.dismissed.contains(&row.dismissed_by.is_some())),
    ("performed_by", |_, asked, row| {
        asked.performed_by.is_none_or(|user| user.to_lowercase() == row.performed_by.to_lowercase())
    }),
    ("title", |_, asked, row| asked.title.as_ref().is_none_or(|title| row.title.contains(title))),
    ("text", |_, asked, row| {
        let lower = |text: &String| text.to_lowercase();
        let texts = || row.messages.iter().map(|said| lower(&said.text)).chain([lower(&row.title)]);
        asked.text.as_ref().is_none_or(|text| texts().any(|found| found.contains(&lower(text))))
    }),
    ("started", |_, asked, row| {
        asked.started.contains(Some(row.started)) || asked.started.contains(Some(row.started + 1))
    }),
    ("updated", |_, asked, row| asked.updated.contains(Some(row.kept.unwrap_or(row.updated)))),
    ("level_reached", |_, asked, row| asked.level_reached.is_none() || asked.level_reached == row.level_reached()),
    ("running_longer_than", |model, asked, row| {
        let running_for = i128::from(model.now) - i128::from(row.started);
        let is_as_long = |duration: std::time::Duration| running_for >= duration.as_nanos().cast_signed();
        asked.running_longer_than.is_none_or(|duration| row.outcome.is_none() && is_as_long(duration))
    }),
];

/// The parts but for one; and the parts with one that is wrong in its place.
fn broken() -> Vec<(String, Vec<Part>)> {
    let without = |name: &str| PARTS.into_iter().filter(|(part, _)| *part != name).collect::<Vec<_>>();
    let missing = PARTS.iter().map(|(name, _)| (format!("no {name}"), without(name)));
    let wrong = WRONG.iter().map(|part| (format!("wrong {}", part.0), [without(part.0), vec![*part]].concat()));
    missing.chain(wrong).collect()
}

#[test]
fn a_model_that_lacks_any_part_of_a_filter_or_has_it_nearly_right_is_reported() {
    let mut runner = TestRunner::deterministic();
    let mut broken = broken();
    for _ in 0..400 {
        let world = World::new(&steps().new_tree(&mut runner).unwrap().current());
        for _ in 0..10 {
            let asked = sketches().new_tree(&mut runner).unwrap().current().on(&world.model);
            let ids =
                |parts: &[Part]| world.model.list_by(parts, &asked).into_iter().map(|row| row.id).collect::<Vec<_>>();
            let right = ids(&PARTS);
            broken.retain(|(name, parts)| {
                let differs = ids(parts) != right;
                if differs {
                    assert!(whole_by(parts, &world, &asked).is_err(), "{name} was not reported for {asked:?}");
                }
                !differs
            });
        }
        if broken.is_empty() {
            return;
        }
    }
    panic!("not drawn: {:?}", broken.iter().map(|(name, _)| name).collect::<Vec<_>>());
}

#[test]
fn of_the_lists_that_are_drawn_half_have_tasks_and_some_have_many_pages() {
    let mut runner = TestRunner::deterministic();
    let (mut with_tasks, mut of_many_pages) = (0, 0);
    for _ in 0..100 {
        let world = World::new(&steps().new_tree(&mut runner).unwrap().current());
        let asked = sketches().new_tree(&mut runner).unwrap().current().on(&world.model);
        let tasks = world.model.list(&asked).len();
        with_tasks += usize::from(tasks > 0);
        of_many_pages += usize::from(tasks > 4);
    }
    assert!(with_tasks >= 40 && of_many_pages >= 15, "{with_tasks} with tasks, {of_many_pages} of many pages");
}

#[test]
fn a_list_in_another_order_is_reported() {
    let mut runner = TestRunner::deterministic();
    let steps = prop::collection::vec(super::world::step(), 60..70);
    let mut world = World::new(&steps.new_tree(&mut runner).unwrap().current());
    let asked = super::filters::Asked::everything();
    let asked = asked.in_order(Order::RecentlyUpdated);
    assert_eq!(whole(&world, &asked), Ok(()));
    let last = world.model.rows.len() - 1;
    world.model.rows[last].updated = -1;
    assert!(whole(&world, &asked).is_err());
}

/// A walk by numbers of rows, as lists without cursors are paged through; `between` happens after each page.
fn walk_by_offset(store: &TaskStore, filter: &TaskFilter, mut between: impl FnMut(&[TaskId])) -> Vec<TaskId> {
    let mut met = Vec::new();
    loop {
        let page: Vec<_> = ids_of(&store.list(filter).unwrap().items).into_iter().skip(met.len()).take(2).collect();
        if page.is_empty() {
            return met;
        }
        between(&page);
        met.extend(page);
    }
}

/// The same walk by cursors.
fn walk_by_cursor(store: &TaskStore, filter: &TaskFilter, mut between: impl FnMut(&[TaskId])) -> Vec<TaskId> {
    let filter = filter.clone().limit(2);
    let mut page = store.list(&filter).unwrap();
    let mut met = Vec::new();
    loop {
        let ids = ids_of(&page.items);
        between(&ids);
        met.extend(ids);
        assert!(met.len() < 1_000, "a walk without an end");
        let Some(next) = page.next else { return met };
        page = store.list(&filter.clone().cursor(next)).unwrap();
    }
}

#[test]
fn a_walk_by_offset_is_reported_where_rows_arrive_or_go_and_one_by_cursor_is_not() {
    type Walk = fn(&TaskStore, &TaskFilter, &mut dyn FnMut(&[TaskId])) -> Vec<TaskId>;
    let walks: [(Walk, bool); 2] = [
        (|store, filter, between| walk_by_offset(store, filter, between), false),
        (|store, filter, between| walk_by_cursor(store, filter, between), true),
    ];
    let filter = TaskFilter::new().dismissed(Dismissed::Included);
    for (walk, is_right) in walks {
        // A row that arrives before the page shifts one that was met into the next.
        let store = temporary();
        let throughout: BTreeSet<_> = (0..7).map(|_| finished(&store, "there")).collect();
        let mut arriving = 3;
        let met = walk(&store, &filter, &mut |_| {
            if arriving > 0 {
                arriving -= 1;
                finished(&store, "arrives");
            }
        });
        let checked = walked(Order::NewestFirst, &met, &throughout, None);
        assert_eq!(checked.is_ok(), is_right, "{checked:?}");

        // A row of the page that goes shifts one that was not met out of the next.
        let mut throughout = throughout;
        let mut gone = BTreeSet::new();
        let met = walk(&store, &filter.clone().order(Order::OldestFirst), &mut |page| {
            if gone.len() < 2 {
                store.delete(page[0]).unwrap();
                gone.insert(page[0]);
            }
        });
        throughout.retain(|id| !gone.contains(id));
        let checked = walked(Order::OldestFirst, &met, &throughout, None);
        assert_eq!(checked.is_ok(), is_right, "{checked:?}");
    }
}

#[test]
fn a_walk_that_repeats_skips_reorders_or_invents_a_task_is_reported() {
    let ids = |ids: &[i64]| ids.iter().map(|id| crate::support::task_id(*id)).collect::<Vec<_>>();
    let (throughout, ever) = (ids(&[2, 3]).into_iter().collect(), ids(&[1, 2, 3]).into_iter().collect());
    for (met, is_right) in [
        (&[2, 3][..], true),
        (&[1, 2, 3], true),
        (&[2, 2, 3], false),
        (&[2, 3, 2], false),
        (&[3], false),
        (&[], false),
        (&[3, 2], false),
        (&[2, 3, 4], false),
    ] {
        let checked = walked(Order::OldestFirst, &ids(met), &throughout, Some(&ever));
        assert_eq!(checked.is_ok(), is_right, "{met:?}: {checked:?}");
        let turned: Vec<_> = met.iter().rev().copied().collect();
        assert_eq!(walked(Order::NewestFirst, &ids(&turned), &throughout, Some(&ever)).is_ok(), is_right);
    }
}
