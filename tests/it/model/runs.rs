//! The part of the model that has the system tasks and their runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use taskstore::{CleanReport, Error, LogLevel, Run, SystemTaskFilter, SystemTaskStatus, TaskStore};
use uuid::Uuid;

use super::plain::{Answer, Fault};
use super::run_steps::{NAMES, RunVerb, UIDS};

/// A system task, by its name and uid.
type Identity = (String, Option<String>);

#[derive(Clone, Debug, PartialEq)]
struct PlainRun {
    status: Option<SystemTaskStatus>,
    interrupted: bool,
    started_ns: i64,
    finished_ns: Option<i64>,
    duration_ns: Option<i64>,
    expires_ns: Option<i64>,
    events: Vec<(i64, LogLevel, String, String)>,
}

/// What a run was started with, and is not shown.
#[derive(Clone, Debug)]
struct Hidden {
    of: Identity,
    key: Option<String>,
    expires_after_ns: Option<i64>,
    only_on_failure: bool,
    event_keys: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct PlainSystemTask {
    /// No two that there ever were have one number.
    born: u64,
    description: String,
    registered_ns: Option<i64>,
    shown_run: Option<i64>,
}

/// What whoever started a run knows of it: the name, and the monotonic time. It stays when the run does not.
type Known = (String, i64);

#[derive(Clone, Debug, Default)]
pub(crate) struct PlainRuns {
    system_tasks: BTreeMap<Identity, PlainSystemTask>,
    runs: BTreeMap<i64, (PlainRun, Hidden)>,
    known: BTreeMap<i64, Known>,
    newest: i64,
    births: u64,
}

/// What is shown of a system task: whether it is listed, with its description, when it was registered, and the run that is
/// shown; and its runs.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ShownSystemTask {
    listed: Option<(String, Option<i64>, Option<i64>)>,
    runs: BTreeMap<i64, PlainRun>,
}

pub(crate) type ShownSystemTasks = BTreeMap<Identity, ShownSystemTask>;

impl PlainRuns {
    /// One of the runs that were once started, if there is any.
    pub(crate) fn target(&self, number: i64) -> Option<i64> {
        let count = i64::try_from(self.known.len()).unwrap();
        self.known.keys().nth(usize::try_from(number % count.max(1)).unwrap()).copied()
    }

    /// What a batch that was undone leaves in its caller's hands.
    pub(crate) fn keep_known(&mut self, batch: &Self) {
        self.known.clone_from(&batch.known);
    }

    pub(crate) fn call(&mut self, verb: &RunVerb, now_ns: i64, monotonic_ns: i64, fault: Fault) -> Answer {
        match verb {
            RunVerb::Register { name, description } => self.register(name, description, now_ns),
            RunVerb::Start { .. } => self.start(verb, now_ns, monotonic_ns),
            RunVerb::Log { run, key, text } => {
                let logger = self.known[run].0.clone();
                if let Some((_, hidden)) = self.runs.get_mut(run)
                    && let Some(key) = key
                {
                    if hidden.event_keys.contains(key) {
                        return Answer::Done;
                    }
                    let answer =
                        self.change(*run, |run| run.events.push((now_ns, LogLevel::Info, logger, text.clone())));
                    if answer == Answer::Done {
                        self.runs.get_mut(run).unwrap().1.event_keys.insert(key.clone());
                    }
                    return answer;
                }
                self.change(*run, |run| run.events.push((now_ns, LogLevel::Info, logger, text.clone())))
            }
            RunVerb::SetStatus { run, status, messages } => {
                let logger = self.known[run].0.clone();
                self.change(*run, |run| {
                    run.status = Some(*status);
                    let events = messages.iter().map(|text| (now_ns, LogLevel::Info, logger.clone(), text.clone()));
                    run.events.extend(events);
                })
            }
            RunVerb::Finish { run } => self.end(*run, now_ns, monotonic_ns, None, fault),
        }
    }

    fn register(&mut self, name: &str, description: &str, now_ns: i64) -> Answer {
        let of = (name.to_owned(), None);
        if !self.system_tasks.contains_key(&of) {
            if self.system_tasks.keys().any(|(other, _)| other == name) {
                return Answer::Done;
            }
            self.bear(of.clone());
        }
        let system_task = self.system_tasks.get_mut(&of).unwrap();
        system_task.registered_ns.get_or_insert(now_ns);
        description.clone_into(&mut system_task.description);
        Answer::Done
    }

