//! A task whose span is open, and the entries that tell the writer of it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::settings::Settings;
use crate::Result;
use crate::limits::Limits;
use crate::sqlite::system_task::RunStart;
use crate::store::Context;
use crate::system_task::RunId;
use crate::task::{Level, NewTask, TaskId, reason};

/// The most text that the last events of one task take in memory. The very last one is kept whatever its length.
const TAIL_BYTES_MAX: usize = 1 << 20;

/// A task, or a run of a system task, that is a span.
#[derive(Debug)]
pub(super) struct Traced {
    /// Tells it from the others of its layer.
    pub(super) number: u64,
    pub(super) kind: Kind,
    /// Whether its thread was panicking when it began: then that says nothing of how it ends.
    pub(super) began_in_panic: bool,
    /// How many events it has had.
    events: AtomicU64,
    /// Those that were dropped, the queue being full.
    pub(super) dropped: AtomicU64,
    /// Those that could not be written.
    pub(super) lost: AtomicU64,
    tail: Mutex<Tail>,
    error: Mutex<Option<String>>,
    /// What it is in the store, from when its start is written.
    pub(super) recorded: OnceLock<Recorded>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Task,
    Run {
        /// Of its system task.
        name: String,
        /// By the monotonic clock.
        started: Duration,
    },
}

/// What a span is in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    Task(TaskId),
    Run(RunId),
}

/// The last events, which are written at the end.
#[derive(Debug, Default)]
pub(super) struct Tail {
    pub(super) events: VecDeque<TracedEvent>,
    bytes: usize,
    pub(super) left_out: u64,
    /// When the last one was said that is left out.
    pub(super) left_out_ns: i64,
}

impl Tail {
    /// What it says without its events, which are lost.
    pub(super) fn without_events(&self) -> Self {
        Self { left_out: self.left_out, left_out_ns: self.left_out_ns, ..Self::default() }
    }

    fn push(&mut self, event: TracedEvent, events_max: usize) {
        self.bytes += event.bytes();
        self.events.push_back(event);
        while self.events.len() > events_max || (self.bytes > TAIL_BYTES_MAX && self.events.len() > 1) {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= oldest.bytes();
            self.left_out += 1;
            self.left_out_ns = oldest.time_ns;
        }
    }
}

impl Traced {
    pub(super) fn new(number: u64, kind: Kind) -> Self {
        Self {
            number,
            kind,
            began_in_panic: std::thread::panicking(),
            events: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            tail: Mutex::default(),
            error: Mutex::new(None),
            recorded: OnceLock::new(),
        }
    }

    /// Gives the event back if it is one of the first, which are written at once.
    pub(super) fn keep(&self, event: TracedEvent, settings: &Settings) -> Option<TracedEvent> {
        if self.events.fetch_add(1, Ordering::Relaxed) < settings.keep_first {
            return Some(event);
        }
        lock(&self.tail).push(event, settings.keep_last);
        None
    }

    pub(super) fn take_tail(&self) -> Tail {
        mem::take(&mut lock(&self.tail))
    }

    /// Has it end as failed. The last error counts.
    pub(super) fn set_error(&self, error: String) {
        *lock(&self.error) = Some(error);
    }

    pub(super) fn take_error(&self) -> Option<String> {
        lock(&self.error).take()
    }
}

/// Nothing can panic while one of these is locked.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An event, made ready to be written.
#[derive(Debug)]
pub(super) struct TracedEvent {
    pub(super) time_ns: i64,
    pub(super) level: Level,
    /// For a run, where it was said.
    pub(super) logger: Cow<'static, str>,
    pub(super) text: String,
    /// For a run, a JSON object; empty for none.
    pub(super) attributes: String,
}

impl TracedEvent {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.len() + self.attributes.len()
    }
}

/// What is to start.
#[derive(Debug)]
pub(super) enum Start {
    Task {
        task: NewTask,
        /// What was given as the configuration and is no id.
        no_configuration: Option<String>,
        time_ns: i64,
    },
    Run(RunStart),
}

impl Start {
    /// What the layer itself says of it.
    pub(super) fn warning(&self, text: String, limits: &Limits) -> TracedEvent {
        let (time_ns, logger) = match self {
            Self::Task { time_ns, .. } => (*time_ns, String::new()),
            Self::Run(run) => (run.now_ns, run.name.clone()),
        };
        let text = reason::cut(text, limits.text_bytes_max);
        TracedEvent { time_ns, level: Level::Warn, logger: Cow::Owned(logger), text, attributes: String::new() }
    }

    fn bytes(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        size_of::<Self>()
            + match self {
                Self::Task { task: NewTask { title, performed_by, key, .. }, no_configuration, .. } => {
                    title.len() + performed_by.len() + text(key) + text(no_configuration)
                }
                Self::Run(RunStart { name, uid, description, key, .. }) => {
                    name.len() + text(uid) + text(description) + text(key)
                }
            }
    }
}

