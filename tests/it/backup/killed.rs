//! A process that is killed while it makes backups.

use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use taskstore::TaskStore;

use super::{UNFINISHED, assert_whole, exists, large, others};
use crate::support::children::{Telling, role, say};
use crate::support::{open, rounds};

const TEST: &str = "backup::killed::a_process_that_is_killed_leaves_no_file_that_passes_for_a_backup";
const ANYWHERE: &str = "backup::killed::whatever_the_instant_each_backup_that_has_its_name_is_whole";

#[test]
fn a_process_that_is_killed_leaves_no_file_that_passes_for_a_backup() {
    if let Some((_, path)) = role() {
        open(&path)
            .backup_to_with(path.with_file_name("backup"), |_| {
                say("in the middle");
                // Killed here.
                std::io::stdin().read_exact(&mut [0]).unwrap();
                ControlFlow::Continue(())
            })
            .unwrap();
        return;
    }
    let (directory, store) = large();
    let mut child = Telling::start(TEST, "copy", &directory.path().join("tasks.db"));
    child.next();
    child.kill();
    let left = others(directory.path());
    assert!(!left.is_empty() && left.iter().all(|name| name.starts_with(UNFINISHED)), "{left:?}");
    assert_eq!(store.check().unwrap(), []);
    let path = directory.path().join("backup");
    store.backup_to(&path).unwrap();
    assert_whole(&store, &path);
}

/// Makes one backup behind the other, and tells of each.
fn back_up_without_end(path: &Path) {
    let store = open(path);
    for number in 0.. {
        store.backup_to(path.with_file_name(format!("backup {number}"))).unwrap();
        say(&number.to_string());
    }
}

#[test]
fn whatever_the_instant_each_backup_that_has_its_name_is_whole() {
    if let Some((_, path)) = role() {
        return back_up_without_end(&path);
    }
    for _ in 0..rounds(5) {
        let (directory, store) = large();
        let mut child = Telling::start(ANYWHERE, "copy", &directory.path().join("tasks.db"));
        let mut told: Vec<_> = (0..=RandomState::new().hash_one(()) % 3).map(|_| child.next()).collect();
        // It goes on meanwhile, and so is killed anywhere.
        told.extend(child.kill());
        for number in told {
            assert!(exists(&directory.path().join(format!("backup {number}"))), "{number} was told");
        }
        let (backups, others): (Vec<_>, Vec<_>) =
            others(directory.path()).into_iter().partition(|name| name.starts_with("backup "));
        assert!(others.iter().all(|name| name.starts_with(UNFINISHED)), "{others:?}");
        for backup in backups {
            assert_whole(&store, &directory.path().join(backup));
        }
    }
}

/// The control: a backup that is written under its own name.
#[test]
fn a_copy_under_its_own_name_is_caught() {
    const TEST: &str = "backup::killed::a_copy_under_its_own_name_is_caught";
    if let Some((_, path)) = role() {
        let source = crate::support::files::shell(&path);
        let mut target = rusqlite::Connection::open(path.with_file_name("backup")).unwrap();
        let backup = rusqlite::backup::Backup::new(&source, &mut target).unwrap();
        backup.step(300).unwrap();
        say("in the middle");
        std::io::stdin().read_exact(&mut [0]).unwrap();
        return;
    }
    let (directory, store) = large();
    let mut child = Telling::start(TEST, "copy", &directory.path().join("tasks.db"));
    child.next();
    child.kill();
    let left = others(directory.path());
    assert!(!left.iter().all(|name| name.starts_with(UNFINISHED)), "{left:?}");
    assert_ne!(
        TaskStore::open(directory.path().join("backup")).ok().map(|backup| crate::support::everything(&backup)),
        Some(crate::support::everything(&store))
    );
}
