//! Each of SQLite's requests for memory fails, once or from then on, with the same promises as where a call of the disk
//! does.
//!
//! `TASKSTORE_TEST_ROUNDS=100000 cargo test --release --test it -- disk::out_of_memory` fails every request instead of some.

use std::env;

use super::life::{Claims, Life};
use super::memory::Memory;
use super::rounds::spread;
use super::simulated::Disk;
use crate::support::children::{command, role, run, say};
use crate::support::rounds;

/// The request that fails, as a failure tells it: `once,17`.
const FAULT: &str = "TASKSTORE_TEST_FAULT";

fn lives(memory: &Memory, rounds: usize, claims: Claims) {
    let disk = Disk::new();
    memory.fail(0, false);
    let life = Life::healthy(&disk);
    let all = memory.requests();
    let mut plans: Vec<_> =
        [false, true].into_iter().flat_map(|forever| spread(all, rounds).map(move |from| (from, forever))).collect();
    if let Ok(plan) = env::var(FAULT) {
        let (times, from) = plan.split_once(',').unwrap();
        plans = vec![(from.parse().unwrap(), times == "forever")];
    }
    for (from, forever) in plans {
        let disk = Disk::new();
        memory.fail(from, forever);
        if let Err(problem) = life.live(&disk, memory, forever, false, claims) {
            let times = if forever { "forever" } else { "once" };
            say(&format!("{times},{from}: {}", problem.replace('\n', " ")));
        }
    }
}

/// What was wrong in the lives of a process whose memory runs out.
fn wrong(test: &str, role: &str) -> Vec<String> {
    run(command(test, role, std::path::Path::new("none")))
}

#[test]
fn a_lack_of_memory_costs_nothing_that_was_acknowledged() {
    if role().is_some() {
        return lives(&Memory::watched(), rounds(40), Claims::Honest);
    }
    let test = "disk::out_of_memory::a_lack_of_memory_costs_nothing_that_was_acknowledged";
    let wrong = wrong(test, "starved");
    assert!(
        wrong.is_empty(),
        "{}\n{} in all; again: {FAULT}={{once,17}} cargo test --test it -- {test}",
        wrong[..wrong.len().min(20)].join("\n"),
        wrong.len()
    );
}

#[test]
fn a_store_that_acknowledges_what_it_had_no_memory_for_is_found_out() {
    if role().is_some() {
        return lives(&Memory::watched(), 10, Claims::RefusedIsDone);
    }
    let test = "disk::out_of_memory::a_store_that_acknowledges_what_it_had_no_memory_for_is_found_out";
    let wrong = wrong(test, "starved");
    assert!(wrong.len() >= 5, "{wrong:#?}");
}
