//! A whole life of a store, as a list of steps: each a call, or a closing and opening.

use std::collections::BTreeSet;

use super::random::Random;

/// One step. Tasks are named by the ids that they will have, which count from 1; runs by numbers of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Opens the store. What is open is closed before.
    Reopen,
    Start {
        configuration: Option<i64>,
        key: Option<String>,
    },
    Message {
        task: i64,
        bytes: usize,
    },
    MessageOnce {
        task: i64,
    },
    Progress {
        task: i64,
    },
    Finish {
        task: i64,
    },
    Fail {
        task: i64,
    },
    Dismiss {
        task: i64,
    },
    DismissAll,
    Restore {
        task: i64,
    },
    Delete {
        task: i64,
    },
    AddConfiguration,
    Rename {
        configuration: i64,
    },
    DeleteConfiguration {
        configuration: i64,
    },
    /// A task from its start to its end, in one transaction; and the same of a run.
    Batch {
        task: i64,
        run: usize,
    },
    /// The same, but the batch is given up at its end.
    Undone {
        task: i64,
    },
    Register {
        name: &'static str,
    },
    StartRun {
        run: usize,
        name: &'static str,
    },
    Log {
        run: usize,
    },
    SetStatus {
        run: usize,
    },
    FinishRun {
        run: usize,
    },
    CleanExpired,
    Flush,
    /// Reads all of it.
    Read,
}

impl Step {
    /// Whether it has transactions one after another, of which the first may be done when it is refused.
    pub(super) fn goes_by_parts(&self) -> bool {
        matches!(self, Self::CleanExpired)
    }

    /// Whether it leaves the store as it is.
    pub(super) fn only_looks(&self) -> bool {
        matches!(self, Self::Reopen | Self::Undone { .. } | Self::Flush | Self::Read)
    }
}

/// The system tasks of the script.
pub(super) const NAMES: [&str; 3] = ["fetch_mail", "backup", "reindex"];

/// The most tasks that there are at once, so that a look at all of them stays cheap.
const TASKS_MAX: usize = 16;

#[derive(Default)]
struct Writer {
    steps: Vec<Step>,
    tasks: i64,
    in_progress: Vec<i64>,
    said_once: BTreeSet<i64>,
    ended: Vec<i64>,
    dismissed: Vec<i64>,
    configurations: i64,
    deleted: BTreeSet<i64>,
    runs: usize,
    running: Vec<usize>,
    /// Runs that have ended and are not cleaned away.
    kept_runs: usize,
}

/// A life of so many steps at least: every kind of step is among the first, the rest is left to chance.
pub(super) fn script(random: &mut Random, steps: usize) -> Vec<Step> {
    let mut writer = Writer::default();
    writer.whole_life();
    while writer.steps.len() < steps {
        writer.step(random);
    }
    writer.steps.push(Step::Read);
    writer.steps
}

/// A life with every kind of step and nothing else.
pub(super) fn whole_life() -> Vec<Step> {
    script(&mut Random::new(0), 0)
}

impl Writer {
    fn whole_life(&mut self) {
        self.steps.extend([Step::Reopen, Step::Read]);
        self.add_configuration();
        self.add_configuration();
        self.start(Some(1), true);
        self.start(None, false);
        self.steps.push(Step::Message { task: 1, bytes: 20 });
        self.say_once(1);
        self.progress(1);
        self.finish(1);
        self.start_run(NAMES[0]);
        self.steps.push(Step::Log { run: 1 });
        self.steps.push(Step::SetStatus { run: 1 });
        self.dismiss(1);
        self.steps.extend([Step::Reopen, Step::Undone { task: self.tasks + 1 }]);
        self.fail(2);
        self.batch();
        self.restore(1);
        self.finish_run(1);
        self.register();
        self.start(Some(2), false);
        self.steps.push(Step::Message { task: self.tasks, bytes: 9_000 });
        self.steps.push(Step::Rename { configuration: 2 });
        self.delete_configuration(2);
        self.steps.push(Step::Flush);
        self.dismiss_all();
        self.clean_expired();
        self.delete(1);
        self.steps.extend([Step::Read, Step::Reopen, Step::Read]);
    }

