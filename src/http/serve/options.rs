//! What a server is run with.

use std::time::Duration;

/// A longer one is as good as this: some clocks cannot count to the end of the longest.
const HEAD_TIME_LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What [`serve`](super::serve()) is run with.
///
/// | option | default | |
/// | --- | --- | --- |
/// | [`connections_max`](Self::connections_max) | 1,024 | one more takes the place of that which waits for its client the longest |
/// | [`head_time_max`](Self::head_time_max) | 10 s | a connection without a whole head of a request for longer is closed |
/// | [`send_time_max`](Self::send_time_max) | 30 s | one that takes nothing of its answer for longer is closed |
/// | [`shutdown_time_max`](Self::shutdown_time_max) | 30 s | what is not done so long after the shutdown is cut off |
///
/// The head of a request has at most 100 headers and 64 KiB; more is 431.
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    pub(super) connections_max: usize,
    pub(super) head_time_max: Duration,
    pub(super) send_time_max: Duration,
    pub(super) shutdown_time_max: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl ServeOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            connections_max: 1_024,
            head_time_max: Duration::from_secs(10),
            send_time_max: Duration::from_secs(30),
            shutdown_time_max: Duration::from_secs(30),
        }
    }

    /// How many connections there are at a time. Each is a file descriptor, and the system limits those: let it be well
    /// below `ulimit -n`. At least 1.
    #[must_use]
    pub fn connections_max(self, connections_max: usize) -> Self {
        Self { connections_max: connections_max.max(1), ..self }
    }

    /// How long the head of a request may take to arrive, from the begin of the connection or the end of the answer before.
    /// So it is also how long a connection is kept that asks nothing more.
    #[must_use]
    pub fn head_time_max(self, head_time_max: Duration) -> Self {
        Self { head_time_max: head_time_max.min(HEAD_TIME_LONGEST), ..self }
    }

    /// How long a client may take nothing of its answer.
    #[must_use]
    pub fn send_time_max(self, send_time_max: Duration) -> Self {
        Self { send_time_max, ..self }
    }

    /// How long requests that are being answered at the shutdown may take to their ends.
    #[must_use]
    pub fn shutdown_time_max(self, shutdown_time_max: Duration) -> Self {
        Self { shutdown_time_max, ..self }
    }
}
