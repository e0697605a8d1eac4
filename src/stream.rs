//! Rows written as they are read: no list is ever in memory.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::rfc3339::JsonTime;
use crate::sqlite::Read;
use crate::{Error, Result, TaskStore};

/// What is written at once.
const BUFFER_BYTES: usize = 64 << 10;

/// What a stream writes to: a buffer, which JSON fills in small pieces.
pub(crate) struct Out<'a>(BufWriter<Counted<'a>>);

/// Counts what it has been given.
struct Counted<'a> {
    out: &'a mut dyn Write,
    bytes: usize,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Out<'_> {
    /// How many bytes were written so far.
    pub(crate) fn bytes(&self) -> usize {
        self.0.get_ref().bytes + self.0.buffer().len()
    }

    /// Writes what is JSON already: the names of members, and what stands between the values.
    pub(crate) fn raw(&mut self, json: &str) -> io::Result<()> {
        self.0.write_all(json.as_bytes())
    }

    pub(crate) fn value(&mut self, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, value).map_err(io::Error::from)
    }

    /// Writes a value behind what is JSON already: a comma, mostly, and the name of the member.
    pub(crate) fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
        self.raw(name)?;
        self.value(value)
    }

    /// The same for a text. Most need no escape, which is seen at a fraction of the cost of looking for one byte by byte.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        let is_escaped = |byte| byte < b' ' || byte == b'"' || byte == b'\\';
        if text.bytes().fold(false, |any, byte| any | is_escaped(byte)) {
            return self.member(name, text);
        }
        self.raw(name)?;
        self.raw("\"")?;
        self.raw(text)?;
        self.raw("\"")
    }

    /// The same for a time.
    pub(crate) fn time(&mut self, name: &str, time: &JsonTime) -> io::Result<()> {
        self.raw(name)?;
        self.0.write_all(time.as_bytes())
    }

    /// Has what was written so far reach whoever reads it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Why a stream stopped early.
#[derive(Debug)]
pub(crate) enum Stop {
    Store(Error),
    Out(io::Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Out(error)
    }
}

/// Runs `work`, which writes what it reads from one snapshot, on a buffered `out`. An error of `out` says that it could
/// not do `action`.
pub(crate) fn stream<T>(
    store: &TaskStore,
    out: impl Write,
    action: &'static str,
    work: impl FnOnce(&Read<'_>, &mut Out<'_>) -> Result<T, Stop>,
) -> Result<T> {
    store.database().stream(out, action, |read, out| {
        let mut out = Out(BufWriter::with_capacity(BUFFER_BYTES, Counted { out, bytes: 0 }));
        let written = work(read, &mut out).and_then(|written| Ok(out.flush().map(|()| written)?));
        // Dropped as it is after an error, the buffer would still be written.
        drop(out.0.into_parts());
        written.map_err(|stop| match stop {
            Stop::Store(error) => error,
            Stop::Out(source) => Error::Io { action, source },
        })
    })
}
