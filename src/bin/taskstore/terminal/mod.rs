//! What people see.

pub mod bar;
pub mod interrupt;
mod patient;
pub mod size;
pub mod table;
pub mod text;
pub mod time;

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use terminal_size::terminal_size_of;

use crate::failure::Failure;
use patient::Patient;

/// How long a stream waits for whoever reads it. It holds a snapshot, and the file grows as long as that is held.
const STREAM_PATIENCE: Duration = Duration::from_secs(30);

/// Gives `write` our output, and flushes it.
pub fn print(write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    Ok(out.flush()?)
}

/// Gives `write` our output, for what the library streams: it has no buffer of its own, and is cut where nobody takes it.
pub fn stream(write: impl FnOnce(&mut Patient) -> Result<(), Failure>) -> Result<(), Failure> {
    write(&mut Patient::new(io::stdout(), STREAM_PATIENCE)?)
}

/// Fails if our output is closed: what has nothing to print would not learn of it.
pub fn must_be_read() -> Result<(), Failure> {
    Ok(patient::must_be_read(io::stdout())?)
}

/// Writes a line to standard error. If that is closed too, there is nobody left to tell.
pub fn complain(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// How many columns our output has, if it is a terminal.
pub fn width() -> Option<usize> {
    terminal_size_of(io::stdout()).map(|(width, _)| width.0.into())
}
