//! Times as both APIs and an import read them.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{Error, Expected, Unexpected};

/// Any offset, no fraction or one of up to nine digits, and a time that the store can hold.
pub(crate) fn read_time<E: Error>(text: &str) -> Result<DateTime<Utc>, E> {
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let time = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    time.filter(|time| digits <= 9 && time.timestamp_nanos_opt().is_some())
        .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &ExpectedTime))
}

struct ExpectedTime;

impl Expected for ExpectedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 time between the years 1678 and 2261 with at most nine fraction digits")
    }
}
