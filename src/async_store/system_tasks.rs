//! The verbs of system tasks.

use uuid::Uuid;

use super::AsyncTaskStore;
use crate::system_task::operation;
use crate::{Cursor, LoggedEvent, NumberedPage, Page, PageNumber, Result, Run, RunId, SystemTask, SystemTaskFilter};

/// The verbs of system tasks; from [`AsyncTaskStore::system_tasks`].
///
/// # Example
///
/// ```
/// use taskstore::{AsyncTaskStore, SystemTaskStatus};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), taskstore::Error> {
/// let store = AsyncTaskStore::open_in_memory().await?;
/// let run = store.system_tasks().start("fetch_mail", None).await?;
/// run.warning("the server is slow", serde_json::json!({"ms": 900})).await?;
/// let uuid = run.uuid();
/// run.finish().await?;
/// assert_eq!(store.system_tasks().retrieve(uuid).await?.status(), SystemTaskStatus::Successful);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AsyncSystemTasks<'a> {
    pub(super) store: &'a AsyncTaskStore,
}

impl AsyncTaskStore {
    /// The verbs of system tasks.
    #[must_use]
    pub fn system_tasks(&self) -> AsyncSystemTasks<'_> {
        AsyncSystemTasks { store: self }
    }
}

impl AsyncSystemTasks<'_> {
    /// See [`SystemTasks::register`](crate::SystemTasks::register).
    ///
    /// # Errors
    ///
    /// Those of [`SystemTasks::register`](crate::SystemTasks::register).
    pub async fn register(self, name: impl Into<String>, description: impl Into<String>) -> Result<()> {
        self.store.write(operation::register(self.store.store().context(), name.into(), description.into())?).await
    }

    /// See [`SystemTasks::find`](crate::SystemTasks::find).
    ///
    /// # Errors
    ///
    /// Those of [`SystemTasks::find`](crate::SystemTasks::find).
    pub async fn find(self, name: &str, uid: Option<&str>) -> Result<Option<Uuid>> {
        let (name, uid) = (name.to_owned(), uid.map(str::to_owned));
        self.store.call(move |store| store.system_tasks().find(&name, uid.as_deref())).await
    }

    /// See [`SystemTasks::retrieve`](crate::SystemTasks::retrieve).
    ///
    /// # Errors
    ///
    /// Those of [`SystemTasks::retrieve`](crate::SystemTasks::retrieve).
    pub async fn retrieve(self, uuid: Uuid) -> Result<SystemTask> {
        self.store.call(move |store| store.system_tasks().retrieve(uuid)).await
    }

    /// See [`SystemTasks::list`](crate::SystemTasks::list).
    ///
    /// # Errors
    ///
    /// Those of [`SystemTasks::list`](crate::SystemTasks::list).
    pub async fn list(self, filter: &SystemTaskFilter) -> Result<Page<SystemTask>> {
        let filter = filter.clone();
        self.store.call(move |store| store.system_tasks().list(&filter)).await
    }

    /// See [`SystemTasks::list_numbered`](crate::SystemTasks::list_numbered).
    ///
    /// # Errors
    ///
    /// Those of [`SystemTasks::list_numbered`](crate::SystemTasks::list_numbered).
    pub async fn list_numbered(
        self,
        filter: &SystemTaskFilter,
        number: PageNumber,
    ) -> Result<NumberedPage<SystemTask>> {
        let filter = filter.clone();
        self.store.call(move |store| store.system_tasks().list_numbered(&filter, number)).await
    }

    /// See [`SystemTasks::history`](crate::SystemTasks::history).
    ///
    /// # Errors
    ///
    /// Those of [`SystemTasks::history`](crate::SystemTasks::history).
    pub async fn history(self, uuid: Uuid, after: Option<&Cursor>, limit: u32) -> Result<Page<Run>> {
        let after = after.cloned();
        self.store.call(move |store| store.system_tasks().history(uuid, after.as_ref(), limit)).await
    }

    /// See [`SystemTasks::events`](crate::SystemTasks::events).
    ///
    /// # Errors
    ///
    /// Those of [`SystemTasks::events`](crate::SystemTasks::events).
    pub async fn events(self, run: RunId, after: u64, limit: u32) -> Result<Vec<LoggedEvent>> {
        self.store.call(move |store| store.system_tasks().events(run, after, limit)).await
    }
}
