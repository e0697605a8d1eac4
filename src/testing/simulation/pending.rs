//! What a simulation has planned, and how that is written: all of a batch, exactly once, whatever a commit answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::act::{Act, What};
use super::ids::{IdChanges, Ids};
use super::writing::{Writing, uuid};
use crate::configuration::ConfigurationId;
use crate::system_task::RunId;
use crate::task::{Task, TaskId};
use crate::testing::ManualClock;
use crate::{Error, Result, TaskStore};

/// A commit of which it is not known whether it was written, with what is known if it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Doubt {
    changes: IdChanges,
    mark: Option<Mark>,
}

/// What tells whether a batch was written: one of its acts. What others do meanwhile must not pass for it, not even where
/// they got the id that was to be its.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Mark {
    Configuration {
        id: ConfigurationId,
        name: String,
    },
    Started {
        id: TaskId,
        started: DateTime<Utc>,
        title: String,
    },
    /// Each act upon a task leaves its time, which another act may have left before the end.
    Task {
        id: TaskId,
        updated: DateTime<Utc>,
        ended: bool,
    },
    Run {
        uuid: Uuid,
        id: RunId,
        started: DateTime<Utc>,
        events: u64,
        ended: bool,
    },
}

impl Mark {
    fn is_there(&self, store: &TaskStore) -> Result<bool> {
        match self {
            Self::Configuration { id, name } => {
                Ok(store.configurations().list()?.iter().any(|found| found.id == *id && found.name == *name))
            }
            Self::Started { id, started, title } => {
                let task = found(store.task(*id))?;
                Ok(task.is_some_and(|task| task.started == *started && task.title == *title))
            }
            Self::Task { id, updated, ended } => {
                let task = found(store.task(*id))?;
                Ok(task.is_some_and(|task| task.updated == *updated && (!ended || task.outcome.is_some())))
            }
            Self::Run { uuid, id, started, events, ended } => {
                let mut after = None;
                loop {
                    let page = match store.system_tasks().history(*uuid, after.as_ref(), 100) {
                        Err(Error::NoSuchSystemTask { .. }) => return Ok(false),
                        page => page?,
                    };
                    if let Some(run) = page.items.iter().find(|run| run.id == *id) {
                        let is_it = run.started == *started;
                        return Ok(is_it && run.event_count >= *events && (!ended || run.finished.is_some()));
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

fn found(task: Result<Task>) -> Result<Option<Task>> {
    match task {
        Err(Error::NotFound { .. }) => Ok(None),
        found => found.map(Some),
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
            // The file that went with it may come back.
            Err(Error::OutcomeUnknown { .. } | Error::FileMoved { written: true, .. }) => self.doubt = doubt,
            Err(_) => {}
        }
        written
    }
}
