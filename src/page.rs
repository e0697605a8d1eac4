//! Pages of a list.

use std::convert::Infallible;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One page of a list, and where its neighbours begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The rows, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Cursor>,
    /// Where the page before begins; `None` on the first one, and in lists that are walked forwards only: those of
    /// system tasks and of their runs.
    pub previous: Option<Cursor>,
    /// The rows of the whole list, if the filter asked for their number.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// `items` holds one row more than the page if there is a next page.
    pub(crate) fn cut(mut items: Vec<T>, limit: usize, cursor_of: impl FnOnce(&T) -> Cursor) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor_of) } else { None };
        Self { items, next, previous: None, total: None }
    }

    /// The same page of other rows, as many and in the same order.
    pub(crate) fn with_items<U>(self, items: impl FnOnce(Vec<T>) -> Vec<U>) -> Page<U> {
        Page { items: items(self.items), next: self.next, previous: self.previous, total: self.total }
    }
}

/// A place in a list, between two rows and told by their sort key, so that rows which arrive or go meanwhile, those two
/// also, neither repeat nor hide others.
///
/// It is text, made for an URL or a hidden form field: [`Display`](fmt::Display) writes it and [`FromStr`] reads it.
/// What it contains is not part of the API. A list refuses a cursor of another list, filter or order with
/// [`Error::InvalidCursor`](crate::Error::InvalidCursor).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Cursor {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// What tells a cursor's list from others. It is the same in every process of a build, which the hashers of the standard
/// library do not promise: a cursor may come back after a restart. Another build may refuse it.
pub(crate) fn fingerprint(list: &impl Hash) -> u64 {
    let mut fnv = Fnv(0xcbf2_9ce4_8422_2325);
    list.hash(&mut fnv);
    fnv.finish()
}

/// The hash of Fowler, Noll and Vo, in its variant 1a.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
