//! A store that has system tasks, read by the library and by hand.

use std::cell::Cell;
#[cfg(feature = "http")]
use std::path::PathBuf;

use taskstore::wire::system_task_api::{ListRequest, RetrieveRequest, write_list, write_system_task};
use taskstore::{Batch, Durability, OpenOptions, Result, RunOptions, SystemTaskFilter, TaskStore};
use tempfile::TempDir;
use uuid::Uuid;

use super::{EVENTS, NAME, event};
use crate::raw::published::Reader;

/// A store and a raw reader of one file, with system tasks of three events each.
pub struct Filled {
    pub store: TaskStore,
    reader: Reader,
    pub uuids: Vec<Uuid>,
    next: Cell<usize>,
    // Behind the connections, which are closed first.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    directory: TempDir,
}

impl Filled {
    pub fn with(count: usize) -> Self {
        let directory = tempfile::tempdir().expect("makes a directory");
        let path = directory.path().join("tasks.db");
        let store = OpenOptions::new().durability(Durability::Normal).open(&path).expect("opens");
        let numbers: Vec<usize> = (0..count).collect();
        let uuids = numbers.chunks(1_000).flat_map(|chunk| fill(&store, chunk)).collect();
        Self { store, reader: Reader::open(&path), uuids, next: Cell::new(0), directory }
    }

    #[cfg(feature = "http")]
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("tasks.db")
    }

    pub fn retrieve(&self) {
        let none: [(&str, &str); 0] = [];
        let request = RetrieveRequest::parse(&self.uuid().to_string(), none).expect("parses");
        let mut answer = Vec::new();
        write_system_task(&self.store, &request, &mut answer).expect("writes");
        assert!(answer.ends_with(b"\"expiring\":true}"));
    }

    pub fn retrieve_raw(&self) {
        assert!(self.reader.retrieve(self.uuid()).ends_with(b"\"expiring\":true}"));
    }

    /// A page of twenty, with the total, in the default order or in another.
    pub fn page(&self, ordering: &str) {
        let request = ListRequest::parse([("ordering", ordering), ("page_size", "20")]).expect("parses");
        let mut answer = Vec::new();
        write_list(&self.store, &request, &mut answer).expect("writes");
        assert!(answer.ends_with(b"]}"));
    }

    pub fn page_raw(&self, sql: &str) {
        assert!(self.reader.page(sql).ends_with(b"]}"));
    }

    /// A page of twenty by cursor, which counts nothing.
    pub fn page_without_total(&self) {
        let page = self.store.system_tasks().list(&SystemTaskFilter::new().limit(20)).expect("lists");
        assert_eq!(page.items.len(), 20);
    }

    /// A uuid far from the last one.
    fn uuid(&self) -> Uuid {
        let next = (self.next.get() + 7_919) % self.uuids.len();
        self.next.set(next);
        *self.uuids.get(next).expect("the remainder is an index")
    }
}

fn fill(store: &TaskStore, numbers: &[usize]) -> Vec<Uuid> {
    let fill = |batch: &Batch<'_>| numbers.iter().map(|number| add(batch, *number)).collect::<Result<_>>();
    store.batch(fill).expect("fills")
}

fn add(batch: &Batch<'_>, number: usize) -> Result<Uuid> {
    let run = batch.start_run(NAME, Some(&format!("user-{number:07}")), RunOptions::new().description("Fetches"))?;
    for text in EVENTS {
        batch.log(&run, event(text)?)?;
    }
    batch.finish_run(&run)?;
    Ok(run.uuid())
}
