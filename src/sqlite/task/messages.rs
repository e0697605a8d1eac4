//! What tasks said.

use rusqlite::{Params, Row, Statement, named_params, params};

use super::super::error::during;
use super::super::row::{Amount, Text, Time};
use super::super::transaction::Read;
use super::not_found;
use crate::Result;
use crate::task::{Message, Task, TaskId};

/// A message, whose columns begin at the second one.
fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        seq: row.get::<_, Amount>(1)?.0,
        time: row.get::<_, Time>(2)?.0,
        level: row.get(3)?,
        text: row.get::<_, Text>(4)?.0,
        key: row.get::<_, Option<Text>>(5)?.map(|Text(key)| key),
    })
}

const BEHIND: &str = "
    SELECT task_id, seq, time_ns, level, text, key FROM message
    WHERE task_id = :id AND seq > :after ORDER BY seq LIMIT :limit";

/// The messages of a task behind the one of this number.
pub(crate) fn messages(read: &Read<'_>, id: TaskId, after: u64, limit: u32) -> Result<Vec<Message>> {
    // No task has as many messages as an `i64` can count.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    of_one(read, id, BEHIND, named_params! { ":id": id, ":after": after, ":limit": limit })
}

const TAIL: &str = "
    SELECT task_id, seq, time_ns, level, text, key FROM message
    WHERE task_id = :id ORDER BY seq DESC LIMIT :limit";

/// The last messages of a task, oldest first.
pub(crate) fn tail(read: &Read<'_>, id: TaskId, limit: u32) -> Result<Vec<Message>> {
    let mut messages = of_one(read, id, TAIL, named_params! { ":id": id, ":limit": limit })?;
    messages.reverse();
    Ok(messages)
}

const EXISTS: &str = "SELECT 1 FROM task WHERE id = :id";

/// The messages that a statement reads of one task, which must exist.
fn of_one(read: &Read<'_>, id: TaskId, sql: &'static str, values: impl Params) -> Result<Vec<Message>> {
    read.snapshot(|| {
        let mut exists = read.connection.prepare_cached(EXISTS).map_err(during("read a task"))?;
        if !exists.exists(named_params! { ":id": id }).map_err(during("read a task"))? {
            return Err(not_found(id));
        }
        let mut messages = read.connection.prepare_cached(sql).map_err(during("read the messages"))?;
        let rows = messages.query_map(values, message);
        rows.and_then(Iterator::collect).map_err(during("read the messages"))
    })
}

const OF_TASKS: &str = "
    SELECT task_id, seq, time_ns, level, text, key FROM message
    WHERE task_id BETWEEN ?1 AND ?2 ORDER BY task_id, seq";

/// The messages of each of these tasks, in their order. The caller holds the snapshot that the tasks are of.
///
/// Those of tasks whose ids follow one another are read in one go, as they lie in the file. Where others lie between,
/// nothing is read of those, however many messages they have.
pub(crate) fn messages_of(read: &Read<'_>, tasks: &[Task]) -> Result<Vec<Vec<Message>>> {
    let room = |task: &Task| Vec::with_capacity(usize::try_from(task.message_count).unwrap_or(0).min(ROOM_MAX));
    let mut found: Vec<Vec<Message>> = tasks.iter().map(room).collect();
    let mut places: Vec<(TaskId, &mut Vec<Message>)> = tasks.iter().map(|task| task.id).zip(&mut found).collect();
    places.sort_unstable_by_key(|(id, _)| *id);

    let mut messages = read.connection.prepare_cached(OF_TASKS).map_err(during("read the messages"))?;
    for run in places.chunk_by_mut(|(id, _), (next, _)| id.get().checked_add(1) == Some(next.get())) {
        // Whoever counts no message has no room.
        if run.iter().any(|(_, of)| of.capacity() > 0) {
            read_run(&mut messages, run).map_err(during("read the messages"))?;
        }
    }
    Ok(found)
}

/// Reads the messages of tasks whose ids follow one another.
fn read_run(messages: &mut Statement<'_>, run: &mut [(TaskId, &mut Vec<Message>)]) -> rusqlite::Result<()> {
    let (first, last) = (run.first().map(|(id, _)| *id), run.last().map(|(id, _)| *id));
    let mut rows = messages.query(params![first, last])?;
    let mut places = run.iter_mut().peekable();
    while let Some(row) = rows.next()? {
        let id: TaskId = row.get(0)?;
        while places.next_if(|(place, _)| *place < id).is_some() {}
        if let Some((_, of)) = places.peek_mut() {
            of.push(message(row)?);
        }
    }
    Ok(())
}

/// A count in the file may be wrong; no more room than this is made for it ahead.
const ROOM_MAX: usize = 1_024;

/// Statements of the readers, with how often each runs in the lifecycle of the test.
#[cfg(test)]
pub(super) fn statements_for_tests() -> Vec<(String, i32)> {
    vec![(BEHIND.to_owned(), 1), (TAIL.to_owned(), 1), (OF_TASKS.to_owned(), 2)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::tests::assert_plans;

    #[test]
    fn messages_are_found_by_their_key_and_in_its_order() {
        assert_plans(&[
            (BEHIND, "SEARCH message USING PRIMARY KEY (task_id=? AND seq>?)"),
            (TAIL, "SEARCH message USING PRIMARY KEY (task_id=?)"),
            (OF_TASKS, "SEARCH message USING PRIMARY KEY (task_id>? AND task_id<?)"),
            (super::super::search::MESSAGES, "SEARCH message USING PRIMARY KEY (task_id=?)"),
            (EXISTS, "SEARCH task USING INTEGER PRIMARY KEY (rowid=?)"),
        ]);
    }
}
