//! The lock files: what is taken for an owner's, what is not, and what stays of none.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use taskstore::{Error, NewTask, Outcome, RecoverReport};
use tempfile::TempDir;

use super::{end_of, owner_files, owner_rows};
use crate::support::files::{beside, shell};
use crate::support::{open, options, start, task_id};

const NAME: &str = "0123456789abcdef0123456789abcdef";

/// A file with a task in progress of an owner of this name.
fn owned_by(name: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    start(&store, "owned");
    store.close().unwrap();
    let shell = shell(&path);
    shell.pragma_update(None, "ignore_check_constraints", true).unwrap();
    shell.execute("INSERT INTO owner VALUES (7, ?1, 1234, 0)", [name]).unwrap();
    shell.execute("UPDATE task SET owner = 7", []).unwrap();
    (directory, path)
}

fn make(path: &Path) -> File {
    OpenOptions::new().read(true).write(true).create_new(true).open(path).unwrap()
}

fn outcome(path: &Path) -> Option<Outcome> {
    end_of(&options().recover(false).open(path).unwrap(), task_id(1)).0
}

#[test]
fn an_owner_is_dead_if_its_lock_can_be_taken_or_its_file_is_missing() {
    let (_directory, path) = owned_by(NAME);
    let file = make(&beside(&path, &format!("-owner-{NAME}")));
    file.try_lock().unwrap();
    assert_eq!(open(&path).recover().unwrap(), RecoverReport::default());
    assert_eq!((outcome(&path), owner_files(&path).len()), (None, 1));
    drop(file);
    open(&path);
    assert_eq!((outcome(&path), owner_files(&path).len(), owner_rows(&path)), (Some(Outcome::Interrupted), 0, 0));

    let (_directory, path) = owned_by(NAME);
    open(&path);
    assert_eq!((outcome(&path), owner_rows(&path)), (Some(Outcome::Interrupted), 0));
}

/// None of these is a file that an owner makes, and some would do harm: opening and closing a link to the database drops the
/// locks on it.
#[test]
fn what_is_not_a_lock_file_is_not_opened_and_nobody_is_dead_for_it() {
    let makers: [fn(&Path, &Path); 5] = [
        |file, _| fs::create_dir(file).unwrap(),
        |file, _| fs::write(file, "x").unwrap(),
        |file, path| symlink(path, file).unwrap(),
        |file, path| fs::hard_link(path, file).unwrap(),
        |file, _| nix::unistd::mkfifo(file, nix::sys::stat::Mode::S_IRWXU).unwrap(),
    ];
    for maker in makers {
        let (_directory, path) = owned_by(NAME);
        maker(&beside(&path, &format!("-owner-{NAME}")), &path);
        assert_eq!(open(&path).recover().unwrap(), RecoverReport::default());
        assert_eq!((outcome(&path), owner_files(&path).len(), owner_rows(&path)), (None, 1, 1));
    }
}

#[test]
fn a_name_that_is_none_leads_nowhere() {
    for name in ["../../../etc/passwd", "", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcde/"] {
        let (_directory, path) = owned_by(name);
        assert_eq!(open(&path).recover().unwrap(), RecoverReport::default());
        assert_eq!((outcome(&path), owner_rows(&path)), (None, 1), "{name:?}");
    }
}

#[test]
fn nobody_is_dead_because_the_directory_was_moved_away() {
    let (directory, path) = owned_by(NAME);
    let file = make(&beside(&path, &format!("-owner-{NAME}")));
    file.try_lock().unwrap();
    let store = open(&path);
    // From here on it has a connection that reads.
    start(&store, "nobody's");
    store.task(task_id(2)).unwrap();
    let elsewhere = directory.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    for entry in directory.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        fs::rename(&entry, elsewhere.join(entry.file_name().unwrap())).unwrap();
    }
    assert_eq!(store.recover().unwrap(), RecoverReport::default());
    // Another file of that name is not the one that was opened.
    fs::write(&path, "").unwrap();
    assert_eq!(store.recover().unwrap(), RecoverReport::default());
}

#[test]
fn files_without_an_owner_go_unless_somebody_holds_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    make(&beside(&path, &format!("-owner-{NAME}")));
    let held = make(&beside(&path, &format!("-owner-{}", NAME.replace('0', "f"))));
    held.try_lock().unwrap();
    let strange = directory.path().join("tasks.db-owner-of-this");
    make(&strange);
    let task = store.start(NewTask::new("ours")).unwrap();
    assert_eq!(owner_files(&path).len(), 4);
    assert_eq!(store.recover().unwrap(), RecoverReport::default());
    assert_eq!(owner_files(&path).len(), 3);
    task.finish().unwrap();
    store.close().unwrap();
    drop(held);
    open(&path).recover().unwrap();
    assert_eq!(owner_files(&path), ["tasks.db-owner-of-this"]);
}

/// Work whose owner has no row can only be another program's doing.
#[test]
fn work_of_an_owner_that_is_not_known_is_interrupted() {
    let (_directory, path) = owned_by(NAME);
    shell(&path).execute("DELETE FROM owner", []).unwrap();
    let store = open(&path);
    assert!(store.check().unwrap().iter().any(|finding| finding.to_string().contains("owner")), "{:?}", store.check());
    let report = store.recover().unwrap();
    assert_eq!((report.tasks, report.owners), (1, 0));
    let ended = (Some(Outcome::Interrupted), vec!["interrupted: nobody answers for it any more".to_owned()]);
    assert_eq!(end_of(&store, task_id(1)), ended);
    assert_eq!(store.check().unwrap(), []);
}

/// A program that removes files which are old does this to a store that is open for long.
#[test]
fn a_store_whose_file_was_removed_passes_for_dead_once_and_has_another_then() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (store, other) = (open(&path), open(&path));
    let task = store.start(NewTask::new("taken for dead")).unwrap();
    fs::remove_file(path.with_file_name(&owner_files(&path)[0])).unwrap();
    assert_eq!(store.recover().unwrap(), RecoverReport::default(), "it knows itself");
    assert_eq!(other.recover().unwrap().tasks, 1);
    let refused = task.finish().unwrap_err().error;
    assert!(matches!(refused, Error::WrongState { action: "finish", .. }), "{refused:?}");

    let task = store.start(NewTask::new("owned again")).unwrap();
    assert_eq!((owner_files(&path).len(), owner_rows(&path)), (1, 1));
    assert_eq!(other.recover().unwrap(), RecoverReport::default());
    task.finish().unwrap();
    drop((store, other));
    assert_eq!((owner_files(&path), owner_rows(&path)), (vec![], 0));
}

#[test]
fn a_store_that_only_reads_says_so_if_there_is_something_to_interrupt_and_leaves_all_as_it_is() {
    let (_directory, path) = owned_by(NAME);
    let reader = options().read_only(true).open(&path).unwrap();
    assert!(matches!(reader.recover(), Err(Error::ReadOnly)));
    assert!(matches!(reader.start(NewTask::new("t")), Err(Error::ReadOnly)));
    assert_eq!((outcome(&path), owner_files(&path)), (None, vec![]));
    open(&path);
    assert_eq!(reader.recover().unwrap(), RecoverReport::default());
}

#[test]
fn a_busy_file_is_opened_all_the_same_and_recovered_later() {
    let (_directory, path) = owned_by(NAME);
    let other = shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let store = options().busy_timeout(std::time::Duration::from_millis(10)).open(&path).unwrap();
    assert!(matches!(store.recover(), Err(Error::Busy { .. })));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(end_of(&store, task_id(1)).0, None);
    assert_eq!(store.recover().unwrap().tasks, 1);
}
