//! Times as both APIs read them.

use std::fmt;

use chrono::{DateTime, Datelike, Utc};
use serde::de::{Error, Expected, Unexpected};

/// Any offset, no fraction or one of up to nine digits, and a time that the store can hold.
pub(super) fn read_time<E: Error>(text: &str) -> Result<DateTime<Utc>, E> {
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let time = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    time.filter(|time| digits <= 9 && time.timestamp_nanos_opt().is_some())
        .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &ExpectedTime))
}

/// A time as text: UTC, `Z`, always nine fraction digits.
pub(super) struct TimeText([u8; 30]);

impl TimeText {
    /// Nearly a third of a stream's work were times if chrono formatted them.
    pub(super) fn of(ns: i64) -> Self {
        let time = DateTime::from_timestamp_nanos(ns);
        let (date, seconds) = (time.date_naive(), ns.div_euclid(1_000_000_000).rem_euclid(86_400).unsigned_abs());
        let year = u64::from(date.year().unsigned_abs()); // from 1677 to 2262
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        let [y1, y2, y3, y4, _, m1, m2, _, d1, d2, _, h1, h2, _, i1, i2, _, s1, s2, _, fraction @ .., _] = &mut text;
        digits([y1, y2, y3, y4], year);
        digits([m1, m2], date.month().into());
        digits([d1, d2], date.day().into());
        digits([h1, h2], seconds / 3_600);
        digits([i1, i2], seconds / 60 % 60);
        digits([s1, s2], seconds % 60);
        digits(fraction.each_mut(), time.timestamp_subsec_nanos().into());
        Self(text)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for TimeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.0).expect("digits are ASCII"))
    }
}

/// Writes the last digits of a number.
fn digits<const COUNT: usize>(places: [&mut u8; COUNT], mut number: u64) {
    const DIGITS: [u8; 10] = *b"0123456789";
    for place in places.into_iter().rev() {
        let digit = usize::try_from(number % 10).unwrap_or(0);
        *place = DIGITS.get(digit).copied().unwrap_or(b'0');
        number /= 10;
    }
}

struct ExpectedTime;

impl Expected for ExpectedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 time between the years 1678 and 2261 with at most nine fraction digits")
    }
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn assert_as_chrono(ns: i64) {
        let expected = DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(SecondsFormat::Nanos, true);
        assert_eq!(TimeText::of(ns).to_string(), expected, "{ns}");
    }

    #[test]
    fn the_first_and_the_last_time_there_are_and_those_around_zero_are_as_chrono_has_them() {
        for ns in [i64::MIN, i64::MIN + 1, -1_000_000_001, -1_000_000_000, -1, 0, 1, 999_999_999, i64::MAX] {
            assert_as_chrono(ns);
        }
        const DAY_NS: i64 = 86_400_000_000_000;
        for midnight in (i64::MIN / DAY_NS..=i64::MAX / DAY_NS).map(|day| day * DAY_NS) {
            assert_as_chrono(midnight);
            assert_as_chrono(midnight - 1);
        }
    }

    proptest! {
        #[test]
        fn a_time_is_as_chrono_has_it(ns: i64) {
            assert_as_chrono(ns);
        }
    }
}
