//! Ended tasks that are no longer to be kept: found in pages, deleted in batches.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::error::during;
use super::super::space;
use super::super::transaction::{Read, Write};
use super::count::Counted;
use crate::Result;
use crate::prune::{Ended, Phase};
use crate::task::{Dismissed, TaskId};

/// A transaction ends with the task that reaches one of these, so that other writers wait for milliseconds.
const TASKS_MAX: usize = 200;
const MESSAGES_MAX: i64 = 5_000;
/// Of text, each page of which has to be found and made free.
const BYTES_MAX: i64 = 8 << 20;

/// What a row takes beside its texts, about: its numbers, and its place in the indexes.
const TASK_BYTES: i64 = 150;
const MESSAGE_BYTES: i64 = 20;

macro_rules! columns {
    () => {
        "SELECT id, configuration_id, outcome, dismissed, finished_ns"
    };
}

const OLDEST: &str =
    concat!(columns!(), " FROM task NOT INDEXED WHERE id > ?1 AND outcome IS NOT NULL ORDER BY id LIMIT ?2");

const OLDEST_SHOWN: &str = concat!(
    columns!(),
    " FROM task INDEXED BY task_listed
    WHERE dismissed = ?3 AND id > ?1 AND outcome IS NOT NULL ORDER BY id LIMIT ?2"
);

const NEWEST: &str =
    concat!(columns!(), " FROM task NOT INDEXED WHERE id < ?1 AND outcome IS NOT NULL ORDER BY id DESC LIMIT ?2");

const NEWEST_SHOWN: &str = concat!(
    columns!(),
    " FROM task INDEXED BY task_listed
    WHERE dismissed = ?3 AND id < ?1 AND outcome IS NOT NULL ORDER BY id DESC LIMIT ?2"
);

/// A page of ended tasks, the oldest first, behind this id.
pub(crate) fn oldest(read: &Read<'_>, shown: Dismissed, behind: i64, limit: u32) -> Result<Vec<Ended>> {
    page(read, [OLDEST, OLDEST_SHOWN], shown, behind, limit)
}

/// A page of ended tasks, the newest first, before this id.
pub(crate) fn newest(read: &Read<'_>, shown: Dismissed, before: i64, limit: u32) -> Result<Vec<Ended>> {
    page(read, [NEWEST, NEWEST_SHOWN], shown, before, limit)
}

