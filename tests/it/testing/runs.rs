//! Pasts of system tasks and their runs.

use std::time::Duration;

use taskstore::testing::{GivenError, assert_run, given};
use taskstore::{LogEvent, LogLevel, RunOptions, SystemTaskFilter, SystemTaskStatus, TaskStore};
use uuid::Uuid;

use super::{store_at_noon, time};

/// When the shown run ended, if one is shown.
fn shown_finish(store: &TaskStore, uuid: Uuid) -> Option<String> {
    let shown = store.system_tasks().retrieve(uuid).ok()?.shown_run?;
    Some(shown.finished.unwrap().format("%H:%M").to_string())
}

#[test]
fn a_run_is_given_with_all_that_was_told_of_it() {
    let (store, _) = store_at_noon();
    let options = RunOptions::new().key("night 7").description("Syncs users");
    let started = given(&store).system_task("ldap_sync").uid("eu").run_with(options).started("-2h");
    let event =
        LogEvent::new(LogLevel::Debug, "bound").logger("ldap").attributes(serde_json::json!({"ms": 9})).unwrap();
    let told = started.log("-110m", LogLevel::Warning, "slow").event("-100m", event);
    let run = told.status("-90m", SystemTaskStatus::Warning, ["2 users have no mail"]).finished("-1h").write().unwrap();

    assert_run!(store, run.id(), warning within "1h", not expired, events ["slow", "bound", "2 users have no mail"]);
    let shown = store.system_tasks().retrieve(run.uuid()).unwrap();
    assert_eq!((shown.full_name().as_str(), shown.description.as_str()), ("ldap_sync:eu", "Syncs users"));
    let shown = shown.shown_run.unwrap();
    assert_eq!((shown.id, shown.duration), (run.id(), Some(Duration::from_secs(3_600))));
    assert_eq!((shown.started, shown.finished), (time("2026-11-21T10:00:00Z"), Some(time("2026-11-21T11:00:00Z"))));
    assert_eq!(shown.expires, Some(time("2026-11-21T17:00:00Z")));
    let events = store.system_tasks().events(run.id(), 0, 10).unwrap();
    assert_eq!((events[1].time, events[1].logger.as_str()), (time("2026-11-21T10:20:00Z"), "ldap"));
    assert_eq!((events[1].attributes.as_str(), events[0].level), (r#"{"ms":9}"#, LogLevel::Warning));
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn every_end_of_a_run_can_be_given_and_none() {
    let (store, _) = store_at_noon();
    let started = || given(&store).system_task("s").run().started("-1h");
    assert_run!(store, started().write().unwrap().id(), in progress, events []);
    assert_run!(store, started().finished("-1m").write().unwrap().id(), successful, events [""; 0]);
    assert_run!(store, started().failed("-1m").write().unwrap().id(), error, events [""; 0]);
    assert_run!(store, started().failed_with("-1m", "quota").write().unwrap().id(), error with "quota");
    assert_run!(store, started().interrupted("-1m").write().unwrap().id(), interrupted with "ended without finish");
    assert_run!(store, started().interrupted_with("-1m", "power").write().unwrap().id(), interrupted, events["power"]);
    let unknown = started().status("-2m", SystemTaskStatus::Unknown, [""; 0]).finished("-1m");
    assert_run!(store, unknown.write().unwrap().id(), unknown);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn a_run_expires_when_it_was_told_to() {
    let (store, clock) = store_at_noon();
    let ended = |name: &str| given(&store).system_task(name).run().started("-1d").finished("-23h");
    let expired = ended("expired").expires("-1h").write().unwrap();
    let at_once = ended("at once").expires("-23h").write().unwrap();
    let later = ended("later").expires("+1h").write().unwrap();
    let by_default = ended("by default").write().unwrap();
    let never =
        given(&store).system_task("never").run_with(RunOptions::new().never_expires()).started("-9d").finished("-8d");
    let never = never.write().unwrap();
    for run in [&expired, &at_once, &by_default] {
        assert_run!(store, run.id(), expired);
    }
    for run in [&later, &never] {
        assert_run!(store, run.id(), not expired);
    }
    assert_eq!(store.clean_expired().unwrap().runs, 3);
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(store.clean_expired().unwrap().runs, 1);
    assert_run!(store, never.id(), successful);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn the_run_that_ended_last_is_shown_in_whatever_order_they_are_written() {
    let told = [("-5h", "-4h", false), ("-3h", "-2h", true), ("-6h", "-1h", false), ("-4h", "-3h", true)];
    // All orders of the four, by the index of the next among those that are left.
    for order in 0..24 {
        let (store, _) = store_at_noon();
        let (mut left, mut rest, mut last) = (told.to_vec(), order, None);
        for choices in (1..=4).rev() {
            let (started, finished, hidden) = left.remove(rest % choices);
            rest /= choices;
            let options = if hidden { RunOptions::new().only_on_failure() } else { RunOptions::new() };
            let run =
                given(&store).system_task("s").run_with(options).started(started).finished(finished).write().unwrap();
            last = last.max(Some((std::cmp::Reverse(finished), hidden)));
            let (std::cmp::Reverse(finished), hidden) = last.unwrap();
            let hours = finished[1..2].parse::<u32>().unwrap();
            let expected = (!hidden).then(|| format!("{:02}:00", 12 - hours));
            assert_eq!(shown_finish(&store, run.uuid()), expected, "order {order}, after {finished}");
        }
        assert_eq!(store.check().unwrap(), []);
    }
}

#[test]
fn what_is_in_the_store_already_is_shown_if_it_ended_later() {
    let (store, _) = store_at_noon();
    let now = store.system_tasks().start("s", None).unwrap();
    let uuid = now.uuid();
    now.finish().unwrap();
    given(&store).system_task("s").run().started("-2h").failed_with("-1h", "quota").write().unwrap();
    assert_eq!(shown_finish(&store, uuid).as_deref(), Some("12:00"));
    assert_eq!(store.system_tasks().history(uuid, None, 10).unwrap().items.len(), 2);
}

#[test]
fn a_registered_system_task_is_unknown_until_a_run_of_it_has_finished() {
    let (store, _) = store_at_noon();
    let uuid = given(&store).system_task("report").registered("-1d", "Writes the report").write().unwrap();
    let listed = store.system_tasks().list(&SystemTaskFilter::new()).unwrap().items;
    assert_eq!((listed[0].uuid, listed[0].status()), (uuid, SystemTaskStatus::Unknown));
    assert_eq!(listed[0].registered, Some(time("2026-11-20T12:00:00Z")));
    assert_eq!(listed[0].description, "Writes the report");
    let run = given(&store).system_task("report").run().started("-1h").finished("-1h").write().unwrap();
    assert_eq!(run.uuid(), uuid);
    assert_eq!(store.system_tasks().retrieve(uuid).unwrap().status(), SystemTaskStatus::Successful);
}

#[test]
fn a_run_given_in_progress_is_ended_in_a_batch_and_took_as_long_as_was_told() {
    let (store, clock) = store_at_noon();
    let run = given(&store).system_task("s").run().started("-1h").log("-1h", LogLevel::Info, "one").write().unwrap();
    clock.advance(Duration::from_secs(60));
    store.batch(|batch| batch.finish_run(&run)).unwrap();
    assert_run!(store, run.id(), successful within "61m", events ["one"]);
    let found = store.system_tasks().history(run.uuid(), None, 10).unwrap().items.remove(0);
    assert_eq!(found.duration, Some(Duration::from_secs(61 * 60)));
    assert_eq!(found.finished, Some(found.started + Duration::from_secs(61 * 60)));
}

#[test]
fn a_key_of_a_run_that_is_taken_changes_nothing() {
    let (store, _) = store_at_noon();
    let keyed = || given(&store).system_task("s").run_with(RunOptions::new().key("k")).started("-1h");
    let run = keyed().write().unwrap();
    let error = keyed().log("-1h", LogLevel::Info, "more").finished("-1m").write().unwrap_err();
    assert!(matches!(&error, GivenError::KeyTaken { key, .. } if key == "k"), "{error:?}");
    assert_run!(store, run.id(), in progress, events [""; 0]);
    let other = given(&store).system_task("t").run_with(RunOptions::new().key("k")).started("-1h").write().unwrap();
    assert_run!(store, other.id(), in progress);
}
