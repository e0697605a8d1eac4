//! Rights that are lost while a store is open, and file systems that cannot be written. What they are at the opening is in
//! `opening::rights`.

use std::process::Command;

use taskstore::{Error, TaskFilter};

use super::Mounted;
use super::ledger::Ledger;
use crate::support::children::{put_in_role, role, run, say};
use crate::support::files::{database_bytes, is_root, set_mode};
use crate::support::{finished, open, options, task_id};

#[test]
fn a_file_on_a_read_only_file_system_is_read_as_far_as_sqlite_can() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let Some(disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=8m", "tmpfs"], directory.path()) else { return };
    let store = open(&path);
    finished(&store, "seen");
    store.close().unwrap();
    let before = database_bytes(&path);
    disk.remount("ro");
    for options in [options(), options().read_only(true)] {
        let error = options.open(&path).unwrap_err();
        assert!(matches!(error, Error::CannotOpen { .. }), "{error:?}");
    }
    let store = options().immutable(true).open(&path).unwrap();
    assert_eq!(store.task(task_id(1)).unwrap().title, "seen");
    assert!(matches!(store.finish(task_id(1)), Err(Error::ReadOnly)));
    let missing = options().open(directory.path().join("missing.db")).unwrap_err();
    assert!(matches!(missing, Error::Io { action: "make the file", .. }), "{missing:?}");
    store.close().unwrap();
    disk.remount("rw");
    assert!(database_bytes(&path) == before);
    assert!(!open(&path).is_read_only());
}

/// In a child, as somebody who is not root: the directory or the file is closed to it while the store is open.
fn lose_rights(what: &str, path: &std::path::Path) {
    let store = options().open(path).unwrap();
    let mut ledger = Ledger::default();
    ledger.start(&store, "before".to_owned()).unwrap();
    let one_is_kept_open = store.list(&TaskFilter::new()).unwrap();
    assert_eq!(one_is_kept_open.items.len(), 1);
    let (closed, mode, opened) = match what {
        "file" => (path, 0o000, 0o600),
        _ => (path.parent().unwrap(), 0o000, 0o700),
    };
    set_mode(closed, mode);
    for number in 0..20 {
        match ledger.start(&store, format!("meanwhile {number}")) {
            Ok(_) | Err(Error::Io { .. } | Error::FileMoved { .. } | Error::OutcomeUnknown { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    // The connection of an earlier reader goes on; another one cannot be had.
    assert!(store.list(&TaskFilter::new()).is_ok());
    let token = store.change_token().unwrap_err();
    assert!(matches!(token, Error::Io { .. } | Error::CannotOpen { .. } | Error::FileMoved { .. }), "{token:?}");
    say(&token.to_string());
    set_mode(closed, opened);
    super::until(|| ledger.start(&store, "after".to_owned() + &ledger.refused().to_string()).map(drop));
    store.change_token().unwrap();
    store.close().unwrap();
    ledger.say();
}

#[test]
fn rights_that_are_lost_while_a_store_is_open_are_told_and_given_back() {
    if let Some((role, path)) = role() {
        return lose_rights(&role, &path);
    }
    let test = "faults::read_only::rights_that_are_lost_while_a_store_is_open_are_told_and_given_back";
    for what in ["file", "directory"] {
        let outer = tempfile::tempdir().unwrap();
        set_mode(outer.path(), 0o755);
        let directory = outer.path().join("owned");
        std::fs::create_dir(&directory).unwrap();
        let path = directory.join("tasks.db");
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new(&program);
        if is_root(outer.path()) {
            let nobody = 65_534;
            std::os::unix::fs::chown(&directory, Some(nobody), Some(nobody)).unwrap();
            command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
            let mut probe = Command::new("setpriv");
            probe.args(command.get_args()).args(["test", "-x"]).arg(&program);
            if !probe.status().is_ok_and(|status| status.success()) {
                assert!(std::env::var_os("CI").is_none(), "setpriv is needed, and a program that nobody may run");
                eprintln!("not tested: root needs setpriv, and a program that nobody may run");
                return;
            }
            command.arg(&program);
        }
        put_in_role(&mut command, test, what, &path);
        let said = run(command);
        let told = said.first().unwrap();
        assert!(told.starts_with("could not look whether") || told.starts_with("cannot open "), "{told}");
        let ledger = Ledger::of(&said);
        assert!(ledger.done() >= 2, "{ledger:?}");
        ledger.check(&path);
    }
}
