//! Lines of a reader, of which none is taken into memory that is too long.

use std::io::{self, BufRead, Read};

pub(super) struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    bytes_max: usize,
}

/// A line, without its end.
pub(super) enum Found<'a> {
    Line(&'a [u8]),
    /// The last one, with no newline behind it.
    Unended(&'a [u8]),
    TooLong,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R, bytes_max: usize) -> Self {
        Self { reader, line: Vec::new(), bytes_max }
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Found<'_>>> {
        self.line.clear();
        // One more is the newline of the longest.
        let bytes_max = u64::try_from(self.bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        (&mut self.reader).take(bytes_max).read_until(b'\n', &mut self.line)?;
        if self.line.is_empty() {
            return Ok(None);
        }
        Ok(Some(match self.line.strip_suffix(b"\n") {
            Some(line) => Found::Line(line),
            None if self.line.len() > self.bytes_max => Found::TooLong,
            None => Found::Unended(&self.line),
        }))
    }
}
