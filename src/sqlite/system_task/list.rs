//! The list: filters, any order, pages by cursor and by number.

use rusqlite::{Row, ToSql};
use uuid::Uuid;

use super::super::error::during;
use super::super::transaction::Read;
use super::key::{KEY_NAMES, Key, Keys, Value, behind, keys, order_by};
use super::read::{LISTED, system_task};
use crate::page::Page;
use crate::system_task::{NumberedPage, PageNumber, Pagination, SystemTask, SystemTaskFilter};
use crate::{Error, Result};

pub(crate) fn list(read: &Read<'_>, filter: &SystemTaskFilter) -> Result<Page<SystemTask>> {
    let keys = keys(&filter.sort);
    let after = filter.after.as_ref().map(|cursor| Keys::parse(cursor, filter, &keys)).transpose()?;
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let (mut total, mut last) = (None, None);
    let mut items = read.snapshot(|| {
        if filter.with_total {
            total = Some(count(read, filter)?);
        }
        let mut tasks = Vec::new();
        let part = Part { after: after.as_ref(), limit: i64::from(filter.limit) + 1, offset: 0 };
        each(read, filter, &keys, &part, |row| {
            tasks.push(system_task(row).map_err(during("read a system task"))?);
            // The last row of the page; the one behind it only tells that there is another page.
            if tasks.len() == limit {
                let place = Keys::of(row, &keys).map_err(during("read a system task"))?;
                last = Some(place.cursor(filter));
            }
            Ok::<_, Error>(())
        })?;
        Ok(tasks)
    })?;
    let next = last.filter(|_| items.len() > limit);
    items.truncate(limit);
    Ok(Page { items, next, previous: None, total })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::{plan, planned_connection};
    use crate::system_task::{Direction, SortField, SortKey};

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
