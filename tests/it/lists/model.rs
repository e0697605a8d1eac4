//! The model: a plain vector of tasks, with all that a filter looks at.

use std::cmp::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use taskstore::{Level, Order, Outcome, TaskId};

use super::filters::Asked;

pub(crate) const CONFIGURATIONS: usize = 4;

/// The orders of the lists.
pub(crate) const ORDERS: [Order; 4] =
    [Order::NewestFirst, Order::OldestFirst, Order::RecentlyUpdated, Order::LongestRunning];

/// A task. Times are nanoseconds, and those that the file holds.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: TaskId,
    pub(crate) configuration: Option<usize>,
    pub(crate) title: String,
    pub(crate) performed_by: &'static str,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) started: i64,
    pub(crate) updated: i64,
    pub(crate) finished: Option<i64>,
    pub(crate) dismissed_by: Option<&'static str>,
    pub(crate) messages: Vec<Said>,
    /// Progress: when it was written last, by the monotonic clock, and when what is kept since was told.
    pub(crate) written: Option<Duration>,
    pub(crate) kept: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) level: Level,
    pub(crate) text: String,
    pub(crate) key: Option<&'static str>,
}

/// The vector, and what else decides whether a filter lets a task pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// In the order of their ids.
    pub(crate) rows: Vec<Row>,
    pub(crate) deleted: [bool; CONFIGURATIONS],
    pub(crate) now: i64,
}

pub(crate) fn time(ns: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(ns)
}

impl Row {
    pub(crate) fn level_reached(&self) -> Option<Level> {
        self.messages.iter().map(|said| said.level).max().filter(|level| *level >= Level::Warn)
    }

    /// What a list is ordered by.
    pub(crate) fn key(&self, order: Order) -> Key {
        let time = match order {
            Order::NewestFirst | Order::OldestFirst => 0,
            Order::RecentlyUpdated => self.updated,
            Order::LongestRunning => self.started,
        };
        (time, self.id)
    }
}

pub(crate) type Key = (i64, TaskId);

/// Which of two keys comes first.
pub(crate) fn compare(order: Order, one: Key, other: Key) -> Ordering {
    match order {
        Order::OldestFirst | Order::LongestRunning => one.cmp(&other),
        Order::NewestFirst | Order::RecentlyUpdated => other.cmp(&one),
    }
}

/// A part of a filter: its name, and whether it lets a task pass.
pub(crate) type Part = (&'static str, fn(&Model, &Asked, &Row) -> bool);

/// All parts. Each is asked by itself, so that a control can leave one out.
pub(crate) const PARTS: [Part; 14] = [
    ("configuration", |model, asked, row| asked.configuration.takes(row.configuration, &model.deleted)),
    ("outcomes", |_, asked, row| asked.outcomes.contains(&row.outcome)),
    ("dismissed", |_, asked, row| {
        asked.dismissed_by.is_some() || asked.dismissed.contains(&row.dismissed_by.is_some())
    }),
    ("dismissed_by", |_, asked, row| asked.dismissed_by.is_none() || asked.dismissed_by == row.dismissed_by),
    ("performed_by", |_, asked, row| asked.performed_by.is_none_or(|user| user == row.performed_by)),
    ("title", |_, asked, row| is_in(asked.title.as_deref(), [&row.title])),
    ("message", |_, asked, row| is_in(asked.message.as_deref(), texts(row))),
    ("text", |_, asked, row| is_in(asked.text.as_deref(), texts(row).chain([&row.title]))),
    ("started", |_, asked, row| asked.started.contains(Some(row.started))),
    ("updated", |_, asked, row| asked.updated.contains(Some(row.updated))),
    ("finished", |_, asked, row| asked.finished.contains(row.finished)),
    ("level_reached", |_, asked, row| asked.level_reached.is_none() || asked.level_reached <= row.level_reached()),
    ("running_longer_than", |model, asked, row| {
        let running_for = i128::from(model.now) - i128::from(row.started);
        let is_longer = |duration: Duration| running_for > duration.as_nanos().cast_signed();
        asked.running_longer_than.is_none_or(|duration| row.outcome.is_none() && is_longer(duration))
    }),
    ("order", |_, asked, row| asked.order != Order::LongestRunning || row.outcome.is_none()),
];

fn texts(row: &Row) -> impl Iterator<Item = &String> {
    row.messages.iter().map(|said| &said.text)
}

fn is_in<'a>(needle: Option<&str>, texts: impl IntoIterator<Item = &'a String>) -> bool {
    needle.is_none_or(|needle| texts.into_iter().any(|text| fold(text).contains(&fold(needle))))
}

/// Simple case folding as the standard library has it: upper case, then lower, where each is one character. For the
/// dotless i that is not Unicode's.
pub(crate) fn fold(text: &str) -> String {
    fn one<I: Iterator<Item = char>>(mut cased: I, character: char) -> char {
        let first = cased.next();
        first.filter(|_| cased.next().is_none()).unwrap_or(character)
    }
    let upper = text.chars().map(|character| one(character.to_uppercase(), character));
    upper.map(|character| one(character.to_lowercase(), character)).collect()
}

impl Model {
    pub(crate) fn passes(&self, asked: &Asked, row: &Row) -> bool {
        PARTS.iter().all(|(_, lets_pass)| lets_pass(self, asked, row))
    }

    /// The whole list.
    pub(crate) fn list(&self, asked: &Asked) -> Vec<&Row> {
        self.list_by(&PARTS, asked)
    }

    /// The whole list by some parts of the filter only.
    pub(crate) fn list_by(&self, parts: &[Part], asked: &Asked) -> Vec<&Row> {
        let passes = |row: &&Row| parts.iter().all(|(_, lets_pass)| lets_pass(self, asked, row));
        let mut list: Vec<_> = self.rows.iter().filter(passes).collect();
        list.sort_by(|one, other| compare(asked.order, one.key(asked.order), other.key(asked.order)));
        list
    }
}
