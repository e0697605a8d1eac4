//! `taskstore import`.

use std::fs;
use std::io::Write;

use nix::sys::signal::Signal;
use taskstore::{NewTask, RunOptions, TaskStore};

use super::{Place, Started, wait_until};
use crate::support::everything;

/// A place with some of everything.
fn full() -> Place {
    let place = Place::new();
    place.ok(&["configuration", "add", "prod"]);
    place.ok(&["start", "--title", "one \x1b[2J", "--configuration", "1", "--key", "k"]);
    place.ok(&["message", "1", "said", "--level", "warn"]);
    place.ok(&["fail", "1", "because"]);
    place.ok(&["start", "--title", "two"]);
    let run = place.store().system_tasks().start("job", None).unwrap();
    run.info("said", ()).unwrap();
    run.finish().unwrap();
    place
}

fn is_empty(store: &TaskStore) -> bool {
    everything(store).tasks.is_empty()
}

#[test]
fn what_was_exported_comes_into_a_new_database_from_a_file_or_a_pipe() {
    let full = full();
    let lines = full.ok(&["export"]);
    for from_file in [true, false] {
        let place = Place::new();
        fs::write(place.path("lines"), &lines).unwrap();
        let told = if from_file {
            place.ok(&["import", "lines"])
        } else {
            let mut started = place.start(&["import"]);
            started.type_in(lines.as_bytes());
            started.end().text()
        };
        let expected = [
            "configurations  1",
            "tasks           2, with 2 messages",
            "system tasks    1",
            "runs            1, with 1 events",
        ];
        assert_eq!(told.lines().collect::<Vec<_>>(), expected);
        assert_eq!(place.ok(&["export"]), lines);
    }
}

#[test]
fn what_is_known_is_left_out_and_the_new_ids_are_told() {
    let place = full();
    fs::write(place.path("lines"), place.ok(&["export"])).unwrap();
    let told = place.ok(&["import", "lines"]);
    let expected = [
        "configurations  0",
        "tasks           1, with 0 messages",
        "system tasks    0",
        "runs            1, with 1 events",
        "There were already: 1 tasks and 0 runs, by their keys, and 1 system tasks, by name and uid.",
        "Their ids were raised: by 1 for configurations, by 2 for tasks, by 1 for runs.",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
    assert_eq!(place.task(4).title, "two");
}

#[test]
fn each_kind_alone_is_told_of() {
    let ids = "Their ids were raised: by";
    let known = |tasks: u8, runs: u8, system_tasks: u8| {
        let keys = format!("There were already: {tasks} tasks and {runs} runs, by their keys, ");
        keys + &format!("and {system_tasks} system tasks, by name and uid.")
    };
    let of_task: fn(&TaskStore) = |store| {
        store.start_detached(NewTask::new("t").key("k")).unwrap();
    };
    let of_run: fn(&TaskStore) = |store| {
        let options = RunOptions::new().key("k");
        store.system_tasks().start_with("job", None, options).unwrap().finish().unwrap();
    };
    let of_system_task: fn(&TaskStore) = |store| store.system_tasks().register("job", "").unwrap();
    let of_configuration: fn(&TaskStore) = |store| {
        store.configurations().add("prod").unwrap();
    };
    for (make, expected) in [
        (of_task, vec![known(1, 0, 0), format!("{ids} 0 for configurations, by 1 for tasks, by 0 for runs.")]),
        (of_run, vec![known(0, 1, 1), format!("{ids} 0 for configurations, by 0 for tasks, by 1 for runs.")]),
        (of_system_task, vec![known(0, 0, 1)]),
        (of_configuration, vec![format!("{ids} 1 for configurations, by 0 for tasks, by 0 for runs.")]),
    ] {
        let place = Place::new();
        make(&place.store());
        fs::write(place.path("lines"), place.ok(&["export"])).unwrap();
        let told = place.ok(&["import", "lines"]);
        assert_eq!(told.lines().skip(4).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_file_that_is_wrong_is_refused_with_its_line_in_one_harmless_line() {
    let place = full();
    let lines = place.ok(&["export"]);
    let before = place.ok(&["export"]);
    fs::write(place.path("lines"), lines.replacen("\"title\":", "\"\x1b[2J\\u001b[2J\":1,\"title\":", 1)).unwrap();
    let told = place.refused(&["import", "lines"]);
    assert!(told.contains("line 3 of the import was refused, and nothing was imported: "), "{told}");
    assert!(!told.contains('\x1b'), "{told:?}");
    fs::write(place.path("lines"), &lines[..lines.len() - 10]).unwrap();
    let told = place.refused(&["import", "lines"]);
    assert!(told.contains("nothing was imported: the export was cut here: it has no end"), "{told}");
    assert_eq!(place.ok(&["export"]), before);
}

#[test]
fn a_file_that_is_not_there_creates_no_database_and_the_database_itself_is_refused() {
    let place = Place::new();
    assert!(place.refused(&["import", "lines"]).contains("cannot read lines: "));
    assert!(!place.path("tasks.db").exists());
    place.store();
    assert!(place.refused(&["import", "tasks.db"]).contains("it is the database itself"));
}

/// Imports from a pipe, of which the beginning was read.
fn begun(place: &Place, lines: &str) -> Started {
    let mut started = place.start(&["import", "-"]);
    started.type_in(lines.as_bytes());
    // A writer that does not get the lock tells that the import has it.
    let options = taskstore::OpenOptions::new().busy_timeout(std::time::Duration::ZERO);
    wait_until("the import to begin", || {
        let store = options.open(place.path("tasks.db"));
        store.is_ok_and(|store| store.start_detached(NewTask::new("meanwhile").key("meanwhile")).is_err())
    });
    started
}

#[test]
fn ctrl_c_undoes_all_also_while_nothing_comes() {
    let full = full();
    let lines = full.ok(&["export"]);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let place = Place::new();
        let started = begun(&place, &lines[..lines.len() - 3]);
        started.signal(signal);
        // Its input is open all the while.
        wait_until("it to say so", || started_error(&started).contains("interrupted; nothing was imported"));
        let ended = started.end();
        assert_eq!((ended.code, ended.text().as_str()), (Some(130), ""));
        let titles: Vec<_> = everything(&place.store()).tasks.into_iter().map(|(task, _)| task.title).collect();
        assert!(titles.iter().all(|title| title == "meanwhile"), "{titles:?}");
        // It can be imported then.
        let mut again = place.start(&["import"]);
        again.type_in(lines.as_bytes());
        assert_eq!(again.end().code, Some(0));
        assert!(!is_empty(&place.store()));
    }
}

fn started_error(started: &Started) -> String {
    String::from_utf8_lossy(&started.error.bytes.lock().unwrap()).into_owned()
}

#[test]
fn an_input_that_ends_early_is_refused_and_one_that_comes_slowly_is_waited_for() {
    let full = full();
    let lines = full.ok(&["export"]);
    let place = Place::new();
    let mut started = begun(&place, &lines[..100]);
    started.child.stdin.as_mut().unwrap().write_all(&lines.as_bytes()[100..]).unwrap();
    let ended = started.end();
    assert_eq!((ended.code, ended.error.as_str()), (Some(0), ""));
    let place = Place::new();
    let ended = begun(&place, &lines[..100]).end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.error.contains("the export was cut here"), "{}", ended.error);
}
