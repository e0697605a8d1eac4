//! What is a change, and what is none.

use serde_json::json;
use taskstore::{
    Durability, Error, Level, LogEvent, NewTask, OpenOptions, Progress, SystemTaskStatus, TaskFilter, TaskStore,
};

use super::{changed, in_a_file_and_in_memory};
use crate::support::files::shell;
use crate::support::{
    ManualClock, Nanoseconds as _, configuration_id, everything, finished, open, options, start, task_id, temporary,
};

type Verb = (&'static str, fn(&TaskStore));

/// Each on what those before have left.
const WRITES: &[Verb] = &[
    ("add a configuration", |store| assert_eq!(store.configurations().add("prod").unwrap().get(), 1)),
    ("rename a configuration", |store| store.configurations().rename(configuration_id(1), "production").unwrap()),
    ("delete a configuration", |store| store.configurations().delete(configuration_id(1)).unwrap()),
    ("start", |store| assert_eq!(start(store, "1").get(), 1)),
    ("start once", |store| store.start_detached(NewTask::new("2").key("two")).map(drop).unwrap()),
    ("message", |store| store.message(task_id(1), Level::Info, "said").unwrap()),
    ("message once", |store| store.message_once(task_id(1), "key", Level::Info, "said").unwrap()),
    ("progress", |store| store.progress(task_id(1), &Progress::new(1)).unwrap()),
    ("finish", |store| store.finish(task_id(1)).unwrap()),
    ("fail", |store| store.fail(task_id(2), "because").unwrap()),
    ("dismiss", |store| store.dismiss(task_id(1), "ann").unwrap()),
    ("restore", |store| store.restore(task_id(1)).unwrap()),
    ("dismiss all", |store| assert_eq!(store.dismiss_all(None, "ann").unwrap(), 2)),
    ("delete", |store| store.delete(task_id(1)).unwrap()),
    ("a guard", |store| drop(store.start(NewTask::new("3")).unwrap())),
    ("run", |store| store.run(NewTask::new("4"), |_| Ok::<_, Error>(())).unwrap()),
    ("batch", |store| store.batch(|batch| batch.start_detached(NewTask::new("5")).map(drop)).unwrap()),
    ("recount", |store| store.recount().unwrap()),
    ("register a system task", |store| store.system_tasks().register("fetch_mail", "").unwrap()),
    ("a run of a system task", |store| {
        let run = store.system_tasks().start("fetch_mail", None).unwrap();
        let mut before = store.change_token().unwrap();
        let mut has_changed = || changed(store, std::mem::replace(&mut before, store.change_token().unwrap()));
        run.info("fetched", json!({"messages": 3})).unwrap();
        assert!(has_changed());
        run.log(LogEvent::new(taskstore::LogLevel::Info, "again").key("again")).unwrap();
        assert!(has_changed());
        run.set_status(SystemTaskStatus::Warning, ["no subject"]).unwrap();
        assert!(has_changed());
        run.finish().unwrap();
        assert!(has_changed());
    }),
];

#[test]
fn every_verb_that_writes_is_a_change() {
    for store in in_a_file_and_in_memory() {
        for (name, write) in WRITES {
            let before = store.change_token().unwrap();
            write(&store);
            assert_ne!(store.change_token().unwrap(), before, "{name}");
            assert!(changed(&store, before), "{name}");
        }
    }
}

#[test]
fn what_has_expired_is_cleaned_away_by_a_change() {
    let clock = ManualClock::at_ns(0);
    for open in [OpenOptions::open_temporary, OpenOptions::open_in_memory] {
        let store = open(&options().clock(clock.clone())).unwrap();
        store.system_tasks().start("fetch_mail", None).unwrap().finish().unwrap();
        clock.advance_ns(7 * 3_600 * 1_000_000_000);
        let before = store.change_token().unwrap();
        assert_eq!(store.clean_expired().unwrap().runs, 1);
        assert!(changed(&store, before));
    }
}

/// It is one with the commit that writes it: by a flush, or by the end of the task.
#[test]
fn progress_that_is_kept_in_memory_is_no_change_until_it_is_written() {
    for durability in [Durability::Full, Durability::Normal] {
        for open in [OpenOptions::open_temporary, OpenOptions::open_in_memory] {
            let store = open(&options().durability(durability).clock(ManualClock::at_ns(0))).unwrap();
            let id = start(&store, "copy");
            store.progress(id, &Progress::new(1)).unwrap();
            let written = store.change_token().unwrap();
            store.progress(id, &Progress::new(2)).unwrap();
            assert_eq!(store.task(id).unwrap().progress, Some(Progress::new(2)));
            assert!(!changed(&store, written));
            store.flush().unwrap();
            assert!(changed(&store, written));
        }
    }
}

#[test]
fn kept_progress_that_another_store_closes_with_is_a_change() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (one, other) = (options().clock(ManualClock::at_ns(0)).open(&path).unwrap(), open(&path));
    let id = start(&one, "copy");
    (1..=2).for_each(|done| one.progress(id, &Progress::new(done)).unwrap());
    let before = other.change_token().unwrap();
    one.close().unwrap();
    assert!(changed(&other, before));
    assert_eq!(other.task(id).unwrap().progress, Some(Progress::new(2)));
}

#[test]
fn reads_and_refused_calls_are_no_change() {
    for store in in_a_file_and_in_memory() {
        let ended = finished(&store, "ended");
        let in_progress = start(&store, "in progress");
        store.message_once(in_progress, "key", Level::Info, "said").unwrap();
        let before = store.change_token().unwrap();

        everything(&store);
        store.counts(None).unwrap();
        store.list(&TaskFilter::new()).unwrap();
        assert_eq!(store.check().unwrap(), []);
        store.finish(ended).unwrap_err();
        store.message(task_id(99), Level::Info, "to nobody").unwrap_err();
        store.dismiss(in_progress, "ann").unwrap_err();
        store.start_detached(NewTask::new("x".repeat(2_000))).unwrap_err();
        store.configurations().rename(configuration_id(7), "nobody").unwrap_err();
        assert_eq!(store.change_token().unwrap(), before);
        assert!(!changed(&store, before));
    }
}

#[test]
fn what_is_rolled_back_is_no_change() {
    for store in in_a_file_and_in_memory() {
        let id = start(&store, "t");
        let before = store.change_token().unwrap();
        let given_up = store.batch(|batch| {
            batch.message(id, Level::Info, "never said")?;
            Err::<(), _>(batch.finish(task_id(99)).unwrap_err())
        });
        given_up.unwrap_err();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            store.batch(|batch| -> taskstore::Result<()> {
                batch.message(id, Level::Info, "never said")?;
                panic!("given up");
            })
        }));
        panicked.unwrap_err();
        assert!(!changed(&store, before));
    }
}

#[test]
fn what_is_not_committed_yet_is_no_change() {
    let store = temporary();
    let id = start(&store, "t");
    let before = store.change_token().unwrap();
    let work = store.batch(|batch| {
        batch.finish(id)?;
        let seen = std::thread::scope(|scope| scope.spawn(|| changed(&store, before)).join().unwrap());
        Ok::<_, Error>(seen)
    });
    assert!(!work.unwrap());
    assert!(changed(&store, before));
}

#[test]
fn a_commit_of_the_shell_is_a_change() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    start(&store, "t");
    let before = store.change_token().unwrap();
    let shell = shell(&path);
    shell.execute_batch("BEGIN IMMEDIATE; UPDATE task SET title = 'theirs'").unwrap();
    assert!(!changed(&store, before));
    shell.execute_batch("COMMIT").unwrap();
    assert!(changed(&store, before));
}
