//! The model: a few maps.

use std::collections::{BTreeMap, BTreeSet};

use taskstore::{Error, Level, Outcome, Progress, TaskState};

use super::runs::PlainRuns;
use super::steps::Verb;
use crate::support::Everything;

/// A task as the model keeps it. Times are nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PlainTask {
    title: String,
    /// What it was started on. The name is asked for when it is shown.
    configuration: Option<i64>,
    outcome: Option<Outcome>,
    times: (i64, i64, Option<i64>),
    dismissed: Option<(i64, String)>,
    progress: Option<Progress>,
    messages: Vec<(u64, i64, Level, String)>,
}

/// A task as it is shown: its configuration by id and name.
type Shown = (PlainTask, Option<i64>, String);

/// Progress within a second of a write.
#[derive(Clone, Debug)]
struct Said {
    /// By the monotonic clock; `None` if the next is written whenever it comes.
    written_ns: Option<i64>,
    /// What the store knows and the file does not, with its time.
    kept: Option<(Progress, i64)>,
}

/// A rule that a model has wrong on purpose: comparing has to find it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Fault {
    #[default]
    None,
    /// A crash leaves the progress that was acknowledged and not written.
    KeepsProgressInCrashes,
    /// A crash takes the last acknowledged message.
    LosesMessagesInCrashes,
    /// A successful run is shown that was to be shown only on failure.
    ShowsEveryRun,
    /// A restored task is as it was before its dismissal, also its `updated`.
    RestoresTheTime,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Plain {
    fault: Fault,
    /// The system tasks.
    pub(crate) runs: PlainRuns,
    now_ns: i64,
    monotonic_ns: i64,
    /// Of tasks in progress.
    said: BTreeMap<i64, Said>,
    /// In a batch: the tasks whose progress or end it has written.
    in_batch: Option<BTreeSet<i64>>,
    /// By id: the name, and whether it was deleted.
    configurations: BTreeMap<i64, (String, bool)>,
    tasks: BTreeMap<i64, PlainTask>,
    newest_task: i64,
    /// The tasks by their keys, which are not shown.
    keys: BTreeMap<String, i64>,
    /// The keys of messages, by task.
    message_keys: BTreeSet<(i64, String)>,
}

/// What a verb answers, as far as it can be told beforehand.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Done,
    /// An id or a count.
    Id(i64),
    NotFound(&'static str, i64),
    WrongState(i64, TaskState, Option<String>),
    RunEnded(i64),
}

pub(crate) fn answer_of(answer: taskstore::Result<Option<i64>>) -> Answer {
    match answer {
        Ok(None) => Answer::Done,
        Ok(Some(id)) => Answer::Id(id),
        Err(Error::NotFound { what, id }) => Answer::NotFound(what, id),
        Err(Error::WrongState { id, found, dismissed_by, .. }) => Answer::WrongState(id.get(), found, dismissed_by),
        Err(Error::RunEnded { id, .. }) => Answer::RunEnded(id.get()),
        Err(error) => panic!("{error:?}"),
    }
}

impl PlainTask {
    fn state(&self) -> TaskState {
        match (&self.dismissed, self.outcome) {
            (Some(_), _) => TaskState::Dismissed,
            (None, None) => TaskState::InProgress,
            (None, Some(Outcome::Finished)) => TaskState::Finished,
            (None, Some(Outcome::Failed)) => TaskState::Failed,
            (None, Some(Outcome::Interrupted)) => TaskState::Interrupted,
        }
    }

    fn touch(&mut self, now_ns: i64) {
        self.times.1 = self.times.1.max(now_ns);
    }

    fn say(&mut self, now_ns: i64, level: Level, text: &str) {
        self.touch(now_ns);
        self.messages.push((self.messages.len() as u64 + 1, now_ns, level, text.to_owned()));
    }

