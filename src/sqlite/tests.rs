//! What can only be asked of SQLite itself: plans, and how often a statement was prepared.

mod groups;

use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, StatementStatus};

use super::{connection::Settings, open};
use crate::options::{Durability, OpenOptions};
use crate::wire::task_api::{DismissedMember, ListRequest, write_list};
use crate::{ConfigurationFilter, Dismissed, Order, Outcomes};
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

/// Each statement has this plan.
#[track_caller]
pub(super) fn assert_plans(plans: &[(&str, &str)]) {
    let connection = planned_connection();
    for (sql, expected) in plans {
        assert_eq!(plan(&connection, sql), *expected, "{sql}");
    }
}

/// How often a cached statement ran, and how often it was prepared again.
pub(super) fn counts(connection: &Connection, sql: &str) -> (i32, i32) {
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
        store.tail(id, 10).unwrap();
        store.task_with_messages(id).unwrap();
        store.list(&TaskFilter::new().limit(5)).unwrap();
        store.list_with_messages(&TaskFilter::new().limit(5)).unwrap();
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
fn a_thousand_reads_of_a_file_prepare_every_statement_once() {
    let store = TaskStore::open_temporary().unwrap();
    let prod = store.configurations().add("prod").unwrap();
    let id = store.start_detached(NewTask::new("t").configuration(prod).performed_by("ann")).unwrap();
    store.message(id, Level::Warn, "one").unwrap();
    let all = || TaskFilter::new().limit(5);
    let filters = [
        all(),
        all().configuration(prod),
        all().configuration(ConfigurationFilter::None),
        all().outcomes(Outcomes::IN_PROGRESS),
        all().outcomes(Outcomes::FAILED | Outcomes::INTERRUPTED),
        all().outcomes(Outcomes::FINISHED).performed_by("ann"),
        all().level_reached(Level::Error).dismissed(Dismissed::Included),
        all().dismissed_by("ann").started(chrono::DateTime::UNIX_EPOCH..),
        all().text("one"),
        all().order(Order::OldestFirst),
        all().order(Order::RecentlyUpdated),
        all().order(Order::LongestRunning),
    ];
    let read_all = || {
        store.task(id).unwrap();
        store.messages(id, 0, 10).unwrap();
        store.tail(id, 10).unwrap();
        store.task_with_messages(id).unwrap();
        for filter in &filters {
            store.list(filter).unwrap();
            store.list_with_messages(filter).unwrap();
        }
        write_list(&store, ListRequest::default(), DismissedMember::HiddenBy, std::io::sink()).unwrap();
    };
    let mut statements = super::task::reading_statements_for_tests();
    statements.extend(filters.iter().flat_map(super::task::statements_of_test));
    statements.extend(["BEGIN", "COMMIT"].map(str::to_owned));
    let count = |connection: &Connection| statements.iter().map(|sql| counts(connection, sql)).collect::<Vec<_>>();

    (0..1_000).for_each(|_| read_all());
    for ((runs, repeated), sql) in store.database().with_reader(count).into_iter().zip(&statements) {
        assert!(runs >= 1_000 && repeated == 0, "{repeated} repeated preparations in {runs} runs of {sql}");
    }

    // Without the guarantee many are, so that this test can tell.
    store.database().with_reader(|reader| reader.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, false)).unwrap();
    read_all();
    read_all();
    assert!(store.database().with_reader(count).iter().any(|(_, repeated)| *repeated > 0));
}

#[test]
fn a_thousand_runs_of_a_system_task_prepare_every_statement_once() {
    let store = TaskStore::open_in_memory().unwrap();
    for _ in 0..1_000 {
        let run = store.system_tasks().start("fetch_mail", Some("ann")).unwrap();
        for event in ["one", "two", "three"] {
            run.info(event, serde_json::json!({"of": 3})).unwrap();
        }
        run.set_status(crate::SystemTaskStatus::Warning, ["no subject"]).unwrap();
        run.finish().unwrap();
    }
    store.database().with_connection(|connection| {
        for (sql, runs) in super::system_task::statements_for_tests() {
            assert_eq!(counts(connection, sql), (runs * 1_000, 0), "runs and repeated preparations of {sql}");
        }
    });
}

#[test]
fn a_flush_leaves_the_connection_as_it_was() {
    let store = OpenOptions::new().durability(Durability::Normal).open_temporary().unwrap();
    store.flush().unwrap();
    let set =
        |name| move |connection: &Connection| connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
    assert_eq!(store.database().with_connection::<i64>(set("synchronous")), 1);
    assert_eq!(store.database().with_connection::<i64>(set("user_version")), super::schema::NEWEST);
    assert_eq!(
        store.database().with_connection::<i64>(set("application_id")),
        i64::from(super::schema::APPLICATION_ID)
    );
}

#[test]
fn a_connection_whose_durability_cannot_be_set_back_is_not_used_again() {
    let store = OpenOptions::new().durability(Durability::Normal).open_temporary().unwrap();
    let id = store.start_detached(NewTask::new("t")).unwrap();
    // Too short for any setting.
    let shorten = |connection: &Connection| connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, 8).unwrap();
    store.database().with_connection(shorten);
    store.flush().unwrap_err();
    store.message(id, Level::Info, "on another connection").unwrap();
    store.flush().unwrap();
}

#[test]
fn a_connection_that_cannot_roll_back_is_not_used_again() {
    let store = OpenOptions::new().busy_timeout(Duration::from_millis(100)).open_temporary().unwrap();
    let ended = store.start_detached(NewTask::new("t")).unwrap();
    store.finish(ended).unwrap();
    // It has begun and committed before, and keeps those statements. It never has rolled back.
    let shorten = |connection: &Connection| connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, 7).unwrap();
    store.database().with_connection(shorten);
    store.finish(ended).unwrap_err();
    let id = store.start_detached(NewTask::new("on another connection")).unwrap();
    assert_eq!(store.task(id).unwrap().title, "on another connection");
}

#[test]
fn an_import_counts_a_configuration_once_until_there_are_many() {
    let counted = |configurations: u32, times: usize| {
        let (store, other) = (TaskStore::open_in_memory().unwrap(), TaskStore::open_in_memory().unwrap());
        let ids: Vec<_> =
            (0..configurations).map(|number| store.configurations().add(number.to_string()).unwrap()).collect();
        for id in ids.repeat(times) {
            store.start_detached(NewTask::new("t").configuration(id)).unwrap();
        }
        let mut lines = Vec::new();
        store.export(&mut lines).unwrap();
        other.import(&*lines).unwrap();
        other.database().with_connection(|connection| counts(connection, super::task::COUNT).0)
    };
    assert_eq!(counted(1, 10), 1);
    assert_eq!(counted(63, 2), 63);
    // What is looked through for each task is no longer than that.
    assert_eq!(counted(64, 2), 128);
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
