//! The verbs of tasks.

use std::time::Duration;

use super::kept_progress::Due;
use super::list::READS_MAX;
use super::{
    Level, Message, NewTask, Outcome, Progress, RunningTask, Task, TaskCounts, TaskId, TaskWithMessages, operation,
};
use crate::configuration::ConfigurationId;
use crate::sqlite::Read;
use crate::{Error, Result, TaskStore, sqlite};

impl TaskStore {
    /// Starts a task and gives the guard that ends it. From now on this store answers for the task: whatever becomes of the
    /// guard, of the store and of this process, the task does not stay in progress. See [`recover`](Self::recover).
    ///
    /// With the first task that it answers for, a store in a file makes an empty lock file beside that, which goes when the
    /// store closes. It costs no more from then on.
    ///
    /// # Errors
    ///
    /// Those of [`start_detached`](Self::start_detached), and [`Io`](crate::Error::Io) if the lock file cannot be made.
    pub fn start(&self, task: NewTask) -> Result<RunningTask> {
        let start = operation::start(self.context(), task, self.context().owner.clone())?;
        Ok(RunningTask::new(self.clone(), self.write_owned(start)?))
    }

    /// Starts a task that may outlive this process: nobody answers for it, and it stays in progress until
    /// somebody ends it by its id.
    ///
    /// With a [key](NewTask::key) that a task has already, nothing is started: it gives that task's id.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound) if the configuration does not exist or was deleted;
    /// [`TooLong`](crate::Error::TooLong) or [`Invalid`](crate::Error::Invalid) for the title, the performer or the key;
    /// and the [errors of writing](TaskStore#errors-of-writing).
    pub fn start_detached(&self, task: NewTask) -> Result<TaskId> {
        self.database().write(operation::start(self.context(), task, None)?)
    }

    /// Records a message of a task in progress. Appending costs the same at message 10 and at message 100,000.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), [`WrongState`](crate::Error::WrongState) if the task has ended,
    /// [`TooLong`](crate::Error::TooLong) for the text, and the [errors of writing](TaskStore#errors-of-writing).
    pub fn message(&self, id: TaskId, level: Level, text: impl Into<String>) -> Result<()> {
        self.database().write(operation::message(self.context(), id, None, level, text.into())?)
    }

