//! What happens when: the events of a simulation, in the order of their times. Planning one draws its chances and says what is to
//! be written, so that it does not matter in which batches that is done, or when.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use serde::{Deserialize, Serialize};

use super::act::What;
use super::jobs::LiveRun;
use super::pending::Pending;
use super::random::Random;
use super::settings::Settings;
use super::tasks::LiveTask;
use super::words::JOBS;
use crate::task::Outcome;

pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// What is to come. All times are nanoseconds from the beginning.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) random: Random,
    scheduled: BinaryHeap<Reverse<Scheduled>>,
    /// How many events were scheduled.
    events: u64,
    /// Where the stretch of time begins in which the next task starts.
    next_task: u64,
    /// How many have started.
    pub(super) tasks_started: u64,
    pub(super) runs_started: u64,
    /// In progress, by their numbers.
    pub(super) tasks: BTreeMap<u64, LiveTask>,
    pub(super) runs: BTreeMap<u64, LiveRun>,
}

/// Ordered by time, and among those of one time by the order of the scheduling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Scheduled {
    at: u64,
    number: u64,
    event: Event,
}

/// Tasks and runs by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Event {
    Begin,
    TaskStarts,
    TaskGoesOn(u64),
    TaskIsDismissed(u64),
    TaskIsRestored(u64),
    /// A job, and which of its uids.
    RunStarts(usize, usize),
    RunGoesOn(u64),
    RunsExpire,
}

impl Plan {
    pub(super) fn new(seed: u64) -> Self {
        let mut plan = Self {
            random: Random::new(seed),
            scheduled: BinaryHeap::new(),
            events: 0,
            next_task: 0,
            tasks_started: 0,
            runs_started: 0,
            tasks: BTreeMap::new(),
            runs: BTreeMap::new(),
        };
        plan.schedule(0, Event::Begin);
        plan
    }

    /// When the next event is, if there is one.
    pub(super) fn next(&self) -> Option<u64> {
        self.scheduled.peek().map(|Reverse(next)| next.at)
    }

    /// Plans the next event, if it is not later than that.
    pub(super) fn go_on(&mut self, until: u64, settings: &Settings, pending: &mut Pending) -> bool {
        if self.next().is_none_or(|next| next > until) {
            return false;
        }
        let Some(Reverse(Scheduled { at, event, .. })) = self.scheduled.pop() else { return false };
        match event {
            Event::Begin => self.begin(at, settings, pending),
            Event::TaskStarts => {
                self.schedule_task(settings);
                if settings.tasks_per_hour > 0 {
                    self.start_task(at, settings, pending);
                }
            }
            Event::TaskGoesOn(task) => self.go_on_with_task(at, task, pending),
            Event::TaskIsDismissed(task) => self.dismiss(at, task, settings, pending),
            Event::TaskIsRestored(task) => {
                pending.push(at, What::Restore { task });
                pending.push(at, What::Forget { task });
            }
            Event::RunStarts(job, uid) => self.start_run(at, (job, uid), settings, pending),
            Event::RunGoesOn(run) => self.go_on_with_run(at, run, pending),
            Event::RunsExpire => {
                pending.push(at, What::CleanExpired);
                self.schedule(at.saturating_add(HOUR), Event::RunsExpire);
            }
        }
        true
    }

    /// Interrupts all that is in progress. What was scheduled for it finds nothing any more.
    pub(super) fn settle(&mut self, at: u64, pending: &mut Pending) {
        let reason = || "interrupted: the simulation was settled".to_owned();
        for task in std::mem::take(&mut self.tasks).into_keys() {
            pending.push(at, What::End { task, outcome: Outcome::Interrupted, reason: reason() });
            pending.push(at, What::Forget { task });
        }
        for run in std::mem::take(&mut self.runs).into_keys() {
            pending.push(at, What::EndRun { run, interrupted: Some(reason()) });
        }
    }

    pub(super) fn schedule(&mut self, at: u64, event: Event) {
        self.events += 1;
        self.scheduled.push(Reverse(Scheduled { at, number: self.events, event }));
    }

    fn begin(&mut self, at: u64, settings: &Settings, pending: &mut Pending) {
        for name in &settings.configurations {
            pending.push(at, What::AddConfiguration { name: name.clone() });
        }
        self.schedule_task(settings);
        if !settings.system_tasks {
            return;
        }
        for (number, job) in JOBS.iter().enumerate() {
            if job.uids.is_empty() {
                let (name, description) = (job.name.to_owned(), job.description.to_owned());
                pending.push(at, What::Register { name, description });
            }
            for uid in 0..job.uids.len().max(1) {
                let after = self.random.below(job.every_minutes * MINUTE);
                self.schedule(at.saturating_add(after), Event::RunStarts(number, uid));
            }
        }
        self.schedule(at.saturating_add(HOUR), Event::RunsExpire);
    }

    /// One task starts in each stretch of time, anywhere in it: so many stretches have exactly so many tasks.
    fn schedule_task(&mut self, settings: &Settings) {
        let stretch = settings.task_every();
        let after = self.random.below(stretch).saturating_add(1);
        let at = self.next_task.saturating_add(after);
        self.next_task = self.next_task.saturating_add(stretch);
        self.schedule(at, Event::TaskStarts);
    }
}
