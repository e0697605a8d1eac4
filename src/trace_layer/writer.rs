//! The thread that writes what is queued.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::doubt;
use super::handle::Shared;
use super::record::{self, Report};
use super::traced::{End, Ending, Entry, Recorded, Traced};
use crate::{Error, Result, TaskStore};

/// The most entries of one transaction, so that other writers wait for milliseconds.
const ENTRIES_MAX: usize = 1_000;

/// How long it waits before it tries again what has failed.
const RETRY_EVERY: Duration = Duration::from_millis(100);

/// The most starts and ends that are kept on when they cannot be written.
const KEPT_MAX: usize = 10_000;

const SHUT_DOWN: &str = "interrupted: its trace layer was shut down";

pub(super) struct Writer {
    store: TaskStore,
    shared: Arc<Shared>,
    retry_for: Duration,
    /// What has started and not ended.
    live: HashMap<u64, Arc<Traced>>,
    /// Starts and ends that could not be written.
    kept: Vec<Entry>,
    /// Whether the last write failed for so long that it was given up.
    is_failing: bool,
}

/// Nobody is to wait for a writer that has ended, nor for one that has panicked.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.queue.writer_ended();
    }
}

impl Writer {
    pub(super) fn new(store: TaskStore, shared: Arc<Shared>, retry_for: Duration) -> Self {
        Self { store, shared, retry_for, live: HashMap::new(), kept: Vec::new(), is_failing: false }
    }

    pub(super) fn run(mut self) {
        let _ended = Ended(Arc::clone(&self.shared));
        while let Some(entries) = self.next() {
            let number = entries.len();
            self.write(entries);
            self.shared.queue.done(number);
        }
        let mut ends = Vec::new();
        for traced in mem::take(&mut self.live).into_values() {
            match End::now(&traced, Ending::Interrupted(SHUT_DOWN.to_owned()), self.store.context()) {
                Ok(end) => ends.push(Entry::End(traced, Arc::new(end))),
                Err(error) => self.shared.lose(1, Some(error)),
            }
        }
        self.write(ends);
        self.shared.lose(number(self.kept.len()), None);
    }

    fn next(&self) -> Option<Vec<Entry>> {
        // While the store fails each try may take the whole busy timeout: then those who wait, and who shut down, wait for
        // one.
        let entries_max = if self.is_failing { usize::MAX } else { ENTRIES_MAX };
        let patience = (!self.kept.is_empty()).then_some(RETRY_EVERY);
        self.shared.queue.take(entries_max, patience)
    }

    /// Writes these in one transaction, after those that were kept. It tries as long as that may help.
    fn write(&mut self, entries: Vec<Entry>) {
        let mut all = mem::take(&mut self.kept);
        all.extend(entries);
        if all.is_empty() {
            return;
        }
        let all = Arc::new(all);
        let until = Instant::now() + if self.is_failing { Duration::ZERO } else { self.retry_for };
        let mut is_in_doubt = false;
        loop {
            let error = match self.try_to_write(&all, is_in_doubt) {
                Ok(report) => return self.settle(report),
                Err(error) => error,
            };
            is_in_doubt |= matches!(error, Error::OutcomeUnknown { .. } | Error::FileMoved { written: true, .. });
            let may_help = may_succeed_later(&error);
            self.shared.note(error);
            if !may_help || Instant::now() >= until {
                return self.give_up(&all, may_help, is_in_doubt);
            }
            std::thread::sleep(RETRY_EVERY);
        }
    }

    /// `is_in_doubt` says that it may be in the file already.
    fn try_to_write(&self, all: &Arc<Vec<Entry>>, is_in_doubt: bool) -> Result<Report> {
        if is_in_doubt && let Some(report) = doubt::find(&self.store, &self.live, all)? {
            return Ok(report);
        }
        let (context, all) = (self.store.context().clone(), Arc::clone(all));
        self.store.write_owned(move |write| record::record(write, &context, &all))
    }

    fn settle(&mut self, report: Report) {
        self.is_failing = false;
        for (traced, recorded) in report.started {
            // It was not known before.
            let _ = traced.recorded.set(recorded);
            self.live.insert(traced.number, traced);
        }
        for traced in report.ended {
            self.live.remove(&traced.number);
            if let Some(Recorded::Task(id)) = traced.recorded.get() {
                self.store.context().kept_progress.forget(*id);
            }
        }
        self.shared.lose(report.refused, report.refused_with);
    }

    /// Counts what is lost. Starts and ends are kept if they may be written later, without the events that an end has; not a
    /// start that may be in the file, which would be there twice.
    fn give_up(&mut self, all: &[Entry], may_succeed_later: bool, is_in_doubt: bool) {
        self.is_failing = true;
        let lose = |traced: &Traced, events: usize| {
            traced.lost.fetch_add(number(events), Ordering::Relaxed);
            self.shared.lose(number(events), None);
        };
        for entry in all {
            match entry {
                Entry::Event(traced, _) => lose(traced, 1),
                _ if !may_succeed_later => self.shared.lose(1, None),
                Entry::Start(..) if is_in_doubt => self.shared.lose(1, None),
                Entry::Start(traced, start) => self.kept.push(Entry::Start(Arc::clone(traced), Arc::clone(start))),
                Entry::End(traced, end) => {
                    lose(traced, end.tail.events.len());
                    let (how, tail) = (end.how.clone(), end.tail.without_events());
                    let end = End { how, time_ns: end.time_ns, duration: end.duration, tail };
                    self.kept.push(Entry::End(Arc::clone(traced), Arc::new(end)));
                }
            }
        }
        let excess = self.kept.len().saturating_sub(KEPT_MAX);
        self.shared.lose(number(self.kept.drain(..excess).len()), None);
    }
}

/// Whether a store that failed so may do it after a while. A doubt is resolved by looking.
fn may_succeed_later(error: &Error) -> bool {
    error.is_retryable()
        || matches!(
            error,
            Error::FileMoved { .. }
                | Error::CannotOpen { .. }
                | Error::Io { .. }
                | Error::Engine { .. }
                | Error::OutcomeUnknown { .. }
        )
}

fn number(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
