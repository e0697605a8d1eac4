//! Broken processes, which the checker has to find: else it would prove nothing that it finds none elsewhere.

use std::io::Read;
use std::path::Path;

use rusqlite::Connection;
use taskstore::{Error, Level, TaskStore};

use super::check::Violation;
use super::event::{Event, now_ns};
use super::{file, judge, shared, work};
use crate::support::children::{Children, Telling, role, say, wait_for_go};
use crate::support::files::shell;
use crate::support::open;

fn tell(event: Event) {
    say(&event.to_string());
}

/// Tells of each write when it has run, and commits them later.
fn acknowledge_before_the_commit(store: &TaskStore) {
    let committed = store.batch(|batch| {
        for text in ["one", "two"] {
            tell(Event::Called { at: now_ns(), text: text.to_owned() });
            batch.message(shared(), Level::Info, text)?;
            tell(Event::Acknowledged { at: now_ns(), text: text.to_owned() });
        }
        // It is killed here.
        let _ = std::io::stdin().read(&mut [0]);
        Ok::<_, Error>(())
    });
    committed.unwrap();
}

#[test]
fn a_process_that_acknowledges_before_it_commits_and_is_killed_is_found() {
    if let Some((_, path)) = role() {
        return acknowledge_before_the_commit(&open(&path));
    }
    let directory = tempfile::tempdir().unwrap();
    let (path, store) = file(directory.path());
    let test = "history::controls::a_process_that_acknowledges_before_it_commits_and_is_killed_is_found";
    let mut child = Telling::start(test, "hasty", &path);
    let mut told: Vec<_> = (0..4).map(|_| child.next()).collect();
    told.extend(child.kill());
    let lost = ["one", "two"].map(|text| Violation::Lost(text.to_owned()));
    assert_eq!(judge(&path, &store, &told), lost);
}

/// A connection that goes on reading what was there when it began.
fn old_snapshot(path: &Path) -> Connection {
    let connection = shell(path);
    connection.execute_batch("BEGIN; SELECT * FROM task").unwrap();
    connection
}

fn read_the_old_snapshot(store: &TaskStore, old: &Connection) {
    for text in ["one", "two"] {
        work::write(store, text.to_owned(), &mut tell);
        let called = now_ns();
        let seen: u32 = old.query_row("SELECT count(*) FROM message", [], |row| row.get(0)).unwrap();
        tell(Event::Read { called, returned: now_ns(), seen: seen.into(), last: None });
    }
}

#[test]
fn a_process_that_reads_an_old_snapshot_is_found() {
    if let Some((_, path)) = role() {
        let old = old_snapshot(&path);
        wait_for_go();
        return read_the_old_snapshot(&open(&path), &old);
    }
    let directory = tempfile::tempdir().unwrap();
    let (path, store) = file(directory.path());
    let test = "history::controls::a_process_that_reads_an_old_snapshot_is_found";
    let told = Children::ready(test, &["slow"], &path).go();
    let stale = ["one", "two"].map(|text| Violation::Stale { missed: text.to_owned(), seen: 0 });
    assert_eq!(judge(&path, &store, told.iter().flatten()), stale);
}

#[test]
fn a_process_that_writes_again_what_was_acknowledged_is_found() {
    if let Some((_, path)) = role() {
        let store = open(&path);
        wait_for_go();
        work::write(&store, "one".to_owned(), &mut tell);
        return store.message(shared(), Level::Info, "one").unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let (path, store) = file(directory.path());
    let test = "history::controls::a_process_that_writes_again_what_was_acknowledged_is_found";
    let told = Children::ready(test, &["twice"], &path).go();
    assert_eq!(judge(&path, &store, told.iter().flatten()), [Violation::Doubled("one".to_owned())]);
}
