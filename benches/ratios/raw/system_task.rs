//! A run of a system task: the library's own tables, indexes and statements.

use rusqlite::{OptionalExtension, params};
use taskstore::Durability;
use uuid::Uuid;

use super::{SCHEMA, Writer, now_ns};
use crate::system_task::{EVENTS, NAME, attributes};

pub struct Runs {
    writer: Writer,
}

impl Runs {
    pub fn open() -> Self {
        Self { writer: Writer::open(Durability::Full, SCHEMA) }
    }

    /// A whole run, each of its five calls durable by itself.
    pub fn record(&self) {
        let (system_task, id) = self.writer.transaction(|| self.start());
        for text in EVENTS {
            self.writer.transaction(|| self.log(id, text));
        }
        self.writer.transaction(|| self.finish(system_task, id));
    }

    fn start(&self) -> (i64, i64) {
        let found = self.writer.connection.prepare_cached(FIND).and_then(|mut find| {
            find.query_row(params![NAME, "ann"], |row| Ok((row.get(0)?, row.get::<_, Uuid>(1)?))).optional()
        });
        let system_task = match found.expect("looks") {
            Some((system_task, _)) => system_task,
            None => self.writer.insert(ADD, params![Uuid::new_v4(), NAME, "ann"]),
        };
        (system_task, self.writer.insert(START, params![system_task, now_ns()]))
    }

    fn log(&self, id: i64, text: &str) {
        self.writer.change(COUNT_EVENT, params![id]);
        self.writer.change(APPEND, params![id, now_ns(), NAME, text, attributes().to_string()]);
    }

    fn finish(&self, system_task: i64, id: i64) {
        self.writer.change(END, params![id, now_ns(), 1_000_000]);
        self.writer.change(SHOW, params![id, system_task]);
    }
}

const FIND: &str = "SELECT id, uuid FROM system_task WHERE name = ?1 AND uid_key = ?2";
const ADD: &str = "INSERT INTO system_task (uuid, name, uid) VALUES (?1, ?2, ?3)";
const START: &str = "
    INSERT INTO run (system_task_id, started_ns, expires_after_ns, only_on_failure) VALUES (?1, ?2, 21600000000000, 0)";
const COUNT_EVENT: &str = "UPDATE run SET event_count = event_count + 1 WHERE id = ?1 AND finished_ns IS NULL";
const APPEND: &str = "
    INSERT INTO log_event (run_id, seq, time_ns, level, logger, event, attributes)
    VALUES (?1, (SELECT event_count FROM run WHERE id = ?1), ?2, 6, ?3, ?4, ?5)";
const END: &str = "
    UPDATE run SET status = 2, finished_ns = max(started_ns, ?2), duration_ns = ?3, expires_ns = ?2 + expires_after_ns
    WHERE id = ?1 AND finished_ns IS NULL";
const SHOW: &str = "UPDATE system_task SET shown_run = ?1 WHERE id = ?2";
