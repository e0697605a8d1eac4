//! Upgrades from released schema versions, forward only. A step is never edited after its release.
//!
//! To add one: put `NNNN.sql`, which leads *to* version NNNN, beside this file; list it in [`STEPS`]; raise
//! [`NEWEST`](super::schema::NEWEST); keep the released `schema.sql` as `tests/fixtures/schema_N.sql`. The test below
//! then holds the upgraded fixture against the new `schema.sql`.

use rusqlite::Connection;

use super::error::during;
use crate::Result;

/// One step: the version that it leads to, and how.
pub(super) type Step = (i64, &'static str);

/// Every step, in order. Nothing is released yet, so there is none.
pub(super) const STEPS: &[Step] = &[];

/// Runs the steps behind `found` up to `newest`, inside the caller's transaction.
pub(super) fn run(connection: &Connection, steps: &[Step], found: i64, newest: i64) -> Result<()> {
    for (_, sql) in steps.iter().filter(|(version, _)| (found + 1..=newest).contains(version)) {
        connection.execute_batch(sql).map_err(during("upgrade the schema"))?;
    }
    connection.pragma_update(None, "user_version", newest).map_err(during("upgrade the schema"))
}
