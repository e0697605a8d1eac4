//! A process that was forked from the one that opened the store.

#![allow(unsafe_code)]

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use taskstore::{Error, Level, NewTask, Outcome, Progress, TaskFilter, TaskStore};

use super::{end_of, owner_files, owner_rows};
use crate::support::children::{Telling, command, role, run, say, wait_for_go};
use crate::support::{open, options, start, task_id};

/// Runs `work` in a child forked from this process, which answers whether it went well.
fn in_forked_child(work: impl FnOnce() -> bool) -> bool {
    // SAFETY: a test in a process of its own. Its other threads, those of the test harness, wait for this one and hold no lock
    // that the child takes, but for the allocator's, which the C library keeps usable in a child.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let went_well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(false);
            // SAFETY: it ends this process at once, as a forked child should.
            unsafe { nix::libc::_exit(i32::from(!went_well)) }
        }
        ForkResult::Parent { child } => waitpid(child, None).unwrap() == WaitStatus::Exited(child, 0),
    }
}

/// Whether each of the verbs is refused, for the reason of a fork.
fn is_refused_everything(store: &TaskStore) -> bool {
    let id = task_id(1);
    let answers = [
        store.start_detached(NewTask::new("t")).map(drop),
        store.start(NewTask::new("t")).map(drop),
        store.system_tasks().start("t", None).map(drop),
        store.message(id, Level::Info, "x"),
        store.progress(id, &Progress::new(1)),
        store.finish(id),
        store.task(id).map(drop),
        store.list(&TaskFilter::new()).map(drop),
        store.counts(None).map(drop),
        store.batch(|_| Ok(())),
        store.check().map(drop),
        store.change_token().map(drop),
        store.recover().map(drop),
        store.export_tasks(&TaskFilter::new(), std::io::sink()).map(drop),
        store.flush(),
        store.close(),
    ];
    let called_by = std::process::id();
    answers.iter().all(|answer| match answer {
        Err(error @ Error::Forked { opened_by, called_by: caller }) => {
            let text = error.to_string();
            *caller == called_by && text.contains(&called_by.to_string()) && text.contains(&opened_by.to_string())
        }
        _ => false,
    })
}

/// So many messages of 12 kB are more than SQLite keeps of a transaction in memory.
const SPILLED: u64 = 500;

const CHILD: &str = "recovery::forked::a_forked_child_is_refused_everything_and_leaves_its_parents_store_as_it_is";

#[test]
fn a_forked_child_is_refused_everything_and_leaves_its_parents_store_as_it_is() {
    if let Some((_, path)) = role() {
        return parent(&path);
    }
    let directory = tempfile::tempdir().unwrap();
    run(command(CHILD, "parent", &directory.path().join("tasks.db")));
}

