//! What is answered where an end could not be recorded.

use std::error::Error as StdError;
use std::fmt;

use super::RunningTask;
use crate::Error;

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
        write!(f, "the end of task {} was not recorded", self.task.id())
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

/// A task, or a run, could not be let go. It converts to [`Error`] with `?`, which drops and so interrupts it.
#[derive(Debug)]
pub struct NotDetached<T = RunningTask> {
    /// What was to be let go, to try again with. It is answered for as before.
    pub task: Box<T>,
    /// Why.
    pub error: Error,
}

impl fmt::Display for NotDetached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} was not detached", self.task.id())
    }
}

impl<T: fmt::Debug> StdError for NotDetached<T>
where
    Self: fmt::Display,
{
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.error)
    }
}

impl<T> From<NotDetached<T>> for Error {
    fn from(not_detached: NotDetached<T>) -> Self {
        not_detached.error
    }
}

/// Why [`TaskStore::run`](crate::TaskStore::run) has no value to give.
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
