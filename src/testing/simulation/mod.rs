//! A living system, in virtual time.

mod act;
mod ids;
mod jobs;
mod pending;
mod plan;
mod random;
mod settings;
mod tasks;
mod words;
mod writing;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ManualClock;
use crate::{Clock, Result, TaskStore};
use pending::Pending;
use plan::Plan;
use settings::Settings;
use writing::time;

/// So many changes come in one transaction at most, but for those of the event that passes it.
const ACTS_MAX: usize = 500;

/// A system that works: people start tasks, which say how far they are, and finish, fail or are cut off; some are dismissed
/// later, and few of those restored. Background jobs run beside them, log, and expire. All of it follows from a seed.
///
/// It lives in virtual time, only while it is [run](Self::run_for), and writes what happens in that span at exactly its times, by
/// the store's own verbs. To pause it is to call nothing: what is in progress stays so, however long that takes, and goes on
/// with the next call. Running for an hour twice makes the same history as running for two hours once, to the last byte of
/// an [export](TaskStore::export); the same seed the same one, and another seed another. Should a later version of this crate
/// make another history of a seed, its change log says so.
///
/// It works on any store, also on one that others use: what they have ended, dismissed or deleted it lets be, and of theirs
/// it changes and deletes nothing. Where a background job has the name of a system task that is there, its runs are added to
/// that one. Give the store the simulation's [clock](Self::clock), so that for all others it is the same time.
///
/// Whatever a call answers, the next one goes on where the last left off, also behind
/// [`OutcomeUnknown`](crate::Error::OutcomeUnknown), or in a store that was opened behind a [crash](super::Fault::Crash): the
/// simulation then looks what is there, and each of its events is written once. Its tasks and runs have no owner, so no
/// [recovery](TaskStore::recover) interrupts them; [`settle`](Self::settle) does.
///
/// It is plain data: a clone goes its own way from there, with a clock of its own, and serde saves it over a restart. Save it
/// after each call, whatever that answers: one that was saved before a call knows nothing of what that wrote, and writes it
/// again, as after a process that was killed between a commit and the saving. What is saved is for the same version of this
/// crate.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use taskstore::OpenOptions;
/// use taskstore::testing::Simulation;
///
/// let mut simulation = Simulation::new(7).starting_at("2026-11-21T12:00:00Z".parse()?).tasks_per_hour(60);
/// let store = OpenOptions::new().clock(simulation.clock()).open_temporary()?;
///
/// simulation.run_for(&store, Duration::from_secs(30 * 60))?;
/// let half_past = store.counts(None)?;
/// assert_eq!(simulation.tasks_started(), 30);
///
/// simulation.run_for(&store, Duration::from_secs(30 * 60))?;
/// assert_eq!(simulation.now(), "2026-11-21T13:00:00Z".parse::<chrono::DateTime<chrono::Utc>>()?);
/// assert_ne!(store.counts(None)?, half_past);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct Simulation {
    saved: Saved,
    clock: ManualClock,
}

/// All but the clock, which shows the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Saved {
    seed: u64,
    settings: Settings,
    begins: DateTime<Utc>,
    /// Up to when all has happened, in nanoseconds from the beginning.
    now: u64,
    plan: Plan,
    pending: Pending,
}

