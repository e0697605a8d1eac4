//! The past of a run of a system task.

use std::marker::PhantomData;

use super::life::Life;
use super::stage::{Begun, Ended, InProgress, NotStarted};
use super::{Given, GivenError, Moment};
use crate::system_task::operation::Ending;
use crate::system_task::{LogEvent, LogLevel, RunOptions, StartedRun, SystemTaskStatus, full_name};
use crate::{Batch, Result, sqlite};

/// The past of a run as it is told; from [`GivenSystemTask::run`](super::GivenSystemTask::run). `write` writes it, from the
/// start on.
///
/// # Example
///
/// ```
/// use taskstore::testing::{ManualClock, assert_run, given, options};
/// use taskstore::{LogEvent, LogLevel, SystemTaskStatus};
///
/// let store = options(&ManualClock::at("2026-11-21T12:00:00Z".parse()?)).open_temporary()?;
/// let started = given(&store).system_task("backup").run().started("-3h");
/// let event = LogEvent::new(LogLevel::Info, "copied").attributes(serde_json::json!({"files": 7}))?;
/// let told = started.event("-2h30m", event).status("-2h", SystemTaskStatus::Warning, ["1 file was locked"]);
/// let run = told.finished("-2h").expires("+7d").write()?;
/// assert_run!(store, run.id(), warning within "1h", events ["copied", "1 file was locked"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is written before `write`"]
pub struct GivenRun<'a, Stage> {
    given: Given<'a>,
    name: String,
    uid: Option<String>,
    options: RunOptions,
    /// Instead of what the options say.
    expires: Option<Moment>,
    life: Life<Act>,
    stage: PhantomData<Stage>,
}

/// What happens at a step.
#[derive(Debug)]
enum Act {
    Start,
    Log(LogEvent),
    Status(SystemTaskStatus, Vec<String>),
    Finish,
    /// With status error, and no event.
    Fail,
    FailWith(String),
    Interrupt(String),
}

impl Act {
    fn run(&self, batch: &Batch<'_>, run: &StartedRun) -> Result<()> {
        match self {
            Self::Start => Ok(()),
            Self::Log(event) => batch.log(run, event.clone()),
            Self::Status(status, messages) => batch.set_status(run, *status, messages),
            Self::Finish => end(batch, run, Ending::Finished),
            Self::Fail => {
                batch.set_status(run, SystemTaskStatus::Error, [""; 0])?;
                end(batch, run, Ending::Finished)
            }
            Self::FailWith(reason) => end(batch, run, Ending::Failed(reason.clone())),
            Self::Interrupt(reason) => end(batch, run, Ending::Interrupted(reason.clone())),
        }
    }
}

/// Ends a run, maybe before the end of others that are in the store already: what such a one has left to be shown is
/// shown still.
pub(in crate::testing) fn end(batch: &Batch<'_>, run: &StartedRun, ending: Ending) -> Result<()> {
    let shown = batch.verb(|write| sqlite::system_task::shown(write, run.id))?;
    batch.end_run(run, ending)?;
    batch.verb(|write| sqlite::system_task::show_unless_last(write, run.id, shown))
}

impl<'a, Stage> GivenRun<'a, Stage> {
    fn step<Next>(mut self, step: &'static str, moment: impl Into<Moment>, act: Act) -> GivenRun<'a, Next> {
        self.life.push(step, moment, act);
        let Self { given, name, uid, options, expires, life, .. } = self;
        GivenRun { given, name, uid, options, expires, life, stage: PhantomData }
    }
}

impl<'a> GivenRun<'a, NotStarted> {
    pub(super) fn new(given: Given<'a>, name: String, uid: Option<String>, options: RunOptions) -> Self {
        let life = Life::new(format!("run of system task {:?}", full_name(&name, uid.as_deref())));
        Self { given, name, uid, options, expires: None, life, stage: PhantomData }
    }

    /// When it started.
    pub fn started(self, moment: impl Into<Moment>) -> GivenRun<'a, InProgress> {
        self.step("started", moment, Act::Start)
    }
}

