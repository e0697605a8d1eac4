//! When something happened.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::testing::Span;
use crate::wire::time::read_time;

/// When something happened: before now by the store's clock, or at an absolute time.
///
/// | | |
/// | --- | --- |
/// | `"-2h"`, `"-1d12h"`, `"-90s"` | so long ago: a [`Span`] |
/// | [`Moment::ago`] | the same, of a [`Duration`] |
/// | `"now"` | |
/// | `"+6h"` | in the future: only for [an expiry](super::GivenRun::expires) |
/// | `"2026-11-21T12:00:00Z"` | an RFC 3339 time |
/// | a `DateTime<Utc>` | |
///
/// What is none of these is refused where the past is written: [`NotATime`](super::GivenError::NotATime).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment(When);

#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    At(DateTime<Utc>),
    FromNow(TimeDelta),
    Text(String),
}

impl Moment {
    /// So long ago, by the store's clock.
    #[must_use]
    pub fn ago(duration: Duration) -> Self {
        // What is longer is before every time that can be stored, too.
        Self(When::FromNow(-TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)))
    }

    pub(super) fn now() -> Self {
        Self(When::FromNow(TimeDelta::zero()))
    }

    /// The time, or the text that tells none.
    pub(super) fn time(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
        let time = match &self.0 {
            When::At(time) => Ok(*time),
            When::FromNow(delta) => now.checked_add_signed(*delta).ok_or_else(|| format!("{delta} from now")),
            When::Text(text) => Err(text.clone()),
        };
        time.and_then(|time| time.timestamp_nanos_opt().map(|_| time).ok_or_else(|| time.to_string()))
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(time: DateTime<Utc>) -> Self {
        Self(When::At(time))
    }
}

impl From<&str> for Moment {
    fn from(text: &str) -> Self {
        let span = |text: &str| text.parse().ok().and_then(|Span(span)| TimeDelta::from_std(span).ok());
        let from_now = match text.split_at_checked(1) {
            _ if text == "now" => Some(TimeDelta::zero()),
            Some(("-", rest)) => span(rest).map(|delta| -delta),
            Some(("+", rest)) => span(rest),
            _ => None,
        };
        let absolute = || read_time::<serde::de::value::Error>(text).ok().map(When::At);
        Self(from_now.map(When::FromNow).or_else(absolute).unwrap_or_else(|| When::Text(text.to_owned())))
    }
}

impl From<&String> for Moment {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for Moment {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}