fn page(
    read: &Read<'_>,
    [all, some]: [&'static str; 2],
    shown: Dismissed,
    beyond: i64,
    limit: u32,
) -> Result<Vec<Ended>> {
    let look = || -> rusqlite::Result<Vec<Ended>> {
        if shown == Dismissed::Included {
            return read.connection.prepare_cached(all)?.query_map(params![beyond, limit], ended)?.collect();
        }
        let values = params![beyond, limit, shown == Dismissed::Only];
        read.connection.prepare_cached(some)?.query_map(values, ended)?.collect()
    };
    look().map_err(during("look for old tasks"))
}

fn ended(row: &Row<'_>) -> rusqlite::Result<Ended> {
    Ok(Ended {
        id: row.get(0)?,
        configuration: row.get(1)?,
        outcome: row.get(2)?,
        dismissed: row.get(3)?,
        finished_ns: row.get(4)?,
    })
}

const LAST: &str = "SELECT coalesce(max(id), 0) FROM task";

const IN_PROGRESS: &str = "SELECT id FROM task INDEXED BY task_in_progress WHERE outcome IS NULL";

/// Which tasks there are at one instant.
#[derive(Debug, Default)]
pub(crate) struct Present {
    /// The id of the newest; 0 if there is none.
    pub(crate) last: i64,
    pub(crate) in_progress: HashSet<TaskId>,
}

pub(crate) fn present(read: &Read<'_>) -> Result<Present> {
    let look = || -> rusqlite::Result<Present> {
        let last = read.connection.prepare_cached(LAST)?.query_row([], |row| row.get(0))?;
        let mut in_progress = read.connection.prepare_cached(IN_PROGRESS)?;
        let in_progress = in_progress.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(Present { last, in_progress })
    };
    read.snapshot(|| look().map_err(during("look for the tasks")))
}

/// What became of some tasks.
#[derive(Debug, Default)]
pub(crate) struct Pruned {
    /// How many of them were dealt with, from the first on.
    pub(crate) dealt_with: usize,
    /// What was deleted.
    pub(crate) tasks: Vec<Ended>,
    pub(crate) messages: u64,
    /// How long the texts of that were, and about how long the rest.
    pub(crate) bytes: u64,
    /// Whether the file is no larger than it may be.
    pub(crate) fits: bool,
    /// Whether the first is too big to go at once: see [`shorten`].
    pub(crate) is_big: bool,
}

/// Deletes those of these tasks that still go, as many as one transaction is to delete.
pub(crate) fn prune(write: &Write<'_>, phase: &Phase, ids: &[TaskId]) -> Result<Pruned> {
    let mut pruned = Pruned::default();
    let [mut messages_sum, mut bytes_sum] = [0; 2];
    for (number, id) in ids.iter().enumerate() {
        if let Some(max) = phase.file_bytes_max
            && space::used_bytes(write.connection)? <= max
        {
            pruned.fits = true;
            break;
        }
        if let Some((task, messages, row_bytes)) = going(write.connection, phase, *id)? {
            if number > 0 && messages_sum + messages > MESSAGES_MAX {
                break;
            }
            pruned.is_big = messages > MESSAGES_MAX;
            let bytes = if pruned.is_big { 0 } else { row_bytes + text_bytes(write.connection, task.id)? };
            pruned.is_big |= messages > 1 && bytes > BYTES_MAX;
            if pruned.is_big || (number > 0 && bytes_sum + bytes > BYTES_MAX) {
                pruned.is_big &= number == 0;
                break;
            }
            delete(write, &task)?;
            (messages_sum, bytes_sum) = (messages_sum + messages, bytes_sum + bytes);
            pruned.tasks.push(task);
        }
        pruned.dealt_with = number + 1;
        if pruned.tasks.len() == TASKS_MAX {
            break;
        }
    }
    (pruned.messages, pruned.bytes) = (messages_sum.cast_unsigned(), bytes_sum.cast_unsigned());
    Ok(pruned)
}

/// Sums up what [`prune`] and [`shorten`] would delete of all these tasks, until the file, of which so many bytes are in
/// use, would be no larger than it may be.
pub(crate) fn rehearse(read: &Read<'_>, phase: &Phase, ids: &[TaskId], used_bytes: u64) -> Result<Pruned> {
    let mut pruned = Pruned::default();
    for id in ids {
        if phase.file_bytes_max.is_some_and(|max| used_bytes.saturating_sub(pruned.bytes) <= max) {
            pruned.fits = true;
            break;
        }
        if let Some((task, messages, row_bytes)) = going(read.connection, phase, *id)? {
            let bytes = row_bytes + text_bytes(read.connection, *id)?;
            pruned.messages += messages.cast_unsigned();
            pruned.bytes += bytes.cast_unsigned();
            pruned.tasks.push(task);
        }
        pruned.dealt_with += 1;
    }
    Ok(pruned)
}

const TASK: &str = concat!(
    columns!(),
    ", message_count, octet_length(title) + octet_length(performed_by) FROM task WHERE id = ?1 AND outcome IS NOT NULL"
);

/// The task, how many messages it has, and how much its row takes; `None` if it does not go: somebody may have dismissed,
/// restored or deleted it since it was found.
fn going(connection: &Connection, phase: &Phase, id: TaskId) -> Result<Option<(Ended, i64, i64)>> {
    Ok(there(connection, id)?.filter(|(task, ..)| phase.takes(task)))
}

/// The same, whether it goes or not.
fn there(connection: &Connection, id: TaskId) -> Result<Option<(Ended, i64, i64)>> {
    let look = || {
        let columns = |row: &Row<'_>| Ok((ended(row)?, row.get(5)?, TASK_BYTES + row.get::<_, i64>(6)?));
        connection.prepare_cached(TASK)?.query_row(params![id], columns).optional()
    };
    look().map_err(during("look for a task"))
}

/// It does not read the texts, however long they are.
const TEXT_BYTES: &str = "
    SELECT coalesce(sum(octet_length(text) + ?2), 0) FROM message WHERE task_id = ?1";

fn text_bytes(connection: &Connection, id: TaskId) -> Result<i64> {
    let mut sum = connection.prepare_cached(TEXT_BYTES).map_err(during("measure a task"))?;
    sum.query_row(params![id, MESSAGE_BYTES], |row| row.get(0)).map_err(during("measure a task"))
}

/// The messages go with the task, by their foreign key.
const DELETE: &str = "DELETE FROM task WHERE id = ?1";

fn delete(write: &Write<'_>, task: &Ended) -> Result<()> {
    write.change("delete a task", DELETE, params![task.id])?;
    let Ended { configuration, outcome, dismissed, .. } = *task;
    write.counts.add(-1, Counted { configuration, outcome: Some(outcome), dismissed });
    Ok(())
}

/// The first messages of an ended task that reach a level. They never change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstOfLevels {
    warn: Option<i64>,
    error: Option<i64>,
}

impl FirstOfLevels {
    /// The level that its first messages reach, as it is stored.
    fn reached(self, messages: i64) -> Option<i64> {
        let within = |seq: Option<i64>| seq.is_some_and(|seq| seq <= messages);
        if within(self.error) { Some(5) } else { within(self.warn).then_some(4) }
    }
}

