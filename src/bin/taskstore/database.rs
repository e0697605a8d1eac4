//! Opening the database: only what starts something creates it, so that a mistyped path leaves no file behind.

use std::io::ErrorKind;
use std::path::Path;

use taskstore::{Error, OpenOptions, TaskStore};

use crate::failure::Failure;

/// For what begins something new.
pub fn open_or_create(path: &Path) -> Result<TaskStore, Failure> {
    open(path, &OpenOptions::new())
}

/// For what changes something that must be there.
pub fn open_existing(path: &Path) -> Result<TaskStore, Failure> {
    must_exist(path)?;
    open(path, &OpenOptions::new())
}

/// For what only reads.
pub fn open_to_read(path: &Path) -> Result<TaskStore, Failure> {
    must_exist(path)?;
    open(path, &OpenOptions::new().read_only(true))
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
