//! The writing of what happens, inside a batch.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::{Builder, Uuid};

use super::act::{Act, What};
use super::ids::{IdChanges, Ids, KeptRun, KnownRun};
use super::pending::Mark;
use super::random::Random;
use crate::configuration::ConfigurationId;
use crate::system_task::operation::Ending;
use crate::system_task::{LogEvent, RunOptions, StartedRun};
use crate::task::{NewTask, TaskId};
use crate::testing::{ManualClock, given};
use crate::{Batch, Error, Result, sqlite};

/// Inside a batch.
pub(super) struct Writing<'a> {
    pub(super) batch: &'a Batch<'a>,
    pub(super) clock: &'a ManualClock,
    pub(super) begins: DateTime<Utc>,
    /// What the clock shows, from the beginning.
    pub(super) at: u64,
    /// Whose uuid comes next.
    pub(super) identity: &'a AtomicU64,
    /// From before the batch.
    pub(super) known: &'a Ids,
    pub(super) changes: IdChanges,
    pub(super) mark: Option<Mark>,
}

impl Writing<'_> {
    pub(super) fn act(&mut self, act: &Act) -> Result<()> {
        self.clock.advance(Duration::from_nanos(act.at.saturating_sub(self.at)));
        self.at = self.at.max(act.at);
        match self.perform(&act.what) {
            // Others work in the store, too: they may have ended the task, dismissed or deleted it.
            Err(Error::NotFound { .. } | Error::WrongState { .. } | Error::RunEnded { .. }) => Ok(()),
            done => done,
        }
    }

    fn perform(&mut self, what: &What) -> Result<()> {
        match what {
            What::AddConfiguration { name } => {
                let id = self.batch.add_configuration(name)?;
                self.changes.new.configurations.push(id);
                self.set_mark(Mark::Configuration { id, name: name.clone() });
            }
            What::Register { name, description } => {
                if !self.is_known(name, None)? {
                    self.next_uuid(name, None);
                    self.batch.register_system_task(name, description)?;
                }
            }
            What::Start { task, title, by, configuration } => {
                let new = NewTask::new(title).performed_by(by);
                let id = match configuration.and_then(|number| self.configuration(number)) {
                    None => self.batch.start_detached(new)?,
                    Some(id) => match self.batch.start_detached(new.clone().configuration(id)) {
                        // It was deleted.
                        Err(Error::NotFound { .. }) => self.batch.start_detached(new)?,
                        started => started?,
                    },
                };
                self.changes.new.tasks.insert(*task, id);
                self.set_mark(Mark::Started { id, started: self.time(), title: title.clone() });
            }
            What::Message { task, level, text } => {
                self.act_on_task(*task, false, |batch, id| batch.message(id, *level, text))?
            }
            What::Progress { task, progress } => {
                self.act_on_task(*task, false, |batch, id| batch.progress(id, progress))?
            }
            What::End { task, outcome, reason } => {
                self.act_on_task(*task, true, |batch, id| batch.end(id, *outcome, reason.clone()))?;
            }
            What::Dismiss { task, by } => self.act_on_task(*task, true, |batch, id| batch.dismiss(id, by))?,
            What::Restore { task } => self.act_on_task(*task, true, |batch, id| batch.restore(id))?,
            What::Forget { task } => self.changes.forgotten_tasks.push(*task),
            What::StartRun { run, name, uid, description, kept } => {
                self.next_uuid(name, uid.as_deref());
                let mut options = RunOptions::new().expires_after(*kept);
                if !self.is_known(name, uid.as_deref())? {
                    options = options.description(description);
                }
                let started = self.batch.start_run(name, uid.as_deref(), options)?;
                let (id, uuid) = (started.id, started.uuid);
                let known = KnownRun { id, uuid, name: name.clone(), started: self.at, events: 0 };
                self.set_mark(Mark::Run { uuid, id, started: self.time(), events: 0, ended: false });
                self.changes.new.runs.insert(*run, known);
                let until = self.at.saturating_add(u64::try_from(kept.as_nanos()).unwrap_or(u64::MAX));
                self.changes.new.kept.insert(*run, KeptRun { id, until });
            }
            What::Log { run, level, event, counted } => {
                let counted: BTreeMap<_, _> = counted.iter().map(|(name, count)| (name, count)).collect();
                let event = LogEvent::new(*level, event).attributes(counted)?;
                self.act_on_run(*run, 1, false, |batch, run| batch.log(run, event))?;
            }
            What::Status { run, status } => {
                self.act_on_run(*run, 0, false, |batch, run| batch.set_status(run, *status, [""; 0]))?;
            }
            What::EndRun { run, interrupted } => {
                let ending = interrupted.clone().map_or(Ending::Finished, Ending::Interrupted);
                let events = interrupted.iter().map(|_| 1).sum();
                let ended = self.act_on_run(*run, events, true, |batch, run| given::end_run(batch, run, ending));
                self.changes.forgotten_runs.push(*run);
                ended?;
            }
            What::CleanExpired => self.clean_expired()?,
        }
        Ok(())
    }

    /// Deletes those of the simulation's own runs that have expired; what expires of others is not its to delete.
    fn clean_expired(&mut self) -> Result<()> {
        let now_ns = self.batch.context().now_ns()?;
        let known = self.known.kept.iter().filter(|(run, _)| !self.changes.gone_runs.contains(run));
        let due = known.chain(&self.changes.new.kept).filter(|(_, kept)| kept.until <= self.at);
        let due: Vec<_> = due.map(|(run, kept)| (*run, kept.id)).collect();
        for (run, id) in due {
            if self.batch.verb(|write| sqlite::system_task::clean_run(write, id, now_ns))? {
                self.changes.gone_runs.push(run);
            }
        }
        Ok(())
    }

    fn is_known(&self, name: &str, uid: Option<&str>) -> Result<bool> {
        self.batch.verb(|write| Ok(sqlite::system_task::find(&write.read(), name, uid)?.is_some()))
    }

    fn configuration(&self, number: usize) -> Option<ConfigurationId> {
        self.known.configurations.iter().chain(&self.changes.new.configurations).nth(number).copied()
    }

    /// One that is not known any more, or was never started, stays as it is.
    fn act_on_task(&mut self, task: u64, ends: bool, act: impl FnOnce(&Batch<'_>, TaskId) -> Result<()>) -> Result<()> {
        let known = self.changes.new.tasks.get(&task).or_else(|| self.known.tasks.get(&task));
        let Some(id) = known.copied() else { return Ok(()) };
        act(self.batch, id)?;
        self.mark_task(id, ends);
        Ok(())
    }

    fn mark_task(&mut self, id: TaskId, ended: bool) {
        self.set_mark(Mark::Task { id, updated: self.time(), ended });
    }

    /// The start of a task is the best mark: nobody else can change it.
    fn set_mark(&mut self, mark: Mark) {
        if !matches!(self.mark, Some(Mark::Started { .. })) {
            self.mark = Some(mark);
        }
    }

    fn time(&self) -> DateTime<Utc> {
        time(self.begins, self.at)
    }

    fn act_on_run(
        &mut self,
        run: u64,
        events: u64,
        ended: bool,
        act: impl FnOnce(&Batch<'_>, &StartedRun) -> Result<()>,
    ) -> Result<()> {
        let runs = &mut self.changes.new.runs;
        if let (false, Some(known)) = (runs.contains_key(&run), self.known.runs.get(&run)) {
            runs.insert(run, known.clone());
        }
        let Some(run) = runs.get_mut(&run) else { return Ok(()) };
        act(self.batch, &run.started())?;
        run.events += events;
        let started = time(self.begins, run.started);
        let mark = Mark::Run { uuid: run.uuid, id: run.id, started, events: run.events, ended };
        self.set_mark(mark);
        Ok(())
    }

    /// Should the system task be new.
    fn next_uuid(&self, name: &str, uid: Option<&str>) {
        let bytes = name.bytes().chain([0]).chain(uid.unwrap_or_default().bytes());
        let identity = bytes.fold(0, |hash: u64, byte| Random::new(hash.wrapping_add(byte.into())).next());
        self.identity.store(identity, Ordering::Relaxed);
    }
}

/// The same one for a system task in every simulation of this seed, so that it does not matter when it is made.
pub(super) fn uuid(seed: u64, identity: u64) -> Uuid {
    let mut random = Random::new(Random::new(seed).next() ^ identity);
    let bytes = (u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes();
    Builder::from_random_bytes(bytes).into_uuid()
}

/// What it is so long behind the beginning; at the latest the last time there is.
pub(super) fn time(begins: DateTime<Utc>, at: u64) -> DateTime<Utc> {
    let after = TimeDelta::from_std(Duration::from_nanos(at)).ok();
    after.and_then(|after| begins.checked_add_signed(after)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
