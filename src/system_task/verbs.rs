//! The verbs of system tasks.

use uuid::Uuid;

use super::{
    LoggedEvent, NumberedPage, PageNumber, Run, RunId, RunOptions, RunningSystemTask, SystemTask, SystemTaskFilter,
    operation,
};
use crate::page::{Cursor, Page};
use crate::{Result, TaskStore, sqlite};

/// The verbs of system tasks; from [`TaskStore::system_tasks`].
///
/// A system task is a background job, told from others by its name and uid. Each execution is a run, with events and a
/// status. The published API shows the last run that finished; [`history`](Self::history) shows them all.
///
/// # Example
///
/// ```
/// use taskstore::{SystemTaskStatus, TaskStore};
///
/// let store = TaskStore::open_in_memory()?;
/// store.system_tasks().register("fetch_mail", "Fetches the mail")?;
/// let unknown = store.system_tasks().list(&Default::default())?.items.remove(0);
/// assert_eq!(unknown.status(), SystemTaskStatus::Unknown);
///
/// let run = store.system_tasks().start("fetch_mail", None)?;
/// assert_eq!(run.uuid(), unknown.uuid);
/// run.warning("the server is slow", serde_json::json!({"ms": 900}))?;
/// run.finish()?;
///
/// let runs = store.system_tasks().history(unknown.uuid, None, 10)?.items;
/// let events = store.system_tasks().events(runs[0].id, 0, 10)?;
/// assert_eq!(events[0].attributes.as_str(), r#"{"ms":900}"#);
/// # Ok::<(), taskstore::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SystemTasks<'a> {
    store: &'a TaskStore,
}

impl TaskStore {
    /// The verbs of system tasks.
    #[must_use]
    pub fn system_tasks(&self) -> SystemTasks<'_> {
        SystemTasks { store: self }
    }
}

