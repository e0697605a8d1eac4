//! Lists: the verbs, and what they share with streams.

use std::time::Duration;

use super::{Task, TaskFilter, TaskWithMessages};
use crate::page::Page;
use crate::sqlite::Read;
use crate::sqlite::task::TaskRow;
use crate::store::Context;
use crate::stream::{Out, Stop};
use crate::{Result, TaskStore, sqlite};

/// How often a list is read at most where progress is written meanwhile.
pub(super) const READS_MAX: usize = 8;

/// How long a stream that looks for a text in vain leaves its reader without what it has found.
const UNFLUSHED_MAX: Duration = Duration::from_secs(1);

impl TaskStore {
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
    /// a text that no task can have, and for the level; [`TimeOutOfRange`](crate::Error::TimeOutOfRange) if it is asked what
    /// [runs longer](TaskFilter::running_longer_than) while the clock is outside the years 1678 to 2261; and the
    /// [errors of reading](TaskStore#errors-of-reading).
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
    /// that is looked through, but the first, and among the messages of one that has many. The page ends there, as it does
    /// when [`search_time_max`](TaskFilter::search_time_max) is over. A list that looks for no text does not ask.
    ///
    /// So a search can be broken off from another thread, and gone on with later. The page of a search may show
    /// [`progress`](Self::progress) as it was when it began. In memory, where all share one connection, a search keeps
    /// writers waiting, and a call of the store by `go_on` is [`InsideBatch`](crate::Error::InsideBatch).
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
        let list = self.prepare_page(filter)?;
        self.read_newest(list.reads_max(), |read| list.page(read, &mut go_on), |page| &mut page.items)
    }

    /// One page of tasks with all their messages, of one instant: as [`list`](Self::list), whose cursors it shares.
    ///
    /// All of that is in memory then, however many messages a task has; [`export_tasks`](Self::export_tasks) writes tasks
    /// with their messages in memory that does not grow.
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
        let list = self.prepare_page(filter)?;
        let read = |read: &Read<'_>| {
            read.snapshot(|| {
                let page = list.page(read, &mut || true)?;
                let messages = sqlite::task::messages_of(read, &page.items)?;
                Ok((page, messages))
            })
        };
        let (page, messages) = self.read_newest(list.reads_max(), read, |(page, _)| &mut page.items)?;
        let both = |(task, messages)| TaskWithMessages { task, messages };
        Ok(page.with_items(|tasks| tasks.into_iter().zip(messages).map(both).collect()))
    }

    /// A page that may be read.
    fn prepare_page<'a>(&'a self, filter: &'a TaskFilter) -> Result<PreparedList<'a>> {
        self.context().limits.check_page(filter.limit)?;
        self.prepare_list(filter)
    }

    /// A whole list that may be read, whatever page the filter asks for.
    pub(crate) fn prepare_list<'a>(&'a self, filter: &'a TaskFilter) -> Result<PreparedList<'a>> {
        let context = self.context();
        filter.check(&context.limits)?;
        // Only how long something runs is told from now, so that a clock out of range hinders nothing else.
        let now_ns = if filter.running_longer_than.is_some() { context.now_ns()? } else { 0 };
        Ok(PreparedList { context, filter, now_ns })
    }

    /// Reads, and lays the kept progress over the tasks. Where some was written meanwhile and is kept no more, it may be
    /// newer than what was read, which is read again; not for ever, however busy the writers are.
    pub(super) fn read_newest<T>(
        &self,
        reads_max: usize,
        mut read: impl FnMut(&Read<'_>) -> Result<T>,
        tasks: impl Fn(&mut T) -> &mut [Task],
    ) -> Result<T> {
        let kept_progress = &self.context().kept_progress;
        let mut reads = 0;
        loop {
            let before = kept_progress.state();
            let mut found = self.database().read(&mut read)?;
            reads += 1;
            if kept_progress.lay_over(tasks(&mut found), before) || reads == reads_max {
                return Ok(found);
            }
        }
    }
}

/// A list that may be read.
pub(crate) struct PreparedList<'a> {
    context: &'a Context,
    filter: &'a TaskFilter,
    now_ns: i64,
}

impl PreparedList<'_> {
    /// A search is not made again: it has its time once. So it may miss progress that was told meanwhile.
    fn reads_max(&self) -> usize {
        if self.filter.is_search() { 1 } else { READS_MAX }
    }

    fn page(&self, read: &Read<'_>, go_on: &mut dyn FnMut() -> bool) -> Result<Page<Task>> {
        let Self { context, filter, now_ns } = self;
        let started = context.monotonic();
        let mut in_time = || go_on() && context.monotonic().saturating_sub(started) < filter.search_time_max;
        sqlite::task::list(read, filter, *now_ns, &mut in_time)
    }

    /// Hands each task of the whole list to `write`.
    ///
    /// While a text is looked for in vain, `out` is flushed about once a second: what was found arrives, and a reader that
    /// has gone, which shows there, is not searched for any longer.
    pub(crate) fn stream(
        &self,
        read: &Read<'_>,
        out: &mut Out<'_>,
        mut write: impl FnMut(&mut Out<'_>, &TaskRow<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let Self { context, filter, now_ns } = self;
        let mut flushed = context.monotonic();
        sqlite::task::each_task(read, filter, *now_ns, |found| {
            if let Some(task) = found {
                return write(out, &task);
            }
            let now = context.monotonic();
            if now.saturating_sub(flushed) >= UNFLUSHED_MAX {
                out.flush()?;
                flushed = now;
            }
            Ok(())
        })
    }
}
