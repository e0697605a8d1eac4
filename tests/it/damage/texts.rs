//! Texts that are not UTF-8, in every column that has texts.

use taskstore::{OpenOptions, TaskStore};

use super::look::{Seen, Way, look, read};
use super::original::record;
use crate::support::files::shell;
use crate::support::{open, options};

/// Every column of text of the tables, by the file's own definitions, so that a new one is not forgotten. The names of owners are no
/// texts: who reads them takes only what the store itself gives.
fn columns(store_path: &std::path::Path) -> Vec<(String, String)> {
    let shell = shell(store_path);
    let mut columns = shell
        .prepare(
            "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
            WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND c.type = 'TEXT' AND m.name <> 'owner'",
        )
        .unwrap();
    let rows = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn no_text_that_is_not_utf_8_breaks_what_is_read_or_written_in_whichever_column_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    record(&store, "prod", 6);
    let columns = columns(&path);
    let before = seen(&store);
    store.close().unwrap();
    assert!(columns.len() >= 15, "{columns:?}");

    for (table, column) in columns {
        let copy = directory.path().join(format!("{table} {column}"));
        open(&path).backup_to(&copy).unwrap();
        let change = format!(
            "PRAGMA ignore_check_constraints = on;
            UPDATE {table} SET {column} = CAST(CAST({column} AS BLOB) || x'ff00c328eda080f09f' AS TEXT)
            WHERE {column} IS NOT NULL"
        );
        let shell = shell(&copy);
        shell.execute_batch(&change).unwrap();
        assert!(shell.changes() > 0, "{table}.{column} is empty");
        shell.close().unwrap();

        let seen_by_reader = seen(&OpenOptions::new().read_only(true).open(&copy).unwrap());
        assert_eq!(seen_by_reader.errors, [], "{table}.{column}");
        let shown = |seen: &Seen| seen.shown.keys().cloned().collect::<Vec<_>>();
        assert_eq!(shown(&seen_by_reader), shown(&before), "{table}.{column}");

        let found = options().open(&copy).unwrap().check().unwrap();
        // The one rule on what a text is: attributes end as a JSON object does.
        assert!(found.is_empty() || column == "attributes", "{table}.{column}: {found:?}");
        let seen = look(&copy, Way::Honest);
        assert_eq!(seen.nameless, [], "{table}.{column}");
    }
}

fn seen(store: &TaskStore) -> Seen {
    let mut seen = Seen::default();
    read(store, &mut seen);
    assert!(seen.shown.len() > 40);
    seen
}
