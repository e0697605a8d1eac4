//! The clock that stands still, and uuids that count.

use std::time::Duration;

use chrono::{DateTime, Utc};
use taskstore::Clock;
use taskstore::testing::{ManualClock, sequential_uuids};

use super::time;

const MINUTE: Duration = Duration::from_secs(60);

/// What both hands say.
fn hands(clock: &ManualClock) -> (DateTime<Utc>, Duration) {
    (clock.now(), clock.monotonic())
}

#[test]
fn a_clock_stands_still_until_it_is_told_otherwise() {
    let noon = time("2026-11-21T12:00:00.000000001Z");
    let clock = ManualClock::at(noon);
    assert_eq!(hands(&clock), (noon, Duration::ZERO));
    assert_eq!(hands(&clock), (noon, Duration::ZERO));
    clock.advance(MINUTE + Duration::from_nanos(1));
    assert_eq!(hands(&clock), (time("2026-11-21T12:01:00.000000002Z"), MINUTE + Duration::from_nanos(1)));
}

#[test]
fn the_wall_clock_alone_is_set_and_goes_back() {
    let clock = ManualClock::at(time("2026-11-21T12:00:00Z"));
    clock.advance(MINUTE);
    clock.set(time("1999-12-31T23:59:59Z"));
    assert_eq!(hands(&clock), (time("1999-12-31T23:59:59Z"), MINUTE));
    clock.go_back(MINUTE);
    assert_eq!(hands(&clock), (time("1999-12-31T23:58:59Z"), MINUTE));
    clock.advance(MINUTE);
    assert_eq!(hands(&clock), (time("1999-12-31T23:59:59Z"), 2 * MINUTE));
}

#[test]
fn a_clone_is_the_same_clock_also_on_another_thread() {
    let clock = ManualClock::at(time("2026-11-21T12:00:00Z"));
    let same = clock.clone();
    std::thread::spawn(move || same.advance(MINUTE)).join().unwrap();
    assert_eq!(hands(&clock), (time("2026-11-21T12:01:00Z"), MINUTE));
}

#[test]
fn at_the_ends_of_time_the_wall_clock_stands() {
    let clock = ManualClock::at(time("2026-11-21T12:00:00Z"));
    clock.go_back(Duration::MAX);
    assert_eq!(hands(&clock), (DateTime::<Utc>::MIN_UTC, Duration::ZERO));
    clock.advance(Duration::MAX);
    clock.advance(MINUTE);
    assert_eq!(hands(&clock), (DateTime::<Utc>::MAX_UTC, Duration::MAX));
}

#[test]
fn uuids_count_from_one_for_each_store() {
    for _ in 0..2 {
        let next = sequential_uuids();
        assert_eq!([next(), next(), next()].map(|uuid| uuid.as_u128()), [1, 2, 3]);
    }
}