    /// Progress that was kept is written.
    fn take_over(&mut self, said: Said) {
        if let Some((progress, then_ns)) = said.kept {
            self.touch(then_ns);
            self.progress = Some(progress);
        }
    }

    fn end(&mut self, now_ns: i64, outcome: Outcome, reason: &str) {
        if !reason.is_empty() {
            self.say(now_ns, Level::Error, reason);
        }
        self.touch(now_ns);
        self.outcome = Some(outcome);
        self.times.2 = Some(self.times.1);
    }

    fn dismiss(&mut self, now_ns: i64, by: &str) {
        self.touch(now_ns);
        self.dismissed = Some((self.times.1, by.to_owned()));
    }
}

impl Plain {
    pub(crate) fn with(fault: Fault) -> Self {
        Self { fault, ..Self::default() }
    }

    pub(crate) fn newest_task(&self) -> i64 {
        self.newest_task
    }

    pub(crate) fn newest_configuration(&self) -> i64 {
        self.configurations.len() as i64
    }

    pub(crate) fn advance_ns(&mut self, ns: i64) {
        self.now_ns += ns;
        self.monotonic_ns += ns.max(0);
    }

    pub(crate) fn begin_batch(&self) -> Self {
        Self { in_batch: Some(BTreeSet::new()), ..self.clone() }
    }

    pub(crate) fn end_batch(&mut self, batch: Self, commits: bool) {
        if commits {
            *self = Self { in_batch: None, ..batch };
            return;
        }
        self.runs.keep_known(&batch.runs);
        for id in batch.in_batch.unwrap() {
            self.said.entry(id).and_modify(|said| said.written_ns = None);
        }
    }

    /// What closing the store writes.
    pub(crate) fn close(&mut self) {
        for (id, said) in std::mem::take(&mut self.said) {
            self.tasks.get_mut(&id).unwrap().take_over(said);
        }
    }

    /// What a crash takes: the progress that is not written.
    pub(crate) fn crash(&mut self) {
        if self.fault == Fault::KeepsProgressInCrashes {
            self.close();
        }
        if self.fault == Fault::LosesMessagesInCrashes
            && let Some(task) = self.tasks.get_mut(&self.newest_task)
        {
            task.messages.pop();
        }
        self.said.clear();
    }

    /// What the drop of a run's guard records.
    pub(crate) fn interrupt_newest_run(&mut self) {
        self.runs.interrupt_newest(self.now_ns, self.monotonic_ns);
    }

    /// What clean-up deletes.
    pub(crate) fn clean(&mut self) -> (u64, u64, u64) {
        self.runs.clean(self.now_ns)
    }

    /// What the guard's drop records.
    pub(crate) fn interrupt_newest(&mut self) {
        let task = self.tasks.get_mut(&self.newest_task).unwrap();
        task.end(self.now_ns, Outcome::Interrupted, "ended without finish or fail");
    }

    pub(crate) fn call(&mut self, verb: &Verb) -> Answer {
        let now_ns = self.now_ns;
        match verb {
            Verb::Start { title, configuration, key } => self.start(title, *configuration, key.as_ref()),
            Verb::Message { id, level, text } => {
                self.change(*id, &[TaskState::InProgress], |task| task.say(now_ns, *level, text))
            }
            Verb::MessageOnce { id, key, text } => self.message_once(*id, key, text),
            Verb::Progress { id, progress } => self.progress(*id, progress),
            Verb::Finish { id } => self.end(*id, Outcome::Finished, ""),
            Verb::Fail { id, reason } => self.end(*id, Outcome::Failed, reason),
            Verb::Dismiss { id, by } => self.change(*id, ENDED, |task| task.dismiss(now_ns, by)),
            Verb::Restore { id } => {
                let touches = self.fault != Fault::RestoresTheTime;
                self.change(*id, &[TaskState::Dismissed], |task| {
                    task.touch(if touches { now_ns } else { 0 });
                    task.dismissed = None;
                })
            }
            Verb::Delete { id } => {
                let answer = self.change(*id, &[ENDED, &[TaskState::Dismissed]].concat(), |_| ());
                if answer == Answer::Done {
                    self.tasks.remove(id);
                    self.keys.retain(|_, named| named != id);
                    self.message_keys.retain(|(named, _)| named != id);
                }
                answer
            }
            Verb::DismissAll { configuration, by } => self.dismiss_all(*configuration, by),
            Verb::Add { name } => {
                let id = self.newest_configuration() + 1;
                self.configurations.insert(id, (name.clone(), false));
                Answer::Id(id)
            }
            Verb::Rename { configuration, name } => self.reconfigure(*configuration, |found| found.0.clone_from(name)),
            Verb::DeleteConfiguration { configuration } => self.reconfigure(*configuration, |found| found.1 = true),
            Verb::Run(verb) => self.runs.call(verb, now_ns, self.monotonic_ns, self.fault),
        }
    }

