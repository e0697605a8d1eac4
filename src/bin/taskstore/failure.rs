//! Why a command of this program failed, and the line that says so.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use taskstore::{EngineError, Error};

use crate::terminal::text::harmless;

const CHECK_PERMISSIONS: &str = "; check the permissions of the file and of its directory";

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Store(#[from] Error),

    #[error("cannot use {}", path.display())]
    Unusable { path: PathBuf, source: Error },

    /// The library's own text speaks of an option that this program does not have.
    #[error("cannot open {}", path.display())]
    CannotOpen { path: PathBuf, source: EngineError },

    #[error("{} does not exist; `taskstore start` or `run` creates it", path.display())]
    NoDatabase { path: PathBuf },

    #[error("{} is not empty; give another --db, or --add", path.display())]
    NotEmpty { path: PathBuf },

    #[error("cannot listen on {listen}")]
    CannotListen { listen: String, source: io::Error },

    /// What each argument alone does not tell. It has lines of its own.
    #[error(transparent)]
    Usage(clap::Error),

    #[error("cannot read {}", path.display())]
    CannotRead { path: PathBuf, source: io::Error },

    #[error("interrupted; {what}")]
    Interrupted { what: &'static str },

    #[error("could not write the output")]
    Output { source: io::Error },

    #[error("could not {action}")]
    System { action: &'static str, source: io::Error },
}

impl Failure {
    /// Whether whoever read our output has closed it.
    pub fn is_closed_output(&self) -> bool {
        match self {
            Self::Output { source } | Self::Store(Error::Io { source, .. }) => source.kind() == ErrorKind::BrokenPipe,
            Self::Store(_)
            | Self::Unusable { .. }
            | Self::CannotOpen { .. }
            | Self::NoDatabase { .. }
            | Self::NotEmpty { .. }
            | Self::CannotListen { .. }
            | Self::CannotRead { .. }
            | Self::Interrupted { .. }
            | Self::Usage(_)
            | Self::System { .. } => false,
        }
    }

    /// The failure in one line, with what to do about it where we know.
    pub fn line(&self) -> String {
        let advice = match self {
            Self::Store(error) | Self::Unusable { source: error, .. } => advice(error),
            Self::CannotOpen { .. } => CHECK_PERMISSIONS,
            Self::NoDatabase { .. }
            | Self::NotEmpty { .. }
            | Self::CannotListen { .. }
            | Self::CannotRead { .. }
            | Self::Interrupted { .. }
            | Self::Usage(_)
            | Self::Output { .. }
            | Self::System { .. } => "",
        };
        format!("taskstore: {}{advice}", harmless(&chain(self)))
    }
}

impl From<io::Error> for Failure {
    /// Nearly all that this program does to the system by itself is to print.
    fn from(source: io::Error) -> Self {
        Self::Output { source }
    }
}

/// The error and its causes, joined by `: `.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn advice(error: &Error) -> &'static str {
    match error {
        Error::Busy { .. } => "; another process is writing to it: try again",
        Error::ReadOnly => CHECK_PERMISSIONS,
        Error::DiskFull { .. } => "; make room and try again",
        Error::Damaged { .. } => "; restore it from a backup",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_done_about_it_is_told() {
        let line = |error| Failure::Store(error).line();
        let busy = line(Error::Busy { waited: std::time::Duration::from_secs(5) });
        assert!(busy.ends_with("; another process is writing to it: try again"), "{busy}");
        assert!(line(Error::ReadOnly).ends_with(CHECK_PERMISSIONS));
        assert!(!line(Error::Closed).contains(';'));
    }

    #[test]
    fn a_stream_that_nobody_takes_is_told_and_one_that_was_closed_is_not() {
        let stream = |source: io::Error| Failure::Store(Error::Io { action: "write the export", source });
        let cut = stream(io::Error::new(ErrorKind::TimedOut, "nobody took any of it for 30s"));
        assert!(!cut.is_closed_output());
        assert_eq!(cut.line(), "taskstore: could not write the export: nobody took any of it for 30s");
        assert!(stream(ErrorKind::BrokenPipe.into()).is_closed_output());
    }
}
