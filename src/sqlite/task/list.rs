//! Lists: where they are read from, and what is asked of each task on the way.

use std::ops::ControlFlow;

use rusqlite::{Row, ToSql};

use super::super::configuration;
use super::super::error::during;
use super::super::transaction::Read;
use super::access::{Access, Source};
use super::read::TASK;
use crate::Result;
use crate::task::position::{Position, Reading};
use crate::task::{ConfigurationFilter, Level, Order, Outcomes, TaskFilter, TimeRange};

/// Where a page begins, and the order from there. The columns of `ORDER BY` are counted in those of [`TASK`].
struct Bounds {
    from: &'static str,
    order: &'static str,
}

impl Bounds {
    /// A page by time is read in two parts: what is left of those at its first instant, however many were changed in one
    /// transaction, and those behind. SQLite finds no (time, id) in one go, since the id is no column of an index.
    const fn of(order: Order, rising: bool) -> &'static [Self] {
        match (order, rising) {
            (Order::NewestFirst | Order::OldestFirst, true) => &[Self { from: "t.id > :id", order: "1" }],
            (Order::NewestFirst | Order::OldestFirst, false) => &[Self { from: "t.id <= :id", order: "1 DESC" }],
            (Order::RecentlyUpdated, true) => &[
                Self { from: "t.updated_ns = :key AND t.id > :id", order: "1" },
                Self { from: "t.updated_ns > :key", order: "8, 1" },
            ],
            (Order::RecentlyUpdated, false) => &[
                Self { from: "t.updated_ns = :key AND t.id <= :id", order: "1 DESC" },
                Self { from: "t.updated_ns < :key", order: "8 DESC, 1 DESC" },
            ],
            (Order::LongestRunning, true) => &[
                Self { from: "t.started_ns = :key AND t.id > :id", order: "1" },
                Self { from: "t.started_ns > :key", order: "7, 1" },
            ],
            (Order::LongestRunning, false) => &[
                Self { from: "t.started_ns = :key AND t.id <= :id", order: "1 DESC" },
                Self { from: "t.started_ns < :key", order: "7 DESC, 1 DESC" },
            ],
        }
    }
}

/// What a row is ordered by: (key, id), as the bounds compare it.
pub(super) fn place_of(row: &Row<'_>, order: Order) -> rusqlite::Result<(i64, i64)> {
    let key = match order {
        Order::NewestFirst | Order::OldestFirst => 0,
        Order::RecentlyUpdated => row.get(7)?,
        Order::LongestRunning => row.get(6)?,
    };
    Ok((key, row.get(0)?))
}

/// What is asked of each task: a fragment, and the values that it names.
struct Conditions<'a> {
    sql: String,
    values: Vec<(&'static str, Box<dyn ToSql + 'a>)>,
}

impl<'a> Conditions<'a> {
    fn of(filter: &'a TaskFilter, access: &Access, rising: bool, now_ns: i64) -> Self {
        let mut conditions = Self { sql: String::new(), values: Vec::new() };
        match filter.configuration {
            ConfigurationFilter::Any => {}
            ConfigurationFilter::One(id) if access.tells_configuration => {
                conditions.values.push((":configuration", Box::new(id)));
            }
            ConfigurationFilter::One(id) => conditions.add("t.configuration_id = :configuration", ":configuration", id),
            ConfigurationFilter::Deleted => conditions.add_bare("c.deleted_ns IS NOT NULL"),
            ConfigurationFilter::None => conditions.add_bare("t.configuration_id IS NULL"),
        }
        if filter.outcomes != Outcomes::ANY && !access.tells_outcomes {
            conditions.add(":outcomes >> coalesce(t.outcome, 0) & 1", ":outcomes", filter.outcomes.bits());
        }
        if let Some(user) = &filter.dismissed_by {
            conditions.add("t.dismissed_by = :dismissed_by", ":dismissed_by", user);
        }
        if let Some(user) = &filter.performed_by {
            conditions.add("t.performed_by = :performed_by", ":performed_by", user);
        }
        conditions.add_range(
            filter.started,
            [("t.started_ns >= :started", ":started"), ("t.started_ns <= :started_last", ":started_last")],
        );
        conditions.add_range(
            filter.finished,
            [("t.finished_ns >= :finished", ":finished"), ("t.finished_ns <= :finished_last", ":finished_last")],
        );
        let mut updated = filter.updated;
        if filter.order == Order::RecentlyUpdated {
            // The near end is where the page begins: see `start`. Told twice, SQLite may seek the wrong one.
            if rising { updated.from = None } else { updated.until = None }
        }
        conditions.add_range(
            updated,
            [("t.updated_ns >= :updated", ":updated"), ("t.updated_ns <= :updated_last", ":updated_last")],
        );
        match filter.level_reached {
            None => {}
            Some(Level::Error) => conditions.add_bare("t.level_reached = 5"),
            Some(_) => conditions.add_bare("t.level_reached IS NOT NULL"),
        }
        if let Some(duration) = filter.running_longer_than {
            let since = i128::from(now_ns) - duration.as_nanos().cast_signed();
            // Before the first time that can be stored nothing has started.
            let since_ns = i64::try_from(since).unwrap_or(i64::MIN);
            conditions.add("t.started_ns < :running_since", ":running_since", since_ns);
        }
        conditions
    }

