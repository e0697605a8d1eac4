//! The limit on the size of a file (`ulimit -f`), which kills a program that does not expect it.

use super::Place;

const PROGRAM: &str = env!("CARGO_BIN_EXE_taskstore");

/// What a script prints, and what it exits with. In it `$0` is the program.
fn sh(place: &Place, script: &str) -> (String, Option<i32>) {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, PROGRAM]).current_dir(place.path("")).env_remove("TASKSTORE_DB");
    let output = command.output().unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

#[test]
fn past_the_limit_a_command_says_that_there_is_no_room_and_does_not_die_of_a_signal() {
    let place = Place::new();
    place.store().close().unwrap();
    // In blocks of 512 or 1,024 bytes: less than the `-wal` of a write either way.
    let (said, code) = sh(&place, "ulimit -f 4; \"$0\" start --title Deploy");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the disk is full; nothing was written: File too large"), "{said}");
    assert!(said.ends_with("; make room and try again\n"), "{said}");
    assert_eq!(place.store().list(&taskstore::TaskFilter::new()).unwrap().items, []);
}

#[test]
fn a_command_that_is_run_gets_the_signal_as_ever() {
    let place = Place::new();
    let (said, _) = sh(&place, "\"$0\" run --title Kill -- sh -c 'kill -XFSZ $$; echo survived'");
    assert!(said.contains("killed by signal 25 (SIGXFSZ)"), "{said}");
    assert!(!place.said(1).contains(&"info survived".to_owned()));
}

/// The control: what our caller ignores stays ignored, also in the command.
#[test]
fn a_command_inherits_that_the_signal_is_ignored() {
    let place = Place::new();
    let (said, code) = sh(&place, "trap '' XFSZ; \"$0\" run --title Kill -- sh -c 'kill -XFSZ $$; echo survived'");
    assert_eq!(code, Some(0), "{said}");
    assert!(place.said(1).contains(&"info survived".to_owned()));
}
