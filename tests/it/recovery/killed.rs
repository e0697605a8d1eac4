//! Processes that are killed are found dead, and no others: not a stopped one, nor a slow one, nor one whose clock jumps.

use std::path::{Path, PathBuf};

use chrono::{TimeDelta, Utc};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use taskstore::{Error, Level, NewTask, OpenOptions, Outcome, RecoverReport, TaskStore};

use super::{by_process, end_of, owner_files, owner_rows, run_of};
use crate::support::children::{Children, Telling, role, say, wait_for_go};
use crate::support::files::{beside, shell};
use crate::support::{ManualClock, Nanoseconds as _, messages, open, options, rounds, task_id};

const TEST: &str = "recovery::killed::a_killed_process_is_found_dead_and_a_living_one_never_is";

/// Tasks that a worker owns; the next one is detached.
const TASKS: i64 = 3;

/// What a worker does after it has begun its work.
const KILLED: &str = "killed";
const STOPPED: &str = "stopped";
const SLOW: &str = "slow";
const JUMPING: &str = "jumping";

/// Begins tasks and a run, lives as its role has it, and ends them.
fn work(role: &str, path: PathBuf) {
    let clock = ManualClock::at(Utc::now());
    let options = if role == JUMPING { options().clock(clock.clone()) } else { options() };
    let store = options.open(path).unwrap();
    let tasks: Vec<_> = (0..TASKS).map(|_| store.start(NewTask::new("owned")).unwrap()).collect();
    let detached = store.start(NewTask::new("detached")).unwrap().detach().unwrap();
    let run = store.system_tasks().start("scan", None).unwrap();
    say(&run.uuid().to_string());
    match role {
        KILLED => loop {
            tasks.iter().for_each(|task| task.info("working").unwrap());
        },
        SLOW => store
            .batch(|batch| {
                batch.message(detached, Level::Info, "slowly")?;
                wait_for_go();
                Ok::<_, Error>(())
            })
            .unwrap(),
        JUMPING => {
            for days in [-10_000, 20_000, -1] {
                clock.set(Utc::now() + TimeDelta::days(days));
                run.info("jumped", ()).unwrap();
                tasks.iter().for_each(|task| task.info("jumped").unwrap());
            }
            wait_for_go();
        }
        _ => wait_for_go(),
    }
    tasks.into_iter().for_each(|task| task.finish().unwrap());
    run.finish().unwrap();
    store.finish(detached).unwrap();
}

/// A worker that has begun.
struct Worker {
    child: Telling,
    run: uuid::Uuid,
    path: PathBuf,
    /// For its name in messages.
    process: String,
}

impl Worker {
    fn start(role: &str, path: &Path) -> Self {
        let mut child = Telling::start(TEST, role, path);
        let run = child.next().parse().unwrap();
        let process = child.pid().to_string();
        if role == STOPPED {
            child.signal(Signal::SIGSTOP);
            waitpid(child.pid(), Some(WaitPidFlag::WUNTRACED)).unwrap();
        } else if role != KILLED {
            assert_eq!(child.next(), "ready");
        }
        Self { child, run, path: path.to_owned(), process }
    }

    /// What is wrong with the work of this worker while it is to be seen as dead, or as alive.
    fn wrong(&self, is_dead: bool) -> Vec<String> {
        wrong(&self.path, self.run, &self.process, is_dead)
    }

    /// Lets it do the rest, which must go well.
    fn finishes(mut self) {
        self.child.signal(Signal::SIGCONT);
        self.child.go();
        self.child.end();
        let store = open(&self.path);
        for id in 1..=TASKS + 1 {
            assert_eq!(end_of(&store, task_id(id)), (Some(Outcome::Finished), vec![]), "task {id}");
        }
        assert!(!run_of(&store, self.run).interrupted);
        assert_eq!((owner_files(&self.path), owner_rows(&self.path)), (vec![], 0));
    }
}

/// What is wrong with the work of a process that is dead, or alive, after a recovery.
fn wrong(path: &Path, run: uuid::Uuid, process: &str, is_dead: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |what: String, found: bool| {
        if !found {
            wrong.push(what);
        }
    };
    let store = options().recover(false).open(path).unwrap();
    let ended = if is_dead { (Some(Outcome::Interrupted), vec![by_process(process)]) } else { (None, vec![]) };
    for id in 1..=TASKS {
        let found = end_of(&store, task_id(id));
        expect(format!("task {id} is {found:?}"), found == ended);
        let last = messages(&store, task_id(id)).pop();
        let says_so_last = last.is_some_and(|last| last.text == by_process(process));
        expect(format!("the last message of task {id}"), says_so_last == is_dead);
    }
    let detached = end_of(&store, task_id(TASKS + 1));
    expect(format!("the detached task is {detached:?}"), detached == (None, vec![]));
    let run = run_of(&store, run);
    expect(format!("{run:?}"), run.interrupted == is_dead && run.finished.is_some() == is_dead);
    expect("the lock files".to_owned(), owner_files(path).len() == usize::from(!is_dead));
    expect("the rows of owners".to_owned(), owner_rows(path) == i64::from(!is_dead));
    expect("the check".to_owned(), store.check().unwrap().is_empty());
    wrong
}

