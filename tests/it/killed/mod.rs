//! Processes that are killed in the middle of a call, again and again, on one file: all that they were answered is there,
//! once, and the call that they were in has happened or has not.

mod controls;
mod creating;
mod left;
mod lives;
mod script;

use lives::{Manner, kill_again_and_again};

use crate::support::children::role;
use crate::support::rounds;

/// How many processes are killed in a test. `TASKSTORE_TEST_ROUNDS=10000` is the long run.
const KILLS: usize = 100;

#[test]
fn what_a_killed_process_with_one_thread_was_answered_is_there() {
    if let Some((role, path)) = role() {
        return lives::live(&role, &path);
    }
    let test = "killed::what_a_killed_process_with_one_thread_was_answered_is_there";
    kill_again_and_again(test, 1, Manner::Honest, rounds(KILLS)).unwrap();
}

#[test]
fn what_a_killed_process_with_eight_threads_was_answered_is_there() {
    if let Some((role, path)) = role() {
        return lives::live(&role, &path);
    }
    let test = "killed::what_a_killed_process_with_eight_threads_was_answered_is_there";
    kill_again_and_again(test, 8, Manner::Honest, rounds(KILLS)).unwrap();
}
