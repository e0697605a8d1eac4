//! How large a store is, and what is in it.

use chrono::DateTime;
use taskstore::testing::{assert_run, assert_task, given};
use taskstore::{Error, NewTask, OpenOptions, RunOptions, Stats, TaskStore};

use crate::support::files::{beside, shell};
use crate::support::{ManualClock, Nanoseconds as _, configuration_id, options, start, temporary};

#[test]
fn it_counts_what_there_is() {
    let clock = ManualClock::at(DateTime::UNIX_EPOCH);
    let store = options().clock(clock.clone()).open_temporary().unwrap();
    let empty = store.stats().unwrap();
    assert_eq!((empty.oldest_in_progress, empty.configurations, empty.system_tasks, empty.runs), (None, 0, 0, 0));

    for name in ["prod", "test"] {
        store.configurations().add(name).unwrap();
    }
    store.configurations().delete(configuration_id(1)).unwrap();
    clock.set_ns(2_000);
    let second = start(&store, "second");
    // A clock that went back: the one that started first is the one whose time says so.
    clock.set_ns(1_000);
    let first = start(&store, "first");
    let ended = given(&store).task("ended").started("now").finished("now");
    assert_task!(store, ended.dismissed_by("ann").write().unwrap(), finished, dismissed by "ann");
    let fetched = given(&store).system_task("fetch_mail").run().started("now").finished("now").write().unwrap();
    assert_run!(store, fetched.id(), successful);
    let jobs = store.system_tasks();
    let running = jobs.start_with("fetch_mail", None, RunOptions::new()).unwrap();
    jobs.register("later", "").unwrap();

    let stats = store.stats().unwrap();
    assert_eq!(stats.tasks, store.counts(None).unwrap());
    assert_eq!((stats.tasks.in_progress, stats.tasks.dismissed_finished), (2, 1));
    assert_eq!((stats.configurations, stats.system_tasks, stats.runs), (1, 2, 2));
    let oldest = stats.oldest_in_progress.unwrap();
    assert_eq!((oldest.id, oldest.started), (first, DateTime::from_timestamp_nanos(1_000)));
    store.finish(first).unwrap();
    assert_eq!(store.stats().unwrap().oldest_in_progress.unwrap().id, second);
    running.finish().unwrap();
    assert!(!stats.read_only && stats.sqlite_version.starts_with("3."));
}

#[test]
fn the_sizes_are_those_of_the_files_and_of_what_sqlite_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().open(&path).unwrap();
    let id = start(&store, "t");
    store.fail(id, "x".repeat(1 << 20)).unwrap();
    let bytes = |path: &std::path::Path| Some(path.metadata().unwrap().len());
    let stats = store.stats().unwrap();
    assert_eq!((stats.file_bytes, stats.wal_bytes), (bytes(&path), bytes(&beside(&path, "-wal"))));
    assert!(stats.wal_bytes > Some(1 << 20));
    let asked = |name: &str| shell(&path).pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    let pragma = |name: &str| u64::try_from(asked(name)).unwrap();
    assert_eq!((stats.page_bytes, stats.pages), (pragma("page_size"), pragma("page_count")));
    assert_eq!((stats.free_pages, stats.schema_version), (0, asked("user_version")));

    store.delete(id).unwrap();
    let stats = store.stats().unwrap();
    assert!(stats.free_pages > 250 && stats.free_pages == pragma("freelist_count"), "{stats:?}");
    assert_eq!(store.stats().unwrap().tasks.failed, 0);
}

#[test]
fn a_store_that_only_reads_and_one_in_memory_have_some_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().open(&path).unwrap();
    start(&store, "t");
    store.close().unwrap();
    assert!(matches!(store.stats(), Err(Error::Closed)));
    for reading in [OpenOptions::new().read_only(true), OpenOptions::new().immutable(true)] {
        let stats = reading.open(&path).unwrap().stats().unwrap();
        assert_eq!((stats.read_only, stats.tasks.in_progress), (true, 1));
    }
    let memory = TaskStore::open_in_memory().unwrap();
    start(&memory, "t");
    let stats = memory.stats().unwrap();
    assert_eq!((stats.file_bytes, stats.wal_bytes, stats.tasks.in_progress), (None, None, 1));
    assert!(stats.pages > 0);
}

#[test]
fn it_is_refused_inside_a_batch() {
    let store = temporary();
    let inside = |batch: &taskstore::Batch<'_>| {
        batch.start_detached(NewTask::new("t"))?;
        assert!(matches!(store.stats(), Err(Error::InsideBatch)));
        Ok::<_, Error>(())
    };
    store.batch(inside).unwrap();
}

#[test]
fn it_is_read_again_from_json() {
    let store = temporary();
    start(&store, "t");
    let stats = store.stats().unwrap();
    let json = serde_json::to_string(&stats).unwrap();
    assert!(json.contains(r#""oldest_in_progress":{"id":1,"started":""#), "{json}");
    assert_eq!(serde_json::from_str::<Stats>(&json).unwrap(), stats);
}
