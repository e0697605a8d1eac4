//! Answers as streams: what they write is what serde writes for the data that is read back from them.

use std::io;

use proptest::prelude::*;
use taskstore::wire::system_task_api::{self as wire, ListRequest, RetrieveRequest, SystemTaskList};
use taskstore::{Error, LogEvent, LogLevel, RunOptions, SystemTaskFilter, SystemTaskStatus, TaskStore};

use super::{answer, retrieved};
use crate::support::{ManualClock, Nanoseconds as _};
use crate::system_task::{events, finished, options_at_noon, store_at_noon};

/// A run that is to be recorded.
#[derive(Clone, Debug)]
struct Plan {
    name: String,
    uid: Option<String>,
    description: String,
    /// The start, how much later an event is logged, and the duration.
    times: (i64, i64, i64),
    expires_after: Option<u64>,
    events: Vec<(LogLevel, String, Option<String>)>,
    status: Option<SystemTaskStatus>,
    ends: bool,
}

fn text(chars: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), chars).prop_map(|text| text.into_iter().filter(|c| *c != '\0').collect())
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let level = prop::sample::select(&LogLevel::ALL[..]);
    // Half of the nanoseconds are whole seconds, which have no fraction on the wire.
    let ns = || prop_oneof![0..i64::MAX / 4, (0..9_000_i64).prop_map(|seconds| seconds * 1_000_000_000)];
    let plan = (
        text(1..6).prop_map(|name| format!("n{name}")),
        prop::option::of(text(0..6)),
        text(0..6),
        (i64::MIN / 4..i64::MAX / 4, ns(), ns()),
        prop::option::of(0..u64::MAX / 4),
        prop::collection::vec((level, text(0..6), prop::option::of(text(0..4))), 0..4),
        prop::option::of(prop::sample::select(&SystemTaskStatus::ALL[..])),
        prop::bool::weighted(0.8),
    );
    let plan = plan.prop_map(|(name, uid, description, times, expires_after, events, status, ends)| Plan {
        name,
        uid,
        description,
        times,
        expires_after,
        events,
        status,
        ends,
    });
    prop::collection::vec(plan, 0..6)
}

fn record(store: &TaskStore, clock: &ManualClock, plans: &[Plan]) {
    for plan in plans {
        let (start, later, duration) = plan.times;
        clock.set_ns(start);
        let options = RunOptions::new().description(plan.description.as_str());
        let options = match plan.expires_after {
            Some(ns) => options.expires_after(std::time::Duration::from_nanos(ns)),
            None => options.never_expires(),
        };
        let run = store.system_tasks().start_with(plan.name.as_str(), plan.uid.as_deref(), options).unwrap();
        clock.advance_ns(later);
        for (level, event, logger) in &plan.events {
            let event = LogEvent::new(*level, event.as_str());
            let event = logger.iter().fold(event, |event, logger| event.logger(logger.as_str()));
            run.log(event.attributes(serde_json::json!({ "a": plan.description })).unwrap()).unwrap();
        }
        clock.advance_ns(-later);
        clock.advance_ns(duration);
        if let Some(status) = plan.status {
            run.set_status(status, ["done"]).unwrap();
        }
        if plan.ends { run.finish().unwrap() } else { drop(run) }
    }
}

/// What the wire must say of a system task that the store shows.
fn on_the_wire(store: &TaskStore, task: &taskstore::SystemTask) -> wire::SystemTask {
    let micros = |time: chrono::DateTime<chrono::Utc>| {
        chrono::DateTime::from_timestamp_micros(time.timestamp_nanos_opt().unwrap().div_euclid(1_000)).unwrap()
    };
    let run = task.shown_run.as_ref().unwrap();
    let messages = events(store, run.id).into_iter().map(|event| wire::LogEvent {
        timestamp: micros(event.time),
        log_level: event.level,
        logger: event.logger,
        event: event.event,
        attributes: event.attributes,
    });
    wire::SystemTask {
        uuid: task.uuid,
        name: task.name.clone(),
        full_name: task.full_name(),
        uid: task.uid.clone(),
        description: task.description.clone(),
        start_timestamp: micros(run.started),
        finish_timestamp: micros(run.finished.unwrap()),
        duration: run.duration.unwrap().as_nanos() as f64 / 1e9,
        status: task.status(),
        messages: messages.collect(),
        expires: run.expires.map(micros),
        expiring: run.expires.is_some(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_is_read_back_as_what_the_store_shows_and_written_again_to_the_byte(plans in plans()) {
        let (options, clock) = options_at_noon();
        let store = options.open_in_memory().unwrap();
        record(&store, &clock, &plans);
        let tasks = store.system_tasks().list(&SystemTaskFilter::new()).unwrap().items;

        let page = answer(&store, &[]).unwrap();
        let list: SystemTaskList = serde_json::from_str(&page).unwrap();
        let expected: Vec<_> = tasks.iter().map(|task| on_the_wire(&store, task)).collect();
        prop_assert_eq!(&list.results, &expected);
        prop_assert_eq!(list.pagination.count, tasks.len() as u64);
        prop_assert_eq!(serde_json::to_string(&list).unwrap(), page);
        for task in &expected {
            let object = retrieved(&store, &task.uuid.to_string(), &[]).unwrap();
            prop_assert_eq!(object, serde_json::to_string(task).unwrap());
        }
    }
}

/// Takes so many bytes, and fails then.
struct Full(usize);

impl io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_is_an_error_of_its_own_and_the_store_goes_on() {
    let (store, _) = store_at_noon();
    let uuid = finished(&store, "scan", None);
    let list = ListRequest::parse([("page", "1")]).unwrap();
    let retrieve = RetrieveRequest::parse(&uuid.to_string(), [("", ""); 0]).unwrap();
    for bytes in [0, 1, 50] {
        for answer in
            [wire::write_list(&store, &list, Full(bytes)), wire::write_system_task(&store, &retrieve, Full(bytes))]
        {
            let error = answer.unwrap_err();
            let told = matches!(&error, Error::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull);
            assert!(told, "{error:?}");
        }
    }
    finished(&store, "scan", None);
    assert!(answer(&store, &[]).is_ok());
}

/// Records a run at every write: what is written is of one snapshot all the same.
struct Meddler<'a>(&'a TaskStore, Vec<u8>);

impl io::Write for Meddler<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        super::run(self.0, "a", None, SystemTaskStatus::Error);
        super::run(self.0, "new", None, SystemTaskStatus::Error);
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_answer_is_of_one_snapshot_though_others_write_meanwhile() {
    let (store, _) = store_at_noon();
    for name in ["a", "b"] {
        let run = store.system_tasks().start(name, None).unwrap();
        // More than is buffered before the first write.
        run.info("x".repeat(200_000), ()).unwrap();
        run.finish().unwrap();
    }
    let before = answer(&store, &[]).unwrap();
    let mut out = Meddler(&store, Vec::new());
    wire::write_list(&store, &ListRequest::parse([("", ""); 0]).unwrap(), &mut out).unwrap();
    assert!(String::from_utf8(out.1).unwrap() == before, "the answer changed while it was written");
    assert_eq!(super::listed(&store, &[]), ["a", "b", "new"]);
}
