//! `taskstore simulate`.

use chrono::{DateTime, TimeDelta, Utc};
use nix::sys::signal::Signal;
use taskstore::testing::given;
use taskstore::{Dismissed, Outcomes};

use super::terminal::on_a_terminal;
use super::{Place, wait_until};
use crate::support::everything;

const UNTIL: &str = "2026-11-21T12:00:00.000000001Z";

#[test]
fn a_new_database_is_filled_with_so_many_tasks_up_to_the_end() {
    let place = Place::new();
    let told = place.ok(&["simulate", "--tasks", "300", "--until", UNTIL]);
    let line = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).unwrap().to_owned();
    assert_eq!(line("made"), "300 tasks, from 2026-11-20 21:00:00 UTC on");
    assert_eq!(line("to repeat it"), format!("--tasks 300 --seed 1 --until {UNTIL}"));
    assert!(line("system tasks").starts_with("6, with "), "{told}");

    let store = place.store();
    let (counts, until) = (store.counts(None).unwrap(), UNTIL.parse::<DateTime<Utc>>().unwrap());
    assert_eq!(counts.of(Outcomes::ANY, Dismissed::Included), 300);
    let expected = format!("{} in progress; {} of them", counts.in_progress, counts.of(Outcomes::ANY, Dismissed::Only));
    assert!(line("tasks ").contains(&expected), "{told}");
    let tasks = everything(&store).tasks;
    assert!(tasks.iter().all(|(task, _)| task.updated <= until));
    assert!(tasks.last().unwrap().0.updated > until - TimeDelta::minutes(10));
    assert_eq!(place.ok(&["check"]), "ok\n");
}

#[test]
fn the_same_seed_number_and_end_make_the_same_past_and_another_seed_another() {
    let past = |seed, until| {
        let place = Place::new();
        place.ok(&["simulate", "--tasks", "150", "--seed", seed, "--until", until]);
        place.ok(&["export"])
    };
    let first = past("7", UNTIL);
    assert!(past("7", UNTIL) == first);
    assert!(past("8", UNTIL) != first);
    assert!(past("7", "2026-11-21") != first);
}

#[test]
fn however_many_they_are_it_is_as_many_and_by_default_they_end_now() {
    for tasks in ["1", "7", "43"] {
        let place = Place::new();
        let before = Utc::now();
        place.ok(&["simulate", "--tasks", tasks, "--seed", "18446744073709551615"]);
        let all = everything(&place.store()).tasks;
        assert_eq!(all.len().to_string(), tasks);
        assert!(all.iter().all(|(task, _)| task.started <= Utc::now() && task.started > before - TimeDelta::days(2)));
    }
}

#[test]
fn what_is_not_empty_is_refused_unless_it_is_to_be_added_to() {
    let place = Place::new();
    place.ok(&["start", "--title", "mine"]);
    let told = place.refused(&["simulate", "--tasks", "5"]);
    assert_eq!(told, "taskstore: tasks.db is not empty; give another --db, or --add\n");
    assert_eq!(everything(&place.store()).tasks.len(), 1);
    place.ok(&["simulate", "--tasks", "5", "--add"]);
    let tasks = everything(&place.store()).tasks;
    assert_eq!((tasks.len(), tasks[0].0.title.as_str(), tasks[0].0.outcome), (6, "mine", None));
    place.ok(&["simulate", "--tasks", "5", "--add", "--seed", "2"]);
    assert_eq!(everything(&place.store()).tasks.len(), 11);
}

#[test]
fn a_database_that_is_there_and_empty_is_filled() {
    let place = Place::new();
    place.store().close().unwrap();
    place.ok(&["simulate", "--tasks", "5"]);
    assert_eq!(everything(&place.store()).tasks.len(), 5);
}

#[test]
fn ctrl_c_ends_it_and_what_was_made_stays() {
    let place = Place::new();
    let started = place.start(&["simulate", "--tasks", "10000000"]);
    wait_until("some tasks", || {
        place.path("tasks.db").exists()
            && taskstore::TaskStore::open(place.path("tasks.db"))
                .and_then(|store| store.counts(None))
                .is_ok_and(|counts| counts.of(Outcomes::ANY, Dismissed::Included) > 0)
    });
    started.signal(Signal::SIGINT);
    let ended = started.end();
    assert_eq!((ended.code, ended.text().as_str()), (Some(130), ""));
    assert_eq!(ended.error, "taskstore: interrupted; what was made so far stays, and to go on needs --add\n");
    assert!(!everything(&place.store()).tasks.is_empty());
    assert_eq!(place.ok(&["check"]), "ok\n");
}

#[test]
fn on_a_terminal_it_shows_how_far_it_is() {
    let place = Place::new();
    let program = env!("CARGO_BIN_EXE_taskstore");
    let Some(started) = on_a_terminal(&place, &format!("{program} simulate --tasks 2000")) else { return };
    started.wait_for("simulating");
    started.wait_for("to repeat it");
    assert_eq!(started.end().code, Some(0));
}

#[test]
fn what_is_there_stays_as_it_is_also_what_has_expired_and_is_described_otherwise() {
    let names = {
        let place = Place::new();
        place.ok(&["simulate", "--tasks", "100"]);
        let listed = place.store().system_tasks().list(&taskstore::SystemTaskFilter::new()).unwrap().items;
        listed.into_iter().filter(|task| task.uid.is_none()).map(|task| task.name).collect::<Vec<_>>()
    };
    assert!(names.len() > 2, "{names:?}");
    let place = Place::new();
    let runs: Vec<_> = {
        let store = place.store();
        let told = names.iter().map(|name| {
            given(&store).system_task(name).registered("-100d", "real").write().unwrap();
            given(&store).system_task(name).run().started("-99d").finished("-98d").expires("-97d").write().unwrap()
        });
        told.collect()
    };
    place.ok(&["simulate", "--tasks", "100", "--add"]);
    let store = place.store();
    for run in runs {
        let history = store.system_tasks().history(run.uuid(), None, 1_000).unwrap().items;
        assert!(history.iter().any(|found| found.id == run.id()));
        assert_eq!(store.system_tasks().retrieve(run.uuid()).unwrap().description, "real");
    }
}

#[test]
fn what_is_there_is_not_added_to_in_the_future() {
    let place = Place::new();
    place.ok(&["start", "--title", "mine"]);
    let ended = place.call(&["simulate", "--tasks", "5", "--add", "--until", "2200-01-01"]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(2), ""));
    assert!(ended.error.contains("--until must not be in the future"), "{}", ended.error);
    assert_eq!(everything(&place.store()).tasks.len(), 1);
    let place = Place::new();
    place.ok(&["simulate", "--tasks", "5", "--until", "2200-01-01"]);
}
