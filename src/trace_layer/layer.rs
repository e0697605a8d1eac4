//! The layer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_core::field::FieldSet;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Subscriber};
use tracing_subscriber::layer::{self, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::handle::{Shared, TaskLayerHandle};
use super::inside::Inside;
use super::queue::Pushed;
use super::settings::{Settings, TaskLayerBuilder};
use super::span::{self, Begun, Mark};
use super::traced::{End, Ending, Entry, Kind, Start, Traced};
use super::{event, is_error_field, is_outcome};
use crate::store::Context;
use crate::{Result, TaskStore};

/// A layer for `tracing_subscriber` by which spans are tasks; see the [module](super).
pub struct TaskLayer {
    /// Tells it from other layers of the same subscriber.
    number: u64,
    next_task: AtomicU64,
    settings: Settings,
    /// Of the store, which it does not keep open.
    context: Context,
    shared: Arc<Shared>,
}

impl TaskLayer {
    /// A layer with the defaults of the [builder](Self::builder), and the handle of the thread that writes for it.
    ///
    /// The thread keeps the store open until the handle is shut down.
    ///
    /// # Errors
    ///
    /// Those of [`TaskLayerBuilder::build`].
    pub fn new(store: &TaskStore) -> Result<(Self, TaskLayerHandle)> {
        Self::builder(store).build()
    }

    /// A layer that is made otherwise.
    pub fn builder(store: &TaskStore) -> TaskLayerBuilder {
        TaskLayerBuilder::new(store)
    }

    pub(super) fn start(store: TaskStore, settings: Settings) -> Result<(Self, TaskLayerHandle)> {
        static LAYERS: AtomicU64 = AtomicU64::new(0);
        let context = store.context().clone();
        let (shared, handle) = TaskLayerHandle::start(store, &settings)?;
        let number = LAYERS.fetch_add(1, Ordering::Relaxed);
        Ok((Self { number, next_task: AtomicU64::new(0), settings, context, shared }, handle))
    }

    /// Starts what a span is. Where that cannot be, the span is as any other.
    fn begin(&self, mark: Mark, attributes: &Attributes<'_>) -> Option<Arc<Traced>> {
        let Begun { start, error, no_key } = match span::begin(mark, attributes, &self.settings, &self.context) {
            Ok(begun) => begun,
            Err(error) => {
                self.shared.lose(1, Some(error));
                return None;
            }
        };
        let kind = match &start {
            Start::Task { .. } => Kind::Task,
            Start::Run(run) => Kind::Run { name: run.name.clone(), started: self.context.monotonic() },
        };
        let traced = Arc::new(Traced::new(self.next_task.fetch_add(1, Ordering::Relaxed), kind));
        if let Some(error) = error {
            traced.set_error(error);
        }
        let warning = no_key.map(|why| start.warning(why, &self.context.limits));
        self.push(Entry::Start(Arc::clone(&traced), Arc::new(start)));
        if let Some(warning) = warning {
            self.push(Entry::Event(Arc::clone(&traced), warning));
        }
        Some(traced)
    }

    fn say(&self, traced: Arc<Traced>, event: &Event<'_>, is_outcome: bool, is_wanted: bool) {
        let time_ns = match self.context.now_ns() {
            Ok(time_ns) => time_ns,
            Err(error) => return self.shared.lose(1, Some(error)),
        };
        let read = event::read(event, is_outcome, &traced.kind, time_ns, &self.settings, &self.context.limits);
        if let Some(error) = read.error {
            traced.set_error(error);
        }
        if let Some(event) = read.event.filter(|_| is_wanted).and_then(|event| traced.keep(event, &self.settings)) {
            self.push(Entry::Event(traced, event));
        }
    }

    fn end(&self, traced: Arc<Traced>) {
        let how = match traced.take_error() {
            Some(error) => Ending::Failed(error),
            None if std::thread::panicking() && !traced.began_in_panic => Ending::Interrupted("panicked".to_owned()),
            None => Ending::Finished,
        };
        match End::now(&traced, how, &self.context) {
            Ok(end) => self.push(Entry::End(traced, Arc::new(end))),
            Err(error) => self.shared.lose(1, Some(error)),
        }
    }

    fn push(&self, entry: Entry) {
        match self.shared.queue.push(entry, self.settings.when_full) {
            Pushed::Queued => {}
            Pushed::Dropped(events) => {
                self.shared.dropped.fetch_add(events, Ordering::Relaxed);
            }
            Pushed::Closed => self.shared.lose(1, None),
        }
    }
}

impl fmt::Debug for TaskLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLayer").field("level", &self.settings.level).finish_non_exhaustive()
    }
}

