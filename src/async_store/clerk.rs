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
    /// Each with the runtime in which it was polled.
    calls: VecDeque<(Arc<dyn Call>, Handle)>,
    has_clerk: bool,
    /// When the last clerk has gone.
    left: Option<Instant>,
}

impl Clerk {
    /// Has a call made, from now on whatever becomes of its caller.
    pub(super) fn leave(&self, store: &TaskStore, call: Arc<dyn Call>) {
        let Ok(runtime) = Handle::try_current() else { return call.refuse(Error::NoRuntime) };
        let mut state = self.0.state();
        state.calls.push_back((call, runtime.clone()));
        if !std::mem::replace(&mut state.has_clerk, true) {
            // A call that comes so soon would have been worth waiting for; so may be the next.
            let lingers = state.left.is_some_and(|left| left.elapsed() < LINGER);
            drop(state);
            Shift::new(&self.0, store, &runtime, lingers).begin(&runtime);
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
    fn take_of(&mut self, runtime: Id) -> VecDeque<(Arc<dyn Call>, Handle)> {
        let calls = std::mem::take(&mut self.calls).into_iter();
        let (taken, left) = calls.partition(|(_, polled_in)| polled_in.id() == runtime);
        self.calls = left;
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
    store: TaskStore,
    /// Whose thread it is given.
    runtime: Id,
    has_begun: bool,
    lingers: bool,
}

impl Shift {
    fn new(desk: &Arc<Desk>, store: &TaskStore, runtime: &Handle, lingers: bool) -> Self {
        let (desk, store) = (Arc::clone(desk), store.clone());
        Self { desk, store, runtime: runtime.id(), has_begun: false, lingers }
    }

    fn begin(mut self, runtime: &Handle) {
        pool::spawn(runtime, move || {
            self.has_begun = true;
            self.work();
        });
    }

    fn work(&self) {
        let end = Instant::now() + SHIFT;
        while let Some(calls) = self.next(end) {
            self.store.database().write_together(calls.clone());
            // Who is told may let go of what writes when it is dropped: not before the turn has ended.
            drop(calls);
        }
    }

    /// What there is to do, in the order in which it came; `None` if there is nothing, or time to go.
    fn next(&self, end: Instant) -> Option<VecDeque<Arc<dyn Call>>> {
        let since = Instant::now();
        loop {
            let now = Instant::now();
            if now >= end {
                return None;
            }
            let mut state = self.desk.state();
            let waiting = state.calls.len().min(GROUP_MAX);
            if waiting > 0 {
                return Some(state.calls.drain(..waiting).map(|(call, _)| call).collect());
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
        let next = state.calls.front().map(|(_, runtime)| runtime.clone());
        if next.is_none() {
            state.has_clerk = false;
            state.left = Some(Instant::now());
        }
        drop(state);
        for (call, _) in refused {
            call.refuse(Error::NoRuntime);
        }
        if let Some(runtime) = next {
            Self::new(&self.desk, &self.store, &runtime, true).begin(&runtime);
        }
    }
}
