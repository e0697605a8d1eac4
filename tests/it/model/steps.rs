//! What a test of the model may do, and how it is drawn.

use proptest::prelude::*;
use taskstore::{Batch, Level, NewTask, Progress, Result, TaskStore};

use super::plain::Plain;
use super::run_steps::{RunVerb, Started, run_verb};
use crate::support::{configuration_id, task_id};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Verb(Verb),
    /// A guard is dropped.
    Abandon,
    /// The guard of a run is dropped.
    AbandonRun,
    /// What has expired is deleted.
    Clean,
    /// Many verbs at once, which are committed or not.
    Batch(Vec<Verb>, bool),
    /// The clock moves on, or back.
    Clock(i64),
    Reopen,
    /// The store goes on from what a killed process would have left.
    Crash,
}

/// A verb. Its ids are drawn as small numbers, which [`target`] turns into ids that were once given, and some that were not.
#[derive(Clone, Debug)]
pub(crate) enum Verb {
    Start {
        title: String,
        configuration: Option<i64>,
        key: Option<String>,
    },
    Message {
        id: i64,
        level: Level,
        text: String,
    },
    MessageOnce {
        id: i64,
        key: String,
        text: String,
    },
    Progress {
        id: i64,
        progress: Progress,
    },
    Finish {
        id: i64,
    },
    Fail {
        id: i64,
        reason: String,
    },
    Dismiss {
        id: i64,
        by: String,
    },
    DismissAll {
        configuration: Option<i64>,
        by: String,
    },
    Restore {
        id: i64,
    },
    Delete {
        id: i64,
    },
    Add {
        name: String,
    },
    Rename {
        configuration: i64,
        name: String,
    },
    DeleteConfiguration {
        configuration: i64,
    },
    /// One of system tasks.
    Run(RunVerb),
}

impl Verb {
    pub(crate) fn call(&self, store: &TaskStore, runs: &Started) -> Result<Option<i64>> {
        match self.clone() {
            Self::Start { title, configuration, key } => started(store.start_detached(new(title, configuration, key))),
            Self::Message { id, level, text } => done(store.message(task_id(id), level, text)),
            Self::MessageOnce { id, key, text } => done(store.message_once(task_id(id), key, Level::Info, text)),
            Self::Progress { id, progress } => done(store.progress(task_id(id), &progress)),
            Self::Finish { id } => done(store.finish(task_id(id))),
            Self::Fail { id, reason } => done(store.fail(task_id(id), reason)),
            Self::Dismiss { id, by } => done(store.dismiss(task_id(id), by)),
            Self::DismissAll { configuration, by } => {
                counted(store.dismiss_all(configuration.map(configuration_id), by))
            }
            Self::Restore { id } => done(store.restore(task_id(id))),
            Self::Delete { id } => done(store.delete(task_id(id))),
            Self::Add { name } => started(store.configurations().add(name)),
            Self::Rename { configuration, name } => {
                done(store.configurations().rename(configuration_id(configuration), name))
            }
            Self::DeleteConfiguration { configuration } => {
                done(store.configurations().delete(configuration_id(configuration)))
            }
            Self::Run(verb) => store.batch(|batch| verb.call_in(batch, runs)),
        }
    }

    pub(crate) fn call_in(&self, batch: &Batch<'_>, runs: &Started) -> Result<Option<i64>> {
        match self.clone() {
            Self::Start { title, configuration, key } => started(batch.start_detached(new(title, configuration, key))),
            Self::Message { id, level, text } => done(batch.message(task_id(id), level, text)),
            Self::MessageOnce { id, key, text } => done(batch.message_once(task_id(id), key, Level::Info, text)),
            Self::Progress { id, progress } => done(batch.progress(task_id(id), &progress)),
            Self::Finish { id } => done(batch.finish(task_id(id))),
            Self::Fail { id, reason } => done(batch.fail(task_id(id), reason)),
            Self::Dismiss { id, by } => done(batch.dismiss(task_id(id), by)),
            Self::DismissAll { configuration, by } => {
                counted(batch.dismiss_all(configuration.map(configuration_id), by))
            }
            Self::Restore { id } => done(batch.restore(task_id(id))),
            Self::Delete { id } => done(batch.delete(task_id(id))),
            Self::Add { name } => started(batch.add_configuration(name)),
            Self::Rename { configuration, name } => {
                done(batch.rename_configuration(configuration_id(configuration), name))
            }
            Self::DeleteConfiguration { configuration } => {
                done(batch.delete_configuration(configuration_id(configuration)))
            }
            Self::Run(verb) => verb.call_in(batch, runs),
        }
    }
}

