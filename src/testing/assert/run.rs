//! What a run of a system task is expected to be.

use std::fmt::Display;

use chrono::{DateTime, Utc};

use super::entries::{Entry, ExpectedEntries, List};
use super::picture::{Picture, ended, quoted, time};
use crate::sqlite::system_task::NamedRun;
use crate::system_task::{LoggedEvent, Run, RunId, SystemTaskStatus, full_name};
use crate::testing::span::{self, Span};
use crate::{Result, TaskStore, sqlite};

/// What a run of a system task is expected to be: nothing, at first. [`assert_run!`](crate::assert_run) makes one from words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "nothing is asserted before `assert_run`"]
pub struct ExpectedRun {
    end: Option<End>,
    within: Option<Span>,
    expired: Option<bool>,
    events: ExpectedEntries,
}

/// How a run may have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    InProgress,
    Interrupted,
    Ended(SystemTaskStatus),
}

impl End {
    fn of(run: &Run) -> Self {
        match run.finished {
            None => Self::InProgress,
            Some(_) if run.interrupted => Self::Interrupted,
            Some(_) => Self::Ended(run.status.unwrap_or(SystemTaskStatus::Unknown)),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in progress",
            Self::Interrupted => "interrupted",
            Self::Ended(status) => status.as_str(),
        }
    }
}

impl ExpectedRun {
    /// Any run.
    pub fn new() -> Self {
        Self::default()
    }

    /// It has not ended.
    pub fn in_progress(self) -> Self {
        Self { end: Some(End::InProgress), ..self }
    }

    /// It was interrupted.
    pub fn interrupted(self) -> Self {
        Self { end: Some(End::Interrupted), ..self }
    }

    /// It has ended with status successful.
    pub fn successful(self) -> Self {
        self.ended(SystemTaskStatus::Successful)
    }

    /// It has ended with status warning.
    pub fn warning(self) -> Self {
        self.ended(SystemTaskStatus::Warning)
    }

    /// It has ended with status error, and was not interrupted.
    pub fn error(self) -> Self {
        self.ended(SystemTaskStatus::Error)
    }

    /// It has ended with status unknown.
    pub fn unknown(self) -> Self {
        self.ended(SystemTaskStatus::Unknown)
    }

    fn ended(self, status: SystemTaskStatus) -> Self {
        Self { end: Some(End::Ended(status)), ..self }
    }

    /// Its last event has this in it.
    pub fn with(mut self, part: impl Into<String>) -> Self {
        self.events.last = Some(part.into());
        self
    }

    /// It has ended, and by the monotonic clock it took no longer.
    ///
    /// # Panics
    ///
    /// If it is a text that tells no [`Span`].
    #[track_caller]
    pub fn within(self, span: impl TryInto<Span, Error: Display>) -> Self {
        Self { within: Some(span::must_tell(span)), ..self }
    }

    /// It has expired by the store's clock, and was not cleaned away.
    pub fn expired(self) -> Self {
        Self { expired: Some(true), ..self }
    }

    /// It has not expired, and may never.
    pub fn not_expired(self) -> Self {
        Self { expired: Some(false), ..self }
    }

    /// These are the texts of all its events.
    pub fn events(mut self, texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.events.list = Some(List::Whole(texts.into_iter().map(Into::into).collect()));
        self
    }

    /// Each of these is in one of its events, in this order; there may be others between.
    pub fn events_in_order(mut self, parts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.events.list = Some(List::InOrder(parts.into_iter().map(Into::into).collect()));
        self
    }

    fn draw(&self, named: &NamedRun, events: &[LoggedEvent], now: DateTime<Utc>) -> Picture {
        let run = &named.run;
        let mut picture = Picture::new(format!("run {}", run.id), title(named));
        let found = End::of(run);
        let expected = self.end.filter(|expected| *expected != found);
        picture.line(found.as_str(), expected.map(|expected| expected.as_str().to_owned()));
        picture.line(format!("started {}", time(run.started)), None);
        self.draw_end(&mut picture, run);
        self.draw_expiry(&mut picture, run, now);
        let entries: Vec<_> = events.iter().map(entry).collect();
        self.events.draw(&mut picture, &entries, "event", "last event");
        picture
    }

    fn draw_end(&self, picture: &mut Picture, run: &Run) {
        let expected = |span: &Span| format!("ended within {span}");
        match run.finished {
            Some(at) => {
                let took = Span(run.duration.unwrap_or_default());
                picture.line(ended(at, took), self.within.filter(|within| took > *within).as_ref().map(expected));
            }
            None => self.within.iter().for_each(|within| picture.missing(expected(within))),
        }
    }

    fn draw_expiry(&self, picture: &mut Picture, run: &Run, now: DateTime<Utc>) {
        let expired = run.expires.is_some_and(|expires| expires <= now);
        let wrong = self.expired.filter(|expected| *expected != expired);
        let expected = wrong.map(|expected| {
            let word = if expected { "expired" } else { "not expired" };
            format!("{word} by {}", time(now))
        });
        match (run.expires, expected) {
            (Some(at), expected) => picture.line(format!("expires {}", time(at)), expected),
            (None, Some(expected)) => picture.missing(expected),
            (None, None) => {}
        }
    }
}

/// Asserts that a run is as expected. [`assert_run!`](crate::assert_run) says it in words.
///
/// # Panics
///
/// If it is not, with the whole run and, line by line, what was expected instead. Also if the store cannot be read, or has no
/// such run.
#[track_caller]
pub fn assert_run(store: &TaskStore, run: RunId, expected: &ExpectedRun) {
    match read(store, run) {
        Ok((named, events, now)) => expected.draw(&named, &events, now).assert_as_expected(),
        Err(error) => panic!("run {run} cannot be read: {error}"),
    }
}

fn read(store: &TaskStore, id: RunId) -> Result<(NamedRun, Vec<LoggedEvent>, DateTime<Utc>)> {
    let now = DateTime::from_timestamp_nanos(store.context().now_ns()?);
    let named = store.database().read(|read| sqlite::system_task::named_run(read, id))?;
    let page = store.context().limits.page_rows_max;
    let mut events = Vec::new();
    loop {
        let after = events.last().map_or(0, |event: &LoggedEvent| event.seq);
        let more = store.system_tasks().events(id, after, page)?;
        if more.is_empty() {
            return Ok((named, events, now));
        }
        events.extend(more);
    }
}

/// `run 7 of system task "ldap_sync:eu"`
pub(super) fn title(named: &NamedRun) -> String {
    let name = full_name(&named.name, named.uid.as_deref());
    format!("run {} of system task {}", named.run.id, quoted(&name))
}

fn entry(event: &LoggedEvent) -> Entry {
    let LoggedEvent { seq, level, event: text, attributes, .. } = event;
    let attributes = match attributes.as_str() {
        "{}" => String::new(),
        attributes => format!(" {attributes}"),
    };
    let line = format!("event {seq} {} {level} {}{attributes}", time(event.time), quoted(text));
    Entry { text: text.clone(), is_reason: true, line }
}
