//! Makes a store of rows that are hard on clients, and prints as JSON what the two published APIs must say of them:
//! `awkward_store PATH`. What is printed is told from what was put in, never read back from the store.
#![allow(clippy::unwrap_used)]

mod system_tasks;
mod tasks;

use std::time::Duration;
use std::{env, io};

use chrono::{DateTime, Utc};
use serde::Serialize;
use taskstore::testing::ManualClock;
use taskstore::{Clock, Durability, OpenOptions, TaskStore};

/// An empty store, and the clock that its times come from.
struct World {
    store: TaskStore,
    clock: ManualClock,
}

impl World {
    /// From now on it is then.
    fn set_time(&self, rfc3339: &str) {
        self.clock.set(rfc3339.parse().unwrap());
    }

    /// What the clock says, after so long.
    fn after_ns(&self, ns: u64) -> DateTime<Utc> {
        self.clock.advance(Duration::from_nanos(ns));
        self.clock.now()
    }
}

#[derive(Serialize)]
struct Expected {
    system_tasks: Vec<system_tasks::Row>,
    tasks: tasks::Expected,
}

fn main() {
    let path = env::args_os().nth(1).expect("usage: awkward_store PATH");
    let clock = ManualClock::at(DateTime::UNIX_EPOCH);
    let options = OpenOptions::new().durability(Durability::Normal).clock(clock.clone());
    let world = World { store: options.open(path).unwrap(), clock };
    let expected = Expected { system_tasks: system_tasks::record(&world), tasks: tasks::record(&world) };
    serde_json::to_writer(io::stdout(), &expected).unwrap();
    world.store.close().unwrap();
}
