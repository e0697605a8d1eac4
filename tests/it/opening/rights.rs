//! Files and directories that this user may not write. Root may write everything, so where the tests run as root, a
//! child does it as nobody.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use taskstore::{Error, TaskStore};
use tempfile::TempDir;

use super::read_only::every_write;
use crate::support::children::{put_in_role, role, run, say};
use crate::support::files::{bytes, is_root, set_mode};
use crate::support::{finished, open, options, start, task_id};

const NOBODY: &str = "65534";

/// A directory that everybody may enter, and the path of a file in it.
fn new_path() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    set_mode(directory.path(), 0o755);
    let path = directory.path().join("tasks.db");
    (directory, path)
}

/// What a child without root's rights says that runs `test` in this role. `None`, and a note, where there can be none.
fn run_without_rights(test: &str, role: &str, path: &Path) -> Option<Vec<String>> {
    let test = format!("opening::rights::{test}");
    let program = std::env::current_exe().unwrap();
    let mut command = if is_root(path.parent().unwrap()) {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]);
        let mut probe = Command::new("setpriv");
        probe.args(command.get_args()).args(["test", "-x"]).arg(&program);
        if !probe.status().is_ok_and(|status| status.success()) {
            assert!(std::env::var_os("CI").is_none(), "setpriv is needed, and a program that nobody may run");
            eprintln!("not tested: root needs setpriv, and a program that nobody may run");
            return None;
        }
        command.arg(&program);
        command
    } else {
        Command::new(&program)
    };
    put_in_role(&mut command, &test, role, path);
    Some(run(command))
}

/// In a child: what opening answers, in a word or two.
fn say_what_opening_answers(path: &Path) {
    for (how, options) in
        [("", options()), ("read_only ", options().read_only(true)), ("immutable ", options().immutable(true))]
    {
        let answer = match options.open(path) {
            Ok(store) => look_at(&store).to_owned(),
            Err(Error::CannotOpen { path: named, .. }) if named == path => "cannot open".to_owned(),
            Err(Error::Io { source, .. }) => format!("io {:?}", source.kind()),
            Err(error) => format!("{error:?}"),
        };
        say(&format!("{how}{answer}"));
    }
}

/// Whether the store can be read only, and whether that is what it says.
fn look_at(store: &TaskStore) -> &'static str {
    assert_eq!(store.task(task_id(1)).unwrap().title, "seen");
    if !store.is_read_only() {
        return "writes";
    }
    for answer in every_write(store, task_id(1)) {
        assert!(matches!(answer, Err(Error::ReadOnly)), "{answer:?}");
    }
    assert_eq!(store.list(&taskstore::TaskFilter::new()).unwrap().items.len(), 1);
    "reads"
}

fn store_file(path: &Path) {
    let store = open(path);
    finished(&store, "seen");
    store.close().unwrap();
}

#[test]
fn a_file_without_write_permission_is_opened_for_reading() {
    if let Some((_, path)) = role() {
        return say_what_opening_answers(&path);
    }
    let (directory, path) = new_path();
    store_file(&path);
    set_mode(directory.path(), 0o777);
    set_mode(&path, 0o444);
    let before = bytes(&path);
    let test = "a_file_without_write_permission_is_opened_for_reading";
    for _ in 0..2 {
        let Some(said) = run_without_rights(test, "opens", &path) else { return };
        assert_eq!(said, ["reads", "read_only reads", "immutable reads"]);
    }
    assert!(bytes(&path) == before);
}

#[test]
fn a_file_in_a_directory_without_write_permission_is_opened_as_immutable_alone() {
    if let Some((_, path)) = role() {
        return say_what_opening_answers(&path);
    }
    let (directory, path) = new_path();
    store_file(&path);
    set_mode(&path, 0o644);
    set_mode(directory.path(), 0o555);
    let test = "a_file_in_a_directory_without_write_permission_is_opened_as_immutable_alone";
    let said = run_without_rights(test, "opens", &path);
    set_mode(directory.path(), 0o755);
    assert!(said.is_none_or(|said| said == ["cannot open", "read_only cannot open", "immutable reads"]));
}

#[test]
fn a_file_that_another_user_is_writing_is_read_while_it_is_written() {
    if let Some((_, path)) = role() {
        return say_what_opening_answers(&path);
    }
    let (directory, path) = new_path();
    fs::write(&path, "").unwrap();
    set_mode(&path, 0o644);
    store_file(&path);
    let store = open(&path);
    store.dismiss(task_id(1), "ann").unwrap();
    store.restore(task_id(1)).unwrap();
    if !is_root(directory.path()) {
        eprintln!("not tested: this user is nobody else");
        return;
    }
    let test = "a_file_that_another_user_is_writing_is_read_while_it_is_written";
    let Some(said) = run_without_rights(test, "opens", &path) else { return };
    assert_eq!(said, ["reads", "read_only reads", "immutable reads"]);
    start(&store, "the writer goes on");
}

#[test]
fn a_file_that_may_not_be_read_cannot_be_opened() {
    if let Some((_, path)) = role() {
        return say_what_opening_answers(&path);
    }
    let (_directory, path) = new_path();
    store_file(&path);
    set_mode(&path, 0o000);
    let test = "a_file_that_may_not_be_read_cannot_be_opened";
    let Some(said) = run_without_rights(test, "opens", &path) else { return };
    assert_eq!(said, ["cannot open", "read_only cannot open", "immutable cannot open"]);
}

#[test]
fn a_file_that_may_not_be_made_is_an_error_of_the_system() {
    if let Some((_, path)) = role() {
        return say_what_opening_answers(&path);
    }
    let (directory, path) = new_path();
    set_mode(directory.path(), 0o555);
    let test = "a_file_that_may_not_be_made_is_an_error_of_the_system";
    let said = run_without_rights(test, "opens", &path);
    set_mode(directory.path(), 0o755);
    let expected = ["io PermissionDenied", "read_only io NotFound", "immutable io NotFound"];
    assert!(said.is_none_or(|said| said == expected));
    assert!(!path.exists());
}
