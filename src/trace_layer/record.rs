//! What the writer writes in one transaction.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::traced::{End, Ending, Entry, Kind, Recorded, Start, Traced, TracedEvent};
use crate::sqlite::system_task::{Event, RunEnd};
use crate::sqlite::task::Said;
use crate::sqlite::{self, Write};
use crate::store::Context;
use crate::system_task::operation::nanoseconds;
use crate::system_task::{Attributes, LogLevel, SystemTaskStatus};
use crate::task::{Level, NewTask, Outcome, TaskId, operation, reason};
use crate::{Error, Result};

/// What a transaction has written.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) started: Vec<(Arc<Traced>, Recorded)>,
    pub(super) ended: Vec<Arc<Traced>>,
    /// What the store refused, and why it did the last time. The rest is written all the same.
    pub(super) refused: u64,
    pub(super) refused_with: Option<Error>,
}

/// Writes all of the entries, or fails.
pub(super) fn record(write: &Write<'_>, context: &Context, entries: &[Entry]) -> Result<Report> {
    let mut recording = Recording { write, context, started: HashMap::new(), report: Report::default() };
    for entry in entries {
        match entry {
            Entry::Start(traced, start) => recording.start(traced, start)?,
            Entry::Event(traced, event) => recording.event(traced, event)?,
            Entry::End(traced, end) => recording.end(traced, end)?,
        }
    }
    Ok(recording.report)
}

struct Recording<'a, 'b> {
    write: &'a Write<'b>,
    context: &'a Context,
    /// What this transaction has started.
    started: HashMap<u64, Recorded>,
    report: Report,
}

impl Recording<'_, '_> {
    fn start(&mut self, traced: &Arc<Traced>, start: &Start) -> Result<()> {
        let recorded = match start {
            Start::Task { task, no_configuration, time_ns } => {
                Recorded::Task(self.start_task(task, no_configuration.as_deref(), *time_ns)?)
            }
            Start::Run(run) => Recorded::Run(self.write.verb(|write| sqlite::system_task::start(write, run))?.0),
        };
        self.started.insert(traced.number, recorded);
        self.report.started.push((Arc::clone(traced), recorded));
        Ok(())
    }

    /// A task of a configuration that there is not starts without one, and says so.
    fn start_task(&mut self, task: &NewTask, no_configuration: Option<&str>, time_ns: i64) -> Result<TaskId> {
        let (write, owner) = (self.write, self.context.owner.as_ref());
        let start = |task: &NewTask| write.verb(|write| sqlite::task::start(write, task, owner, time_ns));
        let (id, missing) = match start(task) {
            Ok(id) => (id, no_configuration.map(|given| format!("task.configuration is {given:?}, which is no id"))),
            Err(error @ Error::NotFound { .. }) => {
                let task = NewTask { configuration: None, ..task.clone() };
                (start(&task)?, Some(error.to_string()))
            }
            Err(error) => return Err(error),
        };
        if let Some(text) = missing {
            let said = self.message(id, Level::Warn, &self.cut(&text), time_ns);
            self.refusable(said)?;
        }
        Ok(id)
    }

    fn event(&mut self, traced: &Traced, event: &TracedEvent) -> Result<()> {
        let TracedEvent { time_ns, level, logger, text, attributes } = event;
        let said = match (self.recorded(traced), &traced.kind) {
            (Some(Recorded::Task(id)), _) => self.message(id, *level, text, *time_ns),
            (Some(Recorded::Run(id)), _) => {
                let attributes =
                    if attributes.is_empty() { Attributes::default() } else { Attributes::stored(attributes) };
                let event = Event {
                    time_ns: *time_ns,
                    level: log_level(*level),
                    logger: logger.clone().into_owned(),
                    event: text.clone(),
                    attributes,
                    key: None,
                };
                self.write.verb(|write| sqlite::system_task::log_one(write, id, &event))
            }
            // Its start was lost.
            (None, _) => {
                self.report.refused += 1;
                return Ok(());
            }
        };
        self.refusable(said)
    }

    fn message(&self, id: TaskId, level: Level, text: &str, time_ns: i64) -> Result<()> {
        let said = Said { level, text, key: None };
        self.write.verb(|write| sqlite::task::message(write, id, &said, time_ns))
    }

