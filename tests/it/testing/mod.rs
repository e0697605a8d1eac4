//! The feature `testing`: its clock, the pasts that it writes, its assertions, faults on demand, and a simulated system.

mod assertions;
mod clock;
mod faults;
mod faults_random;
mod given;
mod history;
mod refused;
mod runs;
mod simulation;
mod times;

use chrono::{DateTime, Utc};
use taskstore::TaskStore;
use taskstore::testing::{ManualClock, options};

/// An empty store whose clock stands at noon.
fn store_at_noon() -> (TaskStore, ManualClock) {
    let clock = ManualClock::at(time("2026-11-21T12:00:00Z"));
    (options(&clock).open_temporary().unwrap(), clock)
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
