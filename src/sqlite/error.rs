//! What SQLite's result codes mean to the store.

use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;

use rusqlite::ffi;

use crate::Error;

/// What SQLite said when it failed. Its text is for a developer: it may name tables and columns.
#[derive(Debug)]
pub struct EngineError(rusqlite::Error);

impl EngineError {
    /// SQLite's extended result code, if the failure was SQLite's own.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.0.sqlite_error().map(|error| error.extended_code)
    }

    /// Whether a constraint of the schema refused a row.
    pub(crate) fn is_constraint(&self) -> bool {
        self.primary() == Some(ffi::SQLITE_CONSTRAINT)
    }

    /// The code without its extension, which is in the upper bytes.
    pub(super) fn primary(&self) -> Option<i32> {
        self.code().map(|code| code & 0xff)
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for EngineError {}

/// For `map_err`: the typed error of a failure while doing `action`.
pub(super) fn during(action: &'static str) -> impl FnOnce(rusqlite::Error) -> Error {
    move |error| {
        let source = match refused_write(error) {
            Ok(refused) => return refused,
            Err(other) => EngineError(other),
        };
        match source.primary() {
            // The caller that waited fills in how long.
            Some(ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED) => Error::Busy { waited: Duration::ZERO },
            Some(ffi::SQLITE_FULL) => Error::DiskFull { source },
            Some(ffi::SQLITE_NOMEM) => Error::OutOfMemory { source },
            Some(ffi::SQLITE_IOERR) if source.code() == Some(ffi::SQLITE_IOERR_NOMEM) => Error::OutOfMemory { source },
            // Its extended codes are about reading: a `-shm` that cannot be made, a crash to be rolled back.
            Some(ffi::SQLITE_READONLY) if source.code() == Some(ffi::SQLITE_READONLY) => Error::ReadOnly,
            Some(ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB) => Error::Damaged { source },
            _ if tells_of_damage(&source.0) => Error::Damaged { source },
            _ => Error::Engine { action, source },
        }
    }
}

/// Whether the file lacks a table of ours, defines it otherwise, or has a value in it that cannot stand there: what we ask
/// and write fits our own definitions, so that is the file's fault.
fn tells_of_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, SqlInputError, SqliteFailure,
    };
    match error {
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) => true,
        SqliteFailure(error, Some(text)) | SqlInputError { error, msg: text, .. } => match error.extended_code {
            // A statement that makes no sense: but for "cannot commit" and its like, to the definitions in the file.
            ffi::SQLITE_ERROR => !text.starts_with("cannot "),
            // Something that is no number stands where a number is copied from.
            ffi::SQLITE_MISMATCH => true,
            // What would be refused is found out before it is written, but for a uuid that its source gives twice.
            code => code & 0xff == ffi::SQLITE_CONSTRAINT && !text.contains("system_task.uuid"),
        },
        _ => false,
    }
}

/// The typed error of a failed `COMMIT`. Where reading or writing the file failed, SQLite's own answer to "was it
/// written?" cannot be trusted: a sync that failed may have written all the same, and memory may have run out behind it.
pub(super) fn during_commit(error: rusqlite::Error) -> Error {
    let source = match error {
        // The `-shm` grows behind the sync of the `-wal`, which has all of the commit by then.
        rusqlite::Error::SqliteFailure(code, _) if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
            EngineError(error)
        }
        error => match refused_write(error) {
            // What makes a commit one is at its end, and that was not written.
            Ok(refused) => return refused,
            Err(other) => EngineError(other),
        },
    };
    if matches!(source.primary(), Some(ffi::SQLITE_IOERR | ffi::SQLITE_NOMEM)) {
        return Error::OutcomeUnknown { source };
    }
    during("commit")(source.0)
}

/// The typed error of a write that the system did not even begin, for want of room or rights. SQLite itself tells only
/// `ENOSPC` apart from a disk that fails. The system's own number for it is still there: nothing has failed since.
fn refused_write(error: rusqlite::Error) -> std::result::Result<Error, rusqlite::Error> {
    let system = io::Error::last_os_error();
    match error {
        rusqlite::Error::SqliteFailure(code, _)
            if matches!(code.extended_code, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE) =>
        {
            let source = EngineError(rusqlite::Error::SqliteFailure(code, Some(system.to_string())));
            match system.kind() {
                // A full disk, a quota, the process's limit on the size of a file.
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                    Ok(Error::DiskFull { source })
                }
                ErrorKind::ReadOnlyFilesystem => Ok(Error::ReadOnly),
                _ => Err(error),
            }
        }
        other => Err(other),
    }
}

/// A transaction that SQLite has rolled back by itself.
pub(super) fn rolled_back() -> Error {
    let source = EngineError(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT_ROLLBACK), None));
    Error::Engine { action: "go on after a failure that undid the transaction", source }
}

/// The answer to those whose leader panicked between taking their operations and committing them.
pub(super) fn leader_panicked() -> Error {
    let source = EngineError(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT), None));
    Error::OutcomeUnknown { source }
}

