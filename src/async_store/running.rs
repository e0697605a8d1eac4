//! The guard of a task in progress.

use std::fmt;

use super::AsyncTaskStore;
use crate::sqlite::{self, Write};
use crate::task::{operation, reason};
use crate::{Error, Level, NewTask, NotDetached, NotEnded, Outcome, Progress, Result, RunningTask, TaskId, TaskStore};

/// What drop says of a task that nobody has ended.
const ENDED_WITHOUT: &str = "ended without finish or fail";

/// A task in progress that this value answers for: a [`RunningTask`] whose verbs are futures. It may be held across an
/// `.await` and be sent to another task of the runtime.
///
/// [`finish`](Self::finish) and [`fail`](Self::fail) consume it. Dropped without either, as it is when the future that holds it is
/// dropped, it has [`Outcome::Interrupted`](crate::Outcome::Interrupted) recorded, with a message that says so ("ended without
/// finish or fail", or "panicked"): by the blocking pool, so that dropping it in a runtime blocks nothing; outside of one, at
/// once. That tries for a second at most, ignores what goes wrong, and never panics. What it cannot record is recorded later, as
/// [there](RunningTask).
///
/// # Example
///
/// ```
/// use taskstore::{AsyncTaskStore, NewTask, Outcome, Progress};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = AsyncTaskStore::open_in_memory().await?;
/// let task = store.start(NewTask::new("Copy")).await?;
/// let id = task.id();
/// let work = tokio::spawn(async move {
///     task.info("copying 2 files").await?;
///     task.progress(&Progress::new(1).of(2)).await?;
///     task.finish().await?;
///     Ok::<_, taskstore::Error>(())
/// });
/// work.await??;
/// assert_eq!(store.task(id).await?.outcome, Some(Outcome::Finished));
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a dropped task is recorded as interrupted; call `finish`, `fail` or `detach`"]
pub struct AsyncRunningTask {
    store: AsyncTaskStore,
    id: TaskId,
    /// What drop still has to record.
    unended: Option<&'static str>,
}

impl AsyncTaskStore {
    /// Starts a task and gives the guard that ends it; see [`TaskStore::start`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::start`].
    pub async fn start(&self, task: NewTask) -> Result<AsyncRunningTask> {
        self.start_or(task, ENDED_WITHOUT).await
    }

    /// The same, with what is said of the task if the guard is dropped.
    pub(super) async fn start_or(&self, task: NewTask, unended: &'static str) -> Result<AsyncRunningTask> {
        let (store, context) = (self.clone(), self.store().context());
        let start = operation::start(context, task, context.owner.clone())?;
        // The guard is made there: if nobody takes the answer, it is dropped.
        self.write_owned(start, move |id| AsyncRunningTask { store, id, unended: Some(unended) }).await
    }
}

impl AsyncRunningTask {
    /// The task's id.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Records a message; see [`TaskStore::message`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`].
    pub async fn message(&self, level: Level, text: impl Into<String>) -> Result<()> {
        self.store.message(self.id, level, text).await
    }

    /// Records a message unless the task has one of this key; see [`TaskStore::message_once`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message_once`].
    pub async fn message_once(&self, key: impl Into<String>, level: Level, text: impl Into<String>) -> Result<()> {
        self.store.message_once(self.id, key, level, text).await
    }

    /// Records a message at level trace.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`].
    pub async fn trace(&self, text: impl Into<String>) -> Result<()> {
        self.message(Level::Trace, text).await
    }

    /// Records a message at level debug.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`].
    pub async fn debug(&self, text: impl Into<String>) -> Result<()> {
        self.message(Level::Debug, text).await
    }

    /// Records a message at level info.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`].
    pub async fn info(&self, text: impl Into<String>) -> Result<()> {
        self.message(Level::Info, text).await
    }

    /// Records a message at level warn.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`].
    pub async fn warn(&self, text: impl Into<String>) -> Result<()> {
        self.message(Level::Warn, text).await
    }

