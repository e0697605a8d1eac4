//! The handle of the thread that writes.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::inside::Inside;
use super::queue::Queue;
use super::settings::Settings;
use super::traced::lock;
use super::writer::Writer;
use crate::{Error, Result, TaskStore};

/// What the layer, its handle and its writer share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) dropped: AtomicU64,
    lost: AtomicU64,
    last_error: Mutex<Option<Arc<Error>>>,
}

impl Shared {
    pub(super) fn new(store: TaskStore, settings: &Settings) -> Self {
        Self {
            queue: Queue::new(store, settings),
            dropped: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            last_error: Mutex::new(None),
        }
    }

    pub(super) fn lose(&self, number: u64, error: Option<Error>) {
        self.lost.fetch_add(number, Ordering::Relaxed);
        if let Some(error) = error {
            self.note(error);
        }
    }

    pub(super) fn note(&self, error: Error) {
        *lock(&self.last_error) = Some(Arc::new(error));
    }
}

/// The handle of a [`TaskLayer`](super::TaskLayer): it tells how the writing goes, and ends it.
///
/// Keep it until the program ends, and drop it before the store is closed. Dropping it does what
/// [`shutdown`](Self::shutdown) does.
#[must_use = "the layer records nothing any more when its handle is dropped; keep it until the program ends"]
pub struct TaskLayerHandle {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

impl TaskLayerHandle {
    pub(super) fn start(store: TaskStore, settings: &Settings) -> Result<(Arc<Shared>, Self)> {
        store.database().refuse_forked()?;
        // In a batch the layer can be made: what it has to write waits.
        if let Err(error @ Error::Closed) = store.database().refuse_inside() {
            return Err(error);
        }
        if store.is_read_only() {
            return Err(Error::ReadOnly);
        }
        let shared = Arc::new(Shared::new(store.clone(), settings));
        let writer = Writer::new(store, Arc::clone(&shared), settings.retry_for);
        let thread = thread::Builder::new().name("taskstore-trace".to_owned()).spawn(move || {
            let _inside = Inside::enter();
            writer.run();
        });
        let action = "start the thread that writes what is traced";
        let writer = thread.map_err(|source| Error::Io { action, source })?;
        Ok((Arc::clone(&shared), Self { shared, writer: Some(writer) }))
    }

    /// Waits until all that was logged before is in the store, or [lost](Self::lost). Events that are kept until their
    /// task's end are not waited for.
    ///
    /// It blocks: an asynchronous program calls it where it may block. It does not wait inside a
    /// [batch](TaskStore::batch) of the same store, which the writer waits for, nor in a process that was forked.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{TaskStore, trace_layer::TaskLayer};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let store = TaskStore::open_temporary()?;
    /// let (layer, handle) = TaskLayer::new(&store)?;
    /// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
    ///     let _task = tracing::info_span!("task", task.title = "Copy").entered();
    ///     tracing::info!("one file");
    ///     handle.flush();
    ///     assert_eq!(store.list(&Default::default()).unwrap().items[0].message_count, 1);
    /// });
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn flush(&self) {
        self.shared.queue.flush();
    }

    /// How many events were dropped because the queue was full, with [`WhenFull::Drop`](super::WhenFull::Drop).
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// How many events, starts and ends could not be written: the store failed for longer than they are
    /// [tried](super::TaskLayerBuilder::retry_for), or it refused them, since somebody else had ended or deleted their task.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// The last failure of the store that the writer has met, also one after which it has succeeded.
    #[must_use]
    pub fn last_error(&self) -> Option<Arc<Error>> {
        lock(&self.shared.last_error).clone()
    }

    /// Writes all that is queued, interrupts the tasks whose spans are still open ("interrupted: its trace layer was shut
    /// down"), and ends the writer. What is logged from then on is not recorded.
    ///
    /// It waits for that; where the store fails, about as long as a write is
    /// [tried again](super::TaskLayerBuilder::retry_for). Inside a [batch](TaskStore::batch) of the same store and in a
    /// process that was forked it does not wait.
    pub fn shutdown(self) {}
}

impl Drop for TaskLayerHandle {
    fn drop(&mut self) {
        if self.shared.queue.close()
            && let Some(writer) = self.writer.take()
        {
            // A writer that panicked has said so itself.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for TaskLayerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLayerHandle")
            .field("dropped", &self.dropped())
            .field("lost", &self.lost())
            .finish_non_exhaustive()
    }
}
