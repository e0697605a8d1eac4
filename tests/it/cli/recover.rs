//! What the program shows of commands whose `taskstore run` was killed.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use taskstore::{OpenOptions, Outcome};

use super::{Place, wait_until};

impl Place {
    /// A `taskstore run` that was killed, and its process.
    fn killed(&self) -> u32 {
        // The command must not outlive it for long: it holds none of its locks, but would hold up the test.
        let run = self.start(&["run", "-q", "--title", "t", "--", "sh", "-c", "echo ready; read nothing"]);
        run.wait_for("ready");
        let process = run.child.id();
        run.signal(Signal::SIGKILL);
        run.end();
        process
    }

    fn outcome_as_it_is(&self) -> Option<Outcome> {
        let store = OpenOptions::new().recover(false).open(self.path("tasks.db")).unwrap();
        store.task(taskstore::TaskId::try_from(1).unwrap()).unwrap().outcome
    }
}

#[test]
fn the_commands_that_read_show_what_a_killed_run_did_as_interrupted() {
    for arguments in [&["list"][..], &["list", "--json"], &["show", "1"], &["export"], &["configuration", "list"]] {
        let place = Place::new();
        let process = place.killed();
        assert_eq!(place.outcome_as_it_is(), None);
        let shown = place.ok(arguments).to_lowercase();
        assert!(shown.contains("interrupted") || arguments[0] == "configuration", "{arguments:?}: {shown}");
        assert_eq!(place.outcome_as_it_is(), Some(Outcome::Interrupted), "{arguments:?}");
        let last = format!("error interrupted: process {process} ended without finishing it");
        assert_eq!(place.said(1).pop(), Some(last));
    }
}

#[test]
fn recover_tells_what_it_has_interrupted() {
    let place = Place::new();
    let running = place.start_run("echo ready; read nothing");
    running.wait_for("ready");
    place.killed();
    assert_eq!(
        place.ok(&["recover"]),
        "interrupted 1 tasks\ninterrupted 0 runs of system tasks\nfound 1 stores whose process had ended without closing them\n"
    );
    assert!(place.ok(&["recover"]).starts_with("interrupted 0 tasks\n"));
    // The first one lives, and ends as it would have.
    assert_eq!(place.outcome_as_it_is(), None);
    running.end();
    assert_eq!(place.outcome_as_it_is(), Some(Outcome::Failed));
    let left =
        place.directory.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!left.into_iter().any(|name| name.contains("-owner-")));
}

#[test]
fn recover_makes_no_database() {
    let place = Place::new();
    let refused = place.refused(&["recover"]);
    assert!(refused.contains("does not exist"), "{refused}");
    assert_eq!(place.directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn following_a_task_ends_when_its_process_is_killed() {
    for arguments in [&["show", "1", "--follow"][..], &["show", "1", "--follow", "--json"]] {
        let place = Place::new();
        let run = place.start_run("echo ready; read nothing");
        run.wait_for("ready");
        let following = place.start(arguments);
        if arguments.len() == 3 {
            following.wait_for("info   ready");
        }
        run.signal(Signal::SIGKILL);
        run.end();
        let ended = following.end();
        assert_eq!((ended.code, ended.error.as_str()), (Some(0), ""));
        let shown = ended.text().to_lowercase();
        assert!(shown.contains("interrupted"), "{shown}");
    }
}

/// What cannot be written is shown as it is. Root can write it all the same, and then interrupts.
#[test]
fn a_file_that_cannot_be_written_is_listed_quietly() {
    let place = Place::new();
    place.killed();
    let file = place.path("tasks.db");
    // The `-wal` is merged first: who cannot write reads no other file.
    OpenOptions::new().recover(false).open(&file).unwrap().close().unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o444)).unwrap();
    let shown = place.ok(&["list"]);
    assert!(shown.contains("in progress") || shown.contains("interrupted"), "{shown}");
}

/// The end of a run that cannot be recorded is no end: its task is interrupted by whoever looks next.
#[test]
fn a_run_whose_end_could_not_be_recorded_is_shown_as_interrupted() {
    let place = Place::new();
    let run = place.start_run("echo ready; read nothing");
    run.wait_for("ready");
    let other = rusqlite::Connection::open(place.path("tasks.db")).unwrap();
    wait_until("the line to be recorded", || !place.messages(1).is_empty());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ended = run.end();
    other.execute_batch("ROLLBACK").unwrap();
    assert!(ended.error.contains("its end"), "{}", ended.error);
    place.ok(&["list"]);
    assert_eq!(place.outcome_as_it_is(), Some(Outcome::Interrupted));
}
