//! The guard of a run in progress.

use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use super::operation::{self, Ending};
use super::{LogEvent, LogLevel, RunId, RunOptions, SystemTaskStatus, SystemTasks};
use crate::task::{DROP_PATIENCE, NotDetached, NotEnded, RunError, reason};
use crate::{Result, TaskStore, sqlite};

/// A run that has started: what its verbs inside a [`Batch`](crate::Batch) need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedRun {
    pub(crate) id: RunId,
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
    /// By the monotonic clock; of the repeated start, if the run was found by its key.
    pub(crate) started: Duration,
    /// How long it had run by then, if somebody [told](crate::testing::given) that it has.
    pub(crate) ran_before: Duration,
}

impl StartedRun {
    /// The run's id.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.id
    }

    /// The uuid of its system task.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }
}

/// A run in progress that this value answers for.
///
/// [`finish`](Self::finish) consumes it. Dropped without, it records an interruption: status error, with an event that
/// says so ("ended without finish", or "panicked"); that tries for a second at most, ignores what goes wrong, and never
/// panics. Where it cannot be recorded, or the process was killed, the run becomes interrupted when the
/// [store closes](TaskStore#closing), or by [`TaskStore::recover`]. What was logged is on disk as soon as the call has returned, and no verb takes it back.
///
/// # Example
///
/// ```
/// use serde_json::json;
/// use taskstore::{SystemTaskStatus, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// let run = store.system_tasks().start("fetch_mail", Some("ann"))?;
/// let uuid = run.uuid();
/// run.info("fetched", json!({"messages": 3}))?;
/// run.set_status(SystemTaskStatus::Warning, ["1 message had no subject"])?;
/// run.finish()?;
/// assert_eq!(store.system_tasks().retrieve(uuid)?.status(), SystemTaskStatus::Warning);
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a dropped run is recorded as interrupted; call `finish`"]
pub struct RunningSystemTask {
    store: TaskStore,
    run: StartedRun,
    /// Whether drop still has to record an end.
    armed: bool,
}

/// The methods that log at one level.
macro_rules! log_methods {
    ($($(#[$doc:meta])* $name:ident => $level:ident),+ $(,)?) => {$(
        $(#[$doc])*
        ///
        /// The attributes are any value that serialises to a JSON object; `()` for none.
        ///
        /// # Errors
        ///
        /// Those of [`log`](Self::log) and of [`Attributes::new`](crate::Attributes::new).
        pub fn $name(&self, event: impl Into<String>, attributes: impl Serialize) -> Result<()> {
            self.log(LogEvent::new(LogLevel::$level, event).attributes(attributes)?)
        }
    )+};
}

impl RunningSystemTask {
    pub(crate) fn new(store: TaskStore, run: StartedRun) -> Self {
        Self { store, run, armed: true }
    }

    /// The run's id.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.run.id
    }

    /// The uuid of its system task: the same for all its runs.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.run.uuid
    }

    /// What the verbs inside a [`Batch`](crate::Batch) need to know of the run.
    #[must_use]
    pub fn started(&self) -> &StartedRun {
        &self.run
    }

    /// Lets go of the run, which stays in progress whatever becomes of this process: nobody answers for it any more, and it
    /// is ended inside a [`Batch`](crate::Batch).
    ///
    /// # Errors
    ///
    /// [`NotDetached`] gives the run back with the error, as if nothing had been tried: dropping that records an
    /// interruption. The error is one of [writing](TaskStore#errors-of-writing).
    pub fn detach(mut self) -> Result<StartedRun, NotDetached<Self>> {
        let id = self.run.id;
        match self.store.write_detached(move |write, owner| sqlite::owner::detach_run(write, id, owner)) {
            Ok(()) => {
                self.armed = false;
                Ok(self.run.clone())
            }
            Err(error) => Err(NotDetached { task: Box::new(self), error }),
        }
    }

    /// Logs an event. It is on disk when this returns. With a [key](LogEvent::key) that an event of the run has already,
    /// it writes nothing.
    ///
    /// # Errors
    ///
    /// [`TooLong`](crate::Error::TooLong) for the event, its logger, its attributes or its key,
    /// [`Invalid`](crate::Error::Invalid) for a logger or a key with NUL or an empty key,
    /// [`RunEnded`](crate::Error::RunEnded), and the [errors of writing](TaskStore#errors-of-writing).
    pub fn log(&self, event: LogEvent) -> Result<()> {
        self.store.database().write(operation::log(self.store.context(), &self.run, event)?)
    }

    log_methods! {
        /// Logs an event at level critical.
        critical => Critical,
        /// Logs an event at level exception.
        exception => Exception,
        /// Logs an event at level error; the status stays as it is.
        error => Error,
        /// Logs an event at level warning.
        warning => Warning,
        /// Logs an event at level info.
        info => Info,
        /// Logs an event at level debug.
        debug => Debug,
    }

    /// Sets the status that the run will end with, and logs the messages at level info. What was logged before stays.
    /// Without messages, give `[""; 0]`.
    ///
    /// # Errors
    ///
    /// Those of [`log`](Self::log).
    pub fn set_status(
        &self,
        status: SystemTaskStatus,
        messages: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<()> {
        let messages = messages.into_iter().map(Into::into).collect();
        self.store.database().write(operation::set_status(self.store.context(), &self.run, status, messages)?)
    }

    /// Sets the status to error, and logs the error with the texts of all its sources as one event at level error.
    ///
    /// # Errors
    ///
    /// Those of [`log`](Self::log).
    pub fn set_error(&self, error: &(dyn StdError + 'static)) -> Result<()> {
        let reason = reason::of_error(error);
        self.store.database().write(operation::set_error(self.store.context(), &self.run, reason)?)
    }

    /// Ends the run with the status that was set, or else as successful.
    ///
    /// # Errors
    ///
    /// [`NotEnded`] gives the run back with the error, for another try; dropping that writes nothing more. The error is
    /// [`RunEnded`](crate::Error::RunEnded) or one of [writing](TaskStore#errors-of-writing).
    pub fn finish(self) -> Result<(), NotEnded<Self>> {
        self.end(Ending::Finished)
    }

    /// Disarmed before it writes: if the outcome is not known, drop must not write a second end.
    pub(crate) fn end(mut self, ending: Ending) -> Result<(), NotEnded<Self>> {
        self.armed = false;
        let ended = operation::end(self.store.context(), &self.run, ending)
            .and_then(|operation| self.store.database().write(operation));
        ended.map_err(|error| {
            self.store.doubt_owner(&error);
            NotEnded { task: Box::new(self), error }
        })
    }

    /// Records an interruption as well as it can be done in a second.
    pub(crate) fn interrupt(&mut self, reason: String) {
        self.armed = false;
        let reason = reason::cut(reason, self.store.context().limits.text_bytes_max);
        if let Ok(operation) = operation::end(self.store.context(), &self.run, Ending::Interrupted(reason)) {
            let _ = self.store.database().write_within(DROP_PATIENCE, operation);
        }
    }
}

impl Drop for RunningSystemTask {
    fn drop(&mut self) {
        if self.armed {
            let reason = if std::thread::panicking() { "panicked" } else { "ended without finish" };
            self.interrupt(reason.to_owned());
        }
    }
}

impl fmt::Display for NotEnded<RunningSystemTask> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the end of run {} was not recorded", self.task.run.id)
    }
}

