//! What opening makes.

use std::fs;
use std::os::unix::fs::symlink;

use taskstore::{Error, TaskStore};

use crate::support::files::{beside, mode, set_mode};
use crate::support::{open, options, start, task_id};

#[test]
fn a_new_file_and_what_lies_beside_it_can_be_read_by_the_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = TaskStore::open(&path).unwrap();
    start(&store, "first");
    for file in [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_file_that_was_there_keeps_its_mode_and_lends_it_to_what_lies_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    open(&path).close().unwrap();
    set_mode(&path, 0o640);
    let store = open(&path);
    start(&store, "first");
    for file in [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")] {
        assert_eq!(mode(&file), 0o640, "{}", file.display());
    }
}

#[test]
fn an_empty_file_becomes_a_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    fs::write(&path, "").unwrap();
    let store = open(&path);
    start(&store, "first");
    store.close().unwrap();
    assert_eq!(open(&path).task(task_id(1)).unwrap().title, "first");
}

#[test]
fn a_missing_directory_is_named_as_what_is_missing_and_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    for options in [options(), options().read_only(true), options().immutable(true)] {
        let error = options.open(missing.join("tasks.db")).unwrap_err();
        let Error::Io { source, .. } = &error else { panic!("{error:?}") };
        assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
        assert_eq!(error.to_string(), "could not find the file's directory");
    }
    assert!(!missing.exists());
}

#[test]
fn a_directory_may_be_reached_through_a_link() {
    let directory = tempfile::tempdir().unwrap();
    let (real, link) = (directory.path().join("real"), directory.path().join("link"));
    fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    let (one, other) = (open(&real.join("tasks.db")), open(&link.join("tasks.db")));
    let id = start(&one, "the same file");
    assert_eq!(other.task(id).unwrap().title, "the same file");
}

#[test]
fn two_stores_on_one_file_see_what_the_other_writes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (one, other) = (open(&path), open(&path));
    for n in 0..20 {
        let (writer, reader) = if n % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let id = start(writer, "to and fro");
        assert_eq!(reader.task(id).unwrap().outcome, None);
        reader.finish(id).unwrap();
        assert_eq!(writer.task(id).unwrap(), reader.task(id).unwrap());
        assert!(matches!(writer.finish(id), Err(Error::WrongState { .. })));
    }
}

#[test]
fn a_store_in_memory_is_empty_and_nobody_elses() {
    let (one, other) = (TaskStore::open_in_memory().unwrap(), TaskStore::open_in_memory().unwrap());
    let id = start(&one, "alone");
    assert!(matches!(other.task(id), Err(Error::NotFound { .. })));
    assert_eq!(one.clone().task(id).unwrap().title, "alone");
    assert!(!one.is_read_only());
}
