//! The one write connection, whose turn it is, and who waits.
//!
//! Callers that wait form groups. Whoever has the turn is the *leader*: it takes the group at the head of the queue along,
//! commits all of its calls with its own in one transaction, wakes them together, and hands the turn to the first of the
//! next group. No thread is needed for that, and a caller alone pays nothing for it.

use std::collections::VecDeque;
use std::sync::PoisonError;
#[cfg(not(all(test, shuttle)))]
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

#[cfg(all(test, shuttle))]
use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard};

use super::error::{copy, leader_panicked};
use super::transaction::Write;
use crate::{Error, Result};

/// What a caller asks of the leader. It keeps its answer for the caller by itself.
pub(crate) trait Call: Send + Sync {
    /// Does what is asked. It may be done again after a transaction was undone.
    fn run(&self, write: &Write<'_>) -> Result<()>;

    /// How long its caller waits.
    fn wait(&self) -> Wait;

    /// Makes an error the answer.
    fn refuse(&self, error: Error);
}

/// How long a caller waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(super) started: Instant,
    pub(super) deadline: Instant,
}

impl Wait {
    pub(super) fn new(patience: Duration) -> Self {
        let started = Instant::now();
        Self { started, deadline: started + patience }
    }

    /// The same, at least until then.
    #[cfg(feature = "tokio")]
    pub(super) fn until(self, end: Instant) -> Self {
        Self { deadline: self.deadline.max(end), ..self }
    }
}

/// Calls of callers that wait elsewhere, which a leader makes with its own.
pub(super) type Brought = VecDeque<Arc<dyn Call>>;

/// The most calls of one transaction besides the leader's, so that nobody waits long for those before.
pub(crate) const GROUP_MAX: usize = 256;

/// `C` is the connection.
#[derive(Debug)]
pub(super) struct Writer<C> {
    state: Mutex<State<C>>,
}

#[derive(Debug)]
struct State<C> {
    place: Place<C>,
    /// Empty unless the connection is taken.
    queue: VecDeque<Arc<Group<C>>>,
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

/// Callers that wait for one transaction. Its lock is taken after the writer's.
struct Group<C> {
    waiting: Mutex<Waiting<C>>,
    /// Wakes the first seat, which alone can be woken without the others.
    first: Condvar,
    /// Wakes all other seats.
    others: Condvar,
}

struct Waiting<C> {
    /// A seat each, in the order in which they came. `None` for one that has left, and for one that needs a turn of its
    /// own: nobody joins that.
    calls: Vec<Option<Arc<dyn Call>>>,
    alone: bool,
    /// The seat that gets the turn, if nobody before takes the group along.
    leader: usize,
    turn: Option<Turn<C>>,
    /// Whether all of its calls have their answers.
    answered: bool,
}

/// How a wait ended.
pub(super) enum Waited<C> {
    /// It is the caller's turn.
    Turn(Turn<C>),
    /// The caller's call has its answer, or the store was closed.
    Answered,
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

    /// Waits until the deadline for a turn or, if there is a call, for a leader that sees to it. Once a leader has taken it,
    /// the answer is waited for however long it takes.
    pub(super) fn wait(&self, call: Option<Arc<dyn Call>>, wait: Wait) -> Result<Waited<C>> {
        let (group, seat) = {
            let mut state = lock(&self.state);
            if let Some(turn) = state.take_at_once()? {
                return Ok(Waited::Turn(turn));
            }
            state.sit_down(call)
        };
        let waited = match group.wait(seat, Some(wait.deadline)) {
            Some(waited) => waited,
            None if self.leave(&group, seat) => return Err(Error::Busy { waited: wait.started.elapsed() }),
            // Whoever took the group from the queue, or gave it the turn, has something for each.
            None => group.wait(seat, None).expect("without a deadline a wait ends with something"),
        };
        if matches!(waited, Waited::Turn(_)) {
            // It leads the others; should it not even begin, the next of them does.
            self.leave(&group, seat);
        }
        Ok(waited)
    }

    /// Takes the group at the head of the queue, unless that needs a turn of its own or is too many, besides what the leader
    /// has brought.
    pub(super) fn followers(&self, brought: Brought) -> Followers<C> {
        let fits = |waiting: &Waiting<C>| !waiting.alone && brought.len() + waiting.calls.len() <= GROUP_MAX;
        let group = lock(&self.state).queue.pop_front_if(|group| fits(&lock(&group.waiting)));
        let calls = group.as_ref().map(|group| std::mem::take(&mut lock(&group.waiting).calls)).unwrap_or_default();
        let calls = brought.into_iter().chain(calls.into_iter().flatten());
        let followers = calls.map(|call| Follower { call, outcome: None }).collect();
        Followers { group, followers }
    }