fn new(title: String, configuration: Option<i64>, key: Option<String>) -> NewTask {
    let new = key.into_iter().fold(NewTask::new(title), NewTask::key);
    configuration.into_iter().fold(new, |new, id| new.configuration(configuration_id(id)))
}

fn started(answer: Result<impl Into<i64>>) -> Result<Option<i64>> {
    answer.map(|id| Some(id.into()))
}

fn counted(answer: Result<u64>) -> Result<Option<i64>> {
    answer.map(|count| Some(i64::try_from(count).unwrap()))
}

fn done(answer: Result<()>) -> Result<Option<i64>> {
    answer.map(|()| None)
}

/// The verb with its ids turned into ones of the model: mostly of rows there are or were, else of none. A verb of a run needs
/// one that was started; before there is any, it is turned into its start.
pub(crate) fn target(verb: &Verb, plain: &Plain) -> Verb {
    let mut verb = verb.clone();
    match &mut verb {
        Verb::Message { id, .. }
        | Verb::MessageOnce { id, .. }
        | Verb::Progress { id, .. }
        | Verb::Finish { id }
        | Verb::Fail { id, .. }
        | Verb::Dismiss { id, .. }
        | Verb::Restore { id }
        | Verb::Delete { id } => *id = *id % (plain.newest_task() + 1) + 1,
        Verb::Start { configuration: Some(id), .. }
        | Verb::DismissAll { configuration: Some(id), .. }
        | Verb::Rename { configuration: id, .. }
        | Verb::DeleteConfiguration { configuration: id } => *id = *id % (plain.newest_configuration() + 1) + 1,
        Verb::Start { configuration: None, .. } | Verb::DismissAll { configuration: None, .. } | Verb::Add { .. } => {}
        Verb::Run(run_verb) => {
            if let Some(run) = run_verb.run() {
                match plain.runs.target(*run) {
                    Some(target) => *run = target,
                    None => *run_verb = RunVerb::first(),
                }
            }
        }
    }
    verb
}

fn verb() -> impl Strategy<Value = Verb> {
    let id = 0..60_i64;
    let configuration = 0..6_i64;
    let text = "[a-c']{0,3}";
    let name = "[a-c%]{1,3}";
    let level = prop::sample::select(&Level::ALL[..]);
    let key = "[a-d]";
    let progress = (0..5_u64, prop::option::of(0..5_u64), prop::option::of("[a-c]{0,2}"));
    let progress = progress.prop_map(|(done, total, phase)| {
        let progress = total.into_iter().fold(Progress::new(done), Progress::of);
        phase.into_iter().fold(progress, Progress::phase)
    });
    prop_oneof![
        6 => (text, prop::option::of(configuration.clone()), prop::option::weighted(0.3, key))
            .prop_map(|(title, configuration, key)| Verb::Start { title, configuration, key }),
        4 => (id.clone(), level, text).prop_map(|(id, level, text)| Verb::Message { id, level, text }),
        3 => (id.clone(), key, text).prop_map(|(id, key, text)| Verb::MessageOnce { id, key, text }),
        6 => (id.clone(), progress).prop_map(|(id, progress)| Verb::Progress { id, progress }),
        3 => id.clone().prop_map(|id| Verb::Finish { id }),
        3 => (id.clone(), text).prop_map(|(id, reason)| Verb::Fail { id, reason }),
        4 => (id.clone(), name).prop_map(|(id, by)| Verb::Dismiss { id, by }),
        1 => (prop::option::of(configuration.clone()), name)
            .prop_map(|(configuration, by)| Verb::DismissAll { configuration, by }),
        2 => id.clone().prop_map(|id| Verb::Restore { id }),
        1 => id.prop_map(|id| Verb::Delete { id }),
        2 => name.prop_map(|name| Verb::Add { name }),
        1 => (configuration.clone(), name).prop_map(|(configuration, name)| Verb::Rename { configuration, name }),
        1 => configuration.prop_map(|configuration| Verb::DeleteConfiguration { configuration }),
        16 => run_verb().prop_map(Verb::Run),
    ]
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        40 => verb().prop_map(Step::Verb),
        3 => Just(Step::Abandon),
        2 => Just(Step::AbandonRun),
        2 => Just(Step::Clean),
        3 => (prop::collection::vec(verb(), 0..6), prop::bool::weighted(0.7)).prop_map(|(v, c)| Step::Batch(v, c)),
        8 => (-50..100_i64).prop_map(Step::Clock),
        4 => prop::sample::select(&[1, 333_333_333, 999_999_999, 1_000_000_000][..]).prop_map(Step::Clock),
        2 => Just(Step::Reopen),
        2 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..60)
}