impl Simulation {
    /// A system in which nothing has happened yet. It begins on 2026-01-05 at 08:00 UTC.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Saved {
            seed,
            settings: Settings::default(),
            begins: DateTime::from_timestamp_secs(1_767_600_000).unwrap_or_default(),
            now: 0,
            plan: Plan::new(seed),
            pending: Pending::default(),
        }
        .into()
    }

    /// Begins at another time, and is there at once; only before it has run.
    #[must_use]
    pub fn starting_at(mut self, time: DateTime<Utc>) -> Self {
        if self.saved.now == 0 {
            self.saved.begins = time;
            self.clock.set(time);
        }
        self
    }

    /// How many tasks start in an hour, 20 by default. They come at random, but one in each part of the hour of that length.
    ///
    /// This and what follows can be changed between two calls, and holds for what starts from then on;
    /// [`configurations`](Self::configurations) and [`system_tasks`](Self::system_tasks) are only looked at when the
    /// simulation begins.
    #[must_use]
    pub fn tasks_per_hour(mut self, tasks: u32) -> Self {
        self.saved.settings.tasks_per_hour = tasks;
        self
    }

    /// How many of a hundred tasks, and of a hundred runs, fail: 8 by default.
    #[must_use]
    pub fn failure_percent(mut self, percent: u32) -> Self {
        self.saved.settings.failure_percent = percent;
        self
    }

    /// How many of a hundred tasks, and of a hundred runs, are cut off: 2 by default.
    #[must_use]
    pub fn interruption_percent(mut self, percent: u32) -> Self {
        self.saved.settings.interruption_percent = percent;
        self
    }

    /// Who starts and dismisses tasks: ann, ben, carla, dmitri and eva by default.
    #[must_use]
    pub fn users(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.saved.settings.users = names.into_iter().map(Into::into).collect();
        self
    }

    /// What tasks are called; by default what their kinds are: backups, imports, upgrades.
    #[must_use]
    pub fn titles(mut self, titles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.saved.settings.titles = titles.into_iter().map(Into::into).collect();
        self
    }

    /// What tasks relate to, which is added to the store: production, staging and development by default.
    #[must_use]
    pub fn configurations(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.saved.settings.configurations = names.into_iter().map(Into::into).collect();
        self
    }

    /// Whether background jobs run, as they do by default. Then those of their runs that have expired are deleted every hour,
    /// by the simulation's time.
    #[must_use]
    pub fn system_tasks(mut self, run: bool) -> Self {
        self.saved.settings.system_tasks = run;
        self
    }

    /// A clock that shows the simulation's time, for [`OpenOptions::clock`](crate::OpenOptions::clock): up to when all was
    /// written. It moves when the simulation is run, and never back.
    #[must_use]
    pub fn clock(&self) -> ManualClock {
        self.clock.clone()
    }

    /// Up to when all has happened.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.saved.time()
    }

    /// How many tasks have started, also those that a call which failed has left to the next one to write.
    #[must_use]
    pub fn tasks_started(&self) -> u64 {
        self.saved.plan.tasks_started
    }

    /// How many tasks and runs are in progress, as far as the simulation knows.
    #[must_use]
    pub fn in_progress(&self) -> usize {
        self.saved.plan.tasks.len() + self.saved.plan.runs.len()
    }

    /// Writes what happens in the time from [now](Self::now) on, which has passed then. Beyond 584 years from the beginning no
    /// time passes.
    ///
    /// # Errors
    ///
    /// [`TooLong`](crate::Error::TooLong) or [`Invalid`](crate::Error::Invalid) for a name or title of your own: then nothing has
    /// happened, and with other ones the simulation runs on. [`TimeOutOfRange`](crate::Error::TimeOutOfRange). The
    /// [errors of writing](TaskStore#errors-of-writing), and behind [`OutcomeUnknown`](crate::Error::OutcomeUnknown) the
    /// [errors of reading](TaskStore#errors-of-reading): it writes some hundred changes in a transaction, and `now` stands at the
    /// end of the last transaction before the failure; the rest is left to the next call.
    pub fn run_for(&mut self, store: &TaskStore, time: Duration) -> Result<()> {
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.run(store, self.saved.now.saturating_add(time))
    }

    /// The same until then. If that has passed already, nothing happens.
    ///
    /// # Errors
    ///
    /// Those of [`run_for`](Self::run_for).
    pub fn run_until(&mut self, store: &TaskStore, time: DateTime<Utc>) -> Result<()> {
        let passes = (time - self.saved.begins).to_std().unwrap_or_default();
        self.run(store, u64::try_from(passes.as_nanos()).unwrap_or(u64::MAX).max(self.saved.now))
    }

    /// Goes on to the next event: one task or one run does something, or what has expired is looked for. Gives its time.
    ///
    /// # Errors
    ///
    /// Those of [`run_for`](Self::run_for).
    pub fn step(&mut self, store: &TaskStore) -> Result<DateTime<Utc>> {
        self.run(store, self.saved.plan.next().unwrap_or(self.saved.now))?;
        Ok(self.now())
    }

    /// Interrupts all that is in progress, at the simulation's time: nothing of it is left running. It can be run again then.
    ///
    /// # Errors
    ///
    /// Those of [`run_for`](Self::run_for).
    pub fn settle(&mut self, store: &TaskStore) -> Result<()> {
        self.write(store)?;
        let Saved { plan, pending, now, .. } = &mut self.saved;
        plan.settle(*now, pending);
        self.write(store)
    }

    fn run(&mut self, store: &TaskStore, until: u64) -> Result<()> {
        self.saved.settings.check(&store.context().limits)?;
        loop {
            self.write(store)?;
            let Saved { plan, pending, settings, .. } = &mut self.saved;
            while pending.len() < ACTS_MAX && plan.go_on(until, settings, pending) {}
            if pending.len() == 0 {
                break;
            }
        }
        self.pass(until);
        Ok(())
    }

    fn write(&mut self, store: &TaskStore) -> Result<()> {
        let last = self.saved.pending.last();
        self.saved.pending.write(store, self.saved.begins, self.saved.seed)?;
        self.pass(last.unwrap_or(0));
        Ok(())
    }

    /// It is so late now. Who has moved the clock further finds it there.
    fn pass(&mut self, at: u64) {
        self.saved.now = self.saved.now.max(at);
        let ahead = self.saved.time() - self.clock.now();
        self.clock.advance(ahead.to_std().unwrap_or_default());
    }
}

impl Saved {
    fn time(&self) -> DateTime<Utc> {
        time(self.begins, self.now)
    }
}

impl From<Saved> for Simulation {
    fn from(saved: Saved) -> Self {
        let clock = ManualClock::at(saved.begins);
        clock.advance(Duration::from_nanos(saved.now));
        Self { saved, clock }
    }
}

impl From<Simulation> for Saved {
    fn from(simulation: Simulation) -> Self {
        simulation.saved
    }
}

impl Clone for Simulation {
    fn clone(&self) -> Self {
        self.saved.clone().into()
    }
}
