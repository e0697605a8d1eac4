//! The past of a task.

use std::marker::PhantomData;

use super::life::Life;
use super::stage::{Begun, Dismissed, Ended, InProgress, NotStarted};
use super::{Given, GivenError, Moment};
use crate::configuration::ConfigurationId;
use crate::task::{Level, NewTask, Outcome, Progress, TaskId};
use crate::{Batch, Result, sqlite};

/// The past of a task as it is told; from [`Given::task`]. `write` writes it, from the start on.
///
/// # Example
///
/// ```
/// use taskstore::testing::{ManualClock, given, options};
/// use taskstore::{Progress, TaskState};
///
/// let store = options(&ManualClock::at("2026-11-21T12:00:00Z".parse()?)).open_temporary()?;
/// let started = given(&store).task("Import").by("ann").key("import of 2026-11-20").started("-1d2h");
/// let told = started.message("-1d1h", "12 files").progress("-1d30m", Progress::new(7).of(12)).warn("-1d5m", "file 8 is empty");
/// let id = told.interrupted_with("-1d", "the machine was restarted").dismissed("-8h", "bob").restored("-7h").write()?;
/// assert_eq!(store.task(id)?.state(), TaskState::Interrupted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is written before `write`"]
pub struct GivenTask<'a, Stage> {
    given: Given<'a>,
    task: NewTask,
    life: Life<Act>,
    stage: PhantomData<Stage>,
}

/// What happens at a step.
#[derive(Debug)]
enum Act {
    Start,
    Message { key: Option<String>, level: Level, text: String },
    Progress(Progress),
    End(Outcome, String),
    Dismiss(String),
    Restore,
}

impl Act {
    fn run(&self, batch: &Batch<'_>, id: TaskId) -> Result<()> {
        match self {
            Self::Start => Ok(()),
            Self::Message { key: None, level, text } => batch.message(id, *level, text),
            Self::Message { key: Some(key), level, text } => batch.message_once(id, key, *level, text),
            Self::Progress(progress) => batch.progress(id, progress),
            Self::End(outcome, reason) => batch.end(id, *outcome, reason.clone()),
            Self::Dismiss(by) => batch.dismiss(id, by),
            Self::Restore => batch.restore(id),
        }
    }
}

impl<'a, Stage> GivenTask<'a, Stage> {
    fn step<Next>(mut self, name: &'static str, moment: impl Into<Moment>, act: Act) -> GivenTask<'a, Next> {
        self.life.push(name, moment, act);
        let Self { given, task, life, .. } = self;
        GivenTask { given, task, life, stage: PhantomData }
    }
}

impl<'a> GivenTask<'a, NotStarted> {
    pub(super) fn new(given: Given<'a>, title: String) -> Self {
        let life = Life::new(format!("task {title:?}"));
        Self { given, task: NewTask::new(title), life, stage: PhantomData }
    }

    /// The user who started it.
    pub fn by(mut self, user: impl Into<String>) -> Self {
        self.task.performed_by = user.into();
        self
    }

    /// What it relates to.
    pub fn configuration(mut self, id: ConfigurationId) -> Self {
        self.task.configuration = Some(id);
        self
    }

    /// The [key](NewTask::key) that it was started with.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.task.key = Some(key.into());
        self
    }

    /// When it started.
    pub fn started(self, moment: impl Into<Moment>) -> GivenTask<'a, InProgress> {
        self.step("started", moment, Act::Start)
    }
}

/// The methods that tell a message of one level.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident => $level:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub fn $name(self, moment: impl Into<Moment>, text: impl Into<String>) -> Self {
            self.step(stringify!($name), moment, Act::Message { key: None, level: Level::$level, text: text.into() })
        }
    )+};
}

impl<'a> GivenTask<'a, InProgress> {
    messages! {
        /// What it said, at level info.
        message => Info,
        /// What it said at level trace.
        trace => Trace,
        /// What it said at level debug.
        debug => Debug,
        /// What it said at level warn.
        warn => Warn,
        /// What it said at level error, which does not end it.
        error => Error,
    }

    /// What it said with a key, at any level; see [`TaskStore::message_once`](crate::TaskStore::message_once).
    pub fn message_once(
        self,
        moment: impl Into<Moment>,
        key: impl Into<String>,
        level: Level,
        text: impl Into<String>,
    ) -> Self {
        self.step("message_once", moment, Act::Message { key: Some(key.into()), level, text: text.into() })
    }

    /// How far it had come.
    pub fn progress(self, moment: impl Into<Moment>, progress: Progress) -> Self {
        self.step("progress", moment, Act::Progress(progress))
    }

    /// When it finished.
    pub fn finished(self, moment: impl Into<Moment>) -> GivenTask<'a, Ended> {
        self.step("finished", moment, Act::End(Outcome::Finished, String::new()))
    }

    /// When it failed, without a reason.
    pub fn failed(self, moment: impl Into<Moment>) -> GivenTask<'a, Ended> {
        self.step("failed", moment, Act::End(Outcome::Failed, String::new()))
    }

    /// When it failed and why, which is its last message, at level error.
    pub fn failed_with(self, moment: impl Into<Moment>, reason: impl Into<String>) -> GivenTask<'a, Ended> {
        self.step("failed_with", moment, Act::End(Outcome::Failed, reason.into()))
    }

    /// When it was interrupted, in the words of a guard that was dropped.
    pub fn interrupted(self, moment: impl Into<Moment>) -> GivenTask<'a, Ended> {
        self.step("interrupted", moment, Act::End(Outcome::Interrupted, "ended without finish or fail".to_owned()))
    }

    /// When it was interrupted and by what, which is its last message, at level error.
    pub fn interrupted_with(self, moment: impl Into<Moment>, reason: impl Into<String>) -> GivenTask<'a, Ended> {
        self.step("interrupted_with", moment, Act::End(Outcome::Interrupted, reason.into()))
    }
}

impl<'a> GivenTask<'a, Ended> {
    /// Who has put it away, just now.
    pub fn dismissed_by(self, user: impl Into<String>) -> GivenTask<'a, Dismissed> {
        self.step("dismissed_by", Moment::now(), Act::Dismiss(user.into()))
    }

    /// When it was put away, and by whom.
    pub fn dismissed(self, moment: impl Into<Moment>, by: impl Into<String>) -> GivenTask<'a, Dismissed> {
        self.step("dismissed", moment, Act::Dismiss(by.into()))
    }
}

impl<'a> GivenTask<'a, Dismissed> {
    /// When it was taken out again.
    pub fn restored(self, moment: impl Into<Moment>) -> GivenTask<'a, Ended> {
        self.step("restored", moment, Act::Restore)
    }
}

impl<Stage: Begun> GivenTask<'_, Stage> {
    /// Writes the task with all that was told of it, or nothing.
    ///
    /// # Errors
    ///
    /// Every [`GivenError`]: it names the step that is wrong.
    pub fn write(self) -> Result<TaskId, GivenError> {
        let Self { given, task, life, .. } = self;
        let times = life.times(given.now()?)?;
        let start = |batch: &Batch<'_>| {
            if let Some(key) = &task.key
                && batch.verb(|write| sqlite::task::of_key(write, key))?.is_some()
            {
                return Err(GivenError::KeyTaken { of: life.of.clone(), key: key.clone() });
            }
            batch.start_detached(task.clone()).map_err(|source| life.refused(0, source))
        };
        life.play(given, &times, start, |batch, id, act| act.run(batch, *id))
    }
}
