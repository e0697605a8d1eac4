//! What the file of a backup is.

use std::os::unix::fs::MetadataExt;

use taskstore::{Error, Level, OpenOptions, TaskStore};

use super::{assert_whole, exists, others};
use crate::support::children::{in_role, role};
use crate::support::files::{beside, bytes, mode, shell};
use crate::support::{finished, open, start, syncs};

/// Something of each table.
fn record(store: &TaskStore) {
    let prod = store.configurations().add("prod").unwrap();
    let id = store.start_detached(taskstore::NewTask::new("t").configuration(prod).key("k")).unwrap();
    store.message(id, Level::Warn, "said").unwrap();
    finished(store, "ended");
    let run = store.system_tasks().start("fetch_mail", None).unwrap();
    run.info("fetched", serde_json::json!({ "count": 3 })).unwrap();
    run.finish().unwrap();
}

#[track_caller]
fn assert_complete(store: &TaskStore, path: &std::path::Path) {
    assert_eq!(mode(path), 0o600);
    assert_eq!(std::fs::metadata(path).unwrap().nlink(), 1);
    for end in ["-wal", "-shm", "-journal"] {
        assert!(!exists(&beside(path, end)), "{end}");
    }
    let header = bytes(path).unwrap();
    assert_eq!(header[18..20], [2, 2], "the header says WAL");
    let shell = shell(path);
    let number = |pragma| shell.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("application_id"), 0x5453_544f);
    assert_eq!(number("auto_vacuum"), 2);
    shell.close().unwrap();
    assert_whole(store, path);
    let run = &TaskStore::open(path).unwrap().system_tasks().list(&taskstore::SystemTaskFilter::new()).unwrap();
    assert_eq!(run.items, store.system_tasks().list(&taskstore::SystemTaskFilter::new()).unwrap().items);
}

#[test]
fn a_backup_is_a_complete_file_that_only_its_owner_reads() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    record(&store);
    crate::support::files::set_mode(&path, 0o644);
    let backup = directory.path().join("backup");
    store.backup_to(&backup).unwrap();
    assert_complete(&store, &backup);
    // It is a store of its own.
    let restored = open(&backup);
    let id = start(&restored, "only there");
    assert!(matches!(store.task(id), Err(Error::NotFound { .. })));
}

#[test]
fn a_store_in_memory_can_be_kept_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = TaskStore::open_in_memory().unwrap();
    let backup = directory.path().join("backup");
    store.backup_to(directory.path().join("empty")).unwrap();
    record(&store);
    store.backup_to(&backup).unwrap();
    assert_complete(&store, &backup);
    start(&store, "afterwards");
}

#[test]
fn a_store_that_only_reads_can_be_backed_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let writing = open(&path);
    record(&writing);
    for (name, options) in [("one", OpenOptions::new().read_only(true)), ("other", OpenOptions::new().immutable(true))]
    {
        if name == "other" {
            // Nobody writes an immutable file.
            writing.close().unwrap();
        }
        let store = options.open(&path).unwrap();
        let backup = directory.path().join(name);
        store.backup_to(&backup).unwrap();
        assert_complete(&store, &backup);
    }
    assert_eq!(others(directory.path()), ["one", "other"]);
}

#[test]
fn a_name_without_a_directory_is_one_in_the_current() {
    if let Some((_, path)) = role() {
        std::env::set_current_dir(path.parent().unwrap()).unwrap();
        open(&path).backup_to("backup").map(drop).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let test = "backup::file::a_name_without_a_directory_is_one_in_the_current";
    crate::support::children::run(crate::support::children::command(test, "copy", &directory.path().join("tasks.db")));
    assert_eq!(others(directory.path()), ["backup"]);
}

const ON_DISK: &str = "backup::file::a_backup_is_on_disk_before_it_has_its_name_and_then_the_name_is";

/// The control is the order itself: each of the two syncs is looked for by its path.
#[test]
fn a_backup_is_on_disk_before_it_has_its_name_and_then_the_name_is() {
    if let Some((_, path)) = role() {
        let store = open(&path);
        record(&store);
        store.backup_to(path.with_file_name("backup")).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let Some(calls) = syncs::calls(ON_DISK, &in_role("copy", &path)) else { return };
    let file = calls.iter().rposition(|call| call.contains(super::UNFINISHED)).expect("the file is synced");
    let name = format!("{}>", directory.path().canonicalize().unwrap().display());
    let name = calls.iter().rposition(|call| call.contains(&name)).expect("its directory is synced");
    assert!(file < name, "{calls:#?}");
    assert_eq!(calls.iter().filter(|call| call.contains(super::UNFINISHED)).count(), 1, "{calls:#?}");
}

const WITHOUT_LINKS: &str = "backup::file::a_file_system_without_links_takes_a_backup_too";

#[test]
fn a_file_system_without_links_takes_a_backup_too() {
    if let Some((_, path)) = role() {
        let store = open(&path);
        record(&store);
        let backup = path.with_file_name("backup");
        store.backup_to(&backup).unwrap();
        assert!(matches!(store.backup_to(&backup), Err(Error::AlreadyExists { .. })));
        assert_complete(&store, &backup);
        return assert_eq!(others(path.parent().unwrap()), ["backup"]);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    syncs::refuse_links(WITHOUT_LINKS, &in_role("copy", &path));
}

const SYNC_FAILS: &str = "backup::file::a_backup_that_cannot_be_synced_is_an_error_and_leaves_nothing";

#[test]
fn a_backup_that_cannot_be_synced_is_an_error_and_leaves_nothing() {
    if let Some((which, path)) = role() {
        let store = OpenOptions::new().durability(taskstore::Durability::Normal).open(&path).unwrap();
        let error = store.backup_to(path.with_file_name("backups").join("backup")).unwrap_err();
        assert!(matches!(&error, Error::Io { action, .. } if *action == which), "{error:?}");
        return assert_eq!(others(&path.with_file_name("backups")), [""; 0]);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    record(&open(&path));
    let backups = directory.path().join("backups");
    std::fs::create_dir(&backups).unwrap();
    // Only the directory of the backup is touched, so that nothing else fails: its first sync is that of the name.
    let which = in_role("sync the backup's directory", &path);
    let backups = backups.canonicalize().unwrap();
    syncs::fail(SYNC_FAILS, &which, &backups, 1);
}
