//! Opening the database: only what starts something creates it, so that a mistyped path leaves no file behind.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use taskstore::{Error, OpenOptions, TaskStore};

use crate::failure::Failure;

/// How long a command that reads waits for others that write.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(1);
/// How often one that reads for long looks for ended processes.
const RECOVER_EVERY: Duration = Duration::from_secs(1);

/// For what begins something new.
pub fn open_or_create(path: &Path) -> Result<TaskStore, Failure> {
    open(path, &OpenOptions::new())
}

/// The same with other options.
pub fn open_or_create_with(path: &Path, options: &OpenOptions) -> Result<TaskStore, Failure> {
    open(path, options)
}

/// For what changes something that must be there.
pub fn open_existing(path: &Path) -> Result<TaskStore, Failure> {
    must_exist(path)?;
    open(path, &OpenOptions::new())
}

/// For what shows people what is in progress. What ended processes have left so is interrupted first, where that can be
/// written.
pub fn open_to_read(path: &Path) -> Result<TaskStore, Failure> {
    let store = open_to_look(path)?;
    recover(&store, path);
    Ok(store)
}

/// For what leaves the database as it is. In a backup, say, nobody's work is in progress: to recover that would write to it.
pub fn open_to_look(path: &Path) -> Result<TaskStore, Failure> {
    must_exist(path)?;
    open(path, &OpenOptions::new().read_only(true))
}

/// For what tells of the recovery that opening would make.
pub fn open_to_recover(path: &Path) -> Result<TaskStore, Failure> {
    must_exist(path)?;
    open(path, &OpenOptions::new().recover(false))
}

/// Looks for ended processes with a store that reads, and opens another to interrupt what they have left in progress. Where
/// that cannot be, what is read is no less true: it is in progress as far as the database knows.
fn recover(store: &TaskStore, path: &Path) {
    if let Err(Error::ReadOnly) = store.recover() {
        let _ = OpenOptions::new().busy_timeout(RECOVERY_PATIENCE).open(path).and_then(|store| store.close());
    }
}

/// Recovers now and then, for what reads for long.
pub struct Recovery<'a> {
    store: &'a TaskStore,
    path: &'a Path,
    looked: Instant,
}

impl<'a> Recovery<'a> {
    /// For a store that was just opened.
    pub fn new(store: &'a TaskStore, path: &'a Path) -> Self {
        Self { store, path, looked: Instant::now() }
    }

    pub fn look(&mut self) {
        if self.looked.elapsed() >= RECOVER_EVERY {
            recover(self.store, self.path);
            self.looked = Instant::now();
        }
    }
}

fn must_exist(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Failure::NoDatabase { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// An error that does not name the file itself gets its name.
fn open(path: &Path, options: &OpenOptions) -> Result<TaskStore, Failure> {
    options.open(path).map_err(|source| match source {
        Error::SymbolicLink { .. }
        | Error::FileMoved { .. }
        | Error::NetworkFileSystem { .. }
        | Error::NotATaskStore { .. }
        | Error::SchemaTooNew { .. } => Failure::Store(source),
        Error::CannotOpen { path, source } => Failure::CannotOpen { path, source },
        source => Failure::Unusable { path: path.to_owned(), source },
    })
}
