//! The command: its start, its process group, the signals that it gets.
//!
//! Every signal that we receive reaches the command exactly once:
//!
//! - In the foreground of a terminal the command stays in our process group, so that it may read the terminal. What
//!   the terminal sends (Ctrl-C) it sends to the whole group, the command included; only what was sent to us alone is
//!   passed on. (A process that signals the whole foreground group cannot be told from one that signals us:
//!   the command then gets its signal twice.)
//! - Elsewhere the command gets a process group of its own. Nobody but us knows that group, so whatever we receive is
//!   passed on to it.

use std::ffi::OsString;
use std::io::{self, PipeReader, PipeWriter};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use signal_hook::low_level::siginfo::Origin;
use taskstore::Level;

use super::buffer::Buffer;
use super::event::Event;
use super::signals::{self, Watched};
use super::stream::{self, Drained, Stream};

/// A command that was started and has not been waited for: until then its process id is its own.
pub struct Running {
    child: Child,
    shares_our_group: bool,
}

/// The two outputs of the command, as far as the main thread knows them.
pub struct Outputs {
    open: usize,
    left_behind: bool,
    /// Closed to tell the streams that the command has ended.
    in_progress: Option<PipeWriter>,
}

/// Starts the threads, then the command, so that after its start nothing more can fail.
pub fn start(
    command: &[OsString],
    watched: Watched,
    buffer: &Arc<Buffer>,
    events: Sender<Event>,
) -> io::Result<(Running, Outputs)> {
    let [program, arguments @ ..] = command else { return Err(io::ErrorKind::NotFound.into()) };
    let (ended, in_progress) = io::pipe()?;
    let stdout = pass_on(stream::stdout()?, Level::Info, &ended, buffer, &events)?;
    let stderr = pass_on(stream::stderr()?, Level::Warn, &ended, buffer, &events)?;
    thread::Builder::new().spawn(move || watch(watched, &events))?;

    let shares_our_group = signals::in_the_foreground();
    let mut command = Command::new(program);
    command.args(arguments).stdout(stdout).stderr(stderr);
    if !shares_our_group {
        command.process_group(0);
    }
    // Our handlers are not inherited, and SIGPIPE, which we ignore, is set back to kill the command as anywhere else.
    let child = command.spawn()?;
    Ok((Running { child, shares_our_group }, Outputs { open: 2, left_behind: false, in_progress: Some(in_progress) }))
}

/// Makes a pipe for an output of the command and a thread that passes it on.
fn pass_on(
    (name, sink): (&'static str, std::fs::File),
    level: Level,
    ended: &PipeReader,
    buffer: &Arc<Buffer>,
    events: &Sender<Event>,
) -> io::Result<PipeWriter> {
    let (source, write_end) = io::pipe()?;
    let stream = Stream::new(source, ended.try_clone()?, sink, name, level);
    let (buffer, events) = (Arc::clone(buffer), events.clone());
    thread::Builder::new().spawn(move || {
        let drained = stream.pass_on(&buffer);
        // Nobody listens any more once the main thread has decided to end.
        let _ = events.send(Event::Drained(drained));
    })?;
    Ok(write_end)
}

fn watch(mut watched: Watched, events: &Sender<Event>) {
    for origin in watched.forever() {
        if events.send(Event::Signal(origin)).is_err() {
            return;
        }
    }
}

impl Running {
    /// Reaps the command if it has ended. No signal is passed on afterwards: its process id may be another's then.
    pub fn has_ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Passes a signal on, unless the command has it already. Gives what to record of it.
    pub fn pass_on(&self, origin: &Origin) -> String {
        let name = signals::name(origin.signal);
        if self.shares_our_group && signals::is_for_the_foreground(origin) {
            return format!("received {name}");
        }
        match self.send(origin.signal) {
            Ok(()) => format!("received {name}"),
            Err(error) => format!("received {name}, which could not be passed on: {}", error.desc()),
        }
    }

    fn send(&self, signal: i32) -> nix::Result<()> {
        let signal = Signal::try_from(signal)?;
        let pid = Pid::from_raw(self.child.id().try_into().map_err(|_| nix::errno::Errno::ESRCH)?);
        if self.shares_our_group { kill(pid, signal) } else { killpg(pid, signal) }
    }
}

impl Outputs {
    pub fn drained(&mut self, output: Drained) {
        self.open = self.open.saturating_sub(1);
        self.left_behind |= output.left_behind;
    }

    /// From now on the streams wait only a little longer.
    pub fn command_has_ended(&mut self) {
        self.in_progress = None;
    }

    pub fn are_drained(&self) -> bool {
        self.open == 0
    }

    pub fn left_behind(&self) -> bool {
        self.left_behind
    }
}
