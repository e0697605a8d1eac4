//! Tasks: the library's own tables, indexes and statements.

use rusqlite::params;
use taskstore::Durability;

use super::{SCHEMA, Writer, now_ns};
use crate::workload::{MESSAGES, TITLE, USER};

pub struct Tasks {
    writer: Writer,
}

impl Tasks {
    pub fn open(durability: Durability) -> Self {
        Self::with_schema(durability, SCHEMA)
    }

    /// The library's tables with other indexes.
    pub fn changed(durability: Durability, change: &str) -> Self {
        Self::with_schema(durability, &[SCHEMA, change].concat())
    }

    fn with_schema(durability: Durability, schema: &str) -> Self {
        let writer = Writer::open(durability, schema);
        // So that a count is always an `UPDATE`.
        writer.change("INSERT INTO task_count (configuration_id) VALUES (0)", []);
        Self { writer }
    }

    /// Five verbs, each durable by itself; tells when each was acknowledged.
    pub fn lifecycle(&self, mut acknowledged: impl FnMut()) {
        let id = self.start();
        acknowledged();
        for text in MESSAGES {
            self.message(id, text);
            acknowledged();
        }
        self.finish(id);
        acknowledged();
    }

    pub fn start(&self) -> i64 {
        self.transaction(1, 0, || self.insert())
    }

    pub fn message(&self, id: i64, text: &str) {
        self.transaction(0, 0, || self.append(id, text));
    }

    pub fn finish(&self, id: i64) {
        self.transaction(0, 1, || self.end(id));
    }

    /// Lifecycles in one transaction.
    pub fn batch(&self, lifecycles: u32) {
        self.transaction(lifecycles, lifecycles, || {
            for _ in 0..lifecycles {
                let id = self.insert();
                MESSAGES.iter().for_each(|text| self.append(id, text));
                self.end(id);
            }
        });
    }

    /// The counts are written once a transaction.
    fn transaction<T>(&self, started: u32, finished: u32, work: impl FnOnce() -> T) -> T {
        self.writer.transaction(|| {
            let done = work();
            if started > 0 || finished > 0 {
                self.writer.change(COUNT, params![started, finished]);
            }
            done
        })
    }

    fn insert(&self) -> i64 {
        self.writer.insert(START, params![TITLE, USER, now_ns()])
    }

    fn append(&self, id: i64, text: &str) {
        let now_ns = now_ns();
        self.writer.change(COUNT_MESSAGE, params![id, now_ns]);
        self.writer.change(APPEND, params![id, now_ns, text]);
    }

    fn end(&self, id: i64) {
        self.writer.change(FINISH, params![id, now_ns()]);
    }
}

const COUNT: &str = "
    UPDATE task_count SET in_progress = in_progress + ?1 - ?2, finished = finished + ?2 WHERE configuration_id = 0";
const START: &str = "INSERT INTO task (title, performed_by, started_ns, updated_ns) VALUES (?1, ?2, ?3, ?3)";
const COUNT_MESSAGE: &str = "
    UPDATE task SET message_count = message_count + 1, updated_ns = max(updated_ns, ?2)
    WHERE id = ?1 AND outcome IS NULL";
const APPEND: &str = "
    INSERT INTO message (task_id, seq, time_ns, level, text)
    VALUES (?1, (SELECT message_count FROM task WHERE id = ?1), ?2, 3, ?3)";
const FINISH: &str = "
    UPDATE task SET outcome = 1, finished_ns = max(updated_ns, ?2), updated_ns = max(updated_ns, ?2)
    WHERE id = ?1 AND outcome IS NULL";
