//! The verbs of tasks.

use super::{AsyncTaskStore, pool};
use crate::task::operation;
use crate::{
    ConfigurationId, Error, Level, Message, NewTask, Outcome, Page, Progress, Result, Task, TaskCounts, TaskFilter,
    TaskId, TaskStore, TaskWithMessages,
};

impl AsyncTaskStore {
    /// See [`TaskStore::start_detached`](crate::TaskStore::start_detached).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::start_detached`](crate::TaskStore::start_detached).
    pub async fn start_detached(&self, task: NewTask) -> Result<TaskId> {
        self.write(operation::start(self.store().context(), task, None)?).await
    }

    /// See [`TaskStore::message`](crate::TaskStore::message).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message`](crate::TaskStore::message).
    pub async fn message(&self, id: TaskId, level: Level, text: impl Into<String>) -> Result<()> {
        self.write(operation::message(self.store().context(), id, None, level, text.into())?).await
    }

    /// See [`TaskStore::message_once`](crate::TaskStore::message_once).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::message_once`](crate::TaskStore::message_once).
    pub async fn message_once(
        &self,
        id: TaskId,
        key: impl Into<String>,
        level: Level,
        text: impl Into<String>,
    ) -> Result<()> {
        self.write(operation::message(self.store().context(), id, Some(key.into()), level, text.into())?).await
    }

    /// See [`TaskStore::progress`](crate::TaskStore::progress). Where it is only kept in memory, which is all but once a second
    /// for each task, it is done at the first poll, and no other thread has to do with it.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::progress`](crate::TaskStore::progress).
    pub async fn progress(&self, id: TaskId, progress: &Progress) -> Result<()> {
        let Some(due) = self.store().keep_progress(id, progress)? else { return Ok(()) };
        let (store, call, tidy) = (self.store().clone(), due.call, due.tidy);
        let settle = move |answer: Result<()>| {
            store.context().kept_progress.settle(id, call, &answer);
            if tidy {
                pool::in_any_case(move || store.tidy_progress());
            }
            answer
        };
        self.write_and(operation::due_progress(self.store().context(), id, due), settle).await
    }

    /// See [`TaskStore::finish`](crate::TaskStore::finish).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::finish`](crate::TaskStore::finish).
    pub async fn finish(&self, id: TaskId) -> Result<()> {
        self.end(id, Outcome::Finished, String::new(), |_, _| ()).await
    }

    /// See [`TaskStore::fail`](crate::TaskStore::fail).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::fail`](crate::TaskStore::fail).
    pub async fn fail(&self, id: TaskId, reason: impl Into<String>) -> Result<()> {
        self.end(id, Outcome::Failed, reason.into(), |_, _| ()).await
    }

    /// Ends a task. `refused` is told of an error.
    pub(super) async fn end(
        &self,
        id: TaskId,
        outcome: Outcome,
        reason: String,
        refused: fn(&TaskStore, &Error),
    ) -> Result<()> {
        let (operation, store) = (operation::end(self.store().context(), id, outcome, reason)?, self.store().clone());
        let ended = move |answer: Result<()>| {
            store.forget_ended(id, &answer);
            answer.inspect_err(|error| refused(&store, error))
        };
        self.write_and(operation, ended).await
    }

    /// See [`TaskStore::dismiss`](crate::TaskStore::dismiss).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::dismiss`](crate::TaskStore::dismiss).
    pub async fn dismiss(&self, id: TaskId, by: impl Into<String>) -> Result<()> {
        self.write(operation::dismiss(self.store().context(), id, by.into())?).await
    }

    /// See [`TaskStore::dismiss_all`](crate::TaskStore::dismiss_all).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::dismiss_all`](crate::TaskStore::dismiss_all).
    pub async fn dismiss_all(&self, configuration: Option<ConfigurationId>, by: impl Into<String>) -> Result<u64> {
        self.write(operation::dismiss_all(self.store().context(), configuration, by.into())?).await
    }

    /// See [`TaskStore::restore`](crate::TaskStore::restore).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::restore`](crate::TaskStore::restore).
    pub async fn restore(&self, id: TaskId) -> Result<()> {
        self.write(operation::restore(self.store().context(), id)?).await
    }

    /// See [`TaskStore::delete`](crate::TaskStore::delete).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::delete`](crate::TaskStore::delete).
    pub async fn delete(&self, id: TaskId) -> Result<()> {
        self.write(operation::delete(id)).await
    }

    /// See [`TaskStore::task`](crate::TaskStore::task).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::task`](crate::TaskStore::task).
    pub async fn task(&self, id: TaskId) -> Result<Task> {
        self.call(move |store| store.task(id)).await
    }

    /// See [`TaskStore::task_with_messages`](crate::TaskStore::task_with_messages).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::task_with_messages`](crate::TaskStore::task_with_messages).
    pub async fn task_with_messages(&self, id: TaskId) -> Result<TaskWithMessages> {
        self.call(move |store| store.task_with_messages(id)).await
    }

    /// See [`TaskStore::counts`](crate::TaskStore::counts).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::counts`](crate::TaskStore::counts).
    pub async fn counts(&self, configuration: Option<ConfigurationId>) -> Result<TaskCounts> {
        self.call(move |store| store.counts(configuration)).await
    }

    /// See [`TaskStore::messages`](crate::TaskStore::messages).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::messages`](crate::TaskStore::messages).
    pub async fn messages(&self, id: TaskId, after: u64, limit: u32) -> Result<Vec<Message>> {
        self.call(move |store| store.messages(id, after, limit)).await
    }

    /// See [`TaskStore::tail`](crate::TaskStore::tail).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::tail`](crate::TaskStore::tail).
    pub async fn tail(&self, id: TaskId, limit: u32) -> Result<Vec<Message>> {
        self.call(move |store| store.tail(id, limit)).await
    }

    /// See [`TaskStore::list`](crate::TaskStore::list).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::list`](crate::TaskStore::list).
    pub async fn list(&self, filter: &TaskFilter) -> Result<Page<Task>> {
        let filter = filter.clone();
        self.call(move |store| store.list(&filter)).await
    }

    /// See [`TaskStore::list_while`](crate::TaskStore::list_while). `go_on` is asked on a thread of the blocking pool.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::list_while`](crate::TaskStore::list_while).
    ///
    /// # Panics
    ///
    /// If `go_on` panics, with what it panicked with.
    pub async fn list_while(
        &self,
        filter: &TaskFilter,
        go_on: impl FnMut() -> bool + Send + 'static,
    ) -> Result<Page<Task>> {
        let filter = filter.clone();
        self.call(move |store| store.list_while(&filter, go_on)).await
    }

    /// See [`TaskStore::list_with_messages`](crate::TaskStore::list_with_messages).
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::list_with_messages`](crate::TaskStore::list_with_messages).
    pub async fn list_with_messages(&self, filter: &TaskFilter) -> Result<Page<TaskWithMessages>> {
        let filter = filter.clone();
        self.call(move |store| store.list_with_messages(&filter)).await
    }
}
