//! `taskstore backup`.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::path::Path;

use crate::database;
use crate::failure::Failure;
use crate::terminal::bar::Bar;
use crate::terminal::text::harmless;
use crate::terminal::{interrupt, print};

pub fn backup(db: &Path, destination: &Path) -> Result<(), Failure> {
    let store = database::open_to_look(db)?;
    let interrupt = interrupt::watch()?;
    let bar = Bar::new("backing up");
    let bytes = store.backup_to_with(destination, |progress| {
        bar.set(progress.done_bytes, progress.total_bytes);
        if interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    bar.finish();
    if !io::stdout().is_terminal() {
        return Ok(());
    }
    print(|out| Ok(writeln!(out, "{}: {bytes} bytes", harmless(&destination.to_string_lossy()))?))
}
