//! Times and durations on the wire: section 5 of the fact sheet.

use std::time::Duration;

use taskstore::RunOptions;

use super::{member, retrieved};
use crate::support::Nanoseconds as _;
use crate::system_task::{NOON_NS, SECOND_NS, start, store_at_noon};

/// How a time is written, of the start, the end, an event and the expiry alike.
fn written(ns: i64) -> String {
    let (store, clock) = store_at_noon();
    clock.set_ns(ns);
    let options = RunOptions::new().expires_after(Duration::ZERO);
    let run = store.system_tasks().start_with("a", None, options).unwrap();
    let uuid = run.uuid().to_string();
    run.info("e", ()).unwrap();
    run.finish().unwrap();
    let object = retrieved(&store, &uuid, &[]).unwrap();
    let time = member(&object, "start_timestamp", "finish_timestamp");
    assert_eq!(member(&object, "finish_timestamp", "duration"), time);
    assert_eq!(member(&object, "timestamp", "log_level"), time);
    assert_eq!(member(&object, "expires", "expiring"), time);
    time.trim_matches('"').to_owned()
}

#[test]
fn a_time_has_six_digits_or_none_if_they_are_zero_and_what_is_finer_is_cut() {
    for (ns, expected) in [
        (0, "2024-11-21T12:00:00Z"),
        (1, "2024-11-21T12:00:00Z"),
        (999, "2024-11-21T12:00:00Z"),
        (1_000, "2024-11-21T12:00:00.000001Z"),
        (1_999, "2024-11-21T12:00:00.000001Z"),
        (500_000_000, "2024-11-21T12:00:00.500000Z"),
        (123_456_789, "2024-11-21T12:00:00.123456Z"),
        (999_999_999, "2024-11-21T12:00:00.999999Z"),
        (SECOND_NS, "2024-11-21T12:00:01Z"),
        (-1, "2024-11-21T11:59:59.999999Z"),
    ] {
        assert_eq!(written(NOON_NS + ns), expected, "{ns}");
    }
}

#[test]
fn a_time_before_1970_is_cut_the_same_way() {
    assert_eq!(written(0), "1970-01-01T00:00:00Z");
    assert_eq!(written(-1), "1969-12-31T23:59:59.999999Z");
    assert_eq!(written(-1_000), "1969-12-31T23:59:59.999999Z");
    assert_eq!(written(-1_001), "1969-12-31T23:59:59.999998Z");
    assert_eq!(written(-SECOND_NS), "1969-12-31T23:59:59Z");
    assert_eq!(written(i64::MAX), "2262-04-11T23:47:16.854775Z");
    assert_eq!(written(i64::MIN), "1677-09-21T00:12:43.145224Z");
}

/// How a duration is written.
fn duration(ns: i64) -> String {
    let (store, clock) = store_at_noon();
    let run = start(&store, "a");
    let uuid = run.uuid().to_string();
    clock.advance_ns(ns);
    // The duration is of the monotonic clock alone.
    clock.set_ns(NOON_NS);
    run.finish().unwrap();
    member(&retrieved(&store, &uuid, &[]).unwrap(), "duration", "status").to_owned()
}

#[test]
fn a_duration_is_seconds_with_a_fraction_or_an_exponent() {
    for (ns, expected) in [
        (0, "0.0"),
        (SECOND_NS, "1.0"),
        (3 * SECOND_NS / 2, "1.5"),
        (100_000_000, "0.1"),
        (1_000_000, "0.001"),
        (3_600 * SECOND_NS, "3600.0"),
        (86_400 * SECOND_NS + 1_000_000, "86400.001"),
        (1_234_567_890, "1.23456789"),
        (12_345_678_900_000_000, "12345678.9"),
    ] {
        assert_eq!(duration(ns), expected, "{ns}");
    }
}

#[test]
fn no_duration_is_written_like_an_integer_or_as_text() {
    for ns in [1, 10, 999, 10_000, 12_345, 1_000_000_000_000, 1_000_000_000_000_000, 9_000_000_000_000_000_000] {
        let text = duration(ns);
        assert!(text.contains(['.', 'e']) && !text.contains(['"', 'E']), "{ns} is {text}");
        let seconds: f64 = text.parse().unwrap();
        let expected = ns as f64 / SECOND_NS as f64;
        assert!((seconds - expected).abs() <= expected * f64::EPSILON, "{ns} is {text}");
    }
}
