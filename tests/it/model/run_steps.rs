//! What a test of the model may do with system tasks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use taskstore::{Batch, LogEvent, LogLevel, Result, RunOptions, StartedRun, SystemTaskStatus};

pub(crate) const NAMES: [&str; 2] = ["scan", "fetch"];
pub(crate) const UIDS: [Option<&str>; 3] = [None, Some(""), Some("ann")];

/// A verb. Its run is drawn as a small number, which is turned into the id of one that was once started.
#[derive(Clone, Debug)]
pub(crate) enum RunVerb {
    Register {
        name: String,
        description: String,
    },
    Start {
        name: String,
        uid: Option<String>,
        key: Option<String>,
        description: Option<String>,
        expires_after_ns: Option<i64>,
        only_on_failure: bool,
    },
    Log {
        run: i64,
        key: Option<String>,
        text: String,
    },
    SetStatus {
        run: i64,
        status: SystemTaskStatus,
        messages: Vec<String>,
    },
    Finish {
        run: i64,
    },
}

/// The runs that were started, also in batches that were undone, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Started(RefCell<BTreeMap<i64, StartedRun>>);

impl Started {
    /// Of a guard.
    pub(crate) fn insert(&self, run: &StartedRun) {
        self.0.borrow_mut().insert(run.id().get(), run.clone());
    }

    fn with<T>(&self, id: i64, call: impl FnOnce(&StartedRun) -> T) -> T {
        call(&self.0.borrow()[&id])
    }
}

impl RunVerb {
    /// A start.
    pub(crate) fn first() -> Self {
        let name = NAMES[0].to_owned();
        Self::Start { name, uid: None, key: None, description: None, expires_after_ns: None, only_on_failure: false }
    }

    /// The run that it is about, if it is about one.
    pub(crate) fn run(&mut self) -> Option<&mut i64> {
        match self {
            Self::Log { run, .. } | Self::SetStatus { run, .. } | Self::Finish { run } => Some(run),
            Self::Register { .. } | Self::Start { .. } => None,
        }
    }

    pub(crate) fn call_in(&self, batch: &Batch<'_>, started: &Started) -> Result<Option<i64>> {
        match self.clone() {
            Self::Register { name, description } => batch.register_system_task(name, description)?,
            Self::Start { name, uid, key, description, expires_after_ns, only_on_failure } => {
                let options = RunOptions::new().never_expires();
                let options = key.into_iter().fold(options, RunOptions::key);
                let options = description.into_iter().fold(options, RunOptions::description);
                let expires_after = expires_after_ns.map(|ns| Duration::from_nanos(ns.unsigned_abs()));
                let options = expires_after.into_iter().fold(options, RunOptions::expires_after);
                let options = if only_on_failure { options.only_on_failure() } else { options };
                let run = batch.start_run(name, uid.as_deref(), options)?;
                let id = run.id().get();
                started.insert(&run);
                return Ok(Some(id));
            }
            Self::Log { run, key, text } => {
                let event = key.into_iter().fold(LogEvent::new(LogLevel::Info, text), LogEvent::key);
                started.with(run, |run| batch.log(run, event))?;
            }
            Self::SetStatus { run, status, messages } => {
                started.with(run, |run| batch.set_status(run, status, messages))?;
            }
            Self::Finish { run } => started.with(run, |run| batch.finish_run(run))?,
        }
        Ok(None)
    }
}

pub(crate) fn run_verb() -> impl Strategy<Value = RunVerb> {
    let run = 0..30_i64;
    let name = prop::sample::select(&NAMES[..]).prop_map(str::to_owned);
    let uid = prop::sample::select(&UIDS[..]).prop_map(|uid| uid.map(str::to_owned));
    let text = "[a-c]{0,2}";
    let key = || prop::option::weighted(0.4, "[a-c]");
    let expires_after_ns = prop::option::weighted(0.7, 0..200_i64);
    let status = prop::sample::select(&SystemTaskStatus::ALL[..]);
    let start = (name.clone(), uid, key(), prop::option::of(text), expires_after_ns, prop::bool::weighted(0.3));
    prop_oneof![
        2 => (name, text).prop_map(|(name, description)| RunVerb::Register { name, description }),
        6 => start.prop_map(|(name, uid, key, description, expires_after_ns, only_on_failure)| {
            RunVerb::Start { name, uid, key, description, expires_after_ns, only_on_failure }
        }),
        5 => (run.clone(), key(), text).prop_map(|(run, key, text)| RunVerb::Log { run, key, text }),
        3 => (run.clone(), status, prop::collection::vec(text, 0..3))
            .prop_map(|(run, status, messages)| RunVerb::SetStatus { run, status, messages }),
        5 => run.prop_map(|run| RunVerb::Finish { run }),
    ]
}
