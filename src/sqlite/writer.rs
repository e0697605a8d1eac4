//! The one write connection, whose turn it is, and who waits.
//!
//! Callers form a queue. Whoever has the turn is the *leader*: it takes along those that wait with an operation, commits
//! all of them with its own in one transaction, and then hands the turn to the next in the queue. No thread is needed
//! for that, and a caller alone pays nothing for it.

use std::collections::VecDeque;
use std::sync::PoisonError;
#[cfg(not(all(test, shuttle)))]
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

#[cfg(all(test, shuttle))]
use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard};

use super::error::{copy, leader_panicked};
use super::transaction::Write;
use crate::{Error, Result};

/// What a caller asks of the leader; it keeps its answer for the caller by itself. It may be run again after a
/// transaction was undone.
pub(super) type Operation = Box<dyn Fn(&Write<'_>) -> Result<()> + Send>;

/// The most operations of one transaction, so that nobody waits long for those before.
const FOLLOWERS_MAX: usize = 256;

/// `C` is the connection.
#[derive(Debug)]
pub(super) struct Writer<C> {
    state: Mutex<State<C>>,
}

#[derive(Debug)]
struct State<C> {
    place: Place<C>,
    /// Empty unless the connection is taken.
    queue: VecDeque<Arc<Ticket<C>>>,
}

/// Where the write connection is.
#[derive(Debug)]
enum Place<C> {
    /// Nobody writes.
    Here(C),
    /// A leader has it.
    Taken,
    /// It failed in a way that makes it untrustworthy; the next leader opens another.
    Lost,
    /// The store is read-only.
    Never,
    /// The store is closed.
    Closed,
}

/// What a leader gets: the connection, or the right and duty to open one.
#[derive(Debug)]
pub(super) enum Turn<C> {
    Connection(C),
    Reopen,
}

/// A caller that waits: in the queue, then for what it is given.
struct Ticket<C> {
    /// `None` for a caller that needs a turn of its own.
    operation: Mutex<Option<Operation>>,
    given: Mutex<Option<Waited<C>>>,
    woken: Condvar,
}

/// How a wait ended.
pub(super) enum Waited<C> {
    /// It is the caller's turn.
    Turn(Turn<C>),
    /// A leader has run the caller's operation.
    Answered(Result<()>),
}

impl<C> Writer<C> {
    /// `None` for a store that is read-only.
    pub(super) fn new(connection: Option<C>) -> Self {
        let place = connection.map_or(Place::Never, Place::Here);
        Self { state: Mutex::new(State { place, queue: VecDeque::new() }) }
    }

    /// The turn, if nobody has it.
    pub(super) fn take_at_once(&self) -> Result<Option<Turn<C>>> {
        lock(&self.state).take_at_once()
    }

    /// Waits until `deadline` for a turn or, if there is an operation, for a leader that runs it. Once a leader has
    /// taken it, the answer is waited for however long it takes.
    pub(super) fn wait(&self, operation: Option<Operation>, started: Instant, deadline: Instant) -> Result<Waited<C>> {
        let ticket = {
            let mut state = lock(&self.state);
            if let Some(turn) = state.take_at_once()? {
                return Ok(Waited::Turn(turn));
            }
            let operation = Mutex::new(operation);
            let ticket = Arc::new(Ticket { operation, given: Mutex::new(None), woken: Condvar::new() });
            state.queue.push_back(Arc::clone(&ticket));
            ticket
        };
        if let Some(given) = ticket.wait_until(deadline) {
            return Ok(given);
        }
        let mut state = lock(&self.state);
        if let Some(place) = state.queue.iter().position(|queued| Arc::ptr_eq(queued, &ticket)) {
            state.queue.remove(place);
            return Err(Error::Busy { waited: started.elapsed() });
        }
        // Whoever took it from the queue gives it something.
        drop(state);
        Ok(ticket.wait())
    }

    /// Takes the operations that wait at the head of the queue, up to one that needs a turn of its own.
    pub(super) fn followers(&self) -> Followers<C> {
        let mut state = lock(&self.state);
        let mut followers = Vec::new();
        while followers.len() < FOLLOWERS_MAX
            && let Some(ticket) = state.queue.pop_front_if(|ticket| lock(&ticket.operation).is_some())
        {
            let operation = lock(&ticket.operation).take();
            followers.push(Follower { ticket, operation, answer: None });
        }
        Followers(followers)
    }

    /// Ends a turn, and hands it to the next in the queue. `None` loses the connection.
    pub(super) fn give_back(&self, connection: Option<C>) {
        let mut state = lock(&self.state);
        match state.queue.pop_front() {
            Some(next) => {
                drop(state);
                next.give(Waited::Turn(connection.map_or(Turn::Reopen, Turn::Connection)));
            }
            None => state.place = connection.map_or(Place::Lost, Place::Here),
        }
    }

    /// Ends the last turn. Who still waits is told so.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.place = Place::Closed;
        for ticket in state.queue.drain(..) {
            ticket.give(Waited::Answered(Err(Error::Closed)));
        }
    }

    /// Closes a read-only store, which has no turns to wait for.
    pub(super) fn close_read_only(&self) -> Result<()> {
        match std::mem::replace(&mut lock(&self.state).place, Place::Closed) {
            Place::Closed => Err(Error::Closed),
            _ => Ok(()),
        }
    }

    /// How many wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        lock(&self.state).queue.len()
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(lock(&self.state).place, Place::Closed)
    }
}

