//! How many files may be open, which limits the connections.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

const CONNECTIONS_MAX: u64 = 1_024;

/// What everything else may need: a database connection of a request has up to three files.
const OTHERS_MAX: u64 = 256;

/// Lets us open as many files as the system allows, and tells for how many connections those are enough.
pub fn connections_max() -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return count(CONNECTIONS_MAX);
    };
    // Where that is refused, we have what we had.
    let files_max = if setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft };
    count(files_max.saturating_sub(OTHERS_MAX).max(files_max / 2).min(CONNECTIONS_MAX))
}

fn count(connections: u64) -> usize {
    usize::try_from(connections).unwrap_or(usize::MAX)
}
