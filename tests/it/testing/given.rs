//! Pasts of tasks of all kinds, and the same lived through.

use std::time::Duration;

use taskstore::testing::{GivenError, ManualClock, assert_task, given, options};
use taskstore::{
    Error, Level, LogEvent, LogLevel, NewTask, Outcome, Progress, RunOptions, SystemTaskStatus, TaskStore,
};

use super::{store_at_noon, time};
use crate::support::{everything, start, temporary};

#[test]
fn a_task_is_given_with_all_that_was_told_of_it() {
    let (store, _) = store_at_noon();
    let production = store.configurations().add("production").unwrap();
    let told = given(&store).task("Deploy").by("alice").configuration(production).key("night 7").started("-2h");
    let told = told.trace("-110m", "t").debug("-110m", "d").message("-100m", "i").warn("-90m", "w").error("-80m", "e");
    let told = told.message_once("-70m", "step 1", Level::Debug, "once").progress("-65m", Progress::new(3).of(10));
    let told = told.progress("-60m", Progress::new(4).of(10).phase("copying"));
    let id = told.failed_with("-5m", "no space left").dismissed("-2m", "bob").write().unwrap();

    let found = store.task_with_messages(id).unwrap();
    let task = found.task;
    assert_eq!(
        (task.title.as_str(), task.performed_by.as_str(), task.key.as_deref()),
        ("Deploy", "alice", Some("night 7"))
    );
    assert_eq!((task.configuration_id, task.configuration_name.as_str()), (Some(production), "production"));
    assert_eq!((task.outcome, task.level_reached), (Some(Outcome::Failed), Some(Level::Error)));
    assert_eq!((task.started, task.finished), (time("2026-11-21T10:00:00Z"), Some(time("2026-11-21T11:55:00Z"))));
    assert_eq!((task.updated, task.dismissed), (time("2026-11-21T11:58:00Z"), Some(time("2026-11-21T11:58:00Z"))));
    assert_eq!(task.progress, Some(Progress::new(4).of(10).phase("copying")));
    assert_task!(store, id, failed with "no space left", within "1h55m", dismissed by "bob");
    assert_task!(store, id, messages ["t", "d", "i", "w", "e", "once", "no space left"]);
    let levels: Vec<_> = found.messages.iter().map(|message| message.level).collect();
    assert_eq!(levels, [Level::ALL.as_slice(), &[Level::Debug, Level::Error]].concat());
    assert_eq!(found.messages[5].key.as_deref(), Some("step 1"));
    assert_eq!(found.messages[4].time, time("2026-11-21T10:40:00Z"));
    assert_eq!(found.messages[6].time, time("2026-11-21T11:55:00Z"));
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn every_end_can_be_given_and_none() {
    let (store, _) = store_at_noon();
    let started = || given(&store).task("t").started("-1h");
    assert_task!(store, started().write().unwrap(), in progress, messages [""; 0]);
    assert_task!(store, started().finished("-1m").write().unwrap(), finished, not dismissed, messages [""; 0]);
    assert_task!(store, started().failed("-1m").write().unwrap(), failed, messages [""; 0]);
    assert_task!(store, started().failed_with("-1m", "quota").write().unwrap(), failed, messages["quota"]);
    assert_task!(
        store,
        started().interrupted("-1m").write().unwrap(),
        interrupted,
        messages["ended without finish or fail"]
    );
    assert_task!(store, started().interrupted_with("-1m", "power").write().unwrap(), interrupted with "power");
    let dismissed = || started().finished("-1m").dismissed("-30s", "ann");
    assert_task!(store, dismissed().write().unwrap(), finished, dismissed by "ann");
    assert_task!(store, dismissed().restored("-20s").write().unwrap(), finished, not dismissed);
    let just_now = dismissed().restored("-20s").dismissed_by("bob").write().unwrap();
    assert_task!(store, just_now, dismissed by "bob");
    assert_eq!(store.task(just_now).unwrap().dismissed, Some(time("2026-11-21T12:00:00Z")));
    let counts = store.counts(None).unwrap();
    assert_eq!((counts.in_progress, counts.finished, counts.failed, counts.interrupted), (1, 2, 2, 2));
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn what_is_given_in_progress_goes_on_in_the_store() {
    let (store, clock) = store_at_noon();
    let id = given(&store)
        .task("Copy")
        .started("-1h")
        .message("-1h", "one")
        .progress("-1s", Progress::new(1))
        .write()
        .unwrap();
    clock.advance(Duration::from_secs(60));
    store.progress(id, &Progress::new(2)).unwrap();
    store.message(id, Level::Info, "two").unwrap();
    assert_eq!(store.task(id).unwrap().progress, Some(Progress::new(2)));
    store.finish(id).unwrap();
    assert_task!(store, id, finished within "1h1m", messages ["one", "two"]);
    assert_eq!(store.task(id).unwrap().progress, Some(Progress::new(2)));
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn a_store_with_tasks_and_the_clock_of_the_machine_takes_a_past_too() {
    let store = temporary();
    let before = start(&store, "before");
    store.progress(before, &Progress::new(1)).unwrap();
    let id = given(&store).task("past").started("-300d").finished("-299d").write().unwrap();
    assert_eq!(id.get(), before.get() + 1);
    let task = store.task(id).unwrap();
    assert_eq!((task.finished.unwrap() - task.started).num_hours(), 24);
    assert!(task.updated < store.task(before).unwrap().started);
    assert_task!(store, before, in progress);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn many_are_written_in_one_batch_or_none() {
    let (store, _) = store_at_noon();
    let ids = store.batch(|batch| {
        let first = given(batch).task("one").started("-1h").finished("-30m").write()?;
        batch.dismiss(first, "ann")?;
        Ok::<_, GivenError>([first, given(batch).task("two").started("-20m").write()?])
    });
    let [first, second] = ids.unwrap();
    assert_task!(store, first, finished dismissed by "ann");
    assert_task!(store, second, in progress);

    let before = everything(&store);
    let refused = store.batch(|batch| {
        given(batch).task("three").started("-1h").write()?;
        given(batch).task("four").started("-1h").finished("-2h").write().map(drop)
    });
    assert!(matches!(refused, Err(GivenError::TooEarly { .. })), "{refused:?}");
    assert_eq!(everything(&store), before);
    assert_eq!(store.check().unwrap(), []);
}

/// A day of tasks and runs, one behind the other, lived through by the store's verbs.
fn lived() -> TaskStore {
    let clock = ManualClock::at(time("2026-11-20T12:00:00Z"));
    let store = options(&clock).open_temporary().unwrap();
    let hour = || clock.advance(Duration::from_secs(3_600));
    let tasks = store.system_tasks();

    tasks.register("report", "Writes the report").unwrap();
    hour();
    let deploy = store.start(NewTask::new("Deploy").performed_by("ann").key("deploy 1")).unwrap();
    let id = deploy.id();
    hour();
    deploy.warn("slow").unwrap();
    deploy.message_once("copied", Level::Info, "copied").unwrap();
    hour();
    deploy.progress(&Progress::new(1).of(2)).unwrap();
    hour();
    deploy.fail("no space left").unwrap();
    hour();
    store.dismiss(id, "bob").unwrap();
    hour();
    let sync = tasks.start_with("ldap_sync", Some("eu"), RunOptions::new().key("night").description("Syncs")).unwrap();
    hour();
    sync.log(LogEvent::new(LogLevel::Warn, "slow").logger("net").attributes(serde_json::json!({"ms": 9})).unwrap())
        .unwrap();
    sync.set_status(SystemTaskStatus::Warning, ["two", "three"]).unwrap();
    hour();
    sync.finish().unwrap();
    drop(store.start(NewTask::new("Interrupted")).unwrap());
    drop(tasks.start("report", None).unwrap());
    hour();
    store.start_detached(NewTask::new("In progress")).unwrap();
    hour();
    store
}

/// The same, given.
fn told() -> TaskStore {
    let store = options(&ManualClock::at(time("2026-11-20T22:00:00Z"))).open_temporary().unwrap();
    let given = given(&store);
    given.system_task("report").registered("2026-11-20T12:00:00Z", "Writes the report").write().unwrap();
    let deploy = given.task("Deploy").by("ann").key("deploy 1").started("-9h").warn("-8h", "slow");
    let deploy = deploy.message_once("-8h", "copied", Level::Info, "copied").progress("-7h", Progress::new(1).of(2));
    deploy.failed_with("-6h", "no space left").dismissed("-5h", "bob").write().unwrap();
    let options = RunOptions::new().key("night").description("Syncs");
    let sync = given.system_task("ldap_sync").uid("eu").run_with(options).started("-4h");
    let slow = LogEvent::new(LogLevel::Warn, "slow").logger("net").attributes(serde_json::json!({"ms": 9})).unwrap();
    let sync = sync.event("-3h", slow).status("-3h", SystemTaskStatus::Warning, ["two", "three"]);
    sync.finished("-2h").write().unwrap();
    given.task("Interrupted").started("-2h").interrupted("-2h").write().unwrap();
    given.system_task("report").run().started("-2h").interrupted("-2h").write().unwrap();
    given.task("In progress").started("-1h").write().unwrap();
    store
}

/// All of a store but when it was exported.
fn exported(store: &TaskStore) -> Vec<String> {
    let mut bytes = Vec::new();
    store.export(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn nothing_tells_a_given_past_from_one_that_was_lived() {
    let (lived, told) = (exported(&lived()), exported(&told()));
    assert!(lived.len() > 8, "{lived:?}");
    let [lived, told] = [&lived, &told].map(|lines| lines.iter().filter(|line| !line.contains("taskstore_export")));
    assert_eq!(told.collect::<Vec<_>>(), lived.collect::<Vec<_>>());
}

#[test]
fn a_key_that_is_taken_changes_nothing_of_its_task() {
    let (store, _) = store_at_noon();
    given(&store).task("first").key("k").started("-1h").write().unwrap();
    let before = everything(&store);
    let error = given(&store).task("second").key("k").started("-1h").message("-1h", "more").write().unwrap_err();
    assert_eq!(error.to_string(), r#"task "second" cannot have the key "k": there is another with that key"#);
    assert_eq!(everything(&store), before);
}

#[test]
fn a_store_that_cannot_write_says_so() {
    let (store, _) = store_at_noon();
    store.close().unwrap();
    let error = given(&store).task("t").started("-1h").write().unwrap_err();
    assert!(matches!(&error, GivenError::NotWritten { source: Error::Closed }), "{error:?}");
    assert_eq!(error.to_string(), "the past was not written");
}
