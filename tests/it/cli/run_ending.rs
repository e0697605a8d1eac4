//! `taskstore run`: how it ends.

use std::os::unix::fs::PermissionsExt;

use taskstore::Outcome;

use super::{Place, login_user};

#[test]
fn status_0_finishes_the_task() {
    let place = Place::new();
    let ended = place.call(&["run", "--title", "t", "--", "true"]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), ""));
    assert_eq!(ended.error, "taskstore: task 1 started\ntaskstore: task 1 finished\n");
    assert_eq!(place.task(1).outcome, Some(Outcome::Finished));
    assert_eq!(place.said(1), [""; 0]);
}

#[test]
fn any_other_status_fails_the_task_and_is_passed_on() {
    for status in [1, 3, 126, 127, 255] {
        let place = Place::new();
        let ended = place.call(&["run", "--title", "t", "--", "sh", "-c", &format!("exit {status}")]);
        assert_eq!(ended.code, Some(status));
        let line = format!("taskstore: task 1 failed: exited with status {status}\n");
        assert_eq!(ended.error, format!("taskstore: task 1 started\n{line}"));
        assert_eq!(place.task(1).outcome, Some(Outcome::Failed));
        assert_eq!(place.said(1), [format!("error exited with status {status}")]);
    }
}

#[test]
fn a_signal_that_kills_the_command_fails_the_task_and_kills_us_without_a_core_file() {
    for (signal, name) in
        [(9, "SIGKILL"), (15, "SIGTERM"), (2, "SIGINT"), (3, "SIGQUIT"), (6, "SIGABRT"), (11, "SIGSEGV")]
    {
        let place = Place::new();
        let ended = place.run(&format!("ulimit -c 0; kill -{signal} $$"));
        assert_eq!((ended.signal, ended.code, ended.core_dumped), (Some(signal), None, false));
        assert_eq!(place.task(1).outcome, Some(Outcome::Failed));
        assert_eq!(place.said(1), [format!("error killed by signal {signal} ({name})")]);
    }
}

#[test]
fn a_signal_without_a_name_becomes_the_status_of_a_shell() {
    let place = Place::new();
    let ended = place.run("kill -40 $$");
    assert_eq!((ended.signal, ended.code), (None, Some(168)));
    assert_eq!(place.said(1), ["error killed by signal 40"]);
}

#[test]
fn a_command_that_is_not_found_exits_with_127() {
    let place = Place::new();
    let ended = place.call(&["run", "--title", "t", "--", "no-such-command"]);
    assert_eq!(ended.code, Some(127));
    let line = "taskstore: task 1 failed: could not start: No such file or directory\n";
    assert_eq!(ended.error, format!("taskstore: task 1 started\n{line}"));
    assert_eq!(place.task(1).outcome, Some(Outcome::Failed));
    assert_eq!(place.said(1), ["error could not start: No such file or directory"]);
}

#[test]
fn a_command_that_is_not_executable_exits_with_126_and_says_so_even_if_quiet() {
    let place = Place::new();
    std::fs::write(place.path("plain"), "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(place.path("plain"), PermissionsExt::from_mode(0o644)).unwrap();
    let ended = place.call(&["run", "--quiet", "--title", "t", "--", "./plain"]);
    assert_eq!(ended.code, Some(126));
    assert_eq!(ended.error, "taskstore: task 1 failed: could not start: Permission denied\n");
    assert_eq!(place.said(1), ["error could not start: Permission denied"]);
}

#[test]
fn quiet_says_nothing_of_a_task_that_started_and_ended() {
    let place = Place::new();
    for (flag, script) in [("-q", "exit 0"), ("--quiet", "exit 3")] {
        assert_eq!(place.call(&["run", flag, "--title", "t", "--", "sh", "-c", script]).error, "");
    }
}

#[test]
fn the_options_describe_the_task() {
    let place = Place::new();
    place.ok(&["configuration", "add", "prod"]);
    let options = ["--title", "-nightly", "--performed-by", "ann", "--configuration", "1"];
    place.ok(&[&["run", "-q"], &options[..], &["--", "true", "--title", "not ours"]].concat());
    let task = place.task(1);
    assert_eq!((task.title.as_str(), task.performed_by.as_str()), ("-nightly", "ann"));
    assert_eq!(task.configuration_name, "prod");

    place.run("true");
    assert_eq!(place.task(2).performed_by, login_user());
}

#[test]
fn a_command_whose_task_cannot_be_recorded_is_not_run() {
    let place = Place::new();
    let never = |database: &str, options: &[&str]| {
        let command = ["--", "sh", "-c", "touch was-run"];
        let refused = place.refused(&[&["--db", database, "run", "--title", "t"], options, &command].concat());
        assert!(!place.path("was-run").exists(), "{refused}");
        refused
    };
    std::fs::write(place.path("other"), "not a database ".repeat(99)).unwrap();
    assert!(never("other", &[]).ends_with("other is not a taskstore file\n"));
    assert!(never(".", &[]).ends_with("is not a taskstore file\n"));
    assert!(never("no/directory/here", &[]).contains("cannot use no/directory/here"));
    assert!(never("tasks.db", &["--configuration", "7"]).contains("configuration 7 does not exist"));
    assert!(never("tasks.db", &["--performed-by", &"x".repeat(300)]).contains("the limit is 256"));
}
