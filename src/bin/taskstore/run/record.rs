//! What a command is recorded as: a task, or a run of a system task.

use std::ffi::OsString;
use std::mem;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use taskstore::{
    Error, Level, Limits, LogEvent, LogLevel, NewTask, RunOptions, RunningSystemTask, RunningTask, SystemTaskStatus,
    TaskStore,
};

use super::buffer::Line;

/// How a command failed.
pub struct Failed {
    /// In words.
    pub reason: String,
    /// For programs: the exit status, or the signal.
    pub exit: Value,
}

/// Something in progress that lines are added to and that ends as the command does.
pub trait Record: Send + 'static {
    /// What a person is told of: `task 12`.
    fn subject(&self) -> String;

    /// Adds lines, in one transaction.
    fn write(&self, lines: &[Line]) -> Result<(), Error>;

    /// Ends it, in one transaction, behind a note for whoever reads it later.
    fn end(&self, note: Option<&str>, failed: Option<&Failed>) -> Result<(), Error>;

    /// An end was tried: the guard must not try another one. If the record is still in progress, it is interrupted when the
    /// store is closed, or recovered.
    fn let_go(self);
}

pub struct TaskRecord {
    store: TaskStore,
    task: RunningTask,
}

impl TaskRecord {
    pub fn start(store: &TaskStore, task: NewTask) -> Result<Self, Error> {
        Ok(Self { store: store.clone(), task: store.start(task)? })
    }
}

impl Record for TaskRecord {
    fn subject(&self) -> String {
        format!("task {}", self.task.id())
    }

    fn write(&self, lines: &[Line]) -> Result<(), Error> {
        let id = self.task.id();
        self.store.batch(|batch| lines.iter().try_for_each(|line| batch.message(id, line.level, line.text.as_str())))
    }

    fn end(&self, note: Option<&str>, failed: Option<&Failed>) -> Result<(), Error> {
        let id = self.task.id();
        self.store.batch(|batch| {
            note.map_or(Ok(()), |note| batch.message(id, Level::Warn, note))?;
            match failed {
                None => batch.finish(id),
                Some(Failed { reason, .. }) => batch.fail(id, reason.as_str()),
            }
        })
    }

    fn let_go(self) {
        // The store is closed by its name, so that the guard's handle may stay.
        mem::forget(self.task);
    }
}

pub struct SystemTaskRecord {
    store: TaskStore,
    run: RunningSystemTask,
    /// The command's name.
    logger: String,
    warn_on_stderr: bool,
    warned: AtomicBool,
}

impl SystemTaskRecord {
    pub fn start(
        store: &TaskStore,
        (name, uid): (String, Option<&str>),
        options: RunOptions,
        command: &[OsString],
        warn_on_stderr: bool,
    ) -> Result<Self, Error> {
        let run = store.system_tasks().start_with(name, uid, options)?;
        Ok(Self { store: store.clone(), run, logger: logger(command), warn_on_stderr, warned: AtomicBool::new(false) })
    }
}

impl Record for SystemTaskRecord {
    fn subject(&self) -> String {
        format!("system task {}", self.run.uuid())
    }

    fn write(&self, lines: &[Line]) -> Result<(), Error> {
        let run = self.run.started();
        self.store.batch(|batch| {
            lines.iter().try_for_each(|line| {
                let level = if line.level == Level::Warn { LogLevel::Warning } else { LogLevel::Info };
                self.warned.fetch_or(level == LogLevel::Warning, Ordering::Relaxed);
                batch.log(run, LogEvent::new(level, line.text.as_str()).logger(self.logger.as_str()))
            })
        })
    }

    fn end(&self, note: Option<&str>, failed: Option<&Failed>) -> Result<(), Error> {
        let run = self.run.started();
        let event = |level, text: &str| LogEvent::new(level, text).logger(self.logger.as_str());
        let warned = self.warn_on_stderr && self.warned.load(Ordering::Relaxed);
        self.store.batch(|batch| {
            note.map_or(Ok(()), |note| batch.log(run, event(LogLevel::Warning, note)))?;
            let status = match failed {
                Some(Failed { reason, exit }) => {
                    batch.log(run, event(LogLevel::Error, reason).attributes(exit)?)?;
                    SystemTaskStatus::Error
                }
                None if warned => SystemTaskStatus::Warning,
                None => SystemTaskStatus::Successful,
            };
            batch.set_status(run, status, [""; 0])?;
            batch.finish_run(run)
        })
    }

    fn let_go(self) {
        mem::forget(self.run);
    }
}

/// The file's name of the command, as far as a logger's name may go.
fn logger(command: &[OsString]) -> String {
    let program = command.first().map(Path::new).and_then(Path::file_name).unwrap_or_default();
    let mut name = program.to_string_lossy().into_owned();
    name.truncate(name.floor_char_boundary(Limits::default().name_bytes_max));
    name
}

impl Failed {
    pub fn with_status(reason: String, status: i32) -> Self {
        Self { reason, exit: json!({ "exit_status": status }) }
    }

    pub fn by_signal(reason: String, signal: i32, name: Option<&str>) -> Self {
        Self { reason, exit: json!({ "signal": signal, "signal_name": name }) }
    }

    pub fn without_exit(reason: String) -> Self {
        Self { reason, exit: json!({}) }
    }
}