impl fmt::Display for NotDetached<RunningSystemTask> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} was not detached", self.task.run.id)
    }
}

impl SystemTasks<'_> {
    /// Runs `work` as a run of a system task: `Ok` finishes it, `Err` ends it with status error and an event of the
    /// error's text and those of its sources. A panic is recorded as an interruption with its text, and goes on.
    ///
    /// # Errors
    ///
    /// [`RunError`] tells a failure of the work from a failure to record it.
    ///
    /// # Panics
    ///
    /// If `work` panics, with what it panicked with.
    pub fn run<T, E>(
        &self,
        name: impl Into<String>,
        uid: Option<&str>,
        work: impl FnOnce(&RunningSystemTask) -> Result<T, E>,
    ) -> Result<T, RunError>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.run_with(name, uid, RunOptions::new(), work)
    }

    /// The same, with options.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run).
    ///
    /// # Panics
    ///
    /// If `work` panics, with what it panicked with.
    pub fn run_with<T, E>(
        &self,
        name: impl Into<String>,
        uid: Option<&str>,
        options: RunOptions,
        work: impl FnOnce(&RunningSystemTask) -> Result<T, E>,
    ) -> Result<T, RunError>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let mut run = self.start_with(name, uid, options).map_err(|source| RunError::NotStarted { source })?;
        // The state of `work` is never seen again: the panic goes on.
        match catch_unwind(AssertUnwindSafe(|| work(&run))) {
            Ok(Ok(value)) => {
                run.finish().map_err(|not_ended| RunError::NotFinished { source: not_ended.error })?;
                Ok(value)
            }
            Ok(Err(error)) => {
                let source = error.into();
                let reason = reason::cut(reason::of_error(&*source), run.store.context().limits.text_bytes_max);
                match run.end(Ending::Failed(reason)) {
                    Ok(()) => Err(RunError::Work { source }),
                    Err(NotEnded { error, .. }) => Err(RunError::NotFailed { source, error }),
                }
            }
            Err(panic) => {
                run.interrupt(reason::of_panic(&*panic));
                resume_unwind(panic)
            }
        }
    }
}
