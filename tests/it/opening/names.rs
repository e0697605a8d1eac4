//! A name is a name, whatever it means to SQLite, to a URI or to a shell.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use taskstore::TaskStore;

use crate::support::children::{command, role, run, say};
use crate::support::{open, options, start, task_id};

fn names() -> Vec<&'static OsStr> {
    let texts = [
        ":memory:",
        "file:x?mode=memory",
        "file::memory:?cache=shared",
        "file:tasks.db",
        "tasks.db?mode=ro&immutable=1",
        "100%.db",
        "%41%00.db",
        "a#b.db",
        "a b.db",
        " ",
        "-journal",
        "tasks.db-wal",
        "new\nline.db",
        "back\\slash.db",
        "'quoted\".db",
        "täsk 日本 👩‍👧.db",
        "\u{202e}bd.db",
        "~",
        "...",
    ];
    let not_utf8: [&[u8]; 3] = [b"f\xffo.db", b"\xc3", b"\x80?\xfe#%.db"];
    texts.into_iter().map(OsStr::new).chain(not_utf8.map(OsStr::from_bytes)).collect()
}

/// The one file in a directory whose store is closed.
fn only_file(directory: &Path) -> OsString {
    let mut files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name());
    let file = files.next().unwrap();
    assert_eq!(files.next(), None);
    file
}

#[test]
fn a_file_of_any_name_is_a_plain_file_of_that_name() {
    for name in names() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        let store = open(&path);
        start(&store, "kept");
        store.close().unwrap();
        assert_eq!(only_file(directory.path()), name);
        for options in [options(), options().read_only(true), options().immutable(true)] {
            let store = options.open(&path).unwrap_or_else(|error| panic!("{name:?}: {error:?}"));
            assert_eq!(store.task(task_id(1)).unwrap().title, "kept", "{name:?}");
        }
    }
}

#[test]
fn a_relative_name_is_a_plain_file_in_the_working_directory() {
    let test = "opening::names::a_relative_name_is_a_plain_file_in_the_working_directory";
    if let Some((_, path)) = role() {
        let store = TaskStore::open(path).unwrap();
        start(&store, "kept");
        store.close().unwrap();
        return say("closed");
    }
    for name in names() {
        let directory = tempfile::tempdir().unwrap();
        let mut child = command(test, "opens", Path::new(name));
        child.current_dir(directory.path());
        assert_eq!(run(child), ["closed"]);
        assert_eq!(only_file(directory.path()), name);
        assert_eq!(open(&directory.path().join(name)).task(task_id(1)).unwrap().title, "kept", "{name:?}");
    }
}

#[test]
fn a_directory_of_any_name_holds_a_store() {
    for name in names() {
        let directory = tempfile::tempdir().unwrap();
        let within = directory.path().join(name);
        fs::create_dir(&within).unwrap();
        let path = within.join("tasks.db");
        start(&open(&path), "kept");
        for options in [options(), options().read_only(true)] {
            assert_eq!(options.open(&path).unwrap().task(task_id(1)).unwrap().title, "kept", "{name:?}");
        }
        open(&path).close().unwrap();
        assert_eq!(options().immutable(true).open(&path).unwrap().task(task_id(1)).unwrap().title, "kept", "{name:?}");
    }
}