impl<C> State<C> {
    fn take_at_once(&mut self) -> Result<Option<Turn<C>>> {
        match std::mem::replace(&mut self.place, Place::Taken) {
            Place::Here(connection) => Ok(Some(Turn::Connection(connection))),
            Place::Lost => Ok(Some(Turn::Reopen)),
            Place::Taken => Ok(None),
            Place::Never => {
                self.place = Place::Never;
                Err(Error::ReadOnly)
            }
            Place::Closed => {
                self.place = Place::Closed;
                Err(Error::Closed)
            }
        }
    }
}

impl<C> Ticket<C> {
    fn give(&self, given: Waited<C>) {
        *lock(&self.given) = Some(given);
        self.woken.notify_one();
    }

    fn wait(&self) -> Waited<C> {
        let mut given = lock(&self.given);
        loop {
            if let Some(given) = given.take() {
                return given;
            }
            given = self.woken.wait(given).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn wait_until(&self, deadline: Instant) -> Option<Waited<C>> {
        let mut given = lock(&self.given);
        loop {
            if let Some(given) = given.take() {
                return Some(given);
            }
            let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            given = self.woken.wait_timeout(given, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl<C> std::fmt::Debug for Ticket<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket")
    }
}

/// Operations that a leader has taken. Each is answered exactly once, at the latest when this is dropped.
pub(super) struct Followers<C>(Vec<Follower<C>>);

struct Follower<C> {
    ticket: Arc<Ticket<C>>,
    operation: Option<Operation>,
    answer: Option<Result<()>>,
}

impl<C> Followers<C> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Runs each operation, and keeps the answers until [`answer`](Self::answer).
    pub(super) fn run(&mut self, mut run: impl FnMut(&Operation) -> Result<()>) {
        for follower in &mut self.0 {
            follower.answer = follower.operation.as_ref().map(&mut run);
        }
    }

    /// Answers all of them: with this error, or with what they were answered when they ran.
    pub(super) fn answer(mut self, instead: Option<&Error>) {
        if let Some(error) = instead {
            self.run(|_| Err(copy(error)));
        }
    }
}

impl<C> Drop for Followers<C> {
    /// What the leader did not come to answer, because it panicked, may or may not have been committed.
    fn drop(&mut self) {
        for Follower { ticket, answer, .. } in self.0.drain(..) {
            ticket.give(Waited::Answered(answer.unwrap_or_else(|| Err(leader_panicked()))));
        }
    }
}

/// Nothing can panic while one of these locks is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, shuttle))]
mod model;
