//! Writes what is in the buffer, and ends the record: one commit in flight, and in the next all that came meanwhile.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use taskstore::Error;

use super::buffer::{Buffer, Work};
use super::event::Event;
use super::record::Record;
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

pub fn start(record: impl Record, buffer: Arc<Buffer>, events: Sender<Event>) -> io::Result<()> {
    let work = move || {
        let recorded = write_all(record, &buffer);
        let _ = events.send(Event::Recorded(recorded));
    };
    thread::Builder::new().spawn(work).map(drop)
}

fn write_all(record: impl Record, buffer: &Buffer) -> Recorded {
    let mut failure = None;
    let failed = loop {
        match buffer.take() {
            Work::End(failed) => break failed,
            Work::Lines(lines) => {
                if let Err(error) = patiently(buffer, || record.write(&lines)) {
                    buffer.give_up(lines.len());
                    failure = Some(error);
                }
            }
        }
    };
    let lost = buffer.lost();
    // For whoever reads the record later.
    let note = failure.as_ref().map(|error| format!("not recorded: {}: {}", messages(lost), chain(error)));
    let ended = patiently(buffer, || record.end(note.as_deref(), failed.as_ref()));
    record.let_go();
    Recorded { lost, ended: ended.is_ok(), failure: failure.or(ended.err()) }
}

/// `1 message`, `2 messages`
pub fn messages(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
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
