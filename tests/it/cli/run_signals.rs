//! `taskstore run`: signals reach the command once, and are recorded.

use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use taskstore::Outcome;

use super::{Place, Started, wait_until};

/// Says which signals it gets until there is a file `stop`. Its shell waits in `wait`, which a signal ends at once, so
/// that two deliveries of a signal are told apart.
const LISTENER: &str = "
    for name in INT TERM HUP QUIT; do trap \"echo got $name\" $name; done
    echo ready
    while [ ! -e stop ]; do sleep 0.02 >/dev/null 2>&1 & wait $!; done
    echo stopped";

fn stop(place: &Place) {
    std::fs::write(place.path("stop"), "").unwrap();
}

fn count(lines: &[String], wanted: &str) -> usize {
    lines.iter().filter(|line| *line == wanted).count()
}

/// Sends each of the four signals in one way, and looks what came of it.
fn each_signal_reaches_it_once(send: impl Fn(&Started, Signal)) {
    let place = Place::new();
    let run = place.start_run(LISTENER);
    run.wait_for("ready");
    let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];
    for signal in signals {
        send(&run, signal);
        run.wait_for(&format!("got {}", &signal.as_str()[3..]));
    }
    stop(&place);
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.error);
    let said = place.said(1);
    for signal in signals {
        let got = format!("info got {}", &signal.as_str()[3..]);
        assert_eq!((count(&said, &got), count(&said, &format!("warn received {signal}"))), (1, 1), "{said:?}");
    }
}

#[test]
fn a_signal_to_run_reaches_the_command_once() {
    each_signal_reaches_it_once(Started::signal);
}

#[test]
fn a_signal_to_the_whole_process_group_reaches_the_command_once() {
    each_signal_reaches_it_once(Started::signal_group);
}

#[test]
fn a_second_signal_reaches_it_again() {
    let place = Place::new();
    let run = place.start_run(LISTENER);
    run.wait_for("ready");
    run.signal(Signal::SIGINT);
    run.wait_for("got INT");
    run.signal(Signal::SIGINT);
    run.wait_for("got INT\ngot INT");
    stop(&place);
    run.end();
    let said = place.said(1);
    assert_eq!((count(&said, "info got INT"), count(&said, "warn received SIGINT")), (2, 2), "{said:?}");
}

#[test]
fn a_command_that_a_signal_kills_takes_us_with_it() {
    let place = Place::new();
    let run = place.start(&["run", "--title", "t", "--", "sh", "-c", "echo ready; exec sleep 600"]);
    run.wait_for("ready");
    run.signal(Signal::SIGTERM);
    let ended = run.end();
    assert_eq!(ended.signal, Some(15));
    assert_eq!(ended.error, "taskstore: task 1 started\ntaskstore: task 1 failed: killed by signal 15 (SIGTERM)\n");
    assert_eq!(place.said(1), ["info ready", "warn received SIGTERM", "error killed by signal 15 (SIGTERM)"]);
}

#[test]
fn the_commands_own_end_decides_whatever_was_received() {
    let place = Place::new();
    let run = place.start_run("trap 'exit 0' TERM; echo ready; while :; do sleep 0.02 & wait $!; done");
    run.wait_for("ready");
    run.signal(Signal::SIGTERM);
    assert_eq!(run.end().code, Some(0));
    assert_eq!(count(&place.said(1), "warn received SIGTERM"), 1);
    assert_eq!(place.task(1).outcome, Some(Outcome::Finished));
}

#[test]
fn what_our_caller_has_us_ignore_is_ignored_by_the_command_too() {
    let place = Place::new();
    let mut command = Command::new("sh");
    // As `nohup` does it.
    let script = "trap '' HUP; exec \"$0\" run -q --title t -- sh -c 'trap \"exit 7\" TERM
        echo ready; while :; do sleep 0.02 & wait $!; done'";
    command.args(["-c", script, env!("CARGO_BIN_EXE_taskstore")]).current_dir(place.directory.path());
    let run = Started::new(command);
    run.wait_for("ready");
    run.signal(Signal::SIGHUP);
    run.signal(Signal::SIGTERM);
    assert_eq!(run.end().code, Some(7));
    let said = place.said(1);
    assert_eq!((count(&said, "warn received SIGTERM"), count(&said, "warn received SIGHUP")), (1, 0), "{said:?}");
    assert_eq!(said.last().unwrap(), "error exited with status 7");
}

#[test]
fn a_signal_after_the_commands_end_ends_the_wait_for_what_it_left_behind() {
    let place = Place::new();
    let run = place.start_run("sh -c 'trap \"\" TERM; echo $$; exec sleep 600' & read nothing");
    run.wait_for("\n");
    // The input is closed here, at which the command ends.
    let left = String::from_utf8(run.output.bytes.lock().unwrap().clone()).unwrap().trim().parse().unwrap();
    let mut run = run;
    drop(run.child.stdin.take());
    wait_until("the task to end", || {
        run.signal(Signal::SIGTERM);
        place.task(1).outcome.is_some()
    });
    run.end();
    kill(Pid::from_raw(left), Signal::SIGKILL).unwrap();
    let said = place.said(1);
    assert!(said.contains(&"warn received SIGTERM".to_owned()), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("left behind")), "{said:?}");
}

#[test]
fn a_signal_before_the_command_is_started_keeps_it_from_starting() {
    let place = Place::new();
    place.store();
    let other = rusqlite::Connection::open(place.path("tasks.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let run = place.start_run("touch was-run");
    wait_until("the signals to be watched", || catches_sigterm(&run));
    run.signal(Signal::SIGTERM);
    other.execute_batch("ROLLBACK").unwrap();

    assert_eq!(run.end().signal, Some(15));
    assert!(!place.path("was-run").exists());
    let reason = "error stopped by signal 15 (SIGTERM) before the command was started";
    assert_eq!(place.said(1), ["warn received SIGTERM", reason]);
}

fn catches_sigterm(run: &Started) -> bool {
    let status = format!("/proc/{}/status", run.child.id());
    let caught = Command::new("sed").args(["-n", "s/^SigCgt:\\s*//p", &status]).output().unwrap().stdout;
    let caught = u64::from_str_radix(String::from_utf8(caught).unwrap().trim(), 16).unwrap();
    caught >> (Signal::SIGTERM as u32 - 1) & 1 == 1
}
