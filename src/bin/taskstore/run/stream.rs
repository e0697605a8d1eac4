//! One output of the command, passed on as it comes and cut into lines.

use std::fs::File;
use std::io::{self, ErrorKind, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use taskstore::Level;

use super::buffer::Buffer;
use super::ending::system_text;
use super::lines::Lines;

/// What is read at once: what a pipe holds by default.
const CHUNK_BYTES: usize = 64 << 10;
/// How long a process that the command left behind may keep us.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most that a pipe holds, unless an administrator allows more. What the command wrote before it ended is still
/// in the pipe, and is read even if passing it on takes longer than the patience.
const PIPE_BYTES_MAX: usize = 1 << 20;

pub fn stdout() -> io::Result<(&'static str, File)> {
    Ok(("output", io::stdout().as_fd().try_clone_to_owned()?.into()))
}

pub fn stderr() -> io::Result<(&'static str, File)> {
    Ok(("error output", io::stderr().as_fd().try_clone_to_owned()?.into()))
}

pub struct Stream {
    source: PipeReader,
    /// At its end as soon as the command has ended.
    ended: PipeReader,
    /// Our own output, without any buffer.
    sink: File,
    name: &'static str,
    level: Level,
    /// Set once the command has ended.
    rest: Option<Rest>,
}

/// What is still waited for after the command's end.
#[derive(Clone, Copy)]
struct Rest {
    deadline: Instant,
    bytes: usize,
}

/// How a stream ended.
pub struct Drained {
    /// Some process still holds the pipe.
    pub left_behind: bool,
}

impl Stream {
    pub fn new(source: PipeReader, ended: PipeReader, sink: File, name: &'static str, level: Level) -> Self {
        Self { source, ended, sink, name, level, rest: None }
    }

    /// Passes bytes on until the pipe is closed by all who write to it, and pushes their lines. Our end is closed when
    /// this returns.
    ///
    /// If our own output fails, as it does behind `| head`, the pipe is closed early: the command then meets a
    /// closed pipe, as it would have without us. What was read until then is recorded.
    pub fn pass_on(mut self, buffer: &Buffer) -> Drained {
        let mut lines = Lines::new(taskstore::Limits::default().text_bytes_max);
        let mut chunk = vec![0; CHUNK_BYTES];
        let left_behind = loop {
            if !self.wait_for_input() {
                break true;
            }
            let bytes = match self.source.read(&mut chunk) {
                Ok(0) => break false,
                Ok(count) => chunk.get(..count).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break false,
            };
            if let Some(rest) = &mut self.rest {
                rest.bytes = rest.bytes.saturating_sub(bytes.len());
            }
            let passed_on = write_all(&self.sink, bytes);
            lines.take(bytes, |line| buffer.push(self.level, line));
            if let Err(error) = passed_on {
                let problem = system_text(&error);
                buffer.push(Level::Warn, format!("the command's {} was closed, as ours was: {problem}", self.name));
                break false;
            }
        };
        lines.end(|line| buffer.push(self.level, line));
        Drained { left_behind }
    }

    /// Waits until there is something to read, or the pipe is closed; `false` if the patience is over.
    fn wait_for_input(&mut self) -> bool {
        loop {
            let mut waited_for = [
                PollFd::new(self.source.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.ended.as_fd(), PollFlags::POLLIN),
            ];
            let Some(rest) = self.rest else {
                match poll(&mut waited_for, PollTimeout::NONE) {
                    Err(Errno::EINTR) => continue,
                    Err(_) => return true,
                    Ok(_) => {}
                }
                let [_, ended] = waited_for;
                if !ended.any().unwrap_or_default() {
                    return true;
                }
                self.rest = Some(Rest { deadline: Instant::now() + PATIENCE, bytes: PIPE_BYTES_MAX });
                continue;
            };
            let left = rest.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() && rest.bytes == 0 {
                return false;
            }
            let [source, _] = waited_for;
            match poll(&mut [source], PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO)) {
                Err(Errno::EINTR) => {}
                Ok(0) => return false,
                _ => return true,
            }
        }
    }
}

/// Writes all, also where the output is set to refuse instead of to wait, as others who share a terminal may do.
fn write_all(mut sink: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match sink.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let mut writable = [PollFd::new(sink.as_fd(), PollFlags::POLLOUT)];
                // However this ends, the next write tells.
                let _ = poll(&mut writable, PollTimeout::NONE);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
