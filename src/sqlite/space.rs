//! How large the file and its `-wal` are, and how they become smaller.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::error::during;
use super::place::beside;
use super::transaction::{Read, Write};
use crate::Result;

/// To this size a `-wal` that has become larger is cut, with the first write after all of it was merged.
pub(super) const WAL_BYTES_KEPT: i64 = 16 << 20;

/// Beyond this size of the `-wal` nothing is pruned.
const WAL_BYTES_MAX: u64 = 64 << 20;

/// Before each page in the `-wal`.
const FRAME_HEADER_BYTES: u64 = 24;

/// Pages of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages {
    pub(crate) page_bytes: u64,
    pub(crate) all: u64,
    /// Those that hold nothing.
    pub(crate) free: u64,
}

impl Pages {
    pub(super) fn of(connection: &Connection) -> Result<Self> {
        let [page_bytes, all, free] = [PAGE_BYTES, PAGES, FREE_PAGES].map(|sql| amount(connection, sql));
        Ok(Self { page_bytes: page_bytes?, all: all?, free: free? })
    }

    /// What the file takes without its free pages.
    pub(crate) fn used_bytes(self) -> u64 {
        self.all.saturating_sub(self.free) * self.page_bytes
    }

    /// What the free pages take.
    pub(crate) fn free_bytes(self) -> u64 {
        self.free * self.page_bytes
    }
}

const PAGE_BYTES: &str = "PRAGMA page_size";
const PAGES: &str = "PRAGMA page_count";
const FREE_PAGES: &str = "PRAGMA freelist_count";

fn amount(connection: &Connection, sql: &'static str) -> Result<u64> {
    let asked = connection.prepare_cached(sql).and_then(|mut ask| ask.query_row([], |row| row.get::<_, i64>(0)));
    asked.map(|number| u64::try_from(number).unwrap_or(0)).map_err(during("measure the file"))
}

/// What the file would take without its free pages, as this transaction has it.
pub(super) fn used_bytes(connection: &Connection) -> Result<u64> {
    Pages::of(connection).map(Pages::used_bytes)
}

pub(crate) fn pages(read: &Read<'_>) -> Result<Pages> {
    Pages::of(read.connection)
}

/// 512 pages, which are 2 MiB: what is moved in their place makes about as much of the `-wal`.
const CUT_OFF: &str = "PRAGMA incremental_vacuum(512)";

const AUTO_VACUUM: &str = "PRAGMA auto_vacuum";

/// Of a file whose free pages can be cut off.
const INCREMENTAL: u64 = 2;

/// Cuts some free pages off the file, and gives by how many bytes it is smaller: 0 if there is none, or it cannot be done,
/// as in a store in memory.
pub(crate) fn give_back(write: &Write<'_>) -> Result<u64> {
    let connection = write.connection;
    let before = Pages::of(connection)?;
    if before.free == 0 || amount(connection, AUTO_VACUUM)? != INCREMENTAL {
        return Ok(0);
    }
    let mut vacuum = connection.prepare_cached(CUT_OFF).map_err(during("give space back"))?;
    // A step a page.
    let mut steps = vacuum.query([]).map_err(during("give space back"))?;
    while steps.next().map_err(during("give space back"))?.is_some() {}
    Ok(before.all.saturating_sub(Pages::of(connection)?.all) * before.page_bytes)
}

const MERGE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const MERGE_AND_EMPTY: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// The `-wal` of a file, watched while much is written. It has a connection of its own, which never waits for a lock and
/// has no part in the turns of the store's.
#[derive(Debug)]
pub(crate) struct Wal {
    path: PathBuf,
    connection: Connection,
    frame_bytes: u64,
}

impl Wal {
    /// With a connection to the file that may write.
    pub(super) fn new(file: &Path, connection: Connection) -> Result<Self> {
        connection.busy_timeout(Duration::ZERO).map_err(during("set up a connection"))?;
        // To ask is to read the file, after which the connection knows of its `-wal`.
        let frame_bytes = Pages::of(&connection)?.page_bytes + FRAME_HEADER_BYTES;
        Ok(Self { path: beside(file, "-wal"), connection, frame_bytes })
    }

    /// Whether more may be written. If it is large, it is merged into the file first, as far as readers let it.
    pub(crate) fn is_small(&self) -> Result<bool> {
        if bytes(&self.path) <= WAL_BYTES_MAX {
            return Ok(true);
        }
        self.merge().map(|left_bytes| left_bytes <= WAL_BYTES_MAX)
    }

    /// Merges it into the file, and empties it, unless somebody reads what stands in the way of that. Gives how much is still
    /// in it.
    pub(crate) fn merge(&self) -> Result<u64> {
        // The first does the most of it and holds up nobody; so what the second does, while it has all locks, is little.
        self.checkpoint(MERGE)?;
        self.checkpoint(MERGE_AND_EMPTY)
    }

    fn checkpoint(&self, sql: &'static str) -> Result<u64> {
        let frames = |row: &rusqlite::Row<'_>| row.get::<_, i64>(1);
        let frames = self.connection.query_row(sql, [], frames).map_err(during("merge the -wal"))?;
        // Less than none where another process is at it: then the size of the file has to do.
        Ok(u64::try_from(frames).map_or_else(|_| bytes(&self.path), |frames| frames * self.frame_bytes))
    }
}

/// How large a file is; 0 if there is none. It is asked of the system: to open it would drop locks.
pub(super) fn bytes(path: &Path) -> u64 {
    path.symlink_metadata().map_or(0, |metadata| metadata.len())
}
