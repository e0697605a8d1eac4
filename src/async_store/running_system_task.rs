//! The guard of a run in progress.

use std::error::Error as StdError;
use std::fmt;

use serde::Serialize;
use uuid::Uuid;

use super::{AsyncSystemTasks, AsyncTaskStore};
use crate::sqlite::{self, Write};
use crate::store::Context;
use crate::system_task::operation::{self, Ending};
use crate::task::reason;
use crate::{
    Error, LogEvent, LogLevel, NotDetached, NotEnded, Result, RunId, RunOptions, RunningSystemTask, StartedRun,
    SystemTaskStatus,
};

/// What drop says of a run that nobody has ended.
const ENDED_WITHOUT: &str = "ended without finish";

/// A run in progress that this value answers for: a [`RunningSystemTask`] whose verbs are futures. It may be held across an
/// `.await` and be sent to another task of the runtime.
///
/// [`finish`](Self::finish) consumes it. Dropped without, it has an interruption recorded ("ended without finish", or
/// "panicked"): by the blocking pool, so that dropping it in a runtime blocks nothing; outside of one, at once.
///
/// # Example
///
/// ```
/// use serde_json::json;
/// use taskstore::{AsyncTaskStore, SystemTaskStatus};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), taskstore::Error> {
/// let store = AsyncTaskStore::open_in_memory().await?;
/// let run = store.system_tasks().start("fetch_mail", Some("ann")).await?;
/// let uuid = run.uuid();
/// run.info("fetched", json!({"messages": 3})).await?;
/// run.set_status(SystemTaskStatus::Warning, ["1 message had no subject"]).await?;
/// run.finish().await?;
/// assert_eq!(store.system_tasks().retrieve(uuid).await?.status(), SystemTaskStatus::Warning);
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a dropped run is recorded as interrupted; call `finish`"]
pub struct AsyncRunningSystemTask {
    store: AsyncTaskStore,
    run: StartedRun,
    /// What drop still has to record.
    unended: Option<&'static str>,
}

impl AsyncSystemTasks<'_> {
    /// Starts a run and gives the guard that ends it; see [`SystemTasks::start`](crate::SystemTasks::start).
    ///
    /// # Errors
    ///
    /// Those of [`SystemTasks::start`](crate::SystemTasks::start).
    pub async fn start(self, name: impl Into<String>, uid: Option<&str>) -> Result<AsyncRunningSystemTask> {
        self.start_with(name, uid, RunOptions::new()).await
    }

    /// The same, with options; see [`SystemTasks::start_with`](crate::SystemTasks::start_with).
    ///
    /// # Errors
    ///
    /// Those of [`SystemTasks::start_with`](crate::SystemTasks::start_with).
    pub async fn start_with(
        self,
        name: impl Into<String>,
        uid: Option<&str>,
        options: RunOptions,
    ) -> Result<AsyncRunningSystemTask> {
        self.start_or(name.into(), uid, options, ENDED_WITHOUT).await
    }

    /// The same, with what is said of the run if the guard is dropped.
    pub(super) async fn start_or(
        self,
        name: String,
        uid: Option<&str>,
        options: RunOptions,
        unended: &'static str,
    ) -> Result<AsyncRunningSystemTask> {
        let (store, context, uid) = (self.store.clone(), self.store.store().context(), uid.map(str::to_owned));
        let start = operation::start(context, name, uid, options, context.owner.clone())?;
        // The guard is made there: if nobody takes the answer, it is dropped.
        let guard = move |run| AsyncRunningSystemTask { store, run, unended: Some(unended) };
        self.store.write_owned(start, guard).await
    }
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
        pub async fn $name(&self, event: impl Into<String>, attributes: impl Serialize) -> Result<()> {
            self.log(LogEvent::new(LogLevel::$level, event).attributes(attributes)?).await
        }
    )+};
}

impl AsyncRunningSystemTask {
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

    /// Lets go of the run; see [`RunningSystemTask::detach`].
    ///
    /// # Errors
    ///
    /// [`NotDetached`] gives the run back with the error, as if nothing had been tried: dropping that records an
    /// interruption. The error is one of [writing](crate::TaskStore#errors-of-writing). If the future was dropped there is
    /// nobody to take the run back: it stays in progress until the store closes.
    pub async fn detach(mut self) -> Result<StartedRun, NotDetached<Self>> {
        let (id, unended) = (self.run.id, self.unended.take());
        let detach = move |write: &Write<'_>, owner| sqlite::owner::detach_run(write, id, owner);
        match self.store.write_detached(detach).await {
            Ok(()) => Ok(self.run.clone()),
            Err(error) => {
                self.unended = unended;
                Err(NotDetached { task: Box::new(self), error })
            }
        }
    }

