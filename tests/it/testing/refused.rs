//! What cannot be a past: each error names the step.

use std::error::Error as _;

use taskstore::testing::{GivenError, GivenTask, Moment, assert_nothing_running, given, options, stage};
use taskstore::{Error, Limits, LogLevel, Progress, RunOptions, SystemTaskStatus, TaskStore};

use super::{store_at_noon, time};
use crate::support::{configuration_id, everything};

fn started(store: &TaskStore) -> GivenTask<'_, stage::InProgress> {
    given(store).task("t").started("-1h")
}

/// The step, if it was too early, with what it must come after.
fn too_early<T: std::fmt::Debug>(answer: Result<T, GivenError>) -> (String, String) {
    match answer.unwrap_err() {
        GivenError::TooEarly { step, after, .. } => (step, after),
        error => panic!("{error:?}"),
    }
}

#[test]
fn no_step_is_before_the_one_before_it() {
    let (store, _) = store_at_noon();
    let expect = |answer, step: &str, after: &str| assert_eq!(too_early(answer), (step.to_owned(), after.to_owned()));
    expect(started(&store).message("-2h", "m").write(), "message", "started");
    expect(started(&store).message("-1h", "m").message("-61m", "m").write(), "message 2", "message 1");
    expect(started(&store).warn("-50m", "w").progress("-51m", Progress::new(1)).write(), "progress", "warn");
    expect(started(&store).finished("-61m").write(), "finished", "started");
    expect(started(&store).failed("-61m").write(), "failed", "started");
    expect(started(&store).failed_with("-61m", "r").write(), "failed_with", "started");
    expect(started(&store).interrupted("-61m").write(), "interrupted", "started");
    expect(started(&store).finished("-1m").dismissed("-2m", "ann").write(), "dismissed", "finished");
    let twice = started(&store).finished("-9m").dismissed("-8m", "ann").restored("-7m").dismissed("-8m", "bob");
    expect(twice.write(), "dismissed 2", "restored");
    assert_eq!(everything(&store).tasks, []);

    let error = started(&store).finished("-61m").write().unwrap_err().to_string();
    let expected = r#"finished of task "t" is at 2026-11-21 10:59:00 UTC, before started at 2026-11-21 11:00:00 UTC"#;
    assert_eq!(error, expected);
}

