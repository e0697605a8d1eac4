//! The last ids that were given: SQLite keeps them, so that none is given twice.

use rusqlite::{named_params, params};

use super::error::during;
use super::transaction::{Read, Write};
use crate::Result;
use crate::export::LastIds;

/// Also right where another program has changed what SQLite keeps.
const LAST_IDS: &str = "
    SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'configuration'), 0),
            coalesce((SELECT max(id) FROM configuration), 0)),
        max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'task'), 0),
            coalesce((SELECT max(id) FROM task), 0)),
        max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'run'), 0),
            coalesce((SELECT max(id) FROM run), 0))";

pub(crate) fn last_ids(read: &Read<'_>) -> Result<LastIds> {
    let mut ids = read.connection.prepare_cached(LAST_IDS).map_err(during("read the last ids"))?;
    let row = ids.query_row([], |row| Ok(LastIds { configuration: row.get(0)?, task: row.get(1)?, run: row.get(2)? }));
    row.map_err(during("read the last ids"))
}

const RAISE: &str = "UPDATE sqlite_sequence SET seq = max(seq, :last) WHERE name = :table";

const ADD: &str = "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)";

/// Keeps ids up to these from being given.
pub(crate) fn raise(write: &Write<'_>, to: &LastIds) -> Result<()> {
    for (table, last) in [("configuration", to.configuration), ("task", to.task), ("run", to.run)] {
        let values = named_params! { ":table": table, ":last": last };
        // A table that never had a row has none there either.
        if last > 0 && write.change("keep the last ids", RAISE, values)? == 0 {
            write.change("keep the last ids", ADD, params![table, last])?;
        }
    }
    Ok(())
}