    /// Logs an event; see [`RunningSystemTask::log`].
    ///
    /// # Errors
    ///
    /// Those of [`RunningSystemTask::log`].
    pub async fn log(&self, event: LogEvent) -> Result<()> {
        self.store.write(operation::log(self.context(), &self.run, event)?).await
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

    /// Sets the status that the run will end with, and logs the messages at level info; see
    /// [`RunningSystemTask::set_status`].
    ///
    /// # Errors
    ///
    /// Those of [`log`](Self::log).
    pub async fn set_status(
        &self,
        status: SystemTaskStatus,
        messages: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<()> {
        let messages = messages.into_iter().map(Into::into).collect();
        self.store.write(operation::set_status(self.context(), &self.run, status, messages)?).await
    }

    /// Sets the status to error, and logs the error with the texts of all its sources as one event at level error.
    ///
    /// # Errors
    ///
    /// Those of [`log`](Self::log).
    // No `async fn`: the error, which may not be `Send`, is not part of the future.
    pub fn set_error<'a>(
        &'a self,
        error: &(dyn StdError + 'static),
    ) -> impl Future<Output = Result<()>> + Send + use<'a> {
        let reason = reason::of_error(error);
        async { self.store.write(operation::set_error(self.context(), &self.run, reason)?).await }
    }

    /// Ends the run with the status that was set, or else as successful, also if the future is dropped after its first poll.
    ///
    /// # Errors
    ///
    /// [`NotEnded`] gives the run back with the error, for another try; dropping that writes nothing more. The error is
    /// [`RunEnded`](Error::RunEnded) or one of [writing](crate::TaskStore#errors-of-writing).
    pub async fn finish(self) -> Result<(), NotEnded<Self>> {
        self.end(Ending::Finished).await
    }

    pub(super) async fn fail(self, reason: String) -> Result<(), NotEnded<Self>> {
        self.end(Ending::Failed(reason)).await
    }

    fn context(&self) -> &Context {
        self.store.store().context()
    }

    /// Disarmed before it writes: if the outcome is not known, drop must not write a second end.
    async fn end(mut self, ending: Ending) -> Result<(), NotEnded<Self>> {
        self.unended = None;
        let store = self.store.store().clone();
        let ended = match operation::end(self.context(), &self.run, ending) {
            Ok(end) => {
                self.store.write_and(end, move |answer| answer.inspect_err(|error| store.doubt_owner(error))).await
            }
            Err(error) => Err(error),
        };
        ended.map_err(|error| NotEnded { task: Box::new(self), error })
    }

    /// Records an interruption as well as it can be done in a second, from now on, whether or not that is waited for.
    pub(super) fn interrupt(&mut self, reason: String) -> impl Future<Output = ()> + use<> {
        self.unended = None;
        let (store, run) = (self.store.store().clone(), self.run.clone());
        let reason = reason::cut(reason, store.context().limits.text_bytes_max);
        let end = operation::end(store.context(), &run, Ending::Interrupted(reason.clone()));
        let ended = move |answer| {
            if matches!(answer, Err(Error::NoRuntime)) {
                RunningSystemTask::new(store, run).interrupt(reason);
            }
        };
        self.store.write_last(end, ended)
    }

    /// A guard of the same run which does not answer for it.
    pub(super) fn unarmed(&self) -> Self {
        Self { store: self.store.clone(), run: self.run.clone(), unended: None }
    }
}

impl Drop for AsyncRunningSystemTask {
    fn drop(&mut self) {
        let Some(unended) = self.unended else { return };
        let reason = if std::thread::panicking() { "panicked" } else { unended };
        drop(self.interrupt(reason.to_owned()));
    }
}

impl fmt::Display for NotEnded<AsyncRunningSystemTask> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the end of run {} was not recorded", self.task.run.id)
    }
}

impl fmt::Display for NotDetached<AsyncRunningSystemTask> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} was not detached", self.task.run.id)
    }
}
