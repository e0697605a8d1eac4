//! Why a past was not written.

use chrono::{DateTime, Utc};

use crate::Error;

/// Why a past was not written. Nothing of it is in the store; but inside a [batch](crate::TaskStore::batch), which must end with
/// this error then.
///
/// `of` is what it was to be the past of: `task "Deploy"`. `step` is the part of it, by the builder's method, with a number where
/// there are several: `started`, `message 2`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GivenError {
    /// The text is no time, or none that can be stored.
    #[error(
        "{step} of {of} is at {text:?}; a time is like \"-2h\", \"-1d12h\" or \"now\", or like \"2026-11-21T12:00:00Z\""
    )]
    NotATime {
        /// Whose past it is.
        of: String,
        /// What is at that time.
        step: String,
        /// The text, or the time as text.
        text: String,
    },

    /// A past goes forward: of two steps the later must not be before the earlier.
    #[error("{step} of {of} is at {time}, before {after} at {after_time}")]
    TooEarly {
        /// Whose past it is.
        of: String,
        /// What is too early.
        step: String,
        /// Its time.
        time: DateTime<Utc>,
        /// What it must come after.
        after: String,
        /// The time of that.
        after_time: DateTime<Utc>,
    },

    /// What has happened is not behind the store's clock; only an expiry may be.
    #[error("{step} of {of} is at {time}, but by the store's clock it is {now}")]
    InTheFuture {
        /// Whose past it is.
        of: String,
        /// What is in the future.
        step: String,
        /// Its time.
        time: DateTime<Utc>,
        /// What the store's clock says.
        now: DateTime<Utc>,
    },

    /// There is a row of this key already, of which nothing is changed.
    #[error("{of} cannot have the key {key:?}: there is another with that key")]
    KeyTaken {
        /// Whose past it is.
        of: String,
        /// The key.
        key: String,
    },

    /// The store refused a step, by one of its limits or rules.
    #[error("{step} of {of} was refused")]
    Refused {
        /// Whose past it is.
        of: String,
        /// What was refused.
        step: String,
        /// Why.
        source: Box<Error>,
    },

    /// The store could not write at all: it is busy, closed or read-only, or the disk is full.
    #[error("the past was not written")]
    NotWritten {
        /// Why.
        #[from]
        source: Error,
    },
}
