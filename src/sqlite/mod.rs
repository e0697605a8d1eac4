//! All SQL and all of rusqlite: nothing outside this module names either.

mod back_off;
mod backup;
mod changes;
mod check;
pub(crate) mod configuration;
mod connection;
pub(crate) mod counters;
mod database;
mod error;
mod keyed;
#[cfg(feature = "tracing")]
pub(crate) mod look;
mod network;
mod open;
pub(crate) mod owner;
mod place;
mod processes;
mod row;
mod schema;
mod search;
mod sharing;
pub(crate) mod space;
pub(crate) mod stats;
pub(crate) mod system_task;
pub(crate) mod task;
mod transaction;
mod turn;
mod upgrade;
mod writer;

pub(crate) use check::check;
pub(crate) use database::Database;
pub use error::EngineError;
pub(crate) use error::outside;
pub(crate) use open::Location;
pub(crate) use transaction::{Read, Verbs, Write};
#[cfg(feature = "tokio")]
pub(crate) use writer::{Call, GROUP_MAX};

#[cfg(test)]
mod tests;
