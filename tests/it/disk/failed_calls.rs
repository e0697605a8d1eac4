//! Each call of the disk fails, once or from then on: no call of the store answers `Ok` for what is not there, one that was
//! refused has changed nothing, and when the disk works again the same open store does.
//!
//! `TASKSTORE_TEST_ROUNDS=100000 cargo test --release --test it -- disk::failed_calls` fails every call instead of some.

use std::env;

use taskstore::Error;

use super::fault::{Fault, Plan};
use super::life::{Claims, Life, Trouble};
use super::rounds::{spread, wrong};
use super::simulated::Disk;
use crate::support::rounds;

/// The call that fails, as a failure tells it: `io,once,17`.
const FAULT: &str = "TASKSTORE_TEST_FAULT";

impl Trouble for Disk {
    fn hits(&self) -> u64 {
        Disk::hits(self)
    }

    fn explains(&self, error: &Error) -> bool {
        match self.fault() {
            Some(Fault::Full) => matches!(error, Error::DiskFull { .. }),
            Some(Fault::InputOutput | Fault::Sync) | None => {
                matches!(error, Error::OutcomeUnknown { .. } | Error::Engine { .. } | Error::CannotOpen { .. })
            }
        }
    }

    fn end(&self) {
        self.repair();
    }
}

/// What was wrong in the life in which the disk failed so.
fn live(life: &Life, plan: Plan, claims: Claims) -> Result<(), String> {
    let disk = Disk::new();
    disk.fail(plan);
    life.live(&disk, &disk, plan.forever, plan.fault.leaves_reads(), claims)
        .map_err(|problem| format!("{plan}: {problem}"))
}

fn lives(faults: &[Fault], rounds: usize, claims: Claims) -> Vec<String> {
    let disk = Disk::new();
    let life = Life::healthy(&disk);
    assert!(disk.calls(Fault::InputOutput) >= 600, "{}", disk.calls(Fault::InputOutput));
    let mut plans: Vec<Plan> = Vec::new();
    for &fault in faults {
        for forever in [false, true] {
            plans.extend(spread(disk.calls(fault), rounds).map(|from| Plan { fault, from, forever }));
        }
    }
    if let Ok(plan) = env::var(FAULT) {
        plans = vec![plan.parse().unwrap()];
    }
    wrong(&plans, |plan| live(&life, *plan, claims).err().into_iter().collect())
}

#[test]
fn a_call_of_the_disk_that_fails_costs_nothing_that_was_acknowledged() {
    let wrong = lives(&Fault::ALL, rounds(40), Claims::Honest);
    let test = "a_call_of_the_disk_that_fails_costs_nothing_that_was_acknowledged";
    assert!(
        wrong.is_empty(),
        "{}\nagain: {FAULT}={{io,once,17}} cargo test --test it -- disk::failed_calls::{test}",
        wrong.join("\n")
    );
}

#[test]
fn a_store_that_acknowledges_before_it_commits_is_found_out() {
    let wrong = lives(&Fault::ALL, 5, Claims::RefusedIsDone);
    assert!(wrong.len() >= 5, "{wrong:#?}");
}

#[test]
fn a_store_that_takes_every_error_for_a_refusal_is_found_out() {
    let wrong = lives(&[Fault::Sync], 20, Claims::UnknownIsRefused);
    assert!(!wrong.is_empty());
}