/// The typed error of a failure beside the database.
pub(crate) fn outside(action: &'static str, error: io::Error) -> Error {
    if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        let full = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), Some(error.to_string()));
        return Error::DiskFull { source: EngineError(full) };
    }
    Error::Io { action, source: error }
}

/// The answer to those whose commit is in the file, which the system does not tell the place of any more.
pub(super) fn not_seen(error: &io::Error) -> Error {
    let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_FSTAT), Some(error.to_string()));
    Error::OutcomeUnknown { source: EngineError(failure) }
}

/// The error of a call that did not touch the disk, since a call before it failed so.
pub(super) fn not_tried(last: &Error) -> Error {
    match copy(last) {
        Error::OutcomeUnknown { source } | Error::Engine { source, .. } => {
            Error::Engine { action: "write: the disk failed a moment ago and is left alone", source }
        }
        other => other,
    }
}

/// The same error for another caller of the same transaction.
pub(super) fn copy(error: &Error) -> Error {
    let again = |source: &EngineError| match &source.0 {
        rusqlite::Error::SqliteFailure(error, text) => {
            EngineError(rusqlite::Error::SqliteFailure(*error, text.clone()))
        }
        other => {
            EngineError(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ERROR), Some(other.to_string())))
        }
    };
    match error {
        Error::OutcomeUnknown { source } => Error::OutcomeUnknown { source: again(source) },
        Error::DiskFull { source } => Error::DiskFull { source: again(source) },
        Error::OutOfMemory { source } => Error::OutOfMemory { source: again(source) },
        Error::Damaged { source } => Error::Damaged { source: again(source) },
        Error::Engine { action, source } => Error::Engine { action, source: again(source) },
        Error::Busy { waited } => Error::Busy { waited: *waited },
        Error::ReadOnly => Error::ReadOnly,
        Error::Closed => Error::Closed,
        Error::FileMoved { path, written } => Error::FileMoved { path: path.clone(), written: *written },
        Error::CannotOpen { path, source } => Error::CannotOpen { path: path.clone(), source: again(source) },
        Error::Io { action, source } => Error::Io { action, source: io::Error::new(source.kind(), source.to_string()) },
        // No other error concerns a transaction as a whole.
        _ => rolled_back(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_of_sqlite_is_told_by_its_type() {
        let told = |code, text: &str| {
            during("ask")(rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(text.to_owned())))
        };
        assert!(matches!(told(ffi::SQLITE_BUSY, ""), Error::Busy { .. }));
        assert!(matches!(told(ffi::SQLITE_LOCKED, ""), Error::Busy { .. }));
        assert!(matches!(told(ffi::SQLITE_FULL, ""), Error::DiskFull { .. }));
        assert!(matches!(told(ffi::SQLITE_NOMEM, ""), Error::OutOfMemory { .. }));
        assert!(matches!(told(ffi::SQLITE_IOERR_NOMEM, ""), Error::OutOfMemory { .. }));
        assert!(matches!(told(ffi::SQLITE_IOERR_READ, ""), Error::Engine { action: "ask", .. }));
        assert!(matches!(told(ffi::SQLITE_READONLY, ""), Error::ReadOnly));
        assert!(matches!(told(ffi::SQLITE_READONLY_CANTINIT, ""), Error::Engine { .. }));
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_MISMATCH] {
            assert!(matches!(told(code, ""), Error::Damaged { .. }), "{code}");
        }
        assert!(matches!(told(ffi::SQLITE_ERROR, "no such table: task"), Error::Damaged { .. }));
        assert!(matches!(told(ffi::SQLITE_ERROR, "cannot commit"), Error::Engine { .. }));
    }

    #[test]
    fn another_caller_of_the_same_transaction_gets_the_same_error() {
        let source = || {
            EngineError(rusqlite::Error::SqliteFailure(
                ffi::Error::new(ffi::SQLITE_IOERR_FSYNC),
                Some("no disk".into()),
            ))
        };
        let path = || std::path::PathBuf::from("tasks.db");
        for error in [
            Error::OutcomeUnknown { source: source() },
            Error::DiskFull { source: source() },
            Error::OutOfMemory { source: source() },
            Error::Damaged { source: source() },
            Error::Engine { action: "commit", source: source() },
            Error::CannotOpen { path: path(), source: source() },
            Error::Busy { waited: Duration::from_secs(7) },
            Error::ReadOnly,
            Error::Closed,
            Error::FileMoved { path: path(), written: true },
            rolled_back(),
        ] {
            assert_eq!(format!("{:?}", copy(&error)), format!("{error:?}"));
        }
        let io = Error::Io { action: "lock the owner file", source: ErrorKind::PermissionDenied.into() };
        let Error::Io { action, source } = copy(&io) else { panic!("it is another one") };
        assert_eq!((action, source.kind()), ("lock the owner file", ErrorKind::PermissionDenied));
        // What concerns one caller alone is not the other's.
        let not_found = Error::NotFound { what: "task", id: 1 };
        assert_eq!(format!("{:?}", copy(&not_found)), format!("{:?}", rolled_back()));
    }
}
