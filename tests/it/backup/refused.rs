//! Where a backup is not written.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::Path;

use taskstore::{Error, TaskStore};

use super::others;
use crate::support::files::{beside, bytes};
use crate::support::{finished, open, start, temporary};

fn small() -> (tempfile::TempDir, TaskStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("tasks.db"));
    finished(&store, "t");
    (directory, store)
}

#[track_caller]
fn assert_exists(store: &TaskStore, path: &Path, named: &Path) {
    let error = store.backup_to(path).unwrap_err();
    let named = named.parent().unwrap().canonicalize().unwrap().join(named.file_name().unwrap());
    assert!(matches!(&error, Error::AlreadyExists { path } if *path == named), "{error:?}");
    assert_eq!(error.to_string(), format!("{} exists already; choose another name", named.display()));
}

#[test]
fn a_name_that_is_taken_is_refused_and_what_has_it_stays() {
    let (directory, store) = small();
    let path = |name| directory.path().join(name);
    fs::write(path("file"), "something else").unwrap();
    fs::write(path("empty"), "").unwrap();
    fs::create_dir(path("directory")).unwrap();
    symlink(path("file"), path("link")).unwrap();
    symlink(path("nowhere"), path("dangling")).unwrap();
    let before = others(directory.path());
    for name in ["file", "empty", "directory", "link", "dangling", "tasks.db"] {
        assert_exists(&store, &path(name), &path(name));
    }
    // By another name it is the same file.
    fs::hard_link(path("tasks.db"), path("second name")).unwrap();
    assert_exists(&store, &path("second name"), &path("second name"));
    fs::remove_file(path("second name")).unwrap();
    assert_eq!(others(directory.path()), before);
    assert_eq!(bytes(&path("file")).unwrap(), b"something else");
    assert_eq!(store.check().unwrap(), []);
    start(&store, "afterwards");
}

/// SQLite would write what is in an old `-wal` into the new file.
#[test]
fn what_a_file_of_that_name_has_left_behind_is_refused() {
    let (directory, store) = small();
    let path = directory.path().join("backup");
    for end in ["-wal", "-journal", "-shm"] {
        let left = beside(&path, end);
        fs::write(&left, "left behind").unwrap();
        assert_exists(&store, &path, &left);
        fs::remove_file(&left).unwrap();
    }
    store.backup_to(&path).unwrap();
}

#[test]
fn a_directory_that_is_missing_or_takes_no_file_is_refused() {
    let (directory, store) = small();
    let refused = |path: &Path| match store.backup_to(path).unwrap_err() {
        Error::Io { action, source } => (action, source.kind()),
        error => panic!("{error:?}"),
    };
    let missing = refused(&directory.path().join("missing/backup"));
    assert_eq!(missing, ("find the backup's directory", ErrorKind::NotFound));
    let no_directory = refused(&directory.path().join("tasks.db/backup"));
    assert_eq!(no_directory, ("look for the backup's file", ErrorKind::NotADirectory));
    // Not even root makes a file there.
    if Path::new("/proc/self").exists() {
        assert_eq!(refused(Path::new("/proc/self/backup")).0, "make the backup's file");
    }
    assert_eq!(others(directory.path()), [""; 0]);
    for path in ["", "/", ".."] {
        assert!(matches!(store.backup_to(path), Err(Error::Invalid { field: "path", .. })), "{path:?}");
    }
}

#[test]
fn a_closed_store_and_one_inside_its_batch_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backup");
    for store in [temporary(), TaskStore::open_in_memory().unwrap()] {
        let inside = store.batch(|_| Ok::<_, Error>(store.backup_to(&path))).unwrap();
        assert!(matches!(inside, Err(Error::InsideBatch)), "{inside:?}");
        store.close().unwrap();
        assert!(matches!(store.backup_to(&path), Err(Error::Closed)));
    }
    assert_eq!(others(directory.path()), [""; 0]);
}
