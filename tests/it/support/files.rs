//! Files as other programs see them.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

/// A connection of another program, such as the `sqlite3` shell.
pub(crate) fn shell(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// Ends a connection as a crash would: its `-wal` stays.
pub(crate) fn abandon(connection: Connection) {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    connection.close().unwrap();
}

/// The file beside a database whose name ends so: `-wal`, `-shm`, `-journal`.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

/// The bytes of a file, or `None` if there is none. No store of this process may have it open: closing the descriptor
/// drops the locks.
#[allow(clippy::disallowed_methods)]
pub(crate) fn bytes(path: &Path) -> Option<Vec<u8>> {
    path.symlink_metadata().is_ok().then(|| fs::read(path).unwrap())
}

/// The bytes of a database and of its `-wal`.
pub(crate) fn database_bytes(path: &Path) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    (bytes(path), bytes(&beside(path, "-wal")))
}

/// Whether a file is of root, as what root makes is.
pub(crate) fn is_root(path: &Path) -> bool {
    fs::metadata(path).unwrap().uid() == 0
}

/// The permissions of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
