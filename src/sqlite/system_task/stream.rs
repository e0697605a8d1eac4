//! Rows lent as they come, for whoever writes them out without keeping them.

use std::borrow::Cow;

use rusqlite::{Row, named_params};
use uuid::Uuid;

use super::super::error::during;
use super::super::row::{text, text_or_null};
use super::super::transaction::Read;
use super::list;
use crate::system_task::{LogLevel, PageNumber, Pagination, RunId, SystemTaskFilter, SystemTaskStatus};
use crate::{Error, Result};

/// A system task of a stream: the columns that the published API shows.
pub(crate) struct SystemTaskRow<'a> {
    pub(crate) uuid: Uuid,
    pub(crate) name: Cow<'a, str>,
    pub(crate) uid: Option<Cow<'a, str>>,
    pub(crate) description: Cow<'a, str>,
    /// `None` for one that was registered and has no run.
    pub(crate) shown_run: Option<RunId>,
    pub(crate) started_ns: i64,
    pub(crate) finished_ns: i64,
    pub(crate) duration_ns: i64,
    pub(crate) status: SystemTaskStatus,
    pub(crate) expires_ns: Option<i64>,
}

impl<'a> SystemTaskRow<'a> {
    fn of(row: &'a Row<'_>) -> rusqlite::Result<Self> {
        let registered_ns: Option<i64> = row.get(4)?;
        let registered_ns = registered_ns.unwrap_or(0);
        Ok(Self {
            uuid: row.get(0)?,
            name: text(row, 1)?,
            uid: text_or_null(row, 2)?,
            description: text(row, 3)?,
            shown_run: row.get(5)?,
            status: row.get::<_, Option<SystemTaskStatus>>(6)?.unwrap_or(SystemTaskStatus::Unknown),
            started_ns: row.get::<_, Option<i64>>(8)?.unwrap_or(registered_ns),
            finished_ns: row.get::<_, Option<i64>>(9)?.unwrap_or(registered_ns),
            duration_ns: row.get::<_, Option<i64>>(10)?.unwrap_or(0),
            expires_ns: row.get(11)?,
        })
    }
}

/// A log event of a stream.
pub(crate) struct EventRow<'a> {
    pub(crate) time_ns: i64,
    pub(crate) level: LogLevel,
    pub(crate) logger: Cow<'a, str>,
    pub(crate) event: Cow<'a, str>,
    pub(crate) attributes: Cow<'a, str>,
}

/// Where a numbered page lies. The caller holds a snapshot.
pub(crate) fn page(read: &Read<'_>, filter: &SystemTaskFilter, number: PageNumber, size: u64) -> Result<Pagination> {
    Pagination::of(list::count(read, filter)?, number, size)
}

/// Hands each system task of a numbered page to `see`. The caller holds a snapshot.
pub(crate) fn each_on_page<E: From<Error>>(
    read: &Read<'_>,
    filter: &SystemTaskFilter,
    pagination: &Pagination,
    size: u64,
    mut see: impl FnMut(SystemTaskRow<'_>) -> Result<(), E>,
) -> Result<(), E> {
    list::each_numbered(read, filter, pagination, size, |row| {
        see(SystemTaskRow::of(row).map_err(during("read a system task"))?)
    })
}

/// Hands one system task to `see`, if the filter leaves it. The caller holds a snapshot.
pub(crate) fn one_system_task<T, E: From<Error>>(
    read: &Read<'_>,
    filter: &SystemTaskFilter,
    uuid: Uuid,
    see: impl FnOnce(SystemTaskRow<'_>) -> Result<T, E>,
) -> Result<T, E> {
    list::one(read, filter, uuid, |row| see(SystemTaskRow::of(row).map_err(during("read a system task"))?))
}

const EVENTS: &str = "
    SELECT time_ns, level, logger, event, attributes FROM log_event WHERE run_id = :id ORDER BY seq";

/// Hands each event of a run to `see`, oldest first. The caller holds a snapshot.
pub(crate) fn each_event<E: From<Error>>(
    read: &Read<'_>,
    id: RunId,
    mut see: impl FnMut(EventRow<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut events = read.connection.prepare_cached(EVENTS).map_err(during("read the events"))?;
    let mut rows = events.query(named_params! { ":id": id }).map_err(during("read the events"))?;
    while let Some(row) = rows.next().map_err(during("read the events"))? {
        see(event(row).map_err(during("read the events"))?)?;
    }
    Ok(())
}

fn event<'a>(row: &'a Row<'_>) -> rusqlite::Result<EventRow<'a>> {
    Ok(EventRow {
        time_ns: row.get(0)?,
        level: row.get(1)?,
        logger: text(row, 2)?,
        event: text(row, 3)?,
        attributes: text(row, 4)?,
    })
}
