//! What can only be asked of SQLite itself: plans, and how often a statement was prepared.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
            (0..configurations).map(|number| store.configurations().add(format!("{number}")).unwrap()).collect();
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

/// Runs `calls` on threads of their own, all of which wait while a batch holds the turn, so that one leader takes them.
fn as_one_group<T: Send>(
    store: &TaskStore,
    calls: Vec<Box<dyn FnOnce() -> T + Send + '_>>,
) -> Vec<std::thread::Result<T>> {
    try_as_one_group(store, calls).expect("nobody gives up before all have come")
}

/// The same for calls of which one may give up before the others have come: then it is `None`.
fn try_as_one_group<T: Send>(
    store: &TaskStore,
    calls: Vec<Box<dyn FnOnce() -> T + Send + '_>>,
) -> Option<Vec<std::thread::Result<T>>> {
    std::thread::scope(|scope| {
        let (threads, is_group) = store
            .batch(|_| {
                let mut threads = Vec::new();
                for call in calls {
                    threads.push(scope.spawn(call));
                    // One after another, so that the first is the leader.
                    while store.database().waiting() < threads.len() {
                        if threads.iter().any(std::thread::ScopedJoinHandle::is_finished) {
                            return Ok((threads, false));
                        }
                        std::thread::yield_now();
                    }
                }
                Ok::<_, crate::Error>((threads, true))
            })
            .unwrap();
        let answers = threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        is_group.then_some(answers)
    })
}

fn title(number: usize) -> NewTask {
    NewTask::new(format!("task {number}"))
}

#[test]
fn a_caller_that_breaks_the_transaction_of_its_group_fails_alone() {
    for broken in 0..5 {
        let store = TaskStore::open_temporary().unwrap();
        let (outer, broken_title) = (&store, title(broken));
        let call = |number: usize| -> Box<dyn FnOnce() -> crate::Result<crate::TaskId> + Send + '_> {
            let task = broken_title.clone();
            if number != broken {
                return Box::new(move || outer.start_detached(title(number)));
            }
            // It writes, and then fails as SQLite does.
            Box::new(move || {
                outer.database().write(move |write| {
                    super::task::start(write, &task, None, 0)?;
                    Err(super::error::rolled_back())
                })
            })
        };
        let answers = as_one_group(&store, (0..5).map(call).collect());
        for (number, answer) in answers.into_iter().enumerate() {
            let answer = answer.unwrap();
            match answer {
                Ok(id) => assert_eq!(store.task(id).unwrap().title, format!("task {number}")),
                Err(error) => assert!(number == broken && matches!(error, crate::Error::Engine { .. }), "{error:?}"),
            }
        }
        assert_eq!(store.list(&TaskFilter::new()).unwrap().items.len(), 4);
    }
}

#[test]
fn a_refused_caller_is_refused_alone() {
    let store = TaskStore::open_temporary().unwrap();
    let id = store.start_detached(title(0)).unwrap();
    let outer = &store;
    let finish = || -> Box<dyn FnOnce() -> crate::Result<()> + Send + '_> { Box::new(move || outer.finish(id)) };
    let answers = as_one_group(&store, (0..5).map(|_| finish()).collect());
    let won: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().is_ok()).collect();
    assert_eq!(won, [true, false, false, false, false], "the first in the queue is the one");
}

/// How many transactions it takes to make these calls, all of which wait while another is made, and that one itself.
fn transactions(store: &TaskStore, calls: Vec<Box<dyn FnOnce() -> crate::Result<()> + Send + '_>>) -> u64 {
    let before = store.change_token().unwrap().changes;
    for answer in as_one_group(store, calls) {
        answer.unwrap().unwrap();
    }
    store.change_token().unwrap().changes - before
}

#[test]
fn those_that_wait_share_a_transaction_also_behind_a_batch_but_for_more_than_a_leader_may_take() {
    let store = TaskStore::open_in_memory().unwrap();
    let (outer, id) = (&store, store.start_detached(title(0)).unwrap());
    let batch = || -> Box<dyn FnOnce() -> crate::Result<()> + Send + '_> { Box::new(|| outer.batch(|_| Ok(()))) };
    let message = |_| -> Box<dyn FnOnce() -> crate::Result<()> + Send + '_> {
        Box::new(move || outer.message(id, Level::Info, "t"))
    };
    assert_eq!(transactions(&store, (0..4).map(message).collect()), 2);
    assert_eq!(transactions(&store, [batch()].into_iter().chain((0..4).map(message)).collect()), 3);
    let calls = |after: usize| (0..super::writer::GROUP_MAX + after).map(message).collect();
    assert_eq!(transactions(&store, calls(0)), 2);
    assert_eq!(transactions(&store, calls(1)), 3);
}