    fn end(&mut self, traced: &Arc<Traced>, end: &End) -> Result<()> {
        let Some(recorded) = self.recorded(traced) else {
            self.report.refused += 1;
            return Ok(());
        };
        let what = match recorded {
            Recorded::Task(_) => "message",
            Recorded::Run(_) => "event",
        };
        let count = |number: u64, how: &str| {
            let plural = if number == 1 { "" } else { "s" };
            (number > 0).then(|| format!("… {number} {what}{plural} {how}"))
        };
        self.note(traced, Level::Info, count(end.tail.left_out, "left out"), end.tail.left_out_ns)?;
        for event in &end.tail.events {
            self.event(traced, event)?;
        }
        let dropped = traced.dropped.load(Ordering::Relaxed);
        self.note(traced, Level::Warn, count(dropped, "dropped: the queue was full"), end.time_ns)?;
        let lost = traced.lost.load(Ordering::Relaxed);
        self.note(traced, Level::Warn, count(lost, "lost: the store could not be written"), end.time_ns)?;
        let ended = match recorded {
            Recorded::Task(id) => self.end_task(id, end),
            Recorded::Run(id) => {
                let end = run_end(id, traced, end, self.context)?;
                self.write.verb(|write| sqlite::system_task::end(write, &end))
            }
        };
        self.report.ended.push(Arc::clone(traced));
        self.refusable(ended)
    }

    fn end_task(&self, id: TaskId, end: &End) -> Result<()> {
        let (outcome, reason) = match &end.how {
            Ending::Finished => (Outcome::Finished, String::new()),
            Ending::Failed(reason) => (Outcome::Failed, self.cut(reason)),
            Ending::Interrupted(reason) => (Outcome::Interrupted, self.cut(reason)),
        };
        let end = operation::end_at(self.context, id, outcome, reason, end.time_ns)?;
        self.write.verb(end)
    }

    /// Something that the layer itself says.
    fn note(&mut self, traced: &Traced, level: Level, text: Option<String>, time_ns: i64) -> Result<()> {
        let Some(text) = text else { return Ok(()) };
        let logger = logger(traced).into();
        let text = self.cut(&text);
        self.event(traced, &TracedEvent { time_ns, level, logger, text, attributes: String::new() })
    }

    fn cut(&self, text: &str) -> String {
        reason::cut(text.to_owned(), self.context.limits.text_bytes_max)
    }

    fn recorded(&self, traced: &Traced) -> Option<Recorded> {
        traced.recorded.get().or_else(|| self.started.get(&traced.number)).copied()
    }

    /// Somebody else may have ended or deleted the task.
    fn refusable(&mut self, answer: Result<()>) -> Result<()> {
        match answer {
            Err(error @ (Error::NotFound { .. } | Error::WrongState { .. } | Error::RunEnded { .. })) => {
                self.report.refused += 1;
                self.report.refused_with = Some(error);
                Ok(())
            }
            other => other,
        }
    }
}

fn logger(traced: &Traced) -> String {
    match &traced.kind {
        Kind::Task => String::new(),
        Kind::Run { name, .. } => name.clone(),
    }
}

fn run_end(id: crate::system_task::RunId, traced: &Traced, end: &End, context: &Context) -> Result<RunEnd> {
    let reason = match &end.how {
        Ending::Finished => None,
        Ending::Failed(reason) | Ending::Interrupted(reason) => Some(Event {
            time_ns: end.time_ns,
            level: LogLevel::Error,
            logger: logger(traced),
            event: reason::cut(reason.clone(), context.limits.text_bytes_max),
            attributes: Attributes::default(),
            key: None,
        }),
    };
    Ok(RunEnd {
        id,
        status: reason.is_some().then_some(SystemTaskStatus::Error),
        interrupted: matches!(end.how, Ending::Interrupted(_)),
        duration_ns: nanoseconds("duration", end.duration)?,
        now_ns: end.time_ns,
        reason,
    })
}

/// The system-task API has no trace.
fn log_level(level: Level) -> LogLevel {
    match level {
        Level::Error => LogLevel::Error,
        Level::Warn => LogLevel::Warning,
        Level::Info => LogLevel::Info,
        Level::Debug | Level::Trace => LogLevel::Debug,
    }
}