#[test]
fn a_killed_process_is_found_dead_and_a_living_one_never_is() {
    if let Some((role, path)) = role() {
        return work(&role, path);
    }
    let expected = RecoverReport::default();
    for round in 0..rounds(50) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let role = if round % 2 == 0 { KILLED } else { [STOPPED, SLOW, JUMPING][round / 2 % 3] };
        let worker = Worker::start(role, &path);
        // Another time of day there, which decides nothing.
        let clock = ManualClock::at(Utc::now() + TimeDelta::days(10_000 * (round as i64 % 3 - 1)));
        if role == KILLED {
            let (run, process) = (worker.run, worker.process.clone());
            worker.child.kill();
            options().clock(clock).open(&path).unwrap();
            assert_eq!(wrong(&path, run, &process, true), [""; 0], "round {round}");
        } else {
            let store = options().clock(clock).open(&path).unwrap();
            assert_eq!(store.recover().unwrap(), expected, "round {round}, {role}");
            assert_eq!(worker.wrong(false), [""; 0], "round {round}, {role}");
            worker.finishes();
        }
    }
}

/// The controls: what the check above says of recoveries that are not as they should be.
#[test]
fn a_recovery_that_goes_by_time_or_past_the_lock_or_that_finds_nothing_is_caught() {
    let place = || {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        (directory, path)
    };
    // By time: whoever has been at it for too long is dead.
    let (_directory, path) = place();
    let worker = Worker::start(STOPPED, &path);
    assert_eq!(worker.wrong(false), [""; 0]);
    let by_time = "UPDATE task SET outcome = 3, finished_ns = updated_ns, owner = NULL
        WHERE outcome IS NULL AND started_ns < unixepoch() * 1000000000 + 1000000000";
    shell(&path).execute(by_time, []).unwrap();
    assert_ne!(worker.wrong(false), [""; 0]);
    worker.child.kill();

    // Past the lock: as if it did not matter who holds it.
    let (_directory, path) = place();
    let worker = Worker::start(STOPPED, &path);
    std::fs::remove_file(path.with_file_name(&owner_files(&path)[0])).unwrap();
    assert_eq!(open(&path).recover().unwrap(), RecoverReport::default(), "opening has done it");
    assert_ne!(worker.wrong(false), [""; 0]);
    worker.child.kill();

    // Never.
    let (_directory, path) = place();
    let worker = Worker::start(KILLED, &path);
    let (run, process) = (worker.run, worker.process.clone());
    worker.child.kill();
    options().recover(false).open(&path).unwrap();
    assert_ne!(wrong(&path, run, &process, true), [""; 0]);
    // And once more than it should be: each message must be there once.
    open(&path);
    assert_eq!(wrong(&path, run, &process, true), [""; 0]);
    let again = "UPDATE task SET message_count = message_count + 1;
        INSERT INTO message SELECT id, message_count, updated_ns, 5, 'interrupted: process 1 ended without finishing it', NULL
        FROM task";
    shell(&path).execute_batch(again).unwrap();
    assert_ne!(wrong(&path, run, &process, true), [""; 0]);
}

const OPENERS: &str = "recovery::killed::processes_that_open_the_file_at_once_interrupt_each_task_once";

#[test]
fn processes_that_open_the_file_at_once_interrupt_each_task_once() {
    if let Some((who, path)) = role() {
        if who == KILLED {
            return work(KILLED, path);
        }
        wait_for_go();
        let store = OpenOptions::new().open(path).unwrap();
        // The one that recovers may be at it.
        while store.task(task_id(1)).unwrap().outcome.is_none() {
            std::thread::yield_now();
        }
        return;
    }
    for _ in 0..rounds(3).min(50) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let worker = Worker::start(KILLED, &path);
        let openers = Children::ready(OPENERS, &["opener"; 8], &path);
        let (run, process) = (worker.run, worker.process.clone());
        worker.child.kill();
        openers.go();
        assert_eq!(wrong(&path, run, &process, true), [""; 0]);
    }
}

/// A process that dies has told all it has told: what recovery adds comes behind that, and no time goes back.
#[test]
fn an_interruption_comes_behind_all_that_was_told_whatever_the_clock_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let worker = Worker::start(KILLED, &path);
    let run = worker.run;
    worker.child.kill();
    assert!(beside(&path, "-wal").exists());
    let before: TaskStore = options().recover(false).open(&path).unwrap();
    let (said, started) = (before.task(task_id(1)).unwrap(), run_of(&before, run).started);
    let store = options().clock(ManualClock::at_ns(0)).open(&path).unwrap();
    let ended = store.task(task_id(1)).unwrap();
    assert_eq!((ended.message_count, ended.finished), (said.message_count + 1, Some(said.updated)));
    let ended = run_of(&store, run);
    assert_eq!((ended.finished, ended.duration), (Some(started), Some(std::time::Duration::ZERO)));
    assert_eq!(store.check().unwrap(), []);
}