const FIRST_OF_LEVELS: &str = "
    SELECT min(seq) FILTER (WHERE level >= 4), min(seq) FILTER (WHERE level = 5) FROM message WHERE task_id = ?1";

pub(crate) fn first_of_levels(read: &Read<'_>, id: TaskId) -> Result<FirstOfLevels> {
    let mut first = read.connection.prepare_cached(FIRST_OF_LEVELS).map_err(during("read the messages"))?;
    first
        .query_row([id], |row| Ok(FirstOfLevels { warn: row.get(0)?, error: row.get(1)? }))
        .map_err(during("read the messages"))
}

/// What was cut off a task.
#[derive(Debug, Default)]
pub(crate) struct Shortened {
    pub(crate) messages: u64,
    /// The task, if it has gone with that.
    pub(crate) task: Option<Ended>,
    /// Whether there is nothing more to do: the task has gone, or does not go.
    pub(crate) is_done: bool,
}

const LAST_MESSAGES: &str = "
    SELECT seq, octet_length(text) FROM message WHERE task_id = ?1 ORDER BY seq DESC LIMIT ?2";

const CUT: &str = "DELETE FROM message WHERE task_id = ?1 AND seq > ?2";

/// The level that is reached stays true with the count.
const COUNT: &str = "UPDATE task SET message_count = ?2, level_reached = ?3 WHERE id = ?1";

/// Deletes the last messages of a task that has too many for one transaction, so that what is left is a task as any other;
/// or with the first of them the task. Only where nothing was cut off yet is there a `phase`, that decides whether it goes:
/// what has lost a part is of no use to who restores it.
pub(crate) fn shorten(write: &Write<'_>, phase: Option<&Phase>, id: TaskId, first: FirstOfLevels) -> Result<Shortened> {
    let there = there(write.connection, id)?;
    let Some((task, ..)) = there.filter(|(task, ..)| phase.is_none_or(|phase| phase.takes(task))) else {
        return Ok(Shortened { is_done: true, ..Shortened::default() });
    };
    // By the rows that there are: another program may have made the count wrong.
    let (mut left, mut messages, mut bytes) = (0, 0, 0);
    for (seq, text_bytes) in last_messages(write.connection, id)? {
        // One that is longer than that alone goes alone.
        if messages > 0 && bytes + text_bytes > BYTES_MAX {
            break;
        }
        (left, messages, bytes) = (seq - 1, messages + 1, bytes + text_bytes + MESSAGE_BYTES);
    }
    if left == 0 {
        // A task without its messages would be there for nobody, and a file that fits then would keep it.
        delete(write, &task)?;
        return Ok(Shortened { messages, task: Some(task), is_done: true });
    }
    write.change("delete messages", CUT, params![id, left])?;
    write.change("delete messages", COUNT, params![id, left, first.reached(left)])?;
    Ok(Shortened { messages, ..Shortened::default() })
}

fn last_messages(connection: &Connection, id: TaskId) -> Result<Vec<(i64, i64)>> {
    let look = || -> rusqlite::Result<Vec<(i64, i64)>> {
        let mut last = connection.prepare_cached(LAST_MESSAGES)?;
        last.query_map(params![id, MESSAGES_MAX], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    look().map_err(during("read the messages"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::assert_plans;

    #[test]
    fn old_tasks_are_found_by_their_ids_and_what_is_hidden_is_not_read() {
        assert_plans(&[
            (OLDEST, "SEARCH task USING INTEGER PRIMARY KEY (rowid>?)"),
            (NEWEST, "SEARCH task USING INTEGER PRIMARY KEY (rowid<?)"),
            (OLDEST_SHOWN, "SEARCH task USING INDEX task_listed (dismissed=? AND rowid>?)"),
            (NEWEST_SHOWN, "SEARCH task USING INDEX task_listed (dismissed=? AND rowid<?)"),
            (LAST, "SEARCH task"),
            (IN_PROGRESS, "SCAN task USING INDEX task_in_progress"),
        ]);
    }

    #[test]
    fn a_task_and_its_messages_are_found_by_their_key() {
        let by_key = "SEARCH message USING PRIMARY KEY (task_id=?)";
        assert_plans(&[
            (TASK, "SEARCH task USING INTEGER PRIMARY KEY (rowid=?)"),
            (DELETE, &format!("SEARCH task USING INTEGER PRIMARY KEY (rowid=?)\n{by_key}")),
            (COUNT, "SEARCH task USING INTEGER PRIMARY KEY (rowid=?)"),
            (TEXT_BYTES, by_key),
            (FIRST_OF_LEVELS, by_key),
            (LAST_MESSAGES, by_key),
            (CUT, "SEARCH message USING PRIMARY KEY (task_id=? AND seq>?)"),
        ]);
    }
}
