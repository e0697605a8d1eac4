//! Answers written as they are read: no list is ever in memory.

use std::cell::Cell;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::sqlite::Read;
use crate::{Error, Result, TaskStore};

/// What is written at once.
const BUFFER_BYTES: usize = 64 << 10;

/// Writes a body that is in memory.
pub(super) fn write(out: impl Write, body: &impl Serialize) -> Result<()> {
    serde_json::to_writer(out, body).map_err(|error| io_error(error.into()))
}

pub(super) fn io_error(source: io::Error) -> Error {
    Error::Io { action: "write the answer", source }
}

/// Where a body reads its rows from, and where it leaves the store's error, which serde cannot carry.
pub(super) struct Source<'a> {
    pub(super) read: &'a Read<'a>,
    failure: Cell<Option<Error>>,
}

impl Source<'_> {
    /// What a serializer is told of a failure; the store's own error is kept aside.
    pub(super) fn stop<E: serde::ser::Error>(&self, stop: Stop<E>) -> E {
        match stop {
            Stop::Serializer(error) => error,
            Stop::Store(error) => {
                self.failure.set(Some(error));
                E::custom("the store failed")
            }
        }
    }
}

/// Why a loop over rows stopped early.
pub(super) enum Stop<E> {
    Store(Error),
    Serializer(E),
}

impl<E> From<Error> for Stop<E> {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// Runs `work`, which serialises what it reads from one snapshot, on a buffered `out`.
pub(super) fn stream(
    store: &TaskStore,
    out: impl Write,
    work: impl FnOnce(&Source<'_>, &mut dyn Write) -> Result<()>,
) -> Result<()> {
    store.database().stream(out, |read, out| {
        let source = Source { read, failure: Cell::new(None) };
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, out);
        let written = work(&source, &mut out);
        match source.failure.take().map_or(written, Err) {
            Ok(()) => out.flush().map_err(io_error),
            Err(error) => {
                // Dropped as it is, the buffer would still be written.
                drop(out.into_parts());
                Err(error)
            }
        }
    })
}
