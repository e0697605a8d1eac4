//! Calls that the disk fails, by strace: the acknowledgements, and how often a store asks a disk that goes on failing.

use std::path::Path;
use std::time::{Duration, Instant};

use taskstore::{Durability, Error, OpenOptions, TaskStore};

use super::ledger::{Ledger, Plain};
use super::until;
use crate::support::children::{in_role, role, say};
use crate::support::files::beside;
use crate::support::syncs::inject;
use crate::support::{open, options};

/// How long a child goes on asking.
const ASKS_FOR: Duration = Duration::from_millis(1_500);

/// Not a test of its own: the processes whose calls fail.
#[test]
fn the_process_whose_calls_fail() {
    let Some((role, path)) = role() else { return };
    let mut ledger = Ledger::default();
    let full = || OpenOptions::new().durability(Durability::Full).open(&path).unwrap();
    match role.as_str() {
        "never recovers" => {
            let store = full();
            ask_on(&mut ledger, |ledger, title| ledger.start(&store, title).map(drop));
            // Reads go on.
            for number in 0..100 {
                assert_eq!(store.task(crate::support::task_id(1 + number % 5)).unwrap().title.len(), 1);
            }
        }
        "recovers" => {
            let store = options().open(&path).unwrap();
            recover(&store, &mut ledger, |error| matches!(error, Error::DiskFull { .. }));
        }
        "read-only" => {
            let store = options().open(&path).unwrap();
            recover(&store, &mut ledger, |error| matches!(error, Error::ReadOnly));
        }
        "failed" => {
            let store = full();
            recover(&store, &mut ledger, |error| matches!(error, Error::OutcomeUnknown { .. } | Error::Engine { .. }));
        }
        "control" => {
            let plain = Plain::open(&path);
            ask_on(&mut ledger, |ledger, title| {
                let answer = plain.write(&title);
                ledger.note(&title, &answer);
                answer
            });
        }
        other => panic!("{other}"),
    }
    ledger.say();
}

/// Writes without a pause, until the disk has failed for a while; says for how many ms.
fn ask_on<E>(ledger: &mut Ledger, mut write: impl FnMut(&mut Ledger, String) -> Result<(), E>) {
    let mut number = 0;
    let mut next = || {
        number += 1;
        (number - 1).to_string()
    };
    while write(ledger, next()).is_ok() {}
    let failing = Instant::now();
    while failing.elapsed() < ASKS_FOR {
        let _ = write(ledger, next());
        // A thousand a second are enough to show it, and are told in one go.
        std::thread::sleep(Duration::from_millis(1));
    }
    say(&format!("failing {}", failing.elapsed().as_millis()));
}

/// Writes past the fault, in the same process and without opening the store again.
fn recover(store: &TaskStore, ledger: &mut Ledger, expected: impl Fn(&Error) -> bool) {
    let mut number = 0;
    while ledger.done() < 100 {
        let ((), failures) = until(|| {
            number += 1;
            ledger.start(store, number.to_string()).map(drop).inspect_err(|error| assert!(expected(error), "{error:?}"))
        });
        if failures > 0 {
            say("recovered");
        }
    }
}

/// What a child in a role says while these calls on the `-wal` fail, and how many failed; after a check of the file.
fn run(role: &str, call: &str, what: &str) -> Option<(Vec<String>, usize)> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    if role == "control" {
        drop(Plain::open(&path));
    } else {
        open(&path).close().unwrap();
    }
    let test = "faults::traced::the_process_whose_calls_fail";
    let (said, failed) = inject(test, &in_role(role, &path), &beside(&path, "-wal"), call, what)?;
    if role != "control" {
        check(&said, &path);
    }
    Some((said, failed))
}

#[track_caller]
fn check(said: &[String], path: &Path) {
    let ledger = Ledger::of(said);
    assert!(ledger.done() >= 5 && ledger.refused() + ledger.unknown() > 0, "{ledger:?}");
    ledger.check(path);
}

/// Ten a second, and the few that are tried again at once.
fn most(said: &[String]) -> usize {
    let ms = said.iter().find_map(|line| line.strip_prefix("failing ")).unwrap();
    5 + ms.parse::<usize>().unwrap() / 100
}

#[test]
fn a_disk_that_stays_full_is_asked_ten_times_a_second_at_most() {
    let Some((said, asked)) = run("never recovers", "pwrite64", "error=ENOSPC:when=60+") else { return };
    assert!((4..=most(&said)).contains(&asked), "{asked}");
}

/// The control asks again as often as it can.
#[test]
fn a_connection_that_does_not_back_off_asks_more_often() {
    let Some((said, asked)) = run("control", "pwrite64", "error=ENOSPC:when=60+") else { return };
    assert!(asked > 2 * most(&said), "{asked}");
}

/// Each try opens the file again, since the connection whose sync failed is not trusted.
#[test]
fn a_disk_whose_syncs_go_on_failing_is_asked_ten_times_a_second_at_most_and_nothing_is_acknowledged() {
    let Some((said, asked)) = run("never recovers", "fsync,fdatasync", "error=EIO:when=20+") else { return };
    assert!((4..=most(&said)).contains(&asked), "{asked}");
    let ledger = Ledger::of(&said);
    assert!(ledger.unknown() <= asked && ledger.refused() > ledger.unknown(), "{ledger:?}");
}

#[test]
fn a_store_writes_again_once_there_is_room() {
    for error in ["ENOSPC", "EFBIG", "EDQUOT"] {
        let Some((said, failed)) = run("recovers", "pwrite64", &format!("error={error}:when=60..66")) else { return };
        assert_eq!((failed, said.contains(&"recovered".to_owned())), (7, true), "{error}");
    }
}

#[test]
fn a_store_writes_again_once_a_file_system_that_became_read_only_is_written_again() {
    let Some((said, failed)) = run("read-only", "pwrite64", "error=EROFS:when=60..66") else { return };
    assert_eq!((failed, said.contains(&"recovered".to_owned())), (7, true));
}

#[test]
fn a_store_writes_again_once_a_disk_that_failed_is_well() {
    for call in ["pwrite64", "fsync,fdatasync"] {
        let Some((said, failed)) = run("failed", call, "error=EIO:when=30..33") else { return };
        assert!(failed >= 4 && said.contains(&"recovered".to_owned()), "{call}: {failed}, {said:?}");
    }
}