#[cfg(feature = "tokio")]
#[test]
fn those_that_are_made_together_share_their_transaction_with_those_that_wait_if_they_are_not_too_many() {
    let store = TaskStore::open_in_memory().unwrap();
    let (outer, id) = (&store, store.start_detached(title(0)).unwrap());
    let message = |_| -> Box<dyn FnOnce() -> crate::Result<()> + Send + '_> {
        Box::new(move || outer.message(id, Level::Info, "t"))
    };
    let transactions_of = |together: usize, waiting: usize| {
        let operation = |write: &super::Write<'_>| super::task::start(write, &title(1), None, 0);
        let call = |_| store.database().deferred(Duration::MAX, operation, |made| assert!(made.is_ok())).unwrap();
        let calls = (0..together).map(call).collect();
        let make: Box<dyn FnOnce() -> crate::Result<()> + Send + '_> = Box::new(|| {
            outer.database().write_together(calls);
            Ok(())
        });
        transactions(&store, std::iter::once(make).chain((0..waiting).map(message)).collect())
    };
    assert_eq!(transactions_of(20, 20), 2);
    assert_eq!(transactions_of(super::writer::GROUP_MAX, 1), 2);
    assert_eq!(transactions_of(super::writer::GROUP_MAX, 2), 3);
}

#[cfg(feature = "tokio")]
#[test]
fn a_call_whose_time_is_over_when_it_is_made_still_waits_for_its_turn() {
    let store = TaskStore::open_in_memory().unwrap();
    let (answer, answers) = std::sync::mpsc::channel();
    let operation = |write: &super::Write<'_>| super::task::start(write, &title(1), None, 0);
    let late = store.database().deferred(Duration::ZERO, operation, move |made| answer.send(made).unwrap()).unwrap();
    let outer = &store;
    let make = || -> Box<dyn FnOnce() + Send + '_> { Box::new(|| outer.database().write_together([late].into())) };
    as_one_group(&store, vec![make()]);
    assert!(answers.recv().unwrap().is_ok());
}

#[test]
fn a_panic_in_a_group_leaves_nobody_waiting_and_acknowledges_nothing() {
    for panicking in 0..3 {
        let store = TaskStore::open_temporary().unwrap();
        let outer = &store;
        let call = |number: usize| -> Box<dyn FnOnce() -> crate::Result<()> + Send + '_> {
            if number != panicking {
                return Box::new(move || outer.start_detached(title(number)).map(drop));
            }
            Box::new(move || outer.database().write(|_| -> crate::Result<()> { panic!("an operation panics") }))
        };
        let answers = as_one_group(&store, (0..3).map(call).collect());
        // It is the leader's thread that runs all of them.
        assert!(answers[0].is_err());
        for answer in &answers[1..] {
            let answer = answer.as_ref().unwrap();
            assert!(matches!(answer, Err(crate::Error::OutcomeUnknown { .. })), "{answer:?}");
        }
        // Nothing of the transaction was written, and the store goes on.
        assert_eq!(store.list(&TaskFilter::new()).unwrap().items.len(), 0);
        store.start_detached(title(9)).unwrap();
    }
}

#[cfg(feature = "tokio")]
#[test]
fn a_panic_among_calls_that_are_made_together_acknowledges_nothing() {
    for panicking in 0..3 {
        let store = TaskStore::open_temporary().unwrap();
        let (answer, answers) = std::sync::mpsc::channel();
        let call = |number: usize| {
            let (task, answer) = (title(number), answer.clone());
            let operation = move |write: &super::Write<'_>| {
                assert_ne!(number, panicking, "an operation panics");
                super::task::start(write, &task, None, 0)
            };
            store.database().deferred(Duration::MAX, operation, move |made| answer.send(made).unwrap()).unwrap()
        };
        let calls = (0..3).map(call).collect();
        let panicked = std::panic::AssertUnwindSafe(|| store.database().write_together(calls));
        assert!(std::panic::catch_unwind(panicked).is_err());
        drop(answer);
        let answers: Vec<_> = answers.iter().collect();
        assert_eq!(answers.len(), 3);
        for answer in answers {
            assert!(matches!(answer, Err(crate::Error::OutcomeUnknown { .. })), "{answer:?}");
        }
        assert_eq!(store.list(&TaskFilter::new()).unwrap().items.len(), 0);
        store.start_detached(title(9)).unwrap();
    }
}

