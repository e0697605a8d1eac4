//! Upgrades that are killed before each of their calls that change a file: what is left is the old file, or the new one.
//! While nothing is released, the rehearsal is what is upgraded.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use super::tests::{NEW_VERSION, OLD, REHEARSAL, kept, shape};
use super::*;
use crate::options::Durability;
use crate::sqlite::connection::{self, Settings};
use crate::sqlite::tests::planned_connection;
use crate::sqlite::transaction::Transaction;

/// The file, in the process that is to be killed.
const FILE: &str = "TASKSTORE_TEST_FILE";
const CALLS: &[&str] = &["pwrite64", "write", "ftruncate", "fsync", "fdatasync", "unlink", "openat"];

/// A connection such as a store upgrades through.
fn writer(path: &Path) -> Connection {
    let settings = Settings { durability: Durability::Full, busy_timeout: Duration::from_secs(5) };
    let connection = connection::writer(path, &settings).unwrap();
    connection::enter_wal(&connection, &settings).unwrap();
    connection
}

fn upgrade_in_a_transaction(path: &Path) {
    let connection = writer(path);
    if version(&connection) < NEW_VERSION {
        let transaction = Transaction::immediate(&connection, std::process::id()).unwrap();
        run(&connection, REHEARSAL, 0, NEW_VERSION).unwrap();
        transaction.commit().unwrap();
    }
}

fn version(connection: &Connection) -> i64 {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

/// What is wrong with a file whose upgrade was killed.
fn wrong(path: &Path, old: &[String], new: &[String]) -> Option<String> {
    let connection = writer(path);
    let (found, version) = (shape(&connection), version(&connection));
    let is_old = found == old && version == 0;
    let is_whole = is_old || (found == new && version == NEW_VERSION && kept(&connection));
    if !is_whole {
        return Some(format!("half an upgrade, of version {version}: {found:?}"));
    }
    drop(connection);
    // The next one that opens it brings it to its end.
    upgrade_in_a_transaction(path);
    let connection = writer(path);
    (shape(&connection) != new || !kept(&connection)).then(|| format!("not upgraded: {:?}", shape(&connection)))
}

/// Kills a process that runs `test` on a copy of an old file before each of its calls in turn, and gives the number of kills
/// or what was wrong first; `None` where there is no strace.
fn kill_before_each_call(test: &str) -> Option<Result<usize, String>> {
    let directory = tempfile::tempdir().unwrap();
    let (fresh, path) = (directory.path().join("fresh.db"), directory.path().join("tasks.db"));
    fs::write(&fresh, "").unwrap();
    let connection = writer(&fresh);
    connection.execute_batch(OLD).unwrap();
    let (old, new) = (shape(&connection), shape(&planned_connection()));
    drop(connection);
    let mut kills = 0;
    for call in CALLS {
        for number in 1.. {
            for end in ["-wal", "-shm"] {
                // Of the round before.
                let _ = fs::remove_file(beside(&path, end));
            }
            copy(&fresh, &path);
            if !killed(test, &path, call, number)? {
                break;
            }
            kills += 1;
            if let Some(wrong) = wrong(&path, &old, &new) {
                return Some(Err(format!("killed before {call} {number}: {wrong}")));
            }
        }
    }
    Some(Ok(kills))
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Nobody has either file open.
#[allow(clippy::disallowed_methods)]
fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

/// Runs one test of this binary on a file, killed before the call of this number that has to do with it.
fn killed(test: &str, path: &Path, call: &str, number: usize) -> Option<bool> {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    command.args(["-e", &format!("inject={call}:signal=KILL:when={number}")]);
    for end in ["", "-wal", "-shm"] {
        command.arg("-P").arg(beside(path, end));
    }
    command.arg(env::current_exe().unwrap()).args(["--exact", test]).env(FILE, path);
    match command.output() {
        Ok(output) => {
            // strace ends as the process has.
            let killed = output.status.signal() == Some(9);
            assert!(killed || output.status.success(), "{output:?}");
            Some(killed)
        }
        // CI has strace; a newcomer's machine need not.
        Err(error) if env::var_os("CI").is_none() => {
            eprintln!("not killed, since strace does not start: {error}");
            None
        }
        Err(error) => panic!("strace is needed: {error}"),
    }
}

#[test]
fn a_file_whose_upgrade_is_killed_before_any_of_its_calls_is_old_or_new() {
    if let Some(path) = env::var_os(FILE) {
        return upgrade_in_a_transaction(path.as_ref());
    }
    let test = "sqlite::upgrade::killed::a_file_whose_upgrade_is_killed_before_any_of_its_calls_is_old_or_new";
    let Some(kills) = kill_before_each_call(test) else { return };
    let kills = kills.unwrap();
    println!("{kills} kills");
    assert!(kills >= 50, "only {kills} calls");
}

#[test]
fn an_upgrade_without_a_transaction_is_found() {
    if let Some(path) = env::var_os(FILE) {
        return run(&writer(path.as_ref()), REHEARSAL, 0, NEW_VERSION).unwrap();
    }
    let found = kill_before_each_call("sqlite::upgrade::killed::an_upgrade_without_a_transaction_is_found");
    let Some(kills) = found else { return };
    let wrong = kills.expect_err("nothing was found");
    assert!(wrong.contains("half an upgrade"), "{wrong}");
}