/// How it ends.
#[derive(Debug)]
pub(super) struct End {
    pub(super) how: Ending,
    pub(super) time_ns: i64,
    /// For a run.
    pub(super) duration: Duration,
    pub(super) tail: Tail,
}

#[derive(Clone, Debug)]
pub(super) enum Ending {
    Finished,
    Failed(String),
    Interrupted(String),
}

impl Ending {
    fn bytes(&self) -> usize {
        match self {
            Self::Finished => 0,
            Self::Failed(reason) | Self::Interrupted(reason) => reason.len(),
        }
    }
}

/// What the writer is to write.
#[derive(Debug)]
pub(super) enum Entry {
    Start(Arc<Traced>, Arc<Start>),
    Event(Arc<Traced>, TracedEvent),
    End(Arc<Traced>, Arc<End>),
}

impl Entry {
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Start(_, start) => start.bytes(),
            Self::Event(_, event) => event.bytes(),
            Self::End(_, end) => size_of::<End>() + end.tail.bytes + end.how.bytes(),
        }
    }
}

impl End {
    /// What ends now.
    pub(super) fn now(traced: &Traced, how: Ending, context: &Context) -> Result<Self> {
        let duration = match &traced.kind {
            Kind::Task => Duration::ZERO,
            Kind::Run { started, .. } => context.monotonic().saturating_sub(*started),
        };
        Ok(Self { how, time_ns: context.now_ns()?, duration, tail: traced.take_tail() })
    }

    /// The same without the events that were kept for it.
    pub(super) fn without_events(&self) -> Self {
        Self { how: self.how.clone(), time_ns: self.time_ns, duration: self.duration, tail: self.tail.without_events() }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What was said at seven.
    pub(in super::super) fn event(text: &str) -> TracedEvent {
        let (logger, text) = (Cow::Borrowed("here"), text.to_owned());
        TracedEvent { time_ns: 7, level: Level::Info, logger, text, attributes: String::new() }
    }

    fn task(texts: [&str; 4]) -> usize {
        let [title, performed_by, key, no_configuration] = texts.map(str::to_owned);
        let task = NewTask::new(title).performed_by(performed_by).key(key);
        Start::Task { task, no_configuration: Some(no_configuration), time_ns: 7 }.bytes()
    }

    fn run(texts: [&str; 4]) -> usize {
        let [name, uid, description, key] = texts.map(str::to_owned);
        Start::Run(RunStart {
            name,
            uid: Some(uid),
            description: Some(description),
            new_uuid: uuid::Uuid::nil(),
            expires_after_ns: None,
            only_on_failure: false,
            key: Some(key),
            owner: None,
            now_ns: 7,
        })
        .bytes()
    }

    #[test]
    fn each_text_of_an_entry_counts_for_the_size_of_the_queue() {
        let (start, traced) = (size_of::<Start>(), Arc::new(Traced::new(1, Kind::Task)));
        let said = || TracedEvent { attributes: "345".to_owned(), ..event("12") };
        for bytes in [task, run] {
            assert_eq!(bytes(["", "", "", ""]), start);
            assert_eq!(bytes(["a", "bb", "ccc", "dddd"]), start + 10);
            assert_eq!(bytes(["", "bb", "", ""]), start + 2);
        }
        let bytes = Entry::Event(Arc::clone(&traced), said()).bytes();
        assert_eq!(bytes, size_of::<TracedEvent>() + 5);
        for (how, reason_bytes) in
            [(Ending::Finished, 0), (Ending::Failed("no".to_owned()), 2), (Ending::Interrupted("cut".to_owned()), 3)]
        {
            let mut tail = Tail::default();
            tail.push(said(), 2);
            let end = End { how, time_ns: 7, duration: Duration::ZERO, tail };
            let bytes = Entry::End(Arc::clone(&traced), Arc::new(end)).bytes();
            assert_eq!(bytes, size_of::<End>() + size_of::<TracedEvent>() + 5 + reason_bytes);
        }
    }

    #[test]
    fn the_last_events_are_kept_and_the_time_of_the_last_one_left_out() {
        let mut tail = Tail::default();
        for time_ns in 1..=5 {
            tail.push(TracedEvent { time_ns, ..event("text") }, 2);
        }
        assert_eq!(tail.events.iter().map(|event| event.time_ns).collect::<Vec<_>>(), [4, 5]);
        assert_eq!((tail.left_out, tail.left_out_ns), (3, 3));
        assert_eq!(tail.bytes, 2 * (size_of::<TracedEvent>() + 4));
        let without = tail.without_events();
        assert_eq!((without.events.len(), without.bytes, without.left_out, without.left_out_ns), (0, 0, 3, 3));

        // Two that are large leave room for the last one alone.
        let large = "x".repeat(TAIL_BYTES_MAX);
        tail.push(event(&large), 9);
        assert_eq!((tail.events.len(), tail.left_out), (1, 5));
        tail.push(event(&large), 9);
        assert_eq!((tail.events.len(), tail.left_out), (1, 6));
    }
}