#[test]
fn one_of_a_group_starts_the_task_of_a_key_and_the_others_get_it() {
    let store = TaskStore::open_temporary().unwrap();
    let outer = &store;
    let call = |number: usize| -> Box<dyn FnOnce() -> crate::Result<crate::TaskId> + Send + '_> {
        Box::new(move || outer.start_detached(title(number).key("k")))
    };
    let answers = as_one_group(&store, (0..8).map(call).collect());
    let ids: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().unwrap().get()).collect();
    assert_eq!(ids, [1; 8]);
    let tasks = store.list(&TaskFilter::new()).unwrap().items;
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].title, "task 0", "the first in the queue is the one");
}

/// A clock that stands still until it is put forward.
#[derive(Debug, Default)]
struct Hand(AtomicU64);

impl crate::Clock for Arc<Hand> {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

#[test]
fn kept_progress_is_not_lost_in_a_group_that_is_undone() {
    let directory = tempfile::tempdir().unwrap();
    let (path, clock) = (directory.path().join("tasks.db"), Arc::<Hand>::default());
    let store = OpenOptions::new().clock(Arc::clone(&clock)).open(&path).unwrap();
    // What tells 13 cannot be committed.
    let doom = "CREATE TABLE doom (task INTEGER REFERENCES task (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER doom AFTER UPDATE OF progress_done ON task WHEN new.progress_done = 13
        BEGIN INSERT INTO doom VALUES (-1); END;";
    Connection::open(&path).unwrap().execute_batch(doom).unwrap();
    let id = store.start_detached(title(0)).unwrap();
    for kept in [1, 2] {
        store.progress(id, &Progress::new(kept)).unwrap();
    }
    clock.0.store(2, Ordering::Relaxed);
    let outer = &store;
    let calls: Vec<Box<dyn FnOnce() -> crate::Result<()> + Send + '_>> =
        vec![Box::new(move || outer.progress(id, &Progress::new(13))), Box::new(move || outer.finish(id))];
    let answers = as_one_group(&store, calls);
    assert!(answers[0].as_ref().unwrap().is_err());
    assert!(answers[1].as_ref().unwrap().is_ok());
    assert_eq!(store.task(id).unwrap().progress, Some(Progress::new(2)));
}

#[test]
fn a_follower_that_is_run_again_alone_waits_as_long_as_it_was_told_to() {
    let mut groups = 0;
    // On a busy machine the leader's time may be over before the other has come.
    for _ in 0..200 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let store = OpenOptions::new().open(&path).unwrap();
        let (outer, broken, go) = (&store, AtomicBool::new(false), Arc::new(AtomicBool::new(false)));
        let (shell, going, gone) = (Connection::open(&path).unwrap(), Arc::clone(&go), Arc::clone(&go));
        // Another process, which gets its lock while the group is taken apart.
        let other = std::thread::spawn(move || {
            shell.busy_timeout(Duration::ZERO).unwrap();
            while !going.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            while shell.execute_batch("BEGIN IMMEDIATE").is_err() {}
            (0..2_000).for_each(|_| std::thread::yield_now());
            shell.execute_batch("ROLLBACK").unwrap();
        });
        let calls: Vec<Box<dyn FnOnce() -> crate::Result<()> + Send + '_>> = vec![
            // The leader breaks the group, and its own time is over by then.
            Box::new(move || {
                let patience = Duration::from_millis(20);
                let since = std::time::Instant::now();
                outer.database().write_within(patience, move |_| {
                    if broken.swap(true, Ordering::Relaxed) {
                        return Ok(());
                    }
                    go.store(true, Ordering::Release);
                    while since.elapsed() <= patience {
                        std::thread::yield_now();
                    }
                    Err(super::error::rolled_back())
                })
            }),
            Box::new(move || outer.start_detached(title(1)).map(drop)),
        ];
        let answers = try_as_one_group(&store, calls);
        gone.store(true, Ordering::Release);
        other.join().unwrap();
        if let Some(answers) = answers {
            assert!(answers[1].as_ref().unwrap().is_ok(), "{answers:?}");
            groups += 1;
        }
        if groups == 20 {
            return;
        }
    }
    assert!(groups > 0, "no leader was as patient as that");
}
