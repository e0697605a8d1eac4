//! A copy of all pages.

use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};

use super::connection::{self, Settings};
use super::error::during;
use super::transaction::Read;
use crate::backup::BackupProgress;
use crate::{Error, Result};

/// What is copied between two looks at whether to go on.
const STEP_BYTES: i64 = 1 << 20;

const ACTION: &str = "write the backup";

/// Copies all pages to an empty file, and gives their size. The caller holds the snapshot, but nothing was read in it yet.
pub(super) fn copy(
    read: &Read<'_>,
    path: &Path,
    settings: &Settings,
    progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
) -> Result<u64> {
    // The first read fixes the snapshot. Without one SQLite begins again whenever somebody has written between two steps.
    let page_bytes = first_read(read).map_err(during("read the file"))?;
    let pages = i32::try_from(STEP_BYTES / page_bytes.max(1)).unwrap_or(i32::MAX).max(1);
    let bytes = |pages: i32| u64::try_from(i64::from(pages) * page_bytes).unwrap_or(0);

    let mut target = connection::backup_target(path, settings)?;
    let backup = Backup::new(read.connection, &mut target).map_err(during(ACTION))?;
    let total_bytes = loop {
        let step = backup.step(pages).map_err(during(ACTION))?;
        let now = backup.progress();
        let (done_bytes, total_bytes) = (bytes(now.pagecount - now.remaining), bytes(now.pagecount));
        if progress(BackupProgress { done_bytes, total_bytes }).is_break() {
            return Err(Error::Stopped { work: "the backup" });
        }
        match step {
            StepResult::Done => break total_bytes,
            StepResult::More => {}
            // Somebody has the new file open, under a name that nobody knows.
            _ => return Err(Error::Busy { waited: settings.busy_timeout }),
        }
    };
    drop(backup);
    // The header that was copied says so already, unless the store is in memory.
    connection::enter_wal(&target, settings)?;
    target.close().map_err(|(_, error)| during(ACTION)(error))?;
    Ok(total_bytes)
}

const COUNT: &str = "SELECT count(*) FROM sqlite_schema";

/// Reads something, and gives the size of a page.
fn first_read(read: &Read<'_>) -> rusqlite::Result<i64> {
    read.connection.query_row(COUNT, [], |_| Ok(()))?;
    read.connection.pragma_query_value(None, "page_size", |row| row.get(0))
}
