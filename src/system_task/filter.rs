//! Which system tasks a list shows, in which order, and which part of it.

use std::fmt;
use std::hash::Hash;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::SystemTaskStatus;
use crate::page::Cursor;
use crate::{Error, Result};

/// Which system tasks a list gives: of those with a shown run or a registration.
///
/// The default: all, by name and uid, the first 100, without their number.
///
/// # Example
///
/// ```
/// use taskstore::{SortKey, SystemTaskFilter, SystemTaskStatus, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// store.system_tasks().run("fetch_mail", Some("ann"), |run| {
///     run.info("3 messages", ())?;
///     Ok::<_, taskstore::Error>(())
/// }).expect("nothing failed");
///
/// let newest: Vec<SortKey> = vec!["-finish_timestamp".parse()?];
/// let filter = SystemTaskFilter::new().status(SystemTaskStatus::Successful).search("mail").sort(newest).with_total();
/// let page = store.system_tasks().list(&filter)?;
/// assert_eq!((page.items[0].full_name().as_str(), page.total), ("fetch_mail:ann", Some(1)));
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SystemTaskFilter {
    /// Exactly this name.
    pub name: Option<String>,
    /// Exactly this uid.
    pub uid: Option<String>,
    /// Exactly this status.
    pub status: Option<SystemTaskStatus>,
    /// Terms that must all be found, each in the name, the description, the uid or the status, whatever the case.
    /// Terms are split at blanks and commas; a quoted one is a phrase. Empty for no search.
    pub search: String,
    /// What the list is ordered by, the first key first; the uuid decides what is still equal. Empty for name and uid.
    pub sort: Vec<SortKey>,
    /// The most rows of a page: from 1 to [`Limits::page_rows_max`](crate::Limits::page_rows_max).
    pub limit: u32,
    /// The [`next`](crate::Page::next) of the page before.
    pub after: Option<Cursor>,
    /// Whether the rows of the whole list are counted. That reads them all.
    pub with_total: bool,
}

impl SystemTaskFilter {
    /// All, by name and uid, the first 100, without their number.
    #[must_use]
    pub fn new() -> Self {
        Self {
            name: None,
            uid: None,
            status: None,
            search: String::new(),
            sort: Vec::new(),
            limit: 100,
            after: None,
            with_total: false,
        }
    }

    /// Exactly this name.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Exactly this uid.
    #[must_use]
    pub fn uid(self, uid: impl Into<String>) -> Self {
        Self { uid: Some(uid.into()), ..self }
    }

    /// Exactly this status.
    #[must_use]
    pub fn status(self, status: SystemTaskStatus) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Terms that must all be found.
    #[must_use]
    pub fn search(self, terms: impl Into<String>) -> Self {
        Self { search: terms.into(), ..self }
    }

    /// What the list is ordered by.
    #[must_use]
    pub fn sort(self, keys: impl IntoIterator<Item = SortKey>) -> Self {
        Self { sort: keys.into_iter().collect(), ..self }
    }

    /// The most rows of a page.
    #[must_use]
    pub fn limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }

    /// The page that begins where another ended.
    #[must_use]
    pub fn after(self, cursor: Cursor) -> Self {
        Self { after: Some(cursor), ..self }
    }

    /// The rows of the whole list are counted.
    #[must_use]
    pub fn with_total(self) -> Self {
        Self { with_total: true, ..self }
    }

    /// What makes it another list: all but the page.
    pub(crate) fn list(&self) -> impl Hash + '_ {
        let Self { name, uid, status, search, sort, .. } = self;
        (name, uid, status, search, sort)
    }
}

impl Default for SystemTaskFilter {
    fn default() -> Self {
        Self::new()
    }
}

/// What a list of system tasks can be ordered by: the members of the published object.
///
/// Text compares by bytes; what is null comes last ascending and first descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortField {
    /// The uuid.
    Uuid,
    /// The name.
    Name,
    /// The uid.
    Uid,
    /// The description.
    Description,
    /// When the shown run started.
    StartTimestamp,
    /// When it ended.
    FinishTimestamp,
    /// How long it took.
    Duration,
    /// Its status, by the word.
    Status,
    /// Taken, since the published API takes it, and orders nothing.
    Messages,
    /// When it expires.
    Expires,
    /// Whether it expires.
    Expiring,
}

