//! A store with tasks, read by the library and by hand.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use taskstore::{ConfigurationId, Durability, Limits, OpenOptions, Page, TaskFilter, TaskStore, TaskWithMessages};
use tempfile::TempDir;

use super::Kind;
use super::generator::fill;
use super::year::Hand;
use crate::raw::panel::Reader;

/// A store and a raw reader of one file.
pub struct Filled {
    pub store: TaskStore,
    pub raw: Reader,
    path: PathBuf,
    count: i64,
    next: Cell<i64>,
    // Behind the connections, which are closed first.
    _directory: TempDir,
}

impl Filled {
    pub fn with(kind: Kind, count: usize) -> Self {
        let directory = tempfile::tempdir().expect("makes a directory");
        let path = directory.path().join("tasks.db");
        let (options, hand) = (options(), Hand::default());
        let filling = options.clone().clock(hand.clone()).open(&path).expect("opens");
        fill(&filling, &hand, kind, count);
        // Closed, so that nothing is read from a `-wal`.
        filling.close().expect("closes");
        let store = options.open(&path).expect("opens");
        let count = i64::try_from(count).expect("a count");
        Self { store, raw: Reader::open(&path), path, count, next: Cell::new(0), _directory: directory }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An id far from the last one. They are all there, from 1 on.
    pub fn id(&self) -> i64 {
        self.next.set((self.next.get() + 7_919) % self.count);
        self.next.get() + 1
    }

    /// The configuration that has the most tasks.
    pub fn largest(&self) -> ConfigurationId {
        self.store.configurations().list().expect("lists").first().expect("there are some").id
    }

    pub fn list(&self, filter: &TaskFilter) -> Page<TaskWithMessages> {
        self.store.list_with_messages(filter).expect("lists")
    }

    /// The beginning of the page in the middle of a list.
    pub fn middle(&self, filter: &TaskFilter) -> TaskFilter {
        let tasks = self.store.counts(None).expect("counts");
        let visible = tasks.in_progress + tasks.finished + tasks.failed + tasks.interrupted;
        let limit = u32::try_from(visible / 2).expect("a count").max(1);
        let next = self.store.list(&filter.clone().limit(limit)).expect("lists").next;
        filter.clone().cursor(next.expect("there is another half"))
    }
}

/// Rows of a page have no other limit than what is asked for.
pub fn options() -> OpenOptions {
    let limits = Limits { page_rows_max: u32::MAX, ..Limits::default() };
    OpenOptions::new().durability(Durability::Normal).limits(limits)
}
