//! Pasts that are written into a store: builders that tell what happened when, and have the store's own verbs do it, each
//! at its time.

mod error;
mod life;
mod moment;
mod run;
mod system_task;
mod task;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use error::GivenError;
pub use moment::Moment;
pub use run::GivenRun;
pub(super) use run::end as end_run;
pub use system_task::{GivenRegistration, GivenSystemTask};
pub use task::GivenTask;

use super::ManualClock;
use crate::store::Context;
use crate::{Batch, TaskStore};

/// How far the past of a task or a run has been told: what can be said next is a matter of types.
pub mod stage {
    /// It has a name, and no start.
    #[derive(Debug)]
    pub enum NotStarted {}

    /// It has started, and may say something or end.
    #[derive(Debug)]
    pub enum InProgress {}

    /// It has ended, and may be dismissed.
    #[derive(Debug)]
    pub enum Ended {}

    /// It was dismissed, and may be restored.
    #[derive(Debug)]
    pub enum Dismissed {}

    /// What can be written: all but [`NotStarted`].
    pub trait Begun: sealed::Sealed {}

    impl Begun for InProgress {}
    impl Begun for Ended {}
    impl Begun for Dismissed {}

    mod sealed {
        pub trait Sealed {}

        impl Sealed for super::InProgress {}
        impl Sealed for super::Ended {}
        impl Sealed for super::Dismissed {}
    }
}

/// Begins to tell what has happened in this store: [`Given::task`] and [`Given::system_task`].
///
/// Each builder ends with `write`, which writes all of it or nothing, through the store's own verbs: every rule and limit
/// holds, and nothing tells it from what has really happened. Times are [`Moment`]s: `"-2h"` before the store's clock, or
/// absolute. Within a task or a run they must not go back, and none of what happened lies behind the store's clock. It works on
/// any store, whatever is in it, also on one with the clock of the machine.
///
/// Ids follow the order of the writing, not the times: so tell first what began first. What is in progress has no owner, as
/// after [`start_detached`](TaskStore::start_detached).
///
/// Inside a [`batch`](TaskStore::batch), with `given(batch)`, many are written at once: all of them or none, if the batch
/// ends with the first error.
///
/// # Example
///
/// ```
/// use taskstore::testing::{GivenError, ManualClock, given, options};
/// use taskstore::{Progress, TaskFilter};
///
/// let store = options(&ManualClock::at("2026-11-21T12:00:00Z".parse()?)).open_temporary()?;
/// let id = given(&store).task("Deploy").by("ann").started("-2h").warn("-1h", "slow").finished("-5m").write()?;
/// assert_eq!(store.task(id)?.started, "2026-11-21T10:00:00Z".parse::<chrono::DateTime<chrono::Utc>>()?);
///
/// store.batch(|batch| {
///     for number in 1..=50 {
///         let started = given(batch).task(format!("Part {number}")).started("2026-11-21T11:00:00Z");
///         started.progress("-1m", Progress::new(number).of(50)).write()?;
///     }
///     Ok::<_, GivenError>(())
/// })?;
/// assert_eq!(store.list(&TaskFilter::new())?.items.len(), 51);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn given<'a>(store: impl Into<Given<'a>>) -> Given<'a> {
    store.into()
}

/// Where a past is written; from [`given`].
#[derive(Clone, Copy)]
pub struct Given<'a>(Place<'a>);

#[derive(Clone, Copy)]
enum Place<'a> {
    Store(&'a TaskStore),
    Batch(&'a Batch<'a>),
}

impl fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given")
    }
}

impl<'a> From<&'a TaskStore> for Given<'a> {
    fn from(store: &'a TaskStore) -> Self {
        Self(Place::Store(store))
    }
}

impl<'a> From<&'a Batch<'a>> for Given<'a> {
    fn from(batch: &'a Batch<'a>) -> Self {
        Self(Place::Batch(batch))
    }
}

impl<'a> Given<'a> {
    /// Begins the past of a task.
    pub fn task(self, title: impl Into<String>) -> GivenTask<'a, stage::NotStarted> {
        GivenTask::new(self, title.into())
    }

    /// Begins the past of a system task.
    pub fn system_task(self, name: impl Into<String>) -> GivenSystemTask<'a> {
        GivenSystemTask::new(self, name.into())
    }

    fn context(self) -> &'a Context {
        match self.0 {
            Place::Store(store) => store.context(),
            Place::Batch(batch) => batch.context(),
        }
    }

    fn now(self) -> Result<DateTime<Utc>, GivenError> {
        Ok(self.context().now_ns().map(DateTime::from_timestamp_nanos)?)
    }

    /// A batch whose times come from this clock.
    fn batch<T>(
        self,
        clock: &ManualClock,
        work: impl FnOnce(&Batch<'_>) -> Result<T, GivenError>,
    ) -> Result<T, GivenError> {
        let context = self.context().by_clock(Arc::new(clock.clone()));
        match self.0 {
            Place::Store(store) => store.batch(|batch| work(&batch.in_context(&context))),
            Place::Batch(batch) => work(&batch.in_context(&context)),
        }
    }
}
