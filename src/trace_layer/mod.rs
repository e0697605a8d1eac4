//! A layer for `tracing_subscriber` by which spans are tasks; feature `tracing`.
//!
//! Three lines show the work of a program that uses `tracing` as tasks. Keep the [handle](TaskLayerHandle) that comes with the
//! layer until the program ends: dropping it writes what is queued, and nothing is recorded from then on, so `let _ =` would
//! record nothing. By default nothing is dropped: when more is logged than the disk takes, whoever logs [waits](WhenFull).
//! Events are lost only if the store cannot be written for [ten seconds](TaskLayerBuilder::retry_for), which the handle
//! [tells](TaskLayerHandle::lost).
//!
//! ```
//! use taskstore::{TaskStore, trace_layer::TaskLayer};
//! use tracing_subscriber::prelude::*;
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("tasks.db");
//! let store = TaskStore::open(&path)?; // 1
//! let (tasks, writer) = TaskLayer::new(&store)?; // 2
//! let subscriber = tracing_subscriber::registry()
//!     .with(tasks) // 3
//!     .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr));
//! // A program says subscriber.init(), once for all threads.
//! tracing::subscriber::with_default(subscriber, || {
//!     let span = tracing::info_span!("deploy", task.title = "Deploy", task.performed_by = "ann");
//!     span.in_scope(|| tracing::info!(host = "db 1", files = 2, "copying"));
//! });
//! writer.shutdown();
//!
//! let task = store.list(&Default::default())?.items.remove(0);
//! assert_eq!((task.title.as_str(), task.performed_by.as_str()), ("Deploy", "ann"));
//! assert_eq!(task.outcome, Some(taskstore::Outcome::Finished));
//! assert_eq!(store.messages(task.id, 0, 10)?[0].text, r#"copying host="db 1" files=2"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which spans are tasks
//!
//! A span with the field `task.title` is a task, one with the field `system_task.name` a run of a system task, whatever its
//! name and level. Fields are read when the span is made; later only the error is.
//!
//! | field of the span | |
//! | --- | --- |
//! | `task.title` | the [title](crate::NewTask::title); without a value the span's name |
//! | `task.performed_by` | the [user](crate::NewTask::performed_by) |
//! | `task.configuration` | the [id](crate::ConfigurationId) of its configuration; where there is none of it, a message says so |
//! | `task.key` | its [key](crate::NewTask::key): where there is a task of it, the span adds to that |
//! | `system_task.name`, `.uid`, `.description`, `.key` | the same for a [system task](crate::SystemTasks::start_with) |
//! | `task.error`, `system_task.error` | why it failed; usually [`Empty`](https://docs.rs/tracing/latest/tracing/field/struct.Empty.html) at first |
//!
//! What is logged inside the span, or inside a span within it, on any thread and across `.await` (by `.instrument`), becomes a
//! message of the task: its text, then its fields as ` name=value`, texts in quotes, as `fmt` shows them. For a run it becomes a
//! log event: the target is its logger, and the fields are its attributes (of `tracing`'s levels, trace becomes debug). Of spans
//! one inside the other the innermost one that is a task gets it, and each is a task of its own. What is logged elsewhere is
//! not touched. Each bears the time at which it was said, by the store's clock.
//!
//! # How a task ends
//!
//! With its span, which is when the last handle of it, and of every span inside it, is gone:
//!
//! - failed, if an error was told by then: `span.record("task.error", "no space")`, where the span declares the field (`record`
//!   does nothing otherwise); or by an event with that field, `tracing::error!(task.error = %error, "deploying failed")`,
//!   anywhere inside. The last one counts, and becomes the last message. An event that says nothing else is no message;
//! - failed, too, if the function that is the span returns an error and is marked `#[instrument(fields(task.title = "Deploy"),
//!   err)]`: an event directly in the task's own span, at level error, that has no text and no field but `error` tells why
//!   it failed. In a span inside it, which the task may have got over, and in any other event a field `error` is a field as
//!   any other;
//! - interrupted, if the span closes because its thread panics ("panicked"); and if it is still open when the handle is
//!   [shut down](TaskLayerHandle::shutdown), its process is killed, or the [store closes](crate::TaskStore#closing).
//! - finished otherwise: also if a future was dropped half-way, since a span does not tell.
//!
//! # What it costs
//!
//! Whoever logs makes the text and queues it; a thread of the layer writes all that is queued in one transaction, with one
//! sync. So what was logged in the last moments before a process is killed may be missing;
//! [`flush`](TaskLayerHandle::flush) waits until it is there. Of each task the [first](TaskLayerBuilder::keep_first)
//! thousand events are written as they come; from then on the [last](TaskLayerBuilder::keep_last) hundred are kept in memory
//! until the end, and a message says how many were left out before them ("… 1234 messages left out"). Texts that are too
//! long for the store's [limits](crate::Limits) are cut, and a NUL in a name becomes U+FFFD. Where that would make two things
//! one, it does not: the name or uid of a system task ends with a hash of the whole then, and a task whose key the store does
//! not take starts without it, and says so in a message.
//!
//! The layer itself never logs: what a [redaction](TaskLayerBuilder::redact) or the store's [clock](crate::Clock) logs meanwhile
//! is not recorded, and its failures are told by the [handle](TaskLayerHandle::last_error).

mod doubt;
mod event;
mod handle;
mod inside;
mod layer;
mod object;
mod queue;
mod record;
mod settings;
mod span;
mod traced;
mod value;
mod writer;

pub use handle::TaskLayerHandle;
pub use layer::TaskLayer;
pub use settings::{TaskLayerBuilder, WhenFull};

use tracing_core::Metadata;

use crate::task::Level;

/// The fields that tell why a task, or a run, failed.
fn is_error_field(name: &str) -> bool {
    matches!(name, "task.error" | "system_task.error")
}

/// Whether an event is what `#[instrument(err)]` logs where the function returns an error: no more than the error, at level
/// error.
fn is_outcome(event: &Metadata<'_>) -> bool {
    let mut fields = event.fields().iter();
    *event.level() == tracing_core::Level::ERROR
        && fields.next().is_some_and(|field| field.name() == "error")
        && fields.next().is_none()
}

/// The level of the same name.
fn level_of(level: tracing_core::Level) -> Level {
    match level {
        tracing_core::Level::ERROR => Level::Error,
        tracing_core::Level::WARN => Level::Warn,
        tracing_core::Level::INFO => Level::Info,
        tracing_core::Level::DEBUG => Level::Debug,
        _ => Level::Trace,
    }
}