    /// Records a message at level error; the task goes on.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`].
    pub async fn error(&self, text: impl Into<String>) -> Result<()> {
        self.message(Level::Error, text).await
    }

    /// Records how far the task has come; see [`AsyncTaskStore::progress`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::progress`].
    pub async fn progress(&self, progress: &Progress) -> Result<()> {
        self.store.progress(self.id, progress).await
    }

    /// Ends the task as finished, also if the future is dropped after its first poll.
    ///
    /// # Errors
    ///
    /// [`NotEnded`] gives the task back with the error, for another try; dropping that writes nothing more.
    /// The error is one of [`TaskStore::finish`].
    pub async fn finish(self) -> Result<(), NotEnded<Self>> {
        self.end(Outcome::Finished, String::new()).await
    }

    /// Ends the task as failed, also if the future is dropped after its first poll; a reason that is not empty becomes its last
    /// message, at level error.
    ///
    /// # Errors
    ///
    /// [`NotEnded`] gives the task back with the error, for another try; dropping that writes nothing more.
    /// The error is one of [`TaskStore::fail`].
    pub async fn fail(self, reason: impl Into<String>) -> Result<(), NotEnded<Self>> {
        self.end(Outcome::Failed, reason.into()).await
    }

    /// Lets go of the task, which stays in progress whatever becomes of this process: nobody answers for it any more, and it
    /// is ended by its id.
    ///
    /// # Errors
    ///
    /// [`NotDetached`] gives the task back with the error, as if nothing had been tried: dropping that records an
    /// interruption. The error is one of [writing](TaskStore#errors-of-writing). If the future was dropped there is nobody to
    /// take the task back: it stays in progress until the store closes.
    pub async fn detach(mut self) -> Result<TaskId, NotDetached<Self>> {
        let (id, unended) = (self.id, self.unended.take());
        let detach = move |write: &Write<'_>, owner| sqlite::owner::detach_task(write, id, owner);
        match self.store.write_detached(detach).await {
            Ok(()) => Ok(id),
            Err(error) => {
                self.unended = unended;
                Err(NotDetached { task: Box::new(self), error })
            }
        }
    }

    /// Disarmed before it writes: if the outcome is not known, drop must not write a second end.
    async fn end(mut self, outcome: Outcome, reason: String) -> Result<(), NotEnded<Self>> {
        self.unended = None;
        let ended = self.store.end(self.id, outcome, reason, TaskStore::doubt_owner).await;
        ended.map_err(|error| NotEnded { task: Box::new(self), error })
    }

    /// Records an interruption as well as it can be done in a second, from now on, whether or not that is waited for.
    pub(super) fn interrupt(&mut self, reason: String) -> impl Future<Output = ()> + use<> {
        self.unended = None;
        let (store, id) = (self.store.store().clone(), self.id);
        let reason = reason::cut(reason, store.context().limits.text_bytes_max);
        let end = operation::end(store.context(), id, Outcome::Interrupted, reason.clone());
        let ended = move |answer| match answer {
            Err(Error::NoRuntime) => RunningTask::new(store, id).interrupt(reason),
            answer => store.forget_ended(id, &answer),
        };
        self.store.write_last(end, ended)
    }

    /// A guard of the same task which does not answer for it.
    pub(super) fn unarmed(&self) -> Self {
        Self { store: self.store.clone(), id: self.id, unended: None }
    }
}

impl Drop for AsyncRunningTask {
    fn drop(&mut self) {
        let Some(unended) = self.unended else { return };
        let reason = if std::thread::panicking() { "panicked" } else { unended };
        drop(self.interrupt(reason.to_owned()));
    }
}

impl fmt::Display for NotEnded<AsyncRunningTask> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the end of task {} was not recorded", self.task.id)
    }
}

impl fmt::Display for NotDetached<AsyncRunningTask> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} was not detached", self.task.id)
    }
}