/// What a span belongs to, for each of the layers: found once, when it is made.
struct Belongs(Vec<Belonging>);

struct Belonging {
    layer: u64,
    to: Arc<Traced>,
    /// Whether the span itself is the task.
    is_task: bool,
}

impl Belongs {
    fn of(&self, layer: u64) -> Option<&Belonging> {
        self.0.iter().find(|belonging| belonging.layer == layer)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TaskLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        let (Some(_inside), Some(span)) = (Inside::enter(), context.span(id)) else { return };
        let own = Mark::of(attributes.metadata().fields()).and_then(|mark| self.begin(mark, attributes));
        let is_task = own.is_some();
        let parents = || {
            let parent = span.parent()?;
            let extensions = parent.extensions();
            extensions.get::<Belongs>()?.of(self.number).map(|belonging| Arc::clone(&belonging.to))
        };
        let Some(to) = own.or_else(parents) else { return };
        let belonging = Belonging { layer: self.number, to, is_task };
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Belongs>() {
            Some(belongs) => belongs.0.push(belonging),
            None => extensions.insert(Belongs(vec![belonging])),
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: layer::Context<'_, S>) {
        let (Some(_inside), Some(span)) = (Inside::enter(), context.span(id)) else { return };
        if !tells_error(span.fields()) {
            return;
        }
        let extensions = span.extensions();
        let Some(belonging) = extensions.get::<Belongs>().and_then(|belongs| belongs.of(self.number)) else { return };
        let traced = Arc::clone(&belonging.to);
        // The values are shown by code of the host, which may ask for the same extensions.
        drop(extensions);
        if let Some(error) = span::error_in(values, &self.settings, self.context.limits.text_bytes_max) {
            traced.set_error(error);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: layer::Context<'_, S>) {
        let metadata = event.metadata();
        let is_wanted = *metadata.level() <= self.settings.level;
        let may_be_outcome = is_outcome(metadata);
        if !is_wanted && !may_be_outcome && !tells_error(metadata.fields()) {
            return;
        }
        let (Some(_inside), Some(span)) = (Inside::enter(), context.event_span(event)) else { return };
        let extensions = span.extensions();
        let Some(belonging) = extensions.get::<Belongs>().and_then(|belongs| belongs.of(self.number)) else { return };
        let (traced, is_task) = (Arc::clone(&belonging.to), belonging.is_task);
        drop(extensions);
        self.say(traced, event, may_be_outcome && is_task, is_wanted);
    }

    fn on_close(&self, id: Id, context: layer::Context<'_, S>) {
        let (Some(_inside), Some(span)) = (Inside::enter(), context.span(&id)) else { return };
        let extensions = span.extensions();
        let belonging = extensions.get::<Belongs>().and_then(|belongs| belongs.of(self.number));
        let Some(traced) = belonging.filter(|belonging| belonging.is_task).map(|task| Arc::clone(&task.to)) else {
            return;
        };
        drop(extensions);
        self.end(traced);
    }
}

fn tells_error(fields: &FieldSet) -> bool {
    fields.iter().any(|field| is_error_field(field.name()))
}
