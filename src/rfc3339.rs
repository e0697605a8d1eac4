//! Times as JSON, without a heap allocation: a stream writes several for each row.

use chrono::{DateTime, Datelike, Timelike};

/// A stored time in UTC as RFC 3339 has it, in quotes.
pub(crate) struct JsonTime {
    bytes: [u8; LENGTH_MAX],
    length: usize,
}

/// Of `"2026-11-21T12:00:00.000000000Z"`. What can be stored lies between the years 1677 and 2262.
const LENGTH_MAX: usize = 32;

impl JsonTime {
    /// With nine fraction digits, as the task API has it.
    pub(crate) fn nine_digits(ns: i64) -> Self {
        let time = DateTime::from_timestamp_nanos(ns);
        let date = time.date_naive();
        let year = date.year().unsigned_abs();
        let fraction = time.timestamp_subsec_nanos();

        let [c, y, mo, d] = [year / 100, year, date.month(), date.day()].map(two_digits);
        let [h, mi, s] = [time.hour(), time.minute(), time.second()].map(two_digits);
        let [f0, f2, f4, f6] =
            [fraction / 10_000_000, fraction / 100_000, fraction / 1_000, fraction / 10].map(two_digits);
        let [_, f8] = two_digits(fraction);
        let bytes = [
            b'"', c[0], c[1], y[0], y[1], b'-', mo[0], mo[1], b'-', d[0], d[1], b'T', h[0], h[1], b':', mi[0], mi[1],
            b':', s[0], s[1], b'.', f0[0], f0[1], f2[0], f2[1], f4[0], f4[1], f6[0], f6[1], f8, b'Z', b'"',
        ];
        Self { bytes, length: LENGTH_MAX }
    }

    /// With no fraction digits, or three, six or nine: as few as tell the time. So chrono's times are as JSON.
    pub(crate) fn few_digits(ns: i64) -> Self {
        let length = match ns {
            _ if ns % 1_000_000_000 == 0 => LENGTH_MAX - 10,
            _ if ns % 1_000_000 == 0 => LENGTH_MAX - 6,
            _ if ns % 1_000 == 0 => LENGTH_MAX - 3,
            _ => LENGTH_MAX,
        };
        Self::cut(ns, length)
    }

    /// With six fraction digits, what is finer cut off; with none if all six are zero. So the system-task API has it.
    pub(crate) fn six_digits_or_none(ns: i64) -> Self {
        let is_whole = ns.rem_euclid(1_000_000_000) < 1_000;
        Self::cut(ns, if is_whole { LENGTH_MAX - 10 } else { LENGTH_MAX - 3 })
    }

    /// Without the last fraction digits, and without their point if there are none left.
    fn cut(ns: i64, length: usize) -> Self {
        let mut time = Self { length, ..Self::nine_digits(ns) };
        if let Some(end) = time.bytes.get_mut(length - 2..length) {
            end.copy_from_slice(b"Z\"");
        }
        time
    }

    /// Without the quotes.
    pub(crate) fn as_str(&self) -> &str {
        let text = self.bytes.get(1..self.length - 1).and_then(|text| str::from_utf8(text).ok());
        text.expect("it is ASCII between two quotes")
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).expect("it is no longer than its room")
    }
}

/// The last two.
fn two_digits(number: u32) -> [u8; 2] {
    let number = number % 100;
    [number / 10, number % 10].map(|digit| {
        let [digit, ..] = digit.to_le_bytes();
        b'0' + digit
    })
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    use super::*;

    fn assert_is_as_chrono_has_it(ns: i64) {
        let time = DateTime::from_timestamp_nanos(ns);
        let nine_digits = format!("{:?}", time.to_rfc3339_opts(SecondsFormat::Nanos, true));
        assert_eq!(std::str::from_utf8(JsonTime::nine_digits(ns).as_bytes()), Ok(nine_digits.as_str()));
        let few_digits = serde_json::to_string(&time).unwrap();
        assert_eq!(std::str::from_utf8(JsonTime::few_digits(ns).as_bytes()), Ok(few_digits.as_str()));
        let digits = if time.timestamp_subsec_micros() == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
        let six_digits = format!("{:?}", time.to_rfc3339_opts(digits, true));
        assert_eq!(std::str::from_utf8(JsonTime::six_digits_or_none(ns).as_bytes()), Ok(six_digits.as_str()));
    }

    #[test]
    fn every_day_and_both_ends_of_what_can_be_stored_are_as_chrono_has_them() {
        let ns_per_day = 86_400 * 1_000_000_000;
        for day in i64::MIN / ns_per_day..=i64::MAX / ns_per_day {
            assert_is_as_chrono_has_it(day * ns_per_day);
        }
        for ns in [i64::MIN, i64::MIN + 1, -1, 1, i64::MAX] {
            assert_is_as_chrono_has_it(ns);
        }
    }

    proptest! {
        #[test]
        fn every_time_is_as_chrono_has_it(
            ns: i64, unit in prop::sample::select(&[1, 1_000, 1_000_000, 1_000_000_000][..]),
        ) {
            assert_is_as_chrono_has_it(ns / unit * unit);
        }
    }
}
