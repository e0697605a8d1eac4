//! Copies of a whole store.

mod unfinished;

use std::ops::ControlFlow;
use std::path::Path;

use self::unfinished::Unfinished;
use crate::{Result, TaskStore};

/// How far [`TaskStore::backup_to_with`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupProgress {
    /// What has been copied.
    pub done_bytes: u64,
    /// What there is to copy: the size of the backup.
    pub total_bytes: u64,
}

impl TaskStore {
    /// Writes a copy of the whole store to a new file, and gives the size of that in bytes. The copy is of one instant,
    /// however many processes write meanwhile, and is a store of its own: [`open`](Self::open) opens it.
    ///
    /// **Others.** Reading and writing go on as before. What is written meanwhile stays in the `-wal`, which is not reset
    /// before the backup has ended. A store in memory has one connection, for which its other callers wait.
    ///
    /// **The new file** has mode 0600. It gets its name when it is complete and on disk, so that a file of this name is a
    /// whole backup: on an error nothing is left. A crash leaves at most a file `unfinished-taskstore-backup-…` in the
    /// same directory, which may be deleted. Nothing is ever overwritten. Where the file system has no hard links, a crash
    /// in the instant of the renaming may leave an empty file of the backup's name.
    ///
    /// **What it shows.** All that was acknowledged before, but for [progress](Self::progress) that is not written yet:
    /// [`flush`](Self::flush) before writes that. Pages are copied as they are; [`check`](Self::check) of the backup
    /// tells whether they are sound. Nobody answers for what is in progress in a copy: the first opening to write it shows
    /// that as interrupted, unless [`OpenOptions::recover`](crate::OpenOptions::recover) says otherwise.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](crate::Error::AlreadyExists) if there is anything of that name, a symbolic link too, or a `-wal`
    /// or `-journal` that was left there by a file of that name; [`Invalid`](crate::Error::Invalid) if the path ends in no
    /// name; [`Io`](crate::Error::Io) if the directory or the new file cannot be used;
    /// [`DiskFull`](crate::Error::DiskFull), of the new file's disk; and the [errors of reading](TaskStore#errors-of-reading).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{NewTask, TaskStore};
    ///
    /// let store = TaskStore::open_temporary()?;
    /// let id = store.start_detached(NewTask::new("Copy"))?;
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("backup.db");
    /// store.backup_to(&path)?;
    /// assert_eq!(TaskStore::open(&path)?.task(id)?.title, "Copy");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backup_to(&self, path: impl AsRef<Path>) -> Result<u64> {
        self.backup_to_with(path, |_| ControlFlow::Continue(()))
    }

    /// The same, telling `progress` after each MiB how far it is, the last time when all is copied. A `Break` stops it.
    /// `progress` may use the store, unless that is in memory.
    ///
    /// # Errors
    ///
    /// Those of [`backup_to`](Self::backup_to), and [`Stopped`](crate::Error::Stopped) after a `Break`: nothing is left.
    ///
    /// # Example
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// let store = taskstore::TaskStore::open_temporary()?;
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("backup.db");
    /// let mut shown = 0;
    /// let bytes = store.backup_to_with(&path, |progress| {
    ///     shown = progress.done_bytes;
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(shown, bytes);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backup_to_with(
        &self,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<u64> {
        self.database().refuse_inside()?;
        let unfinished = Unfinished::new(path.as_ref())?;
        let bytes = self.database().backup(unfinished.path(), &mut progress)?;
        unfinished.finish()?;
        Ok(bytes)
    }
}