impl<'a> GivenRun<'a, InProgress> {
    /// What it logged.
    pub fn log(self, moment: impl Into<Moment>, level: LogLevel, event: impl Into<String>) -> Self {
        self.step("log", moment, Act::Log(LogEvent::new(level, event)))
    }

    /// What it logged, with a logger, attributes or a key.
    pub fn event(self, moment: impl Into<Moment>, event: LogEvent) -> Self {
        self.step("event", moment, Act::Log(event))
    }

    /// The status that it set, and what it said with that; see
    /// [`set_status`](crate::RunningSystemTask::set_status).
    pub fn status(
        self,
        moment: impl Into<Moment>,
        status: SystemTaskStatus,
        messages: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.step("status", moment, Act::Status(status, messages.into_iter().map(Into::into).collect()))
    }

    /// When it ended, with the status that it set, or else as successful.
    pub fn finished(self, moment: impl Into<Moment>) -> GivenRun<'a, Ended> {
        self.step("finished", moment, Act::Finish)
    }

    /// When it ended with status error, without a reason.
    pub fn failed(self, moment: impl Into<Moment>) -> GivenRun<'a, Ended> {
        self.step("failed", moment, Act::Fail)
    }

    /// When it ended with status error and why, which is its last event.
    pub fn failed_with(self, moment: impl Into<Moment>, reason: impl Into<String>) -> GivenRun<'a, Ended> {
        self.step("failed_with", moment, Act::FailWith(reason.into()))
    }

    /// When it was interrupted, in the words of a guard that was dropped.
    pub fn interrupted(self, moment: impl Into<Moment>) -> GivenRun<'a, Ended> {
        self.step("interrupted", moment, Act::Interrupt("ended without finish".to_owned()))
    }

    /// When it was interrupted and by what, which is its last event.
    pub fn interrupted_with(self, moment: impl Into<Moment>, reason: impl Into<String>) -> GivenRun<'a, Ended> {
        self.step("interrupted_with", moment, Act::Interrupt(reason.into()))
    }
}

impl GivenRun<'_, Ended> {
    /// When it expires or expired, whatever its [`RunOptions`] say: not before its end, and maybe in the future (`"+6h"`).
    pub fn expires(self, moment: impl Into<Moment>) -> Self {
        Self { expires: Some(moment.into()), ..self }
    }
}

impl<Stage: Begun> GivenRun<'_, Stage> {
    /// Writes the run with all that was told of it, or nothing. Its system task shows the run that ended last, in whatever
    /// order they are written.
    ///
    /// One in progress is ended with what this gives, inside a [batch](crate::Batch::finish_run); its duration counts from its
    /// start, as it was told.
    ///
    /// # Errors
    ///
    /// Every [`GivenError`]: it names the step that is wrong.
    pub fn write(self) -> Result<StartedRun, GivenError> {
        let Self { given, name, uid, mut options, expires, life, .. } = self;
        let now = given.now()?;
        let times = life.times(now)?;
        if let (Some(expires), Some(end)) = (&expires, times.last()) {
            let expires = life.time(expires, || "expires".to_owned(), Some((life.last_step(), *end)), now)?;
            options.expires_after = (expires - *end).to_std().ok();
        }
        let start = |batch: &Batch<'_>| {
            if let Some(key) = &options.key
                && let Some((system_task, _)) =
                    batch.verb(|write| sqlite::system_task::find(&write.read(), &name, uid.as_deref()))?
                && batch.verb(|write| sqlite::system_task::run_of_key(write, system_task, key))?.is_some()
            {
                return Err(GivenError::KeyTaken { of: life.of.clone(), key: key.clone() });
            }
            let started = batch.start_run(&name, uid.as_deref(), options.clone());
            started.map_err(|source| life.refused(0, source))
        };
        let run = life.play(given, &times, start, |batch, run, act| act.run(batch, run))?;
        let ran_before = times.first().and_then(|started| (now - *started).to_std().ok()).unwrap_or_default();
        Ok(StartedRun { started: given.context().monotonic(), ran_before, ..run })
    }
}
