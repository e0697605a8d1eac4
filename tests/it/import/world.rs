//! Any store, made by its verbs.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::value::RawValue;
use taskstore::{Level, LogEvent, LogLevel, NewTask, Progress, RunOptions, StartedRun, SystemTaskStatus, TaskStore};

use crate::support::{ManualClock, Nanoseconds as _, configuration_id, options, task_id};

/// 1678 to 2261.
const FIRST_NS: i64 = -9_214_560_000_000_000_000;
const LAST_NS: i64 = 9_214_560_000_000_000_000;

const TEXTS: [&str; 7] =
    ["a", "Copy", "ünï \"\\\u{1}\n\r\t", "\u{2028}漢 \u{202e}", "{\"end\":{}}", "\u{feff}x", "\u{1f600}\u{fffd}'; --"];
const ATTRIBUTES: [&str; 5] = [
    "{}",
    r#"{"b":1.50,"a":123456789012345678901234567890,"b":2}"#,
    "{\n  \"pretty\": [1,\r\n 2]\n}",
    r#"{"text":"\u0000 \"\\ \n"}"#,
    r#"{ "deep" : [[[[{}]]]] }"#,
];

/// What is done next. Numbers choose among what there is.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Clock(i64),
    Configuration {
        text: usize,
    },
    Rename {
        configuration: i64,
        text: usize,
    },
    DeleteConfiguration {
        configuration: i64,
    },
    Start {
        text: usize,
        configuration: Option<i64>,
        key: bool,
    },
    Message {
        task: i64,
        level: Level,
        text: usize,
        key: bool,
    },
    Progress {
        task: i64,
        done: u64,
        total: Option<u64>,
        phase: Option<usize>,
    },
    End {
        task: i64,
        fails: Option<usize>,
    },
    Dismiss {
        task: i64,
        text: usize,
    },
    Restore {
        task: i64,
    },
    DeleteTask {
        task: i64,
    },
    Register {
        text: usize,
    },
    StartRun {
        text: usize,
        uid: Option<usize>,
        key: bool,
        options: u8,
    },
    Log {
        run: usize,
        level: usize,
        text: usize,
        attributes: usize,
        key: bool,
    },
    Status {
        run: usize,
        status: usize,
    },
    EndRun {
        run: usize,
    },
    /// The guards of a task and of a run are let go.
    Interrupt {
        text: usize,
    },
    Clean,
}

fn step() -> impl Strategy<Value = Step> {
    let text = 0..TEXTS.len();
    let task = 1..12_i64;
    let configuration = 1..4_i64;
    let run = 0..8_usize;
    let units = [1, 1_000, 1_000_000, 1_000_000_000];
    prop_oneof![
        4 => (FIRST_NS..=LAST_NS).prop_map(Step::Clock),
        4 => (-99..99_i64, prop::sample::select(units.to_vec())).prop_map(|(n, unit)| Step::Clock(n * unit)),
        2 => text.clone().prop_map(|text| Step::Configuration { text }),
        1 => (configuration.clone(), text.clone())
            .prop_map(|(configuration, text)| Step::Rename { configuration, text }),
        1 => configuration.clone().prop_map(|configuration| Step::DeleteConfiguration { configuration }),
        8 => (text.clone(), prop::option::of(configuration), any::<bool>())
            .prop_map(|(text, configuration, key)| Step::Start { text, configuration, key }),
        8 => (task.clone(), prop::sample::select(&Level::ALL[..]), text.clone(), any::<bool>())
            .prop_map(|(task, level, text, key)| Step::Message { task, level, text, key }),
        4 => (task.clone(), any::<u64>(), prop::option::of(0..9_u64), prop::option::of(text.clone()))
            .prop_map(|(task, done, total, phase)| Step::Progress { task, done: done >> 1, total, phase }),
        6 => (task.clone(), prop::option::of(text.clone())).prop_map(|(task, fails)| Step::End { task, fails }),
        3 => (task.clone(), text.clone()).prop_map(|(task, text)| Step::Dismiss { task, text }),
        1 => task.clone().prop_map(|task| Step::Restore { task }),
        1 => task.prop_map(|task| Step::DeleteTask { task }),
        2 => text.clone().prop_map(|text| Step::Register { text }),
        6 => (text.clone(), prop::option::of(0..3_usize), any::<bool>(), any::<u8>())
            .prop_map(|(text, uid, key, options)| Step::StartRun { text, uid, key, options }),
        8 => (run.clone(), 0..8_usize, text, 0..ATTRIBUTES.len(), any::<bool>())
            .prop_map(|(run, level, text, attributes, key)| Step::Log { run, level, text, attributes, key }),
        2 => (run.clone(), 0..4_usize).prop_map(|(run, status)| Step::Status { run, status }),
        6 => run.prop_map(|run| Step::EndRun { run }),
        2 => (0..TEXTS.len()).prop_map(|text| Step::Interrupt { text }),
        1 => Just(Step::Clean),
    ]
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..60)
}

