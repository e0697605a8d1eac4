//! What can only be asked of SQLite itself: plans, and how often a statement was prepared.

use std::time::Duration;

use rusqlite::{Connection, StatementStatus};

use super::{connection::Settings, open};
use crate::options::Durability;
use crate::{Level, NewTask, Progress, TaskFilter, TaskStore};

/// An empty store's connection, as every store sets it.
pub(super) fn planned_connection() -> Connection {
    let settings = Settings { durability: Durability::Full, busy_timeout: Duration::from_secs(1) };
    open::memory(&settings).unwrap()
}

/// The plan of a statement, a line a step.
pub(super) fn plan(connection: &Connection, sql: &str) -> String {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = explain.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
    steps.unwrap().join("\n")
}

/// How often a cached statement ran, and how often it was prepared again.
fn counts(connection: &Connection, sql: &str) -> (i32, i32) {
    let statement = connection.prepare_cached(sql).unwrap();
    (statement.get_status(StatementStatus::Run), statement.get_status(StatementStatus::RePrepare))
}

#[test]
fn a_thousand_lifecycles_prepare_every_statement_once() {
    let store = TaskStore::open_in_memory().unwrap();
    let prod = store.configurations().add("prod").unwrap();
    for _ in 0..1_000 {
        let id = store.start_detached(NewTask::new("t").configuration(prod)).unwrap();
        for text in ["one", "two", "three"] {
            store.message(id, Level::Info, text).unwrap();
        }
        store.progress(id, &Progress::new(1).of(2)).unwrap();
        store.finish(id).unwrap();
        store.dismiss(id, "ann").unwrap();
        store.restore(id).unwrap();
        store.task(id).unwrap();
        store.messages(id, 0, 10).unwrap();
        store.list(&TaskFilter::new().limit(5)).unwrap();
    }
    let statements = super::task::statements_for_tests();
    store.database().with_connection(|connection| {
        for (sql, runs) in statements {
            assert_eq!(counts(connection, &sql), (runs * 1_000, 0), "runs and repeated preparations of {sql}");
        }
        // Two for every verb that wrote, and one more for each snapshot.
        assert_eq!(counts(connection, "BEGIN IMMEDIATE").1, 0);
        assert_eq!(counts(connection, "COMMIT").1, 0);
    });
}

#[test]
fn appending_costs_the_same_at_message_ten_and_at_message_one_hundred_thousand() {
    let store = TaskStore::open_in_memory().unwrap();
    let id = store.start_detached(NewTask::new("t")).unwrap();
    let append_many = |count| {
        let work = |batch: &crate::Batch<'_>| (0..count).try_for_each(|_| batch.message(id, Level::Info, "line"));
        store.batch(work).unwrap();
    };
    let steps_of_one = || {
        let [count, append] = super::task::message_statements_for_tests();
        let take = |connection: &Connection, sql| {
            connection.prepare_cached(sql).unwrap().reset_status(StatementStatus::VmStep)
        };
        let reset = |connection: &Connection| (take(connection, count), take(connection, append));
        store.database().with_connection(reset);
        append_many(1);
        store.database().with_connection(reset)
    };
    append_many(9);
    let at_10 = steps_of_one();
    append_many(100_000 - 11);
    let at_100_000 = steps_of_one();
    assert_eq!(store.task(id).unwrap().message_count, 100_000);
    assert_eq!(at_10, at_100_000, "virtual machine steps of the two statements");
    assert!(at_10.0 > 0 && at_10.1 > 0);
}
