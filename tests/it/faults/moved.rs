//! The file is deleted, moved or replaced while a store has it open.

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use taskstore::{Durability, Error, OpenOptions, TaskFilter, TaskStore};

use super::ledger::{Ledger, Plain, titles};
use crate::support::children::{in_role, role};
use crate::support::files::{beside, database_bytes};
use crate::support::{finished, open, start};

/// Writes until it is told that the file is not in its place. A commit at the very moment may go with it; one
/// after that writes nothing. Then every further one is refused so.
#[track_caller]
fn is_refused(ledger: &mut Ledger, store: &TaskStore, prefix: &str, place: &Path) {
    for number in 0..5 {
        let answer = ledger.start(store, format!("{prefix} {number}"));
        let Err(Error::FileMoved { path, written }) = &answer else { panic!("{answer:?}") };
        assert_eq!(path, place);
        assert!(!written || number == 0, "{answer:?}");
    }
}

#[test]
fn nothing_is_acknowledged_that_went_into_a_deleted_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap().join("tasks.db");
    let (store, mut ledger) = (open(&path), Ledger::default());
    let id = ledger.start(&store, "kept".to_owned()).unwrap();
    assert_eq!(store.task(id).unwrap().title, "kept");
    fs::remove_file(&path).unwrap();
    is_refused(&mut ledger, &store, "deleted", &path);
    let refused = [
        store.finish(id),
        store.flush(),
        store.batch(|batch| batch.finish(id)),
        store.change_token().map(drop),
        store.check().map(drop),
    ];
    for answer in refused {
        assert!(matches!(answer, Err(Error::FileMoved { written: false, .. })), "{answer:?}");
    }
    // Who has the file open already goes on reading it.
    assert_eq!(store.list(&TaskFilter::new()).unwrap().items.last().unwrap().title, "kept");
    assert!(!path.exists());
    let text = store.finish(id).unwrap_err().to_string();
    let expected =
        "was moved, deleted or replaced while the store had it open; nothing was written; open the store again";
    assert!(text.ends_with(expected), "{text}");
}

/// The control acknowledges what nobody will ever read; the check sees it.
#[test]
fn a_connection_that_does_not_look_loses_what_it_acknowledges() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rows.db");
    let (plain, mut ledger) = (Plain::open(&path), Ledger::default());
    for number in 0..10 {
        if number == 5 {
            fs::remove_file(&path).unwrap();
        }
        ledger.note(&number.to_string(), &plain.write(&number.to_string()));
    }
    assert_eq!(ledger.done(), 10);
    drop(plain);
    assert!(ledger.problems(&Plain::titles(&path)).len() >= 5);
}

#[test]
fn a_store_writes_again_once_its_file_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap().join("tasks.db");
    let away = directory.path().join("away.db");
    let (store, mut ledger) = (open(&path), Ledger::default());
    for round in 0..3 {
        ledger.start(&store, format!("before {round}")).unwrap();
        fs::rename(&path, &away).unwrap();
        is_refused(&mut ledger, &store, &format!("away {round}"), &path);
        fs::rename(&away, &path).unwrap();
        ledger.start(&store, format!("after {round}")).unwrap();
    }
    store.close().unwrap();
    ledger.check(&path);
}

#[test]
fn a_store_writes_again_once_the_directory_of_its_file_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let (here, there) = (directory.path().join("here"), directory.path().join("there"));
    fs::create_dir(&here).unwrap();
    let path = here.canonicalize().unwrap().join("tasks.db");
    let (store, mut ledger) = (open(&path), Ledger::default());
    ledger.start(&store, "before".to_owned()).unwrap();
    fs::rename(&here, &there).unwrap();
    is_refused(&mut ledger, &store, "away", &path);
    fs::rename(&there, &here).unwrap();
    ledger.start(&store, "after".to_owned()).unwrap();
    store.close().unwrap();
    ledger.check(&path);
}

#[test]
fn a_store_never_goes_on_with_another_file_at_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap().join("tasks.db");
    let (away, other) = (directory.path().join("away.db"), directory.path().join("other.db"));
    let foreign = open(&other);
    finished(&foreign, "of others");
    foreign.close().unwrap();
    let before = database_bytes(&other);

    let (store, mut ledger) = (open(&path), Ledger::default());
    let id = start(&store, "ours");
    // With its companions: SQLite would take the other file for theirs.
    for end in ["", "-wal", "-shm"] {
        fs::rename(beside(&path, end), beside(&away, end)).unwrap();
    }
    fs::rename(&other, &path).unwrap();
    is_refused(&mut ledger, &store, "replaced", &path);
    // No connection was idle: each of these has to open one.
    for answer in [store.task(id).map(drop), store.change_token().map(drop), store.check().map(drop)] {
        assert!(matches!(answer, Err(Error::FileMoved { written: false, .. })), "{answer:?}");
    }
    store.close().unwrap();
    assert!(database_bytes(&path) == before);
    assert_eq!(titles(&open(&path)), ["of others"]);
    assert_eq!(titles(&open(&away))[0], "ours");
}

