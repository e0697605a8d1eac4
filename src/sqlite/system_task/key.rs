//! What lists are ordered by, and the cursors that come of it.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};
use serde_json::value::Value as Json;

use crate::page::{Cursor, fingerprint};
use crate::system_task::{Direction, SortField, SortKey, SystemTaskFilter};
use crate::{Error, Result};

/// A value that is bound. Text is kept as its bytes: another program may have written what is not UTF-8, and a walk must
/// get past it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Integer(i64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into_bytes())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// What rows are compared by: an expression that is never NULL.
#[derive(Clone, Copy)]
pub(super) struct Key {
    sql: &'static str,
    direction: Direction,
    value: fn(&Row<'_>) -> rusqlite::Result<Value>,
}

impl Key {
    const fn new(sql: &'static str, direction: Direction, value: fn(&Row<'_>) -> rusqlite::Result<Value>) -> Self {
        Self { sql, direction, value }
    }
}

/// More keys than fields that order: a null is a key of its own.
pub(super) const KEY_NAMES: [&str; 16] = [
    ":k0", ":k1", ":k2", ":k3", ":k4", ":k5", ":k6", ":k7", ":k8", ":k9", ":k10", ":k11", ":k12", ":k13", ":k14",
    ":k15",
];

/// The keys of an order, ending where no two rows can be equal any more.
pub(super) fn keys(sort: &[SortKey]) -> Vec<Key> {
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
        SortField::Uuid => add("s.uuid", |row| column(row, 0)),
        SortField::Name => add("s.name", |row| column(row, 1)),
        SortField::Uid => add("s.uid_key", |row| column(row, 2)),
        SortField::Description => add("s.description", |row| column(row, 3)),
        SortField::StartTimestamp => add("coalesce(r.started_ns, s.registered_ns, 0)", |row| number(row, &[8, 4], 0)),
        SortField::FinishTimestamp => {
            add("coalesce(r.finished_ns, s.registered_ns, 0)", |row| number(row, &[9, 4], 0));
        }
        SortField::Duration => add("coalesce(r.duration_ns, 0)", |row| number(row, &[10], 0)),
        SortField::Status => add("coalesce(r.status, 3)", |row| number(row, &[6], 3)),
        SortField::Messages => {}
        SortField::Expires => {
            add("(r.expires_ns IS NULL)", |row| Ok(i64::from(expires(row)?.is_none()).into()));
            add("coalesce(r.expires_ns, 0)", |row| number(row, &[11], 0));
        }
        SortField::Expiring => add("(r.expires_ns IS NOT NULL)", |row| Ok(i64::from(expires(row)?.is_some()).into())),
    }
}

/// A column that is text or a blob, as it is stored; NULL is what `uid_key` makes of it.
fn column(row: &Row<'_>, index: usize) -> rusqlite::Result<Value> {
    let value = row.get_ref(index)?;
    let bytes = value.as_bytes_or_null()?.unwrap_or_default().to_vec();
    Ok(if matches!(value, ValueRef::Text(_)) { Value::Text(bytes) } else { Value::Blob(bytes) })
}

/// The first of the columns that is not NULL.
fn number(row: &Row<'_>, columns: &[usize], or: i64) -> rusqlite::Result<Value> {
    for column in columns {
        if let Some(number) = row.get::<_, Option<i64>>(*column)? {
            return Ok(Value::Integer(number));
        }
    }
    Ok(Value::Integer(or))
}

fn expires(row: &Row<'_>) -> rusqlite::Result<Option<i64>> {
    row.get(11)
}

pub(super) fn order_by(keys: &[Key]) -> String {
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
pub(super) fn behind(keys: &[Key]) -> String {
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
pub(super) struct Keys(pub(super) Vec<Value>);

impl Keys {
    pub(super) fn of(row: &Row<'_>, keys: &[Key]) -> rusqlite::Result<Self> {
        keys.iter().map(|key| (key.value)(row)).collect::<rusqlite::Result<_>>().map(Self)
    }

    /// Which list, and the values as JSON; a blob is an array of its bytes, text that is not UTF-8 one inside another.
    pub(super) fn cursor(&self, filter: &SystemTaskFilter) -> Cursor {
        let values: Vec<Json> = self.0.iter().map(to_json).collect();
        Cursor::new(format!("{}{}", Self::prefix(filter), Json::from(values)))
    }

    pub(super) fn parse(cursor: &Cursor, filter: &SystemTaskFilter, keys: &[Key]) -> Result<Self> {
        let text = cursor.as_str().strip_prefix(&Self::prefix(filter));
        let values: Option<Vec<Json>> = text.and_then(|json| serde_json::from_str(json).ok());
        let values: Option<Vec<Value>> = values.and_then(|values| values.iter().map(of_json).collect());
        values
            .filter(|values| values.len() == keys.len())
            .map(Self)
            .ok_or_else(|| Error::InvalidCursor { cursor: cursor.to_string() })
    }

    fn prefix(filter: &SystemTaskFilter) -> String {
        format!("system-task.{:x}.", fingerprint(&filter.list()))
    }
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Integer(number) => (*number).into(),
        Value::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => text.into(),
            Err(_) => vec![Json::from(text.clone())].into(),
        },
        Value::Blob(bytes) => bytes.clone().into(),
    }
}

fn of_json(json: &Json) -> Option<Value> {
    match json {
        Json::Number(number) => number.as_i64().map(Value::Integer),
        Json::String(text) => Some(Value::Text(text.clone().into_bytes())),
        Json::Array(inner) => match inner.as_slice() {
            [Json::Array(text)] => bytes(text).map(Value::Text),
            blob => bytes(blob).map(Value::Blob),
        },
        Json::Null | Json::Bool(_) | Json::Object(_) => None,
    }
}

fn bytes(array: &[Json]) -> Option<Vec<u8>> {
    array.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect()
}
