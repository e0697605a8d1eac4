//! Who writes for the futures.
//!
//! A future that waited in a thread of its own, as a caller of a [`TaskStore`] does, would have that thread woken to begin, once
//! more with its answer, and then a thread of the runtime. So futures leave their calls here, and the *clerk* makes them: one
//! thread of the blocking pool at a time, for all of a store, which takes whatever is there into one transaction and tells each
//! its answer. It belongs to none of them, goes when there is nothing to do, and belongs to a runtime for a short while only, so
//! that this can shut down.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Id};

use super::pool;
use crate::sqlite::{Call, GROUP_MAX};
use crate::{Error, TaskStore};

/// How long a clerk stays: then others get its thread, and the runtime of the next call another clerk.
const SHIFT: Duration = Duration::from_millis(10);
/// How long a clerk looks for further calls before it goes: about what it takes to wake two threads.
const LINGER: Duration = Duration::from_micros(100);

#[derive(Default)]
pub(super) struct Clerk(Arc<Desk>);

/// Where the calls are left.
#[derive(Default)]
struct Desk {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: VecDeque<Left>,
    has_clerk: bool,
    /// When the last clerk has gone.
    gone: Option<Instant>,
}

/// A call that waits for a clerk.
struct Left {
    call: Arc<dyn Call>,
    /// Not a clerk's: where nothing is to be done, nobody here keeps it open.
    store: TaskStore,
    /// Where it was polled.
    runtime: Handle,
}

impl Clerk {
    /// Has a call made, from now on whatever becomes of its caller.
    pub(super) fn leave(&self, store: &TaskStore, call: Arc<dyn Call>) {
        let Ok(runtime) = Handle::try_current() else { return call.refuse(Error::NoRuntime) };
        let mut state = self.0.state();
        state.calls.push_back(Left { call, store: store.clone(), runtime: runtime.clone() });
        if !std::mem::replace(&mut state.has_clerk, true) {
            // A call that comes so soon would have been worth waiting for; so may be the next.
            let lingers = state.gone.is_some_and(|gone| gone.elapsed() < LINGER);
            drop(state);
            Shift::begin(&self.0, &runtime, lingers);
        }
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the calls of a runtime.
    fn take_of(&mut self, runtime: Id) -> VecDeque<Left> {
        let calls = std::mem::take(&mut self.calls).into_iter();
        let (taken, others) = calls.partition(|left| left.runtime.id() == runtime);
        self.calls = others;
        taken
    }
}

impl fmt::Debug for Clerk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clerk")
    }
}

/// A clerk's time at the desk. However it ends, the calls that are left find another clerk.
struct Shift {
    desk: Arc<Desk>,
    /// Whose thread it is given.
    runtime: Id,
    has_begun: bool,
    lingers: bool,
}

impl Shift {
    fn begin(desk: &Arc<Desk>, runtime: &Handle, lingers: bool) {
        let mut shift = Self { desk: Arc::clone(desk), runtime: runtime.id(), has_begun: false, lingers };
        pool::spawn(runtime, move || {
            shift.has_begun = true;
            shift.work();
        });
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
            let mut state = self.desk.state();
            if let Some(first) = state.calls.front() {
                let (store, count) = (first.store.clone(), state.calls.len().min(GROUP_MAX));
                let taken: Vec<_> = state.calls.drain(..count).collect();
                drop(state);
                return Some((taken.into_iter().map(|left| left.call).collect(), store));
            }
            drop(state);
            if !self.lingers || now - since >= LINGER {
                return None;
            }
            thread::yield_now();
        }
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        let mut state = self.desk.state();
        // A runtime that shuts down drops what has not begun.
        let refused = if self.has_begun { VecDeque::new() } else { state.take_of(self.runtime) };
        let next = state.calls.front().map(|left| left.runtime.clone());
        if next.is_none() {
            state.has_clerk = false;
            state.gone = Some(Instant::now());
        }
        drop(state);
        for Left { call, store, .. } in refused {
            call.refuse(Error::NoRuntime);
            drop(store);
            drop(call);
        }
        if let Some(runtime) = next {
            Self::begin(&self.desk, &runtime, true);
        }
    }
}
