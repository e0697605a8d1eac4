//! The messages of a task, or the events of a run, on as many lines as they need.

use std::io;

use super::LINE_BYTES;
use crate::stream::Out;

/// Where the line that is being written began, and what it has.
pub(super) struct Lines {
    began_at: usize,
    is_first: bool,
    written: u64,
}

impl Lines {
    /// Before anything of the first line is written.
    pub(super) fn begin(out: &Out<'_>) -> Self {
        Self { began_at: out.bytes(), is_first: true, written: 0 }
    }

    /// Where the line is full, ends it and begins another by `begin_line`. Gives what an entry begins with.
    pub(super) fn entry(
        &mut self,
        out: &mut Out<'_>,
        begin_line: impl FnOnce(&mut Out<'_>) -> io::Result<()>,
    ) -> io::Result<&'static str> {
        if out.bytes() - self.began_at >= LINE_BYTES {
            out.raw("]}}")?;
            (self.began_at, self.is_first) = (out.bytes(), true);
            begin_line(out)?;
        }
        self.written += 1;
        Ok(if std::mem::take(&mut self.is_first) { r#"{"seq":"# } else { r#",{"seq":"# })
    }

    /// Ends the last line. Gives the number of entries.
    pub(super) fn end(self, out: &mut Out<'_>) -> io::Result<u64> {
        out.raw("]}}")?;
        Ok(self.written)
    }
}
