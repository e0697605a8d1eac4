//! How a layer is made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tracing_core::LevelFilter;

use super::value::Value;
use super::{TaskLayer, TaskLayerHandle};
use crate::{Result, TaskStore};

/// What becomes of an event when the queue is full, since more is logged than the disk takes.
///
/// Starts and ends of tasks are never dropped: with [`Drop`](Self::Drop) they are queued beyond the bound, an end without the
/// [last events](TaskLayerBuilder::keep_last) of its task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// The default: the thread that logs waits until there is room, so that nothing is dropped. While the disk stands still,
    /// or another writer holds the store, the program does once the queue is full, for about as long as
    /// [`retry_for`](TaskLayerBuilder::retry_for). A thread inside a
    /// [batch](TaskStore::batch) of the same store does not wait, since the queue would wait for it: what it logs is queued
    /// beyond the bound.
    #[default]
    Wait,
    /// The event is dropped and the program goes on. How many were is told by
    /// [`dropped`](TaskLayerHandle::dropped), and by a message in the task at its end.
    Drop,
}

/// What is made of the value of a field: see [`TaskLayerBuilder::redact`].
type Redact = dyn Fn(&str, &str) -> Option<String> + Send + Sync;

/// How a [`TaskLayer`] is made: a builder whose defaults are right for most.
///
/// | option | default | |
/// | --- | --- | --- |
/// | [`level`](Self::level) | info | the least level of an event that is recorded |
/// | [`redact`](Self::redact) | nothing | what is kept out of the store |
/// | [`targets`](Self::targets) | no | whether a task's message begins with the event's target |
/// | [`keep_first`](Self::keep_first) | 1,000 | so many events of each task are recorded as they come … |
/// | [`keep_last`](Self::keep_last) | 100 | … and so many of its last ones at its end |
/// | [`when_full`](Self::when_full) | [`WhenFull::Wait`] | wait or drop when the queue is full |
/// | [`queue_events`](Self::queue_events) | 10,000 | the most entries that wait to be written |
/// | [`queue_bytes`](Self::queue_bytes) | 16 MiB | the most text that waits to be written |
/// | [`retry_for`](Self::retry_for) | 10 s | how long a write that fails is tried again |
#[must_use = "a builder makes nothing until `build`"]
pub struct TaskLayerBuilder {
    store: TaskStore,
    pub(super) settings: Settings,
}

/// The settings of a layer.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) level: LevelFilter,
    redact: Option<Arc<Redact>>,
    pub(super) targets: bool,
    pub(super) keep_first: u64,
    pub(super) keep_last: usize,
    pub(super) when_full: WhenFull,
    pub(super) queue_events: usize,
    pub(super) queue_bytes: usize,
    pub(super) retry_for: Duration,
}

impl Settings {
    /// What is to stand for a value, if something is.
    pub(super) fn redacted(&self, name: &str, value: &Value<'_>, bytes_max: usize) -> Option<String> {
        self.redact.as_ref().and_then(|redact| redact(name, &value.to_text(bytes_max)))
    }
}

impl TaskLayerBuilder {
    pub(super) fn new(store: &TaskStore) -> Self {
        let settings = Settings {
            level: LevelFilter::INFO,
            redact: None,
            targets: false,
            keep_first: 1_000,
            keep_last: 100,
            when_full: WhenFull::default(),
            queue_events: 10_000,
            queue_bytes: 16 << 20,
            retry_for: Duration::from_secs(10),
        };
        Self { store: store.clone(), settings }
    }

    /// Events below this level are not recorded; a span is a task whatever its level, and what an event says of a task's
    /// outcome counts whatever the event's. Other layers see all as before.
    ///
    /// [`with_filter`](tracing_subscriber::Layer::with_filter) filters more finely, by target or by span, and saves a program
    /// the cost of what no layer wants. It hides spans, too: one that it hides is no task.
    pub fn level(mut self, level: impl Into<LevelFilter>) -> Self {
        self.settings.level = level.into();
        self
    }

