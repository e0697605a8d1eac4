//! The store in a tokio runtime: the same verbs, made on the runtime's blocking pool.

mod clerk;
mod configurations;
mod maintenance;
mod pool;
mod run;
mod running;
mod running_system_task;
mod system_tasks;
mod tasks;
mod waiters;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use self::clerk::Clerks;
use self::waiters::Waiters;
use crate::sqlite::Write;
use crate::task::DROP_PATIENCE;
use crate::{Batch, ChangeToken, Error, OpenOptions, Result, TaskStore};

pub use configurations::AsyncConfigurations;
pub use running::AsyncRunningTask;
pub use running_system_task::AsyncRunningSystemTask;
pub use system_tasks::AsyncSystemTasks;

/// A [`TaskStore`] for a program that runs on tokio: its verbs, by the same names, as futures. A clone is the same store.
///
/// There is no second store behind it. Each call is made with the `TaskStore` by a thread of the blocking pool of the runtime, so
/// that the threads of the runtime never wait for the disk or for other writers. [`store`](Self::store) gives that
/// `TaskStore`, for what has no future here (the streams of [`wire`](crate::wire)), and for threads; `From` makes the one of the
/// other, whatever options it was opened with. [`Progress`](Self::progress) that is only kept in memory needs no thread.
///
/// # Cancelling
///
/// A future that was never polled has done nothing. From the first poll on its call is made, wholly, whatever becomes of the
/// future: dropping it, or a `select!` or a timeout that does, undoes nothing and leaves nothing half-done; it only loses the
/// answer. What the answer was to hand over is let go then: a task that [`start`](Self::start) has started meanwhile is
/// recorded as interrupted, since nobody has its guard. A [key](crate::NewTask::key) makes asking again harmless.
///
/// A runtime that shuts down waits for the calls that have begun. One that still waits for a thread then is made wholly or not at
/// all; if it is not, it is [`NoRuntime`](Error::NoRuntime) to whoever still asks, as is a call that is polled outside of a
/// runtime. `Runtime::shutdown_background` waits for none: if the process exits before they end, each of them is written or
/// not, as in any crash.
///
/// A panic of the caller's own code, inside a [`batch`](Self::batch) for instance, goes on in the caller.
///
/// # Dropping
///
/// Dropping the last handle, or a guard, inside a runtime blocks nothing: the blocking pool does what is to be done, soon after.
/// To know when that is over, [`close`](Self::close). Outside of a runtime it is done at once, as for a `TaskStore`.
///
/// # How many at a time
///
/// The verbs that record something about a task, a run or a configuration are made by one thread of the blocking pool for all
/// futures of a runtime, in the order of their first polls, and those that wait at the same time in one transaction: so they
/// share their syncs, and any number of them may wait. The busy timeout of each begins with its first poll; where it has waited
/// that long before its turn has come, it still has a second, or the timeout if that is shorter. Where verbs follow each other
/// within 0.1 ms, that thread looks out for the next one so long.
///
/// Any other call has a thread of the pool as long as it takes: one that reads, the first start that the store answers for, a
/// [`batch`](Self::batch), and [`flush`](Self::flush), [`prune`](Self::prune), [`backup_to`](Self::backup_to) and their like.
/// There are 512 of them unless the runtime was built with another `max_blocking_threads`; further calls queue up, in the order
/// in which they came, and the busy timeout of one begins when it has its thread. Those who
/// [wait for a change](Self::wait_for_change) have one thread among them.
///
/// # Errors
///
/// Those of the verb of the same name on [`TaskStore`], and [`NoRuntime`](Error::NoRuntime).
///
/// # Example
///
/// ```
/// use taskstore::{AsyncTaskStore, NewTask, Outcome};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = AsyncTaskStore::open_temporary().await?;
/// let task = store.start(NewTask::new("Copy")).await?;
/// task.info("copying 2 files").await?;
/// let id = task.id();
/// task.finish().await?;
/// assert_eq!(store.task(id).await?.outcome, Some(Outcome::Finished));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct AsyncTaskStore {
    held: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    /// Always there, but while this is dropped.
    store: Option<TaskStore>,
    clerks: Clerks,
    waiters: Waiters,
}

