//! What a list must be, and whether it is. What is wrong is told as text, so that controls can have it.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use taskstore::{Cursor, Order, Page, Task, TaskFilter, TaskId};

use super::filters::Asked;
use super::model::{Key, Model, PARTS, Part, compare};
use super::world::{World, key_of};

pub(crate) type Checked<T = ()> = Result<T, String>;

pub(crate) fn ids_of(tasks: &[Task]) -> Vec<TaskId> {
    tasks.iter().map(|task| task.id).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Checked {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}")) }
}

/// Whether the whole list is the model's, each task the one that is shown alone, and its messages are its own.
pub(crate) fn whole(world: &World, asked: &Asked) -> Checked {
    whole_by(&PARTS, world, asked)
}

/// The same for a model that minds some parts of a filter only.
pub(crate) fn whole_by(parts: &[Part], world: &World, asked: &Asked) -> Checked {
    let World { store, model, .. } = world;
    let expected = model.list_by(parts, asked);
    let page = store.list(&asked.filter()).unwrap();
    same("the list", &ids_of(&page.items), &expected.iter().map(|row| row.id).collect())?;
    same("its neighbours", &(&page.next, &page.previous), &(&None, &None))?;
    for (task, row) in page.items.iter().zip(expected) {
        same("a task", task, &store.task(row.id).unwrap())?;
        let shown = (task.title.as_str(), task.outcome, task.message_count, task.level_reached, task.key.clone());
        let said = row.messages.len() as u64;
        same("a row", &shown, &(&row.title, row.outcome, said, row.level_reached(), Some(key_of(row.id.get()))))?;
        let updated = row.updated.max(row.kept.unwrap_or(row.updated));
        same("its time", &task.updated.timestamp_nanos_opt(), &Some(updated))?;
    }
    let long = store.list_with_messages(&asked.filter()).unwrap();
    same(
        "the tasks with messages",
        &long.items.iter().map(|found| &found.task).collect::<Vec<_>>(),
        &page.items.iter().collect(),
    )?;
    for found in long.items {
        let messages = crate::support::messages(store, found.task.id);
        same("the messages", &found.messages, &messages)?;
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Next,
    Previous,
}

/// Between two rows of a list, as they were when a page was read.
#[derive(Clone, Copy, Debug)]
enum Place {
    Beginning,
    After(Key),
    Before(Key),
}

impl Place {
    /// Whether a row is behind it.
    fn is_before(self, order: Order, key: Key) -> bool {
        match self {
            Self::Beginning => true,
            Self::After(last) => compare(order, key, last) == Ordering::Greater,
            Self::Before(first) => compare(order, key, first) != Ordering::Less,
        }
    }
}

/// Someone who pages through a list. Each page must be exactly the model's rows on that side of the place that its cursor
/// stands for, at the instant that it is read.
pub(crate) struct Walker {
    asked: Asked,
    next: Option<(Cursor, Place)>,
    previous: Option<(Cursor, Place)>,
}

impl Walker {
    pub(crate) fn begin(world: &World, asked: &Asked, limit: u32) -> Checked<(Self, Vec<TaskId>)> {
        let mut walker = Self { asked: asked.clone(), next: None, previous: None };
        let page = world.store.list(&asked.filter().limit(limit)).unwrap();
        let ids = walker.see(&world.model, page, Place::Beginning, Way::Next, limit)?;
        same("the page before the first", &walker.previous.is_some(), &false)?;
        Ok((walker, ids))
    }

    pub(crate) fn has(&self, way: Way) -> bool {
        self.neighbour(way).is_some()
    }

    fn neighbour(&self, way: Way) -> &Option<(Cursor, Place)> {
        match way {
            Way::Next => &self.next,
            Way::Previous => &self.previous,
        }
    }

    /// Turns to a neighbour; to none if there is none.
    pub(crate) fn go(&mut self, world: &World, way: Way, limit: u32) -> Checked<Vec<TaskId>> {
        let Some((cursor, place)) = self.neighbour(way).clone() else { return Ok(Vec::new()) };
        // A cursor is text, which may have gone through an URL.
        let cursor = cursor.to_string().parse().unwrap();
        let page = world.store.list(&self.asked.filter().limit(limit).cursor(cursor)).unwrap();
        let ids = self.see(&world.model, page, place, way, limit)?;
        let back = if way == Way::Next { &self.previous } else { &self.next };
        same("the way back", &back.is_some(), &true)?;
        Ok(ids)
    }

    fn see(&mut self, model: &Model, page: Page<Task>, place: Place, way: Way, limit: u32) -> Checked<Vec<TaskId>> {
        let order = self.asked.order;
        let keys = model.list(&self.asked).into_iter().map(|row| row.key(order));
        let (before, behind): (Vec<_>, Vec<_>) = keys.partition(|key| !place.is_before(order, *key));
        let limit = limit as usize;
        let (rows, more) = match way {
            Way::Next => (&behind[..limit.min(behind.len())], behind.len() > limit),
            Way::Previous => (&before[before.len().saturating_sub(limit)..], before.len() > limit),
        };
        let ids = ids_of(&page.items);
        same(&format!("the {way:?} page from {place:?}"), &ids, &rows.iter().map(|(_, id)| *id).collect())?;
        let goes_on = if way == Way::Next { &page.next } else { &page.previous };
        // A search does not look on behind a full page, and so may go on to an empty one.
        let may_go_on = self.asked.looks_for_text() && rows.len() == limit;
        same(&format!("whether more is {way:?} of it"), &goes_on.is_some(), &(more || may_go_on && goes_on.is_some()))?;
        let (first, last) = (rows.first().map(|key| Place::Before(*key)), rows.last().map(|key| Place::After(*key)));
        let (before, behind) = match way {
            Way::Next => (place, last.unwrap_or(place)),
            Way::Previous => (first.unwrap_or(place), place),
        };
        self.next = page.next.map(|cursor| (cursor, behind));
        self.previous = page.previous.map(|cursor| (cursor, before));
        Ok(ids)
    }
}

/// Whether a walk from one end of an order by id to the other met every task once that passed throughout, and none that
/// never passed, in their order.
pub(crate) fn walked(
    order: Order,
    met: &[TaskId],
    throughout: &BTreeSet<TaskId>,
    ever: Option<&BTreeSet<TaskId>>,
) -> Checked {
    let is_behind = |pair: &[TaskId]| compare(order, (0, pair[0]), (0, pair[1])) == Ordering::Less;
    if let Some(pair) = met.windows(2).find(|pair| !is_behind(pair)) {
        return Err(format!("after {} came {}: repeated, or out of order", pair[0], pair[1]));
    }
    let found: BTreeSet<_> = met.iter().copied().collect();
    same("skipped", &throughout.difference(&found).collect::<Vec<_>>(), &Vec::new())?;
    same(
        "never passed",
        &found.iter().filter(|id| ever.is_some_and(|ever| !ever.contains(id))).collect::<Vec<_>>(),
        &Vec::new(),
    )
}

/// Pages from one end of a list to the other by `read`, beginning with `page`, and gives the pages.
pub(crate) fn pages(
    filter: &TaskFilter,
    way: Way,
    mut page: Page<Task>,
    mut read: impl FnMut(&TaskFilter) -> Page<Task>,
) -> Vec<Page<Task>> {
    let mut pages = Vec::new();
    loop {
        let cursor = if way == Way::Next { page.next.clone() } else { page.previous.clone() };
        pages.push(page);
        assert!(pages.len() < 1_000, "a walk without an end");
        let Some(cursor) = cursor else { return pages };
        page = read(&filter.clone().cursor(cursor.to_string().parse().unwrap()));
    }
}
