//! The JSON of the published APIs, to the byte. No HTTP: whoever serves it parses the request's body with these
//! types and lets them write the answer's.
//!
//! What the store knows beyond a published shape (levels, progress, interruptions) never leaks into it: clients
//! exist that refuse an unknown member.

pub mod system_task_api;
pub mod task_api;
pub(crate) mod time;

/// What could not be done when the writer of an answer fails.
const WRITE: &str = "write the answer";
