//! The guard of a task in progress.

use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use super::{Level, NewTask, NotDetached, NotEnded, Outcome, Progress, RunError, TaskId, reason};
use crate::{Result, TaskStore, sqlite};

/// How long a dropped guard tries to record the interruption, and a dropped store to write the progress that it kept.
pub(crate) const DROP_PATIENCE: Duration = Duration::from_secs(1);

/// A task in progress that this value answers for.
///
/// [`finish`](Self::finish) and [`fail`](Self::fail) consume it, so that ending a task twice does not compile.
/// Dropped without either, it records [`Outcome::Interrupted`] with a message that says so ("ended without finish or
/// fail", or "panicked"); that tries for a second at most, ignores what goes wrong, and never panics.
///
/// Where that cannot be recorded, because the file is busy, the disk is full, the guard is dropped inside a batch of its own
/// store, or there is no drop since the process was killed, the task becomes interrupted later: when the
/// [store closes](TaskStore#closing), or by [`TaskStore::recover`]. In memory nothing outlives the process.
///
/// # Example
///
/// ```
/// use taskstore::{NewTask, Outcome, Progress, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// let task = store.start(NewTask::new("Copy"))?;
/// let id = task.id();
/// task.info("copying 2 files")?;
/// task.progress(&Progress::new(1).of(2))?;
/// task.finish()?;
/// assert_eq!(store.task(id)?.outcome, Some(Outcome::Finished));
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a dropped task is recorded as interrupted; call `finish`, `fail` or `detach`"]
pub struct RunningTask {
    store: TaskStore,
    id: TaskId,
    /// Whether drop still has to record an end.
    armed: bool,
}

impl RunningTask {
    pub(crate) fn new(store: TaskStore, id: TaskId) -> Self {
        Self { store, id, armed: true }
    }

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
    pub fn message(&self, level: Level, text: impl Into<String>) -> Result<()> {
        self.store.message(self.id, level, text)
    }

    /// Records a message unless the task has one of this key; see [`TaskStore::message_once`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message_once`].
    pub fn message_once(&self, key: impl Into<String>, level: Level, text: impl Into<String>) -> Result<()> {
        self.store.message_once(self.id, key, level, text)
    }

    /// Records a message at level trace.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`].
    pub fn trace(&self, text: impl Into<String>) -> Result<()> {
        self.message(Level::Trace, text)
    }

    /// Records a message at level debug.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`].
    pub fn debug(&self, text: impl Into<String>) -> Result<()> {
        self.message(Level::Debug, text)
    }

    /// Records a message at level info.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`].
    pub fn info(&self, text: impl Into<String>) -> Result<()> {
        self.message(Level::Info, text)
    }

    /// Records a message at level warn.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`].
    pub fn warn(&self, text: impl Into<String>) -> Result<()> {
        self.message(Level::Warn, text)
    }

    /// Records a message at level error; the task goes on.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`].
    pub fn error(&self, text: impl Into<String>) -> Result<()> {
        self.message(Level::Error, text)
    }

    /// Records how far the task has come; see [`TaskStore::progress`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::progress`].
    pub fn progress(&self, progress: &Progress) -> Result<()> {
        self.store.progress(self.id, progress)
    }

    /// Ends the task as finished.
    ///
    /// # Errors
    ///
    /// [`NotEnded`] gives the task back with the error, for another try; dropping that writes nothing more.
    /// The error is one of [`TaskStore::finish`].
    pub fn finish(self) -> Result<(), NotEnded> {
        self.end(Outcome::Finished, String::new())
    }

    /// Ends the task as failed; a reason that is not empty becomes its last message, at level error.
    ///
    /// # Errors
    ///
    /// [`NotEnded`] gives the task back with the error, for another try; dropping that writes nothing more.
    /// The error is one of [`TaskStore::fail`].
    pub fn fail(self, reason: impl Into<String>) -> Result<(), NotEnded> {
        self.end(Outcome::Failed, reason.into())
    }

    /// Lets go of the task, which stays in progress whatever becomes of this process: nobody answers for it any more, and it
    /// is ended by its id.
    ///
    /// # Errors
    ///
    /// [`NotDetached`] gives the task back with the error, as if nothing had been tried: dropping that records an
    /// interruption. The error is one of [writing](TaskStore#errors-of-writing).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{NewTask, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let id = store.start(NewTask::new("Hand over"))?.detach()?;
    /// assert_eq!(store.task(id)?.outcome, None);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn detach(mut self) -> Result<TaskId, NotDetached> {
        let id = self.id;
        match self.store.write_detached(move |write, owner| sqlite::owner::detach_task(write, id, owner)) {
            Ok(()) => {
                self.armed = false;
                Ok(id)
            }
            Err(error) => Err(NotDetached { task: Box::new(self), error }),
        }
    }

    /// Disarmed before it writes: if the outcome is not known, drop must not write a second end.
    fn end(mut self, outcome: Outcome, reason: String) -> Result<(), NotEnded> {
        self.armed = false;
        self.store.end(self.id, outcome, reason, Duration::MAX).map_err(|error| {
            self.store.doubt_owner(&error);
            NotEnded { task: Box::new(self), error }
        })
    }

    /// Records an interruption as well as it can be done in a second. There is nobody left to tell of a failure.
    pub(crate) fn interrupt(&mut self, reason: String) {
        self.armed = false;
        let reason = reason::cut(reason, self.store.context().limits.text_bytes_max);
        let _ = self.store.end(self.id, Outcome::Interrupted, reason, DROP_PATIENCE);
    }
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        if self.armed {
            let reason = if std::thread::panicking() { "panicked" } else { "ended without finish or fail" };
            self.interrupt(reason.to_owned());
        }
    }
}

impl TaskStore {
    /// Runs `work` as a task: `Ok` finishes it, `Err` fails it with the error's text and those of its sources.
    /// A panic is recorded as an interruption with the panic's text, and goes on.
    ///
    /// The error of `work` may be any that a `Box<dyn Error + Send + Sync>` takes: one of your own, a `String`,
    /// `anyhow::Error`. It comes back inside [`RunError::Work`].
    ///
    /// # Errors
    ///
    /// [`RunError`] tells a failure of the work from a failure to record it.
    ///
    /// # Panics
    ///
    /// If `work` panics, with what it panicked with.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{NewTask, Outcome, TaskFilter, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let lines = store.run(NewTask::new("Count lines"), |task| {
    ///     task.info("reading")?;
    ///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>("a\nb\n".lines().count())
    /// })?;
    /// assert_eq!(lines, 2);
    /// assert_eq!(store.list(&TaskFilter::new())?.items[0].outcome, Some(Outcome::Finished));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run<T, E>(&self, task: NewTask, work: impl FnOnce(&RunningTask) -> Result<T, E>) -> Result<T, RunError>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let mut task = self.start(task).map_err(|source| RunError::NotStarted { source })?;
        // The state of `work` is never seen again: the panic goes on.
        match catch_unwind(AssertUnwindSafe(|| work(&task))) {
            Ok(Ok(value)) => {
                task.finish().map_err(|not_ended| RunError::NotFinished { source: not_ended.error })?;
                Ok(value)
            }
            Ok(Err(error)) => {
                let source = error.into();
                let reason = reason::cut(reason::of_error(&*source), self.context().limits.text_bytes_max);
                match task.fail(reason) {
                    Ok(()) => Err(RunError::Work { source }),
                    Err(NotEnded { error, .. }) => Err(RunError::NotFailed { source, error }),
                }
            }
            Err(panic) => {
                task.interrupt(reason::of_panic(&*panic));
                resume_unwind(panic)
            }
        }
    }
}
