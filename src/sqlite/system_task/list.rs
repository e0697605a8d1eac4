//! The list: filters, any order, pages by cursor and by number.

use rusqlite::types::Value;
use rusqlite::{Row, ToSql};
use serde_json::value::Value as Json;
use uuid::Uuid;

use super::super::error::during;
use super::super::transaction::Read;
use super::read::{LISTED, system_task};
use crate::page::{Cursor, Page};
use crate::system_task::{
    Direction, NumberedPage, PageNumber, Pagination, SortField, SortKey, SystemTask, SystemTaskFilter,
};
use crate::{Error, Result};

pub(crate) fn list(read: &Read<'_>, filter: &SystemTaskFilter) -> Result<Page<SystemTask>> {
    let keys = keys(&filter.sort);
    let after = filter.after.as_ref().map(|cursor| Keys::parse(cursor, &filter.sort, &keys)).transpose()?;
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let mut total = None;
    let tasks = read.snapshot(|| {
        if filter.with_total {
            total = Some(count(read, filter)?);
        }
        let mut tasks = Vec::new();
        let part = Part { after: after.as_ref(), limit: i64::from(filter.limit) + 1, offset: 0 };
        each(read, filter, &keys, &part, |row| {
            tasks.push(system_task(row).map_err(during("read a system task"))?);
            Ok::<_, Error>(())
        })?;
        Ok(tasks)
    })?;
    let page = Page::cut(tasks, limit, |last| Keys::of(last, &keys).cursor(&filter.sort));
    Ok(Page { total, ..page })
}

pub(crate) fn list_numbered(
    read: &Read<'_>,
    filter: &SystemTaskFilter,
    number: PageNumber,
) -> Result<NumberedPage<SystemTask>> {
    read.snapshot(|| {
        let pagination = Pagination::of(count(read, filter)?, number, filter.limit.into())?;
        let mut items = Vec::new();
        each_numbered(read, filter, &pagination, filter.limit.into(), |row| {
            items.push(system_task(row).map_err(during("read a system task"))?);
            Ok::<_, Error>(())
        })?;
        Ok(NumberedPage { items, pagination })
    })
}

