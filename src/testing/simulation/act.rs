//! What can happen.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::system_task::{LogLevel, SystemTaskStatus};
use crate::task::{Level, Outcome, Progress};

/// Something that happens. Tasks and runs have numbers of the simulation's own until they have ids.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Act {
    /// When, in nanoseconds from the beginning.
    pub(super) at: u64,
    pub(super) what: What,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum What {
    AddConfiguration {
        name: String,
    },
    Register {
        name: String,
        description: String,
    },
    Start {
        task: u64,
        title: String,
        by: String,
        configuration: Option<usize>,
    },
    Message {
        task: u64,
        level: Level,
        text: String,
    },
    Progress {
        task: u64,
        progress: Progress,
    },
    End {
        task: u64,
        outcome: Outcome,
        reason: String,
    },
    Dismiss {
        task: u64,
        by: String,
    },
    Restore {
        task: u64,
    },
    /// Nothing more happens to the task.
    Forget {
        task: u64,
    },
    StartRun {
        run: u64,
        name: String,
        uid: Option<String>,
        description: String,
        kept: Duration,
    },
    Log {
        run: u64,
        level: LogLevel,
        event: String,
        counted: Option<(String, u64)>,
    },
    Status {
        run: u64,
        status: SystemTaskStatus,
    },
    /// Cut off if there is a reason.
    EndRun {
        run: u64,
        interrupted: Option<String>,
    },
    CleanExpired,
}
