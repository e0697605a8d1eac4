//! Tasks with their messages, read from the library's own tables into structs like the library's.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Params, params};
use taskstore::{Level, Outcome};

use super::{in_snapshot, open_to_read};
use rows::{message, task};

mod rows;

/// A connection that only reads, set as the store sets those.
pub struct Reader {
    connection: Connection,
}

/// How the messages of tasks are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A statement for each task.
    EachTask,
    /// One for all, merged with the tasks; both ascend, and are turned over.
    Merge,
}

/// A task's columns, all that the library reads.
#[derive(Debug)]
pub struct Task {
    pub id: i64,
    pub configuration_id: Option<i64>,
    pub configuration_name: String,
    pub title: String,
    pub performed_by: String,
    pub outcome: Option<Outcome>,
    pub started: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub finished: Option<DateTime<Utc>>,
    pub dismissed_by: Option<String>,
    pub dismissed: Option<DateTime<Utc>>,
    pub progress: Option<Progress>,
    pub message_count: u64,
    pub level_reached: Option<Level>,
    pub key: Option<String>,
    pub messages: Vec<Message>,
}

#[derive(Debug)]
pub struct Progress {
    pub done: u64,
    pub total: Option<u64>,
    pub phase: Option<String>,
}

#[derive(Debug)]
pub struct Message {
    pub seq: u64,
    pub time: DateTime<Utc>,
    pub level: Level,
    pub text: String,
    pub key: Option<String>,
}

impl Reader {
    pub fn open(path: &Path) -> Self {
        let connection = open_to_read(path);
        connection.execute_batch("PRAGMA cell_size_check = ON; PRAGMA query_only = ON").expect("sets up");
        Self { connection }
    }

    pub fn get(&self, id: i64) -> Task {
        in_snapshot(&self.connection, || {
            let mut get = self.connection.prepare_cached(GET).expect("prepares");
            let mut task = get.query_row(params![id], task).expect("finds");
            self.messages_of(&mut task);
            task
        })
    }

    /// The newest tasks.
    pub fn newest(&self, limit: u32, way: Way) -> Vec<Task> {
        in_snapshot(&self.connection, || self.page(NEWEST, params![limit], way))
    }

    /// The newest tasks of a configuration.
    pub fn newest_of(&self, configuration: i64, limit: u32, way: Way) -> Vec<Task> {
        in_snapshot(&self.connection, || self.page(NEWEST_OF, params![configuration, limit], way))
    }

    /// Every task, newest first.
    pub fn all(&self, way: Way) -> Vec<Task> {
        in_snapshot(&self.connection, || {
            if way == Way::EachTask {
                return self.page(NEWEST, params![-1], way);
            }
            let mut tasks = self.tasks(OLDEST, []);
            self.merge(tasks.iter_mut());
            tasks.reverse();
            tasks
        })
    }

    fn page(&self, sql: &str, values: impl Params, way: Way) -> Vec<Task> {
        let mut tasks = self.tasks(sql, values);
        match way {
            Way::EachTask => tasks.iter_mut().for_each(|task| self.messages_of(task)),
            Way::Merge => self.merge(tasks.iter_mut().rev()),
        }
        tasks
    }

    fn tasks(&self, sql: &str, values: impl Params) -> Vec<Task> {
        let mut list = self.connection.prepare_cached(sql).expect("prepares");
        let rows = list.query_map(values, task).expect("lists");
        rows.map(|row| row.expect("reads")).collect()
    }

    fn messages_of(&self, task: &mut Task) {
        let mut messages = self.connection.prepare_cached(MESSAGES).expect("prepares");
        let mut rows = messages.query(params![task.id]).expect("lists");
        while let Some(row) = rows.next().expect("reads") {
            task.messages.push(message(row).expect("reads"));
        }
    }

    /// The messages from the first task to the last; the tasks' ids rise.
    fn merge<'a>(&self, tasks: impl DoubleEndedIterator<Item = &'a mut Task> + ExactSizeIterator) {
        let mut tasks = tasks.peekable();
        let Some(first) = tasks.peek().map(|task| task.id) else { return };
        let mut messages = self.connection.prepare_cached(MESSAGES_FROM).expect("prepares");
        let mut rows = messages.query(params![first]).expect("lists");
        while let Some(row) = rows.next().expect("reads") {
            let id: i64 = row.get(5).expect("reads");
            while tasks.next_if(|task| task.id < id).is_some() {}
            match tasks.peek_mut() {
                Some(task) if task.id == id => task.messages.push(message(row).expect("reads")),
                Some(_) => {}
                None => break,
            }
        }
    }
}

macro_rules! task {
    ($index:literal, $which:literal) => {
        concat!(
            "SELECT t.id, iif(c.deleted_ns IS NULL, c.id, NULL), coalesce(c.name, ''), t.title, t.performed_by, t.outcome,
                t.started_ns, t.updated_ns, t.finished_ns, t.dismissed_by, t.dismissed_ns, t.progress_done,
                t.progress_total, t.progress_phase, t.message_count, t.level_reached, t.key
            FROM task t ",
            $index,
            " LEFT JOIN configuration c ON c.id = t.configuration_id ",
            $which
        )
    };
}

const GET: &str = task!("", "WHERE t.id = ?1");
const NEWEST: &str = task!("INDEXED BY task_listed", "WHERE t.dismissed = 0 ORDER BY t.id DESC LIMIT ?1");
const NEWEST_OF: &str = task!(
    "INDEXED BY task_of_configuration",
    "WHERE t.configuration_id = ?1 AND t.dismissed = 0 ORDER BY t.id DESC LIMIT ?2"
);
const OLDEST: &str = task!("NOT INDEXED", "WHERE t.dismissed = 0 ORDER BY t.id");
const MESSAGES: &str = "SELECT seq, time_ns, level, text, key FROM message WHERE task_id = ?1 ORDER BY seq";
const MESSAGES_FROM: &str = "
    SELECT seq, time_ns, level, text, key, task_id FROM message WHERE task_id >= ?1 ORDER BY task_id, seq";
