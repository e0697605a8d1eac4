//! System tasks against the same statements by hand: a whole run, a retrieve and a page of twenty.

use std::fs;
use std::path::PathBuf;

use rusqlite::{Connection, OpenFlags, Row, params};
use serde::Serialize;
use serde_json::value::RawValue;
use taskstore::wire::system_task_api::{ListRequest, RetrieveRequest, write_list, write_system_task};
use taskstore::{Durability, LogEvent, LogLevel, OpenOptions, RunOptions, SystemTaskFilter, TaskStore};
use uuid::Uuid;

use crate::raw::{SCHEMA, now_ns, prepare, temporary_directory};

const NAME: &str = "fetch_mail";
const EVENTS: [&str; 3] = ["connecting", "fetching 3 messages", "done"];

/// A store and a raw connection on one file, with system tasks of three events each.
pub struct Filled {
    pub store: TaskStore,
    reader: Connection,
    uuids: Vec<Uuid>,
    next: std::cell::Cell<usize>,
    directory: PathBuf,
}

impl Filled {
    pub fn with(system_tasks: usize) -> Self {
        let directory = temporary_directory();
        let path = directory.join("tasks.db");
        let store = OpenOptions::new().durability(Durability::Normal).open(&path).expect("opens");
        let uuids = (0..system_tasks).collect::<Vec<_>>();
        let uuids = uuids.chunks(1_000).flat_map(|chunk| fill(&store, chunk)).collect();
        let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens");
        prepare(&reader);
        Self { store, reader, uuids, next: std::cell::Cell::new(0), directory }
    }

    /// A uuid far from the last one.
    fn uuid(&self) -> Uuid {
        let next = (self.next.get() + 7_919) % self.uuids.len();
        self.next.set(next);
        *self.uuids.get(next).expect("the remainder is an index")
    }

    pub fn retrieve(&self) {
        let none: [(&str, &str); 0] = [];
        let request = RetrieveRequest::parse(&self.uuid().to_string(), none).expect("parses");
        let mut answer = Vec::new();
        write_system_task(&self.store, &request, &mut answer).expect("writes");
        assert!(answer.ends_with(b"\"expiring\":true}"));
    }

    pub fn retrieve_raw(&self) {
        let answer = self.in_snapshot(|| {
            let mut get = self.reader.prepare_cached(GET).expect("prepares");
            get.query_row(params![self.uuid()], |row| Ok(serde_json::to_vec(&self.object(row)))).expect("finds")
        });
        assert!(answer.expect("serialises").ends_with(b"\"expiring\":true}"));
    }

    /// A page in the default order, or in another.
    pub fn page(&self, ordering: &str) {
        let request = ListRequest::parse([("ordering", ordering), ("page_size", "20")]).expect("parses");
        let mut answer = Vec::new();
        write_list(&self.store, &request, &mut answer).expect("writes");
        assert!(answer.ends_with(b"]}"));
    }

    pub fn page_raw(&self, sql: &str) {
        let answer = self.in_snapshot(|| {
            let mut count = self.reader.prepare_cached(COUNT).expect("prepares");
            let count: i64 = count.query_row([], |row| row.get(0)).expect("counts");
            let mut page = self.reader.prepare_cached(sql).expect("prepares");
            let results = page.query_map([], |row| Ok(self.object(row))).expect("lists").map(|row| row.expect("reads"));
            let pagination = Pagination {
                next: 2,
                previous: 0,
                count,
                current: 1,
                total_pages: count / 20,
                start_index: 1,
                end_index: 20,
            };
            serde_json::to_vec(&Page { pagination, results: results.collect() }).expect("serialises")
        });
        assert!(answer.ends_with(b"]}"));
    }

    /// A page of twenty by cursor, which counts nothing.
    pub fn page_without_total(&self) {
        let page = self.store.system_tasks().list(&SystemTaskFilter::new().limit(20)).expect("lists");
        assert_eq!(page.items.len(), 20);
    }

    fn in_snapshot<T>(&self, read: impl FnOnce() -> T) -> T {
        let run = |sql| self.reader.prepare_cached(sql).and_then(|mut run| run.execute([])).expect("runs");
        run("BEGIN");
        let answer = read();
        run("COMMIT");
        answer
    }

