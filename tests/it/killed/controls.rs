//! Broken processes and files, which must be found: else it would prove nothing that none are found elsewhere.

use super::lives::{Lives, Manner, kill_again_and_again, live};
use crate::support::children::role;

#[test]
fn a_process_that_tells_of_a_call_before_it_is_answered_is_found_within_a_few_kills() {
    if let Some((role, path)) = role() {
        return live(&role, &path);
    }
    let test = "killed::controls::a_process_that_tells_of_a_call_before_it_is_answered_is_found_within_a_few_kills";
    for threads in [1, 8] {
        let wrong = kill_again_and_again(test, threads, Manner::Hasty, 40).expect_err("nothing was found");
        assert!(wrong.contains("answers"), "{wrong}");
    }
}

/// All calls of a circle, and in the next one the batch of two tasks.
const CALLS: u64 = 21 + 13;

#[test]
fn what_is_lost_doubled_or_half_done_is_found() {
    let half_done = "after 34 answers 1.0 has left";
    let cases = [
        ("", ""),
        (
            "a lost message",
            "DELETE FROM message WHERE task_id = 1 AND seq = 2; UPDATE task SET message_count = 1 WHERE id = 1",
        ),
        ("a lost end", "UPDATE task SET outcome = NULL, finished_ns = NULL WHERE id = 1"),
        ("a lost event", "DELETE FROM log_event WHERE seq = 3; UPDATE run SET event_count = 2"),
        (
            "work of a killed process that goes on",
            "UPDATE task SET outcome = NULL, finished_ns = NULL WHERE title LIKE '1.0.0.e'",
        ),
        ("half a batch", "DELETE FROM task WHERE title LIKE '1.0.1.d'"),
        (
            "a doubled start",
            "INSERT INTO task (title, performed_by, started_ns, updated_ns)
                SELECT title, performed_by, started_ns, updated_ns FROM task WHERE id = 4",
        ),
        (
            "a doubled message",
            "INSERT INTO message (task_id, seq, time_ns, level, text) SELECT 1, 3, time_ns, level, text FROM message
                WHERE task_id = 1 AND seq = 2;
            UPDATE task SET message_count = 3 WHERE id = 1",
        ),
    ];
    for (name, meddle) in cases {
        let mut lives = Lives::new();
        lives.write_and_meddle(CALLS, meddle);
        match lives.compare(true) {
            Ok(()) => assert_eq!(name, "", "nothing was found"),
            Err(wrong) => assert!(!name.is_empty() && wrong.starts_with(half_done), "{name}: {wrong}"),
        }
    }
}

#[test]
fn what_somebody_else_has_written_is_found_and_so_are_wrong_counts_and_damage() {
    let cases = [
        (
            "INSERT INTO task (title, performed_by, started_ns, updated_ns) VALUES ('x', 'eve', 1, 1)",
            "eve was not to write",
        ),
        ("UPDATE task_count SET finished = finished + 1 WHERE configuration_id = 1", "the counts are"),
        ("PRAGMA foreign_keys = OFF; INSERT INTO message VALUES (99, 1, 1, 3, 'x', NULL)", "[Reference"),
    ];
    for (meddle, expected) in cases {
        let mut lives = Lives::new();
        lives.write_and_meddle(CALLS, meddle);
        let wrong = lives.compare(true).expect_err(meddle);
        assert!(wrong.starts_with(expected), "{wrong}");
    }
}
