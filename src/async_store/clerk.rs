//! Who writes for the futures.
//!
//! A future that waited in a thread of its own, as a caller of a [`TaskStore`] does, would have that thread woken to begin, once
//! more with its answer, and then a thread of the runtime. So futures leave their calls at a desk, one for each runtime, and its
//! *clerk* makes them: one thread of that runtime's blocking pool at a time, which takes whatever is there into one transaction
//! and tells each its answer. It belongs to none of them, and goes when there is nothing to do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io, thread};

use tokio::runtime::{Handle, Id};

use super::pool;
use crate::sqlite::{Call, GROUP_MAX};
use crate::{Error, TaskStore};

/// How long a clerk stays before it asks for a thread anew, so that what else waits for one has its turn.
const SHIFT: Duration = Duration::from_millis(10);
/// How long a clerk looks out for further calls before it goes: about what it takes to wake two threads.
const LINGER: Duration = Duration::from_micros(100);

#[derive(Clone, Default)]
pub(super) struct Clerks(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Each has a clerk, who takes it away with the last call.
    desks: Vec<Desk>,
    /// When the last clerk has gone.
    gone: Option<Instant>,
}

/// Where the calls that were polled in one runtime are left.
struct Desk {
    runtime: Id,
    calls: VecDeque<LeftCall>,
}

struct LeftCall {
    call: Arc<dyn Call>,
    /// Where nothing is to be done, nobody here keeps it open.
    store: TaskStore,
}

impl LeftCall {
    fn refuse(self, error: Error) {
        self.call.refuse(error);
        // Before the answer is told, which is when the call is dropped.
        drop(self.store);
    }
}

impl Clerks {
    /// Has a call made, from now on whatever becomes of its caller.
    pub(super) fn leave(&self, store: &TaskStore, call: Arc<dyn Call>) {
        let Ok(runtime) = Handle::try_current() else { return call.refuse(Error::NoRuntime) };
        let left = LeftCall { call, store: store.clone() };
        let mut state = self.state();
        if let Some(desk) = state.desk(runtime.id()) {
            return desk.calls.push_back(left);
        }
        state.desks.push(Desk { runtime: runtime.id(), calls: VecDeque::from([left]) });
        // A call that comes so soon would have been worth waiting for; so may be the next.
        let lingers = state.gone.is_some_and(|gone| gone.elapsed() < LINGER);
        drop(state);
        Shift::begin(self, &runtime, lingers);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn desk(&mut self, runtime: Id) -> Option<&mut Desk> {
        self.desks.iter_mut().find(|desk| desk.runtime == runtime)
    }

    fn take_away(&mut self, runtime: Id) -> VecDeque<LeftCall> {
        let place = self.desks.iter().position(|desk| desk.runtime == runtime);
        place.map(|place| self.desks.swap_remove(place).calls).unwrap_or_default()
    }
}

impl fmt::Debug for Clerks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clerks")
    }
}

/// A clerk's time at a desk.
struct Shift {
    clerks: Clerks,
    runtime: Id,
    has_begun: bool,
    lingers: bool,
}

impl Shift {
    fn begin(clerks: &Clerks, runtime: &Handle, lingers: bool) {
        let mut shift = Self { clerks: clerks.clone(), runtime: runtime.id(), has_begun: false, lingers };
        let begun = pool::spawn(runtime, move || {
            shift.has_begun = true;
            shift.work();
        });
        if let Err(source) = begun {
            let action = "start a thread that makes the calls of futures";
            let error = || Error::Io { action, source: io::Error::other(source.clone()) };
            // Should this one get a thread later, it finds another desk or none.
            let calls = clerks.state().take_away(runtime.id());
            calls.into_iter().for_each(|left| left.refuse(error()));
        }
    }

    fn work(&self) {
        let end = Instant::now() + SHIFT;
        while let Some((calls, store)) = self.next(end) {
            store.database().write_together(calls.clone());
            drop(store);
            // Now each has its answer: by then nothing is held for it, neither the store nor the turn.
            drop(calls);
        }
    }

    /// What there is to do, in the order in which it came; `None` if there is nothing, or time to go.
    fn next(&self, end: Instant) -> Option<(VecDeque<Arc<dyn Call>>, TaskStore)> {
        let since = Instant::now();
        loop {
            let now = Instant::now();
            if now >= end {
                return None;
            }
            let mut state = self.clerks.state();
            let calls = &mut state.desk(self.runtime)?.calls;
            let taken: Vec<_> = calls.drain(..calls.len().min(GROUP_MAX)).collect();
            drop(state);
            if let Some(first) = taken.first() {
                let store = first.store.clone();
                return Some((taken.into_iter().map(|left| left.call).collect(), store));
            }
            if !self.lingers || now - since >= LINGER {
                return None;
            }
            thread::yield_now();
        }
    }
}

impl Drop for Shift {
    /// However a clerk goes, the calls that are left find another.
    fn drop(&mut self) {
        let mut state = self.clerks.state();
        let is_done = state.desk(self.runtime).is_none_or(|desk| desk.calls.is_empty());
        let runtime = Handle::try_current().ok().filter(|_| self.has_begun && !is_done);
        if let Some(runtime) = runtime {
            drop(state);
            return Self::begin(&self.clerks, &runtime, true);
        }
        // There are some only where a runtime has ended before it has begun.
        let calls = state.take_away(self.runtime);
        state.gone = Some(Instant::now());
        drop(state);
        calls.into_iter().for_each(|left| left.refuse(Error::NoRuntime));
    }
}
