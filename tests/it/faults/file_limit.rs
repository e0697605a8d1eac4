//! The limit on the size of a file that a process may write (`ulimit -f`): past it a write fails, or kills who makes it.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use taskstore::Error;

use super::ledger::Ledger;
use super::until;
use crate::support::children::{put_in_role, role, said_in, say};
use crate::support::{open, options, task_id};

const LIMIT_BYTES: u64 = 400_000;

/// Not a test of its own: the process that is limited.
#[test]
fn the_limited_process() {
    let Some((role, path)) = role() else { return };
    let store = options().open(&path).unwrap();
    let mut ledger = Ledger::default();
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, LIMIT_BYTES, hard).unwrap();
    let mut number = 0;
    let mut next = || {
        number += 1;
        format!("{number} {}", "x".repeat(900))
    };
    loop {
        let title = next();
        let answer = ledger.start(&store, title.clone());
        if role == "killed" {
            // By the next one.
            answer.unwrap();
            say(&format!("done {title}"));
        } else if let Err(error) = answer {
            assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
            break;
        }
    }
    for _ in 0..20 {
        let answer = ledger.start(&store, next());
        assert!(matches!(answer, Err(Error::DiskFull { .. })), "{answer:?}");
        store.task(task_id(1)).unwrap();
    }
    setrlimit(Resource::RLIMIT_FSIZE, hard, hard).unwrap();
    until(|| ledger.start(&store, next()));
    ledger.start(&store, next()).unwrap();
    store.close().unwrap();
    ledger.say();
}

/// The child's end, and what it said.
fn run(role: &str, path: &Path, script: &str) -> (std::process::ExitStatus, Vec<String>) {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{script} exec \"$0\" \"$@\"")]).arg(std::env::current_exe().unwrap());
    put_in_role(&mut command, "faults::file_limit::the_limited_process", role, path);
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() || output.status.signal().is_some(), "{stderr}");
    (output.status, said_in(&stderr))
}

#[test]
fn where_the_signal_is_ignored_the_limit_is_a_full_disk_and_lasts_no_longer_than_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (status, said) = run("limited", &path, "trap '' XFSZ;");
    assert!(status.success());
    let ledger = Ledger::of(&said);
    assert!(ledger.done() > 10 && ledger.refused() > 20 && ledger.unknown() == 0, "{ledger:?}");
    ledger.check(&path);
}

/// The library leaves the process's signals alone, so the system does as it always does.
#[test]
fn where_the_signal_is_not_ignored_what_was_acknowledged_before_it_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let (status, said) = run("killed", &path, "");
    assert_eq!(status.signal(), Some(Signal::SIGXFSZ as i32));
    let (acknowledged, store) = (Ledger::of(&said), open(&path));
    assert!(acknowledged.done() > 10);
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(acknowledged.problems(&super::ledger::titles(&store)), [""; 0]);
}
