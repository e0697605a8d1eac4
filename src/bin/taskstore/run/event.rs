//! What the main thread waits for.

use signal_hook::low_level::siginfo::Origin;

use super::recorder::Recorded;
use super::stream::Drained;

pub enum Event {
    /// A signal was received.
    Signal(Origin),
    /// One of the command's outputs is at its end, or was given up.
    Drained(Drained),
    /// All is written, or it was given up.
    Recorded(Recorded),
}