impl Held {
    fn store(&self) -> &TaskStore {
        self.store.as_ref().expect("only `drop` takes the store out")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let store = self.store.take();
        pool::in_any_case(move || drop(store));
    }
}

impl From<TaskStore> for AsyncTaskStore {
    fn from(store: TaskStore) -> Self {
        Self { held: Arc::new(Held { store: Some(store), clerks: Clerks::default(), waiters: Waiters::default() }) }
    }
}

impl AsyncTaskStore {
    /// Opens a store with the default [`OpenOptions`]; see [`TaskStore::open`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::open`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, OpenOptions::new()).await
    }

    /// Opens a store with these options; see [`OpenOptions::open`].
    ///
    /// # Errors
    ///
    /// Those of [`OpenOptions::open`].
    pub async fn open_with(path: impl AsRef<Path>, options: OpenOptions) -> Result<Self> {
        let path = path.as_ref().to_owned();
        pool::call(move || Ok(options.open(path)?.into())).await
    }

    /// Opens an empty store in memory; see [`TaskStore::open_in_memory`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::open_in_memory`].
    pub async fn open_in_memory() -> Result<Self> {
        pool::call(|| Ok(TaskStore::open_in_memory()?.into())).await
    }

    /// Opens an empty store in a temporary file; see [`TaskStore::open_temporary`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::open_temporary`].
    pub async fn open_temporary() -> Result<Self> {
        pool::call(|| Ok(TaskStore::open_temporary()?.into())).await
    }

    /// The store itself. Its verbs wait in the thread that calls them.
    #[must_use]
    pub fn store(&self) -> &TaskStore {
        self.held.store()
    }

    /// See [`TaskStore::is_read_only`].
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.store().is_read_only()
    }

    /// Closes the store for all its clones; see [`TaskStore::close`]. A call that has not come to its turn by then is
    /// [`Closed`](Error::Closed), so await the others first.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::close`].
    pub async fn close(&self) -> Result<()> {
        self.call(TaskStore::close).await
    }

    /// See [`TaskStore::flush`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::flush`].
    pub async fn flush(&self) -> Result<()> {
        self.call(TaskStore::flush).await
    }

    /// Runs `work` in one transaction, on one thread of the blocking pool; see [`TaskStore::batch`]. Inside it there is nothing to
    /// await: the verbs of [`Batch`] are those of a thread.
    ///
    /// A batch that was begun is committed also if its future is dropped. `work` must not wait for a future that writes to the same
    /// store: that one is [`Busy`](Error::Busy) in the end, since it waits for the batch.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::batch`].
    ///
    /// # Panics
    ///
    /// If `work` panics, with what it panicked with. Nothing is written then.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{AsyncTaskStore, Error, Level, NewTask};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
    /// let store = AsyncTaskStore::open_in_memory().await?;
    /// let batch = store.batch(|batch| {
    ///     let id = batch.start_detached(NewTask::new("Import"))?;
    ///     batch.message(id, Level::Info, "12 files")?;
    ///     batch.finish(id)?;
    ///     Ok::<_, Error>(id)
    /// });
    /// assert_eq!(store.task(batch.await?).await?.message_count, 1);
    /// # Ok(()) }
    /// ```
    pub async fn batch<T, E>(&self, work: impl FnOnce(&Batch<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.call(|store| store.batch(work)).await
    }

    /// See [`TaskStore::change_token`].
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::change_token`].
    pub async fn change_token(&self) -> Result<ChangeToken> {
        self.call(TaskStore::change_token).await
    }

    /// Waits until something was committed since `since` was taken; see [`TaskStore::wait_for_change`].
    ///
    /// Any number may wait: one thread of the blocking pool looks for all of them, and is free again 50 ms after the last has
    /// gone. Where nothing changes the answer may come 50 ms after `timeout`, of which no timer of the runtime is used.
    ///
    /// # Errors
    ///
    /// Those of [`TaskStore::wait_for_change`].
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskstore::{AsyncTaskStore, NewTask, TaskFilter};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), taskstore::Error> {
    /// let store = AsyncTaskStore::open_temporary().await?;
    /// let other = store.clone();
    /// tokio::spawn(async move { other.start_detached(NewTask::new("Copy")).await });
    ///
    /// let mut token = store.change_token().await?; // before the first reading
    /// while store.list(&TaskFilter::new()).await?.items.is_empty() {
    ///     if let Some(new) = store.wait_for_change(token, Duration::from_secs(10)).await? {
    ///         token = new; // taken before the next reading
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn wait_for_change(&self, since: ChangeToken, timeout: Duration) -> Result<Option<ChangeToken>> {
        self.held.waiters.wait(self, since, timeout).await
    }

    /// Makes a call that writes, together with those of other futures.
    async fn write<T: Send + 'static>(
        &self,
        operation: impl Fn(&Write<'_>) -> Result<T> + Send + Sync + 'static,
    ) -> Result<T> {
        self.write_and(operation, |answer| answer).await
    }

    /// The same, and what is to be done with its answer before that is handed over, also if nobody takes it any more.
    async fn write_and<T: Send + 'static, A: Send + 'static>(
        &self,
        operation: impl Fn(&Write<'_>) -> Result<T> + Send + Sync + 'static,
        and: impl FnOnce(Result<T>) -> Result<A> + Send + 'static,
    ) -> Result<A> {
        let (answer, answered) = oneshot::channel();
        self.leave(Duration::MAX, operation, move |written| drop(answer.send(and(written))))?;
        answered.await.expect("whoever lets go of a call answers it")
    }

    /// Makes a call by which this store no longer answers for something; see [`TaskStore::write_detached`].
    async fn write_detached(
        &self,
        operation: impl Fn(&Write<'_>, i64) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        match self.store().detached(operation) {
            None => self.store().database().refuse_inside(),
            Some(detach) => self.write(detach).await,
        }
    }

    /// Has the last call of a guard made, behind those that it has left before: from now on, whether or not what this gives is
    /// waited for. `and` gets its answer; there is nobody left to tell of a failure.
    fn write_last<O: Fn(&Write<'_>) -> Result<()> + Send + Sync + 'static, A: FnOnce(Result<()>) + Send + 'static>(
        &self,
        operation: Result<O>,
        and: A,
    ) -> impl Future<Output = ()> + use<O, A> {
        let (answer, answered) = oneshot::channel();
        let tell = move |written| {
            and(written);
            let _ = answer.send(());
        };
        // Where it is not even left, `answer` goes.
        let _ = operation.and_then(|operation| self.leave(DROP_PATIENCE, operation, tell));
        async { drop(answered.await) }
    }

    fn leave<T: Send + 'static>(
        &self,
        patience: Duration,
        operation: impl Fn(&Write<'_>) -> Result<T> + Send + Sync + 'static,
        answered: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Result<()> {
        let call = self.store().database().deferred(patience, operation, answered)?;
        self.held.clerks.leave(self.store(), call);
        Ok(())
    }

    /// Makes a call that starts something which this store is to answer for.
    async fn write_owned<T: Send + 'static, A: Send + 'static>(
        &self,
        operation: impl Fn(&Write<'_>) -> Result<T> + Send + Sync + 'static,
        and: impl FnOnce(T) -> A + Send + 'static,
    ) -> Result<A> {
        if self.store().is_ready_to_own() {
            return self.write_and(operation, |answer| answer.map(and)).await;
        }
        self.call(|store| store.write_owned(operation).map(and)).await
    }

    /// Makes a call on the blocking pool.
    async fn call<T, E>(&self, call: impl FnOnce(&TaskStore) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let store = self.store().clone();
        pool::call(move || call(&store)).await
    }
}
