//! At any moment of a store's life the power is cut: what was acknowledged is there, once, and nothing by halves.
//!
//! `TASKSTORE_TEST_ROUNDS=100000 cargo test --release --test it -- disk::crash_states` takes longer and sees more; a line of
//! a failure says how to repeat it.

use taskstore::Durability;

use super::power_cut::Syncs;
use super::random::Random;
use super::recording::{Call, Recording, nothing};
use super::rounds::{seed, wrong};
use super::simulated::Disk;
use super::world::{Shown, options};
use crate::support::files::shell;
use crate::support::rounds;

/// Power cuts in one life.
const CUTS: usize = 50;

/// Most lives are short, since their cuts are cheap to look at; in a long one the `-wal` is merged and begins anew.
const STEPS: [usize; 8] = [35, 60, 40, 60, 35, 80, 40, 400];

fn recording_of(seed: u64, durability: Durability) -> (Recording, Random) {
    let mut random = Random::new(seed);
    let steps = STEPS[(seed % STEPS.len() as u64) as usize];
    (Recording::of(&mut random, steps, durability), random)
}

/// Cuts the power so often, in lives of one seed each.
fn survives(test: &str, cuts: usize, durability: Durability) {
    let seeds = seed().map_or(0..(cuts.div_ceil(CUTS) as u64), |seed| seed..seed + 1);
    let wrong = wrong(&seeds.collect::<Vec<_>>(), |seed| {
        let (recording, mut random) = recording_of(*seed, durability);
        let found = recording.cut(Syncs::Honoured, CUTS, &mut random);
        found.into_iter().map(|problem| format!("seed {seed}: {problem}")).collect()
    });
    assert!(
        wrong.is_empty(),
        "{}\nagain: TASKSTORE_TEST_SEED={{seed}} cargo test --test it -- disk::crash_states::{test}",
        wrong.join("\n")
    );
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_at_any_moment() {
    survives("what_was_acknowledged_survives_a_power_cut_at_any_moment", rounds(2_000), Durability::Full);
}

#[test]
fn at_normal_durability_a_power_cut_leaves_the_first_calls_and_all_up_to_the_last_flush() {
    let test = "at_normal_durability_a_power_cut_leaves_the_first_calls_and_all_up_to_the_last_flush";
    survives(test, rounds(2_000) / 8, Durability::Normal);
}

/// The broken variants are found out in so many of a hundred cuts at least.
const FOUND_MIN: usize = 10;

#[test]
fn a_disk_that_only_says_that_it_has_synced_is_found_out() {
    let (recording, mut random) = recording_of(7, Durability::Full);
    let found = recording.cut(Syncs::Ignored, 100, &mut random);
    assert!(found.len() >= FOUND_MIN, "{found:#?}");
    assert!(found.iter().any(|problem| !problem.contains("calls were answered")), "no damage: {found:#?}");
}

#[test]
fn a_store_that_answers_before_it_commits_is_found_out() {
    let (mut recording, mut random) = recording_of(1, Durability::Full);
    for call in &mut recording.calls {
        call.answered = call.made;
    }
    let found = recording.cut(Syncs::Honoured, 100, &mut random);
    assert!(found.len() >= FOUND_MIN, "{found:#?}");
}

#[test]
fn a_store_that_never_syncs_is_found_out() {
    let found = written_by_hand("OFF").cut(Syncs::Honoured, 100, &mut Random::new(1));
    assert!(found.len() >= FOUND_MIN, "{found:#?}");
    assert!(found.iter().any(|problem| !problem.contains("calls were answered")), "no damage: {found:#?}");
    // It is the setting that makes the difference.
    assert_eq!(written_by_hand("FULL").cut(Syncs::Honoured, 100, &mut Random::new(1)), [""; 0]);
}

/// The store's own statements for a task that is started, by another program.
const BY_HAND: &str = "
    BEGIN IMMEDIATE;
    INSERT INTO task (title, performed_by, started_ns, updated_ns, message_count)
        VALUES ('Create standby', 'ann', 1, 1, 1);
    INSERT INTO message (task_id, seq, time_ns, level, text)
        VALUES (last_insert_rowid(), 1, 1, 3, printf('%.3000c', 'm'));
    INSERT INTO task_count (configuration_id, in_progress) VALUES (0, 1)
        ON CONFLICT (configuration_id) DO UPDATE SET in_progress = in_progress + 1;
    DELETE FROM message WHERE task_id = (SELECT max(id) - 20 FROM task);
    UPDATE task SET message_count = 0 WHERE id = (SELECT max(id) - 20 FROM task);
    COMMIT";

/// A life of a hundred calls written by a plain connection, which syncs so, and which merges the `-wal` now and then.
fn written_by_hand(synchronous: &str) -> Recording {
    let disk = Disk::new();
    options(Durability::Full).open(disk.file()).unwrap().close().unwrap();
    let call = |made, answered| Call { name: "by hand".to_owned(), made, answered, flushes: false };
    let mut recording = Recording {
        durability: Durability::Full,
        log: Vec::new(),
        calls: vec![call(0, disk.position())],
        shown: vec![nothing(), nothing()],
    };
    let plain = shell(&disk.file());
    plain.pragma_update(None, "synchronous", synchronous).unwrap();
    plain.pragma_update(None, "wal_autocheckpoint", 40).unwrap();
    let reader = options(Durability::Full).read_only(true).open(disk.file()).unwrap();
    for _ in 0..100 {
        let made = disk.position();
        plain.execute_batch(BY_HAND).unwrap();
        recording.calls.push(call(made, disk.position()));
        recording.show(Shown::by(&reader).unwrap(), true);
    }
    recording.log = disk.log();
    recording
}
