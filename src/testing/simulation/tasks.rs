//! The life of a simulated task.

use serde::{Deserialize, Serialize};

use super::act::What;
use super::pending::Pending;
use super::plan::{Event, MINUTE, Plan, SECOND};
use super::settings::Settings;
use super::words::{INTERRUPTIONS, KINDS};
use crate::task::{Level, Outcome, Progress};

const WARNING_PERCENT: u32 = 8;
const DETAIL_PERCENT: u32 = 15;

/// Of a hundred that have ended so, so many are dismissed.
const FINISHED_DISMISSED_PERCENT: u32 = 40;
const OTHERS_DISMISSED_PERCENT: u32 = 70;
/// How long after the end at least, and at most six times that.
const DISMISSED_AFTER: u64 = 20 * MINUTE;
/// Of those that were dismissed.
const RESTORED_PERCENT: u32 = 5;

/// A task in progress, and what is to become of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LiveTask {
    kind: usize,
    /// The time from one step to the next, about.
    pace: u64,
    step: u64,
    /// After so many it ends …
    steps: u64,
    /// … of so many that all of it would take.
    all_steps: u64,
    /// What it counts to.
    total: u64,
    outcome: Outcome,
}

impl Plan {
    pub(super) fn start_task(&mut self, at: u64, settings: &Settings, pending: &mut Pending) {
        let number = self.random.index(KINDS.len());
        let Some(kind) = KINDS.get(number) else { return };
        self.tasks_started += 1;
        let task = self.tasks_started;
        let title = kind.title.replace("{}", self.random.word(kind.things));
        let title = self.random.pick(&settings.titles).cloned().unwrap_or(title);
        let by = self.random.pick(&settings.users).cloned().unwrap_or_default();
        let chosen = self.random.index(settings.configurations.len());
        let configuration = Some(chosen).filter(|chosen| *chosen < settings.configurations.len());
        pending.push(at, What::Start { task, title, by, configuration });

        let (takes, total) = (self.random.about(kind.seconds * SECOND), self.random.about(kind.units));
        let all_steps = 2 + self.random.below(4);
        let outcome = self.random.outcome(settings);
        let steps = if outcome == Outcome::Finished { all_steps } else { self.random.below(all_steps) };
        let pace = takes / (all_steps + 1);
        self.tasks.insert(task, LiveTask { kind: number, pace, step: 0, steps, all_steps, total, outcome });
        self.schedule_step(at, task, pace);
    }

    fn schedule_step(&mut self, at: u64, task: u64, pace: u64) {
        let after = pace / 2 + self.random.below(pace) + 1;
        self.schedule(at.saturating_add(after), Event::TaskGoesOn(task));
    }

    pub(super) fn go_on_with_task(&mut self, at: u64, task: u64, pending: &mut Pending) {
        let Some(mut live) = self.tasks.remove(&task) else { return };
        let Some(kind) = KINDS.get(live.kind) else { return };
        let LiveTask { pace, steps, all_steps, total, outcome, .. } = live;
        if live.step == steps {
            return self.end_task(at, task, outcome, kind.failures, pending);
        }
        live.step += 1;
        let done = total * live.step / all_steps;
        let phases = u64::try_from(kind.phases.len()).unwrap_or(0);
        let phase = usize::try_from((live.step - 1) * phases / all_steps).unwrap_or(0);
        let phase = kind.phases.get(phase).copied().unwrap_or_default();
        if self.random.percent(DETAIL_PERCENT) {
            let text = format!("using {} workers", 1 + self.random.below(8));
            pending.push(at, What::Message { task, level: Level::Debug, text });
        }
        let text = format!("{phase}: {done} of {total} {}", kind.unit);
        pending.push(at, What::Message { task, level: Level::Info, text });
        pending.push(at, What::Progress { task, progress: Progress::new(done).of(total).phase(phase) });
        if self.random.percent(WARNING_PERCENT) {
            let text = self.random.word(kind.warnings).to_owned();
            pending.push(at, What::Message { task, level: Level::Warn, text });
        }
        self.tasks.insert(task, live);
        self.schedule_step(at, task, pace);
    }

    fn end_task(&mut self, at: u64, task: u64, outcome: Outcome, failures: &[&'static str], pending: &mut Pending) {
        let (reason, dismissed_percent) = match outcome {
            Outcome::Finished => ("", FINISHED_DISMISSED_PERCENT),
            Outcome::Failed => (self.random.word(failures), OTHERS_DISMISSED_PERCENT),
            Outcome::Interrupted => (self.random.word(&INTERRUPTIONS), OTHERS_DISMISSED_PERCENT),
        };
        pending.push(at, What::End { task, outcome, reason: reason.to_owned() });
        if self.random.percent(dismissed_percent) {
            let after = DISMISSED_AFTER.saturating_add(self.random.below(5 * DISMISSED_AFTER));
            self.schedule(at.saturating_add(after), Event::TaskIsDismissed(task));
        } else {
            pending.push(at, What::Forget { task });
        }
    }

    pub(super) fn dismiss(&mut self, at: u64, task: u64, settings: &Settings, pending: &mut Pending) {
        let by = self.random.pick(&settings.users).cloned().filter(|user| !user.is_empty());
        pending.push(at, What::Dismiss { task, by: by.unwrap_or_else(|| "operator".to_owned()) });
        if self.random.percent(RESTORED_PERCENT) {
            let after = self.random.about(MINUTE);
            self.schedule(at.saturating_add(after), Event::TaskIsRestored(task));
        } else {
            pending.push(at, What::Forget { task });
        }
    }
}