impl SystemTasks<'_> {
    /// Starts a run and gives the guard that ends it. From now on this store answers for the run, as for a task that
    /// [`TaskStore::start`] has started. The system task is made if there is none of this name and uid;
    /// `None` and `Some("")` are two uids. Two that start the same one, also in two processes, never make two.
    ///
    /// # Errors
    ///
    /// [`TooLong`](crate::Error::TooLong) or [`Invalid`](crate::Error::Invalid) for the name (not empty, no NUL) or the
    /// uid (no NUL), [`Io`](crate::Error::Io) if the store's lock file cannot be made, and the
    /// [errors of writing](TaskStore#errors-of-writing).
    pub fn start(&self, name: impl Into<String>, uid: Option<&str>) -> Result<RunningSystemTask> {
        self.start_with(name, uid, RunOptions::new())
    }

    /// The same, with options. With a [key](RunOptions::key) that a run of the system task has already, nothing is
    /// started: it gives a guard of that run.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start); [`TooLong`](crate::Error::TooLong) or [`Invalid`](crate::Error::Invalid) for the
    /// description or the key; [`OutOfRange`](crate::Error::OutOfRange) for an expiry after more than 292 years.
    pub fn start_with(
        &self,
        name: impl Into<String>,
        uid: Option<&str>,
        options: RunOptions,
    ) -> Result<RunningSystemTask> {
        let (context, uid) = (self.store.context(), uid.map(str::to_owned));
        let start = operation::start(context, name.into(), uid, options, context.owner.clone())?;
        Ok(RunningSystemTask::new(self.store.clone(), self.store.write_owned(start)?))
    }

    /// Makes a system task known before it has run: until then it is listed with status unknown, and it never expires.
    /// Registering again sets the description.
    ///
    /// Nothing is registered if another system task of this name, with a uid, exists: its runs show it.
    ///
    /// # Errors
    ///
    /// [`TooLong`](crate::Error::TooLong) or [`Invalid`](crate::Error::Invalid) for the name or the description, and the
    /// [errors of writing](TaskStore#errors-of-writing).
    pub fn register(&self, name: impl Into<String>, description: impl Into<String>) -> Result<()> {
        let register = operation::register(self.store.context(), name.into(), description.into())?;
        self.store.database().write(register)
    }

    /// The uuid of the system task of this name and uid, if there is one: also of one whose first run is in progress, or
    /// was cut off, and which no list shows.
    ///
    /// # Errors
    ///
    /// The [errors of reading](TaskStore#errors-of-reading).
    ///
    /// # Example
    ///
    /// ```
    /// let store = taskstore::TaskStore::open_in_memory()?;
    /// let run = store.system_tasks().start("fetch_mail", Some("ann"))?;
    /// assert_eq!(store.system_tasks().find("fetch_mail", Some("ann"))?, Some(run.uuid()));
    /// assert_eq!(store.system_tasks().find("fetch_mail", None)?, None);
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    pub fn find(&self, name: &str, uid: Option<&str>) -> Result<Option<Uuid>> {
        let found = self.store.database().read(|read| sqlite::system_task::find(read, name, uid))?;
        Ok(found.map(|(_, uuid)| uuid))
    }

    /// One system task as the published API sees it.
    ///
    /// # Errors
    ///
    /// [`NoSuchSystemTask`](crate::Error::NoSuchSystemTask), also for one that has no finished run and was not
    /// registered; and the [errors of reading](TaskStore#errors-of-reading).
    pub fn retrieve(&self, uuid: Uuid) -> Result<SystemTask> {
        self.store.database().read(|read| sqlite::system_task::get(read, &SystemTaskFilter::new(), uuid))
    }

    /// One page of system tasks, without their events; one snapshot.
    ///
    /// In the default order a page costs the same wherever it lies and however many system tasks there are; any other
    /// order sorts those that the filter leaves. A walk by cursor is exact in the default order; in one by something that
    /// moves, such as the finish, each page is exact at its instant.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](crate::Error::OutOfRange) for the limit, [`InvalidCursor`](crate::Error::InvalidCursor), and the
    /// [errors of reading](TaskStore#errors-of-reading).
    pub fn list(&self, filter: &SystemTaskFilter) -> Result<Page<SystemTask>> {
        self.store.context().limits.check_page(filter.limit)?;
        self.store.database().read(|read| sqlite::system_task::list(read, filter))
    }

    /// One page by its number, as the published API has them: `filter.limit` rows a page, all of them counted. The
    /// filter's cursor is not heeded.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](crate::Error::OutOfRange) for the limit or for a page that there is not, and the
    /// [errors of reading](TaskStore#errors-of-reading).
    pub fn list_numbered(&self, filter: &SystemTaskFilter, number: PageNumber) -> Result<NumberedPage<SystemTask>> {
        self.store.context().limits.check_page(filter.limit)?;
        self.store.database().read(|read| sqlite::system_task::list_numbered(read, filter, number))
    }

    /// One page of the runs of a system task, newest first: also those in progress, and those that were interrupted.
    /// `after` is the [`next`](Page::next) of the page before.
    ///
    /// # Errors
    ///
    /// [`NoSuchSystemTask`](crate::Error::NoSuchSystemTask), [`OutOfRange`](crate::Error::OutOfRange) for the limit,
    /// [`InvalidCursor`](crate::Error::InvalidCursor), and the [errors of reading](TaskStore#errors-of-reading).
    pub fn history(&self, uuid: Uuid, after: Option<&Cursor>, limit: u32) -> Result<Page<Run>> {
        self.store.context().limits.check_page(limit)?;
        self.store.database().read(|read| sqlite::system_task::history(read, uuid, after, limit))
    }

    /// The events of a run behind `after` (0 for all), oldest first, at most `limit`. To follow a run, ask again with
    /// the last `seq`, after [`wait_for_change`](TaskStore::wait_for_change).
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Error::NotFound), [`OutOfRange`](crate::Error::OutOfRange) for the limit, and the
    /// [errors of reading](TaskStore#errors-of-reading).
    pub fn events(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<LoggedEvent>> {
        self.store.context().limits.check_page(limit)?;
        self.store.database().read(|read| sqlite::system_task::events(read, run, after, limit))
    }
}
