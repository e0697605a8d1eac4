//! System tasks with everything that a row and its log events may hold.

mod jobs;

use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use taskstore::{Attributes, Clock, LogEvent, LogLevel, RunOptions, SystemTaskStatus};
use uuid::Uuid;

use super::World;

/// What the API must say of a system task: its members, in their order.
#[derive(Serialize)]
pub(crate) struct Row {
    uuid: Uuid,
    name: String,
    full_name: String,
    uid: Option<String>,
    description: String,
    start_timestamp: String,
    finish_timestamp: String,
    /// Seconds, exactly.
    duration: Box<RawValue>,
    status: SystemTaskStatus,
    messages: Vec<Message>,
    expires: Option<String>,
    expiring: bool,
}

/// What the API must say of a log event.
#[derive(Serialize)]
struct Message {
    timestamp: String,
    log_level: LogLevel,
    logger: String,
    event: String,
    attributes: Attributes,
}

/// A run, and the system task that it makes.
#[derive(Clone)]
struct Job {
    name: String,
    uid: Option<String>,
    description: String,
    /// Set before the end; without it the run is successful.
    status: Option<SystemTaskStatus>,
    expires_after: Option<Duration>,
    began: &'static str,
    /// What passes before each event, and before the end.
    step_ns: u64,
    events: Vec<LogEvent>,
}

impl Job {
    fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            uid: None,
            description: "Fetches the mail".to_owned(),
            status: None,
            expires_after: None,
            began: "2026-11-21T12:00:00.123456789Z",
            step_ns: 1_000_001,
            events: Vec::new(),
        }
    }

    fn uid(self, uid: &str) -> Self {
        Self { uid: Some(uid.to_owned()), ..self }
    }

    fn options(&self) -> RunOptions {
        let options = RunOptions::new().description(&self.description);
        match self.expires_after {
            Some(after) => options.expires_after(after),
            None => options.never_expires(),
        }
    }

    fn row(&self, uuid: Uuid, started: DateTime<Utc>, messages: Vec<Message>, finished: DateTime<Utc>) -> Row {
        let took_ns = self.step_ns * u64::try_from(messages.len() + 1).unwrap();
        let seconds = format!("{}.{:09}", took_ns / 1_000_000_000, took_ns % 1_000_000_000);
        Row {
            uuid,
            name: self.name.clone(),
            full_name: match self.uid.as_deref() {
                None | Some("") => self.name.clone(),
                Some(uid) => format!("{}:{uid}", self.name),
            },
            uid: self.uid.clone(),
            description: self.description.clone(),
            start_timestamp: wire_time(started),
            finish_timestamp: wire_time(finished),
            duration: RawValue::from_string(seconds).unwrap(),
            status: self.status.unwrap_or(SystemTaskStatus::Successful),
            messages,
            expires: self.expires_after.map(|after| wire_time(finished + after)),
            expiring: self.expires_after.is_some(),
        }
    }
}

/// Microseconds, cut, and none if they are zero.
fn wire_time(time: DateTime<Utc>) -> String {
    let digits = if time.nanosecond() < 1_000 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
    time.format(digits).to_string()
}

/// Records all of them, and says what the API must list, in no order.
pub(crate) fn record(world: &World) -> Vec<Row> {
    unlisted(world);
    let jobs = jobs::all();
    let mut rows: Vec<_> = jobs.iter().map(|job| recorded(world, job)).collect();
    rows.extend([registered(world), interrupted(world), run_twice(world), running_again(world)]);
    rows
}

fn recorded(world: &World, job: &Job) -> Row {
    world.set_time(job.began);
    let run =
        world.store.system_tasks().start_with(&job.name, job.uid.as_deref(), job.options()).unwrap().detach().unwrap();
    let (started, mut messages) = (world.clock.now(), Vec::new());
    let rest = world.store.batch(|batch| {
        for event in &job.events {
            let timestamp = wire_time(world.after_ns(job.step_ns));
            batch.log(&run, event.clone())?;
            messages.push(Message {
                timestamp,
                log_level: event.level,
                logger: event.logger.clone().unwrap_or_else(|| job.name.clone()),
                event: event.event.clone(),
                attributes: event.attributes.clone(),
            });
        }
        if let Some(status) = job.status {
            batch.set_status(&run, status, [""; 0])?;
        }
        world.after_ns(job.step_ns);
        batch.finish_run(&run)
    });
    rest.unwrap();
    job.row(run.uuid(), started, messages, world.clock.now())
}

/// Said by the store itself.
fn said(world: &World, job: &Job, log_level: LogLevel, event: &str) -> Message {
    Message {
        timestamp: wire_time(world.clock.now()),
        log_level,
        logger: job.name.clone(),
        event: event.to_owned(),
        attributes: Attributes::default(),
    }
}

fn registered(world: &World) -> Row {
    let job = Job { status: Some(SystemTaskStatus::Unknown), step_ns: 0, ..Job::new("registered") };
    world.set_time(job.began);
    world.store.system_tasks().register(&job.name, &job.description).unwrap();
    let uuid = world.store.system_tasks().find(&job.name, None).unwrap().unwrap();
    let now = world.clock.now();
    job.row(uuid, now, vec![said(world, &job, LogLevel::Info, "Task has not been run yet.")], now)
}

fn interrupted(world: &World) -> Row {
    let job = Job { status: Some(SystemTaskStatus::Error), step_ns: 0, ..Job::new("interrupted") };
    world.set_time(job.began);
    let run = world.store.system_tasks().start_with(&job.name, None, job.options()).unwrap();
    let (uuid, now) = (run.uuid(), world.clock.now());
    drop(run);
    job.row(uuid, now, vec![said(world, &job, LogLevel::Error, "ended without finish")], now)
}

/// Its row is the last run's alone.
fn run_twice(world: &World) -> Row {
    let first = Job { events: vec![LogEvent::new(LogLevel::Critical, "of the first run")], ..Job::new("run_twice") };
    let first = recorded(world, &Job { status: Some(SystemTaskStatus::Error), ..first });
    let last = recorded(world, &Job { began: "2026-11-21T13:00:00Z", ..Job::new("run_twice") });
    assert_eq!(first.uuid, last.uuid);
    last
}

/// Its row is the run that has ended.
fn running_again(world: &World) -> Row {
    let job = Job::new("running_again");
    let row = recorded(world, &job);
    let running = world.store.system_tasks().start_with(&job.name, None, job.options()).unwrap();
    running.info("not yet", ()).unwrap();
    let _ = running.detach().unwrap();
    row
}

/// What the API must not list.
fn unlisted(world: &World) {
    let system_tasks = world.store.system_tasks();
    let _ = system_tasks.start("not yet", None).unwrap().detach().unwrap();
    system_tasks.start_with("no news", None, RunOptions::new().only_on_failure()).unwrap().finish().unwrap();
}
