//! Many verbs in one transaction.

use std::sync::Arc;

use crate::configuration::{self, ConfigurationId};
use crate::sqlite::{self, Verbs, Write};
use crate::store::Context;
use crate::system_task::operation::{self as run, Ending};
use crate::system_task::{LogEvent, RunOptions, StartedRun, SystemTaskStatus};
use crate::task::kept_progress::Uncommitted;
use crate::task::{Level, NewTask, Outcome, Progress, Task, TaskId, operation};
use crate::{Result, TaskStore};

/// The verbs of a store inside [`TaskStore::batch`]: all of them are written, or none.
///
/// Each verb does what the one of the same name on [`TaskStore`] does, with the same errors, and sees what the
/// batch has written before it. A verb that is refused has changed nothing, and the batch may go on; where SQLite
/// itself failed (a full disk, a damaged file), every later verb and the commit fail too.
#[derive(Debug)]
pub struct Batch<'a> {
    context: &'a Context,
    write: &'a dyn Verbs,
    uncommitted: Uncommitted,
}

impl<'a> Batch<'a> {
    fn new(context: &'a Context, write: &'a dyn Verbs) -> Self {
        Self { context, write, uncommitted: Uncommitted::default() }
    }

    /// The same batch, for times that come from elsewhere.
    #[cfg(feature = "testing")]
    pub(crate) fn in_context<'b>(&'b self, context: &'b Context) -> Batch<'b> {
        Batch::new(context, self.write)
    }