    /// Ends a turn, and hands it to the next in the queue. `None` loses the connection.
    pub(super) fn give_back(&self, connection: Option<C>) {
        let mut state = lock(&self.state);
        let Some(group) = state.queue.front().cloned() else {
            state.place = connection.map_or(Place::Lost, Place::Here);
            return;
        };
        // While the state is locked nobody leaves the group, so the turn is not lost with a leader that has gone.
        let leader = {
            let mut waiting = lock(&group.waiting);
            waiting.turn = Some(connection.map_or(Turn::Reopen, Turn::Connection));
            waiting.leader
        };
        drop(state);
        if leader == 0 {
            group.first.notify_one();
        } else {
            group.others.notify_all();
        }
    }

    /// Ends the last turn. Who still waits is told so.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.place = Place::Closed;
        for group in state.queue.drain(..) {
            let calls = std::mem::take(&mut lock(&group.waiting).calls);
            calls.into_iter().flatten().for_each(|call| call.refuse(Error::Closed));
            group.wake();
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
        let seats = |waiting: &Waiting<C>| usize::from(waiting.alone) + waiting.calls.iter().flatten().count();
        lock(&self.state).queue.iter().map(|group| seats(&lock(&group.waiting))).sum()
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(lock(&self.state).place, Place::Closed)
    }

    /// Takes a caller out of the queue. False if it is too late: it has been given a turn, or a leader has its call.
    fn leave(&self, group: &Arc<Group<C>>, seat: usize) -> bool {
        let mut state = lock(&self.state);
        let Some(position) = state.queue.iter().position(|queued| Arc::ptr_eq(queued, group)) else { return false };
        let mut waiting = lock(&group.waiting);
        if waiting.leader == seat && waiting.turn.is_some() {
            return false;
        }
        if let Some(call) = waiting.calls.get_mut(seat) {
            *call = None;
        }
        if waiting.leader == seat {
            match waiting.calls.iter().position(Option::is_some) {
                Some(next) => waiting.leader = next,
                None => drop(state.queue.remove(position)),
            }
        }
        true
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

    /// A seat in the last group, or in a new one.
    fn sit_down(&mut self, call: Option<Arc<dyn Call>>) -> (Arc<Group<C>>, usize) {
        if call.is_some()
            && let Some(last) = self.queue.back()
        {
            let mut waiting = lock(&last.waiting);
            let seat = waiting.calls.len();
            if !waiting.alone && seat < GROUP_MAX {
                waiting.calls.push(call);
                return (Arc::clone(last), seat);
            }
        }
        let waiting = Waiting { alone: call.is_none(), calls: vec![call], leader: 0, turn: None, answered: false };
        let group = Arc::new(Group { waiting: Mutex::new(waiting), first: Condvar::new(), others: Condvar::new() });
        self.queue.push_back(Arc::clone(&group));
        (group, 0)
    }
}

impl<C> Group<C> {
    /// `None` if nothing has come by the deadline.
    fn wait(&self, seat: usize, deadline: Option<Instant>) -> Option<Waited<C>> {
        let woken = if seat == 0 { &self.first } else { &self.others };
        let mut waiting = lock(&self.waiting);
        loop {
            if waiting.answered {
                return Some(Waited::Answered);
            }
            if waiting.leader == seat
                && let Some(turn) = waiting.turn.take()
            {
                return Some(Waited::Turn(turn));
            }
            waiting = match deadline {
                None => woken.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
                    woken.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Lets all go.
    fn wake(&self) {
        lock(&self.waiting).answered = true;
        self.first.notify_one();
        self.others.notify_all();
    }
}

impl<C> std::fmt::Debug for Group<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Group")
    }
}

/// The calls of a group that a leader has taken. Each is answered exactly once, at the latest when this is dropped.
pub(super) struct Followers<C> {
    group: Option<Arc<Group<C>>>,
    followers: Vec<Follower>,
}

struct Follower {
    call: Arc<dyn Call>,
    /// `None` until it was run.
    outcome: Option<Result<()>>,
}

impl<C> Followers<C> {
    pub(super) fn is_empty(&self) -> bool {
        self.followers.is_empty()
    }

    /// Runs each call, and keeps back how it went until [`answer`](Self::answer).
    pub(super) fn run(&mut self, mut run: impl FnMut(&dyn Call) -> Result<()>) {
        for follower in &mut self.followers {
            follower.outcome = Some(run(&*follower.call));
        }
    }

    /// Answers all of them: with this error, or with how it went when they were run.
    pub(super) fn answer(mut self, instead: Option<&Error>) {
        for Follower { call, outcome } in self.followers.drain(..) {
            match (instead, outcome) {
                (Some(error), _) => call.refuse(copy(error)),
                (None, Some(Ok(()))) => {}
                (None, Some(Err(error))) => call.refuse(error),
                (None, None) => call.refuse(leader_panicked()),
            }
        }
    }
}

impl<C> Drop for Followers<C> {
    /// What the leader did not come to answer, because it panicked, may or may not have been committed.
    fn drop(&mut self) {
        for Follower { call, .. } in self.followers.drain(..) {
            call.refuse(leader_panicked());
        }
        if let Some(group) = &self.group {
            group.wake();
        }
    }
}

/// Nothing can panic while one of these locks is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, shuttle))]
mod model;
