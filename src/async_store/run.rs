//! Work that is run as a task, or as a run of a system task.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use super::{AsyncRunningSystemTask, AsyncRunningTask, AsyncSystemTasks, AsyncTaskStore};
use crate::task::reason;
use crate::{NewTask, NotEnded, Result, RunError, RunOptions};

/// What is said of work whose future was dropped.
const CANCELLED: &str = "cancelled";

type WorkError = Box<dyn StdError + Send + Sync>;

impl AsyncTaskStore {
    /// Runs `work` as a task: `Ok` finishes it, `Err` fails it with the error's text and those of its sources.
    /// A panic is recorded as an interruption with the panic's text, and goes on. If the future of this call is dropped before
    /// `work` has ended, the task is recorded as interrupted: "cancelled".
    ///
    /// `work` runs where this future is polled; it gets the task behind an [`Arc`], so that it may hand it on to tasks of the
    /// runtime, and cannot end it. The error of `work` may be any that a `Box<dyn Error + Send + Sync>` takes.
    ///
    /// # Errors
    ///
    /// [`RunError`] tells a failure of the work from a failure to record it.
    ///
    /// # Panics
    ///
    /// If `work` panics, with what it panicked with.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::{AsyncTaskStore, NewTask, Outcome, TaskFilter};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = AsyncTaskStore::open_in_memory().await?;
    /// let work = store.run(NewTask::new("Count lines"), |task| async move {
    ///     task.info("reading").await?;
    ///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>("a\nb\n".lines().count())
    /// });
    /// assert_eq!(work.await?, 2);
    /// assert_eq!(store.list(&TaskFilter::new()).await?.items[0].outcome, Some(Outcome::Finished));
    /// # Ok(()) }
    /// ```
    pub async fn run<T, E, F>(
        &self,
        task: NewTask,
        work: impl FnOnce(Arc<AsyncRunningTask>) -> F,
    ) -> Result<T, RunError>
    where
        F: Future<Output = Result<T, E>>,
        E: Into<WorkError>,
    {
        let mut task = self.start_or(task, CANCELLED).await.map_err(|source| RunError::NotStarted { source })?;
        match done(task.unarmed(), work).await {
            Ok(Ok(value)) => {
                task.finish().await.map_err(|not_ended| RunError::NotFinished { source: not_ended.error })?;
                Ok(value)
            }
            Ok(Err(error)) => {
                let (source, reason) = self.failure(error);
                match task.fail(reason).await {
                    Ok(()) => Err(RunError::Work { source }),
                    Err(NotEnded { error, .. }) => Err(RunError::NotFailed { source, error }),
                }
            }
            Err(panic) => {
                task.interrupt(reason::of_panic(&*panic)).await;
                resume_unwind(panic)
            }
        }
    }

    fn failure(&self, error: impl Into<WorkError>) -> (WorkError, String) {
        let source = error.into();
        let reason = reason::cut(reason::of_error(&*source), self.store().context().limits.text_bytes_max);
        (source, reason)
    }
}

impl AsyncSystemTasks<'_> {
    /// Runs `work` as a run of a system task: `Ok` finishes it, `Err` ends it with status error and an event of the
    /// error's text and those of its sources. A panic is recorded as an interruption with its text, and goes on; so is it, as
    /// "cancelled", if the future of this call is dropped before `work` has ended.
    ///
    /// # Errors
    ///
    /// [`RunError`] tells a failure of the work from a failure to record it.
    ///
    /// # Panics
    ///
    /// If `work` panics, with what it panicked with.
    pub async fn run<T, E, F>(
        self,
        name: impl Into<String>,
        uid: Option<&str>,
        work: impl FnOnce(Arc<AsyncRunningSystemTask>) -> F,
    ) -> Result<T, RunError>
    where
        F: Future<Output = Result<T, E>>,
        E: Into<WorkError>,
    {
        self.run_with(name, uid, RunOptions::new(), work).await
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
    pub async fn run_with<T, E, F>(
        self,
        name: impl Into<String>,
        uid: Option<&str>,
        options: RunOptions,
        work: impl FnOnce(Arc<AsyncRunningSystemTask>) -> F,
    ) -> Result<T, RunError>
    where
        F: Future<Output = Result<T, E>>,
        E: Into<WorkError>,
    {
        let run = self.start_or(name.into(), uid, options, CANCELLED).await;
        let mut run = run.map_err(|source| RunError::NotStarted { source })?;
        match done(run.unarmed(), work).await {
            Ok(Ok(value)) => {
                run.finish().await.map_err(|not_ended| RunError::NotFinished { source: not_ended.error })?;
                Ok(value)
            }
            Ok(Err(error)) => {
                let (source, reason) = self.store.failure(error);
                match run.fail(reason).await {
                    Ok(()) => Err(RunError::Work { source }),
                    Err(NotEnded { error, .. }) => Err(RunError::NotFailed { source, error }),
                }
            }
            Err(panic) => {
                run.interrupt(reason::of_panic(&*panic)).await;
                resume_unwind(panic)
            }
        }
    }
}

/// Polls the work to its end, or its panic; it is gone by then. Its state is never seen again: a panic goes on.
async fn done<G, F: Future>(guard: G, work: impl FnOnce(Arc<G>) -> F) -> thread::Result<F::Output> {
    let guard = Arc::new(guard);
    // As long as the other one is here, the work cannot take the guard out, and end it.
    let shown = Arc::clone(&guard);
    let mut work = pin!(async { work(shown).await });
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}
