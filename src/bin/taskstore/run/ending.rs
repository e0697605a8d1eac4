//! How a command ended, and how to end likewise.

use std::io::{self, ErrorKind};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use signal_hook::low_level::{emulate_default_handler, signal_name};

use super::record::Failed;

/// What a shell exits with for a command that it does not find, that it cannot start, and, with the signal's number
/// added, that died of a signal.
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;
const KILLED: i32 = 128;

pub enum Ending {
    /// It ran and ended.
    Exited(ExitStatus),
    /// The system could not start it.
    NotStarted(io::Error),
    /// The system did not tell how it ended.
    Unknown(io::Error),
    /// We were asked to stop before it was started.
    Stopped { signal: i32 },
}

impl Ending {
    /// How the command failed; `None` if it did not.
    pub fn failed(&self) -> Option<Failed> {
        match self {
            Self::Exited(status) if status.success() => None,
            Self::Exited(status) => Some(match (status.code(), status.signal()) {
                (Some(code), _) => Failed::with_status(format!("exited with status {code}"), code),
                (None, Some(signal)) => {
                    Failed::by_signal(format!("killed by {}", numbered(signal)), signal, signal_name(signal))
                }
                (None, None) => Failed::without_exit(status.to_string()),
            }),
            Self::NotStarted(error) => {
                let reason = format!("could not start: {}", system_text(error));
                Some(Failed::with_status(reason, not_started(error).into()))
            }
            Self::Unknown(error) => {
                Some(Failed::without_exit(format!("could not wait for the command: {}", system_text(error))))
            }
            Self::Stopped { signal } => {
                let reason = format!("stopped by {} before the command was started", numbered(*signal));
                Some(Failed::by_signal(reason, *signal, signal_name(*signal)))
            }
        }
    }

    /// Ends this process as the command ended: this returns only for an exit status.
    pub fn exit_as_it(&self) -> ExitCode {
        match self {
            Self::Exited(status) => match (status.code(), status.signal()) {
                (Some(code), _) => ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)),
                (None, Some(signal)) => die_of(signal),
                (None, None) => ExitCode::FAILURE,
            },
            Self::NotStarted(error) => ExitCode::from(not_started(error)),
            Self::Unknown(_) => ExitCode::FAILURE,
            Self::Stopped { signal } => die_of(*signal),
        }
    }
}

/// What a command that could not be started exits with.
fn not_started(error: &io::Error) -> u8 {
    if error.kind() == ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE }
}

/// Dies of the signal, so that our caller sees what it would have seen of the command. Where that cannot be, gives what
/// a shell would exit with.
fn die_of(signal: i32) -> ExitCode {
    // A core file of ours would say nothing, and might take the place of the command's.
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_CORE) {
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, hard);
    }
    let _ = emulate_default_handler(signal);
    ExitCode::from(u8::try_from(KILLED + signal).unwrap_or(u8::MAX))
}

/// `signal 9 (SIGKILL)`
fn numbered(signal: i32) -> String {
    signal_name(signal).map_or_else(|| format!("signal {signal}"), |name| format!("signal {signal} ({name})"))
}

/// What the system says of an error, without Rust's "(os error 2)" behind it.
pub fn system_text(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |code| Errno::from_raw(code).desc().to_owned())
}
