//! The verbs of tasks.

use std::sync::Arc;
use std::time::Duration;

use super::{
    Level, Message, NewTask, Outcome, Progress, RunningTask, Task, TaskCounts, TaskFilter, TaskId, TaskWithMessages,
    operation,
};
use crate::configuration::ConfigurationId;
use crate::page::Page;
use crate::sqlite::Read;
use crate::store::Context;
use crate::{Error, Result, TaskStore, sqlite};

/// How often a list is read at most where progress is written meanwhile.
const READS_MAX: usize = 8;

impl TaskStore {
    /// Starts a task and gives the guard that ends it.
    ///
    /// # Errors
    ///
    /// Those of [`start_detached`](Self::start_detached).
    pub fn start(&self, task: NewTask) -> Result<RunningTask> {
        Ok(RunningTask::new(self.clone(), self.start_detached(task)?))
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
        self.database().write(operation::start(self.context(), task)?)
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
        let context = self.context();
        let progress = operation::progress(context, progress)?;
        self.database().refuse_inside()?;
        let Some(due) = context.kept_progress.keep(id, context.monotonic(), progress) else { return Ok(()) };
        let (kept_progress, progress) = (Arc::clone(&context.kept_progress), due.progress);
        let answer = self.database().write(move |write| {
            sqlite::task::progress(write, id, &progress)?;
            let before = kept_progress.overtake(id, due.call);
            let kept_progress = Arc::clone(&kept_progress);
            write.on_undo(move || kept_progress.restore(id, before));
            Ok(())
        });
        context.kept_progress.settle(id, due.call, &answer);
        if due.tidy {
            // This call is done; what cannot be written now is kept on.
            let _ = self.write_kept_progress(Duration::MAX, Some(context.monotonic()));
        }
        answer
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
        if matches!(answer, Ok(()) | Err(Error::NotFound { .. } | Error::WrongState { .. })) {
            self.context().kept_progress.forget(id);
        }
        answer
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
        self.read_newest(|read| sqlite::task::get(read, id), std::slice::from_mut)
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
        let ([task], messages) = self.read_newest(read, |(task, _)| task)?;
        Ok(TaskWithMessages { task, messages: messages.into_iter().next().unwrap_or_default() })
    }