    fn object(&self, row: &Row<'_>) -> Object {
        let name: String = row.get(1).expect("reads");
        let uid: Option<String> = row.get(2).expect("reads");
        let mut events = self.reader.prepare_cached(LOG).expect("prepares");
        let messages = events.query_map(params![row.get::<_, i64>(9).expect("reads")], |row| {
            Ok(Event {
                timestamp: time(row.get(0)?),
                log_level: if row.get::<_, i64>(1)? == 6 { "info" } else { "warning" },
                logger: row.get(2)?,
                event: row.get(3)?,
                attributes: RawValue::from_string(row.get(4)?).expect("is JSON"),
            })
        });
        Object {
            uuid: row.get(0).expect("reads"),
            full_name: uid.as_ref().map_or_else(|| name.clone(), |uid| format!("{name}:{uid}")),
            name,
            uid,
            description: row.get(3).expect("reads"),
            start_timestamp: time(row.get(4).expect("reads")),
            finish_timestamp: time(row.get(5).expect("reads")),
            duration: std::time::Duration::from_nanos(row.get::<_, i64>(6).expect("reads").unsigned_abs())
                .as_secs_f64(),
            status: if row.get::<_, i64>(7).expect("reads") == 2 { "successful" } else { "error" },
            messages: messages.expect("reads").map(|event| event.expect("reads")).collect(),
            expires: row.get::<_, Option<i64>>(8).expect("reads").map(time),
            expiring: true,
        }
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn fill(store: &TaskStore, numbers: &[usize]) -> Vec<Uuid> {
    let one = |batch: &taskstore::Batch<'_>, number: usize| {
        let run =
            batch.start_run(NAME, Some(&format!("user-{number:07}")), RunOptions::new().description("Fetches"))?;
        for text in EVENTS {
            batch.log(&run, event(text)?)?;
        }
        batch.finish_run(&run)?;
        taskstore::Result::Ok(run.uuid())
    };
    store
        .batch(|batch| numbers.iter().map(|number| one(batch, *number)).collect::<taskstore::Result<_>>())
        .expect("fills")
}

fn event(text: &str) -> taskstore::Result<LogEvent> {
    LogEvent::new(LogLevel::Info, text).attributes(serde_json::json!({"user": "ann", "messages": 3}))
}

/// A whole run, each call durable by itself: five calls.
pub fn run(store: &TaskStore) {
    let run = store.system_tasks().start(NAME, Some("ann")).expect("starts");
    for text in EVENTS {
        run.log(event(text).expect("is JSON")).expect("logs");
    }
    run.finish().expect("finishes");
}

/// The same by hand.
pub fn run_raw(connection: &Connection) {
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        connection.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).expect("runs")
    };
    run("BEGIN IMMEDIATE", &[]);
    let found =
        connection.prepare_cached(FIND).and_then(|mut find| find.query_row(params![NAME, "ann"], |row| row.get(0)));
    let system_task: i64 = found.unwrap_or_else(|_| {
        run(ADD, params![Uuid::new_v4(), NAME, "ann"]);
        connection.last_insert_rowid()
    });
    run(START, params![system_task, now_ns()]);
    let id = connection.last_insert_rowid();
    run("COMMIT", &[]);
    for text in EVENTS {
        let attributes = serde_json::json!({"user": "ann", "messages": 3}).to_string();
        run("BEGIN IMMEDIATE", &[]);
        run(COUNT_EVENT, params![id]);
        run(APPEND, params![id, now_ns(), NAME, text, attributes]);
        run("COMMIT", &[]);
    }
    run("BEGIN IMMEDIATE", &[]);
    run(END, params![id, now_ns(), 1_000_000]);
    run(SHOW, params![id, system_task]);
    run("COMMIT", &[]);
}

/// A raw connection that writes.
pub struct RawRuns {
    pub connection: Connection,
    directory: PathBuf,
}

impl RawRuns {
    pub fn open() -> Self {
        let directory = temporary_directory();
        let connection = Connection::open(directory.join("raw.db")).expect("opens");
        prepare(&connection);
        connection
            .execute_batch(&format!(
                "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {SCHEMA}"
            ))
            .expect("sets up");
        Self { connection, directory }
    }
}

impl Drop for RawRuns {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

const GET: &str = "
    SELECT s.uuid, s.name, s.uid, s.description, r.started_ns, r.finished_ns, r.duration_ns, r.status, r.expires_ns, r.id
    FROM system_task s JOIN run r ON r.id = s.shown_run WHERE s.uuid = ?1";
pub const BY_NAME_AND_UID: &str = "
    SELECT s.uuid, s.name, s.uid, s.description, r.started_ns, r.finished_ns, r.duration_ns, r.status, r.expires_ns, r.id
    FROM system_task s LEFT JOIN run r ON r.id = s.shown_run
    WHERE (s.shown_run IS NOT NULL OR s.registered_ns IS NOT NULL) ORDER BY s.name, s.uid_key LIMIT 20";
pub const BY_NAME: &str = "
    SELECT s.uuid, s.name, s.uid, s.description, r.started_ns, r.finished_ns, r.duration_ns, r.status, r.expires_ns, r.id
    FROM system_task s LEFT JOIN run r ON r.id = s.shown_run
    WHERE (s.shown_run IS NOT NULL OR s.registered_ns IS NOT NULL) ORDER BY s.name, s.uuid LIMIT 20";
const COUNT: &str = "
    SELECT count(*) FROM system_task s WHERE (s.shown_run IS NOT NULL OR s.registered_ns IS NOT NULL)";
const LOG: &str = "SELECT time_ns, level, logger, event, attributes FROM log_event WHERE run_id = ?1 ORDER BY seq";
const FIND: &str = "SELECT id FROM system_task WHERE name = ?1 AND uid_key = ?2";
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

#[derive(Serialize)]
struct Page {
    pagination: Pagination,
    results: Vec<Object>,
}

#[derive(Serialize)]
struct Pagination {
    next: i64,
    previous: i64,
    count: i64,
    current: i64,
    total_pages: i64,
    start_index: i64,
    end_index: i64,
}

#[derive(Serialize)]
struct Object {
    uuid: Uuid,
    name: String,
    full_name: String,
    uid: Option<String>,
    description: String,
    start_timestamp: String,
    finish_timestamp: String,
    duration: f64,
    status: &'static str,
    messages: Vec<Event>,
    expires: Option<String>,
    expiring: bool,
}

#[derive(Serialize)]
struct Event {
    timestamp: String,
    log_level: &'static str,
    logger: String,
    event: String,
    attributes: Box<RawValue>,
}

fn time(ns: i64) -> String {
    chrono::DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}
