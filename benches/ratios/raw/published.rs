//! The published JSON of system tasks: read by the library's own queries, written by serde.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{in_snapshot, open_to_read};

/// A connection that reads.
pub struct Reader {
    connection: Connection,
}

impl Reader {
    pub fn open(path: &Path) -> Self {
        Self { connection: open_to_read(path) }
    }

    pub fn retrieve(&self, uuid: Uuid) -> Vec<u8> {
        in_snapshot(&self.connection, || {
            let mut get = self.connection.prepare_cached(GET).expect("prepares");
            let answer = get.query_row(params![uuid], |row| Ok(serde_json::to_vec(&self.object(row))));
            answer.expect("finds").expect("serialises")
        })
    }

    /// A page of twenty and the total.
    pub fn page(&self, sql: &str) -> Vec<u8> {
        in_snapshot(&self.connection, || {
            let mut count = self.connection.prepare_cached(COUNT).expect("prepares");
            let count: i64 = count.query_row([], |row| row.get(0)).expect("counts");
            let mut page = self.connection.prepare_cached(sql).expect("prepares");
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
        })
    }

    fn object(&self, row: &Row<'_>) -> Object {
        let name: String = row.get(1).expect("reads");
        let uid: Option<String> = row.get(2).expect("reads");
        let mut events = self.connection.prepare_cached(LOG).expect("prepares");
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
            duration: Duration::from_nanos(row.get::<_, i64>(6).expect("reads").unsigned_abs()).as_secs_f64(),
            status: if row.get::<_, i64>(7).expect("reads") == 2 { "successful" } else { "error" },
            messages: messages.expect("reads").map(|event| event.expect("reads")).collect(),
            expires: row.get::<_, Option<i64>>(8).expect("reads").map(time),
            expiring: true,
        }
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
