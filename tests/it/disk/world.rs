//! The store that a script is played to, and what it shows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use taskstore::{
    Configuration, Dismissed, Durability, Error, Level, LogEvent, LogLevel, LoggedEvent, NewTask, OpenOptions, Order,
    Progress, Result, Run, RunOptions, StartedRun, SystemTask, SystemTaskStatus, TaskCounts, TaskFilter, TaskStore,
    TaskWithMessages,
};
use uuid::Uuid;

use super::script::{NAMES, Step};
use crate::support::{ManualClock, Nanoseconds as _, configuration_id, task_id};

/// Longer than progress is kept in memory, and than a run is kept after its end.
const STEP_NS: i64 = 2_000_000_000;

/// A call that waits for a lock is a fault here: there is one process.
const PATIENCE: Duration = Duration::from_millis(200);

/// Plays a script to a store. Time stands still within a step, so that a step made again does the same.
pub(super) struct World {
    file: PathBuf,
    options: OpenOptions,
    clock: ManualClock,
    step: Arc<AtomicU64>,
    store: Option<TaskStore>,
    /// Nobody answers for them: they live on when the store is closed, and after a power cut.
    runs: BTreeMap<usize, StartedRun>,
}

/// How every store of these tests is opened.
pub(super) fn options(durability: Durability) -> OpenOptions {
    OpenOptions::new().durability(durability).busy_timeout(PATIENCE)
}

impl World {
    pub(super) fn new(file: PathBuf, durability: Durability) -> Self {
        let (clock, step) = (ManualClock::at_ns(0), Arc::new(AtomicU64::new(0)));
        let uuids = Arc::clone(&step);
        let options = options(durability)
            .clock(clock.clone())
            .uuids(move || Uuid::from_u128(uuids.load(Ordering::Relaxed).into()));
        Self { file, options, clock, step, store: None, runs: BTreeMap::new() }
    }

    /// Time goes on.
    pub(super) fn next_step(&self) {
        self.clock.advance_ns(STEP_NS);
        self.step.fetch_add(1, Ordering::Relaxed);
    }

    /// The open store; none after a reopening that failed.
    pub(super) fn store(&self) -> Option<&TaskStore> {
        self.store.as_ref()
    }

    /// All that it shows.
    pub(super) fn shown(&self) -> Result<Shown> {
        Shown::by(self.opened())
    }

    /// Writes something that changes nothing.
    pub(super) fn write_the_same(&self) -> Result<()> {
        self.opened().recount()
    }

    fn opened(&self) -> &TaskStore {
        self.store.as_ref().expect("the script opens the store first")
    }

    /// Makes one call. A call that was refused can be made again.
    pub(super) fn call(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Reopen => self.reopen(),
            Step::Read => self.shown().and_then(|_| self.opened().change_token()).map(drop),
            Step::StartRun { run, name } => {
                let started = self.opened().batch(|batch| batch.start_run(*name, None, run_options(*run)))?;
                self.runs.insert(*run, started);
                Ok(())
            }
            Step::Log { run } => {
                let event = LogEvent::new(LogLevel::Info, "fetched").attributes(json!({ "run": run }))?;
                self.opened().batch(|batch| batch.log(&self.runs[run], event))
            }
            Step::SetStatus { run } => {
                let (status, texts) = (SystemTaskStatus::Warning, ["one is left", "and another"]);
                self.opened().batch(|batch| batch.set_status(&self.runs[run], status, texts))
            }
            Step::FinishRun { run } => self.opened().batch(|batch| batch.finish_run(&self.runs[run])),
            _ => call(self.opened(), step),
        }
    }

    /// A call whose outcome was not known was found to be written.
    pub(super) fn was_written(&mut self, step: &Step) -> Result<()> {
        match step {
            // The run is found by its key.
            Step::StartRun { .. } => self.call(step),
            _ => Ok(()),
        }
    }

    fn reopen(&mut self) -> Result<()> {
        if let Some(store) = self.store.take() {
            store.close()?;
        }
        self.store = Some(self.options.open(&self.file)?);
        Ok(())
    }
}

fn run_options(run: usize) -> RunOptions {
    RunOptions::new().key(format!("run {run}")).expires_after(Duration::from_nanos(STEP_NS.unsigned_abs()))
}

