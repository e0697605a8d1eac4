//! Pages of a list.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One page of a list, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The rows, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Cursor>,
    /// The rows of the whole list, if the filter asked for their number.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// `items` holds one row more than the page if there is a next page.
    pub(crate) fn cut(mut items: Vec<T>, limit: usize, cursor_of: impl FnOnce(&T) -> Cursor) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor_of) } else { None };
        Self { items, next, total: None }
    }
}

/// A place in a list: the sort key of the last row of a page, so that rows which arrive or go meanwhile
/// neither repeat nor hide others.
///
/// It is text, made for an URL or a hidden form field: [`Display`](fmt::Display) writes it and [`FromStr`] reads it.
/// What it contains is not part of the API. A list refuses a cursor of another list or order with
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
