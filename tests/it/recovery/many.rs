//! An owner that dies with very much in progress.

use taskstore::{Error, NewTask, Outcome, Outcomes, TaskFilter};

use crate::support::files::shell;
use crate::support::{open, rounds};

/// More than three transactions' worth; `TASKSTORE_TEST_ROUNDS=100000` for the long one.
#[test]
fn each_of_very_many_tasks_and_runs_is_interrupted_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let tasks = rounds(3_500).max(3_500) as u64;
    let start = |batch: &taskstore::Batch<'_>| {
        (0..tasks).try_for_each(|_| batch.start_detached(NewTask::new("t")).map(drop))?;
        (0..1_500).try_for_each(|_| batch.start_run("t", None, taskstore::RunOptions::new()).map(drop))
    };
    store.batch(start).unwrap();
    let dead = "INSERT INTO owner VALUES (7, '0123456789abcdef0123456789abcdef', 1234, 0);
        UPDATE task SET owner = 7; UPDATE run SET owner = 7;";
    shell(&path).execute_batch(dead).unwrap();

    // Others recover at the same time, and are told of what they have done themselves.
    let reports: Vec<_> = std::thread::scope(|scope| {
        let recover = || loop {
            match open(&path).recover() {
                Err(Error::Busy { .. }) => {}
                answer => return answer.unwrap(),
            }
        };
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(recover)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(reports.iter().all(|report| report.tasks <= tasks && report.owners <= 1), "{reports:?}");

    assert_eq!(store.counts(None).unwrap().interrupted, tasks);
    let filter = TaskFilter::new().outcomes(Outcomes::INTERRUPTED).limit(1_000);
    assert!(store.list(&filter).unwrap().items.iter().all(|task| task.message_count == 1));
    let count = |sql| shell(&path).query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().cast_unsigned();
    assert_eq!(count("SELECT count(*) FROM message"), tasks);
    assert_eq!(count("SELECT count(*) FROM task WHERE owner IS NULL AND outcome = 3"), tasks);
    assert_eq!(count("SELECT count(*) FROM log_event"), 1_500);
    assert_eq!(count("SELECT count(*) FROM run WHERE interrupted AND owner IS NULL"), 1_500);
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(store.task(crate::support::task_id(1)).unwrap().outcome, Some(Outcome::Interrupted));
}
