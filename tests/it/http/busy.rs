//! A store whose lock another has: who writes waits or is told to try again, and everybody else goes on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use taskstore::http::Cause;
use taskstore::{Clock, Error};
use tokio::task::JoinHandle;
use tokio::time::{advance, pause};

use super::{Answer, ROWS, Served, ask, detail, failure, options, post};
use crate::support::files::shell;
use crate::support::{finished, task_id};

const LONG: Duration = Duration::from_secs(60);

/// A clock that counts how often it is asked. A verb asks it when its call has begun.
#[derive(Clone, Debug, Default)]
struct Asked(Arc<AtomicUsize>);

impl Clock for Asked {
    fn now(&self) -> DateTime<Utc> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Utc::now()
    }
}

impl Asked {
    /// Does this, and waits until a call has begun.
    async fn once_begun<T>(&self, ask: impl FnOnce() -> T) -> T {
        let (before, since) = (self.0.load(Ordering::Relaxed), std::time::Instant::now());
        let asked = ask();
        while self.0.load(Ordering::Relaxed) == before {
            assert!(since.elapsed() < LONG, "no call has begun");
            tokio::task::yield_now().await;
        }
        asked
    }
}

/// A store with two ended tasks whose lock another connection has.
fn locked(path: &Path, busy_timeout: Duration, options: taskstore::http::Options) -> (Served, Connection, Asked) {
    let clock = Asked::default();
    let store = crate::support::options().busy_timeout(busy_timeout).clock(clock.clone()).open(path).unwrap();
    finished(&store, "one");
    finished(&store, "two");
    let other = shell(path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    (Served::with(store, options), other, clock)
}

/// Has a task dismissed, meanwhile.
fn dismissing(served: &Served, id: i64) -> JoinHandle<Answer> {
    let router = served.router.clone();
    tokio::spawn(async move { ask(&router, dismiss(id)).await })
}

fn dismiss(id: i64) -> axum::http::Request<axum::body::Body> {
    post("/task/dismiss", &format!(r#"{{"params":{{"task_id":{id}}}}}"#))
}

fn assert_busy(answer: &Answer) {
    assert_eq!(answer.told(), (503, failure("the store is busy; try again").as_str()));
    let headers = ["retry-after", "cache-control", "content-type"].map(|name| answer.header(name));
    assert_eq!(headers, ["1", "no-store", "application/json"]);
}

#[test]
fn a_write_past_the_busy_timeout_is_to_be_tried_again_while_everything_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let (served, other, _) = locked(&directory.path().join("tasks.db"), Duration::from_millis(10), options());
    for path in ["/task/dismiss", "/task/restore", "/task/dismiss_all"] {
        let answer = served.post(path, r#"{"params":{"task_id":1}}"#);
        assert_busy(&answer);
        let Some(Cause(cause)) = answer.extensions.get() else { panic!("{answer:?}") };
        assert!(matches!(**cause, Error::Busy { .. }), "{cause:?}");
    }
    assert_eq!(served.post("/task/list", "").status, 200);
    assert_eq!(served.get(ROWS).status, 200);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(served.ask(dismiss(1)).status, 200);
}

/// The runtime has one thread: a write that blocked it would keep the lock's holder from ever letting go.
#[test]
fn whoever_reads_is_answered_while_all_calls_that_write_wait() {
    let directory = tempfile::tempdir().unwrap();
    let (served, other, clock) = locked(&directory.path().join("tasks.db"), LONG, options().calls_max(1));
    served.runtime.block_on(async {
        let one = clock.once_begun(|| dismissing(&served, 1)).await;
        let two = dismissing(&served, 2);
        for _ in 0..3 {
            assert_eq!(ask(&served.router, post("/task/list", "")).await.status, 200);
        }
        assert!(!one.is_finished() && !two.is_finished());
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!([one.await.unwrap().status, two.await.unwrap().status], [200, 200]);
    });
}

#[test]
fn whoever_waits_too_long_for_others_that_write_is_to_try_again() {
    let directory = tempfile::tempdir().unwrap();
    let (served, other, clock) = locked(&directory.path().join("tasks.db"), LONG, options().calls_max(1));
    served.runtime.block_on(async {
        pause();
        let one = clock.once_begun(|| dismissing(&served, 1)).await;
        let two = dismissing(&served, 2);
        assert_eq!(ask(&served.router, post("/task/list", "")).await.status, 200);
        advance(Duration::from_secs(6)).await;
        assert_busy(&two.await.unwrap());
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(one.await.unwrap().status, 200);
    });
    assert_eq!(served.store.task(task_id(2)).unwrap().dismissed_by, None);
}

#[test]
fn a_write_goes_on_where_whoever_asked_for_it_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let (served, other, clock) = locked(&directory.path().join("tasks.db"), LONG, options());
    served.runtime.block_on(async {
        let asked = clock.once_begun(|| dismissing(&served, 1)).await;
        asked.abort();
        assert!(asked.await.unwrap_err().is_cancelled());
    });
    other.execute_batch("ROLLBACK").unwrap();
    super::until(|| served.store.task(task_id(1)).unwrap().dismissed_by.is_some());
}

#[test]
fn the_system_task_api_says_it_in_its_own_words() {
    let store = crate::support::options().busy_timeout(Duration::from_millis(10)).open_in_memory().unwrap();
    let served = Served::with(store.clone(), options());
    // A store in memory has one connection, which a batch has to itself.
    let answer =
        store.batch(|_| std::thread::scope(|scope| Ok::<_, Error>(scope.spawn(|| served.get(ROWS)).join().unwrap())));
    let answer = answer.unwrap();
    assert_eq!(answer.told(), (503, detail("The store is busy. Try again.").as_str()));
    assert_eq!(answer.header("retry-after"), "1");
}
