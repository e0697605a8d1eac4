//! `taskstore check`.

use super::Place;
use crate::support::files::{bytes, set_mode, shell};
use crate::support::finished;

fn sound() -> Place {
    let place = Place::new();
    finished(&place.store(), "t");
    place
}

#[test]
fn a_sound_database_is_ok_and_is_left_as_it_is() {
    let place = sound();
    let before = bytes(&place.path("tasks.db"));
    assert_eq!(place.ok(&["check"]), "ok\n");
    set_mode(&place.path("tasks.db"), 0o444);
    assert_eq!(place.ok(&["check"]), "ok\n");
    assert_eq!(bytes(&place.path("tasks.db")), before);
}

#[test]
fn whoever_meets_damage_is_told_what_to_do() {
    let place = sound();
    shell(&place.path("tasks.db")).execute_batch("ALTER TABLE task RENAME COLUMN title TO lost").unwrap();
    let told = place.refused(&["list"]);
    assert!(told.ends_with("; restore it from a backup\n"), "{told}");
}

#[test]
fn each_finding_is_a_line_and_the_status_is_1() {
    let place = sound();
    let change = "
        PRAGMA ignore_check_constraints = on;
        UPDATE task_count SET finished = 5; UPDATE task SET message_count = 3, progress_total = -1;
        CREATE TABLE \"a\x1b[2Jb\" (x REFERENCES task (id)); INSERT INTO \"a\x1b[2Jb\" VALUES (9)";
    shell(&place.path("tasks.db")).execute_batch(&format!("PRAGMA foreign_keys = off; {change}")).unwrap();
    let ended = place.call(&["check"]);
    assert_eq!((ended.code, ended.error.as_str()), (Some(1), ""));
    let lines = [
        "damage: CHECK constraint failed in 1 of task: progress_done >= 0 AND progress_total >= 0",
        "damage: CHECK constraint failed in 1 of task: progress_done IS NOT NULL OR (progress_total IS NULL AND progress_phase IS NULL)",
        "row 1 of a\\x1b[2Jb refers to a task that is not there",
        "the counts of the tasks without a configuration are wrong; a recount mends them",
        "task 1 says that it has 3 entries, and has 0, or their numbers have a gap",
    ];
    assert_eq!(ended.text().lines().collect::<Vec<_>>(), lines);
}