impl SortField {
    /// All of them, in the order of the published object's members.
    pub const ALL: [Self; 11] = [
        Self::Uuid,
        Self::Name,
        Self::Uid,
        Self::Description,
        Self::StartTimestamp,
        Self::FinishTimestamp,
        Self::Duration,
        Self::Status,
        Self::Messages,
        Self::Expires,
        Self::Expiring,
    ];

    /// The member's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Name => "name",
            Self::Uid => "uid",
            Self::Description => "description",
            Self::StartTimestamp => "start_timestamp",
            Self::FinishTimestamp => "finish_timestamp",
            Self::Duration => "duration",
            Self::Status => "status",
            Self::Messages => "messages",
            Self::Expires => "expires",
            Self::Expiring => "expiring",
        }
    }
}

/// Which way a key orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The least first.
    #[default]
    Ascending,
    /// The greatest first.
    Descending,
}

/// One key of an order. As text: the field's name, with `-` before it if it descends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SortKey {
    /// What is compared.
    pub field: SortField,
    /// Which way.
    pub direction: Direction,
}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.direction {
            Direction::Ascending => "",
            Direction::Descending => "-",
        };
        write!(f, "{sign}{}", self.field.as_str())
    }
}

impl FromStr for SortKey {
    type Err = Error;

    /// Reads what [`SortKey`] displays: `name`, `-finish_timestamp`.
    ///
    /// # Errors
    ///
    /// [`Invalid`](Error::Invalid) if there is no such field.
    fn from_str(text: &str) -> Result<Self> {
        let (direction, name) =
            text.strip_prefix('-').map_or((Direction::Ascending, text), |name| (Direction::Descending, name));
        let field = SortField::ALL.into_iter().find(|field| field.as_str() == name);
        field
            .map(|field| Self { field, direction })
            .ok_or(Error::Invalid { field: "ordering", problem: "must name members of a system task" })
    }
}

/// Which page of a numbered list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PageNumber {
    /// This one, counted from 1.
    Number(u64),
    /// The last.
    Last,
}

/// One page of a numbered list: what the published API gives. Walk a list by its cursor instead, if you can: a row that
/// arrives or goes shifts all later pages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NumberedPage<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the page lies.
    pub pagination: Pagination,
}

/// Where a page lies in its list, in the members of the published API and in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct Pagination {
    /// The number of the next page; 0 for none.
    pub next: u64,
    /// The number of the page before; 0 for none.
    pub previous: u64,
    /// The rows of the whole list.
    pub count: u64,
    /// This page.
    pub current: u64,
    /// The pages; 1 for an empty list.
    pub total_pages: u64,
    /// The first row, counted from 1; 0 for an empty list.
    pub start_index: u64,
    /// The last row.
    pub end_index: u64,
}

impl Pagination {
    /// The page `number` of `count` rows, `size` a page.
    pub(crate) fn of(count: u64, number: PageNumber, size: u64) -> Result<Self> {
        let size = size.max(1);
        let total_pages = count.div_ceil(size).max(1);
        let current = match number {
            PageNumber::Last => total_pages,
            PageNumber::Number(number) if (1..=total_pages).contains(&number) => number,
            PageNumber::Number(number) => {
                let max = i64::try_from(total_pages).unwrap_or(i64::MAX);
                return Err(Error::OutOfRange { field: "page", value: number.to_string(), min: 1, max });
            }
        };
        Ok(Self {
            next: if current < total_pages { current + 1 } else { 0 },
            previous: current - 1,
            count,
            current,
            total_pages,
            start_index: if count == 0 { 0 } else { (current - 1) * size + 1 },
            end_index: count.min(current.saturating_mul(size)),
        })
    }

    /// The rows before the page.
    pub(crate) fn offset(&self) -> u64 {
        self.start_index.saturating_sub(1)
    }
}
