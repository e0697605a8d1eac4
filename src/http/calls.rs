//! Threads that call the store: so many at a time, and no more than there is to do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::spawn_blocking;

/// Calls wait here for a slot. Who has made one goes on with the next in the same thread: to wake another for each costs
/// more than most calls do.
pub(super) struct Calls {
    max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots_taken: usize,
    waiting: VecDeque<Call>,
}

/// It gives its slot back, unless it has let go of it before: so a stream does, which holds its thread for long.
pub(super) type Call = Box<dyn FnOnce(Slot) -> Option<Slot> + Send>;

/// One of the threads that may call. Where it is let go of amid a call, another thread goes on with those that wait.
pub(super) struct Slot {
    /// `None` once it is somebody else's.
    calls: Option<Arc<Calls>>,
}

impl Calls {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, state: Mutex::default() })
    }

    /// Has this call made as soon as there is a slot, in the order in which they come. It is dropped where the runtime
    /// shuts down.
    pub(super) fn make(self: &Arc<Self>, call: Call) {
        {
            let mut state = self.state();
            if state.slots_taken >= self.max {
                return state.waiting.push_back(call);
            }
            state.slots_taken += 1;
        }
        Slot { calls: Some(Arc::clone(self)) }.start(call);
    }

    /// What the holder of a slot is to do; if there is nothing, the slot is free.
    fn next(&self) -> Option<Call> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        state.slots_taken -= usize::from(next.is_none());
        next
    }

    /// Frees the slot of a thread that there will not be, with those that count on it.
    fn give_up(&self) {
        let mut state = self.state();
        state.slots_taken -= 1;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(waiting);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn start(self, call: Call) {
        let mut starting = Starting(Some((self, call)));
        drop(spawn_blocking(move || starting.run()));
    }

    fn next(&mut self) -> Option<(Self, Call)> {
        let calls = self.calls.take()?;
        let call = calls.next()?;
        Some((Self { calls: Some(calls) }, call))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some((slot, call)) = self.next() {
            slot.start(call);
        }
    }
}

/// What a thread begins with.
struct Starting(Option<(Slot, Call)>);

impl Starting {
    fn run(&mut self) {
        let mut next = self.0.take();
        while let Some((slot, call)) = next {
            next = call(slot).and_then(|mut slot| slot.next());
        }
    }
}

impl Drop for Starting {
    /// It has not run only where the runtime shuts down, which starts no other thread either.
    fn drop(&mut self) {
        if let Some(calls) = self.0.take().and_then(|(mut slot, _)| slot.calls.take()) {
            calls.give_up();
        }
    }
}
