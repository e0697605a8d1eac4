//! Whether a file has the tables and indexes of `schema.sql`, and its rows keep to what that says.

use rusqlite::{Connection, Row};

use super::super::error::during;
use super::super::row::Text;
use super::super::schema::{NEWEST, SCHEMA};
use super::super::transaction::Read;
use crate::Result;
use crate::check::Finding;

/// What is defined; SQLite's own tables and indexes have no definition or follow from one.
const DEFINITIONS: &str = "
    SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";

/// Another program may have added tables of its own: only ours are looked at.
pub(super) fn definitions(read: &Read<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    let read_definitions = |connection: &Connection| {
        let mut definitions = connection.prepare(DEFINITIONS)?;
        let rows =
            definitions.query_map([], |row| Ok((row.get::<_, Text>(0)?.0, normalised(&row.get::<_, Text>(1)?.0))));
        rows.and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
    };
    let version: i64 =
        read.connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(during(ACTION))?;
    if version != NEWEST {
        return Ok(());
    }
    let found = read_definitions(read.connection).map_err(during(ACTION))?;
    let ours = Connection::open_in_memory().and_then(|ours| {
        ours.execute_batch(SCHEMA)?;
        read_definitions(&ours)
    });
    let missing = ours.map_err(during(ACTION))?.into_iter().filter(|definition| !found.contains(definition));
    findings.extend(missing.map(|(name, _)| Finding::Definition { name }));
    Ok(())
}

const ACTION: &str = "check the definitions";

/// Without comments and spacing, which an upgrade may give otherwise.
fn normalised(sql: &str) -> String {
    let code = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// The constraints of single rows, which SQLite does not look at in a file that it cannot write.
pub(super) fn constraints(read: &Read<'_>, findings: &mut Vec<Finding>) -> Result<()> {
    for (table, constraints) in tables() {
        let broken = constraints.iter().map(|constraint| format!("coalesce(sum(NOT ({constraint})), 0)"));
        let sql = format!("SELECT {} FROM {table}", broken.collect::<Vec<_>>().join(", "));
        let count = |row: &Row<'_>| (0..constraints.len()).map(|column| row.get::<_, i64>(column)).collect();
        let counts: rusqlite::Result<Vec<_>> = read.connection.query_row(&sql, [], count);
        for (constraint, rows) in constraints.iter().zip(counts.map_err(during("check the constraints"))?) {
            if rows > 0 {
                let text = format!("CHECK constraint failed in {rows} of {table}: {constraint}");
                findings.push(Finding::Damage { text });
            }
        }
    }
    Ok(())
}

/// The tables that have constraints of single rows, and those: the text in the brackets behind each CHECK of the schema.
fn tables() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let tables = SCHEMA.split("\nCREATE TABLE ").skip(1).filter_map(|table| {
        let (name, rest) = table.split_once(" (")?;
        let (columns, _) = rest.split_once("\n) STRICT")?;
        Some((name, columns.split("CHECK (").skip(1).filter_map(bracketed).collect::<Vec<_>>()))
    });
    tables.filter(|(_, constraints)| !constraints.is_empty())
}

/// The text up to the bracket that closes.
fn bracketed(text: &'static str) -> Option<&'static str> {
    let mut open = 1_u32;
    let end = text.find(|character| {
        match character {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        open == 0
    });
    text.get(..end?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_constraint_of_the_schema_is_found_whole() {
        let found: Vec<_> = tables().flat_map(|(_, constraints)| constraints).collect();
        assert_eq!(found.len(), SCHEMA.matches("CHECK (").count());
        assert!(found.contains(&"(outcome IS NULL) = (finished_ns IS NULL)"), "{found:?}");
        assert!(found.contains(&"attributes LIKE '{%}'"), "{found:?}");
    }
}
