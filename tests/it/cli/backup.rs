//! `taskstore backup`.

use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use taskstore::{Level, NewTask, TaskStore};

use super::Place;
use super::terminal::on_a_terminal;
use crate::support::files::{database_bytes, shell};

/// A database of several MiB.
fn large(place: &Place) {
    let store = place.store();
    let id = store.start_detached(NewTask::new("long")).unwrap();
    (0..20).try_for_each(|_| store.message(id, Level::Info, "x".repeat(1 << 20))).unwrap();
}

fn names(place: &Place) -> Vec<String> {
    let entries = place.directory.path().read_dir().unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with("tasks.db")).collect()
}

#[test]
fn a_backup_is_a_database_of_its_own_and_nothing_is_said() {
    let place = Place::new();
    place.ok(&["start", "--title", "kept"]);
    assert_eq!(place.ok(&["backup", "new.db"]), "");
    assert_eq!(names(&place), ["new.db"]);
    assert_eq!(std::fs::metadata(place.path("new.db")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(place.ok(&["--db", "new.db", "check"]), "ok\n");
    assert!(place.ok(&["--db", "new.db", "list"]).contains("kept"));
    let refused = place.refused(&["backup", "new.db"]);
    assert!(refused.ends_with("/new.db exists already; choose another name\n"), "{refused}");
    let nowhere = place.refused(&["backup", "no/such/new.db"]);
    assert!(nowhere.starts_with("taskstore: could not find the backup's directory: "), "{nowhere}");
}

#[test]
fn who_checks_or_measures_a_backup_of_work_in_progress_leaves_it_as_it_is() {
    let place = Place::new();
    let task = place.store().start(NewTask::new("still at it")).unwrap();
    place.ok(&["backup", "new.db"]);
    let before = database_bytes(&place.path("new.db"));
    for looked in [&["check"][..], &["stats"], &["backup", "newer.db"], &["prune", "--keep", "0", "--dry-run"]] {
        place.ok(&[&["--db", "new.db"], looked].concat());
        assert_eq!(database_bytes(&place.path("new.db")).0, before.0, "{looked:?}");
    }
    // The control: to show what is in progress is to ask who answers for it.
    assert!(place.ok(&["--db", "new.db", "list"]).contains("interrupted"));
    assert_ne!(database_bytes(&place.path("new.db")), before);
    task.finish().unwrap();
}

#[test]
fn a_terminal_shows_how_far_it_is_and_what_was_written() {
    let place = Place::new();
    large(&place);
    let Some(backup) = on_a_terminal(&place, "exec $T backup new.db") else { return };
    let ended = backup.end();
    let size = std::fs::metadata(place.path("new.db")).unwrap().len();
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    assert!(ended.text().contains("backing up"), "{:?}", ended.text());
    assert!(ended.text().ends_with(&format!("new.db: {size} bytes\r\n")), "{:?}", ended.text());
}

/// Whenever the signal comes, there is a whole backup or none.
#[test]
fn a_signal_stops_it_and_nothing_is_left() {
    let place = Place::new();
    large(&place);
    let mut stopped = 0;
    for signal in [Signal::SIGINT, Signal::SIGTERM].into_iter().cycle().take(100) {
        let backup = place.start(&["backup", "new.db"]);
        // Not before the signal is caught: from then on there is the new file.
        super::wait_until("the backup", || !names(&place).is_empty());
        backup.signal(signal);
        let ended = backup.end();
        if ended.code == Some(130) {
            assert_eq!(ended.error, "taskstore: the backup was stopped\n");
            assert_eq!(names(&place), [""; 0]);
            stopped += 1;
        } else {
            // It was complete by then.
            assert_eq!((ended.code, ended.error.as_str()), (Some(0), ""));
            let integrity: String =
                shell(&place.path("new.db")).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(integrity, "ok");
            for name in names(&place) {
                std::fs::remove_file(place.path(&name)).unwrap();
            }
        }
        if stopped == 4 {
            break;
        }
    }
    assert!(stopped > 0, "no signal came in time");
    place.ok(&["backup", "new.db"]);
    assert_eq!(TaskStore::open(place.path("new.db")).unwrap().check().unwrap(), []);
}