/// Not a test of its own: the process whose syncs fail, so that its store needs another connection.
#[test]
fn the_process_that_opens_its_file_again() {
    let Some((role, path)) = role() else { return };
    assert_eq!(role, "reopens");
    let path = path.canonicalize().unwrap();
    let store = OpenOptions::new().durability(Durability::Full).open(&path).unwrap();
    let unknown = store.start_detached(taskstore::NewTask::new("unknown"));
    assert!(matches!(unknown, Err(Error::OutcomeUnknown { .. })), "{unknown:?}");
    let (away, other) = (beside(&path, ".away"), beside(&path, ".other"));
    fs::rename(&path, &away).unwrap();
    fs::rename(&other, &path).unwrap();
    let id = taskstore::TaskId::try_from(1).unwrap();
    for answer in [store.finish(id), store.delete(id), store.flush(), store.task(id).map(drop)] {
        assert!(
            matches!(answer, Err(Error::FileMoved { written: false, .. }) | Ok(())),
            "{answer:?}, and the other file is not to be touched"
        );
    }
}

#[test]
fn a_connection_that_is_opened_again_is_one_to_the_same_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    open(&path).close().unwrap();
    let other = open(&beside(&path, ".other"));
    start(&other, "of others");
    other.close().unwrap();
    let test = "faults::moved::the_process_that_opens_its_file_again";
    let wal = beside(&path, "-wal");
    let Some(()) = crate::support::syncs::fail(test, &in_role("reopens", &path), &wal, 1) else { return };
    let store = open(&path);
    assert_eq!(titles(&store), ["of others"]);
    assert_eq!(store.task(crate::support::task_id(1)).unwrap().outcome, None);
}

/// The kernel tells the directory's changes apart by their time, once the last one is some ticks ago: then nothing but
/// the directory is looked at.
fn until_the_directory_is_at_rest(ledger: &mut Ledger, store: &TaskStore, prefix: &str) {
    let begun = std::time::Instant::now();
    for number in 0.. {
        ledger.start(store, format!("{prefix} {number}")).unwrap();
        if begun.elapsed().as_millis() > 100 {
            return;
        }
    }
}

#[test]
fn what_leaves_a_directory_that_was_long_at_rest_is_noticed_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().canonicalize().unwrap().join("here");
    fs::create_dir(&here).unwrap();
    let path = here.join("tasks.db");
    let (store, mut ledger) = (open(&path), Ledger::default());
    let there = directory.path().join("there");
    for (round, moved) in [&path, &beside(&path, "-wal"), &here].into_iter().enumerate() {
        until_the_directory_is_at_rest(&mut ledger, &store, &format!("at rest {round}"));
        fs::rename(moved, &there).unwrap();
        let missed = if *moved == here { &path } else { moved };
        is_refused(&mut ledger, &store, &format!("away {round}"), missed);
        fs::rename(&there, moved).unwrap();
    }
    ledger.start(&store, "back".to_owned()).unwrap();
    store.close().unwrap();
    ledger.check(&path);
}

/// The time of the directory may be the same before and after: what was seen at such a time is not relied on.
#[test]
fn what_leaves_a_directory_just_after_another_change_is_noticed_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap().join("tasks.db");
    let (store, mut ledger) = (open(&path), Ledger::default());
    let (other, away) = (directory.path().join("other"), directory.path().join("away.db"));
    until_the_directory_is_at_rest(&mut ledger, &store, "at rest");
    for round in 0..50 {
        fs::write(&other, "").unwrap();
        ledger.start(&store, format!("before {round}")).unwrap();
        fs::remove_file(&other).unwrap();
        fs::rename(&path, &away).unwrap();
        is_refused(&mut ledger, &store, &format!("away {round}"), &path);
        fs::rename(&away, &path).unwrap();
    }
    store.close().unwrap();
    ledger.check(&path);
}

/// An older SQLite in another process may delete the `-wal`, and so may a person. Closing merges what was in it.
#[test]
fn nothing_is_acknowledged_that_went_into_a_deleted_wal() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap().join("tasks.db");
    let (store, mut ledger) = (open(&path), Ledger::default());
    ledger.start(&store, "kept".to_owned()).unwrap();
    let wal = beside(&path, "-wal");
    fs::remove_file(&wal).unwrap();
    is_refused(&mut ledger, &store, "deleted", &wal);
    fs::write(&wal, "").unwrap();
    is_refused(&mut ledger, &store, "replaced", &wal);
    store.close().unwrap();
    ledger.check(&path);
}

#[test]
fn of_callers_that_share_a_commit_each_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let away = directory.path().join("away.db");
    let (store, ended) = (open(&path), AtomicBool::new(false));
    let (mut ledger, begin) = (Ledger::default(), Barrier::new(5));
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (store, ended, begin) = (&store, &ended, &begin);
                scope.spawn(move || {
                    let (mut ledger, mut number) = (Ledger::default(), 0);
                    begin.wait();
                    while !ended.load(Ordering::Relaxed) {
                        let answer = ledger.start(store, format!("{writer} {number}"));
                        assert!(matches!(answer, Ok(_) | Err(Error::FileMoved { .. })), "{answer:?}");
                        number += 1;
                    }
                    ledger
                })
            })
            .collect();
        begin.wait();
        for round in 0..100 {
            fs::rename(&path, &away).unwrap();
            if round % 10 == 0 {
                let answer = ledger.start(&store, format!("away {round}"));
                assert!(matches!(answer, Err(Error::FileMoved { .. })), "{answer:?}");
            }
            fs::rename(&away, &path).unwrap();
            ledger.start(&store, format!("back {round}")).unwrap();
        }
        ended.store(true, Ordering::Relaxed);
        writers.into_iter().for_each(|writer| ledger.absorb(writer.join().unwrap()));
    });
    assert!(ledger.done() > 100 && ledger.refused() + ledger.unknown() > 0, "{ledger:?}");
    store.close().unwrap();
    ledger.check(&path);
}