    fn start(&mut self, title: &str, configuration: Option<i64>, key: Option<&String>) -> Answer {
        if let Some(id) = key.and_then(|key| self.keys.get(key)) {
            return Answer::Id(*id);
        }
        if let Some(id) = configuration.filter(|id| !self.is_there(*id)) {
            return Answer::NotFound("configuration", id);
        }
        self.newest_task += 1;
        let task = PlainTask {
            title: title.to_owned(),
            configuration,
            outcome: None,
            times: (self.now_ns, self.now_ns, None),
            dismissed: None,
            progress: None,
            messages: Vec::new(),
        };
        self.tasks.insert(self.newest_task, task);
        self.keys.extend(key.map(|key| (key.clone(), self.newest_task)));
        Answer::Id(self.newest_task)
    }

    fn message_once(&mut self, id: i64, key: &str, text: &str) -> Answer {
        let named = (id, key.to_owned());
        if self.message_keys.contains(&named) {
            return Answer::Done;
        }
        let now_ns = self.now_ns;
        let answer = self.change(id, &[TaskState::InProgress], |task| task.say(now_ns, Level::Info, text));
        if answer == Answer::Done {
            self.message_keys.insert(named);
        }
        answer
    }

    fn progress(&mut self, id: i64, progress: &Progress) -> Answer {
        let (now_ns, monotonic_ns) = (self.now_ns, self.monotonic_ns);
        let said = self.said.get_mut(&id);
        let keeps = |said: &&mut Said| said.written_ns.is_some_and(|then| monotonic_ns - then < 1_000_000_000);
        if self.in_batch.is_none()
            && let Some(said) = said.filter(keeps)
        {
            said.kept = Some((progress.clone(), now_ns));
            return Answer::Done;
        }
        let answer = self.change(id, &[TaskState::InProgress], |task| {
            task.touch(now_ns);
            task.progress = Some(progress.clone());
        });
        if answer == Answer::Done {
            self.said.insert(id, Said { written_ns: Some(monotonic_ns), kept: None });
            self.in_batch.iter_mut().for_each(|touched| touched.extend([id]));
        }
        answer
    }

    fn end(&mut self, id: i64, outcome: Outcome, reason: &str) -> Answer {
        let (now_ns, said) = (self.now_ns, self.said.remove(&id));
        self.in_batch.iter_mut().for_each(|touched| touched.extend([id]));
        self.change(id, &[TaskState::InProgress], |task| {
            said.into_iter().for_each(|said| task.take_over(said));
            task.end(now_ns, outcome, reason);
        })
    }

    fn change(&mut self, id: i64, needed: &[TaskState], change: impl FnOnce(&mut PlainTask)) -> Answer {
        let Some(task) = self.tasks.get_mut(&id) else { return Answer::NotFound("task", id) };
        if !needed.contains(&task.state()) {
            return Answer::WrongState(id, task.state(), task.dismissed.clone().map(|(_, by)| by));
        }
        change(task);
        Answer::Done
    }