    #[cfg(feature = "testing")]
    pub(crate) fn context(&self) -> &'a Context {
        self.context
    }

    pub(crate) fn verb<T>(&self, operation: impl Fn(&Write<'_>) -> Result<T>) -> Result<T> {
        let mut answer = None;
        self.write.verb(&mut |write| {
            answer = Some(operation(write)?);
            Ok(())
        })?;
        Ok(answer.expect("a verb that succeeded has run"))
    }

    /// See [`TaskStore::start_detached`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::start_detached`].
    pub fn start_detached(&self, task: NewTask) -> Result<TaskId> {
        self.verb(operation::start(self.context, task, None)?)
    }

    /// See [`TaskStore::message`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`].
    pub fn message(&self, id: TaskId, level: Level, text: impl Into<String>) -> Result<()> {
        self.verb(operation::message(self.context, id, None, level, text.into())?)
    }

    /// See [`TaskStore::message_once`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message_once`].
    pub fn message_once(
        &self,
        id: TaskId,
        key: impl Into<String>,
        level: Level,
        text: impl Into<String>,
    ) -> Result<()> {
        self.verb(operation::message(self.context, id, Some(key.into()), level, text.into())?)
    }

    /// See [`TaskStore::progress`]; inside a batch every one is written.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::progress`].
    pub fn progress(&self, id: TaskId, progress: &Progress) -> Result<()> {
        let progress = operation::progress(self.context, progress)?;
        let (kept_progress, now) = (&self.context.kept_progress, self.context.monotonic());
        self.verb(|write| {
            sqlite::task::progress(write, id, &progress)?;
            let (call, before) = kept_progress.overtake_in_batch(id, now);
            if self.uncommitted.progress(id, call) {
                let kept_progress = Arc::clone(kept_progress);
                write.on_undo(move || kept_progress.restore(id, before));
            }
            Ok(())
        })
    }

    /// See [`TaskStore::finish`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::finish`].
    pub fn finish(&self, id: TaskId) -> Result<()> {
        self.end(id, Outcome::Finished, String::new())
    }

    /// See [`TaskStore::fail`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::fail`].
    pub fn fail(&self, id: TaskId, reason: impl Into<String>) -> Result<()> {
        self.end(id, Outcome::Failed, reason.into())
    }

    pub(crate) fn end(&self, id: TaskId, outcome: Outcome, reason: String) -> Result<()> {
        self.verb(operation::end(self.context, id, outcome, reason)?)?;
        self.uncommitted.end(id);
        Ok(())
    }

    /// See [`TaskStore::dismiss`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::dismiss`].
    pub fn dismiss(&self, id: TaskId, by: impl Into<String>) -> Result<()> {
        self.verb(operation::dismiss(self.context, id, by.into())?)
    }

    /// See [`TaskStore::dismiss_all`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::dismiss_all`].
    pub fn dismiss_all(&self, configuration: Option<ConfigurationId>, by: impl Into<String>) -> Result<u64> {
        self.verb(operation::dismiss_all(self.context, configuration, by.into())?)
    }

    /// See [`TaskStore::restore`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::restore`].
    pub fn restore(&self, id: TaskId) -> Result<()> {
        self.verb(operation::restore(self.context, id)?)
    }

    /// See [`TaskStore::delete`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::delete`].
    pub fn delete(&self, id: TaskId) -> Result<()> {
        self.verb(operation::delete(id))
    }

    /// See [`TaskStore::task`]; the batch's own writes are seen.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::task`].
    pub fn task(&self, id: TaskId) -> Result<Task> {
        let mut task = self.verb(|write| sqlite::task::get(&write.read(), id))?;
        self.context.kept_progress.lay_over_own(&mut task);
        Ok(task)
    }

    /// See [`Configurations::add`](crate::Configurations::add).
    ///
    /// # Errors
    ///
    /// Those of [`Configurations::add`](crate::Configurations::add).
    pub fn add_configuration(&self, name: impl Into<String>) -> Result<ConfigurationId> {
        self.verb(configuration::add(self.context, name.into())?)
    }

    /// See [`Configurations::rename`](crate::Configurations::rename).
    ///
    /// # Errors
    ///
    /// Those of [`Configurations::rename`](crate::Configurations::rename).
    pub fn rename_configuration(&self, id: ConfigurationId, name: impl Into<String>) -> Result<()> {
        self.verb(configuration::rename(self.context, id, name.into())?)
    }

    /// See [`Configurations::delete`](crate::Configurations::delete).
    ///
    /// # Errors
    ///
    /// Those of [`Configurations::delete`](crate::Configurations::delete).
    pub fn delete_configuration(&self, id: ConfigurationId) -> Result<()> {
        self.verb(configuration::delete(self.context, id)?)
    }

    /// Starts a run of a system task; see [`SystemTasks::start_with`](crate::SystemTasks::start_with). It has
    /// no owner: a run that nobody ends stays in progress.
    ///
    /// # Errors
    ///
    /// Those of [`SystemTasks::start_with`](crate::SystemTasks::start_with).
    pub fn start_run(&self, name: impl Into<String>, uid: Option<&str>, options: RunOptions) -> Result<StartedRun> {
        self.verb(run::start(self.context, name.into(), uid.map(str::to_owned), options, None)?)
    }

    /// See [`RunningSystemTask::log`](crate::RunningSystemTask::log).
    ///
    /// # Errors
    ///
    /// Those of [`RunningSystemTask::log`](crate::RunningSystemTask::log).
    pub fn log(&self, run: &StartedRun, event: LogEvent) -> Result<()> {
        self.verb(run::log(self.context, run, event)?)
    }

    /// See [`RunningSystemTask::set_status`](crate::RunningSystemTask::set_status).
    ///
    /// # Errors
    ///
    /// Those of [`RunningSystemTask::set_status`](crate::RunningSystemTask::set_status).
    pub fn set_status(
        &self,
        run: &StartedRun,
        status: SystemTaskStatus,
        messages: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<()> {
        let messages = messages.into_iter().map(Into::into).collect();
        self.verb(run::set_status(self.context, run, status, messages)?)
    }

    /// Ends a run; see [`RunningSystemTask::finish`](crate::RunningSystemTask::finish).
    ///
    /// # Errors
    ///
    /// Those of [`RunningSystemTask::finish`](crate::RunningSystemTask::finish).
    pub fn finish_run(&self, run: &StartedRun) -> Result<()> {
        self.end_run(run, Ending::Finished)
    }

    pub(crate) fn end_run(&self, run: &StartedRun, ending: Ending) -> Result<()> {
        self.verb(run::end(self.context, run, ending)?)
    }

    /// See [`SystemTasks::register`](crate::SystemTasks::register).
    ///
    /// # Errors
    ///
    /// Those of [`SystemTasks::register`](crate::SystemTasks::register).
    pub fn register_system_task(&self, name: impl Into<String>, description: impl Into<String>) -> Result<()> {
        self.verb(run::register(self.context, name.into(), description.into())?)
    }
}

impl TaskStore {
    /// Runs `work` in one transaction: all that it records is written, with one sync, or nothing is.
    ///
    /// `Ok` commits. `Err` and a panic undo everything; the error is returned as it is, the panic goes on.
    /// Other writers wait until `work` is done, at most their busy timeout, so `work` should only record.
    /// Inside it every call to the store itself, through any of its clones, is [`Error::InsideBatch`](crate::Error::InsideBatch).
    ///
    /// # Errors
    ///
    /// What `work` returns; [`Busy`](crate::Error::Busy), [`DiskFull`](crate::Error::DiskFull),
    /// [`ReadOnly`](crate::Error::ReadOnly), [`Closed`](crate::Error::Closed),
    /// [`InsideBatch`](crate::Error::InsideBatch) or [`OutcomeUnknown`](crate::Error::OutcomeUnknown).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{Error, Level, NewTask, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let id = store.batch(|batch| {
    ///     let id = batch.start_detached(NewTask::new("Import"))?;
    ///     batch.message(id, Level::Info, "12 files")?;
    ///     batch.finish(id)?;
    ///     Ok::<_, Error>(id)
    /// })?;
    /// assert_eq!(store.task(id)?.message_count, 1);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn batch<T, E: From<crate::Error>>(&self, work: impl FnOnce(&Batch<'_>) -> Result<T, E>) -> Result<T, E> {
        let (answer, uncommitted) = self.database().batch(|write| {
            let batch = Batch::new(self.context(), write);
            let answer = work(&batch)?;
            Ok::<_, E>((answer, batch.uncommitted))
        })?;
        uncommitted.commit(&self.context().kept_progress);
        Ok(answer)
    }
}
