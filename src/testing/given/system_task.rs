//! The past of a system task: its registration, and its runs.

use uuid::Uuid;

use super::life::Life;
use super::stage::NotStarted;
use super::{Given, GivenError, GivenRun, Moment};
use crate::system_task::{RunOptions, full_name};
use crate::{Error, sqlite};

/// A system task of which something is told; from [`Given::system_task`].
///
/// # Example
///
/// ```
/// use taskstore::testing::{ManualClock, given, options};
/// use taskstore::{LogLevel, SystemTaskFilter, SystemTaskStatus};
///
/// let store = options(&ManualClock::at("2026-11-21T12:00:00Z".parse()?)).open_temporary()?;
/// let given = given(&store);
/// let started = given.system_task("ldap_sync").uid("eu").run().started("-1d");
/// let synced = started.log("-1d", LogLevel::Warning, "2 users have no mail").finished("-23h").expires("-1h").write()?;
/// let report = given.system_task("report").registered("-3d", "Writes the report").write()?;
///
/// assert_eq!(store.system_tasks().retrieve(synced.uuid())?.status(), SystemTaskStatus::Successful);
/// assert_eq!(store.system_tasks().retrieve(report)?.status(), SystemTaskStatus::Unknown);
/// assert_eq!(store.clean_expired()?.runs, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is written before `write`"]
pub struct GivenSystemTask<'a> {
    given: Given<'a>,
    name: String,
    uid: Option<String>,
}

impl<'a> GivenSystemTask<'a> {
    pub(super) fn new(given: Given<'a>, name: String) -> Self {
        Self { given, name, uid: None }
    }

    /// What tells it from others of its name.
    pub fn uid(self, uid: impl Into<String>) -> Self {
        Self { uid: Some(uid.into()), ..self }
    }

    /// Begins the past of a run, with the usual [`RunOptions`]: it is kept for 6 hours, and shown.
    pub fn run(self) -> GivenRun<'a, NotStarted> {
        self.run_with(RunOptions::new())
    }

    /// Begins the past of a run, with these options.
    pub fn run_with(self, options: RunOptions) -> GivenRun<'a, NotStarted> {
        let Self { given, name, uid } = self;
        GivenRun::new(given, name, uid, options)
    }

    /// When it was made known, and its description: it is listed with status unknown until a run of it has finished.
    pub fn registered(self, moment: impl Into<Moment>, description: impl Into<String>) -> GivenRegistration<'a> {
        let mut life = Life::new(format!("system task {:?}", full_name(&self.name, self.uid.as_deref())));
        life.push("registered", moment, ());
        GivenRegistration { system_task: self, description: description.into(), life }
    }
}

/// The registration of a system task; from [`GivenSystemTask::registered`].
#[derive(Debug)]
#[must_use = "nothing is written before `write`"]
pub struct GivenRegistration<'a> {
    system_task: GivenSystemTask<'a>,
    description: String,
    life: Life<()>,
}

impl GivenRegistration<'_> {
    /// Writes the registration, and gives the system task's uuid.
    ///
    /// # Errors
    ///
    /// Every [`GivenError`]; the store refuses a system task with a uid, and one of whose name there are others with a uid.
    pub fn write(self) -> Result<Uuid, GivenError> {
        let Self { system_task: GivenSystemTask { given, name, uid }, description, life } = self;
        let times = life.times(given.now()?)?;
        let refused = |field, problem| life.refused(0, Error::Invalid { field, problem });
        if uid.is_some() {
            return Err(refused("uid", "must not be given: only a system task without one is registered"));
        }
        let register = |batch: &crate::Batch<'_>| {
            let registered = batch.register_system_task(&name, &description);
            registered.map_err(|source| life.refused(0, source))?;
            let found = batch.verb(|write| sqlite::system_task::find(&write.read(), &name, None))?;
            let (_, uuid) = found.ok_or_else(|| refused("name", "is that of system tasks with a uid already"))?;
            Ok(uuid)
        };
        life.play(given, &times, register, |_, _, ()| Ok(()))
    }
}