fn parent(path: &Path) {
    // In a file and in memory; the one in a temporary directory must not take that along.
    let temporary = options().open_temporary().unwrap();
    let memory = TaskStore::open_in_memory().unwrap();
    let store = open(path);
    start(&temporary, "kept");
    start(&memory, "kept");
    let task = store.start(NewTask::new("ours")).unwrap();
    let run = store.system_tasks().start("ours", None).unwrap();
    store.task(task.id()).unwrap();
    store.progress(task.id(), &Progress::new(1)).unwrap();
    store.progress(task.id(), &Progress::new(2)).unwrap();
    let (files, uuid) = (owner_files(path), run.uuid());

    let refused = || [&store, &temporary, &memory].into_iter().all(is_refused_everything);
    assert!(in_forked_child(refused));
    // The control: the same check says that this process is not refused.
    assert!(!is_refused_everything(&options().open_temporary().unwrap()));

    // All handles go in the child, and nothing happens.
    let mut handles = Some((store, temporary, memory, task, run));
    assert!(in_forked_child(|| {
        drop(handles.take());
        // SQLite would take the parent's locks for its own; a file that the parent does not have open is another matter.
        let again = options().open(path).map(drop);
        let other = options().open(path.with_file_name("other.db")).and_then(|store| store.close());
        matches!(again, Err(Error::Forked { .. })) && other.is_ok()
    }));
    // In a file that nobody writes nothing is locked.
    let copy = path.with_file_name("copy.db");
    open(&copy).close().unwrap();
    let immutable = options().immutable(true).open(&copy).unwrap();
    assert!(in_forked_child(|| {
        is_refused_everything(&immutable)
            && options().immutable(true).open(&copy).is_ok_and(|again| again.counts(None).is_ok())
    }));
    drop(immutable);
    let (store, temporary, memory, task, run) = handles.unwrap();
    assert_eq!((owner_files(path), owner_rows(path)), (files, 1));
    task.info("still ours").unwrap();
    assert_eq!(store.task(task.id()).unwrap().progress, Some(Progress::new(2)));
    run.finish().unwrap();
    assert!(!super::run_of(&store, uuid).interrupted);
    for other in [temporary, memory] {
        assert_eq!(other.list(&TaskFilter::new()).unwrap().items.len(), 1);
    }

    // In a batch: what the child does with its parent's transaction is not committed, and does not end it either.
    let batched = store.batch(|batch| {
        batch.message(task.id(), Level::Info, "before")?;
        assert!(in_forked_child(|| is_refused_everything(&store)));
        batch.message(task.id(), Level::Info, "after")
    });
    batched.unwrap();
    // The child's copy of a transaction of which part is in the `-wal` already goes without touching the parent's.
    let spilled = start(&store, "spilled");
    let is_child = std::cell::Cell::new(false);
    let batched = store.batch(|batch| {
        batch.message(task.id(), Level::Info, "in both")?;
        for _ in 0..SPILLED {
            batch.message(spilled, Level::Info, "a long line ".repeat(1_000))?;
        }
        // SAFETY: see `in_forked_child`.
        match unsafe { fork() }.unwrap() {
            ForkResult::Parent { child } => assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0)),
            ForkResult::Child => {
                is_child.set(true);
                return Ok(());
            }
        }
        batch.message(spilled, Level::Info, "the last")
    });
    if is_child.get() {
        let is_refused = matches!(batched, Err(Error::Forked { .. }));
        // SAFETY: it ends the child at once.
        unsafe { nix::libc::_exit(i32::from(!is_refused)) }
    }
    batched.unwrap();
    let id = task.id();
    task.finish().unwrap();
    store.close().unwrap();
    // A handle to what was closed keeps nobody from the file.
    assert!(in_forked_child(|| options().open(path).and_then(|store| store.close()).is_ok()));
    let store = open(path);
    assert_eq!(crate::support::texts(&store, id), ["still ours", "before", "after", "in both"]);
    assert_eq!(store.task(spilled).unwrap().message_count, SPILLED + 1);
    assert_eq!(store.check().unwrap(), []);
    assert_eq!((owner_files(path), owner_rows(path)), (vec![], 0));
}

const HOLDER: &str = "recovery::forked::a_forked_child_holds_its_parents_lock_until_it_is_gone_too";

#[test]
fn a_forked_child_holds_its_parents_lock_until_it_is_gone_too() {
    if let Some((_, path)) = role() {
        let store = open(&path);
        let task = store.start(NewTask::new("ours")).unwrap();
        // SAFETY: see `in_forked_child`; the child does nothing but wait for its end.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => loop {
                std::thread::sleep(Duration::from_secs(600));
            },
            ForkResult::Parent { child } => say(&child.to_string()),
        }
        wait_for_go();
        return task.finish().unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let mut parent = Telling::start(HOLDER, "parent", &path);
    let child = Pid::from_raw(parent.next().parse().unwrap());
    parent.kill_alone();
    let store = open(&path);
    assert_eq!(store.recover().unwrap().owners, 0);
    assert_eq!(end_of(&store, task_id(1)).0, None);
    kill(child, Signal::SIGKILL).unwrap();
    // Nobody tells when the kernel has let go of a process that is not our child.
    let begun = std::time::Instant::now();
    while store.recover().unwrap().owners == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the lock is still held");
        std::thread::yield_now();
    }
    assert_eq!(end_of(&store, task_id(1)).0, Some(Outcome::Interrupted));
}
