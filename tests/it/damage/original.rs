//! A sound file with something of everything, and where in it what lies.

use std::iter;
use std::ops::Range;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;
use taskstore::{Level, LogEvent, LogLevel, NewTask, Progress, RunOptions, TaskStore};

use crate::support::files::{abandon, beside, bytes, shell};
use crate::support::options;

/// What a byte of a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The first hundred bytes.
    Header,
    /// The definitions of tables and indexes.
    Schema,
    /// Rows.
    Table,
    /// Indexes.
    Index,
    /// Pages that hold nothing, and the list of them.
    Free,
    /// The map of pages by which a file is made smaller.
    PageMap,
    /// The `-wal`.
    Wal,
}

impl Kind {
    pub(super) const ALL: [Self; 7] =
        [Self::Header, Self::Schema, Self::Table, Self::Index, Self::Free, Self::PageMap, Self::Wal];
}

/// The bytes of a sound file.
pub(super) struct Original {
    pub(super) database: Vec<u8>,
    /// Of another state of it: what is not merged yet.
    pub(super) database_of_wal: Vec<u8>,
    pub(super) wal: Vec<u8>,
    pages: Vec<Kind>,
    pub(super) page_bytes: usize,
}

impl Original {
    pub(super) fn make(directory: &Path) -> Self {
        let path = directory.join("original.db");
        let store = options().open(&path).unwrap();
        record(&store, "prod", 9);
        // What is deleted leaves pages that hold nothing.
        let long = store.start_detached(NewTask::new("deleted")).unwrap();
        for _ in 0..5 {
            store.message(long, Level::Info, "z".repeat(3_000)).unwrap();
        }
        store.finish(long).unwrap();
        store.delete(long).unwrap();
        store.close().unwrap();
        let database = bytes(&path).unwrap();
        let (pages, page_bytes) = kinds(&shell(&path), &database);

        let other = directory.join("unmerged.db");
        let store = options().open(&other).unwrap();
        record(&store, "prod", 3);
        store.close().unwrap();
        let store = options().open(&other).unwrap();
        record(&store, "test", 3);
        let last = shell(&other);
        last.query_row("SELECT count(*) FROM task", [], |_| Ok(())).unwrap();
        store.close().unwrap();
        abandon(last);
        let (database_of_wal, wal) = (bytes(&other).unwrap(), bytes(&beside(&other, "-wal")).unwrap());
        Self { database, database_of_wal, wal, pages, page_bytes }
    }

    /// Where the bytes of this kind are, in the database or the `-wal`.
    pub(super) fn ranges(&self, kind: Kind) -> Vec<Range<usize>> {
        match kind {
            Kind::Header => return iter::once(0..100).collect(),
            Kind::Wal => return iter::once(0..self.wal.len()).collect(),
            _ => {}
        }
        let of_kind = self.pages.iter().enumerate().filter(|(_, page)| **page == kind);
        // The header stands on the first page of the schema.
        of_kind.map(|(page, _)| (page * self.page_bytes).max(100)..(page + 1) * self.page_bytes).collect()
    }
}

fn kinds(shell: &Connection, database: &[u8]) -> (Vec<Kind>, usize) {
    let page_bytes = shell.pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0)).unwrap() as usize;
    let mut pages = vec![Kind::Free; database.len() / page_bytes];
    // Each page of the map tells of as many as fit behind it.
    (1..pages.len()).step_by(page_bytes / 5 + 1).for_each(|page| pages[page] = Kind::PageMap);
    let mut trees = shell
        .prepare("SELECT d.pageno, d.name = 'sqlite_schema', s.type = 'index' FROM dbstat d LEFT JOIN sqlite_schema s USING (name)")
        .unwrap();
    let mut rows = trees.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let kind = match (row.get(1).unwrap(), row.get(2).unwrap()) {
            (true, _) => Kind::Schema,
            (false, Some(true)) => Kind::Index,
            (false, _) => Kind::Table,
        };
        pages[row.get::<_, u32>(0).unwrap() as usize - 1] = kind;
    }
    (pages, page_bytes)
}

/// Something of everything, in texts that no other part has.
pub(super) fn record(store: &TaskStore, part: &str, tasks: u64) {
    let configuration = store.configurations().add(part).unwrap();
    for number in 0..tasks {
        let key = format!("{part} {number}");
        let new = NewTask::new(format!("Copy {key}")).performed_by("ann").configuration(configuration).key(&key);
        let id = store.start_detached(new).unwrap();
        store.progress(id, &Progress::new(number).of(90).phase("copying")).unwrap();
        for file in 1..=6 {
            let level = if file == 6 && number % 3 == 0 { Level::Error } else { Level::Info };
            let text = format!("copied {file} of 6, {}", "and more ".repeat(9));
            store.message_once(id, format!("file {file}"), level, text).unwrap();
        }
        match number % 4 {
            0 => {}
            1 => store.fail(id, "no answer").unwrap(),
            _ => store.finish(id).unwrap(),
        }
        if number % 4 == 2 {
            store.dismiss(id, "bob").unwrap();
        }
        let uid = format!("host {}", number % 3);
        let options = RunOptions::new().key(key).description("Fetches the mail");
        let run = store.system_tasks().start_with("fetch_mail", Some(&uid), options).unwrap();
        for count in 1..=3 {
            let event = LogEvent::new(LogLevel::Info, "fetched").logger("mail").key(format!("fetch {count}"));
            run.log(event.attributes(json!({ "count": count, "from": "a server of some name" })).unwrap()).unwrap();
        }
        run.finish().unwrap();
    }
    store.system_tasks().register("clean_up", "Removes what is old").unwrap();
    assert_eq!(store.check().unwrap(), []);
}