    /// The conditions of the first and of the last nanosecond, as far as the range has them.
    fn add_range(&mut self, range: TimeRange, [first, last]: [(&str, &'static str); 2]) {
        let (first_ns, last_ns) = range.bounds_ns();
        if range.from.is_some() {
            self.add(first.0, first.1, first_ns);
        }
        if range.until.is_some() {
            self.add(last.0, last.1, last_ns);
        }
    }

    fn add(&mut self, sql: &str, name: &'static str, value: impl ToSql + 'a) {
        self.add_bare(sql);
        self.values.push((name, Box::new(value)));
    }

    fn add_bare(&mut self, sql: &str) {
        self.sql.extend([" AND ", sql]);
    }
}

/// Where a page is read from: where its cursor says, but not before the range that the list is ordered by.
fn start(filter: &TaskFilter, reading: &Reading) -> Position {
    let (first_ns, last_ns) = filter.updated.bounds_ns();
    match (filter.order, reading.rising) {
        (Order::RecentlyUpdated, true) if reading.from.key < first_ns => Position { key: first_ns, id: i64::MIN },
        (Order::RecentlyUpdated, false) if reading.from.key > last_ns => Position { key: last_ns, id: i64::MAX },
        _ => reading.from,
    }
}

/// The statement of a list, whose rows are those of [`TASK`]. `None` if it can have no task.
fn statement(sources: &[Source], conditions: &str, bounds: &Bounds) -> Option<String> {
    let Bounds { from, order } = bounds;
    let of = |Source { index, condition }: &Source| {
        let [columns, joined] = TASK;
        [columns, index, joined, " WHERE ", condition, " AND ", from, conditions].concat()
    };
    let mut parts = sources.iter().map(of);
    let first = parts.next()?;
    let all = parts.fold(first, |all, part| [&all, " UNION ALL ", &part].concat());
    Some([&all, " ORDER BY ", order].concat())
}

/// Hands every row of a list, from where it is read, to `see`, until that breaks off. The caller holds a snapshot.
pub(super) fn each<E: From<crate::Error>>(
    read: &Read<'_>,
    filter: &TaskFilter,
    now_ns: i64,
    reading: &Reading,
    mut see: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    if let ConfigurationFilter::One(id) = filter.configuration
        && !configuration::exists(read.connection, id)?
    {
        return Ok(());
    }
    if [filter.started, filter.updated, filter.finished].into_iter().any(TimeRange::is_empty) {
        return Ok(());
    }
    let access = Access::of(filter);
    let Conditions { sql: conditions, values } = Conditions::of(filter, &access, reading.rising, now_ns);
    let start = start(filter, reading);
    for bounds in Bounds::of(filter.order, reading.rising) {
        let Some(sql) = statement(&access.sources, &conditions, bounds) else { return Ok(()) };
        let mut values: Vec<(&str, &dyn ToSql)> = values.iter().map(|(name, value)| (*name, &**value)).collect();
        if bounds.from.contains(":key") {
            values.push((":key", &start.key));
        }
        if bounds.from.contains(":id") {
            values.push((":id", &start.id));
        }
        let mut list = read.connection.prepare_cached(&sql).map_err(during("list the tasks"))?;
        let mut rows = list.query(values.as_slice()).map_err(during("list the tasks"))?;
        while let Some(row) = rows.next().map_err(during("list the tasks"))? {
            if see(row)?.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Statements of the readers, with how often each runs in the lifecycle of the test.
#[cfg(test)]
pub(super) fn statements_for_tests() -> Vec<(String, i32)> {
    statements_of_test(&TaskFilter::new()).into_iter().map(|sql| (sql, 2)).collect()
}

/// Those of a list from its first row on.
#[cfg(test)]
pub(in super::super) fn statements_of_test(filter: &TaskFilter) -> Vec<String> {
    let access = Access::of(filter);
    let rising = filter.order.rises();
    let conditions = Conditions::of(filter, &access, rising, 0).sql;
    let bounds = Bounds::of(filter.order, rising).iter();
    bounds.filter_map(|bounds| statement(&access.sources, &conditions, bounds)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::ConfigurationId;
    use crate::Dismissed;
    use crate::sqlite::tests::{plan, planned_connection};

    const ORDERS: [Order; 4] = [Order::NewestFirst, Order::OldestFirst, Order::RecentlyUpdated, Order::LongestRunning];

    fn id() -> ConfigurationId {
        ConfigurationId::try_from(1).unwrap()
    }

    /// Every combination of the filters that choose the sources.
    fn by_source() -> Vec<TaskFilter> {
        let mut filters = Vec::new();
        for dismissed in [Dismissed::Hidden, Dismissed::Included, Dismissed::Only] {
            for configuration in [ConfigurationFilter::Any, ConfigurationFilter::One(id())] {
                for outcomes in 1..16_u8 {
                    for level in [None, Some(Level::Warn), Some(Level::Error)] {
                        for order in ORDERS {
                            let filter = TaskFilter::new().dismissed(dismissed).configuration(configuration);
                            let filter = filter.outcomes(Outcomes::of_bits(outcomes)).order(order);
                            filters.push(TaskFilter { level_reached: level, ..filter });
                        }
                    }
                }
            }
        }
        filters
    }

    /// Every combination of the others.
    fn by_condition() -> Vec<TaskFilter> {
        let now = chrono::DateTime::UNIX_EPOCH;
        let adds: [fn(TaskFilter, chrono::DateTime<chrono::Utc>) -> TaskFilter; 9] = [
            |filter, _| filter.dismissed(Dismissed::Included),
            |filter, _| filter.configuration(ConfigurationFilter::None),
            |filter, _| filter.configuration(ConfigurationFilter::Deleted),
            |filter, _| filter.performed_by("ann"),
            |filter, _| filter.dismissed_by("ann"),
            |filter, now| filter.started(now..),
            |filter, now| filter.updated(now..=now),
            |filter, now| filter.finished(now..),
            |filter, _| filter.running_longer_than(Duration::ZERO),
        ];
        let chosen = |bits: u32| {
            let some = adds.iter().enumerate().filter(move |(place, _)| bits >> place & 1 == 1);
            some.fold(TaskFilter::new(), |filter, (_, add)| add(filter, now))
        };
        let all = (0..1 << adds.len()).map(chosen);
        all.flat_map(|filter| ORDERS.map(|order| filter.clone().order(order))).collect()
    }

    fn statements(filter: &TaskFilter) -> Vec<(&'static Bounds, String)> {
        let access = Access::of(filter);
        let mut statements = Vec::new();
        for rising in [true, false] {
            let conditions = Conditions::of(filter, &access, rising, 0).sql;
            for bounds in Bounds::of(filter.order, rising) {
                statements.extend(statement(&access.sources, &conditions, bounds).map(|sql| (bounds, sql)));
            }
        }
        statements
    }

    /// What the step of a source begins with: how far the range of its index goes.
    fn expected(source: &Source, bounds: &Bounds, filter: &TaskFilter) -> &'static str {
        let (is_tie, is_by_time) = (bounds.from.contains(" = :key"), bounds.from.contains(":key"));
        match source.index.trim_start_matches("INDEXED BY ") {
            "NOT INDEXED" => "SEARCH t USING INTEGER PRIMARY KEY (rowid",
            "task_listed" => "SEARCH t USING INDEX task_listed (dismissed=? AND rowid",
            "task_of_configuration" => {
                "SEARCH t USING INDEX task_of_configuration (configuration_id=? AND dismissed=? AND rowid"
            }
            "task_unsuccessful" => "SEARCH t USING INDEX task_unsuccessful (outcome=? AND dismissed=? AND rowid",
            "task_with_warnings" => "SEARCH t USING INDEX task_with_warnings (dismissed=? AND rowid",
            "task_ended" if is_tie => "SEARCH t USING INDEX task_ended (dismissed=? AND updated_ns=? AND rowid",
            "task_ended" if is_by_time && filter.updated != TimeRange::ALWAYS => {
                "SEARCH t USING INDEX task_ended (dismissed=? AND updated_ns>? AND updated_ns<?)"
            }
            "task_ended" if is_by_time => "SEARCH t USING INDEX task_ended (dismissed=? AND updated_ns",
            "task_in_progress" if bounds.from.contains("started_ns =") => {
                "SEARCH t USING INDEX task_in_progress (started_ns=? AND rowid"
            }
            "task_in_progress" if bounds.from.contains("started_ns") => {
                "SEARCH t USING INDEX task_in_progress (started_ns"
            }
            "task_in_progress" => " t USING INDEX task_in_progress",
            index => panic!("{index} is no source of {}", bounds.from),
        }
    }

    /// Each list there is reads what its sources lead to, in their order, and nothing else: only tasks in progress are
    /// sorted, and not where their own index has the order.
    #[test]
    fn every_list_is_read_in_order_from_its_sources() {
        let connection = planned_connection();
        let mut planned = BTreeMap::new();
        for filter in by_source().into_iter().chain(by_condition()) {
            let sources = Access::of(&filter).sources;
            let sorts = filter.order != Order::LongestRunning && sources.contains(&Source::IN_PROGRESS);
            for (bounds, sql) in statements(&filter) {
                let plan = planned.entry(sql).or_insert_with_key(|sql| plan(&connection, sql));
                for source in &sources {
                    let step = expected(source, bounds, &filter);
                    assert!(plan.contains(step), "{filter:?}: no {step:?} in\n{plan}");
                }
                let searched = plan.matches(" t USING ").count();
                assert_eq!(searched, sources.len(), "{filter:?}:\n{plan}");
                let sorted = plan.matches("TEMP B-TREE").count();
                assert_eq!(sorted, usize::from(sorts), "{filter:?}:\n{plan}");
                let scanned = plan.matches("SCAN").count();
                assert!(scanned == 0 || scanned == 1 && plan.contains("SCAN t USING INDEX task_in_progress"), "{plan}");
            }
        }
        println!("{} statements", planned.len());
    }
}
