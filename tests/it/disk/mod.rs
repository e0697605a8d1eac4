//! A simulated disk: what a power cut, a disk that fails, and a lack of memory leave of a store.
//!
//! SQLite writes through a file system of this binary's own, which passes every call on to the real one, notes it, and
//! fails it where a test says so. From what was noted a disk is rebuilt as a power cut may have left it at any moment.

mod crash_states;
mod failed_calls;
mod fault;
mod life;
mod memory;
mod out_of_memory;
mod power_cut;
mod random;
mod recording;
mod rounds;
mod script;
mod simulated;
#[cfg(feature = "tracing")]
mod traced;
mod vfs;
mod world;