    fn bear(&mut self, of: Identity) {
        self.births += 1;
        let (born, description) = (self.births, String::new());
        let system_task = PlainSystemTask { born, description, registered_ns: None, shown_run: None };
        self.system_tasks.insert(of, system_task);
    }

    fn start(&mut self, verb: &RunVerb, now_ns: i64, monotonic_ns: i64) -> Answer {
        let RunVerb::Start { name, uid, key, description, expires_after_ns, only_on_failure } = verb.clone() else {
            unreachable!()
        };
        let of = (name.clone(), uid);
        let of_key = self.runs.iter().find(|(_, (_, run))| key.is_some() && run.of == of && run.key == key);
        let id = match of_key.map(|(id, _)| *id) {
            Some(id) => id,
            None => {
                if !self.system_tasks.contains_key(&of) {
                    self.bear(of.clone());
                }
                if let Some(description) = description {
                    self.system_tasks.get_mut(&of).unwrap().description = description;
                }
                self.newest += 1;
                let run = PlainRun {
                    status: None,
                    interrupted: false,
                    started_ns: now_ns,
                    finished_ns: None,
                    duration_ns: None,
                    expires_ns: None,
                    events: Vec::new(),
                };
                let hidden = Hidden { of, key, expires_after_ns, only_on_failure, event_keys: BTreeSet::new() };
                self.runs.insert(self.newest, (run, hidden));
                self.newest
            }
        };
        self.known.insert(id, (name, monotonic_ns));
        Answer::Id(id)
    }

    fn change(&mut self, id: i64, change: impl FnOnce(&mut PlainRun)) -> Answer {
        match self.runs.get_mut(&id) {
            None => Answer::NotFound("run", id),
            Some((run, _)) if run.finished_ns.is_some() => Answer::RunEnded(id),
            Some((run, _)) => {
                change(run);
                Answer::Done
            }
        }
    }

    fn end(&mut self, id: i64, now_ns: i64, monotonic_ns: i64, reason: Option<&str>, fault: Fault) -> Answer {
        let (logger, then_ns) = self.known[&id].clone();
        let hidden = self.runs.get(&id).map(|(_, hidden)| hidden.clone());
        let mut status = SystemTaskStatus::Error;
        let answer = self.change(id, |run| {
            let finished_ns = run.started_ns.max(now_ns);
            if let Some(reason) = reason {
                run.status = Some(SystemTaskStatus::Error);
                run.interrupted = true;
                run.events.push((now_ns, LogLevel::Error, logger, reason.to_owned()));
            }
            status = *run.status.get_or_insert(SystemTaskStatus::Successful);
            run.finished_ns = Some(finished_ns);
            run.duration_ns = Some(monotonic_ns - then_ns);
            run.expires_ns = hidden.as_ref().unwrap().expires_after_ns.map(|after| finished_ns + after);
        });
        if answer == Answer::Done {
            let hidden = hidden.unwrap();
            let is_kept_off =
                hidden.only_on_failure && status == SystemTaskStatus::Successful && fault != Fault::ShowsEveryRun;
            self.system_tasks.get_mut(&hidden.of).unwrap().shown_run = (!is_kept_off).then_some(id);
        }
        answer
    }

    /// What the drop of the guard of the newest run records.
    pub(crate) fn interrupt_newest(&mut self, now_ns: i64, monotonic_ns: i64) {
        self.end(self.newest, now_ns, monotonic_ns, Some("ended without finish"), Fault::None);
    }

