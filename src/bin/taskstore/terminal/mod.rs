//! What people see.

pub mod table;
pub mod text;
pub mod time;

use std::io::{self, BufWriter, Write};

use terminal_size::terminal_size_of;

use crate::failure::Failure;

/// Gives `write` our output, and flushes it.
pub fn print(write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    Ok(out.flush()?)
}

/// Writes a line to standard error. If that is closed too, there is nobody left to tell.
pub fn complain(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// How many columns our output has, if it is a terminal.
pub fn width() -> Option<usize> {
    terminal_size_of(io::stdout()).map(|(width, _)| width.0.into())
}
