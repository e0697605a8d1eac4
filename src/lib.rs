#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// On docs.rs, which builds with a nightly compiler, each item says which feature gives it.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "tokio")]
mod async_store;
mod backup;
mod batch;
mod change;
mod check;
mod clock;
mod configuration;
mod error;
mod export;
#[cfg(feature = "http")]
pub mod http;
mod id;
mod import;
mod limits;
mod maintenance;
mod options;
mod owner;
mod page;
mod prune;
mod recovery;
mod retention;
mod rfc3339;
mod sqlite;
mod stats;
mod store;
mod stream;
mod system_task;
mod task;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
#[cfg(feature = "tracing")]
pub mod trace_layer;
pub mod wire;

#[cfg(feature = "tokio")]
pub use async_store::{
    AsyncConfigurations, AsyncRunningSystemTask, AsyncRunningTask, AsyncSystemTasks, AsyncTaskStore,
};
pub use backup::BackupProgress;
pub use batch::Batch;
pub use change::ChangeToken;
pub use check::{CheckProgress, Finding};
pub use clock::{Clock, SystemClock};
pub use configuration::{Configuration, ConfigurationId, Configurations};
pub use error::{EngineError, Error, Result};
pub use export::{
    ExportHeader, ExportLine, ExportReport, ExportedConfiguration, ExportedEvent, ExportedEvents, ExportedMessages,
    ExportedRun, ExportedSystemTask, ExportedTask, LastIds,
};
pub use import::{ImportProblem, ImportReport};
pub use limits::Limits;
pub use maintenance::CleanReport;
pub use options::{Durability, OpenOptions};
pub use page::{Cursor, Page};
pub use prune::{PruneProgress, PruneReport, PruneStop};
pub use recovery::RecoverReport;
pub use retention::{Retention, RetentionRule};
pub use stats::{OldestInProgress, Stats};
pub use store::TaskStore;
pub use system_task::{
    Attributes, Direction, LogEvent, LogLevel, LoggedEvent, NumberedPage, PageNumber, Pagination, Run, RunId,
    RunOptions, RunningSystemTask, SortField, SortKey, StartedRun, SystemTask, SystemTaskFilter, SystemTaskStatus,
    SystemTasks,
};
pub use task::{
    ConfigurationFilter, Dismissed, Level, Message, NewTask, NotDetached, NotEnded, Order, Outcome, Outcomes, Progress,
    RunError, RunningTask, Task, TaskCounts, TaskFilter, TaskId, TaskState, TaskWithMessages, TimeRange,
};

/// Pages of `docs/`, whose examples are tested with the others.
#[cfg(doctest)]
mod docs {
    #[doc = include_str!("../docs/durability.md")]
    mod durability {}
}
