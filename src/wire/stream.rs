//! Bodies that read their rows while serde writes them.

use std::cell::Cell;

use serde::Serialize;

use crate::Error;
use crate::sqlite::Read;
use crate::stream::{self, Out};

/// Where a body reads its rows from, and where it leaves the store's error, which serde cannot carry.
pub(super) struct Source<'a> {
    pub(super) read: &'a Read<'a>,
    failure: Cell<Option<Error>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(read: &'a Read<'a>) -> Self {
        Self { read, failure: Cell::new(None) }
    }

    /// Writes a body that reads from here.
    pub(super) fn write(&self, out: &mut Out<'_>, body: &impl Serialize) -> Result<(), stream::Stop> {
        out.value(body).map_err(|error| self.failure.take().map_or_else(|| error.into(), Into::into))
    }

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
