//! A file that has its name only once it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::{Error, Result};

/// What SQLite puts beside a file. Left behind by a file that is gone, it would be taken for the new one's.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// A new file of mode 0600 in the directory of its destination, under a name that says what it is. It gets its own name
/// by [`finish`](Self::finish), or is removed when this is dropped.
pub(super) struct Unfinished {
    path: PathBuf,
    destination: PathBuf,
    /// Held to the end: closing a descriptor drops the locks that SQLite has on the file.
    file: File,
    /// Opened before anything is written, so that one which cannot be synced is refused at once.
    directory: File,
}

impl Unfinished {
    pub(super) fn new(destination: &Path) -> Result<Self> {
        let problem = "must end in the name of the new file";
        let name = destination.file_name().ok_or(Error::Invalid { field: "path", problem })?;
        let parent = destination.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new(".")).canonicalize().map_err(during("find the backup's directory"))?;
        let destination = parent.join(name);
        let beside = BESIDE.map(|end| beside(&destination, end));
        for path in [&destination].into_iter().chain(&beside) {
            refuse_existing(path)?;
        }
        let directory = OpenOptions::new().read(true).open(&parent).map_err(during("open the backup's directory"))?;
        let path = parent.join(format!("unfinished-taskstore-backup-{}", Uuid::new_v4()));
        let file = create_new(&path).map_err(during("make the backup's file"))?;
        Ok(Self { path, destination, file, directory })
    }

    /// Where it is until it is finished.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Has all that was written reach the disk, and then gives the file its name, unless something else has that by now.
    pub(super) fn finish(self) -> Result<()> {
        self.file.sync_all().map_err(during("sync the backup"))?;
        self.take_name()?;
        self.sync_name().map_err(|source| {
            // Its caller is told that there is none.
            let _ = fs::remove_file(&self.destination);
            Error::Io { action: "sync the backup's directory", source }
        })
    }

    fn take_name(&self) -> Result<()> {
        let taken = match fs::hard_link(&self.path, &self.destination) {
            // Not every file system has links.
            Err(error) if error.kind() != ErrorKind::AlreadyExists => self.take_name_without_link(),
            linked => linked,
        };
        taken.map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => Error::AlreadyExists { path: self.destination.clone() },
            _ => Error::Io { action: "give the backup its name", source },
        })
    }

    /// An empty file holds the name for the instant until it is replaced: of two backups to one name, one gets it.
    fn take_name_without_link(&self) -> io::Result<()> {
        create_new(&self.destination)?;
        fs::rename(&self.path, &self.destination).inspect_err(|_| {
            let _ = fs::remove_file(&self.destination);
        })
    }

    fn sync_name(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        match self.directory.sync_all() {
            // Where a directory cannot be synced at all, SQLite does without as well.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
            synced => synced,
        }
    }
}

impl Drop for Unfinished {
    /// What cannot be removed says by its name that it may be.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        for end in BESIDE {
            let _ = fs::remove_file(beside(&self.path, end));
        }
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn refuse_existing(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Ok(_) => Err(Error::AlreadyExists { path: path.to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(during("look for the backup's file")(error)),
    }
}

fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn during(action: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { action, source }
}