    /// Records a message unless the task has one of this key: then it writes nothing and answers `Ok`, whatever that
    /// message says, and also if the task has ended meanwhile.
    ///
    /// So a call whose answer was lost, or was [`OutcomeUnknown`](crate::Error::OutcomeUnknown), can be made again. Each
    /// task has keys of its own. A key is at most [`Limits::name_bytes_max`](crate::Limits::name_bytes_max), not empty,
    /// without NUL.
    ///
    /// # Errors
    ///
    /// Those of [`message`](Self::message); [`TooLong`](crate::Error::TooLong) or [`Invalid`](crate::Error::Invalid) for
    /// the key.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{Level, NewTask, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let id = store.start_detached(NewTask::new("Copy"))?;
    /// store.message_once(id, "file 1", Level::Info, "copied file 1")?;
    /// store.finish(id)?;
    /// store.message_once(id, "file 1", Level::Info, "copied file 1")?;
    /// assert_eq!(store.task(id)?.message_count, 1);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn message_once(
        &self,
        id: TaskId,
        key: impl Into<String>,
        level: Level,
        text: impl Into<String>,
    ) -> Result<()> {
        self.database().write(operation::message(self.context(), id, Some(key.into()), level, text.into())?)
    }

    /// Records how far a task in progress has come. It replaces what was recorded before.
    ///
    /// This may be called a million times: it is written at most once a second for each task, and always the last one
    /// before the end. What comes within a second of a write is kept in memory, the newest only, and answered `Ok`. It is
    /// written with the task's end or when the store closes, unless the first call after that second is written in its
    /// place. [`task`](Self::task) and [`list`](Self::list) of this store show it at once; another process sees what is
    /// written. A [`batch`](Self::batch) writes every one.
    ///
    /// So a process that is killed, or exits without dropping the store, loses what each of its tasks in progress has told
    /// in the second after its last written progress.
    ///
    /// One store at a time should tell a task's progress, and call [`flush`](Self::flush) before it hands the task to
    /// another by its id: if another process ends the task, what this store has kept of it is lost, and a late call within
    /// that second is answered `Ok` and has no effect; if another process tells progress, what this store has kept may
    /// still be written over that, when it closes.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), [`WrongState`](crate::Error::WrongState) if the task has ended,
    /// [`OutOfRange`](crate::Error::OutOfRange) for an amount over `i64::MAX`, [`TooLong`](crate::Error::TooLong) or
    /// [`Invalid`](crate::Error::Invalid) for the phase, and the [errors of writing](TaskStore#errors-of-writing).
    pub fn progress(&self, id: TaskId, progress: &Progress) -> Result<()> {
        self.keep_progress(id, progress)?.map_or(Ok(()), |due| self.write_due_progress(id, due))
    }

    /// Keeps the progress in memory, or gives what is to be written now. It waits for nobody.
    pub(crate) fn keep_progress(&self, id: TaskId, progress: &Progress) -> Result<Option<Due>> {
        let context = self.context();
        let progress = operation::progress(context, progress)?;
        self.database().refuse_inside()?;
        Ok(context.kept_progress.keep(id, context.monotonic(), progress))
    }

    /// Writes what [`keep_progress`](Self::keep_progress) has given.
    pub(crate) fn write_due_progress(&self, id: TaskId, due: Due) -> Result<()> {
        let (call, tidy) = (due.call, due.tidy);
        let answer = self.database().write(operation::due_progress(self.context(), id, due));
        self.context().kept_progress.settle(id, call, &answer);
        if tidy {
            self.tidy_progress();
        }
        answer
    }

    /// Writes the progress that was kept for tasks that have fallen silent; what cannot be written now is kept on.
    pub(crate) fn tidy_progress(&self) {
        let _ = self.write_kept_progress(Duration::MAX, Some(self.context().monotonic()));
    }

    /// Ends a task as finished. Of all that try to end a task, one succeeds.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), [`WrongState`](crate::Error::WrongState) if the task has ended, and the
    /// [errors of writing](TaskStore#errors-of-writing).
    pub fn finish(&self, id: TaskId) -> Result<()> {
        self.end(id, Outcome::Finished, String::new(), Duration::MAX)
    }

    /// Ends a task as failed. A reason that is not empty becomes its last message, at level error.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), [`WrongState`](crate::Error::WrongState) if the task has ended,
    /// [`TooLong`](crate::Error::TooLong) for the reason, and the [errors of writing](TaskStore#errors-of-writing).
    pub fn fail(&self, id: TaskId, reason: impl Into<String>) -> Result<()> {
        self.end(id, Outcome::Failed, reason.into(), Duration::MAX)
    }

    /// Ends a task, waiting no longer than `patience`, nor than the busy timeout, for other writers.
    pub(super) fn end(&self, id: TaskId, outcome: Outcome, reason: String, patience: Duration) -> Result<()> {
        let operation = operation::end(self.context(), id, outcome, reason)?;
        let answer = self.database().write_within(patience, operation);
        self.forget_ended(id, &answer);
        answer
    }

    /// Keeps no progress of a task any more that has ended, by the answer to its end.
    pub(crate) fn forget_ended(&self, id: TaskId, answer: &Result<()>) {
        if matches!(answer, Ok(()) | Err(Error::NotFound { .. } | Error::WrongState { .. })) {
            self.context().kept_progress.forget(id);
        }
    }

    /// Puts an ended task away: lists hide it from now on, and nothing of it is lost.
    /// `by` is the user who does it and must not be empty.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound); [`WrongState`](crate::Error::WrongState) if the task is in progress, or
    /// dismissed already, with the one who did it; [`TooLong`](crate::Error::TooLong) or
    /// [`Invalid`](crate::Error::Invalid) for `by`; and the [errors of writing](TaskStore#errors-of-writing).
    pub fn dismiss(&self, id: TaskId, by: impl Into<String>) -> Result<()> {
        self.database().write(operation::dismiss(self.context(), id, by.into())?)
    }

    /// Dismisses every ended task of one configuration, or of all, in one transaction. Gives their number.
    ///
    /// # Errors
    ///
    /// [`TooLong`](crate::Error::TooLong) or [`Invalid`](crate::Error::Invalid) for `by`, and the
    /// [errors of writing](TaskStore#errors-of-writing). A configuration that does not exist has no tasks: 0.
    pub fn dismiss_all(&self, configuration: Option<ConfigurationId>, by: impl Into<String>) -> Result<u64> {
        self.database().write(operation::dismiss_all(self.context(), configuration, by.into())?)
    }

    /// Takes a dismissed task out again: it is what it was before.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), [`WrongState`](crate::Error::WrongState) if the task is not dismissed, and
    /// the [errors of writing](TaskStore#errors-of-writing).
    pub fn restore(&self, id: TaskId) -> Result<()> {
        self.database().write(operation::restore(self.context(), id)?)
    }

    /// Deletes an ended task and its messages for good. [`dismiss`](Self::dismiss) puts it away without a loss.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), [`WrongState`](crate::Error::WrongState) if the task is in progress, and
    /// the [errors of writing](TaskStore#errors-of-writing).
    pub fn delete(&self, id: TaskId) -> Result<()> {
        self.database().write(operation::delete(id))
    }

    /// One task, dismissed or not, with the newest progress that this store was told; without its messages.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), and the [errors of reading](TaskStore#errors-of-reading).
    pub fn task(&self, id: TaskId) -> Result<Task> {
        self.read_newest(READS_MAX, |read| sqlite::task::get(read, id), std::slice::from_mut)
    }

    /// One task, as [`task`](Self::task) gives it, and all its messages, of one instant.
    ///
    /// Its messages are all in memory then; [`messages`](Self::messages) reads them a page at a time, and
    /// [`tail`](Self::tail) the last ones.
    ///
    /// # Errors
    ///
    /// Those of [`task`](Self::task).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{Level, NewTask, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let id = store.start_detached(NewTask::new("Copy"))?;
    /// store.message(id, Level::Info, "one")?;
    /// let copy = store.task_with_messages(id)?;
    /// assert_eq!((copy.task.title.as_str(), copy.messages[0].text.as_str()), ("Copy", "one"));
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn task_with_messages(&self, id: TaskId) -> Result<TaskWithMessages> {
        let read = |read: &Read<'_>| {
            read.snapshot(|| {
                let task = [sqlite::task::get(read, id)?];
                let messages = sqlite::task::messages_of(read, &task)?;
                Ok((task, messages))
            })
        };
        let ([task], messages) = self.read_newest(READS_MAX, read, |(task, _)| task)?;
        Ok(TaskWithMessages { task, messages: messages.into_iter().next().unwrap_or_default() })
    }

    /// How many tasks there are, all of them or those of one configuration; none of a deleted one, whose tasks count among
    /// all. It costs the same however many tasks there are: the counts are kept with them.
    ///
    /// Only the store's verbs keep them: a program that changes tasks by SQL of its own makes them wrong, which
    /// [`check`](Self::check) finds and [`recount`](Self::recount) mends.
    ///
    /// # Errors
    ///
    /// The [errors of reading](TaskStore#errors-of-reading).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{NewTask, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// store.start_detached(NewTask::new("Copy"))?;
    /// assert_eq!(store.counts(None)?.in_progress, 1);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn counts(&self, configuration: Option<ConfigurationId>) -> Result<TaskCounts> {
        self.database().read(|read| sqlite::task::counts(read, configuration))
    }

    /// The messages of a task behind `after` (0 for all), oldest first, at most `limit`, which is from 1 to
    /// [`Limits::page_rows_max`](crate::Limits::page_rows_max). To follow a task, ask again with the last `seq`, after
    /// [`wait_for_change`](Self::wait_for_change).
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), [`OutOfRange`](crate::Error::OutOfRange) for the limit, and the
    /// [errors of reading](TaskStore#errors-of-reading).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{Level, NewTask, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let id = store.start_detached(NewTask::new("Copy"))?;
    /// store.message(id, Level::Info, "one")?;
    /// let seen = store.messages(id, 0, 100)?;
    /// store.message(id, Level::Info, "two")?;
    /// let new = store.messages(id, seen[0].seq, 100)?;
    /// assert_eq!(new[0].text, "two");
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn messages(&self, id: TaskId, after: u64, limit: u32) -> Result<Vec<Message>> {
        self.context().limits.check_page(limit)?;
        self.database().read(|read| sqlite::task::messages(read, id, after, limit))
    }

    /// The last messages of a task, oldest first, at most `limit`, which is from 1 to
    /// [`Limits::page_rows_max`](crate::Limits::page_rows_max). It costs the same however many there are before.
    ///
    /// # Errors
    ///
    /// Those of [`messages`](Self::messages).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{Level, NewTask, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let id = store.start_detached(NewTask::new("Copy"))?;
    /// for text in ["one", "two", "three"] {
    ///     store.message(id, Level::Info, text)?;
    /// }
    /// let last = store.tail(id, 2)?;
    /// assert_eq!((last[0].text.as_str(), last[1].seq), ("two", 3));
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn tail(&self, id: TaskId, limit: u32) -> Result<Vec<Message>> {
        self.context().limits.check_page(limit)?;
        self.database().read(|read| sqlite::task::tail(read, id, limit))
    }
}