    /// One page of tasks, without their messages, with the newest progress that this store was told.
    ///
    /// The page is one snapshot: it holds nothing of a transaction that was not committed when it was taken.
    /// [`TaskFilter`] says which filters an index serves and what the others cost, and [`Order`](crate::Order) what a
    /// walk through the pages meets while others write. Only a filter by [text](TaskFilter::text) may end a page early.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](crate::Error::OutOfRange) for the limit; [`InvalidCursor`](crate::Error::InvalidCursor) for a cursor
    /// of another filter or order; [`TooLong`](crate::Error::TooLong) or [`Invalid`](crate::Error::Invalid) for a user or
    /// a text that no task can have, and for the level; and the [errors of reading](TaskStore#errors-of-reading).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{NewTask, TaskFilter, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// for title in ["one", "two", "three"] {
    ///     store.start_detached(NewTask::new(title))?;
    /// }
    /// let filter = TaskFilter::new().limit(2);
    /// let first = store.list(&filter)?;
    /// assert_eq!(first.items[0].title, "three");
    ///
    /// let next = first.next.clone().expect("there is a third task");
    /// let last = store.list(&filter.clone().cursor(next))?;
    /// assert_eq!((last.items[0].title.as_str(), last.next), ("one", None));
    ///
    /// let previous = last.previous.expect("we came from there");
    /// assert_eq!(store.list(&filter.cursor(previous))?.items, first.items);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn list(&self, filter: &TaskFilter) -> Result<Page<Task>> {
        self.list_while(filter, || true)
    }

    /// The same, looking for a [text](TaskFilter::text) only as long as `go_on` says so: it is asked before each task
    /// that is looked through, but the first. The page ends there, as it does when
    /// [`search_time_max`](TaskFilter::search_time_max) is over.
    ///
    /// So a search can be broken off from another thread, and gone on with later.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use taskstore::{NewTask, TaskFilter, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// for title in ["one", "two", "three"] {
    ///     store.start_detached(NewTask::new(title))?;
    /// }
    /// let is_wanted = AtomicBool::new(false); // by whoever closed the panel
    /// let one = TaskFilter::new().text("one");
    /// let page = store.list_while(&one, || is_wanted.load(Ordering::Relaxed))?;
    /// assert_eq!((page.items.len(), page.next.is_some()), (0, true));
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn list_while(&self, filter: &TaskFilter, mut go_on: impl FnMut() -> bool) -> Result<Page<Task>> {
        let list = self.prepare_list(filter)?;
        self.read_newest(|read| list.page(read, &mut go_on), |page| &mut page.items)
    }

    /// One page of tasks with all their messages, of one instant: as [`list`](Self::list), whose cursors it shares.
    ///
    /// # Errors
    ///
    /// Those of [`list`](Self::list).
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{Level, NewTask, TaskFilter, TaskStore};
    ///
    /// let store = TaskStore::open_in_memory()?;
    /// let id = store.start_detached(NewTask::new("Copy"))?;
    /// store.message(id, Level::Info, "one")?;
    /// let newest = store.list_with_messages(&TaskFilter::new().limit(50))?;
    /// assert_eq!(newest.items[0].messages[0].text, "one");
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn list_with_messages(&self, filter: &TaskFilter) -> Result<Page<TaskWithMessages>> {
        let list = self.prepare_list(filter)?;
        let read = |read: &Read<'_>| {
            read.snapshot(|| {
                let page = list.page(read, &mut || true)?;
                let messages = sqlite::task::messages_of(read, &page.items)?;
                Ok((page, messages))
            })
        };
        let (page, messages) = self.read_newest(read, |(page, _)| &mut page.items)?;
        let both = |(task, messages)| TaskWithMessages { task, messages };
        Ok(page.with_items(|tasks| tasks.into_iter().zip(messages).map(both).collect()))
    }

    fn prepare_list<'a>(&'a self, filter: &'a TaskFilter) -> Result<PreparedList<'a>> {
        let context = self.context();
        context.limits.check_page(filter.limit)?;
        filter.check(&context.limits)?;
        // Only how long something runs is told from now, so that a clock out of range hinders nothing else.
        let now_ns = if filter.running_longer_than.is_some() { context.now_ns()? } else { 0 };
        Ok(PreparedList { context, filter, now_ns })
    }

    /// Reads, and lays the kept progress over the tasks. Where some was written meanwhile and is kept no more, it may be
    /// newer than what was read, which is read again; not for ever, however busy the writers are.
    fn read_newest<T>(
        &self,
        mut read: impl FnMut(&Read<'_>) -> Result<T>,
        tasks: impl Fn(&mut T) -> &mut [Task],
    ) -> Result<T> {
        let kept_progress = &self.context().kept_progress;
        let mut reads = 0;
        loop {
            let before = kept_progress.state();
            let mut found = self.database().read(&mut read)?;
            reads += 1;
            if kept_progress.lay_over(tasks(&mut found), before) || reads == READS_MAX {
                return Ok(found);
            }
        }
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
    /// [`Limits::page_rows_max`](crate::Limits::page_rows_max). To follow a task, ask again with the last `seq`.
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

/// A list that may be read.
struct PreparedList<'a> {
    context: &'a Context,
    filter: &'a TaskFilter,
    now_ns: i64,
}

impl PreparedList<'_> {
    fn page(&self, read: &Read<'_>, go_on: &mut dyn FnMut() -> bool) -> Result<Page<Task>> {
        let Self { context, filter, now_ns } = self;
        let started = context.monotonic();
        let mut in_time = || go_on() && context.monotonic().saturating_sub(started) < filter.search_time_max;
        sqlite::task::list(read, filter, *now_ns, &mut in_time)
    }
}
