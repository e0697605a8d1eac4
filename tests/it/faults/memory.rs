//! SQLite gets no more memory: an error, and a store that goes on.

use rusqlite::Connection;
use taskstore::{Error, Level, NewTask};

use super::ledger::Ledger;
use crate::support::children::{command, role, run};
use crate::support::{options, texts};

/// For all connections of the process, those of its stores included.
fn limit_heap(bytes: i64) {
    let connection = Connection::open_in_memory().unwrap();
    connection.query_row("PRAGMA hard_heap_limit", [], |row| row.get::<_, i64>(0)).unwrap();
    connection.query_row(&format!("PRAGMA hard_heap_limit = {bytes}"), [], |row| row.get::<_, i64>(0)).unwrap();
}

/// The first limit is the one that stays: SQLite lets nobody raise it but by its own interface, so each has its process.
#[test]
fn without_memory_a_write_is_refused_and_nothing_of_it_is_there() {
    let test = "faults::memory::without_memory_a_write_is_refused_and_nothing_of_it_is_there";
    if let Some((role, path)) = role() {
        return write_with(role.parse().unwrap(), &path);
    }
    for kib in [1_500, 2_000, 3_000] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let said = run(command(test, &kib.to_string(), &path));
        let ledger = Ledger::of(&said);
        assert!(ledger.done() >= 10, "{kib} KiB: {ledger:?}");
        ledger.check(&path);
    }
}

fn write_with(kib: i64, path: &std::path::Path) {
    let store = options().open(path).unwrap();
    let mut ledger = Ledger::default();
    let id = ledger.start(&store, "first".to_owned()).unwrap();
    let long = "x".repeat(900_000);
    store.message(id, Level::Info, "before").unwrap();
    limit_heap(kib << 10);
    let mut refused = 0;
    for number in 0..10 {
        // More than there is, and then what there is enough for.
        let batch = store.batch(|batch| {
            let started = batch.start_detached(NewTask::new(format!("never {number}")))?;
            (0..10).try_for_each(|_| batch.message(started, Level::Info, long.as_str()))
        });
        match batch {
            Ok(()) => ledger.note::<()>(&format!("never {number}"), &Ok(())),
            Err(error) => {
                assert!(!matches!(error, Error::OutcomeUnknown { .. } | Error::Damaged { .. }), "{error:?}");
                ledger.note(&format!("never {number}"), &Err(error));
                refused += 1;
            }
        }
        ledger.start(&store, format!("after {number}")).unwrap();
        assert_eq!(texts(&store, id), ["before"]);
    }
    assert!(refused > 0, "the limit of {kib} KiB met nothing");
    store.close().unwrap();
    ledger.say();
}
