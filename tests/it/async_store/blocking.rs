//! The threads of the runtime never wait: here it has one, and that one alone can let go of the lock that a call waits for.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;
use taskstore::{AsyncTaskStore, Error, Level, NewTask, Outcome, Progress, TaskStore};
use tokio::runtime::Runtime;
use tokio::task::yield_now;

use super::{LONG, runtime, until};
use crate::support::Nanoseconds as _;
use crate::support::files::shell;
use crate::support::{ManualClock, options, start, task_id, texts};

struct Locked {
    store: TaskStore,
    path: PathBuf,
    runtime: Runtime,
    _directory: tempfile::TempDir,
}

impl Locked {
    fn new(busy_timeout: Duration) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let clock = ManualClock::at_ns(1_000);
        let store = options().busy_timeout(busy_timeout).clock(clock).open(&path).unwrap();
        Self { store, path, runtime: runtime(), _directory: directory }
    }

    fn lock(&self) -> Connection {
        let other = shell(&self.path);
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    }

    fn asynchronous(&self) -> AsyncTaskStore {
        self.store.clone().into()
    }
}

/// Ticks a hundred times, and lets go of the lock then.
async fn tick(lock: Connection) {
    for _ in 0..100 {
        yield_now().await;
    }
    lock.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn others_go_on_while_a_call_waits() {
    let locked = Locked::new(LONG);
    let id = start(&locked.store, "copy");
    let store = locked.asynchronous();
    locked.runtime.block_on(async {
        let lock = locked.lock();
        let write = async { store.message(id, Level::Info, "waited for the lock").await };
        let ((), written) = tokio::join!(biased; async { yield_now().await; tick(lock).await }, write);
        written.unwrap();
    });
    assert_eq!(texts(&locked.store, id), ["waited for the lock"]);
}

/// The control.
#[test]
fn a_call_of_a_thread_inside_a_future_stops_all_others() {
    let locked = Locked::new(Duration::from_millis(10));
    let id = start(&locked.store, "copy");
    locked.runtime.block_on(async {
        let lock = locked.lock();
        let write = async { locked.store.message(id, Level::Info, "waited for the lock") };
        let ((), written) = tokio::join!(biased; async { yield_now().await; tick(lock).await }, write);
        assert!(matches!(written, Err(Error::Busy { .. })), "{written:?}");
    });
}

/// What is left when `guard` is dropped by the thread that lets go of the lock right after.
fn dropped<G>(locked: &Locked, guard: impl AsyncFnOnce() -> G) {
    locked.runtime.block_on(async {
        let guard = guard().await;
        let lock = locked.lock();
        drop(guard);
        lock.execute_batch("ROLLBACK").unwrap();
    });
}

#[test]
fn a_dropped_guard_does_not_wait_for_the_lock() {
    let locked = Locked::new(LONG);
    let store = locked.asynchronous();
    dropped(&locked, async || store.start(NewTask::new("copy")).await.unwrap());
    until(|| locked.store.task(task_id(1)).unwrap().outcome == Some(Outcome::Interrupted));
    assert_eq!(texts(&locked.store, task_id(1)), ["ended without finish or fail"]);

    dropped(&locked, async || store.system_tasks().start("fetch_mail", None).await.unwrap());
    let uuid = locked.store.system_tasks().find("fetch_mail", None).unwrap().unwrap();
    until(|| locked.store.system_tasks().retrieve(uuid).is_ok());
}

/// The control: it has waited for a second, in vain.
#[test]
fn a_guard_of_a_thread_that_is_dropped_in_a_future_waits_for_the_lock() {
    let locked = Locked::new(LONG);
    dropped(&locked, async || locked.store.start(NewTask::new("copy")).unwrap());
    assert_eq!(locked.store.task(task_id(1)).unwrap().outcome, None);
}

/// A store that is told progress twice, of which the second is written when it closes. It is the only handle.
fn with_kept_progress(locked: &Locked) -> TaskStore {
    let store = options().clock(ManualClock::at_ns(2_000)).open(&locked.path).unwrap();
    start(&store, "copy");
    for done in [1, 2] {
        store.progress(task_id(1), &Progress::new(done)).unwrap();
    }
    store
}

#[test]
fn the_last_handle_does_not_wait_for_the_lock() {
    let locked = Locked::new(LONG);
    dropped(&locked, async || AsyncTaskStore::from(with_kept_progress(&locked)));
    until(|| locked.store.task(task_id(1)).unwrap().progress == Some(Progress::new(2)));
}

/// The control.
#[test]
fn the_last_handle_of_a_thread_waits_for_the_lock() {
    let locked = Locked::new(LONG);
    dropped(&locked, async || with_kept_progress(&locked));
    assert_eq!(locked.store.task(task_id(1)).unwrap().progress, Some(Progress::new(1)));
}
