//! Between the command's output and the store: a bounded buffer of lines.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use taskstore::Level;

use super::record::Failed;

/// The most text that waits to be written. Then whoever brings more waits.
const BYTES_MAX: usize = 8 << 20;
/// The most lines that wait: empty ones take room, too.
const LINES_MAX: usize = 1 << 16;

/// A line that is to become a message.
pub struct Line {
    pub level: Level,
    pub text: String,
}

/// What the recorder is to do next.
pub enum Work {
    /// Write these.
    Lines(Vec<Line>),
    /// End the record, as failed or not.
    End(Option<Failed>),
}

/// Lines on their way, in the order in which they came.
pub struct Buffer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<Line>,
    bytes: usize,
    /// Set when nothing more is taken: how the command failed, if it did.
    end: Option<Option<Failed>>,
    /// Nothing is written any more; lines are only counted.
    given_up: bool,
    lost: u64,
    hurried: bool,
}

impl State {
    /// Whether who brings more has to wait. Not once the lines go nowhere.
    fn is_full(&self) -> bool {
        let full = self.bytes >= BYTES_MAX || self.lines.len() >= LINES_MAX;
        full && self.end.is_none() && !self.given_up
    }
}

impl Buffer {
    pub fn new() -> Self {
        Self { state: Mutex::default(), changed: Condvar::new() }
    }

    /// Adds a line, and waits for room first.
    pub fn push(&self, level: Level, text: String) {
        let state =
            self.changed.wait_while(self.lock(), |state| state.is_full()).unwrap_or_else(PoisonError::into_inner);
        self.add(state, level, text);
    }

    /// Adds a line at once: for the few that must not wait.
    pub fn push_now(&self, level: Level, text: String) {
        self.add(self.lock(), level, text);
    }

    fn add(&self, mut state: MutexGuard<'_, State>, level: Level, text: String) {
        if state.end.is_some() {
            return;
        }
        if state.given_up {
            state.lost += 1;
            return;
        }
        state.bytes += text.len();
        state.lines.push(Line { level, text });
        self.changed.notify_all();
    }

    /// Takes nothing more. What is in the buffer is still written, then the end.
    pub fn close(&self, failed: Option<Failed>) {
        self.lock().end = Some(failed);
        self.changed.notify_all();
    }

    /// Waits for something to do, and takes all of it.
    pub fn take(&self) -> Work {
        let idle = |state: &mut State| state.lines.is_empty() && state.end.is_none();
        let mut state = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        if state.lines.is_empty()
            && let Some(failed) = state.end.take()
        {
            state.end = Some(None);
            return Work::End(failed);
        }
        state.bytes = 0;
        let lines = std::mem::take(&mut state.lines);
        self.changed.notify_all();
        Work::Lines(lines)
    }

    /// From now on lines are only counted; `lost` were taken and not written.
    pub fn give_up(&self, lost: usize) {
        let mut state = self.lock();
        let waiting = std::mem::take(&mut state.lines).len();
        state.bytes = 0;
        state.given_up = true;
        state.lost += u64::try_from(lost + waiting).unwrap_or(u64::MAX);
        self.changed.notify_all();
    }

    /// How many lines were not written.
    pub fn lost(&self) -> u64 {
        self.lock().lost
    }

    /// Somebody does not want to wait for what cannot be written now.
    pub fn hurry(&self) {
        self.lock().hurried = true;
        self.changed.notify_all();
    }

    /// Pauses before another try; `false` if somebody is in a hurry.
    pub fn pause(&self, length: Duration) -> bool {
        let calm = |state: &mut State| !state.hurried;
        let waited = self.changed.wait_timeout_while(self.lock(), length, calm);
        !waited.unwrap_or_else(PoisonError::into_inner).0.hurried
    }

    /// Nothing can panic while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_full(buffer: &Buffer) -> bool {
        buffer.lock().is_full()
    }

    #[test]
    fn it_is_full_by_bytes_until_they_are_taken() {
        let buffer = Buffer::new();
        (0..8).for_each(|_| buffer.push(Level::Info, "x".repeat((1 << 20) - 1)));
        assert!(!is_full(&buffer));
        buffer.push(Level::Info, "12345678".to_owned());
        assert!(is_full(&buffer));
        assert!(matches!(buffer.take(), Work::Lines(lines) if lines.len() == 9));
        assert!(!is_full(&buffer));
    }

    #[test]
    fn it_is_full_by_lines_but_not_for_those_that_must_not_wait() {
        let buffer = Buffer::new();
        (0..LINES_MAX).for_each(|_| buffer.push(Level::Info, String::new()));
        assert!(is_full(&buffer));
        buffer.push_now(Level::Warn, "received SIGINT".to_owned());
        assert!(matches!(buffer.take(), Work::Lines(lines) if lines.len() == LINES_MAX + 1));
    }

    #[test]
    fn what_comes_after_it_was_given_up_is_counted_and_nobody_waits() {
        let buffer = Buffer::new();
        (0..LINES_MAX).for_each(|_| buffer.push(Level::Info, String::new()));
        buffer.give_up(2);
        buffer.push(Level::Info, "x".repeat(BYTES_MAX));
        buffer.push(Level::Info, "x".repeat(BYTES_MAX));
        assert_eq!(buffer.lost(), 2 + 65_536 + 2);
    }

    #[test]
    fn the_end_comes_after_the_last_line_and_nothing_after_the_end() {
        let buffer = Buffer::new();
        buffer.push(Level::Info, "last".to_owned());
        buffer.close(Some(Failed::without_exit("reason".to_owned())));
        buffer.push(Level::Info, "too late".to_owned());
        assert!(matches!(buffer.take(), Work::Lines(lines) if lines.len() == 1));
        assert!(matches!(buffer.take(), Work::End(Some(failed)) if failed.reason == "reason"));
    }
}
