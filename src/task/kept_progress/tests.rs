//! What is known of tasks, and for how long.

use super::*;
use crate::{NewTask, TaskStore};

/// How many tasks something is known of.
fn known(store: &TaskStore) -> usize {
    store.context().kept_progress.lock().tasks.len()
}

fn said_twice(store: &TaskStore) -> TaskId {
    let id = store.start_detached(NewTask::new("copy")).unwrap();
    store.progress(id, &Progress::new(1)).unwrap();
    store.progress(id, &Progress::new(2)).unwrap();
    id
}

#[test]
fn nothing_is_known_of_a_task_that_has_ended() {
    let store = TaskStore::open_in_memory().unwrap();
    type End = fn(&TaskStore, TaskId) -> Result<()>;
    let ends: [End; 3] = [
        |store, id| store.finish(id),
        |store, id| store.batch(|batch| batch.fail(id, "because")),
        |store, id| store.batch(|batch| batch.progress(id, &Progress::new(3)).and_then(|()| batch.finish(id))),
    ];
    for end in ends {
        let id = said_twice(&store);
        assert_eq!(known(&store), 1);
        end(&store, id).unwrap();
        assert_eq!(known(&store), 0);
        store.progress(id, &Progress::new(4)).unwrap_err();
        assert_eq!(known(&store), 0);
    }
}

#[test]
fn tasks_are_read_again_only_if_something_kept_for_one_of_them_was_forgotten() {
    let store = TaskStore::open_in_memory().unwrap();
    let kept_progress = &store.context().kept_progress;
    let (before, telling, silent) = (kept_progress.state(), said_twice(&store), said_twice(&store));
    let read = [store.task(telling).unwrap(), store.task(silent).unwrap()];
    let lay_over = |tasks: &[Task]| kept_progress.lay_over(&mut tasks.to_vec(), before);
    assert!(lay_over(&read));
    store.finish(telling).unwrap();
    let ended = store.task(telling).unwrap();
    assert!(!lay_over(&read[..1]) && !lay_over(&read));
    assert!(lay_over(&read[1..]) && lay_over(std::slice::from_ref(&ended)) && lay_over(&[]));
    // It is not known any more which they were.
    for _ in 0..LATELY_MAX {
        let id = said_twice(&store);
        store.finish(id).unwrap();
    }
    assert!(!lay_over(&read[1..]));
    assert!(lay_over(&[ended]) && lay_over(&[]));
}

#[derive(Debug, Default)]
struct Fast(std::sync::atomic::AtomicU64);

impl crate::Clock for Fast {
    fn now(&self) -> DateTime<chrono::Utc> {
        DateTime::UNIX_EPOCH
    }

    /// A millisecond a look.
    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
}

#[test]
fn of_silent_tasks_no_more_are_known_than_speak_in_a_few_seconds() {
    let store = crate::OpenOptions::new().clock(Fast::default()).open_in_memory().unwrap();
    for _ in 0..6_000 {
        said_twice(&store);
        // At two looks a task, or a few more, 500 speak in a second.
        assert!(known(&store) <= 3_000, "{}", known(&store));
    }
}

#[test]
fn tasks_that_speak_in_batches_only_are_forgotten_too() {
    let store = crate::OpenOptions::new().clock(Fast::default()).open_in_memory().unwrap();
    for _ in 0..6_000 {
        let spoken = store.batch(|batch| {
            let id = batch.start_detached(NewTask::new("copy"))?;
            batch.progress(id, &Progress::new(1))
        });
        spoken.unwrap();
        // At a look a task, 1,000 speak in a second.
        assert!(known(&store) <= 3_500, "{}", known(&store));
    }
}
