//! Processes that are killed while they make a file: what is there then is nothing, or whole.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use taskstore::{Error, OpenOptions, TaskStore};

use crate::support::children::{Children, Telling, in_role, role, say, wait_for_go};
use crate::support::files::{beside, bytes, mode, set_mode, shell};
use crate::support::random::Random;
use crate::support::rounds;
use crate::support::{start, syncs};

/// All by which SQLite or the library changes files.
const CALLS: &[&str] = &["pwrite64", "write", "ftruncate", "fsync", "fdatasync", "unlink", "openat", "fallocate"];

/// How the tables and indexes are made, in the order of their names; and the numbers that say whose file it is.
fn shape(connection: &Connection) -> (Vec<String>, i64, i64) {
    let mut statement = connection.prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name").unwrap();
    let tables = statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
    (tables, pragma("application_id"), pragma("user_version"))
}

/// What another program finds in a copy of the file: looking at it undoes what a crash has left unfinished.
fn found(path: &Path) -> (Vec<String>, i64, i64) {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("tasks.db");
    for end in ["", "-wal", "-journal"] {
        if let Some(bytes) = bytes(&beside(path, end)) {
            fs::write(beside(&copy, end), bytes).unwrap();
        }
    }
    shell(&copy)
        .query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))
        .map(|ok| assert_eq!(ok, "ok"))
        .unwrap();
    shape(&shell(&copy))
}

/// What is wrong with a file whose maker was killed.
fn wrong(path: &Path) -> Option<String> {
    let whole = shape(&shell(&a_whole_file(&path.with_extension("whole"))));
    let found = found(path);
    if found != (Vec::new(), 0, 0) && found != whole {
        return Some(format!("half a file: {found:?}"));
    }
    // Who only looks is told the same, and leaves it as it is.
    match OpenOptions::new().read_only(true).open(path) {
        Ok(_) if found == whole => {}
        // A journal of the switch to WAL must be rolled back first, by who may write.
        Err(Error::NotATaskStore { .. } | Error::Io { .. }) if found != whole || beside(path, "-journal").exists() => {}
        other => return Some(format!("{other:?} of {found:?}")),
    }
    let store = match OpenOptions::new().open(path) {
        Ok(store) => store,
        Err(error) => return Some(format!("it cannot be opened: {error:?}")),
    };
    start(&store, "after all");
    assert_eq!(store.check().unwrap(), []);
    store.close().unwrap();
    let made = (shape(&shell(path)), mode(path));
    (made != (whole, 0o600)).then(|| format!("the file was not made whole: {made:?}"))
}

fn a_whole_file(path: &Path) -> std::path::PathBuf {
    if !path.exists() {
        TaskStore::open(path).unwrap().close().unwrap();
    }
    path.to_owned()
}

/// Has a process make a file, killed before each of its calls that change one, and gives the number of kills, or what was
/// wrong first; `None` where there is no strace.
fn kill_before_each_call(test: &str, role: &str) -> Option<Result<usize, String>> {
    let mut kills = 0;
    for call in CALLS {
        for number in 1.. {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("tasks.db");
            let files = ["", "-wal", "-journal", "-shm"].map(|end| beside(&path, end));
            if !syncs::kill(test, &in_role(role, &path), &files, call, number)? {
                break;
            }
            kills += 1;
            if let Some(wrong) = wrong(&path) {
                return Some(Err(format!("killed before {call} {number}: {wrong}")));
            }
        }
    }
    Some(Ok(kills))
}

#[test]
fn a_file_whose_maker_is_killed_before_any_of_its_calls_is_nothing_or_whole() {
    if let Some((_, path)) = role() {
        return drop(TaskStore::open(path).unwrap());
    }
    let test = "killed::creating::a_file_whose_maker_is_killed_before_any_of_its_calls_is_nothing_or_whole";
    let Some(kills) = kill_before_each_call(test, "store") else { return };
    let kills = kills.unwrap();
    println!("{kills} kills");
    assert!(kills >= 20, "only {kills} calls");
}

#[test]
fn a_maker_that_uses_no_transaction_is_found() {
    if let Some((_, path)) = role() {
        // With the rights that the library gives, so that these are not what is found.
        fs::write(&path, "").unwrap();
        set_mode(&path, 0o600);
        let connection = shell(&path);
        return connection.execute_batch(include_str!("../../../schema.sql")).unwrap();
    }
    let test = "killed::creating::a_maker_that_uses_no_transaction_is_found";
    let Some(kills) = kill_before_each_call(test, "careless") else { return };
    let wrong = kills.expect_err("nothing was found");
    assert!(wrong.contains("half a file"), "{wrong}");
}

#[test]
fn of_three_processes_that_make_one_file_one_is_killed_and_the_others_make_it() {
    let test = "killed::creating::of_three_processes_that_make_one_file_one_is_killed_and_the_others_make_it";
    if let Some((role, path)) = role() {
        if role == "killed" {
            say("begins");
        } else {
            wait_for_go();
        }
        let store = TaskStore::open(path).unwrap();
        start(&store, &role);
        return say("made");
    }
    let mut random = Random::new();
    for round in 0..rounds(25) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let others = Children::ready(test, &["ann", "ben"], &path);
        let mut killed = Telling::start(test, "killed", &path);
        assert_eq!(killed.next(), "begins");
        let pause = random.below(12_000);
        let (said, told) = std::thread::scope(|scope| {
            let others = scope.spawn(|| others.go());
            std::thread::sleep(std::time::Duration::from_micros(pause));
            let told = killed.kill();
            (others.join().unwrap(), told)
        });
        assert_eq!(said, vec![["made"]; 2], "round {round}");
        let store = TaskStore::open(&path).unwrap();
        let mut titles: Vec<_> =
            crate::support::everything(&store).tasks.into_iter().map(|(task, _)| task.title).collect();
        titles.sort();
        // The killed one may have started its task without being able to tell.
        assert_eq!(titles[..2], ["ann", "ben"], "round {round}");
        assert!(titles.len() == 3 || told.is_empty(), "round {round}: {titles:?}");
        assert_eq!(store.check().unwrap(), []);
    }
}
