//! Where in a list a page begins, and which way it is read.

use super::TaskFilter;
use crate::page::{Cursor, fingerprint};
use crate::{Error, Result};

/// A place between two rows: before it are those up to this key, as (key, id) rises. An order by id has no key but 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) key: i64,
    pub(crate) id: i64,
}

impl Position {
    const BEFORE_ALL: Self = Self { key: i64::MIN, id: i64::MIN };
    const BEHIND_ALL: Self = Self { key: i64::MAX, id: i64::MAX };

    /// The place beyond a row for whoever reads this way.
    fn beyond(row: (i64, i64), rising: bool) -> Self {
        let (key, id) = row;
        Self { key, id: if rising { id } else { id - 1 } }
    }
}

/// Which neighbour of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Next,
    Previous,
}

impl Way {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Previous => "previous",
        }
    }

    const fn back(self) -> Self {
        match self {
            Self::Next => Self::Previous,
            Self::Previous => Self::Next,
        }
    }
}

/// How a page is read: from where, and which way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) from: Position,
    /// Whether keys rise as it is read. The page before is read against the order of the list, and turned over.
    pub(crate) rising: bool,
    way: Way,
    fingerprint: u64,
    is_first: bool,
}

impl Reading {
    /// What the filter asks for; [`InvalidCursor`](Error::InvalidCursor) if its cursor is another list's.
    pub(crate) fn of(filter: &TaskFilter) -> Result<Self> {
        let fingerprint = fingerprint(&filter.list());
        let Some(cursor) = &filter.cursor else { return Ok(Self::whole(filter, fingerprint)) };
        let refused = || Error::InvalidCursor { cursor: cursor.to_string() };
        let (way, from) = parse(cursor, fingerprint).ok_or_else(refused)?;
        let rising = filter.order.rises() == (way == Way::Next);
        Ok(Self { from, rising, way, fingerprint, is_first: false })
    }

    /// The list from its first row on, whatever page the filter asks for.
    pub(crate) fn of_whole(filter: &TaskFilter) -> Self {
        Self::whole(filter, 0)
    }

    fn whole(filter: &TaskFilter, fingerprint: u64) -> Self {
        let rising = filter.order.rises();
        let from = if rising { Position::BEFORE_ALL } else { Position::BEHIND_ALL };
        Self { from, rising, way: Way::Next, fingerprint, is_first: true }
    }

    /// The rows of a page as they were read, in the order of the list.
    pub(crate) fn in_order<T>(&self, mut rows: Vec<T>) -> Vec<T> {
        if self.way == Way::Previous {
            rows.reverse();
        }
        rows
    }

    /// The cursors of the next page and of the one before, for a page that was read up to `last`, a (key, id), or to no
    /// row at all. `more` tells whether there may be more behind it.
    pub(crate) fn neighbours(&self, last: Option<(i64, i64)>, more: bool) -> (Option<Cursor>, Option<Cursor>) {
        let ahead = last.map_or(self.from, |row| Position::beyond(row, self.rising));
        let ahead = more.then(|| cursor(self.way, self.fingerprint, ahead));
        // Who came here by a cursor came from somewhere.
        let behind = (!self.is_first).then(|| cursor(self.way.back(), self.fingerprint, self.from));
        match self.way {
            Way::Next => (ahead, behind),
            Way::Previous => (behind, ahead),
        }
    }
}

fn cursor(way: Way, fingerprint: u64, at: Position) -> Cursor {
    Cursor::new(format!("{}.{fingerprint:x}.{}.{}", way.as_str(), at.key, at.id))
}

fn parse(text: &Cursor, fingerprint: u64) -> Option<(Way, Position)> {
    let mut parts = text.as_str().split('.');
    let name = parts.next()?;
    let way = [Way::Next, Way::Previous].into_iter().find(|way| way.as_str() == name)?;
    let key = parts.nth(1)?.parse().ok()?;
    let at = Position { key, id: parts.next()?.parse().ok()? };
    // Only what was given out is taken back: for this list, and no other spelling of it.
    (cursor(way, fingerprint, at) == *text).then_some((way, at))
}
