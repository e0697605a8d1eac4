//! Times as people say them.

use chrono::{DateTime, TimeDelta, Utc};

/// `2026-07-01 12:00:00 UTC`
pub fn absolute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `2026-07-01 12:00:00.123`, UTC too.
pub fn to_the_millisecond(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// `3 min ago`; `in 2 s` if a clock disagrees.
pub fn relative(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let passed = now - time;
    let seconds = passed.num_seconds().unsigned_abs();
    let amount = match seconds {
        0 => return "just now".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    };
    if passed < TimeDelta::zero() { format!("in {amount}") } else { format!("{amount} ago") }
}

/// `350 ms`, `5.2 s`, `3 min 5 s`, `2 h 3 min`, `4 d 2 h`. What is negative, by a clock that went back, is `0 ms`.
pub fn duration(taken: TimeDelta) -> String {
    let taken = taken.to_std().unwrap_or_default();
    let seconds = taken.as_secs();
    match seconds {
        0 => format!("{} ms", taken.as_millis()),
        1..60 => format!("{seconds}.{} s", taken.subsec_millis() / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_their_largest_unit() {
        let now = Utc::now();
        let told = |ms| relative(now - TimeDelta::milliseconds(ms), now);
        assert_eq!([told(0), told(999), told(-999)], ["just now", "just now", "just now"]);
        assert_eq!([told(1_000), told(59_999), told(60_000)], ["1 s ago", "59 s ago", "1 min ago"]);
        assert_eq!([told(3_599_999), told(3_600_000)], ["59 min ago", "1 h ago"]);
        assert_eq!([told(86_399_999), told(86_400_000), told(-2_500)], ["23 h ago", "1 d ago", "in 2 s"]);
    }

    #[test]
    fn durations_are_told_in_two_units() {
        let told = |ms| duration(TimeDelta::milliseconds(ms));
        assert_eq!([told(-5), told(350), told(5_290), told(59_999)], ["0 ms", "350 ms", "5.2 s", "59.9 s"]);
        assert_eq!([told(185_000), told(7_380_000), told(352_800_000)], ["3 min 5 s", "2 h 3 min", "4 d 2 h"]);
    }
}
