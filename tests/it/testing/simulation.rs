//! A living system: its history follows from its seed, however it is paused, whatever its commits answer.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use taskstore::testing::{Fault, Faults, ManualClock, Simulation, assert_run, given};
use taskstore::{
    Clock, Dismissed, Error, Level, NewTask, OpenOptions, Outcome, Outcomes, RunOptions, SystemTaskFilter,
    SystemTaskStatus, TaskStore,
};

use crate::support::random::Random;
use crate::support::{Everything, everything, options, rounds};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn store(simulation: &Simulation) -> TaskStore {
    options().clock(simulation.clock()).open_temporary().unwrap()
}

fn export(store: &TaskStore) -> String {
    let mut lines = Vec::new();
    store.export(&mut lines).unwrap();
    String::from_utf8(lines).unwrap()
}

/// The history of so many hours, run in one go.
fn history(mut simulation: Simulation, hours: u32) -> String {
    let store = store(&simulation);
    simulation.run_for(&store, HOUR * hours).unwrap();
    export(&store)
}

#[test]
fn an_hour_twice_is_two_hours_and_another_seed_is_another_history() {
    let once = history(Simulation::new(7), 2);
    let mut simulation = Simulation::new(7);
    let store = store(&simulation);
    simulation.run_for(&store, HOUR).unwrap();
    assert_ne!(export(&store), once);
    simulation.run_for(&store, HOUR).unwrap();
    assert_eq!(export(&store), once);
    assert_eq!(history(Simulation::new(7), 2), once);
    assert_ne!(history(Simulation::new(8), 2), once);
    assert_eq!(store.check().unwrap(), []);
}

/// Tests of others name a seed, and expect of it what they have seen. Where this number has to be another one, that is a
/// change to be told of.
#[test]
fn a_seed_has_the_history_that_it_always_had() {
    let mut simulation = Simulation::new(7);
    let store = store(&simulation);
    simulation.run_for(&store, HOUR * 48).unwrap();
    simulation.settle(&store).unwrap();
    let history = export(&store);
    let (_, lines) = history.split_once('\n').unwrap();
    // FNV-1a of all lines but the first, which names the version.
    let digest = lines
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    assert_eq!((lines.lines().count(), format!("{digest:016x}").as_str()), (1125, "f8332f870df33c15"));
}

#[test]
fn wherever_it_is_paused_saved_and_opened_anew_the_history_is_the_same() {
    let mut random = Random::new();
    for _ in 0..rounds(2) {
        let seed = random.next();
        let once = history(Simulation::new(seed), 3);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let mut simulation = Simulation::new(seed);
        let mut store = options().clock(simulation.clock()).open(&path).unwrap();
        let end = simulation.now() + HOUR * 3;
        while simulation.now() < end {
            match random.below(4) {
                0 => {
                    let step = simulation.clone().step(&options().open_temporary().unwrap()).unwrap();
                    if step <= end {
                        assert_eq!(simulation.step(&store).unwrap(), step);
                    }
                }
                1 => {
                    store.close().unwrap();
                    simulation = serde_json::from_str(&serde_json::to_string(&simulation).unwrap()).unwrap();
                    store = options().clock(simulation.clock()).open(&path).unwrap();
                }
                2 => simulation.run_until(&store, simulation.now() - HOUR).unwrap(),
                _ => {
                    let until = simulation.now() + Duration::from_nanos(random.below(1_500_000_000_000));
                    simulation.run_until(&store, until.min(end)).unwrap();
                }
            }
            assert_eq!(simulation.clock().now(), simulation.now());
        }
        assert_eq!(export(&store), once);
    }
}

/// The control: a pause that draws a chance, or loses an event, is seen.
#[test]
fn a_history_in_which_something_is_missing_is_not_the_same() {
    let once = history(Simulation::new(7), 2);
    let mut simulation = Simulation::new(7);
    let store = store(&simulation);
    simulation.run_for(&store, HOUR).unwrap();
    // What happens in this minute is written elsewhere.
    simulation.run_for(&options().open_temporary().unwrap(), HOUR / 10).unwrap();
    simulation.run_for(&store, HOUR - HOUR / 10).unwrap();
    assert_ne!(export(&store), once);
}

