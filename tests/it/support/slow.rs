//! A reader that takes its time.

use std::io;

/// Calls `while_writing` before each part that it takes.
pub(crate) struct Slow<F> {
    pub(crate) taken: Vec<u8>,
    while_writing: F,
}

impl<F: FnMut()> Slow<F> {
    pub(crate) fn new(while_writing: F) -> Self {
        Self { taken: Vec::new(), while_writing }
    }
}

impl<F: FnMut()> io::Write for Slow<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.while_writing)();
        self.taken.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
