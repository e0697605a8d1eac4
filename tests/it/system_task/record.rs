//! What a run records while it is in progress, and the status that it ends with.

use std::error::Error as StdError;
use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::json;
use taskstore::{Error, LogEvent, LogLevel, RunOptions, SystemTaskStatus};

use super::{NOON_NS, SECOND_NS, events, only_run, said, start, store_at_noon};
use crate::support::{Nanoseconds as _, temporary};

/// An error with a source.
#[derive(Debug)]
struct Failure(&'static str, Option<Box<Failure>>);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

fn chain() -> Failure {
    Failure("sync failed", Some(Box::new(Failure("no answer", Some(Box::new(Failure("line 1\nline 2", None)))))))
}

#[test]
fn a_run_keeps_its_events_in_order_with_their_times_levels_loggers_texts_and_attributes() {
    let (store, clock) = store_at_noon();
    let run = start(&store, "scan");
    for (number, level) in LogLevel::ALL.into_iter().enumerate() {
        clock.advance_ns(SECOND_NS + 1);
        let event = LogEvent::new(level, format!("event {number}")).logger(format!("disk {number}"));
        run.log(event.attributes(json!({ "n": number })).unwrap()).unwrap();
    }
    let found = events(&store, run.id());
    assert_eq!(found.len(), 8);
    for ((number, level), event) in LogLevel::ALL.into_iter().enumerate().zip(&found) {
        let time: DateTime<Utc> =
            DateTime::from_timestamp_nanos(NOON_NS + (i64::try_from(number).unwrap() + 1) * (SECOND_NS + 1));
        assert_eq!((event.seq, event.time, event.level), (number as u64 + 1, time, level));
        assert_eq!(
            (event.logger.as_str(), event.event.as_str()),
            (&*format!("disk {number}"), &*format!("event {number}"))
        );
        assert_eq!(event.attributes.as_str(), format!(r#"{{"n":{number}}}"#));
    }
    run.finish().unwrap();
    assert_eq!(only_run(&store, listed_uuid(&store)).event_count, 8);
}

#[test]
fn the_names_of_levels_and_statuses_are_read_back_and_no_others() {
    for level in LogLevel::ALL {
        assert_eq!(level.to_string().parse::<LogLevel>().unwrap(), level);
    }
    for status in SystemTaskStatus::ALL {
        assert_eq!(status.to_string().parse::<SystemTaskStatus>().unwrap(), status);
    }
    for name in ["", "Info", "info ", "fatal"] {
        assert!(matches!(name.parse::<LogLevel>(), Err(Error::Invalid { field: "log_level", .. })), "{name:?}");
        assert!(matches!(name.parse::<SystemTaskStatus>(), Err(Error::Invalid { field: "status", .. })), "{name:?}");
    }
}

fn listed_uuid(store: &taskstore::TaskStore) -> uuid::Uuid {
    super::listed(store)[0].uuid
}

#[test]
fn each_method_logs_at_its_level_in_the_name_of_the_system_task() {
    let store = temporary();
    let run = store.system_tasks().start("scan", Some("disk 1")).unwrap();
    run.critical("c", ()).unwrap();
    run.exception("x", ()).unwrap();
    run.error("e", ()).unwrap();
    run.warning("w", ()).unwrap();
    run.info("i", json!({"a": 1})).unwrap();
    run.debug("d", ()).unwrap();
    run.log(LogEvent::new(LogLevel::Notset, "")).unwrap();

    let found = events(&store, run.id());
    assert!(found.iter().all(|event| event.logger == "scan"), "{found:?}");
    let found: Vec<_> =
        found.iter().map(|event| (event.level, event.event.as_str(), event.attributes.as_str())).collect();
    let expected = [
        (LogLevel::Critical, "c", "{}"),
        (LogLevel::Exception, "x", "{}"),
        (LogLevel::Error, "e", "{}"),
        (LogLevel::Warning, "w", "{}"),
        (LogLevel::Info, "i", r#"{"a":1}"#),
        (LogLevel::Debug, "d", "{}"),
        (LogLevel::Notset, "", "{}"),
    ];
    assert_eq!(found, expected);
    run.finish().unwrap();
}

#[test]
fn an_event_may_be_any_text_and_its_logger_empty() {
    let store = temporary();
    let run = start(&store, "scan");
    let text = "a\0b \u{1f600} \u{202e}\r\n\u{7f}";
    run.log(LogEvent::new(LogLevel::Info, text).logger("")).unwrap();
    let event = events(&store, run.id()).remove(0);
    assert_eq!((event.event.as_str(), event.logger.as_str()), (text, ""));
    run.finish().unwrap();
}

#[test]
fn a_run_that_says_nothing_ends_as_successful_without_events() {
    let store = temporary();
    let run = start(&store, "scan");
    let uuid = run.uuid();
    run.finish().unwrap();
    let run = only_run(&store, uuid);
    assert_eq!((run.status, run.interrupted, run.event_count), (Some(SystemTaskStatus::Successful), false, 0));
}

#[test]
fn an_event_of_any_level_leaves_the_status_as_it_is() {
    let store = temporary();
    let run = start(&store, "scan");
    let uuid = run.uuid();
    for level in LogLevel::ALL {
        run.log(LogEvent::new(level, "e")).unwrap();
    }
    assert_eq!(only_run(&store, uuid).status, None);
    run.finish().unwrap();
    assert_eq!(only_run(&store, uuid).status, Some(SystemTaskStatus::Successful));
}

#[test]
fn the_messages_of_a_status_become_events_at_level_info_in_the_name_of_the_system_task() {
    let (store, clock) = store_at_noon();
    let run = start(&store, "scan");
    let uuid = run.uuid();
    run.warning("first", ()).unwrap();
    clock.advance_ns(SECOND_NS);
    run.set_status(SystemTaskStatus::Warning, ["1 disk", "is full"]).unwrap();

    let found = events(&store, run.id());
    let of_status: Vec<_> = found[1..].iter().map(|e| (e.seq, e.level, e.logger.as_str(), e.event.as_str())).collect();
    assert_eq!(of_status, [(2, LogLevel::Info, "scan", "1 disk"), (3, LogLevel::Info, "scan", "is full")]);
    let time = DateTime::from_timestamp_nanos(NOON_NS + SECOND_NS);
    assert!(found[1..].iter().all(|event| event.time == time && event.attributes.as_str() == "{}"), "{found:?}");
    run.finish().unwrap();
    let run = only_run(&store, uuid);
    assert_eq!((run.status, run.event_count), (Some(SystemTaskStatus::Warning), 3));
}

#[test]
fn every_status_can_be_set_and_is_seen_while_the_run_is_in_progress() {
    let store = temporary();
    for status in SystemTaskStatus::ALL {
        let run = start(&store, status.as_str());
        let uuid = run.uuid();
        run.set_status(status, [""; 0]).unwrap();
        assert_eq!((only_run(&store, uuid).status, only_run(&store, uuid).finished), (Some(status), None));
        assert_eq!(events(&store, run.id()), []);
        run.finish().unwrap();
        assert_eq!(only_run(&store, uuid).status, Some(status));
        assert_eq!(store.system_tasks().retrieve(uuid).unwrap().status(), status);
    }
}

#[test]
fn a_later_status_wins_and_earlier_events_stay() {
    let store = temporary();
    let run = start(&store, "scan");
    let (id, uuid) = (run.id(), run.uuid());
    run.set_error(&chain()).unwrap();
    run.set_status(SystemTaskStatus::Warning, ["second"]).unwrap();
    run.set_status(SystemTaskStatus::Successful, ["third"]).unwrap();
    run.finish().unwrap();
    assert_eq!(only_run(&store, uuid).status, Some(SystemTaskStatus::Successful));
    let texts: Vec<_> = said(&store, id).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["sync failed: no answer: line 1\nline 2", "second", "third"]);
}

#[test]
fn an_error_becomes_one_event_at_level_error_with_the_texts_of_all_its_sources() {
    let store = temporary();
    let run = start(&store, "scan");
    let (id, uuid) = (run.id(), run.uuid());
    run.info("begun", ()).unwrap();
    run.set_error(&chain()).unwrap();
    assert_eq!(only_run(&store, uuid).status, Some(SystemTaskStatus::Error));
    run.finish().unwrap();
    let expected = (LogLevel::Error, "sync failed: no answer: line 1\nline 2".to_owned());
    assert_eq!(said(&store, id), [(LogLevel::Info, "begun".to_owned()), expected]);
    assert_eq!(events(&store, id)[1].logger, "scan");
    let run = only_run(&store, uuid);
    assert_eq!((run.status, run.interrupted), (Some(SystemTaskStatus::Error), false));
}

#[test]
fn nothing_is_added_to_a_run_that_has_ended_and_it_does_not_end_twice() {
    let store = temporary();
    let run = store
        .batch(|batch| {
            let run = batch.start_run("scan", None, RunOptions::new())?;
            batch.finish_run(&run)?;
            Ok::<_, Error>(run)
        })
        .unwrap();
    let before = store.system_tasks().retrieve(run.uuid()).unwrap();
    store
        .batch(|batch| {
            let ended = |action: &str, answer: Result<(), Error>| {
                let error = answer.unwrap_err();
                assert_eq!(error.to_string(), format!("cannot {action} run {}: it has ended", run.id()));
                assert!(matches!(error, Error::RunEnded { id, .. } if id == run.id()), "{error:?}");
            };
            ended("log to", batch.log(&run, LogEvent::new(LogLevel::Info, "late")));
            ended("log to", batch.set_status(&run, SystemTaskStatus::Error, ["late"]));
            ended("end", batch.finish_run(&run));
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(store.system_tasks().retrieve(run.uuid()).unwrap(), before);
    assert_eq!(events(&store, run.id()), []);
}
