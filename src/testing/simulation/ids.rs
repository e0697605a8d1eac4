//! The store's ids for what a simulation knows by its own numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::configuration::ConfigurationId;
use crate::system_task::{RunId, StartedRun};
use crate::task::TaskId;

/// The ids of what may still change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ids {
    pub(super) configurations: Vec<ConfigurationId>,
    pub(super) tasks: BTreeMap<u64, TaskId>,
    pub(super) runs: BTreeMap<u64, KnownRun>,
    /// Those that will expire.
    pub(super) kept: BTreeMap<u64, KeptRun>,
}

/// A run that will expire, at this time at the earliest.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct KeptRun {
    pub(super) id: RunId,
    pub(super) until: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KnownRun {
    pub(super) id: RunId,
    pub(super) uuid: Uuid,
    pub(super) name: String,
    pub(super) started: u64,
    pub(super) events: u64,
}

/// What a batch changes of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct IdChanges {
    pub(super) new: Ids,
    pub(super) forgotten_tasks: Vec<u64>,
    pub(super) forgotten_runs: Vec<u64>,
    pub(super) gone_runs: Vec<u64>,
}

impl Ids {
    pub(super) fn change(&mut self, mut changes: IdChanges) {
        self.configurations.append(&mut changes.new.configurations);
        self.tasks.append(&mut changes.new.tasks);
        self.runs.append(&mut changes.new.runs);
        self.kept.append(&mut changes.new.kept);
        changes.forgotten_tasks.iter().for_each(|task| _ = self.tasks.remove(task));
        changes.forgotten_runs.iter().for_each(|run| _ = self.runs.remove(run));
        changes.gone_runs.iter().for_each(|run| _ = self.kept.remove(run));
    }
}

impl KnownRun {
    pub(super) fn started(&self) -> StartedRun {
        let started = Duration::from_nanos(self.started);
        StartedRun { id: self.id, uuid: self.uuid, name: self.name.clone(), started, ran_before: Duration::ZERO }
    }
}
