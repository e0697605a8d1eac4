//! What waits to be written.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::settings::{Settings, WhenFull};
use super::traced::{Entry, lock};
use crate::{Error, TaskStore};

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// The writer waits for it.
    filled: Condvar,
    /// Those who log, and those who flush, wait for it.
    moved: Condvar,
    events_max: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct State {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The store that is written to, until the writer has ended.
    store: Option<TaskStore>,
    /// How many have come, and with how many of them the writer is done.
    come: u64,
    done: u64,
    writer_sleeps: bool,
    /// How many wait for the writer.
    waiting: usize,
    is_closing: bool,
}

/// What became of an entry.
pub(super) enum Pushed {
    Queued,
    /// So many events were not, since the queue was full.
    Dropped(u64),
    /// Nobody writes any more.
    Closed,
}

impl Queue {
    pub(super) fn new(store: TaskStore, settings: &Settings) -> Self {
        let state = State {
            entries: VecDeque::new(),
            bytes: 0,
            store: Some(store),
            come: 0,
            done: 0,
            writer_sleeps: false,
            waiting: 0,
            is_closing: false,
        };
        let (events_max, bytes_max) = (settings.queue_events, settings.queue_bytes);
        Self { state: Mutex::new(state), filled: Condvar::new(), moved: Condvar::new(), events_max, bytes_max }
    }

    /// Queues an entry, if need be when there is room. Starts and ends are queued in any case, but where events are dropped an
    /// end leaves behind those that were kept for it.
    pub(super) fn push(&self, mut entry: Entry, when_full: WhenFull) -> Pushed {
        let mut state = lock(&self.state);
        let mut dropped = 0;
        while !state.is_closing && self.is_full(&state) {
            match (when_full, &entry, state.refusal()) {
                // Nobody empties the queue in a process that was forked.
                (_, _, Some(Error::Forked { .. })) => return Pushed::Closed,
                (WhenFull::Drop, Entry::Event(traced, _), _) => {
                    traced.dropped.fetch_add(1, Ordering::Relaxed);
                    return Pushed::Dropped(1);
                }
                (WhenFull::Drop, Entry::End(traced, end), _) => {
                    dropped = u64::try_from(end.tail.events.len()).unwrap_or(u64::MAX);
                    traced.dropped.fetch_add(dropped, Ordering::Relaxed);
                    entry = Entry::End(Arc::clone(traced), Arc::new(end.without_events()));
                    break;
                }
                (WhenFull::Drop, ..) | (_, _, Some(Error::InsideBatch)) => break,
                (WhenFull::Wait, ..) => state = self.wait(state),
            }
        }
        if state.is_closing {
            return Pushed::Closed;
        }
        state.bytes += entry.bytes();
        state.come += 1;
        state.entries.push_back(entry);
        let wake = std::mem::take(&mut state.writer_sleeps);
        drop(state);
        if wake {
            self.filled.notify_one();
        }
        if dropped == 0 { Pushed::Queued } else { Pushed::Dropped(dropped) }
    }

    pub(super) fn events_max(&self) -> usize {
        self.events_max
    }

    /// Whether somebody waits for the writer, or would if there came more.
    pub(super) fn is_pressed(&self) -> bool {
        let state = lock(&self.state);
        state.is_closing || state.waiting > 0 || self.is_full(&state)
    }

    fn is_full(&self, state: &State) -> bool {
        let events = state.entries.len();
        events >= self.events_max || (state.bytes >= self.bytes_max && events > 0)
    }

    fn wait<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.waiting += 1;
        let mut state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state
    }

    /// For the writer: the next entries, at most so many, when there are any; or none after `patience`. `None` when the
    /// queue is closing and empty.
    pub(super) fn take(&self, events_max: usize, patience: Option<Duration>) -> Option<Vec<Entry>> {
        let mut state = lock(&self.state);
        while state.entries.is_empty() {
            if state.is_closing {
                return None;
            }
            state.writer_sleeps = true;
            match patience {
                None => state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let waited = self.filled.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
                    state = waited.0;
                    state.writer_sleeps = false;
                    if waited.1.timed_out() && state.entries.is_empty() && !state.is_closing {
                        return Some(Vec::new());
                    }
                }
            }
            state.writer_sleeps = false;
        }
        let number = events_max.min(state.entries.len());
        let taken: Vec<_> = state.entries.drain(..number).collect();
        state.bytes -= taken.iter().map(Entry::bytes).sum::<usize>();
        self.wake_waiting(state);
        Some(taken)
    }

    /// For the writer: it is done with so many, whatever became of them.
    pub(super) fn done(&self, number: usize) {
        let mut state = lock(&self.state);
        state.done += u64::try_from(number).unwrap_or(u64::MAX);
        self.wake_waiting(state);
    }

    fn wake_waiting(&self, state: MutexGuard<'_, State>) {
        let is_awaited = state.waiting > 0;
        drop(state);
        if is_awaited {
            self.moved.notify_all();
        }
    }

    /// Waits until the writer is done with all that has come before; not in a process that was forked, nor inside a batch of
    /// the store, for which the writer waits.
    pub(super) fn flush(&self) {
        let mut state = lock(&self.state);
        let until = state.come;
        while state.done < until && state.store.is_some() && !state.never_moves() {
            state = self.wait(state);
        }
    }

    /// Takes nothing more. Gives whether the writer can end while the caller waits for it.
    pub(super) fn close(&self) -> bool {
        let mut state = lock(&self.state);
        state.is_closing = true;
        let never_moves = state.never_moves();
        drop(state);
        self.filled.notify_one();
        self.moved.notify_all();
        !never_moves
    }

    /// The writer has ended, whatever the reason: nobody is to wait for it.
    pub(super) fn writer_ended(&self) {
        let mut state = lock(&self.state);
        state.is_closing = true;
        let store = state.store.take();
        let left = std::mem::take(&mut state.entries);
        drop(state);
        self.moved.notify_all();
        drop((store, left));
    }
}

impl State {
    /// Why the store would refuse a call of this thread.
    fn refusal(&self) -> Option<Error> {
        self.store.as_ref().and_then(|store| store.database().refuse_inside().err())
    }

    fn never_moves(&self) -> bool {
        matches!(self.refusal(), Some(Error::Forked { .. } | Error::InsideBatch))
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::TaskLayerBuilder;
    use super::super::traced::tests::event;
    use super::super::traced::{Kind, Traced};
    use super::*;

    #[test]
    fn what_is_taken_makes_room_for_as_much() {
        let store = TaskStore::open_in_memory().unwrap();
        let queue = Queue::new(store.clone(), &TaskLayerBuilder::new(&store).queue_bytes(1).settings);
        let traced = Arc::new(Traced::new(1, Kind::Task));
        let push = |text: &str| queue.push(Entry::Event(Arc::clone(&traced), event(text)), WhenFull::Drop);
        for text in ["one", "two and more", ""] {
            assert!(matches!(push(text), Pushed::Queued));
            assert!(matches!(push(text), Pushed::Dropped(1)));
            assert!(queue.is_pressed());
            assert_eq!(queue.take(9, None).unwrap().len(), 1);
            assert_eq!(lock(&queue.state).bytes, 0);
            assert!(!queue.is_pressed());
        }
    }
}
