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
    /// Starts and ends that could not be written. The first so many of them may be in the file all the same.
    kept: Vec<Entry>,
    kept_in_doubt: usize,
    /// Whether the last write failed for so long that it was given up.
    is_failing: bool,
}

/// What is to be written in one transaction, and what is known of it.
struct Attempt {
    entries: Arc<Vec<Entry>>,
    /// So many are written.
    written: usize,
    /// Those up to here may be.
    in_doubt: usize,
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
        Self { store, shared, retry_for, live: HashMap::new(), kept: Vec::new(), kept_in_doubt: 0, is_failing: false }
    }

    pub(super) fn run(mut self) {
        let _ended = Ended(Arc::clone(&self.shared));
        while let Some(entries) = self.next() {
            let number = entries.len();
            self.write(entries);
            self.shared.queue.done(number);
        }
        // Again, since a start that was kept may have been written only now.
        loop {
            self.interrupt_all();
            if self.live.is_empty() {
                break;
            }
        }
        self.shared.lose(number(self.kept.len()), None);
    }

    /// Ends what is still open, as well as it can be done: none of it is live behind this.
    fn interrupt_all(&mut self) {
        let open: Vec<_> = self.live.values().cloned().collect();
        let mut ends = Vec::new();
        for traced in &open {
            match End::now(traced, Ending::Interrupted(SHUT_DOWN.to_owned()), self.store.context()) {
                Ok(end) => ends.push(Entry::End(Arc::clone(traced), Arc::new(end))),
                Err(error) => self.shared.lose(1, Some(error)),
            }
        }
        self.write(ends);
        for traced in open {
            self.live.remove(&traced.number);
        }
    }

    fn next(&self) -> Option<Vec<Entry>> {
        // While the store fails each try may take the whole busy timeout: then those who wait, and who shut down, wait for
        // one.
        let entries_max = if self.is_failing { self.shared.queue.events_max() } else { ENTRIES_MAX };
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
        let mut attempt = Attempt { entries: Arc::new(all), written: 0, in_doubt: mem::take(&mut self.kept_in_doubt) };
        let mut until = self.deadline();
        loop {
            let Err(error) = self.try_to_write(&mut attempt) else { return };
            let may_help = may_succeed_later(&error);
            // Somebody else writes, which is no failure as long as it is in nobody's way.
            if matches!(error, Error::Busy { .. }) && !self.shared.queue.is_pressed() {
                until = self.deadline();
            } else if !may_help || until.is_some_and(|until| Instant::now() >= until) {
                self.shared.note(error);
                return self.give_up(&attempt, may_help);
            }
            self.shared.note(error);
            std::thread::sleep(RETRY_EVERY);
        }
    }

    /// `None` for a time that never comes.
    fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(if self.is_failing { Duration::ZERO } else { self.retry_for })
    }

    /// Looks first whether what is in doubt was written.
    fn try_to_write(&mut self, attempt: &mut Attempt) -> Result<()> {
        let Attempt { entries, written, in_doubt } = attempt;
        if let Some(doubtful) = entries.get(*written..*in_doubt).filter(|doubtful| !doubtful.is_empty()) {
            if let Some(report) = doubt::find(&self.store, &self.live, doubtful)? {
                self.settle(report);
                *written = *in_doubt;
            }
            *in_doubt = 0;
        }
        if *written == entries.len() {
            return Ok(());
        }
        let (context, all, from) = (self.store.context().clone(), Arc::clone(entries), *written);
        let answer =
            self.store.write_owned(move |write| record::record(write, &context, all.get(from..).unwrap_or(&[])));
        if let Err(Error::OutcomeUnknown { .. } | Error::FileMoved { written: true, .. }) = answer {
            *in_doubt = entries.len();
        }
        self.settle(answer?);
        Ok(())
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
        if let Some(error) = &report.refused_with {
            self.store.doubt_owner(error);
        }
        self.shared.lose(report.refused, report.refused_with);
    }

    /// Counts what is lost. Starts and ends are kept if they may be written later, without the events that an end has.
    fn give_up(&mut self, attempt: &Attempt, may_succeed_later: bool) {
        self.is_failing = true;
        let lose = |traced: &Traced, events: usize| {
            traced.lost.fetch_add(number(events), Ordering::Relaxed);
            self.shared.lose(number(events), None);
        };
        for (index, entry) in attempt.entries.iter().enumerate().skip(attempt.written) {
            match entry {
                Entry::Event(traced, _) => {
                    lose(traced, 1);
                    continue;
                }
                _ if !may_succeed_later => {
                    self.shared.lose(1, None);
                    continue;
                }
                Entry::Start(traced, start) => self.kept.push(Entry::Start(Arc::clone(traced), Arc::clone(start))),
                Entry::End(traced, end) => {
                    lose(traced, end.tail.events.len());
                    self.kept.push(Entry::End(Arc::clone(traced), Arc::new(end.without_events())));
                }
            }
            if index < attempt.in_doubt {
                self.kept_in_doubt = self.kept.len();
            }
        }
        let excess = self.kept.len().saturating_sub(KEPT_MAX);
        self.kept_in_doubt = self.kept_in_doubt.saturating_sub(excess);
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

#[cfg(test)]
mod tests {
    use super::super::TaskLayer;
    use super::super::traced::{Kind, Start, Tail};
    use super::*;
    use crate::{NewTask, Outcome, TaskFilter};

    fn start(traced: &Arc<Traced>) -> Entry {
        let start = Start::Task { task: NewTask::new("t"), no_configuration: None, time_ns: 7 };
        Entry::Start(Arc::clone(traced), Arc::new(start))
    }

    /// The outcomes in the store after a start was written of which the writer believes this, and then its end.
    fn outcomes(is_in_doubt: bool) -> Vec<Option<Outcome>> {
        let store = TaskStore::open_in_memory().unwrap();
        let shared = Arc::new(Shared::new(store.clone(), &TaskLayer::builder(&store).settings));
        let mut writer = Writer::new(store.clone(), shared, Duration::ZERO);
        let traced = Arc::new(Traced::new(1, Kind::Task));
        let (context, entries) = (store.context().clone(), Arc::new(vec![start(&traced)]));
        let all = Arc::clone(&entries);
        store.write_owned(move |write| record::record(write, &context, &all)).unwrap();
        let in_doubt = if is_in_doubt { entries.len() } else { 0 };
        writer.give_up(&Attempt { entries, written: 0, in_doubt }, true);
        assert_eq!((writer.kept.len(), writer.kept_in_doubt), (1, in_doubt));

        let end = End { how: Ending::Finished, time_ns: 9, duration: Duration::ZERO, tail: Tail::default() };
        writer.write(vec![Entry::End(traced, Arc::new(end))]);
        assert!(writer.live.is_empty() && writer.kept.is_empty());
        store.list(&TaskFilter::new()).unwrap().items.iter().map(|task| task.outcome).collect()
    }

    #[test]
    fn what_was_given_up_in_doubt_is_looked_for_before_it_is_written_again() {
        assert_eq!(outcomes(true), [Some(Outcome::Finished)]);
    }

    /// The control: that it may be there is known from the doubt alone.
    #[test]
    fn what_was_given_up_as_not_written_is_written_again() {
        assert_eq!(outcomes(false), [Some(Outcome::Finished), None]);
    }

    #[test]
    fn a_doubt_that_was_resolved_is_none_any_more() {
        let store = TaskStore::open_in_memory().unwrap();
        let shared = Arc::new(Shared::new(store.clone(), &TaskLayer::builder(&store).settings));
        let mut writer = Writer::new(store.clone(), shared, Duration::ZERO);
        let traced = Arc::new(Traced::new(1, Kind::Task));
        // It is not in the file.
        let mut attempt = Attempt { entries: Arc::new(vec![start(&traced)]), written: 0, in_doubt: 1 };
        let refused = store.batch(|_| {
            writer.try_to_write(&mut attempt).unwrap_err();
            assert_eq!(attempt.in_doubt, 1, "nothing could be looked for");
            Ok::<_, Error>(())
        });
        refused.unwrap();
        writer.try_to_write(&mut attempt).unwrap();
        assert_eq!((attempt.in_doubt, writer.live.len()), (0, 1));
    }
}