    fn dismiss_all(&mut self, configuration: Option<i64>, by: &str) -> Answer {
        if configuration.is_some_and(|id| !self.is_there(id)) {
            return Answer::Id(0);
        }
        let mut dismissed = 0;
        for task in self.tasks.values_mut() {
            let meant = configuration.is_none() || task.configuration == configuration;
            if meant && ENDED.contains(&task.state()) {
                task.dismiss(self.now_ns, by);
                dismissed += 1;
            }
        }
        Answer::Id(dismissed)
    }

    fn reconfigure(&mut self, id: i64, change: impl FnOnce(&mut (String, bool))) -> Answer {
        if !self.is_there(id) {
            return Answer::NotFound("configuration", id);
        }
        change(self.configurations.get_mut(&id).unwrap());
        Answer::Done
    }

    fn is_there(&self, configuration: i64) -> bool {
        self.configurations.get(&configuration).is_some_and(|(_, deleted)| !deleted)
    }

    /// The tasks by id, as the store must show them.
    pub(crate) fn tasks(&self) -> BTreeMap<i64, Shown> {
        let mut tasks = self.tasks_in_file();
        for (id, said) in &self.said {
            tasks.get_mut(id).unwrap().0.take_over(said.clone());
        }
        tasks
    }

    /// The same as another store must show them.
    pub(crate) fn tasks_in_file(&self) -> BTreeMap<i64, Shown> {
        let shown = self.tasks.iter().map(|(id, task)| {
            let configuration = task.configuration.filter(|id| self.is_there(*id));
            let name = task.configuration.map_or(String::new(), |id| self.configurations[&id].0.clone());
            (*id, (task.clone(), configuration, name))
        });
        shown.collect()
    }

    /// The tasks by id, as a store shows them. What a store does not show is taken from the model.
    pub(crate) fn tasks_of(&self, found: &Everything) -> BTreeMap<i64, Shown> {
        let shown = found.tasks.iter().map(|(task, messages)| {
            let ns = |time: chrono::DateTime<chrono::Utc>| time.timestamp_nanos_opt().unwrap();
            let said = messages.iter().map(|m| (m.seq, ns(m.time), m.level, m.text.clone()));
            assert_eq!(task.message_count, messages.len() as u64);
            let plain = PlainTask {
                title: task.title.clone(),
                configuration: self.tasks.get(&task.id.get()).and_then(|task| task.configuration),
                outcome: task.outcome,
                times: (ns(task.started), ns(task.updated), task.finished.map(ns)),
                dismissed: task.dismissed.map(|time| (ns(time), task.dismissed_by.clone().unwrap())),
                progress: task.progress.clone(),
                messages: said.collect(),
            };
            (task.id.get(), (plain, task.configuration_id.map(i64::from), task.configuration_name.clone()))
        });
        shown.collect()
    }

    /// A full count, of all tasks or those of a configuration.
    pub(crate) fn count(&self, configuration: Option<i64>, outcome: Option<Outcome>, dismissed: bool) -> u64 {
        let meant = |task: &&PlainTask| {
            configuration.is_none_or(|id| task.configuration == Some(id) && self.is_there(id))
                && task.outcome == outcome
                && task.dismissed.is_some() == dismissed
        };
        self.tasks.values().filter(meant).count() as u64
    }

    pub(crate) fn configurations(&self) -> Vec<(i64, String)> {
        let there = self.configurations.iter().filter(|(_, (_, deleted))| !deleted);
        there.map(|(id, (name, _))| (*id, name.clone())).collect()
    }

    pub(crate) fn configurations_of(found: &Everything) -> Vec<(i64, String)> {
        found.configurations.iter().map(|found| (found.id.get(), found.name.clone())).collect()
    }
}

const ENDED: &[TaskState] = &[TaskState::Finished, TaskState::Failed, TaskState::Interrupted];
