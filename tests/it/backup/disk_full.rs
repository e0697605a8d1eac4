//! A disk that is full.

use std::path::Path;
use std::process::Command;

use taskstore::{Error, Level};

use super::{assert_whole, large, others};
use crate::support::{messages, start, task_id, temporary};

/// A file system of 2 MiB in memory, until it is dropped.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    /// `None`, and a note, where there is none to be had.
    fn mount(path: &'a Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(path).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(path));
        }
        eprintln!("not tested: only root can mount a small disk");
        None
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_by_name_and_nothing_is_left_on_it() {
    let place = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(place.path()) else { return };
    let (_directory, store) = large();
    let path = disk.0.join("backup");
    let error = store.backup_to(&path).unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    assert!(error.is_retryable());
    assert_eq!(others(disk.0), [""; 0]);
    // The store is not on that disk.
    store.message(task_id(1), Level::Info, "goes on").unwrap();
    assert_eq!(messages(&store, task_id(1)).last().unwrap().text, "goes on");
    assert_eq!(store.check().unwrap(), []);
    // There is room again for what is smaller.
    let small = temporary();
    start(&small, "t");
    small.backup_to(&path).unwrap();
    assert_whole(&small, &path);
}
