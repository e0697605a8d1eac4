//! Files that are not a store of ours: refused by name, and left as they are to the byte.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use taskstore::{Error, TaskStore};
use tempfile::TempDir;

use crate::support::files::{abandon, beside, bytes, database_bytes, shell};
use crate::support::{open, options, start};

fn new_path() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    (directory, path)
}

/// Opens the file in every way that looks at its `-wal`, and tells why it was refused. Nothing of it has changed.
#[track_caller]
fn refusals(path: &Path) -> [Error; 2] {
    // To read a file in WAL mode SQLite makes an empty `-wal` where there is none.
    let content = || {
        let (file, wal) = database_bytes(path);
        (file, wal.unwrap_or_default())
    };
    let before = content();
    let errors = [options(), options().read_only(true)].map(|options| options.open(path).unwrap_err());
    assert!(content() == before, "the file or its -wal has changed");
    errors
}

#[track_caller]
fn not_a_task_store(path: &Path) {
    let immutable = options().immutable(true).open(path).unwrap_err();
    for error in refusals(path).into_iter().chain([immutable]) {
        assert!(matches!(&error, Error::NotATaskStore { path: named } if named == path), "{error:?}");
        assert_eq!(error.to_string(), format!("{} is not a taskstore file", path.display()));
    }
}

fn foreign(path: &Path, sql: &str) -> Connection {
    let connection = shell(path);
    connection.execute_batch(sql).unwrap();
    connection
}

#[test]
fn a_database_of_another_program_is_refused_and_unchanged() {
    for sql in [
        "CREATE TABLE task (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO task VALUES (1, 'theirs')",
        "PRAGMA application_id = 252006673; CREATE TABLE t (x)",
        "PRAGMA application_id = 252006673",
        "PRAGMA user_version = 1",
        // Our mark without a version is not ours.
        "PRAGMA application_id = 0x5453544f; CREATE TABLE t (x)",
    ] {
        let (directory, path) = new_path();
        foreign(&path, sql).close().unwrap();
        not_a_task_store(&path);
        // Not even a file beside it was made.
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "{sql}");
    }
}

#[test]
fn a_foreign_database_in_wal_mode_is_refused_and_its_wal_unchanged() {
    for (checkpointed, in_the_wal) in [
        ("CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"),
        ("PRAGMA user_version = 3; CREATE TABLE t (x)", "DROP TABLE t"),
        (
            "PRAGMA application_id = 7; CREATE TABLE t (x)",
            "PRAGMA application_id = 0x5453544f; PRAGMA user_version = 1",
        ),
    ] {
        let (_directory, path) = new_path();
        foreign(&path, checkpointed).close().unwrap();
        abandon(foreign(&path, &format!("PRAGMA journal_mode = wal; {in_the_wal}")));
        assert!(database_bytes(&path).1.is_some_and(|wal| !wal.is_empty()));
        not_a_task_store(&path);
    }
}

