//! The program on a terminal: a pseudo-terminal that the `script` of util-linux makes. Skipped where there is none.

use std::process::Command;

use super::{Place, Started, wait_until};
use unicode_width::UnicodeWidthStr;

/// Runs a shell script on a terminal, with `taskstore` in `$T`.
pub(super) fn on_a_terminal(place: &Place, script: &str) -> Option<Started> {
    let version = Command::new("script").arg("--version").output();
    if !version.is_ok_and(|version| String::from_utf8_lossy(&version.stdout).contains("util-linux")) {
        eprintln!("skipped: there is no `script` of util-linux");
        return None;
    }
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", script, "/dev/null"]).current_dir(place.directory.path());
    command.env("T", env!("CARGO_BIN_EXE_taskstore")).env_remove("TASKSTORE_DB").env("SHELL", "/bin/sh");
    Some(Started::new(command))
}

#[test]
fn ctrl_c_reaches_the_command_once_and_is_recorded() {
    let place = Place::new();
    let command = "trap 'echo got it' INT; echo ready; while [ ! -e stop ]; do sleep 0.02 & wait $!; done";
    let Some(mut run) = on_a_terminal(&place, &format!("exec $T run --title t -- sh -c \"{command}\"")) else { return };
    run.wait_for("ready");
    run.type_in(b"\x03");
    run.wait_for("got it");
    std::fs::write(place.path("stop"), "").unwrap();
    let ended = run.end();
    assert_eq!((ended.code, ended.text().matches("got it").count()), (Some(0), 1), "{}", ended.text());
    let said = place.said(1);
    assert_eq!(said.iter().filter(|line| *line == "info got it").count(), 1, "{said:?}");
    assert_eq!(said.iter().filter(|line| *line == "warn received SIGINT").count(), 1, "{said:?}");
}

#[test]
fn a_signal_that_a_process_sends_to_run_in_the_foreground_reaches_the_command_once() {
    let place = Place::new();
    let command = "trap 'echo got it' TERM; echo ready; while [ ! -e stop ]; do sleep 0.02 & wait $!; done";
    let script = format!("echo pid $$.; exec $T run --title t -- sh -c \"{command}\"");
    let Some(run) = on_a_terminal(&place, &script) else { return };
    run.wait_for("ready");
    let text = String::from_utf8(run.output.bytes.lock().unwrap().clone()).unwrap();
    let pid = text.split_once("pid ").unwrap().1.split_once('.').unwrap().0.parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).unwrap();
    run.wait_for("got it");
    std::fs::write(place.path("stop"), "").unwrap();
    assert_eq!(run.end().text().matches("got it").count(), 1);
    assert_eq!(place.said(1).iter().filter(|line| *line == "warn received SIGTERM").count(), 1);
}

#[test]
fn a_terminal_that_is_gone_is_told_to_the_command_once() {
    let place = Place::new();
    let command = "trap 'echo got it >>got' HUP; echo ready; while [ ! -e stop ]; do sleep 0.02 & wait $!; done";
    // Once as the leader of the session, whom the kernel tells alone, and once below a shell, whose end it tells to all.
    for (start, id) in [("exec", 1), ("", 2)] {
        let script = format!("{start} $T run --title t -- sh -c \"{command}\"; :");
        let Some(mut run) = on_a_terminal(&place, &script) else { return };
        run.wait_for("ready");
        run.child.kill().unwrap();
        wait_until("the signal to be recorded", || place.said(id).contains(&"warn received SIGHUP".to_owned()));
        wait_until("the command to get it", || place.path("got").exists());
        std::fs::write(place.path("stop"), "").unwrap();
        wait_until("the task to end", || place.task(id).outcome.is_some());
        let got = std::fs::metadata(place.path("got")).unwrap().len();
        assert_eq!(got, 7, "{start}: {:?}", place.said(id));
        std::fs::remove_file(place.path("got")).unwrap();
        std::fs::remove_file(place.path("stop")).unwrap();
    }
}

#[test]
fn the_command_may_read_the_terminal() {
    let place = Place::new();
    let script = "$T run -q --title t -- sh -c 'echo ready; read line; echo \"read $line\"; read word </dev/tty; echo \"heard $word\"'";
    let Some(mut run) = on_a_terminal(&place, script) else { return };
    run.wait_for("ready");
    run.type_in(b"one\n");
    run.wait_for("read one");
    run.type_in(b"two\n");
    run.wait_for("heard two");
    assert_eq!(run.end().code, Some(0));
    assert_eq!(place.said(1), ["info ready", "info read one", "info heard two"]);
}

#[test]
fn a_table_fits_the_terminal_and_shows_what_was_cut() {
    let place = Place::new();
    for title in
        ["a very long title that has no room at all", &"漢字".repeat(50), "\x1b[2Jescapes are long, too, when shown"]
    {
        place.ok(&["start", "--title", title, "--performed-by", "somebody with a long name"]);
    }
    for columns in [40, 60, 100] {
        let script = format!("stty rows 24 cols {columns}; exec $T list");
        let Some(list) = on_a_terminal(&place, &script) else { return };
        let text = list.end().text();
        assert_eq!(text.lines().count(), 4, "{text}");
        for line in text.lines() {
            assert!(line.width() <= columns, "{columns}: {line}");
        }
        assert!(text.contains('…') && !text.contains('\x1b'), "{text}");
    }
    // Nothing is cut where there is no terminal.
    assert!(!place.ok(&["list"]).contains('…'));
}
