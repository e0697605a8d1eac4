//! How times and spans are told.

use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use taskstore::testing::{GivenError, Moment, Span, given};

use super::{store_at_noon, time};

/// When a task started, of which this was told.
fn started(moment: impl Into<Moment>) -> Result<DateTime<Utc>, GivenError> {
    let (store, _) = store_at_noon();
    let id = given(&store).task("t").started(moment).write()?;
    Ok(store.task(id).unwrap().started)
}

#[test]
fn a_time_is_before_now_or_absolute() {
    for (told, expected) in [
        ("now", "2026-11-21T12:00:00Z"),
        ("-0s", "2026-11-21T12:00:00Z"),
        ("+0s", "2026-11-21T12:00:00Z"),
        ("-2h", "2026-11-21T10:00:00Z"),
        ("-1d12h", "2026-11-20T00:00:00Z"),
        ("-90s", "2026-11-21T11:58:30Z"),
        ("-1w", "2026-11-14T12:00:00Z"),
        ("-1m1s1ms1us1ns", "2026-11-21T11:58:58.998998999Z"),
        ("-30s1m", "2026-11-21T11:58:30Z"),
        ("2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z"),
        ("1999-12-31T23:59:59.123456789+01:00", "1999-12-31T22:59:59.123456789Z"),
        ("1678-01-01T00:00:00Z", "1678-01-01T00:00:00Z"),
    ] {
        assert_eq!(started(told).unwrap(), time(expected), "{told}");
        assert_eq!(started(told.to_owned()).unwrap(), time(expected), "{told}");
    }
    assert_eq!(started(time("2026-11-20T12:00:00Z")).unwrap(), time("2026-11-20T12:00:00Z"));
    assert_eq!(started(Moment::ago(Duration::from_secs(60))).unwrap(), time("2026-11-21T11:59:00Z"));
}

#[test]
fn what_is_no_time_is_named() {
    let no_times = [
        "",
        "-",
        "yesterday",
        "2h",
        "-2",
        "-h",
        "-2H",
        "-1.5h",
        "- 2h",
        "-2h ",
        "--2h",
        "-2h-1m",
        "-٢h",
        "-1x",
        "\u{2212}2h",
        "-99999999999999999999h",
        "-585y",
        "-99999999999d",
        "2026-11-21",
        "2026-11-21T12:00:00",
        "2026-11-21T12:00:00.1234567890Z",
        "1677-01-01T00:00:00Z",
        "-400000d",
    ];
    for text in no_times {
        let error = started(text).unwrap_err();
        assert!(matches!(&error, GivenError::NotATime { step, .. } if step == "started"), "{text:?}: {error:?}");
    }
    let named = started("yesterday").unwrap_err().to_string();
    let expected = r#"started of task "t" is at "yesterday"; a time is like "-2h", "-1d12h" or "now", or like "2026-11-21T12:00:00Z""#;
    assert_eq!(named, expected);
    for moment in [Moment::from(DateTime::<Utc>::MIN_UTC), Moment::ago(Duration::MAX)] {
        assert!(matches!(started(moment).unwrap_err(), GivenError::NotATime { .. }));
    }
}

#[test]
fn a_span_is_told_in_units_and_read_again() {
    let told = |seconds, ns| Span::from(Duration::new(seconds, ns)).to_string();
    assert_eq!([told(0, 0), told(90, 0), told(7_200, 0)], ["0s", "1m30s", "2h"]);
    assert_eq!([told(86_400 * 9 + 3_600, 0), told(1, 500_000_000), told(0, 1_001)], ["9d1h", "1s500ms", "1us1ns"]);
    assert!("30500w".parse::<Span>().is_ok());
    for text in ["584y", "30501w", "", "5", "m", "-5m", "5m ", "18446744073709551616ns"] {
        let refused = Span::try_from(text).unwrap_err();
        assert_eq!(refused.to_string(), r#"span must be like "5m" or "1d12h""#, "{text:?}");
    }
}

proptest! {
    #[test]
    fn every_span_is_read_as_it_was_told(ns: u64) {
        let span = Span::from(Duration::from_nanos(ns));
        prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
    }
}