/// A store, its clock, and the runs that were started.
pub(super) struct World {
    pub(super) store: TaskStore,
    clock: ManualClock,
    runs: Vec<StartedRun>,
    keys: u32,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::at_ns(0);
        let store = options().clock(clock.clone()).open_temporary().unwrap();
        Self { store, clock, runs: Vec::new(), keys: 0 }
    }

    pub(super) fn of(steps: &[Step]) -> Self {
        let mut world = Self::new();
        steps.iter().for_each(|step| world.take(step));
        world.store.flush().unwrap();
        world
    }

    fn key(&mut self, wanted: bool) -> Option<String> {
        self.keys += 1;
        wanted.then(|| format!("key {} {}", self.keys, TEXTS[2]))
    }

    /// What is refused, for want of such a task say, is refused.
    fn take(&mut self, step: &Step) {
        match step {
            Step::Clock(ns) if (-200_000_000_000..200_000_000_000).contains(ns) => self.clock.advance_ns(*ns),
            Step::Clock(ns) => self.clock.set_ns(*ns),
            Step::StartRun { text, uid, key, options } => {
                let mut run = RunOptions::new().description(TEXTS[*text]);
                run.expires_after = match options & 3 {
                    0 => None,
                    1 => Some(Duration::from_nanos(1_000_000_001)),
                    _ => run.expires_after,
                };
                run.only_on_failure = options & 4 > 0;
                run.key = self.key(*key);
                let uid = uid.map(|uid| ["", "1", TEXTS[2]][uid]);
                let started = self.store.batch(|batch| batch.start_run(TEXTS[*text], uid, run));
                self.runs.extend(started.ok());
            }
            Step::Log { .. } | Step::Status { .. } | Step::EndRun { .. } => self.take_of_run(step),
            _ => self.take_of_task(step),
        }
    }

    fn take_of_task(&mut self, step: &Step) {
        let store = self.store.clone();
        let _ = match step {
            Step::Configuration { text } => store.configurations().add(TEXTS[*text]).map(drop),
            Step::Rename { configuration, text } => {
                store.configurations().rename(configuration_id(*configuration), TEXTS[*text])
            }
            Step::DeleteConfiguration { configuration } => {
                store.configurations().delete(configuration_id(*configuration))
            }
            Step::Start { text, configuration, key } => {
                let mut new = NewTask::new(TEXTS[*text]).performed_by(TEXTS[*text]);
                (new.configuration, new.key) = (configuration.map(configuration_id), self.key(*key));
                store.start_detached(new).map(drop)
            }
            Step::Message { task, level, text, key } => match self.key(*key) {
                Some(key) => store.message_once(task_id(*task), key, *level, TEXTS[*text]),
                None => store.message(task_id(*task), *level, TEXTS[*text]),
            },
            Step::Progress { task, done, total, phase } => {
                let mut progress = Progress::new(*done);
                (progress.total, progress.phase) = (*total, phase.map(|phase| TEXTS[phase].to_owned()));
                store.progress(task_id(*task), &progress)
            }
            Step::End { task, fails: None } => store.finish(task_id(*task)),
            Step::End { task, fails: Some(reason) } => store.fail(task_id(*task), TEXTS[*reason]),
            Step::Dismiss { task, text } => store.dismiss(task_id(*task), TEXTS[*text]),
            Step::Restore { task } => store.restore(task_id(*task)),
            Step::DeleteTask { task } => store.batch(|batch| batch.delete(task_id(*task))),
            Step::Register { text } => store.system_tasks().register(TEXTS[*text], TEXTS[*text]),
            Step::Interrupt { text } => {
                drop(store.start(NewTask::new(TEXTS[*text])));
                store.system_tasks().start(TEXTS[*text], None).map(drop)
            }
            Step::Clean => store.clean_expired().map(drop),
            _ => Ok(()),
        };
    }

    fn take_of_run(&mut self, step: &Step) {
        let (Step::Log { run, .. } | Step::Status { run, .. } | Step::EndRun { run, .. }) = step else { return };
        let Some(run) = self.runs.get(run % self.runs.len().max(1)).cloned() else { return };
        let store = self.store.clone();
        match step {
            Step::Log { level, text, attributes, key, .. } => {
                let attributes = RawValue::from_string(ATTRIBUTES[*attributes].to_owned()).unwrap();
                let event = LogEvent::new(LogLevel::ALL[*level], TEXTS[*text]).attributes(attributes).unwrap();
                let event = self.key(*key).into_iter().fold(event, LogEvent::key);
                let _ = store.batch(|batch| batch.log(&run, event));
            }
            Step::Status { status, .. } => {
                let _ = store.batch(|batch| batch.set_status(&run, SystemTaskStatus::ALL[*status], ["said"]));
            }
            _ => {
                let _ = store.batch(|batch| batch.finish_run(&run));
            }
        }
    }
}