    /// Has each value looked at before anything is queued: `redact` is given the name of the field and its text, and what it
    /// returns stands in the value's place. The text of an event is the field `message`; the title, the performer, the error
    /// and all else that a span tells go through it by their fields' names. Targets and names of fields do not.
    ///
    /// A key that is redacted is none: the task starts without it, and a warning in it says so, since it could add to other
    /// work otherwise. The name and the uid of a system task are what `redact` makes of them: where that is the same for two,
    /// the two are one.
    ///
    /// A text that is longer than [`Limits::text_bytes_max`](crate::Limits::text_bytes_max) is cut before. What `redact`
    /// logs is not recorded. If it panics, the event is not recorded, and the panic goes to whoever logs.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{TaskFilter, TaskStore, trace_layer::TaskLayer};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let store = TaskStore::open_temporary()?;
    /// let secret = |name: &str, _: &str| (name == "password").then(|| "***".to_owned());
    /// let (layer, handle) = TaskLayer::builder(&store).redact(secret).build()?;
    /// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
    ///     tracing::info_span!("task", task.title = "Sign in")
    ///         .in_scope(|| tracing::info!(user = "ann", password = "sesame", "signing in"));
    /// });
    /// handle.shutdown();
    ///
    /// let task = store.list(&TaskFilter::new())?.items.remove(0);
    /// assert_eq!(store.messages(task.id, 0, 10)?[0].text, r#"signing in user="ann" password=***"#);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn redact(mut self, redact: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.settings.redact = Some(Arc::new(redact));
        self
    }

    /// Whether a task's message begins with the event's target: `my_program::disk: nearly full free=3`. Log events of system
    /// tasks have it as their logger anyway.
    pub fn targets(mut self, targets: bool) -> Self {
        self.settings.targets = targets;
        self
    }

    /// So many events of each task are recorded as they come. Those behind them stay in memory until the task's end.
    pub fn keep_first(mut self, events: u64) -> Self {
        self.settings.keep_first = events;
        self
    }

    /// So many of the later events of each task, the last ones, are recorded at its end, and 1 MiB of text at most; a message
    /// before them says how many were left out in between.
    pub fn keep_last(mut self, events: usize) -> Self {
        self.settings.keep_last = events;
        self
    }

    /// What becomes of an event when the queue is full.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.settings.when_full = when_full;
        self
    }

    /// The queue is full when so many entries wait to be written; at least 1. A thousand more may be in the transaction that
    /// is being written, and while the store fails as many as the queue takes.
    pub fn queue_events(mut self, events: usize) -> Self {
        self.settings.queue_events = events.max(1);
        self
    }

    /// The queue is full, too, when the texts in it have so many bytes. One entry is always taken.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.settings.queue_bytes = bytes;
        self
    }

    /// How long a write is tried again that fails because the store is busy, the disk is full or the file cannot be reached.
    /// Then the events in it are [lost](TaskLayerHandle::lost), and until a write succeeds each is tried once. Starts and
    /// ends of tasks are kept on, ten thousand of them at most.
    ///
    /// That the store is busy, such as during a long import or [batch](TaskStore::batch), counts only from when it is in
    /// somebody's way: the queue is full, or somebody [flushes](TaskLayerHandle::flush) or
    /// [shuts down](TaskLayerHandle::shutdown). Until then it is waited for however long it takes. `Duration::MAX` waits in
    /// any case, for ever if need be: then a batch must not wait for a thread that logs.
    pub fn retry_for(mut self, duration: Duration) -> Self {
        self.settings.retry_for = duration;
        self
    }

    /// Makes the layer, and the handle of the thread that writes for it.
    ///
    /// # Errors
    ///
    /// [`ReadOnly`](crate::Error::ReadOnly) for a store that cannot be written, [`Closed`](crate::Error::Closed) or
    /// [`Forked`](crate::Error::Forked) for one that is no longer open here, and [`Io`](crate::Error::Io) if the thread cannot
    /// be started.
    pub fn build(self) -> Result<(TaskLayer, TaskLayerHandle)> {
        TaskLayer::start(self.store, self.settings)
    }
}

impl fmt::Debug for TaskLayerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLayerBuilder").field("store", &self.store).finish_non_exhaustive()
    }
}
