//! `taskstore recover`.

use std::path::Path;

use taskstore::RecoverReport;

use crate::database;
use crate::failure::Failure;
use crate::terminal::print;

pub fn recover(db: &Path) -> Result<(), Failure> {
    let RecoverReport { tasks, runs, owners, .. } = database::open_to_recover(db)?.recover()?;
    print(|out| {
        writeln!(out, "interrupted {tasks} tasks")?;
        writeln!(out, "interrupted {runs} runs of system tasks")?;
        Ok(writeln!(out, "found {owners} stores whose process had ended without closing them")?)
    })
}