/// Hands every row of a numbered page to `see`. The caller holds a snapshot.
pub(super) fn each_numbered<E: From<Error>>(
    read: &Read<'_>,
    filter: &SystemTaskFilter,
    pagination: &Pagination,
    size: u64,
    see: impl FnMut(&Row<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let limit = i64::try_from(size).unwrap_or(i64::MAX);
    let offset = i64::try_from(pagination.offset()).unwrap_or(i64::MAX);
    each(read, filter, &keys(&filter.sort), &Part { after: None, limit, offset }, see)
}

/// The rows that the filter leaves, whatever the page.
pub(super) fn count(read: &Read<'_>, filter: &SystemTaskFilter) -> Result<u64> {
    let (conditions, values) = conditions(filter);
    // Without a condition on the run, the index of listed system tasks is all that is read.
    let sql = if filter.status.is_none() && filter.search.is_empty() {
        [COUNT, &conditions].concat()
    } else {
        [COUNT_JOINED, &conditions].concat()
    };
    let mut count = read.connection.prepare_cached(&sql).map_err(during("count the system tasks"))?;
    let found = count.query_row(bound(&values).as_slice(), |row| row.get::<_, i64>(0));
    found.map(|count| u64::try_from(count).unwrap_or(0)).map_err(during("count the system tasks"))
}

const COUNT: &str = "
    SELECT count(*) FROM system_task s WHERE (s.shown_run IS NOT NULL OR s.registered_ns IS NOT NULL)";

const COUNT_JOINED: &str = "
    SELECT count(*) FROM system_task s LEFT JOIN run r ON r.id = s.shown_run
    WHERE (s.shown_run IS NOT NULL OR s.registered_ns IS NOT NULL)";

/// Hands the system task of this uuid to `see`, if the filter leaves it.
pub(super) fn one<T, E: From<Error>>(
    read: &Read<'_>,
    filter: &SystemTaskFilter,
    uuid: Uuid,
    see: impl FnOnce(&Row<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let (conditions, mut values) = conditions(filter);
    values.push((":uuid", Value::Blob(uuid.as_bytes().to_vec())));
    let sql = [LISTED, " AND s.uuid = :uuid", &conditions].concat();
    let mut one = read.connection.prepare_cached(&sql).map_err(during("read a system task"))?;
    let mut rows = one.query(bound(&values).as_slice()).map_err(during("read a system task"))?;
    match rows.next().map_err(during("read a system task"))? {
        Some(row) => see(row),
        None => Err(Error::NoSuchSystemTask { uuid }.into()),
    }
}

/// Which part of a list is read.
struct Part<'a> {
    after: Option<&'a Keys>,
    limit: i64,
    offset: i64,
}

fn each<E: From<Error>>(
    read: &Read<'_>,
    filter: &SystemTaskFilter,
    keys: &[Key],
    part: &Part<'_>,
    mut see: impl FnMut(&Row<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let (conditions, mut values) = conditions(filter);
    let sql = list_statement(&conditions, keys, part.after.is_some());
    if let Some(after) = part.after {
        values.extend(KEY_NAMES.into_iter().zip(after.0.iter().cloned()));
    }
    values.extend([(":limit", part.limit.into()), (":offset", part.offset.into())]);

    let mut list = read.connection.prepare_cached(&sql).map_err(during("list the system tasks"))?;
    let mut rows = list.query(bound(&values).as_slice()).map_err(during("list the system tasks"))?;
    while let Some(row) = rows.next().map_err(during("list the system tasks"))? {
        see(row)?;
    }
    Ok(())
}

/// The statement of one list.
fn list_statement(conditions: &str, keys: &[Key], after: bool) -> String {
    let behind = if after { [" AND ", &behind(keys)].concat() } else { String::new() };
    [LISTED, conditions, &behind, &order_by(keys)].concat()
}

type Values = Vec<(&'static str, Value)>;

fn bound(values: &Values) -> Vec<(&str, &dyn ToSql)> {
    values.iter().map(|(name, value): &(_, Value)| -> (&str, &dyn ToSql) { (name, value) }).collect()
}

/// The conditions of a filter, each a fragment of its own, and their values.
fn conditions(filter: &SystemTaskFilter) -> (String, Values) {
    let mut sql = String::new();
    let mut values = Values::new();
    let mut add = |condition: &str, name, value| {
        sql.push_str(condition);
        values.push((name, value));
    };
    if let Some(name) = &filter.name {
        add(" AND s.name = :name", ":name", name.clone().into());
    }
    if let Some(uid) = &filter.uid {
        add(" AND s.uid_key = :uid", ":uid", uid.clone().into());
    }
    if let Some(status) = filter.status {
        add(" AND coalesce(r.status, 3) = :status", ":status", i64::from(status.code()).into());
    }
    if !filter.search.is_empty() {
        let found = " AND search_found(:search, s.name, s.description, s.uid, coalesce(r.status, 3))";
        add(found, ":search", filter.search.clone().into());
    }
    (sql, values)
}

/// What rows are compared by: an expression that is never NULL.
#[derive(Clone, Copy)]
struct Key {
    sql: &'static str,
    direction: Direction,
    value: fn(&SystemTask) -> Value,
}

impl Key {
    const fn new(sql: &'static str, direction: Direction, value: fn(&SystemTask) -> Value) -> Self {
        Self { sql, direction, value }
    }
}

/// More keys than fields that order: a null is a key of its own.
const KEY_NAMES: [&str; 16] = [
    ":k0", ":k1", ":k2", ":k3", ":k4", ":k5", ":k6", ":k7", ":k8", ":k9", ":k10", ":k11", ":k12", ":k13", ":k14",
    ":k15",
];

/// The keys of an order, ending where no two rows can be equal any more.
fn keys(sort: &[SortKey]) -> Vec<Key> {
    let by_name = [SortField::Name, SortField::Uid].map(|field| SortKey { field, direction: Direction::Ascending });
    let by_uuid = SortKey { field: SortField::Uuid, direction: Direction::Ascending };
    let sort = if sort.is_empty() { &by_name } else { sort };

    let mut keys = Vec::new();
    let mut seen = Vec::new();
    for key in sort.iter().chain([&by_uuid]) {
        // A field that comes again decides nothing.
        if seen.contains(&key.field) {
            continue;
        }
        seen.push(key.field);
        add_keys(&mut keys, *key);
        let unique = |field| seen.contains(&field);
        if unique(SortField::Uuid) || (unique(SortField::Name) && unique(SortField::Uid)) {
            break;
        }
    }
    keys
}

fn add_keys(keys: &mut Vec<Key>, SortKey { field, direction }: SortKey) {
    let mut add = |sql, value| keys.push(Key::new(sql, direction, value));
    match field {
        SortField::Uuid => add("s.uuid", |task| Value::Blob(task.uuid.as_bytes().to_vec())),
        SortField::Name => add("s.name", |task| task.name.clone().into()),
        SortField::Uid => add("s.uid_key", |task| task.uid.clone().map_or(Value::Blob(Vec::new()), Value::Text)),
        SortField::Description => add("s.description", |task| task.description.clone().into()),
        SortField::StartTimestamp => add("coalesce(r.started_ns, s.registered_ns)", |task| {
            time(task.shown_run.as_ref().map(|run| run.started).or(task.registered))
        }),
        SortField::FinishTimestamp => add("coalesce(r.finished_ns, s.registered_ns)", |task| {
            time(task.shown_run.as_ref().and_then(|run| run.finished).or(task.registered))
        }),
        SortField::Duration => add("coalesce(r.duration_ns, 0)", |task| {
            let duration = task.shown_run.as_ref().and_then(|run| run.duration).unwrap_or_default();
            i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX).into()
        }),
        SortField::Status => add("coalesce(r.status, 3)", |task| i64::from(task.status().code()).into()),
        SortField::Messages => {}
        SortField::Expires => {
            add("(r.expires_ns IS NULL)", |task| expires(task).is_none().into());
            add("coalesce(r.expires_ns, 0)", |task| time(expires(task)));
        }
        SortField::Expiring => add("(r.expires_ns IS NOT NULL)", |task| expires(task).is_some().into()),
    }
}

fn expires(task: &SystemTask) -> Option<chrono::DateTime<chrono::Utc>> {
    task.shown_run.as_ref().and_then(|run| run.expires)
}

fn time(time: Option<chrono::DateTime<chrono::Utc>>) -> Value {
    time.and_then(|time| time.timestamp_nanos_opt()).unwrap_or(0).into()
}

fn order_by(keys: &[Key]) -> String {
    let mut sql = String::from(" ORDER BY ");
    for (index, key) in keys.iter().enumerate() {
        sql.push_str(if index == 0 { "" } else { ", " });
        sql.push_str(key.sql);
        sql.push_str(if key.direction == Direction::Descending { " DESC" } else { "" });
    }
    sql.push_str(" LIMIT :limit OFFSET :offset");
    sql
}

/// The condition that a row comes behind the one whose keys are bound. Where all keys go one way, an index can be
/// entered at that row.
fn behind(keys: &[Key]) -> String {
    let sign = |key: &Key| if key.direction == Direction::Descending { " < " } else { " > " };
    let names = KEY_NAMES.into_iter().take(keys.len());
    if let Some(first) = keys.first()
        && keys.iter().all(|key| key.direction == first.direction)
    {
        let columns: Vec<_> = keys.iter().map(|key| key.sql).collect();
        let names: Vec<_> = names.collect();
        return ["(", &columns.join(", "), ")", sign(first), "(", &names.join(", "), ")"].concat();
    }
    // k0 > a OR (k0 = a AND (k1 > b OR (k1 = b AND …))), from the inside out.
    keys.iter().zip(names).rev().fold(String::from("0"), |inner, (key, name)| {
        ["(", key.sql, sign(key), name, " OR (", key.sql, " = ", name, " AND ", &inner, "))"].concat()
    })
}

/// The values of a row's keys.
#[derive(Clone, Debug, PartialEq)]
struct Keys(Vec<Value>);

impl Keys {
    fn of(task: &SystemTask, keys: &[Key]) -> Self {
        Self(keys.iter().map(|key| (key.value)(task)).collect())
    }

    /// The order, and the values as JSON; a blob is an array of its bytes.
    fn cursor(&self, sort: &[SortKey]) -> Cursor {
        let values: Vec<Json> = self.0.iter().map(to_json).collect();
        Cursor::new(format!("{}{}", Self::prefix(sort), Json::from(values)))
    }

    fn parse(cursor: &Cursor, sort: &[SortKey], keys: &[Key]) -> Result<Self> {
        let text = cursor.as_str().strip_prefix(&Self::prefix(sort));
        let values: Option<Vec<Json>> = text.and_then(|json| serde_json::from_str(json).ok());
        let values: Option<Vec<Value>> = values.and_then(|values| values.iter().map(of_json).collect());
        values
            .filter(|values| values.len() == keys.len())
            .map(Self)
            .ok_or_else(|| Error::InvalidCursor { cursor: cursor.to_string() })
    }

    fn prefix(sort: &[SortKey]) -> String {
        let names: Vec<_> = sort.iter().map(SortKey::to_string).collect();
        format!("system-task-{}-", names.join(","))
    }
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Integer(number) => (*number).into(),
        Value::Text(text) => text.clone().into(),
        Value::Blob(bytes) => bytes.clone().into(),
        Value::Null | Value::Real(_) => Json::Null,
    }
}

fn of_json(json: &Json) -> Option<Value> {
    match json {
        Json::Number(number) => number.as_i64().map(Value::Integer),
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Array(bytes) => {
            let bytes = bytes.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()));
            bytes.collect::<Option<Vec<_>>>().map(Value::Blob)
        }
        Json::Null | Json::Bool(_) | Json::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::{plan, planned_connection};

    const ORDERED: &str = "s USING INDEX system_task_listed";

    fn sort(keys: &[&str]) -> Vec<SortKey> {
        keys.iter().map(|key| key.parse().unwrap()).collect()
    }

    #[test]
    fn the_default_order_and_its_reverse_come_from_the_index_of_listed_system_tasks() {
        let connection = planned_connection();
        for order in [&[][..], &["name", "uid", "status"], &["-name", "-uid"]] {
            let keys = keys(&sort(order));
            let first = plan(&connection, &list_statement("", &keys, false));
            assert!(first.contains(&format!("SCAN {ORDERED}")), "{order:?}:\n{first}");
            let next = plan(&connection, &list_statement("", &keys, true));
            assert!(next.contains(&format!("SEARCH {ORDERED} ((name,uid_key)")), "{order:?}:\n{next}");
            assert!(!first.contains("TEMP B-TREE") && !next.contains("TEMP B-TREE"), "{order:?}:\n{first}\n{next}");
        }
    }

    #[test]
    fn an_order_by_name_alone_comes_from_an_index_too() {
        let connection = planned_connection();
        let keys = keys(&sort(&["name"]));
        let first = plan(&connection, &list_statement("", &keys, false));
        assert!(first.contains("SCAN s USING INDEX system_task_by_name"), "{first}");
        let next = plan(&connection, &list_statement("", &keys, true));
        assert!(next.contains("SEARCH s USING INDEX system_task_by_name ((name,uuid)"), "{next}");
        assert!(!first.contains("TEMP B-TREE") && !next.contains("TEMP B-TREE"), "{first}\n{next}");
    }

    #[test]
    fn a_name_and_a_uid_are_found_by_the_index() {
        let connection = planned_connection();
        let (conditions, _) = conditions(&SystemTaskFilter::new().name("n").uid("u"));
        let plan = plan(&connection, &list_statement(&conditions, &keys(&[]), false));
        assert!(plan.contains("USING INDEX system_task_"), "{plan}");
        assert!(plan.contains("(name=? AND uid_key=?)"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }

    #[test]
    fn all_are_counted_in_the_index_alone() {
        let counted = plan(&planned_connection(), COUNT);
        assert_eq!(counted, "SCAN s USING INDEX system_task_listed");
    }

    /// Every field, both ways, alone and behind another: each statement is one that SQLite takes.
    #[test]
    fn every_order_is_planned() {
        let connection = planned_connection();
        let (conditions, _) = conditions(
            &SystemTaskFilter::new().name("n").uid("u").status(crate::SystemTaskStatus::Error).search("term"),
        );
        for field in SortField::ALL {
            for direction in [Direction::Ascending, Direction::Descending] {
                let key = SortKey { field, direction };
                for sort in
                    [vec![key], vec![SortKey { field: SortField::Status, direction: Direction::Ascending }, key]]
                {
                    for after in [false, true] {
                        plan(&connection, &list_statement(&conditions, &keys(&sort), after));
                    }
                }
            }
        }
    }
}
