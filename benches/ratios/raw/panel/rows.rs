//! How rows become structs, and that these say what the library's say.

use chrono::{DateTime, Utc};
use rusqlite::Row;
use taskstore::{Level, Outcome, TaskWithMessages};

use super::{Message, Progress, Task};

pub fn task(row: &Row<'_>) -> rusqlite::Result<Task> {
    let progress = match row.get(11)? {
        Some(done) => Some(Progress {
            done: amount(done),
            total: row.get::<_, Option<i64>>(12)?.map(amount),
            phase: row.get(13)?,
        }),
        None => None,
    };
    let time_or_null = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(time));
    let message_count = amount(row.get(14)?);
    Ok(Task {
        id: row.get(0)?,
        configuration_id: row.get(1)?,
        configuration_name: row.get(2)?,
        title: row.get(3)?,
        performed_by: row.get(4)?,
        outcome: row.get::<_, Option<i64>>(5)?.map(outcome),
        started: time(row.get(6)?),
        updated: time(row.get(7)?),
        finished: time_or_null(8)?,
        dismissed_by: row.get(9)?,
        dismissed: time_or_null(10)?,
        progress,
        message_count,
        level_reached: row.get::<_, Option<i64>>(15)?.map(level),
        key: row.get(16)?,
        messages: Vec::with_capacity(usize::try_from(message_count).expect("a count")),
    })
}

pub fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        seq: amount(row.get(0)?),
        time: time(row.get(1)?),
        level: level(row.get(2)?),
        text: row.get(3)?,
        key: row.get(4)?,
    })
}

fn amount(number: i64) -> u64 {
    u64::try_from(number).expect("is not negative")
}

fn time(ns: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(ns)
}

fn outcome(code: i64) -> Outcome {
    match code {
        1 => Outcome::Finished,
        2 => Outcome::Failed,
        _ => Outcome::Interrupted,
    }
}

fn level(code: i64) -> Level {
    let [trace, debug, info, warn, error] = Level::ALL;
    match code {
        1 => trace,
        2 => debug,
        3 => info,
        4 => warn,
        _ => error,
    }
}

/// That is what the library reads, too.
impl PartialEq<TaskWithMessages> for Task {
    fn eq(&self, other: &TaskWithMessages) -> bool {
        let task = &other.task;
        let progress = self.progress.as_ref().map(|progress| (progress.done, progress.total, &progress.phase));
        let messages =
            |message: &Message| (message.seq, message.time, message.level, message.text.clone(), message.key.clone());
        let their_messages = |message: &taskstore::Message| {
            (message.seq, message.time, message.level, message.text.clone(), message.key.clone())
        };
        self.id == task.id.get()
            && self.configuration_id == task.configuration_id.map(i64::from)
            && (&self.configuration_name, &self.title) == (&task.configuration_name, &task.title)
            && (&self.performed_by, self.outcome) == (&task.performed_by, task.outcome)
            && (self.started, self.updated, self.finished) == (task.started, task.updated, task.finished)
            && (&self.dismissed_by, self.dismissed) == (&task.dismissed_by, task.dismissed)
            && progress == task.progress.as_ref().map(|progress| (progress.done, progress.total, &progress.phase))
            && (self.message_count, self.level_reached) == (task.message_count, task.level_reached)
            && self.key == task.key
            && self.messages.iter().map(messages).eq(other.messages.iter().map(their_messages))
    }
}
