//! Answers written as they are read; the bytes are those that serde writes for the types of [`super::answer`].

use std::io::Write;

use chrono::DateTime;
use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};

use super::answer::{wire_duration, wire_time};
use super::request::{ListRequest, RetrieveRequest};
use crate::sqlite::system_task::{self, EventRow, SystemTaskRow};
use crate::stream::stream;
use crate::system_task::{Attributes, LogLevel, Pagination, full_name};
use crate::wire::WRITE;
use crate::wire::stream::{Source, Stop};
use crate::{Result, TaskStore};

/// What a registered task says that never ran.
const NEVER_RUN: &str = "Task has not been run yet.";

/// Writes the body of a list: one snapshot, in memory that does not grow with the page or with the events of a run.
///
/// # Errors
///
/// [`OutOfRange`](crate::Error::OutOfRange) for a page that there is not, before anything is written;
/// [`Io`](crate::Error::Io) if `out` fails; and the [errors of reading](TaskStore#errors-of-reading). What is written by
/// then is not whole JSON. [`Refusal::of`](super::Refusal::of) has the answer to an error.
pub fn write_list(store: &TaskStore, request: &ListRequest, out: impl Write) -> Result<()> {
    stream(store, out, WRITE, |read, out| {
        let source = &Source::new(read);
        let pagination = system_task::page(read, &request.filter, request.page, request.page_size)?;
        source.write(out, &ListBody { pagination, results: Results { source, request, pagination } })
    })
}

/// Writes the body of a retrieve.
///
/// # Errors
///
/// [`NoSuchSystemTask`](crate::Error::NoSuchSystemTask), also for a row that the filter leaves out, before anything is
/// written; otherwise those of [`write_list`].
pub fn write_system_task(store: &TaskStore, request: &RetrieveRequest, out: impl Write) -> Result<()> {
    stream(store, out, WRITE, |read, out| {
        let source = &Source::new(read);
        system_task::one_system_task(read, &request.filter, request.uuid, |row| {
            source.write(out, &SystemTaskBody { source, row: &row })
        })
    })
}

#[derive(Serialize)]
struct ListBody<'a> {
    pagination: Pagination,
    results: Results<'a>,
}

struct Results<'a> {
    source: &'a Source<'a>,
    request: &'a ListRequest,
    pagination: Pagination,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut results = serializer.serialize_seq(None)?;
        let ListRequest { filter, page_size, .. } = self.request;
        system_task::each_on_page(self.source.read, filter, &self.pagination, *page_size, |row| {
            results.serialize_element(&SystemTaskBody { source: self.source, row: &row }).map_err(Stop::Serializer)
        })
        .map_err(|stop| self.source.stop(stop))?;
        results.end()
    }
}

struct SystemTaskBody<'a> {
    source: &'a Source<'a>,
    row: &'a SystemTaskRow<'a>,
}

impl Serialize for SystemTaskBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.row;
        let mut task = serializer.serialize_struct("SystemTask", 12)?;
        task.serialize_field("uuid", &row.uuid)?;
        task.serialize_field("name", &row.name)?;
        task.serialize_field("full_name", &full_name(&row.name, row.uid.as_deref()))?;
        task.serialize_field("uid", &row.uid)?;
        task.serialize_field("description", &row.description)?;
        task.serialize_field("start_timestamp", &time(row.started_ns))?;
        task.serialize_field("finish_timestamp", &time(row.finished_ns))?;
        task.serialize_field("duration", &wire_duration(row.duration_ns))?;
        task.serialize_field("status", &row.status)?;
        task.serialize_field("messages", &Events { source: self.source, row })?;
        task.serialize_field("expires", &row.expires_ns.map(time))?;
        task.serialize_field("expiring", &row.expires_ns.is_some())?;
        task.end()
    }
}

struct Events<'a> {
    source: &'a Source<'a>,
    row: &'a SystemTaskRow<'a>,
}

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut events = serializer.serialize_seq(None)?;
        match self.row.shown_run {
            Some(run) => system_task::each_event(self.source.read, run, |row| {
                events.serialize_element(&EventBody(&row)).map_err(Stop::Serializer)
            })
            .map_err(|stop| self.source.stop(stop))?,
            None => events.serialize_element(&EventBody(&EventRow {
                time_ns: self.row.started_ns,
                level: LogLevel::Info,
                logger: self.row.name.as_ref().into(),
                event: NEVER_RUN.into(),
                attributes: "{}".into(),
            }))?,
        }
        events.end()
    }
}

struct EventBody<'a>(&'a EventRow<'a>);

impl Serialize for EventBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.0;
        let mut event = serializer.serialize_struct("LogEvent", 5)?;
        event.serialize_field("timestamp", &time(row.time_ns))?;
        event.serialize_field("log_level", &row.level)?;
        event.serialize_field("logger", &row.logger)?;
        event.serialize_field("event", &row.event)?;
        event.serialize_field("attributes", &Attributes::stored(&row.attributes))?;
        event.end()
    }
}

fn time(ns: i64) -> String {
    wire_time(DateTime::from_timestamp_nanos(ns))
}
