//! `taskstore run` and `taskstore system-task run`: a real command, run as a task or as a run of a system task.
//!
//! Threads: two pass the command's output on ([`stream`]) and put its lines into a bounded buffer ([`buffer`]), one
//! writes them from there ([`recorder`]), one turns signals into events. This one waits for the events and decides.

mod buffer;
mod command;
mod ending;
mod event;
mod lines;
mod record;
mod recorder;
pub mod signals;
mod stream;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use taskstore::{Error, Level, TaskStore};

use self::buffer::Buffer;
use self::command::{Outputs, Running};
use self::ending::Ending;
use self::event::Event;
use self::record::{Failed, Record, SystemTaskRecord, TaskRecord};
use self::recorder::Recorded;
use self::signals::Watched;
use crate::arguments::RunArguments;
use crate::arguments::system_task::SystemTaskRunArguments;
use crate::failure::Failure;
use crate::terminal::complain;
use crate::terminal::text::harmless;
use crate::{database, failure, verbs};

const LEFT_BEHIND: &str =
    "a process that the command left behind still holds its output; what it prints from here is not recorded";

/// `taskstore run`.
pub fn run(db: &Path, RunArguments { task, quiet, command }: RunArguments) -> Result<ExitCode, Failure> {
    record(db, &command, quiet, |store| TaskRecord::start(store, verbs::new_task(task)))
}

/// `taskstore system-task run`.
pub fn run_system_task(db: &Path, arguments: SystemTaskRunArguments) -> Result<ExitCode, Failure> {
    let SystemTaskRunArguments { name, uid, quiet, warn_on_stderr, command, .. } = &arguments;
    record(db, command, *quiet, |store| {
        let identity = (name.clone(), uid.as_deref());
        SystemTaskRecord::start(store, identity, arguments.options(), command, *warn_on_stderr)
    })
}

/// Runs a command, and records it as what `start` starts.
fn record<R: Record>(
    db: &Path,
    command: &[OsString],
    quiet: bool,
    start: impl FnOnce(&TaskStore) -> Result<R, Error>,
) -> Result<ExitCode, Failure> {
    let store = database::open_or_create(db)?;
    // Before the record starts: a signal that kills us from here on would leave it in progress, or a command alone.
    let watched = signals::watch().map_err(|source| Failure::System { action: "watch for signals", source })?;
    let record = start(&store)?;
    let subject = record.subject();
    if !quiet {
        complain(&format!("taskstore: {subject} started"));
    }
    let buffer = Arc::new(Buffer::new());
    let (sender, events) = mpsc::channel();
    recorder::start(record, Arc::clone(&buffer), sender.clone())
        .map_err(|source| Failure::System { action: "start a thread", source })?;

    let ending = run_command(command, watched, &buffer, sender, &events);
    buffer.close(ending.failed());
    let recorded = wait_for_recorder(&buffer, &events);
    // The files are closed here, since a death by signal runs no destructor. What was recorded is on disk anyway.
    let _ = store.close();
    report(&subject, &ending, recorded.as_ref(), quiet);
    Ok(ending.exit_as_it())
}

/// Starts the command, and waits until it has ended and its output is drained.
fn run_command(
    command: &[OsString],
    mut watched: Watched,
    buffer: &Arc<Buffer>,
    sender: Sender<Event>,
    events: &Receiver<Event>,
) -> Ending {
    // A Ctrl-C in the instant between this look and the start is the only one that the command never gets.
    if let Some(signal) = signals::already_received(&mut watched) {
        buffer.push_now(Level::Warn, format!("received {}", signals::name(signal)));
        return Ending::Stopped { signal };
    }
    let (mut command, mut outputs) = match command::start(command, watched, buffer, sender) {
        Ok(started) => started,
        Err(error) => return Ending::NotStarted(error),
    };
    let status = match wait_for_end(&mut command, &mut outputs, buffer, events) {
        Ok(status) => status,
        Err(error) => return Ending::Unknown(error),
    };
    outputs.command_has_ended();
    drain(&mut outputs, buffer, events);
    if outputs.left_behind() {
        buffer.push_now(Level::Warn, LEFT_BEHIND.to_owned());
    }
    Ending::Exited(status)
}

fn wait_for_end(
    command: &mut Running,
    outputs: &mut Outputs,
    buffer: &Buffer,
    events: &Receiver<Event>,
) -> io::Result<ExitStatus> {
    loop {
        match events.recv().map_err(io::Error::other)? {
            Event::Signal(origin) if signals::is_of_a_child(&origin) => {
                if let Some(status) = command.has_ended()? {
                    return Ok(status);
                }
            }
            Event::Signal(origin) => buffer.push_now(Level::Warn, command.pass_on(&origin)),
            Event::Drained(output) => outputs.drained(output),
            Event::Recorded(_) => {}
        }
    }
}

/// Waits for what is still in the pipes. Who asks us to stop now means us: the command is gone, and we may be held
/// up by whoever reads our output.
fn drain(outputs: &mut Outputs, buffer: &Buffer, events: &Receiver<Event>) {
    while !outputs.are_drained() {
        match events.recv() {
            Ok(Event::Signal(origin)) if !signals::is_of_a_child(&origin) => {
                buffer.push_now(Level::Warn, format!("received {}", signals::name(origin.signal)));
                return;
            }
            Ok(Event::Drained(output)) => outputs.drained(output),
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// `None` cannot be: the recorder answers, and while it does not, its sender is there.
fn wait_for_recorder(buffer: &Buffer, events: &Receiver<Event>) -> Option<Recorded> {
    loop {
        match events.recv() {
            Ok(Event::Recorded(recorded)) => return Some(recorded),
            Ok(Event::Signal(origin)) if !signals::is_of_a_child(&origin) => buffer.hurry(),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

/// What a person is told at the end. A loss is told even if they want it quiet.
fn report(subject: &str, ending: &Ending, recorded: Option<&Recorded>, quiet: bool) {
    let mut subject = subject;
    if let Some(Recorded { failure: Some(error), lost, ended }) = recorded {
        let missing = match (lost, ended) {
            (0, _) => "its end".to_owned(),
            (_, true) => recorder::messages(*lost),
            (_, false) => format!("{} and its end", recorder::messages(*lost)),
        };
        complain(&format!("taskstore: not recorded of {subject}: {missing}: {}", harmless(&failure::chain(error))));
        if !ended {
            subject = "the command";
        }
    }
    match ending.failed() {
        // Nobody would tell otherwise: a shell says so too.
        Some(Failed { reason, .. }) if !quiet || matches!(ending, Ending::NotStarted(_)) => {
            complain(&format!("taskstore: {subject} failed: {}", harmless(&reason)));
        }
        None if !quiet => complain(&format!("taskstore: {subject} finished")),
        _ => {}
    }
}
