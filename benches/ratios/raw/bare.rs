//! Tasks without any guard: bare.sql says what its tables leave out. No statement looks at the task's state or at the
//! time of its last change, and a message's seq comes from the caller.

use rusqlite::params;
use taskstore::Durability;

use super::{Writer, now_ns};
use crate::workload::{MESSAGES, TITLE, USER};

const SCHEMA: &str = include_str!("bare.sql");

pub struct BareTasks {
    writer: Writer,
}

impl BareTasks {
    pub fn open(durability: Durability) -> Self {
        Self { writer: Writer::open(durability, SCHEMA) }
    }

    /// Five verbs, each committed by itself.
    pub fn lifecycle(&self) {
        let id = self.start();
        for (seq, text) in (1..).zip(MESSAGES) {
            self.writer.transaction(|| self.message(id, seq, text));
        }
        self.finish(id);
    }

    /// Lifecycles in one transaction.
    pub fn batch(&self, lifecycles: u32) {
        self.writer.transaction(|| {
            for _ in 0..lifecycles {
                let id = self.start();
                (1..).zip(MESSAGES).for_each(|(seq, text)| self.message(id, seq, text));
                self.finish(id);
            }
        });
    }

    fn start(&self) -> i64 {
        self.writer.insert(START, params![TITLE, USER, now_ns()])
    }

    fn message(&self, id: i64, seq: i64, text: &str) {
        let now_ns = now_ns();
        self.writer.change(APPEND, params![id, seq, now_ns, text]);
        self.writer.change(TOUCH, params![id, now_ns]);
    }

    fn finish(&self, id: i64) {
        self.writer.change(FINISH, params![id, now_ns()]);
    }
}

const START: &str = "INSERT INTO task (title, performed_by, started_ns, updated_ns) VALUES (?1, ?2, ?3, ?3)";
const APPEND: &str = "INSERT INTO message (task_id, seq, time_ns, level, text) VALUES (?1, ?2, ?3, 3, ?4)";
const TOUCH: &str = "UPDATE task SET updated_ns = ?2 WHERE id = ?1";
const FINISH: &str = "UPDATE task SET outcome = 1, finished_ns = ?2, updated_ns = ?2 WHERE id = ?1";