    fn step(&mut self, random: &mut Random) {
        if self.in_progress.len() + self.ended.len() + self.dismissed.len() >= TASKS_MAX {
            let ended: Vec<_> = self.ended.iter().chain(&self.dismissed).copied().collect();
            match random.one_of(&ended) {
                Some(task) => return self.delete(task),
                None => return self.finish(self.in_progress[0]),
            }
        }
        let (in_progress, ended) = (random.one_of(&self.in_progress), random.one_of(&self.ended));
        let (dismissed, running) = (random.one_of(&self.dismissed), random.one_of(&self.running));
        let configurations: Vec<i64> = (2..=self.configurations).filter(|id| !self.deleted.contains(id)).collect();
        let configuration = random.one_of(&configurations);
        match random.within(0..34) {
            0..=4 => self.start(configuration, random.once_in(2)),
            5..=9 => self.steps.extend(in_progress.map(|task| {
                let bytes = if random.once_in(4) { random.within(4_000..30_000) } else { random.within(0..200) };
                Step::Message { task, bytes }
            })),
            10 => in_progress.into_iter().for_each(|task| self.say_once(task)),
            11..=12 => in_progress.into_iter().for_each(|task| self.progress(task)),
            13..=14 => in_progress.into_iter().for_each(|task| self.finish(task)),
            15 => in_progress.into_iter().for_each(|task| self.fail(task)),
            16..=17 => ended.into_iter().for_each(|task| self.dismiss(task)),
            18 => dismissed.into_iter().for_each(|task| self.restore(task)),
            19 => ended.into_iter().for_each(|task| self.delete(task)),
            20 => self.dismiss_all(),
            21 => self.add_configuration(),
            22 => self.steps.extend(configuration.map(|configuration| Step::Rename { configuration })),
            23 => configuration.into_iter().for_each(|id| self.delete_configuration(id)),
            24 => self.batch(),
            25 => self.steps.push(Step::Undone { task: self.tasks + 1 }),
            26..=27 => self.start_run(NAMES[random.within(0..2)]),
            28..=29 => self.steps.extend(running.map(|run| Step::Log { run })),
            30 => self.steps.extend(running.map(|run| Step::SetStatus { run })),
            31 => running.into_iter().for_each(|run| self.finish_run(run)),
            32 => self.clean_expired(),
            _ => self.steps.push(if random.once_in(3) { Step::Reopen } else { Step::Flush }),
        }
    }

    fn add_configuration(&mut self) {
        self.configurations += 1;
        self.steps.push(Step::AddConfiguration);
    }

    fn delete_configuration(&mut self, configuration: i64) {
        self.deleted.insert(configuration);
        self.steps.push(Step::DeleteConfiguration { configuration });
    }

    fn start(&mut self, configuration: Option<i64>, keyed: bool) {
        self.tasks += 1;
        self.in_progress.push(self.tasks);
        let key = keyed.then(|| format!("start {}", self.tasks));
        self.steps.push(Step::Start { configuration, key });
    }

    fn say_once(&mut self, task: i64) {
        if self.said_once.insert(task) {
            self.steps.push(Step::MessageOnce { task });
        }
    }

    fn progress(&mut self, task: i64) {
        self.steps.push(Step::Progress { task });
    }

    fn end(&mut self, task: i64, step: Step) {
        self.in_progress.retain(|other| *other != task);
        self.ended.push(task);
        self.steps.push(step);
    }

    fn finish(&mut self, task: i64) {
        self.end(task, Step::Finish { task });
    }

    fn fail(&mut self, task: i64) {
        self.end(task, Step::Fail { task });
    }

    fn dismiss(&mut self, task: i64) {
        self.ended.retain(|other| *other != task);
        self.dismissed.push(task);
        self.steps.push(Step::Dismiss { task });
    }

    fn dismiss_all(&mut self) {
        if !self.ended.is_empty() {
            self.dismissed.append(&mut self.ended);
            self.steps.push(Step::DismissAll);
        }
    }

    fn restore(&mut self, task: i64) {
        self.dismissed.retain(|other| *other != task);
        self.ended.push(task);
        self.steps.push(Step::Restore { task });
    }

    fn delete(&mut self, task: i64) {
        self.ended.retain(|other| *other != task);
        self.dismissed.retain(|other| *other != task);
        self.steps.push(Step::Delete { task });
    }

    fn batch(&mut self) {
        self.tasks += 1;
        self.runs += 1;
        self.kept_runs += 1;
        self.ended.push(self.tasks);
        self.steps.push(Step::Batch { task: self.tasks, run: self.runs });
    }

    fn register(&mut self) {
        self.steps.push(Step::Register { name: NAMES[2] });
    }

    fn start_run(&mut self, name: &'static str) {
        self.runs += 1;
        self.running.push(self.runs);
        self.steps.push(Step::StartRun { run: self.runs, name });
    }

    fn finish_run(&mut self, run: usize) {
        self.running.retain(|other| *other != run);
        self.kept_runs += 1;
        self.steps.push(Step::FinishRun { run });
    }

    fn clean_expired(&mut self) {
        if std::mem::take(&mut self.kept_runs) > 0 {
            self.steps.push(Step::CleanExpired);
        }
    }
}
