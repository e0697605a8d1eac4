//! The life of a simulated run of a background job.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::act::What;
use super::pending::Pending;
use super::plan::{Event, MINUTE, Plan, SECOND};
use super::settings::Settings;
use super::words::JOBS;
use crate::system_task::{LogLevel, SystemTaskStatus};
use crate::task::Outcome;

const WARNING_PERCENT: u32 = 6;

/// A run in progress, and what is to become of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LiveRun {
    job: usize,
    /// The time from one event to the next, about.
    pace: u64,
    /// How many events it has logged.
    events: usize,
    /// After so many it ends.
    ends_after: usize,
    outcome: Outcome,
}

impl Plan {
    pub(super) fn start_run(&mut self, at: u64, job: (usize, usize), settings: &Settings, pending: &mut Pending) {
        let (number, uid) = job;
        let Some(job) = JOBS.get(number) else { return };
        let every = job.every_minutes * MINUTE;
        let next = every - every / 20 + self.random.below(every / 10);
        self.schedule(at.saturating_add(next), Event::RunStarts(number, uid));

        self.runs_started += 1;
        let run = self.runs_started;
        let (name, description) = (job.name.to_owned(), job.description.to_owned());
        let uid = job.uids.get(uid).map(|uid| (*uid).to_owned());
        let kept = Duration::from_secs(job.kept_hours * 60 * 60);
        pending.push(at, What::StartRun { run, name, uid, description, kept });
        let takes = self.random.about(job.seconds * SECOND);
        let outcome = self.random.outcome(settings);
        let all = job.events.len();
        let ends_after = if outcome == Outcome::Finished { all } else { self.random.index(all) };
        let pace = takes / u64::try_from(all + 1).unwrap_or(u64::MAX);
        self.runs.insert(run, LiveRun { job: number, pace, events: 0, ends_after, outcome });
        self.schedule_event(at, run, pace);
    }

    fn schedule_event(&mut self, at: u64, run: u64, pace: u64) {
        let after = pace / 2 + self.random.below(pace) + 1;
        self.schedule(at.saturating_add(after), Event::RunGoesOn(run));
    }

    pub(super) fn go_on_with_run(&mut self, at: u64, run: u64, pending: &mut Pending) {
        let Some(mut live) = self.runs.remove(&run) else { return };
        let Some(job) = JOBS.get(live.job) else { return };
        if let Some(event) = job.events.get(live.events).filter(|_| live.events < live.ends_after) {
            let (event, counted) = ((*event).to_owned(), Some((job.counts.to_owned(), self.random.below(200))));
            pending.push(at, What::Log { run, level: LogLevel::Info, event, counted });
            live.events += 1;
            let pace = live.pace;
            self.runs.insert(run, live);
            return self.schedule_event(at, run, pace);
        }
        let (status, level, event) = match live.outcome {
            Outcome::Interrupted => {
                return pending.push(at, What::EndRun { run, interrupted: Some("panicked".to_owned()) });
            }
            Outcome::Failed => (SystemTaskStatus::Error, LogLevel::Error, job.failure),
            Outcome::Finished if self.random.percent(WARNING_PERCENT) => {
                (SystemTaskStatus::Warning, LogLevel::Warning, job.warning)
            }
            Outcome::Finished => return pending.push(at, What::EndRun { run, interrupted: None }),
        };
        pending.push(at, What::Log { run, level, event: event.to_owned(), counted: None });
        pending.push(at, What::Status { run, status });
        pending.push(at, What::EndRun { run, interrupted: None });
    }
}
