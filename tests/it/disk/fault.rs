//! Which call of the disk fails, and how.

use std::fmt;
use std::str::FromStr;

use rusqlite::ffi;

/// What SQLite asks of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Open,
    Read,
    Write,
    Truncate,
    Sync,
    Size,
    Lock,
    Delete,
    Map,
    LockMap,
}

/// What is wrong with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Any call fails.
    InputOutput,
    /// Writing finds no space.
    Full,
    /// Syncing fails.
    Sync,
}

/// The call that fails: the n-th of those that this fault can hit, and all behind it if it is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) fault: Fault,
    pub(super) from: u64,
    pub(super) forever: bool,
}

impl Fault {
    pub(super) const ALL: [Self; 3] = [Self::InputOutput, Self::Full, Self::Sync];

    /// The result code of a call that this fault hits, or `None` if it cannot.
    pub(super) fn code(self, call: Call) -> Option<i32> {
        match (self, call) {
            (Self::InputOutput, _) => Some(match call {
                Call::Open => ffi::SQLITE_CANTOPEN,
                Call::Read => ffi::SQLITE_IOERR_READ,
                Call::Write => ffi::SQLITE_IOERR_WRITE,
                Call::Truncate => ffi::SQLITE_IOERR_TRUNCATE,
                Call::Sync => ffi::SQLITE_IOERR_FSYNC,
                Call::Size => ffi::SQLITE_IOERR_FSTAT,
                Call::Lock => ffi::SQLITE_IOERR_LOCK,
                Call::Delete => ffi::SQLITE_IOERR_DELETE,
                Call::Map => ffi::SQLITE_IOERR_SHMMAP,
                Call::LockMap => ffi::SQLITE_IOERR_SHMLOCK,
            }),
            (Self::Full, Call::Write) => Some(ffi::SQLITE_FULL),
            (Self::Sync, Call::Sync) => Some(ffi::SQLITE_IOERR_FSYNC),
            _ => None,
        }
    }

    /// Whether what is written already can be read while it lasts.
    pub(super) fn leaves_reads(self) -> bool {
        self != Self::InputOutput
    }

    fn name(self) -> &'static str {
        match self {
            Self::InputOutput => "io",
            Self::Full => "full",
            Self::Sync => "sync",
        }
    }
}

impl fmt::Display for Plan {
    /// `io,once,17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = if self.forever { "forever" } else { "once" };
        write!(f, "{},{times},{}", self.fault.name(), self.from)
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<_> = text.split(',').collect();
        let [name, times, from] = parts[..] else { return Err(format!("{text:?} is no fault")) };
        let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name).ok_or(format!("no fault {name:?}"))?;
        let from = from.parse().map_err(|_| format!("{from:?} is no number of a call"))?;
        Ok(Self { fault, from, forever: times == "forever" })
    }
}
