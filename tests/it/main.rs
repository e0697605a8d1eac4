//! One binary for all integration tests: a module a behaviour.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]

#[cfg(feature = "tokio")]
mod async_store;
mod backup;
mod batch;
mod change;
mod check;
#[cfg(feature = "cli")]
mod cli;
mod configurations;
mod counts;
mod damage;
mod disk;
mod faults;
mod fuzz;
mod history;
#[cfg(feature = "http")]
mod http;
mod import;
mod input;
mod keys;
mod killed;
mod lifecycle;
mod lists;
mod model;
mod once;
mod opening;
mod progress;
mod prune;
mod recovery;
mod schema;
mod soak;
mod stats;
mod streams;
mod support;
mod syncs;
mod system_task;
mod testing;
mod time;
#[cfg(feature = "tracing")]
mod trace_layer;
mod wire;
