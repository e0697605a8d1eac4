//! What a simulation has planned, and how that is written: all of a batch, exactly once, whatever a commit answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use super::random::Random;
use crate::configuration::ConfigurationId;
use crate::system_task::operation::Ending;
use crate::system_task::{LogEvent, LogLevel, RunId, RunOptions, StartedRun, SystemTaskStatus};
use crate::task::{Level, NewTask, Outcome, Progress, TaskId};
use crate::testing::ManualClock;
use crate::{Batch, Error, Result, TaskStore, sqlite};

/// Something that happens. Tasks and runs have numbers of the simulation's own until they have ids.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Act {
    /// When, in nanoseconds from the beginning.
    pub(super) at: u64,
    pub(super) what: What,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum What {
    AddConfiguration {
        name: String,
    },
    Register {
        name: String,
        description: String,
    },
    Start {
        task: u64,
        title: String,
        by: String,
        configuration: Option<usize>,
    },
    Message {
        task: u64,
        level: Level,
        text: String,
    },
    Progress {
        task: u64,
        progress: Progress,
    },
    End {
        task: u64,
        outcome: Outcome,
        reason: String,
    },
    Dismiss {
        task: u64,
        by: String,
    },
    Restore {
        task: u64,
    },
    /// Nothing more happens to the task.
    Forget {
        task: u64,
    },
    StartRun {
        run: u64,
        name: String,
        uid: Option<String>,
        kept: Duration,
    },
    Log {
        run: u64,
        level: LogLevel,
        event: String,
        counted: Option<(String, u64)>,
    },
    Status {
        run: u64,
        status: SystemTaskStatus,
    },
    /// Cut off if there is a reason.
    EndRun {
        run: u64,
        interrupted: Option<String>,
    },
    CleanExpired,
}

/// The ids of what may still change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ids {
    configurations: Vec<ConfigurationId>,
    tasks: BTreeMap<u64, TaskId>,
    runs: BTreeMap<u64, KnownRun>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KnownRun {
    id: RunId,
    uuid: Uuid,
    name: String,
    started: u64,
    events: u64,
}

/// What a batch changes of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct IdChanges {
    new: Ids,
    forgotten_tasks: Vec<u64>,
    forgotten_runs: Vec<u64>,
}

impl Ids {
    fn change(&mut self, mut changes: IdChanges) {
        self.configurations.append(&mut changes.new.configurations);
        self.tasks.append(&mut changes.new.tasks);
        self.runs.append(&mut changes.new.runs);
        changes.forgotten_tasks.iter().for_each(|task| _ = self.tasks.remove(task));
        changes.forgotten_runs.iter().for_each(|run| _ = self.runs.remove(run));
    }
}

impl KnownRun {
    fn started(&self) -> StartedRun {
        let started = Duration::from_nanos(self.started);
        StartedRun { id: self.id, uuid: self.uuid, name: self.name.clone(), started }
    }
}

/// A commit of which it is not known whether it was written, with what is known if it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Doubt {
    changes: IdChanges,
    mark: Option<Mark>,
}

/// What tells whether a batch was written: the last of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Mark {
    Configuration(ConfigurationId),
    /// Each act upon a task leaves its time.
    Task {
        id: TaskId,
        updated: DateTime<Utc>,
    },
    Run {
        uuid: Uuid,
        id: RunId,
        events: u64,
        ended: bool,
    },
}

impl Mark {
    fn is_there(&self, store: &TaskStore) -> Result<bool> {
        match self {
            Self::Configuration(id) => Ok(store.configurations().list()?.iter().any(|found| found.id == *id)),
            Self::Task { id, updated } => match store.task(*id) {
                Ok(task) => Ok(task.updated >= *updated),
                Err(Error::NotFound { .. }) => Ok(false),
                Err(error) => Err(error),
            },
            Self::Run { uuid, id, events, ended } => {
                let mut after = None;
                loop {
                    let page = match store.system_tasks().history(*uuid, after.as_ref(), 100) {
                        Err(Error::NoSuchSystemTask { .. }) => return Ok(false),
                        page => page?,
                    };
                    if let Some(run) = page.items.iter().find(|run| run.id == *id) {
                        return Ok(run.event_count >= *events && (!ended || run.finished.is_some()));
                    }
                    match page.next {
                        Some(next) => after = Some(next),
                        None => return Ok(false),
                    }
                }
            }
        }
    }
}

/// What is planned and not written yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Pending {
    acts: Vec<Act>,
    ids: Ids,
    doubt: Option<Doubt>,
}

impl Pending {
    pub(super) fn push(&mut self, at: u64, what: What) {
        self.acts.push(Act { at, what });
    }

    pub(super) fn len(&self) -> usize {
        self.acts.len()
    }

    /// When the last of it happens.
    pub(super) fn last(&self) -> Option<u64> {
        self.acts.last().map(|act| act.at)
    }