fn call(store: &TaskStore, step: &Step) -> Result<()> {
    match step {
        Step::Start { configuration, key } => {
            let mut task = NewTask::new("Create standby").performed_by("ann");
            task.configuration = configuration.map(configuration_id);
            task.key.clone_from(key);
            store.start_detached(task).map(drop)
        }
        Step::Message { task, bytes } => store.message(task_id(*task), Level::Info, "m".repeat(*bytes)),
        Step::MessageOnce { task } => store.message_once(task_id(*task), "once", Level::Warn, "it is nearly full"),
        Step::Progress { task } => {
            let done = u64::try_from(store.task(task_id(*task))?.updated.timestamp()).unwrap();
            store.progress(task_id(*task), &Progress::new(done).of(1_000).phase("copying"))
        }
        Step::Finish { task } => store.finish(task_id(*task)),
        Step::Fail { task } => store.fail(task_id(*task), "it is full"),
        Step::Dismiss { task } => store.dismiss(task_id(*task), "ann"),
        Step::DismissAll => store.dismiss_all(None, "ben").map(drop),
        Step::Restore { task } => store.restore(task_id(*task)),
        Step::Delete { task } => store.delete(task_id(*task)),
        Step::AddConfiguration => store.configurations().add("primary").map(drop),
        Step::Rename { configuration } => {
            let id = configuration_id(*configuration);
            let all = store.configurations().list()?;
            let name = &all.iter().find(|found| found.id == id).expect("the script renames what is there").name;
            store.configurations().rename(id, if name == "primary" { "standby" } else { "primary" })
        }
        Step::DeleteConfiguration { configuration } => store.configurations().delete(configuration_id(*configuration)),
        Step::Batch { task, run } => store.batch(|batch| whole(batch, *task, *run)),
        Step::Undone { task } => {
            let undone = store.batch(|batch| {
                whole(batch, *task, 0)?;
                Err(Error::Closed)
            });
            // Its own error, which no other part of a batch gives.
            undone.or_else(|error| if matches!(error, Error::Closed) { Ok(()) } else { Err(error) })
        }
        Step::Register { name } => store.system_tasks().register(*name, "rebuilds the index"),
        Step::CleanExpired => store.clean_expired().map(drop),
        Step::Flush => store.flush(),
        other => unreachable!("{other:?} is the world's"),
    }
}

/// A task and a run from their starts to their ends.
fn whole(batch: &taskstore::Batch<'_>, task: i64, run: usize) -> Result<()> {
    let id = batch.start_detached(NewTask::new("Import"))?;
    assert_eq!(id.get(), task);
    batch.message(id, Level::Error, "one row was refused")?;
    batch.progress(id, &Progress::new(7))?;
    batch.finish(id)?;
    let run = batch.start_run(NAMES[1], None, run_options(run))?;
    batch.log(&run, LogEvent::new(LogLevel::Info, "imported"))?;
    batch.finish_run(&run)
}

/// All that a store shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    configurations: Vec<Configuration>,
    tasks: Vec<TaskWithMessages>,
    counts: TaskCounts,
    system_tasks: Vec<ShownSystemTask>,
}

/// What the published API shows of it, and all of its runs.
type ShownSystemTask = (Option<SystemTask>, Vec<(Run, Vec<LoggedEvent>)>);

impl Shown {
    pub(super) fn by(store: &TaskStore) -> Result<Self> {
        let all = TaskFilter::new().dismissed(Dismissed::Included).order(Order::OldestFirst).limit(1_000);
        Ok(Self {
            configurations: store.configurations().list()?,
            tasks: store.list_with_messages(&all)?.items,
            counts: store.counts(None)?,
            system_tasks: NAMES.into_iter().map(|name| system_task(store, name)).collect::<Result<_>>()?,
        })
    }
}

fn system_task(store: &TaskStore, name: &str) -> Result<ShownSystemTask> {
    let Some(uuid) = store.system_tasks().find(name, None)? else { return Ok((None, Vec::new())) };
    let listed = match store.system_tasks().retrieve(uuid) {
        Err(Error::NoSuchSystemTask { .. }) => None,
        listed => Some(listed?),
    };
    let runs = store.system_tasks().history(uuid, None, 1_000)?.items;
    let with_events = |run: Run| {
        let events = store.system_tasks().events(run.id, 0, 1_000)?;
        Ok((run, events))
    };
    Ok((listed, runs.into_iter().map(with_events).collect::<Result<_>>()?))
}