#[test]
fn an_outage_leaves_no_trace_in_the_history() {
    let mut random = Random::new();
    for _ in 0..rounds(2) {
        let seed = random.next();
        let once = history(Simulation::new(seed), 6);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let (mut simulation, faults) = (Simulation::new(seed), Faults::new());
        let open = |simulation: &Simulation| options().clock(simulation.clock()).faults(&faults).open(&path).unwrap();
        let mut store = open(&simulation);
        for _ in 0..20 {
            let written = random.one_in(2);
            let fault = match random.below(4) {
                0 => Fault::Busy,
                1 => Fault::DiskFull,
                2 => Fault::OutcomeUnknown { written },
                _ => Fault::Crash { written },
            };
            faults.after(1 + random.below(20), fault);
        }
        let end = simulation.now() + HOUR * 6;
        while simulation.now() < end {
            let until = simulation.now() + Duration::from_secs(60 + random.below(1_200));
            match simulation.run_until(&store, until.min(end)) {
                Ok(()) | Err(Error::Busy { .. } | Error::DiskFull { .. } | Error::Engine { .. }) => {}
                Err(Error::OutcomeUnknown { .. } | Error::Closed) => {
                    if random.one_in(2) {
                        simulation = serde_json::from_str(&serde_json::to_string(&simulation).unwrap()).unwrap();
                        store = open(&simulation);
                    } else if matches!(store.counts(None), Err(Error::Closed)) {
                        store = open(&simulation);
                    }
                }
                Err(error) => panic!("{error:?}"),
            }
        }
        assert!(faults.injected() >= 10, "{} faults", faults.injected());
        assert_eq!(export(&store), once);
    }
}

#[test]
fn everything_happens_in_it() {
    let mut simulation = Simulation::new(1).starting_at(time("2026-03-01T00:00:00Z")).tasks_per_hour(60);
    let store = store(&simulation);
    simulation.run_for(&store, HOUR * 24).unwrap();
    assert_eq!((simulation.tasks_started(), simulation.now()), (60 * 24, time("2026-03-02T00:00:00Z")));

    let counts = store.counts(None).unwrap();
    let of = |outcomes| counts.of(outcomes, Dismissed::Included);
    let ended = [Outcomes::FINISHED, Outcomes::FAILED, Outcomes::INTERRUPTED].map(of);
    assert!(ended[0] > 1_000 && ended[1] > 50 && ended[2] > 5, "{counts:?}");
    assert!(counts.in_progress > 0 && counts.in_progress < 60, "{counts:?}");
    let Everything { configurations, tasks } = everything(&store);
    let names: Vec<_> = configurations.into_iter().map(|configuration| configuration.name).collect();
    assert_eq!(names, ["production", "staging", "development"]);
    assert_eq!(tasks.len(), 60 * 24);
    let (mut levels, mut titles, mut users) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut dismissed, mut restored) = (0, 0);
    for (task, messages) in &tasks {
        titles.insert(&task.title);
        users.insert(&task.performed_by);
        levels.extend(messages.iter().map(|message| message.level.as_str()));
        dismissed += usize::from(task.dismissed.is_some());
        restored += usize::from(task.dismissed.is_none() && task.finished.is_some_and(|end| task.updated > end));
        assert!(task.started >= time("2026-03-01T00:00:00Z") && task.updated <= simulation.now());
        match task.outcome {
            Some(Outcome::Finished) => {
                let progress = task.progress.as_ref().unwrap();
                assert_eq!(Some(progress.done), progress.total, "{task:?}");
            }
            Some(_) => assert_eq!(messages.last().unwrap().level, Level::Error),
            None => {}
        }
    }
    assert!(titles.len() > 20 && users.len() == 5, "{titles:?} {users:?}");
    assert_eq!(levels.into_iter().collect::<Vec<_>>(), ["debug", "error", "info", "warn"]);
    assert!(dismissed > 300 && restored > 5, "{dismissed} dismissed, {restored} restored");

    let listed = store.system_tasks().list(&SystemTaskFilter::new()).unwrap().items;
    let mut statuses = BTreeSet::new();
    let (mut interrupted, mut runs) = (0, 0);
    for task in &listed {
        for run in store.system_tasks().history(task.uuid, None, 1_000).unwrap().items {
            statuses.extend(run.status.map(SystemTaskStatus::as_str));
            runs += 1;
            interrupted += u32::from(run.interrupted);
            assert!(run.duration.is_none_or(|taken| run.started + taken == run.finished.unwrap()));
            assert!(run.expires.is_none_or(|expires| expires > simulation.now() - HOUR), "an expired one is kept");
        }
    }
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), ["error", "successful", "warning"]);
    assert!(listed.len() >= 6 && runs > 100 && interrupted > 0, "{} {runs} {interrupted}", listed.len());
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn what_is_in_progress_stays_so_through_a_pause_and_ends_when_it_is_settled() {
    let mut simulation = Simulation::new(3).tasks_per_hour(600);
    let store = store(&simulation);
    simulation.run_for(&store, HOUR).unwrap();
    let before = store.counts(None).unwrap();
    assert!(before.in_progress > 5);
    drop(simulation.clone());
    assert_eq!(store.recover().unwrap().tasks, 0);
    assert_eq!(store.counts(None).unwrap(), before);

    simulation.settle(&store).unwrap();
    let settled = store.counts(None).unwrap();
    assert_eq!((settled.in_progress, simulation.in_progress()), (0, 0));
    assert_eq!(settled.interrupted, before.interrupted + before.in_progress);
    simulation.settle(&store).unwrap();
    assert_eq!(store.counts(None).unwrap(), settled);
    simulation.run_for(&store, HOUR).unwrap();
    assert!(store.counts(None).unwrap().in_progress > 0);
    assert_eq!(simulation.tasks_started(), 1_200);
}

