//! The one write connection, whose turn it is, and who waits.
//!
//! Callers form a queue. Whoever has the turn is the *leader*: it takes along those that wait with an operation, commits
//! all of them with its own in one transaction, and then hands the turn to the next in the queue. No thread is needed
//! for that, and a caller alone pays nothing for it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::error::copy;
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
    queue: VecDeque<Arc<Ticket>>,
    /// What the leader left for the first in the queue, which has been woken to take it.
    handed_on: Option<Handed<C>>,
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

#[derive(Debug)]
struct Handed<C> {
    to: Arc<Ticket>,
    turn: Turn<C>,
}

/// What a leader gets: the connection, or the right and duty to open one.
#[derive(Debug)]
pub(super) enum Turn<C> {
    Connection(C),
    Reopen,
}

/// A caller that waits.
struct Ticket {
    /// `None` for one that needs a turn of its own.
    operation: Mutex<Option<Operation>>,
    answer: Mutex<Option<Result<()>>>,
    woken: Condvar,
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket")
    }
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
        Self { state: Mutex::new(State { place, queue: VecDeque::new(), handed_on: None }) }
    }

    /// The turn, if nobody has it.
    pub(super) fn take_at_once(&self) -> Result<Option<Turn<C>>> {
        self.lock().take_at_once()
    }

    /// Waits until `deadline` for a turn or, if there is an operation, for a leader that runs it. Once a leader has
    /// taken it, the answer is waited for however long it takes.
    pub(super) fn wait(&self, operation: Option<Operation>, started: Instant, deadline: Instant) -> Result<Waited<C>> {
        let mut state = self.lock();
        if let Some(turn) = state.take_at_once()? {
            return Ok(Waited::Turn(turn));
        }
        let woken = Condvar::new();
        let ticket = Arc::new(Ticket { operation: Mutex::new(operation), answer: Mutex::default(), woken });
        state.queue.push_back(Arc::clone(&ticket));
        loop {
            if let Some(answer) = lock(&ticket.answer).take() {
                return Ok(Waited::Answered(answer));
            }
            if let Some(handed) = state.handed_on.take_if(|handed| Arc::ptr_eq(&handed.to, &ticket)) {
                return Ok(Waited::Turn(handed.turn));
            }
            let queued = state.queue.iter().position(|other| Arc::ptr_eq(other, &ticket));
            let now = Instant::now();
            state = match queued {
                // A leader has taken the operation.
                None => ticket.woken.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(place) if now >= deadline => {
                    state.queue.remove(place);
                    return Err(Error::Busy { waited: now - started });
                }
                Some(_) => {
                    let waited = ticket.woken.wait_timeout(state, deadline - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Takes the operations that wait at the head of the queue, up to one that needs a turn of its own.
    pub(super) fn followers(&self) -> Followers<'_, C> {
        let mut state = self.lock();
        let mut tickets = Vec::new();
        while tickets.len() < FOLLOWERS_MAX
            && let Some(ticket) = state.queue.pop_front_if(|ticket| lock(&ticket.operation).is_some())
        {
            let operation = lock(&ticket.operation).take();
            tickets.push(Follower { ticket, operation, answer: None });
        }
        drop(state);
        Followers { writer: self, followers: tickets }
    }

    /// Ends a turn, and hands it to the next in the queue. `None` loses the connection.
    pub(super) fn give_back(&self, connection: Option<C>) {
        let mut state = self.lock();
        let turn = connection.map_or(Turn::Reopen, Turn::Connection);
        match state.queue.pop_front() {
            Some(next) => {
                next.woken.notify_one();
                state.handed_on = Some(Handed { to: next, turn });
            }
            None => {
                state.place = match turn {
                    Turn::Connection(connection) => Place::Here(connection),
                    Turn::Reopen => Place::Lost,
                }
            }
        }
    }

    /// Ends the last turn. Who still waits is told so.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.place = Place::Closed;
        for ticket in state.queue.drain(..) {
            *lock(&ticket.answer) = Some(Err(Error::Closed));
            ticket.woken.notify_one();
        }
    }

    /// Closes a read-only store, which has no turns to wait for.
    pub(super) fn close_read_only(&self) -> Result<()> {
        match std::mem::replace(&mut self.lock().place, Place::Closed) {
            Place::Closed => Err(Error::Closed),
            _ => Ok(()),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.lock().place, Place::Closed)
    }

    fn lock(&self) -> MutexGuard<'_, State<C>> {
        lock(&self.state)
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

/// Operations that a leader has taken. Each is answered exactly once, at the latest when this is dropped.
pub(super) struct Followers<'a, C> {
    writer: &'a Writer<C>,
    followers: Vec<Follower>,
}

struct Follower {
    ticket: Arc<Ticket>,
    operation: Option<Operation>,
    answer: Option<Result<()>>,
}

impl<C> Followers<'_, C> {
    pub(super) fn is_empty(&self) -> bool {
        self.followers.is_empty()
    }

    /// Runs each operation, and keeps the answers until [`answer`](Self::answer).
    pub(super) fn run(&mut self, mut run: impl FnMut(&Operation) -> Result<()>) {
        for follower in &mut self.followers {
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

impl<C> Drop for Followers<'_, C> {
    /// What the leader did not come to answer, because it panicked, may or may not have been committed.
    fn drop(&mut self) {
        // Under the lock, so that nobody is between its look at the answer and its wait.
        let _state = self.writer.lock();
        for Follower { ticket, answer, .. } in self.followers.drain(..) {
            let answer = answer.unwrap_or_else(|| Err(super::error::leader_panicked()));
            *lock(&ticket.answer) = Some(answer);
            ticket.woken.notify_one();
        }
    }
}

/// Nothing can panic while one of these locks is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