#[test]
fn a_foreign_database_whose_tables_are_in_its_wal_alone_is_refused_and_unchanged() {
    let (_directory, path) = new_path();
    abandon(foreign(&path, "PRAGMA journal_mode = wal; CREATE TABLE t (x); INSERT INTO t VALUES (1)"));
    for error in refusals(&path) {
        assert!(matches!(&error, Error::NotATaskStore { path: named } if *named == path), "{error:?}");
    }
    // What was theirs is still there.
    assert_eq!(shell(&path).query_row("SELECT x FROM t", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

/// A store with one task, closed.
fn store_file(path: &Path) {
    let store = open(path);
    start(&store, "ours");
    store.close().unwrap();
}

#[track_caller]
fn too_new(errors: impl IntoIterator<Item = Error>, path: &Path) {
    for error in errors {
        let named = matches!(&error, Error::SchemaTooNew { path: named, found: 2, newest: 1 } if named == path);
        assert!(named, "{error:?}");
        let text = "has schema version 2, but this program knows versions up to 1; use a newer one";
        assert_eq!(error.to_string(), format!("{} {text}", path.display()));
    }
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_unchanged() {
    let (directory, path) = new_path();
    store_file(&path);
    foreign(&path, "PRAGMA user_version = 2").close().unwrap();
    too_new(refusals(&path), &path);
    too_new([options().immutable(true).open(&path).unwrap_err()], &path);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_store_whose_version_was_raised_in_its_wal_alone_is_refused_and_unchanged() {
    let (_directory, path) = new_path();
    store_file(&path);
    abandon(foreign(&path, "PRAGMA user_version = 2"));
    assert!(database_bytes(&path).1.is_some_and(|wal| !wal.is_empty()));
    too_new(refusals(&path), &path);
}

#[test]
fn what_is_no_database_is_refused_and_unchanged() {
    let mut header_alone = b"SQLite format 3\0".to_vec();
    header_alone.resize(4096, 0xa5);
    for content in [
        b"x".to_vec(),
        b"title,started\nBackup,2024-07-31\n".to_vec(),
        b"text\n".repeat(5_000),
        b"SQLite format 3".to_vec(),
        b"SQLite format 2\0".repeat(300),
        vec![0; 4096],
        vec![0xff; 100_000],
        header_alone,
    ] {
        let (directory, path) = new_path();
        fs::write(&path, &content).unwrap();
        not_a_task_store(&path);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "{:?}", &content[..1]);
    }
}

#[test]
fn a_store_that_has_lost_a_page_or_more_is_refused_and_unchanged() {
    let (_directory, path) = new_path();
    store_file(&path);
    let whole = bytes(&path).unwrap();
    assert!(whole.len() > 3 * 4096);
    for length in [1, 2, 16, 17, 99, 100, 101, 511, 512, 1024, 4095, 4096, 4097, 8192, whole.len() - 4096] {
        fs::write(&path, &whole[..length]).unwrap();
        for error in refusals(&path) {
            let named = matches!(error, Error::NotATaskStore { .. } | Error::Damaged { .. });
            assert!(named, "cut to {length} bytes: {error:?}");
        }
    }
}

#[test]
fn a_link_is_refused_and_what_it_leads_to_is_unchanged() {
    let (directory, path) = new_path();
    store_file(&path);
    let before = database_bytes(&path);
    let missing = directory.path().join("missing.db");
    for target in [&path, &missing] {
        let link = directory.path().join("link.db");
        symlink(target, &link).unwrap();
        for options in [options(), options().read_only(true), options().immutable(true)] {
            let error = options.open(&link).unwrap_err();
            assert!(matches!(&error, Error::SymbolicLink { path: named } if *named == link), "{error:?}");
            let text = "is a symbolic link; give the path of the file itself";
            assert_eq!(error.to_string(), format!("{} {text}", link.display()));
        }
        fs::remove_file(&link).unwrap();
    }
    assert!(database_bytes(&path) == before);
    assert!(!missing.exists());
}

#[test]
fn what_is_no_plain_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let within = directory.path().join("folder");
    fs::create_dir(&within).unwrap();
    for path in [socket.as_path(), &within, directory.path(), &within.join(".."), Path::new("/"), Path::new("")] {
        for options in [options(), options().read_only(true), options().immutable(true)] {
            let error = options.open(path).unwrap_err();
            assert!(matches!(error, Error::NotATaskStore { .. }), "{}: {error:?}", path.display());
        }
    }
    assert_eq!(fs::read_dir(&within).unwrap().count(), 0);
}

#[test]
fn a_path_with_a_nul_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let error = TaskStore::open(directory.path().join("a\0b")).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_refusal_is_not_worth_a_retry() {
    let (_directory, path) = new_path();
    fs::write(&path, "text").unwrap();
    assert!(refusals(&path).iter().all(|error| !error.is_retryable()));
    assert!(!beside(&path, "-wal").exists());
}