/// At the time of the last event: what is settled then has been changed then already.
#[test]
fn what_is_settled_in_doubt_is_settled_once() {
    for written in [true, false] {
        for steps in 20..40 {
            let (mut simulation, faults) = (Simulation::new(9).tasks_per_hour(600), Faults::new());
            let store = options().clock(simulation.clock()).faults(&faults).open_temporary().unwrap();
            (0..steps).for_each(|_| _ = simulation.step(&store).unwrap());
            faults.next(Fault::OutcomeUnknown { written });
            let in_progress = store.counts(None).unwrap().in_progress;
            if let Err(error) = simulation.settle(&store) {
                assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
                simulation.settle(&store).unwrap();
            }
            let counts = store.counts(None).unwrap();
            assert_eq!((counts.in_progress, simulation.in_progress()), (0, 0));
            assert!(counts.interrupted >= in_progress, "{counts:?}");
            let twice =
                |messages: &[taskstore::Message]| messages.iter().filter(|m| m.text.contains("settled")).count();
            assert!(everything(&store).tasks.iter().all(|(_, messages)| twice(messages) <= 1));
        }
    }
}

#[test]
fn it_lets_be_what_others_have_changed() {
    let mut simulation = Simulation::new(4).tasks_per_hour(600).configurations(["only"]);
    let store = store(&simulation);
    simulation.run_for(&store, HOUR).unwrap();
    for (task, _) in everything(&store).tasks {
        match task.outcome {
            None => store.fail(task.id, "by hand").unwrap(),
            Some(_) if task.dismissed.is_none() => store.dismiss(task.id, "zoe").unwrap(),
            Some(_) => store.delete(task.id).unwrap(),
        }
    }
    let only = store.configurations().list().unwrap()[0].id;
    store.configurations().delete(only).unwrap();
    simulation.run_for(&store, HOUR).unwrap();
    let tasks = everything(&store).tasks;
    assert!(tasks.iter().any(|(task, _)| task.started > simulation.now() - HOUR && task.configuration_id.is_none()));
    assert!(tasks.iter().any(|(task, _)| task.dismissed_by.as_deref() == Some("zoe")));
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn its_words_and_rates_can_be_chosen_also_on_the_way() {
    let mut simulation = Simulation::new(5)
        .users(["zoe"])
        .titles(["Bake"])
        .configurations([""; 0])
        .system_tasks(false)
        .failure_percent(0)
        .interruption_percent(0);
    let store = OpenOptions::new().open_temporary().unwrap();
    simulation.run_for(&store, HOUR * 5).unwrap();
    let before = everything(&store);
    assert!(before.configurations.is_empty() && before.tasks.len() == 100);
    for (task, _) in &before.tasks {
        assert_eq!((task.title.as_str(), task.performed_by.as_str()), ("Bake", "zoe"));
        assert!(matches!(task.outcome, None | Some(Outcome::Finished)));
        assert!(task.dismissed_by.as_deref().is_none_or(|by| by == "zoe"));
    }
    assert!(store.system_tasks().list(&SystemTaskFilter::new()).unwrap().items.is_empty());

    let mut simulation = simulation.failure_percent(100);
    simulation.run_for(&store, HOUR * 2).unwrap();
    assert!(store.counts(None).unwrap().of(Outcomes::FAILED, Dismissed::Included) > 20);
    let mut simulation = simulation.tasks_per_hour(0);
    let started = simulation.tasks_started();
    simulation.run_for(&store, HOUR * 3).unwrap();
    assert_eq!((simulation.tasks_started(), simulation.in_progress()), (started, 0));
}

#[test]
fn a_time_that_cannot_be_stored_is_refused() {
    let mut simulation = Simulation::new(6).starting_at(time("2400-01-01T00:00:00Z"));
    let refused = simulation.run_for(&options().open_temporary().unwrap(), HOUR);
    assert!(matches!(refused, Err(Error::TimeOutOfRange { .. })), "{refused:?}");
}

#[test]
fn what_others_have_in_the_store_it_neither_deletes_nor_describes_nor_shows_less_of() {
    let mut simulation = Simulation::new(7);
    let begins = simulation.now();
    // By the clock of the store it is a year later.
    let store = options().clock(ManualClock::at(begins + HOUR * 24 * 365)).open_temporary().unwrap();
    let names = {
        let other = options().open_temporary().unwrap();
        Simulation::new(7).run_for(&other, HOUR * 12).unwrap();
        let listed = other.system_tasks().list(&SystemTaskFilter::new()).unwrap().items;
        listed.into_iter().map(|task| (task.name, task.uid)).collect::<Vec<_>>()
    };
    assert!(names.len() >= 6);
    let mut real = Vec::new();
    for (name, uid) in &names {
        let ended = |started: DateTime<Utc>, options: RunOptions| {
            let mut told = given(&store).system_task(name);
            if let Some(uid) = uid {
                told = told.uid(uid);
            }
            let told = told.run_with(options.description("real")).started(started).finished(started + HOUR);
            told.write().unwrap()
        };
        let expired = ended(begins - HOUR * 24 * 30, RunOptions::new());
        let last = ended(begins + HOUR * 24 * 30, RunOptions::new().never_expires());
        real.push((expired, last));
    }
    simulation.run_for(&store, HOUR * 12).unwrap();
    for (expired, last) in &real {
        assert_run!(store, expired.id(), expired, successful);
        let found = store.system_tasks().retrieve(last.uuid()).unwrap();
        assert_eq!((found.description.as_str(), found.shown_run.map(|run| run.id)), ("real", Some(last.id())));
    }
    let history = |uuid| store.system_tasks().history(uuid, None, 1_000).unwrap().items;
    let ran_too = real.iter().filter(|(run, _)| history(run.uuid()).len() > 2).count();
    assert!(ran_too >= 3, "the simulation has run {ran_too} of them, too");
    assert_eq!(store.check().unwrap(), []);
}

/// Who starts or changes tasks while it is in doubt gets the ids that were to be its, and later times.
#[test]
fn what_others_do_while_it_is_in_doubt_does_not_pass_for_its_own() {
    let quiet = || Simulation::new(9).tasks_per_hour(600).system_tasks(false).configurations([""; 0]);
    let (mut alone, calm) = (quiet(), options().open_temporary().unwrap());
    (0..60).for_each(|_| _ = alone.step(&calm).unwrap());
    let told = |store: &TaskStore| {
        let all = everything(store).tasks.into_iter().filter(|(task, _)| task.title != "mine");
        let told = all.map(|(task, messages)| {
            let own = messages.into_iter().filter(|message| message.text != "mine").map(|message| message.text);
            (task.title, task.started, task.outcome, own.collect::<Vec<_>>())
        });
        told.collect::<Vec<_>>()
    };
    for written in [true, false] {
        let (mut simulation, faults) = (quiet(), Faults::new());
        let later = ManualClock::at(simulation.now() + HOUR * 1_000);
        let store = options().clock(later).faults(&faults).open_temporary().unwrap();
        while simulation.now() < alone.now() {
            faults.next(Fault::OutcomeUnknown { written });
            match simulation.step(&store) {
                Err(Error::OutcomeUnknown { .. }) => {}
                Ok(_) => continue,
                Err(error) => panic!("{error:?}"),
            }
            faults.end();
            store.start_detached(NewTask::new("mine")).unwrap();
            for (task, _) in everything(&store).tasks {
                if !written && task.outcome.is_none() {
                    store.message(task.id, Level::Info, "mine").unwrap();
                }
            }
            simulation.step(&store).unwrap();
        }
        simulation.run_until(&store, alone.now()).unwrap();
        alone.run_until(&calm, simulation.now()).unwrap();
        assert_eq!(told(&store), told(&calm), "written: {written}");
    }
}

#[test]
fn a_name_that_the_store_refuses_can_be_taken_back() {
    let once = history(Simulation::new(7).users(["ann"]).titles(["Bake"]).configurations(["c"]), 1);
    let good = |simulation: Simulation| simulation.users(["ann"]).titles(["Bake"]).configurations(["c"]);
    let bad: [fn(Simulation) -> Simulation; 3] = [
        |simulation| simulation.users(["a\0b"]),
        |simulation| simulation.titles(["t".repeat(2_000)]),
        |simulation| simulation.configurations([""]),
    ];
    for bad in bad {
        let mut simulation = bad(good(Simulation::new(7)));
        let store = store(&simulation);
        let clock = simulation.clock();
        let refused = simulation.run_for(&store, HOUR).unwrap_err();
        assert!(matches!(refused, Error::Invalid { .. } | Error::TooLong { .. }), "{refused:?}");
        assert_eq!((everything(&store).tasks.len(), simulation.now()), (0, clock.now()));
        let mut simulation = good(simulation);
        simulation.run_for(&store, HOUR).unwrap();
        clock.set(simulation.now());
        assert_eq!(export(&store), once);
    }
}
