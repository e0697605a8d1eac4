//! Times as JSON, without a heap allocation: a stream writes several for each row.

const NS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: u64 = 24 * 60 * 60;
/// From 1 March 0000, where the years are counted from to have the leap day last, to 1 January 1970.
const DAYS_TO_1970: u64 = 719_468;
const DAYS_PER_400_YEARS: u64 = 146_097;

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
        // No stored time is before the year 0000.
        let seconds = (ns.div_euclid(NS_PER_SECOND) + (DAYS_TO_1970 * SECONDS_PER_DAY).cast_signed()).unsigned_abs();
        let (year, month, day) = date(seconds / SECONDS_PER_DAY);
        let second = seconds % SECONDS_PER_DAY;
        let fraction = ns.rem_euclid(NS_PER_SECOND).unsigned_abs();

        let [c, y, mo, d] = [year / 100, year, month, day].map(two_digits);
        let [h, mi, s] = [second / 3_600, second / 60 % 60, second % 60].map(two_digits);
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
        let mut time = Self { length, ..Self::nine_digits(ns) };
        if let Some(end) = time.bytes.get_mut(length - 2..length) {
            end.copy_from_slice(b"Z\"");
        }
        time
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).expect("it is no longer than its room")
    }
}

/// Year, month and day of the Gregorian calendar, of a day counted from 1 March 0000.
///
/// It is the algorithm that Howard Hinnant published as `civil_from_days`: within 400 years all are counted alike, and
/// with years that begin in March the lengths of the months are a straight line, rounded down.
fn date(days: u64) -> (u64, u64, u64) {
    let day = days % DAYS_PER_400_YEARS;
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let years = days / DAYS_PER_400_YEARS * 400 + year;
    if month_from_march < 10 {
        (years, month_from_march + 3, day_of_month)
    } else {
        (years + 1, month_from_march - 9, day_of_month)
    }
}

/// The last two.
fn two_digits(number: u64) -> [u8; 2] {
    let number = number % 100;
    [number / 10, number % 10].map(|digit| {
        let [digit, ..] = digit.to_le_bytes();
        b'0' + digit
    })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat};
    use proptest::prelude::*;

    use super::*;

    fn assert_is_as_chrono_has_it(ns: i64) {
        let time = DateTime::from_timestamp_nanos(ns);
        let nine_digits = format!("{:?}", time.to_rfc3339_opts(SecondsFormat::Nanos, true));
        assert_eq!(std::str::from_utf8(JsonTime::nine_digits(ns).as_bytes()), Ok(nine_digits.as_str()));
        let few_digits = serde_json::to_string(&time).unwrap();
        assert_eq!(std::str::from_utf8(JsonTime::few_digits(ns).as_bytes()), Ok(few_digits.as_str()));
    }

    #[test]
    fn every_day_and_both_ends_of_what_can_be_stored_are_as_chrono_has_them() {
        let ns_per_day = 86_400 * NS_PER_SECOND;
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
