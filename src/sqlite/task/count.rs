//! How many tasks there are: kept beside them, in the transactions that change them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Row, named_params, params};

use super::super::error::during;
use super::super::transaction::{Read, Write};
use crate::Result;
use crate::check::Finding;
use crate::configuration::ConfigurationId;
use crate::task::{Outcome, TaskCounts};

/// What a task is counted as.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    pub(super) configuration: Option<ConfigurationId>,
    pub(super) outcome: Option<Outcome>,
    pub(super) dismissed: bool,
}

impl Counted {
    /// Which of the seven columns, in their order.
    fn column(self) -> usize {
        usize::from(Outcome::code(self.outcome)) + if self.dismissed { 3 } else { 0 }
    }
}

/// So many configurations are much.
const CONFIGURATIONS_MAX: usize = 64;

/// What a transaction has changed, by configuration. It is written once, before the commit, however many tasks it was.
#[derive(Default)]
pub(in super::super) struct CountChanges(RefCell<Vec<(i64, [i64; 7])>>);

impl CountChanges {
    /// Counts so many more, or less.
    pub(super) fn add(&self, tasks: i64, counted: Counted) {
        let mut changes = self.0.borrow_mut();
        let configuration = row_of(counted.configuration);
        let place = changes.iter().position(|(id, _)| *id == configuration).unwrap_or_else(|| {
            changes.push((configuration, [0; 7]));
            changes.len() - 1
        });
        if let Some(column) = changes.get_mut(place).and_then(|(_, columns)| columns.get_mut(counted.column())) {
            *column += tasks;
        }
    }

    /// Writes what there is once there is much: in a long transaction it would be looked through again and again.
    pub(super) fn write_if_many(&self, write: &Write<'_>) -> Result<()> {
        if self.0.borrow().len() < CONFIGURATIONS_MAX { Ok(()) } else { self.write(write) }
    }

    /// Counts so many as something else than before.
    pub(super) fn change(&self, tasks: i64, before: Counted, after: Counted) {
        self.add(-tasks, before);
        self.add(tasks, after);
    }

    pub(in super::super) fn write(&self, write: &Write<'_>) -> Result<()> {
        for (configuration, [a, b, c, d, e, f, g]) in self.0.borrow_mut().drain(..) {
            write.change("count the tasks", COUNT, params![configuration, a, b, c, d, e, f, g])?;
        }
        Ok(())
    }
}

pub(in super::super) const COUNT: &str = "
    INSERT INTO task_count VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (configuration_id) DO UPDATE
    SET in_progress = in_progress + ?2, finished = finished + ?3, failed = failed + ?4,
        interrupted = interrupted + ?5, dismissed_finished = dismissed_finished + ?6,
        dismissed_failed = dismissed_failed + ?7, dismissed_interrupted = dismissed_interrupted + ?8";

const ALL: &str = "
    SELECT coalesce(sum(in_progress), 0), coalesce(sum(finished), 0), coalesce(sum(failed), 0),
        coalesce(sum(interrupted), 0), coalesce(sum(dismissed_finished), 0), coalesce(sum(dismissed_failed), 0),
        coalesce(sum(dismissed_interrupted), 0)
    FROM task_count";

/// The tasks of a deleted configuration are no longer its own.
const OF_CONFIGURATION: &str = "
    SELECT n.in_progress, n.finished, n.failed, n.interrupted, n.dismissed_finished, n.dismissed_failed,
        n.dismissed_interrupted
    FROM task_count n JOIN configuration c ON c.id = n.configuration_id
    WHERE n.configuration_id = :configuration AND c.deleted_ns IS NULL";

pub(crate) fn counts(read: &Read<'_>, configuration: Option<ConfigurationId>) -> Result<TaskCounts> {
    let Some(id) = configuration else {
        let mut all = read.connection.prepare_cached(ALL).map_err(during("count the tasks"))?;
        return all.query_row([], |row| columns(row, 0)).map(task_counts).map_err(during("count the tasks"));
    };
    let mut one = read.connection.prepare_cached(OF_CONFIGURATION).map_err(during("count the tasks"))?;
    let found = one.query_row(named_params! { ":configuration": id }, |row| columns(row, 0)).optional();
    found.map(|columns| columns.map(task_counts).unwrap_or_default()).map_err(during("count the tasks"))
}

const KEPT: &str = "SELECT * FROM task_count";

/// A full count, in the columns of the table.
macro_rules! counted {
    () => {
        "SELECT coalesce(configuration_id, 0),
            count(*) FILTER (WHERE outcome IS NULL AND dismissed = 0),
            count(*) FILTER (WHERE outcome = 1 AND dismissed = 0),
            count(*) FILTER (WHERE outcome = 2 AND dismissed = 0),
            count(*) FILTER (WHERE outcome = 3 AND dismissed = 0),
            count(*) FILTER (WHERE outcome = 1 AND dismissed = 1),
            count(*) FILTER (WHERE outcome = 2 AND dismissed = 1),
            count(*) FILTER (WHERE outcome = 3 AND dismissed = 1)
        FROM task GROUP BY 1"
    };
}

const FINDINGS_MAX: u32 = 100;

/// Holds what is kept against a full count.
pub(in super::super) fn check(read: &Read<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    let (kept, counted) = (by_configuration(read, KEPT)?, by_configuration(read, counted!())?);
    let mut found = 0;
    for id in kept.keys().chain(counted.keys()).collect::<BTreeSet<_>>() {
        let of = |counts: &BTreeMap<i64, [i64; 7]>| counts.get(id).copied().unwrap_or_default();
        let (kept, counted) = (of(&kept), of(&counted));
        if kept != counted && found < FINDINGS_MAX {
            found += 1;
            let configuration = ConfigurationId::try_from(*id).ok();
            let (kept, counted) = (task_counts(kept), task_counts(counted));
            findings.push(Finding::TaskCounts { configuration, kept, counted });
        }
    }
    Ok(())
}

fn by_configuration(read: &Read<'_>, sql: &'static str) -> Result<BTreeMap<i64, [i64; 7]>> {
    let mut counts = read.connection.prepare_cached(sql).map_err(during("count the tasks"))?;
    let rows = counts.query_map([], |row| Ok((row.get(0)?, columns(row, 1)?)));
    rows.and_then(Iterator::collect).map_err(during("count the tasks"))
}

const FORGET: &str = "DELETE FROM task_count";

/// Counts all tasks anew. What others have changed in this transaction is in the rows, so it must not be added again.
pub(crate) fn recount(write: &Write<'_>) -> Result<()> {
    write.counts.write(write)?;
    write.change("count the tasks", FORGET, [])?;
    write.change("count the tasks", concat!("INSERT INTO task_count ", counted!()), []).map(drop)
}

/// The seven columns from `first` on.
fn columns(row: &Row<'_>, first: usize) -> rusqlite::Result<[i64; 7]> {
    let mut columns = [0; 7];
    for (number, column) in columns.iter_mut().enumerate() {
        *column = row.get(first + number)?;
    }
    Ok(columns)
}

/// Less than none, which only another program can have written, is shown as none.
fn task_counts(columns: [i64; 7]) -> TaskCounts {
    let [a, b, c, d, e, f, g] = columns.map(|tasks| u64::try_from(tasks).unwrap_or(0));
    TaskCounts {
        in_progress: a,
        finished: b,
        failed: c,
        interrupted: d,
        dismissed_finished: e,
        dismissed_failed: f,
        dismissed_interrupted: g,
    }
}

/// The row of a configuration, or of none.
fn row_of(configuration: Option<ConfigurationId>) -> i64 {
    configuration.map_or(0, ConfigurationId::get)
}
