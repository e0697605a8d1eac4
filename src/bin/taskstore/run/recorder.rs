//! Writes what is in the buffer, and ends the task: one commit in flight, and in the next all that came meanwhile.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use taskstore::{Error, Level, RunningTask, TaskId, TaskStore};

use super::buffer::{Buffer, Line, Work};
use super::event::Event;
use crate::failure::chain;

/// How long a write is tried again when the file is locked or the disk full. Meanwhile the buffer may fill, and then
/// the command waits.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two tries. Behind a lock each try waits for some seconds by itself.
const PAUSE: Duration = Duration::from_millis(200);

/// What became of the record.
pub struct Recorded {
    /// How many messages were not recorded.
    pub lost: u64,
    /// Whether the end was.
    pub ended: bool,
    /// Why something was not.
    pub failure: Option<Error>,
}

pub fn start(store: TaskStore, task: RunningTask, buffer: Arc<Buffer>, events: Sender<Event>) -> io::Result<()> {
    let record = move || {
        let recorded = record(&store, task, &buffer);
        let _ = events.send(Event::Recorded(recorded));
    };
    thread::Builder::new().spawn(record).map(drop)
}

fn record(store: &TaskStore, task: RunningTask, buffer: &Buffer) -> Recorded {
    let mut failure = None;
    let reason = loop {
        match buffer.take() {
            Work::End(reason) => break reason,
            Work::Lines(lines) => {
                if let Err(error) = patiently(buffer, || write(store, task.id(), &lines)) {
                    buffer.give_up(lines.len());
                    failure = Some(error);
                }
            }
        }
    };
    let lost = buffer.lost();
    // For whoever reads the task later.
    let note = failure.as_ref().map(|error| format!("not recorded: {}: {}", messages(lost), chain(error)));
    let ended = patiently(buffer, || end(store, task.id(), note.as_deref(), reason.as_deref()));
    // Dropped, the guard would try once more to record an end, and another one.
    let _ = task.detach();
    Recorded { lost, ended: ended.is_ok(), failure: failure.or(ended.err()) }
}

/// `1 message`, `2 messages`
pub fn messages(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

fn write(store: &TaskStore, id: TaskId, lines: &[Line]) -> Result<(), Error> {
    store.batch(|batch| lines.iter().try_for_each(|line| batch.message(id, line.level, line.text.as_str())))
}

fn end(store: &TaskStore, id: TaskId, note: Option<&str>, reason: Option<&str>) -> Result<(), Error> {
    store.batch(|batch| {
        note.map_or(Ok(()), |note| batch.message(id, Level::Warn, note))?;
        match reason {
            None => batch.finish(id),
            Some(reason) => batch.fail(id, reason),
        }
    })
}

/// Tries again what may succeed later, for a while.
fn patiently(buffer: &Buffer, attempt: impl Fn() -> Result<(), Error>) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Err(error) if error.is_retryable() && Instant::now() < deadline && buffer.pause(PAUSE) => {}
            outcome => return outcome,
        }
    }
}