    /// Writes all of it, in one transaction. What fails can be tried again: it is written once.
    pub(super) fn write(&mut self, store: &TaskStore, begins: DateTime<Utc>, seed: u64) -> Result<()> {
        let was_written = match &self.doubt {
            Some(Doubt { mark: Some(mark), .. }) => mark.is_there(store)?,
            // A batch without a mark changes nothing when it is written once more.
            _ => false,
        };
        if let Some(doubt) = self.doubt.take()
            && was_written
        {
            self.ids.change(doubt.changes);
            self.acts.clear();
        }
        if self.acts.is_empty() {
            return Ok(());
        }
        let clock = ManualClock::at(begins);
        let identity = Arc::new(AtomicU64::new(0));
        let uuids = {
            let identity = Arc::clone(&identity);
            move || uuid(seed, identity.load(Ordering::Relaxed))
        };
        let context = store.context().by_clock(Arc::new(clock.clone())).with_uuids(uuids);
        let mut doubt = None;
        let written = store.batch(|batch| {
            let batch = batch.in_context(&context);
            let (known, identity, changes) = (&self.ids, &*identity, IdChanges::default());
            let mut writing =
                Writing { batch: &batch, clock: &clock, begins, at: 0, identity, known, changes, mark: None };
            self.acts.iter().try_for_each(|act| writing.act(act))?;
            let Writing { changes, mark, .. } = writing;
            doubt = Some(Doubt { changes, mark });
            Ok::<_, Error>(())
        });
        match written {
            Ok(()) => {
                self.ids.change(doubt.map(|doubt| doubt.changes).unwrap_or_default());
                self.acts.clear();
            }
            Err(Error::OutcomeUnknown { .. }) => self.doubt = doubt,
            Err(_) => {}
        }
        written
    }
}

/// Inside a batch.
struct Writing<'a> {
    batch: &'a Batch<'a>,
    clock: &'a ManualClock,
    begins: DateTime<Utc>,
    /// What the clock shows, from the beginning.
    at: u64,
    /// Whose uuid comes next.
    identity: &'a AtomicU64,
    /// From before the batch.
    known: &'a Ids,
    changes: IdChanges,
    mark: Option<Mark>,
}

impl Writing<'_> {
    fn act(&mut self, act: &Act) -> Result<()> {
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
                self.mark = Some(Mark::Configuration(id));
            }
            What::Register { name, description } => {
                self.next_uuid(name, None);
                self.batch.register_system_task(name, description)?;
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
                self.mark_task(id);
            }
            What::Message { task, level, text } => self.to_task(*task, |batch, id| batch.message(id, *level, text))?,
            What::Progress { task, progress } => self.to_task(*task, |batch, id| batch.progress(id, progress))?,
            What::End { task, outcome, reason } => {
                self.to_task(*task, |batch, id| batch.end(id, *outcome, reason.clone()))?;
            }
            What::Dismiss { task, by } => self.to_task(*task, |batch, id| batch.dismiss(id, by))?,
            What::Restore { task } => self.to_task(*task, |batch, id| batch.restore(id))?,
            What::Forget { task } => self.changes.forgotten_tasks.push(*task),
            What::StartRun { run, name, uid, kept } => {
                self.next_uuid(name, uid.as_deref());
                let options = RunOptions::new().expires_after(*kept);
                let started = self.batch.start_run(name, uid.as_deref(), options)?;
                let (id, uuid) = (started.id, started.uuid);
                let known = KnownRun { id, uuid, name: name.clone(), started: self.at, events: 0 };
                self.changes.new.runs.insert(*run, known);
                self.mark = Some(Mark::Run { uuid, id, events: 0, ended: false });
            }
            What::Log { run, level, event, counted } => {
                let counted: BTreeMap<_, _> = counted.iter().map(|(name, count)| (name, count)).collect();
                let event = LogEvent::new(*level, event).attributes(counted)?;
                self.to_run(*run, 1, false, |batch, run| batch.log(run, event))?;
            }
            What::Status { run, status } => {
                self.to_run(*run, 0, false, |batch, run| batch.set_status(run, *status, [""; 0]))?;
            }
            What::EndRun { run, interrupted } => {
                let ending = interrupted.clone().map_or(Ending::Finished, Ending::Interrupted);
                let events = interrupted.iter().map(|_| 1).sum();
                let ended = self.to_run(*run, events, true, |batch, run| batch.end_run(run, ending));
                self.changes.forgotten_runs.push(*run);
                ended?;
            }
            What::CleanExpired => {
                let now_ns = self.batch.context().now_ns()?;
                while self.batch.verb(|write| sqlite::system_task::clean_expired(write, now_ns))?.runs > 0 {}
            }
        }
        Ok(())
    }

    fn configuration(&self, number: usize) -> Option<ConfigurationId> {
        self.known.configurations.iter().chain(&self.changes.new.configurations).nth(number).copied()
    }

    /// One that is not known any more, or was never started, stays as it is.
    fn to_task(&mut self, task: u64, act: impl FnOnce(&Batch<'_>, TaskId) -> Result<()>) -> Result<()> {
        let known = self.changes.new.tasks.get(&task).or_else(|| self.known.tasks.get(&task));
        let Some(id) = known.copied() else { return Ok(()) };
        act(self.batch, id)?;
        self.mark_task(id);
        Ok(())
    }

    fn mark_task(&mut self, id: TaskId) {
        self.mark = Some(Mark::Task { id, updated: time(self.begins, self.at) });
    }

    fn to_run(
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
        self.mark = Some(Mark::Run { uuid: run.uuid, id: run.id, events: run.events, ended });
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
fn uuid(seed: u64, identity: u64) -> Uuid {
    let mut random = Random::new(Random::new(seed).next() ^ identity);
    let bytes = (u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes();
    Builder::from_random_bytes(bytes).into_uuid()
}

/// What it is so long behind the beginning; at the latest the last time there is.
pub(super) fn time(begins: DateTime<Utc>, at: u64) -> DateTime<Utc> {
    let after = TimeDelta::from_std(Duration::from_nanos(at)).ok();
    after.and_then(|after| begins.checked_add_signed(after)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