#[test]
fn no_step_of_a_run_is_before_the_one_before_it() {
    let (store, _) = store_at_noon();
    let started = || given(&store).system_task("s").uid("u").run().started("-1h");
    let expect = |answer, step: &str, after: &str| assert_eq!(too_early(answer), (step.to_owned(), after.to_owned()));
    expect(started().log("-2h", LogLevel::Info, "e").write(), "log", "started");
    expect(
        started().log("-1h", LogLevel::Info, "e").status("-2h", SystemTaskStatus::Warning, ["w"]).write(),
        "status",
        "log",
    );
    expect(started().finished("-2h").write(), "finished", "started");
    expect(started().finished("-30m").expires("-31m").write(), "expires", "finished");
    let error = started().failed("-2h").write().unwrap_err().to_string();
    assert!(error.starts_with(r#"failed of run of system task "s:u" is at"#), "{error}");
    assert_eq!(store.system_tasks().find("s", Some("u")).unwrap(), None);
}

#[test]
fn nothing_has_happened_in_the_future() {
    let (store, clock) = store_at_noon();
    let moments = [Moment::from("+1ns"), "2026-11-21T12:00:00.000000001Z".into(), time("2027-01-01T00:00:00Z").into()];
    for moment in moments {
        let error = started(&store).message(moment, "m").write().unwrap_err();
        assert!(matches!(&error, GivenError::InTheFuture { step, .. } if step == "message"), "{error:?}");
    }
    let error = given(&store).task("t").started("+1h").write().unwrap_err().to_string();
    let expected =
        r#"started of task "t" is at 2026-11-21 13:00:00 UTC, but by the store's clock it is 2026-11-21 12:00:00 UTC"#;
    assert_eq!(error, expected);
    clock.set(time("2027-01-01T00:00:00Z"));
    started(&store).finished("now").write().unwrap();
    assert_nothing_running(&store);
}

/// The step that was refused, and the field that the store has refused.
fn refused<T: std::fmt::Debug>(answer: Result<T, GivenError>) -> (String, String) {
    let error = answer.unwrap_err();
    assert!(error.source().is_some());
    match error {
        GivenError::Refused { step, source, .. } => match *source {
            Error::TooLong { field, .. } | Error::Invalid { field, .. } | Error::OutOfRange { field, .. } => {
                (step, field.to_owned())
            }
            error => (step, error.to_string()),
        },
        error => panic!("{error:?}"),
    }
}

#[test]
fn every_limit_of_the_store_holds_and_names_the_step() {
    let limits = Limits {
        title_bytes_max: 4,
        name_bytes_max: 4,
        text_bytes_max: 40,
        description_bytes_max: 4,
        attributes_bytes_max: 4,
        page_rows_max: 1_000,
    };
    let clock = taskstore::testing::ManualClock::at(time("2026-11-21T12:00:00Z"));
    let store = options(&clock).limits(limits).open_temporary().unwrap();
    let long = "12345".repeat(9);
    let given = given(&store);
    let expect = |answer, step: &str, field: &str| assert_eq!(refused(answer), (step.to_owned(), field.to_owned()));

    expect(given.task("12345").started("-1h").write(), "started", "title");
    expect(given.task("t").by("12345").started("-1h").write(), "started", "performed_by");
    expect(given.task("t").key("").started("-1h").write(), "started", "key");
    let nowhere = given.task("t").configuration(configuration_id(7)).started("-1h").write();
    expect(nowhere, "started", "configuration 7 does not exist");
    expect(started(&store).message("-1h", "m").message("-1h", &long).write(), "message 2", "text");
    expect(started(&store).progress("-1h", Progress::new(u64::MAX)).write(), "progress", "done");
    expect(started(&store).failed_with("-1h", &long).write(), "failed_with", "text");
    expect(started(&store).finished("-1h").dismissed_by("").write(), "dismissed_by", "dismissed_by");
    assert_eq!(everything(&store).tasks, []);

    let expect = |answer, step: &str, field: &str| assert_eq!(refused(answer), (step.to_owned(), field.to_owned()));
    expect(given.system_task("").run().started("-1h").write(), "started", "name");
    expect(given.system_task("s").uid("12345").run().started("-1h").write(), "started", "uid");
    let described = RunOptions::new().description("12345");
    expect(given.system_task("s").run_with(described).started("-1h").write(), "started", "description");
    expect(given.system_task("s").run().started("-1h").log("-1h", LogLevel::Info, &long).write(), "log", "event");
    expect(given.system_task("s").run().started("-1h").failed_with("-1h", &long).write(), "failed_with", "event");
    assert_eq!(store.system_tasks().find("s", None).unwrap(), None);

    let expect = |answer, step: &str, field: &str| assert_eq!(refused(answer), (step.to_owned(), field.to_owned()));
    expect(given.system_task("s").registered("-1h", "12345").write(), "registered", "description");
    expect(given.system_task("s").uid("u").registered("-1h", "d").write(), "registered", "uid");
    given.system_task("s").uid("u").run().started("-1h").write().unwrap();
    expect(given.system_task("s").registered("-1h", "d").write(), "registered", "name");
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn a_refused_step_says_whose_and_which_it_was() {
    let (store, _) = store_at_noon();
    let error = started(&store).finished("-1h").dismissed_by("").write().unwrap_err();
    assert_eq!(error.to_string(), r#"dismissed_by of task "t" was refused"#);
    assert_eq!(error.source().unwrap().to_string(), "dismissed_by must not be empty");
}
