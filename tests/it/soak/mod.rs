//! The same work for a long time: descriptors, memory and the `-wal` stay as they are.

mod resources;
mod work;

use std::time::{Duration, Instant};

use resources::{Resources, growth};
use work::Work;

use crate::support::children::{command, role, run};

/// How many seconds the long test works; it is asked for by name: `cargo test --release -- --ignored soak`.
const SECONDS: &str = "TASKSTORE_TEST_SOAK_SECONDS";

/// One round is some two hundred calls. What is allocated once has been by the end of the first ones.
const WARM_UP: usize = 30;

/// What a broken program keeps of each round.
#[derive(Clone, Copy, PartialEq)]
enum Kept {
    Nothing,
    /// A store, as one that is never closed.
    Store,
    /// A few KiB.
    Bytes,
}

/// Works for so many rounds, and tells what has grown.
fn soak(rounds: usize, kept: Kept) -> Option<String> {
    let mut work = Work::new();
    let (mut stores, mut bytes) = (Vec::new(), Vec::new());
    let mut after_warm_up = None;
    for round in 0..rounds {
        work.round();
        match kept {
            Kept::Nothing => {}
            Kept::Store => stores.push(crate::support::open(work.path())),
            Kept::Bytes => bytes.push(vec![1_u8; 64 << 10]),
        }
        if round == WARM_UP {
            after_warm_up = Some(Resources::now(work.path()));
        }
    }
    growth(&after_warm_up.unwrap(), &Resources::now(work.path()))
}

/// In a process of its own: others' memory and descriptors are not its.
fn in_a_process(test: &str, kept: Kept) {
    if role().is_some() {
        let grown = soak(WARM_UP + 60, kept);
        return crate::support::children::say(&format!("{grown:?}"));
    }
    let directory = tempfile::tempdir().unwrap();
    let said = run(command(test, "works", directory.path()));
    let found = match kept {
        Kept::Nothing => said == ["None"],
        Kept::Store => said[0].contains("descriptors"),
        Kept::Bytes => said[0].contains("memory"),
    };
    assert!(found, "{said:?}");
}

#[test]
fn some_thousands_of_calls_leave_no_descriptor_open_and_no_memory_taken() {
    let test = "soak::some_thousands_of_calls_leave_no_descriptor_open_and_no_memory_taken";
    in_a_process(test, Kept::Nothing);
}

#[test]
fn a_store_that_is_kept_in_each_round_is_found() {
    in_a_process("soak::a_store_that_is_kept_in_each_round_is_found", Kept::Store);
}

#[test]
fn memory_that_is_kept_in_each_round_is_found() {
    in_a_process("soak::memory_that_is_kept_in_each_round_is_found", Kept::Bytes);
}

/// The long one. It is gentle: a round a tenth of a second.
#[test]
#[ignore = "it takes as long as TASKSTORE_TEST_SOAK_SECONDS says, an hour by default"]
fn the_same_work_for_an_hour_leaves_everything_as_it_was() {
    let seconds = std::env::var(SECONDS).map_or(3_600, |seconds| seconds.parse().unwrap());
    let (mut work, started) = (Work::new(), Instant::now());
    let mut after_warm_up = None;
    let mut minutes = 0;
    for round in 0_u32.. {
        work.round();
        // The system's own caches have settled after a few minutes, or a tenth of a shorter test.
        let elapsed = started.elapsed().as_secs();
        if after_warm_up.is_none() && elapsed >= (seconds / 10).min(300) {
            after_warm_up = Some(Resources::now(work.path()));
        }
        if elapsed / 60 > minutes {
            minutes = elapsed / 60;
            println!("minute {minutes}: {round} rounds, {:?}", Resources::now(work.path()));
        }
        if elapsed >= seconds {
            break;
        }
        std::thread::sleep(
            (started + Duration::from_millis(100) * (round + 1)).saturating_duration_since(Instant::now()),
        );
    }
    let (before, after) = (after_warm_up.unwrap(), Resources::now(work.path()));
    println!("after the warm-up {before:?}, at the end {after:?}");
    assert_eq!(growth(&before, &after), None);
}