    /// How many runs, events and system tasks go.
    pub(crate) fn clean(&mut self, now_ns: i64) -> (u64, u64, u64) {
        let is_expired = |run: &PlainRun| run.expires_ns.is_some_and(|expires_ns| expires_ns <= now_ns);
        let expired: Vec<_> = self.runs.iter().filter(|(_, (run, _))| is_expired(run)).map(|(id, _)| *id).collect();
        let before = self.system_tasks.len();
        let mut events = 0;
        for id in &expired {
            let (run, hidden) = self.runs.remove(id).unwrap();
            events += run.events.len();
            let system_task = self.system_tasks.get_mut(&hidden.of).unwrap();
            system_task.shown_run = system_task.shown_run.filter(|shown| shown != id);
            let is_left = system_task.registered_ns.is_some() || self.runs.values().any(|(_, run)| run.of == hidden.of);
            if !is_left {
                self.system_tasks.remove(&hidden.of);
            }
        }
        (expired.len() as u64, events as u64, (before - self.system_tasks.len()) as u64)
    }

    /// What must be shown.
    pub(crate) fn shown(&self) -> ShownSystemTasks {
        let mut shown = ShownSystemTasks::new();
        for (of, system_task) in &self.system_tasks {
            let PlainSystemTask { description, registered_ns, shown_run, .. } = system_task.clone();
            let is_listed = registered_ns.is_some() || shown_run.is_some();
            let listed = is_listed.then_some((description, registered_ns, shown_run));
            shown.insert(of.clone(), ShownSystemTask { listed, runs: BTreeMap::new() });
        }
        for (id, (run, hidden)) in &self.runs {
            shown.get_mut(&hidden.of).unwrap().runs.insert(*id, run.clone());
        }
        shown
    }

    /// The number of each system task that there is: one number has one uuid, as long as it is there.
    pub(crate) fn born(&self) -> impl Iterator<Item = (&Identity, u64)> {
        self.system_tasks.iter().map(|(of, system_task)| (of, system_task.born))
    }
}

/// What a store shows of its system tasks, and their uuids.
pub(crate) fn shown_by(store: &TaskStore) -> (ShownSystemTasks, BTreeMap<Identity, Uuid>) {
    let (mut shown, mut uuids) = (ShownSystemTasks::new(), BTreeMap::new());
    let listed = store.system_tasks().list(&SystemTaskFilter::new().limit(1_000)).unwrap().items;
    for (name, uid) in NAMES.iter().flat_map(|name| UIDS.iter().map(move |uid| (*name, *uid))) {
        let of = (name.to_owned(), uid.map(str::to_owned));
        let Some(uuid) = store.system_tasks().find(name, uid).unwrap() else { continue };
        let history = store.system_tasks().history(uuid, None, 1_000).unwrap().items;
        let retrieved = match store.system_tasks().retrieve(uuid) {
            Ok(task) => Some(task),
            Err(Error::NoSuchSystemTask { .. }) => None,
            Err(error) => panic!("{error:?}"),
        };
        assert_eq!(listed.iter().find(|task| task.uuid == uuid), retrieved.as_ref());
        let listed = retrieved.map(|task| {
            // The same run as in the history.
            let run = task.shown_run.as_ref();
            assert_eq!(history.iter().find(|other| run.is_some_and(|run| run.id == other.id)), run);
            (task.description, task.registered.map(ns), task.shown_run.map(|run| run.id.get()))
        });
        let runs = history.into_iter().map(|run| (run.id.get(), plain_run(store, &run))).collect();
        shown.insert(of.clone(), ShownSystemTask { listed, runs });
        uuids.insert(of, uuid);
    }
    (shown, uuids)
}

fn plain_run(store: &TaskStore, run: &Run) -> PlainRun {
    let events = store.system_tasks().events(run.id, 0, 1_000).unwrap();
    assert!(events.iter().map(|event| event.seq).eq(1..=run.event_count), "{run:?}");
    PlainRun {
        status: run.status,
        interrupted: run.interrupted,
        started_ns: ns(run.started),
        finished_ns: run.finished.map(ns),
        duration_ns: run.duration.map(|duration: Duration| i64::try_from(duration.as_nanos()).unwrap()),
        expires_ns: run.expires.map(ns),
        events: events.into_iter().map(|event| (ns(event.time), event.level, event.logger, event.event)).collect(),
    }
}

fn ns(time: DateTime<Utc>) -> i64 {
    time.timestamp_nanos_opt().unwrap()
}

pub(crate) fn cleaned(report: CleanReport) -> (u64, u64, u64) {
    let CleanReport { runs, events, system_tasks, .. } = report;
    (runs, events, system_tasks)
}
