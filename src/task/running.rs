//! The guard of a task in progress.

use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use super::{Level, NewTask, Outcome, Progress, TaskId, reason};
use crate::{Error, Result, TaskStore};

/// How long a dropped guard tries to record the interruption, and a dropped store to write the progress that it kept.
pub(crate) const DROP_PATIENCE: Duration = Duration::from_secs(1);

/// A task in progress that this value answers for.
///
/// [`finish`](Self::finish) and [`fail`](Self::fail) consume it, so that ending a task twice does not compile.
/// Dropped without either, it records [`Outcome::Interrupted`] with a message that says so ("ended without finish or
/// fail", or "panicked"); that tries for a second at most, ignores what goes wrong, and never panics. Inside a batch of
/// its own store it cannot write, and the task stays in progress.
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

    /// Lets go of the task, which stays in progress: from now on it is ended by its id.
    #[must_use = "the id is what ends the task from now on"]
    pub fn detach(mut self) -> TaskId {
        self.armed = false;
        self.id
    }

    /// Disarmed before it writes: if the outcome is not known, drop must not write a second end.
    fn end(mut self, outcome: Outcome, reason: String) -> Result<(), NotEnded> {
        self.armed = false;
        let ended = self.store.end(self.id, outcome, reason, Duration::MAX);
        ended.map_err(|error| NotEnded { task: Box::new(self), error })
    }
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        let reason = if std::thread::panicking() { "panicked" } else { "ended without finish or fail" };
        interrupt(&self.store, self.id, reason.to_owned());
    }
}

/// Records an interruption as well as it can be done in a second. There is nobody left to tell of a failure.
fn interrupt(store: &TaskStore, id: TaskId, reason: String) {
    let reason = reason::cut(reason, store.context().limits.text_bytes_max);
    let _ = store.end(id, Outcome::Interrupted, reason, DROP_PATIENCE);
}

/// An end could not be recorded. It converts to [`Error`] with `?`, which lets the task, or the run, go.
#[derive(Debug)]
pub struct NotEnded<T = RunningTask> {
    /// What was to end, to try again with. Dropping it records nothing.
    pub task: Box<T>,
    /// Why.
    pub error: Error,
}

impl fmt::Display for NotEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the end of task {} was not recorded", self.task.id)
    }
}

impl<T: fmt::Debug> StdError for NotEnded<T>
where
    Self: fmt::Display,
{
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.error)
    }
}

impl<T> From<NotEnded<T>> for Error {
    fn from(not_ended: NotEnded<T>) -> Self {
        not_ended.error
    }
}

/// Why [`TaskStore::run`] has no value to give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The work itself failed, and the task is recorded as failed.
    #[error("the task failed")]
    Work {
        /// The error that the work returned.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The task could not be started; the work was not done.
    #[error("the start of the task was not recorded")]
    NotStarted {
        /// Why.
        source: Error,
    },
    /// The work was done well, but that could not be recorded.
    #[error("the task was done, but its end was not recorded")]
    NotFinished {
        /// Why.
        source: Error,
    },
    /// The work failed, and that could not be recorded.
    #[error("the task failed, and its end was not recorded: {error}")]
    NotFailed {
        /// The error that the work returned.
        source: Box<dyn StdError + Send + Sync>,
        /// Why it was not recorded.
        error: Error,
    },
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
        let task = self.start(task).map_err(|source| RunError::NotStarted { source })?;
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
                interrupt(self, task.detach(), reason::of_panic(&*panic));
                resume_unwind(panic)
            }
        }
    }
}
